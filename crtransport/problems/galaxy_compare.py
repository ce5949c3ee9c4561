"""How far a galaxy's answer is from what is measured: χ² of each table."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.interpolate import CubicSpline

from crtransport.measurements.table import Measurement, per_nucleon, ratio_parts
from crtransport.nuclides import nuclide

Array = NDArray[np.float64]
Curve = tuple[Array, Array]

_VARIABLES = {
    "chi2": ("1", "sum of the squared differences from a measured table, over its errors"),
    "chi2_points": ("1", "points of the table that chi2 counts"),
    "chi2_R_min": ("GV", "rigidity from which on chi2 counts points; 0 beyond the heliosphere"),
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
        With ``chi2``, ``chi2_points`` and ``chi2_R_min`` over ``table``, and ``table_label``.
    """
    some = {t.name: t for t in tables if set(_elements(t)) <= set(map(str, dataset.element.values))}
    if not some:
        return dataset
    found = [(*chi2(dataset, t, r_min), _bound(t, r_min)) for t in some.values()]
    columns = dict(zip(_VARIABLES, np.array(found, dtype=float).T, strict=True))
    variables = {
        name: ("table", column, dict(zip(("units", "long_name"), _VARIABLES[name], strict=True)))
        for name, column in columns.items()
    }
    said = {"units": "1", "long_name": "measured table"}
    return dataset.assign(variables).assign_coords(
        table=("table", list(some), said),
        table_label=("table", _labels(list(some.values())), said),
    )


def chi2(dataset: xr.Dataset, table: Measurement, r_min: float) -> tuple[float, int]:
    """χ² of one table, and how many of its points it is of."""
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
    inside &= (rigidity >= _bound(table, r_min)) & (errors[0] > 0) & (errors[1] > 0)
    inside &= table.measured
    if not inside.any():
        return 0.0, 0
    difference = interpolated(axis, curve, x[inside]) - y[inside]
    sigma = np.where(difference > 0, errors[1][inside], errors[0][inside])
    return float(np.sum((difference / sigma) ** 2)), int(inside.sum())


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
