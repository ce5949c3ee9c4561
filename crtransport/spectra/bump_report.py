"""What the user is told of a bump: numbers with published ones in brackets, χ², assumptions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from crtransport.deck.bump import BumpDeck
from crtransport.fits import DataSet
from crtransport.measurements.axes import rigidity
from crtransport.spectra.quality import written

_NAMES = ("gamma", "K", "M", "r", "q_s", "rigidity_factor", "R0", "R_L", "a_fit")
_NAMED = {0.5: "1/2", 0.333: "1/3", 0.667: "2/3", 1.0: "1"}


def assumptions(deck: BumpDeck, sets: Sequence[DataSet]) -> dict[str, str]:
    """What the fit assumes, and its profiles: a few lines each, for figures."""
    at = np.concatenate([rigidity(one.table, one.table.x[one.some]) for one in sets])
    numbers = deck.parameters
    formula = [f"γ = {numbers.gamma.start:g}"] if numbers.gamma.fixed else ["γ free"]
    formula += [f"a = {numbers.a.start:g}"] if numbers.a.fixed else ["a free"]
    formula.append("with losses" if deck.losses else "no losses")
    data = [f"{at.min():.0f} GV to {at.max() / 1e3:.0f} TV", f"{deck.residuals} residuals"]
    data += [_free(sets, "energy_error", "energy scale"), _free(sets, "norm_error", "norm")]
    treated = ", ".join(text for text in data if text)
    shared = f"correlated, length {deck.profile.correlation_length:g} dex"
    return {
        "assumptions": ", ".join([*formula, treated]),
        "assumptions_profile": (
            f"γ fixed at {numbers.gamma.start:g} or free; {treated}\n"
            f"left: errors as in the fit; right: systematic errors {shared}"
        ),
    }


def _free(sets: Sequence[DataSet], error: str, what: str) -> str:
    """Which experiments' scales are fitted along."""
    names = dict.fromkeys(one.scales for one in sets if getattr(one, error))
    return f"{what} of {' and '.join(names)} fitted" if names else ""


def headline(dataset: xr.Dataset) -> list[tuple[str, str]]:
    """Fitted numbers, χ² against a, predictions, what follows for the shock."""
    rows = [
        (name.removesuffix("_fit"), _number(dataset, name)) for name in _NAMES if name in dataset
    ]
    rows += [
        (str(name), f"{float(value):+.4f} ± {float(error):.4f}")
        for name, value, error in zip(
            *(dataset[name].values for name in ("scale_of", "scale", "scale_error")), strict=True
        )
    ]
    points, dof = int(dataset.points), int(dataset.dof)
    chi2 = f"{float(dataset.chi2):.1f} of {points} points, {dof} degrees of freedom"
    rows.append(("χ²", chi2))
    rows += [
        *_correlations(dataset),
        *_variants(dataset),
        *_profiles(dataset),
        *_tables(dataset),
        *_shocks(dataset),
        *_places(dataset),
    ]
    rows.append(("assumed", dataset.attrs["assumptions"]))
    return rows + [("remark", text) for text in dataset.attrs["remark"].splitlines()]


def _number(dataset: xr.Dataset, name: str) -> str:
    text = written(dataset, name)
    if f"{name}_published" not in dataset:
        return text
    return f"{text} (published {written(dataset, f'{name}_published')})"


def _correlations(dataset: xr.Dataset) -> list[tuple[str, str]]:
    names = [n for n in map(str, dataset.number.values) if n in ("gamma", "K", "R0", "R_L", "a")]
    return [
        (
            f"correlation of {a} and {b}",
            f"{float(dataset.correlation.sel(number=a, number_2=b)):+.2f}",
        )
        for i, a in enumerate(names)
        for b in names[i + 1 :]
    ]


def _variants(dataset: xr.Dataset) -> list[tuple[str, str]]:
    """K, R₀ and R_L under each assumption, at the deck's a."""
    rows = []
    for variant in dataset.variant.values if "variant_chi2" in dataset else ():
        here = dataset.sel(variant=variant)
        names = [n for n in ("gamma", "K", "R0", "R_L") if float(here[f"variant_{n}_error"]) != 0]
        told = [f"{name} {written(here, f'variant_{name}')}" for name in names]
        rows.append((str(variant), f"{', '.join(told)}; χ² {float(here.variant_chi2):.1f}"))
    return rows


def _profiles(dataset: xr.Dataset) -> list[tuple[str, str]]:
    """χ² at a = ½, ⅓, ⅔ and 1 where these are on the grid, and where it is least."""
    rows = []
    for name, text in (("chi2_profile", "χ²(a)"), ("chi2_profile_correlated", "  correlated")):
        for variant in dataset.variant.values if name in dataset else ():
            row = dataset[name].sel(variant=variant)
            at = {
                word: float(row.sel(a=a, method="nearest"))
                for a, word in _NAMED.items()
                if np.min(np.abs(dataset.a.values - a)) < 1e-3
            }
            known = ", ".join(f"{value:.1f} at {word}" for word, value in at.items())
            least = float(dataset.a.values[np.argmin(row.values)])
            rows.append((f"{text} {variant}", f"{known}; least at {least:.3g}"))
    return rows


def _tables(dataset: xr.Dataset) -> list[tuple[str, str]]:
    fitted = set(dataset.table.values[dataset.table_fitted.values > 0])
    rows = []
    for name in dataset.compared.values:
        here = dataset.sel(compared=name)
        text = f"χ² {float(here.table_chi2):.1f} of {int(here.table_points)} points, "
        known = f"predicted (with the prediction's own error {float(here.table_chi2_as_known):.1f})"
        text += "fitted" if name in fitted else known
        rows.append(
            (str(name), f"{text}; without the bump {float(here.table_chi2_background):.1f}")
        )
    return rows


def _shocks(dataset: xr.Dataset) -> list[tuple[str, str]]:
    rows = []
    for name in dataset.candidate.values:
        here = dataset.sel(candidate=name)
        text = f"R0 {float(here.R0_expected) / 1e3:.2g} TV by the relation"
        rows.append((str(name), f"{text}; its size should be {float(here.size_needed):.2g} pc"))
    for share in dataset.reduction.values:
        here = dataset.distance_smeared_R0.sel(reduction=share)
        ends = ", ".join(
            f"{float(value):.3g} kpc (δ = {float(delta):g})"
            for delta, value in zip(here.delta.values, here.values, strict=True)
        )
        rows.append((f"smeared beyond, at R0, κ × {float(share):g}", ends))
    return rows


def _places(dataset: xr.Dataset) -> list[tuple[str, str]]:
    """R₀ and the largest excess over the background at each place of the tube."""
    rows = []
    background = dataset.background.isel(species=0)
    for place in dataset.place.values if "wake_flux" in dataset else ():
        more = dataset.wake_flux.sel(place=place) / background - 1
        r0 = float(dataset.wake_R0.sel(place=place))
        text = f"R0 {r0 / 1e3:.3g} TV, excess at most {float(more.max()):.3g} times the background"
        rows.append((f"{float(place):g} of the way from the shock", text))
    return rows
