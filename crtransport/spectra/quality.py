"""How exactly a minimum was found, and a fitted number with its errors in a dataset."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from crtransport.fits import Fit, Objective, minimise
from crtransport.spectra.tables import variable

#: how far numbers may move, in units of their errors, when they are fitted once more
TOLERANCE = 1e-2


def unrest(objective: Objective, fit: Fit) -> float:
    """How far numbers move, in units of their errors, when they are fitted with more care.

    Those that end at a bound do not count: what is fitted there is the bound.
    """
    begun = [replace(one, start=fit.best[one.name]) for one in objective.parameters]
    again = minimise(objective.with_parameters(begun), tolerance=1e-3)
    inside = [name not in fit.at_bounds for name in fit.names]
    return float(np.max((np.abs(again.values - fit.values) / fit.errors)[inside], initial=0.0))


def summary(fit: Fit, points: int, fitted: str) -> dict[str, Any]:
    """Variables of any fit: χ², counts, and correlations over ``number`` and ``number_2``.

    ``fitted``: what is counted in ``fit.names``.
    """
    return {
        "chi2": variable(fit.chi2, "1", "least chi-squared, priors of scales included"),
        "points": variable(points, "1", "fitted points"),
        "dof": variable(points - len(fit.names), "1", f"points less {fitted}"),
        "correlation": variable(
            fit.correlation, "1", "correlation of two fitted numbers", "number", "number_2"
        ),
    }


def number_names(fit: Fit) -> dict[str, Any]:
    """The coordinates of the correlations."""
    names = list(fit.names)
    return {dim: variable(names, "1", "fitted number", dim) for dim in ("number", "number_2")}


def ends_of(fit: Fit, name: str) -> tuple[float, float]:
    """Errors down- and upwards; of what is held, 0."""
    if name not in fit.names:
        return 0.0, 0.0
    place = fit.names.index(name)
    return float(fit.lower[place]), float(fit.upper[place])


def with_errors(
    name: str, value: object, ends: tuple[object, object], labels: tuple[str, str], *dims: str
) -> dict[str, Any]:
    """Variables of a number: itself, ``_error_lo``, ``_error_hi`` and their mean, ``_error``.

    Parameters
    ----------
    ends : (float, float)
        Errors down- and upwards, where Δχ² = 1; NaN where there is none.
    labels : (str, str)
        Unit, and what it is.
    """
    unit, text = labels
    low, high = (np.asarray(end, dtype=float) for end in ends)
    return {
        name: variable(value, unit, text, *dims),
        f"{name}_error_lo": variable(low, unit, f"error downwards of the {text}", *dims),
        f"{name}_error_hi": variable(high, unit, f"error upwards of the {text}", *dims),
        f"{name}_error": variable((low + high) / 2, unit, f"mean error of the {text}", *dims),
    }


def written(dataset: xr.Dataset, name: str) -> str:
    """A number with its errors, to two digits of the smaller: "3.99 +0.36 −0.32 TV"."""
    value, low, high = (float(dataset[f"{name}{end}"]) for end in ("", "_error_lo", "_error_hi"))
    unit = str(dataset[name].attrs["units"])
    scale, unit = next(
        ((s, u) for s, u in ((1e6, "PV"), (1e3, "TV")) if unit == "GV" and abs(value) >= s),
        (1.0, "" if unit == "1" else unit),
    )
    value, low, high = value / scale, low / scale, high / scale
    # an error of a millionth of the other is that of a bound
    errors = [one for one in (low, high) if one > 1e-6 * np.nanmax([low, high, 0.0])]
    if not errors:
        return f"{value:.4g} {unit}".rstrip()
    digits = max(0, 1 - int(np.floor(np.log10(min(errors)))))
    if np.isfinite([low, high]).all() and f"{low:.{digits}f}" == f"{high:.{digits}f}":
        return f"{value:.{digits}f} ± {low:.{digits}f} {unit}".rstrip()
    ends = [f"{one:.{digits}f}" if np.isfinite(one) else "?" for one in (high, low)]
    return f"{value:.{digits}f} +{ends[0]} −{ends[1]} {unit}".rstrip()
