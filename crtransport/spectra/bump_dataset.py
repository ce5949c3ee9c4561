"""Curves of the bump and how far they are from what is measured, as a dataset tells them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from crtransport.deck.bump import BumpDeck, SpectrumOutput
from crtransport.fits import DataSet, Fit, Likelihood
from crtransport.measurements import Measurement
from crtransport.measurements.axes import Curve, elements, on_axis, over_rigidity, rigidity
from crtransport.physics.bump import LABELS, Bump
from crtransport.spectra.bump_fit import BumpFit
from crtransport.spectra.bump_predict import (
    Others,
    Spread,
    relative_covariance,
    relative_error,
    spread_of,
    spread_of_fitted,
)
from crtransport.spectra.tables import put_right, span, variable

Array = NDArray[np.float64]
_FLUX = "m-2 s-1 sr-1 GV-1"


def rigidities(output: SpectrumOutput) -> Array:
    """Grid of the output, GV."""
    decades = np.log10(output.R_max / output.R_min)
    return np.geomspace(output.R_min, output.R_max, round(output.per_decade * decades) + 1)


def bumps(fit: BumpFit, found: Fit, others: Others) -> dict[str, Bump]:
    """Of each element, the fitted one first."""
    return {fit.element: fit.bump(found.best)} | {name: one.bump for name, one in others.items()}


def curves(
    deck: BumpDeck, pairs: Sequence[str], fit: BumpFit, found: Fit, others: Others
) -> xr.Dataset:
    """``flux``, ``background`` and ``flux_error`` of each element, the same of ratios.

    Parameters
    ----------
    pairs : sequence of str
        Ratios as tables have them, "B_C".
    """
    grid, all_ = rigidities(deck.output), bumps(fit, found, others)
    shock = all_[fit.element]
    spreads = {name: spread_of(one, shock, found, grid) for name, one in others.items()}
    spreads[fit.element] = spread_of_fitted(shock, found, grid)
    coords = {
        "species": variable(list(all_), "1", "element", "species"),
        "rigidity": variable(grid, "GV", "rigidity", "rigidity"),
    }
    variables = _fluxes(grid, all_, spreads, found) | _indices(all_)
    if deck.wake.places:
        coords["place"] = variable(
            np.array(deck.wake.places), "1", "distance from the shock over that of the Sun", "place"
        )
        seen = [shock.at_distance(place) for place in deck.wake.places]
        variables["wake_R0"] = variable(
            np.array([one.R0 for one in seen]), "GV", "R0 at a place of the tube", "place"
        )
        flux = np.array([one.flux(grid) for one in seen])
        text = "flux of the fitted element at a place of the tube"
        variables["wake_flux"] = variable(flux, _FLUX, text, *("place", "rigidity"))
    if pairs:
        names = [pair.replace("_", "/") for pair in pairs]
        coords["ratio_name"] = variable(names, "1", "ratio of two elements", "ratio_name")
        variables |= _ratios([pair.split("_") for pair in pairs], grid, all_, spreads, found)
    return xr.Dataset(variables, coords)


def _fluxes(
    grid: Array, all_: Mapping[str, Bump], spreads: Mapping[str, Spread], found: Fit
) -> dict[str, Any]:
    flux = np.array([one.flux(grid) for one in all_.values()])
    plain = np.array([one.background(grid) for one in all_.values()])
    error = np.array([relative_error(found, spreads[name]) for name in all_])
    dims = ("species", "rigidity")
    return {
        "flux": variable(flux, _FLUX, "flux", *dims),
        "background": variable(plain, _FLUX, "flux without the bump", *dims),
        "flux_error": variable(flux * error, _FLUX, "1 sigma of the flux", *dims),
    }


def _indices(all_: Mapping[str, Bump]) -> dict[str, Any]:
    """The numbers in which the elements differ."""
    return {
        f"species_{name}": variable(
            np.array([getattr(one, name) for one in all_.values()]), *LABELS[name], "species"
        )
        for name in ("A", "gamma", "K")
    }


def _ratios(
    pairs: Sequence[Sequence[str]],
    grid: Array,
    all_: Mapping[str, Bump],
    spreads: Mapping[str, Spread],
    found: Fit,
) -> dict[str, Any]:
    ratio = np.array([all_[a].flux(grid) / all_[b].flux(grid) for a, b in pairs])
    plain = [all_[a].background(grid) / all_[b].background(grid) for a, b in pairs]
    error = np.array([relative_error(found, spreads[a], spreads[b]) for a, b in pairs])
    dims = ("ratio_name", "rigidity")
    return {
        "ratio": variable(ratio, "1", "ratio of two fluxes", *dims),
        "ratio_background": variable(
            np.array(plain), "1", "ratio of two fluxes without their bumps", *dims
        ),
        "ratio_error": variable(ratio * error, "1", "1 sigma of the ratio", *dims),
    }


def comparison(
    deck: BumpDeck, tables: Sequence[Measurement], fit: BumpFit, found: Fit, others: Others
) -> xr.Dataset:
    """χ² of each table, with the bump and of the background alone, and how many points."""
    all_ = bumps(fit, found, others)
    with_bump = {name: one.flux for name, one in all_.items()}
    plain = {name: one.background for name, one in all_.items()}
    predicted = beyond(deck, tables)
    sets = [*fit.likelihood.data, *predicted]
    known = [np.nan] * (len(sets) - len(predicted))
    known += [_chi2_as_known(one, all_, fit, found, others) for one in predicted]
    columns = {
        "table_chi2": (
            [_chi2(one, with_bump, found.best) for one in sets],
            "chi-squared of the table",
        ),
        "table_chi2_background": (
            [_chi2(one, plain, found.best) for one in sets],
            "chi-squared of the same points without the bump",
        ),
        "table_chi2_as_known": (
            known,
            "chi-squared of a predicted table, the error of the prediction added to that of data",
        ),
        "table_points": (
            [int(one.some.sum()) for one in sets],
            "points of the table that chi-squared counts",
        ),
    }
    names = [one.name for one in sets]
    return xr.Dataset(
        {name: variable(value, "1", text, "compared") for name, (value, text) in columns.items()},
        {"compared": variable(names, "1", "table that was compared", "compared")},
    )


def beyond(deck: BumpDeck, tables: Sequence[Measurement]) -> list[DataSet]:
    """The points of each table above those that told backgrounds, where there are any."""
    found = []
    for table in tables:
        low, high = span(table, deck.prediction.R_max, deck.prediction.R_end)
        if np.any((table.x >= low) & (table.x <= high)):
            logarithmic = deck.residuals == "logarithmic"
            found.append(DataSet(table=table, logarithmic=logarithmic, x_min=low, x_max=high))
    return found


def _chi2(one: DataSet, curves: Mapping[str, Curve], values: Mapping[str, float]) -> float:
    return Likelihood([one]).chi2({one.name: on_axis(one.table, curves)}, values)


def _chi2_as_known(
    one: DataSet, all_: Mapping[str, Bump], fit: BumpFit, found: Fit, others: Others
) -> float:
    """χ² of a prediction that is itself known with errors only."""
    values = one.table.measured[one.some]
    at = rigidity(one.table, one.table.x[one.measured])
    shock = all_[fit.element]
    spreads = [
        spread_of_fitted(shock, found, at)
        if name == fit.element
        else spread_of(others[name], shock, found, at)
        for name in elements(one.table)
    ]
    curve = on_axis(one.table, {name: bump.flux for name, bump in all_.items()})
    m, y = one.predicted(curve)[values], one.table.y[one.measured]
    d, per = (y * np.log(m / y), y) if one.logarithmic else (m - y, m)
    more = relative_covariance(found, *spreads) * np.outer(per, per)
    return float(d @ np.linalg.solve(one.covariance(m) + more, d))


def shown(
    sets: Sequence[DataSet], predicted: Sequence[Measurement], found: Fit
) -> dict[str, Measurement]:
    """All tables over rigidity, with fitted scales put right; no ratio over energy."""
    tables = {t.name: t for t in predicted} | {s.name: put_right(s, found.best) for s in sets}
    return {n: over_rigidity(t) for n, t in tables.items() if t.is_flux or t.over_rigidity}
