"""χ² of the bump formula against its exponent a, under four assumptions and two errors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from crtransport.deck.bump import BumpDeck
from crtransport.fits import DataSet, minimise, profile
from crtransport.spectra.bump_fit import BumpFit, Variant
from crtransport.spectra.tables import correlated, variable

#: variant -> whether γ is free, whether there are losses
VARIANTS = {
    "gamma fixed, loss-free": (False, False),
    "gamma fixed, losses": (False, True),
    "gamma free, loss-free": (True, False),
    "gamma free, losses": (True, True),
}


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
    coords = {
        "variant": variable(list(VARIANTS), "1", "what was assumed", "variant"),
        "a": variable(grid, "1", "exponent a, 2 - q of the turbulence", "a"),
    }
    return xr.Dataset(found, coords), problems


def _profile(
    deck: BumpDeck, sets: Sequence[DataSet], free: bool, losses: bool
) -> tuple[np.ndarray, list[str]]:
    grid = np.array(sorted(deck.profile.a))
    moving = {"gamma": free, "R_L": True, "a": True}
    fit = BumpFit(sets, Variant(numbers=deck.parameters, losses=losses, free=moving))
    best = minimise(fit.objective)
    found = profile(fit.objective, best, "a", grid)
    return found.chi2, list(found.problems)
