"""χ² of the bump formula against its exponent a, under four assumptions and two errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from crtransport.deck.bump import BumpDeck
from crtransport.fits import DataSet, minimise, profile
from crtransport.physics.bump import LABELS
from crtransport.spectra.bump_dataset import rigidities
from crtransport.spectra.bump_fit import BumpFit, Variant
from crtransport.spectra.quality import ends_of, with_errors
from crtransport.spectra.tables import correlated, variable

#: variant -> whether γ is free, whether there are losses
VARIANTS = {
    "gamma fixed, loss-free": (False, False),
    "gamma fixed, losses": (False, True),
    "gamma free, loss-free": (True, False),
    "gamma free, losses": (True, True),
}


def variants(deck: BumpDeck, sets: Sequence[DataSet]) -> tuple[xr.Dataset, list[str]]:
    """The numbers under each of the four assumptions, ``variant_…``(variant), a as in the deck."""
    fits = [BumpFit(sets, _variant(deck, *one, {})) for one in VARIANTS.values()]
    found = [fit.minimum() for fit in fits]
    variables: dict[str, Any] = {}
    for name in ("gamma", "K", "R0", "R_L"):
        values = [getattr(f.bump(one.best), name) for f, one in zip(fits, found, strict=True)]
        ends = np.array([ends_of(one, name) for one in found]).T
        labels = (LABELS[name][0], f"{LABELS[name][1]} under these assumptions")
        low, high = ends
        variables |= with_errors(
            f"variant_{name}", np.array(values), (low, high), labels, "variant"
        )
    grid = rigidities(deck.output)
    flux = np.array([f.bump(one.best).flux(grid) for f, one in zip(fits, found, strict=True)])
    text = "flux of the fitted element under these assumptions"
    variables["variant_flux"] = variable(flux, "m-2 s-1 sr-1 GV-1", text, *("variant", "rigidity"))
    chi2 = np.array([one.chi2 for one in found])
    variables["variant_chi2"] = variable(chi2, "1", "least chi-squared", "variant")
    problems = [
        f"{name}: {text}"
        for name, one in zip(VARIANTS, found, strict=True)
        for text in one.problems
        if text not in one.at_bounds.values()
    ]
    return xr.Dataset(variables, _coordinate()), problems


def _variant(deck: BumpDeck, free: bool, losses: bool, more: dict[str, bool]) -> Variant:
    moving = {"gamma": free, "R_L": True} | more
    return Variant(numbers=deck.parameters, losses=losses, free=moving)


def _coordinate() -> dict[str, Any]:
    return {"variant": variable(list(VARIANTS), "1", "what was assumed", "variant")}


def profiles(deck: BumpDeck, sets: Sequence[DataSet]) -> tuple[xr.Dataset, list[str]]:
    """``chi2_profile``(variant, a), the same with shared systematics, and what did not converge."""
    grid = np.array(sorted(deck.profile.a))
    shared = correlated(sets, deck.profile.correlation_length)
    found, problems = {}, []
    for name, some, text in (
        ("chi2_profile", sets, "errors as for the fit"),
        ("chi2_profile_correlated", shared, "systematic errors shared by neighbours"),
    ):
        rows = []
        for variant, (free, losses) in VARIANTS.items():
            row, wrong = _profile(deck, some, free, losses)
            rows.append(row)
            problems += [f"{variant}, {text}: {one}" for one in wrong]
        found[name] = variable(np.array(rows), "1", f"least chi-squared, {text}", "variant", "a")
    coords = {"a": variable(grid, "1", "exponent a, 2 - q of the turbulence", "a")}
    return xr.Dataset(found, _coordinate() | coords), problems


def _profile(
    deck: BumpDeck, sets: Sequence[DataSet], free: bool, losses: bool
) -> tuple[np.ndarray, list[str]]:
    grid = np.array(sorted(deck.profile.a))
    fit = BumpFit(sets, _variant(deck, free, losses, {"a": True}))
    best = minimise(fit.objective)
    found = profile(fit.objective, best, "a", grid)
    return found.chi2, list(found.problems)
