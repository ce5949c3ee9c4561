"""How far a galaxy's answer is from what is measured: χ² of each table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from crtransport.measurements.table import Measurement, per_nucleon, ratio_parts
from crtransport.nuclides import nuclide

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Curve = tuple[Array, Array]
Variables = dict[str, tuple[str, Any, dict[str, str]]]

_VARIABLES = {
    "chi2": ("1", "sum of the squared differences from a measured table, over its errors"),
    "chi2_points": ("1", "points of the table that chi2 counts"),
    "chi2_R_min": ("GV", "rigidity from which on chi2 counts points; 0 beyond the heliosphere"),
}
_POINTS = {
    "measured_table": ("1", "number of its table along table"),
    "measured_x": ("GV or GeV/n", "rigidity or kinetic energy per nucleon, as the table is"),
    "measured_over_model": ("1", "measured over predicted; none beyond the model's range"),
    "measured_over_model_lo": ("1", "total error downwards over what is predicted"),
    "measured_over_model_hi": ("1", "total error upwards over what is predicted"),
    "measured_counts": ("1", "whether chi2 counts the point"),
}


def with_chi2(dataset: xr.Dataset, tables: Sequence[Measurement], r_min: float) -> xr.Dataset:
    """The dataset with χ² of each table whose elements are in it.

        χ² = Σ((model − measured)/σ)²,   σ² = σ_stat² + σ_sys², on the side of the model

    over the points from ``r_min`` on and within the model's range whose errors are known; upper
    limits do not count. Errors
    count as independent, those of the flux scale too, so that χ² per point may be far below 1.

    Parameters
    ----------
    dataset : xarray.Dataset
        Of `crtransport.problems.galaxy.solve`.
    tables : sequence of Measurement
        Fluxes of elements and ratios of two.
    r_min : float
        GV; does not bound what is measured beyond the heliosphere.

    Returns
    -------
    xarray.Dataset
        With ``chi2``, ``chi2_points`` and ``chi2_R_min`` over ``table``, and ``table_label``; with
        each point over the model, and whether χ² counts it, over ``measured_point``.
    """
    some = {t.name: t for t in tables if set(_elements(t)) <= set(map(str, dataset.element.values))}
    if not some:
        return dataset
    matches = [_match(dataset, t, r_min) for t in some.values()]
    found = [
        (*_chi2(match), _bound(t, r_min)) for t, match in zip(some.values(), matches, strict=True)
    ]
    columns = dict(zip(_VARIABLES, np.array(found, dtype=float).T, strict=True))
    variables = {
        name: ("table", column, dict(zip(("units", "long_name"), _VARIABLES[name], strict=True)))
        for name, column in columns.items()
    }
    said = {"units": "1", "long_name": "measured table"}
    return dataset.assign(variables | _by_point(matches)).assign_coords(
        table=("table", list(some), said),
        table_label=("table", _labels(list(some.values())), said),
    )


def chi2(dataset: xr.Dataset, table: Measurement, r_min: float) -> tuple[float, int]:
    """χ² of one table, and how many of its points it is of."""
    return _chi2(_match(dataset, table, r_min))


class _Match(NamedTuple):
    """All points of a table on its axis, with what is predicted (NaN beyond the model's range)."""

    x: Array
    value: Array
    errors: tuple[Array, Array]
    predicted: Array
    counts: Mask


def _match(dataset: xr.Dataset, table: Measurement, r_min: float) -> _Match:
    nucleus = nuclide(_elements(table)[0])
    if table.is_flux and not table.over_rigidity:
        measured = per_nucleon(table)
        x, y = measured.kinetic_energy, measured.flux
        errors = measured.error_lo, measured.error_hi
    else:
        x, y, errors = table.x, table.y, (table.error_lo, table.error_hi)
    axis, curve = _prediction(dataset, table)
    rigidity = x if table.over_rigidity else nucleus.rigidity(x)
    # the end of a grid may miss a point by rounding
    inside = (x >= axis[0] * (1 - 1e-9)) & (x <= axis[-1] * (1 + 1e-9))
    predicted = np.full(x.shape, np.nan)
    if inside.any():
        predicted[inside] = interpolated(axis, curve, x[inside])
    counts = inside & (rigidity >= _bound(table, r_min)) & (errors[0] > 0) & (errors[1] > 0)
    return _Match(x, y, errors, predicted, counts & table.measured)


def _chi2(match: _Match) -> tuple[float, int]:
    some = match.counts
    difference = (match.predicted - match.value)[some]
    sigma = np.where(difference > 0, match.errors[1][some], match.errors[0][some])
    return float(np.sum((difference / sigma) ** 2)), int(some.sum())


def _by_point(matches: Sequence[_Match]) -> Variables:
    """The points of all tables, one after the other, over what is predicted for each."""
    columns = {
        "measured_table": [np.full(m.x.shape, i) for i, m in enumerate(matches)],
        "measured_x": [m.x for m in matches],
        "measured_over_model": [m.value / m.predicted for m in matches],
        "measured_over_model_lo": [m.errors[0] / m.predicted for m in matches],
        "measured_over_model_hi": [m.errors[1] / m.predicted for m in matches],
        "measured_counts": [m.counts.astype(int) for m in matches],
    }
    return {
        name: (
            "measured_point",
            np.concatenate(columns[name]),
            {"units": unit, "long_name": text},
        )
        for name, (unit, text) in _POINTS.items()
    }


def _bound(table: Measurement, r_min: float) -> float:
    return 0.0 if table.interstellar else r_min


def _elements(table: Measurement) -> tuple[str, ...]:
    return (table.quantity,) if table.is_flux else ratio_parts(table)


def _prediction(dataset: xr.Dataset, table: Measurement) -> Curve:
    """The model over rigidity or kinetic energy per nucleon, as the table is."""
    above, *below = (_flux(dataset, name, table) for name in _elements(table))
    return above[0], above[1] / below[0][1] if below else above[1]


def _flux(dataset: xr.Dataset, element: str, table: Measurement) -> Curve:
    """An element's flux, interstellar or at the Earth: all isotopes at the same abscissa."""
    if not table.interstellar and element in dataset.get("species", ()):
        name = "element_flux_sum" if table.over_rigidity else "flux_sum"
        axis = "rigidity" if table.over_rigidity else "kinetic_energy"
        return dataset[axis].values, dataset[name].sel(species=element).values
    where = "lis" if table.interstellar else "toa"
    if table.over_rigidity:
        flux = dataset[f"element_flux_{where}"].sel(element=element)
        return dataset.rigidity.values, flux.values
    isotopes = [n for n in dataset.nuclide.values if nuclide(str(n)).element == element]
    flux = dataset[f"flux_{where}"].sel(nuclide=isotopes).sum("nuclide")
    return dataset.kinetic_energy.values, flux.values


def interpolated(x: Array, y: Array, at: Array) -> Array:
    """y at other places: a cubic spline of ln y in ln x, of y itself where some is not positive."""
    logs, wanted = np.log(x), np.log(at)
    if len(x) < 4:
        return np.interp(wanted, logs, y)
    if np.all(y > 0):
        return np.asarray(np.exp(CubicSpline(logs, np.log(y))(wanted)))
    return np.asarray(CubicSpline(logs, y)(wanted))


def _labels(tables: Sequence[Measurement]) -> list[str]:
    """ "AMS-02 B/C", or the table's name where there are two of these."""
    count = Counter(table.label for table in tables)
    return [t.label if count[t.label] == 1 else t.name for t in tables]


def headline(dataset: xr.Dataset) -> list[tuple[str, str]]:
    """χ² of each table, its number of points, where these begin; what norms were not fitted to."""
    rows = []
    if "chi2" in dataset:
        columns = (dataset[name].values for name in ("table_label", *_VARIABLES))
        rows = [(str(row[0]), _said(*map(float, row[1:]))) for row in zip(*columns, strict=True)]
    if "norm_factor" in dataset:
        said = dataset.norm_factor.attrs
        if said["others"]:
            rows.append(("fit_norms: not measured", f"{said['others']}: all ×{said['common']:.4g}"))
        if said["not_fitted"]:
            rows.append(("fit_norms: compared only", said["not_fitted"]))
    return rows


def _said(total: float, points: float, bound: float) -> str:
    above = f" above {bound:g} GV" if bound > 0 else ""
    if not points:
        return f"no point{above} is in the range of the output"
    return f"χ² {total:.1f} of {points:.0f} point{'s' if points > 1 else ''}{above}"
