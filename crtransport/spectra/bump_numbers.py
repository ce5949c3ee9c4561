"""The fitted numbers of the bump with their errors, and what they say of the shock."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from crtransport.deck.bump import BumpDeck
from crtransport.fits import Fit
from crtransport.physics.bump import LABELS, Bump, compression, excess, rigidity_factor, shock_index
from crtransport.spectra.bump_fit import BumpFit, mach_of
from crtransport.spectra.quality import ends_of, number_names, summary, with_errors
from crtransport.spectra.tables import variable

_SHOCK = {
    "M": ("1", "Mach number of the shock"),
    "r": ("1", "compression of the shock"),
    "q_s": ("1", "index of what the shock makes"),
    "rigidity_factor": ("1", "(1 + K)^(1/gamma), by which the shock raises rigidities"),
}


def in_dataset(name: str) -> str:
    """What a number is called there: "a" is the axis of the profiles."""
    return "a_fit" if name == "a" else name


def numbers(deck: BumpDeck, fit: BumpFit, found: Fit) -> xr.Dataset:
    """Each number of the formula and of the shock; correlations, scales, χ²."""
    variables: dict[str, Any] = {}
    for name in ("A", *fit.held):
        value = found.best.get(name, fit.held.get(name))
        key = in_dataset(name)
        variables |= with_errors(key, value, ends_of(found, name), LABELS[name])
        published = () if name == "A" else getattr(deck.parameters, name).published
        if published:
            label = (LABELS[name][0], f"published {LABELS[name][1]}")
            ends = published[1:] if len(published) == 3 else (np.nan, np.nan)
            variables |= with_errors(f"{key}_published", published[0], ends, label)
    variables |= _shock(fit, found)
    variables |= summary(found, fit.likelihood.points, "numbers and scales fitted")
    return xr.Dataset(variables, number_names(found)).merge(_scales(fit, found))


def _shock(fit: BumpFit, found: Fit) -> dict[str, Any]:
    """M, r and q_s; their errors are those of M, which both go with."""
    bump = fit.bump(found.best)
    middle = float(mach_of(bump.gamma, bump.K))
    low, high = _mach_ends(fit, found) if "K" in found.names else (0.0, 0.0)
    variables = with_errors("M", middle, (low, high), _SHOCK["M"])
    ends = np.array([middle, middle - low, middle + high])
    r = compression(ends)
    q = shock_index(r)
    variables |= with_errors("r", r[0], (r[0] - r[1], r[2] - r[0]), _SHOCK["r"])
    variables |= with_errors("q_s", q[0], (q[0] - q[2], q[1] - q[0]), _SHOCK["q_s"])
    # M at its ends raises rigidities at the γ of the best fit
    factor = rigidity_factor(bump.gamma, excess(bump.gamma, q))
    ends_ = (factor[0] - factor[1], factor[2] - factor[0])
    return variables | with_errors("rigidity_factor", factor[0], ends_, _SHOCK["rigidity_factor"])


def _mach_ends(fit: BumpFit, found: Fit) -> tuple[float, float]:
    """Of M: K alone does not tell them where γ is fitted too."""
    moved = BumpFit(fit.likelihood.data, fit.variant, start=found.best, mach=True).minimum()
    return ends_of(moved, "M")


def _scales(fit: BumpFit, found: Fit) -> xr.Dataset:
    """Fitted energy scales and norms of experiments."""
    names = [one.name for one in fit.likelihood.nuisances]
    places = [found.names.index(name) for name in names]
    text = "relative shift of an energy scale or norm"
    return xr.Dataset(
        {
            "scale": variable(found.values[places], "1", text, "scale_of"),
            "scale_error": variable(
                found.errors[places], "1", f"1 sigma of the {text}", "scale_of"
            ),
        },
        {"scale_of": variable(names, "1", "what is shifted, and of which experiment", "scale_of")},
    )


def shocks(deck: BumpDeck, bump: Bump) -> xr.Dataset:
    """What R₀ each candidate should make, and how large it must be for the fitted one; smearing."""
    relation, names = deck.relation, [one.name for one in deck.candidate]
    expected = [relation.expected(one, bump.a) for one in deck.candidate]
    needed = [relation.size_needed(one, bump.R0, bump.a) for one in deck.candidate]
    rigidity = np.geomspace(deck.output.R_min, deck.output.R_max, 50)
    return xr.Dataset(
        {
            "R0_expected": variable(
                np.array(expected), "GV", "R0 that a shock should make by the relation", "candidate"
            ),
            "size_needed": variable(
                np.array(needed), "pc", "size with which a shock makes the fitted R0", "candidate"
            ),
            "distance_smeared": variable(
                deck.smearing.distance(rigidity),
                "kpc",
                "largest distance of the source by smearing",
                *("reduction", "delta", "smearing_rigidity"),
            ),
            "distance_smeared_R0": variable(
                deck.smearing.distance(np.array([bump.R0]))[..., 0],
                "kpc",
                "largest distance of the source by smearing at R0",
                *("reduction", "delta"),
            ),
        },
        {
            "candidate": variable(names, "1", "shock", "candidate"),
            "delta": variable(np.array(deck.smearing.delta), "1", "slope of kappa", "delta"),
            "reduction": variable(
                np.array(deck.smearing.reduction), "1", "factor on kappa", "reduction"
            ),
            "smearing_rigidity": variable(rigidity, "GV", "rigidity", "smearing_rigidity"),
        },
    )
