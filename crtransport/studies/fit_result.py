"""The dataset of a fit: what is best, how well it is known, and what it leaves of the data."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from crtransport.fits import Fit, Match
from crtransport.studies.fit_model import FittedDeck

Array = NDArray[np.float64]
Variables = dict[str, tuple[tuple[str, ...], Any, dict[str, Any]]]

_MIXED = "see parameter_unit"


def with_fit(dataset: xr.Dataset, fitted: FittedDeck, fit: Fit) -> xr.Dataset:
    """The dataset of the best fit with what is known of the fit.

    Parameters
    ----------
    dataset : xarray.Dataset
        Of the deck at its best values.
    fitted : FittedDeck
    fit : Fit

    Returns
    -------
    xarray.Dataset
        With a scalar for each parameter, its ``_error``, ``_error_lo`` and ``_error_hi``; tables
        over ``parameter``, ``fit_table`` and ``fit_point``; ``covariance`` and ``correlation``.
    """
    names = list(fit.names)
    units = [*(one.unit or "1" for one in fitted.free), *("1" for _ in fitted.likelihood.nuisances)]
    matches = fitted.matches(fit.best)
    said = {"units": "1", "long_name": "parameter of the fit"}
    coords = {
        "parameter": ("parameter", names, said),
        "other_parameter": ("other_parameter", names, said),
        "parameter_unit": ("parameter", units, _label("1", "unit of the parameter")),
        "fit_table": ("fit_table", list(matches), _label("1", "measured table of the fit")),
    } | {
        f"fit_{what}": ("fit_table", texts, _label("1", f"{what} of the table"))
        for what, texts in _texts(fitted).items()
    }
    variables = (
        _by_parameter(fitted, fit) | _by_table(fitted, fit, matches) | _by_point(fitted, matches)
    )
    variables |= _scalars(fit, units, {*map(str, dataset.variables), *variables, *coords})
    attrs = {
        "fit_minus_2_ln_likelihood": fit.chi2,
        "fit_evaluations": fit.evaluations,
        "fit_gradients": fit.gradients,
        "fit_derivatives": fitted.why_no_gradient or "adjoint",
        "fit_problems": json.dumps(fit.problems),
    }
    return dataset.assign(variables).assign_coords(coords).assign_attrs(attrs)


def _texts(fitted: FittedDeck) -> dict[str, list[str]]:
    """Of each table: who measured what, over what, in which unit."""
    tables = [one.table for one in fitted.likelihood.data]
    return {
        "label": [table.label for table in tables],
        "axis": [table.x_kind for table in tables],
        "unit": [table.unit for table in tables],
        "systematics": [one.systematics.kind for one in fitted.likelihood.data],
    }


def _label(units: str, long_name: str) -> dict[str, Any]:
    return {"units": units, "long_name": long_name}


def _scalars(fit: Fit, units: Sequence[str], taken: set[str]) -> Variables:
    """Of each parameter under its name, or under ``fit_`` and its name where that is taken."""
    found: Variables = {}
    for i, (own, unit) in enumerate(zip(fit.names, units, strict=True)):
        name = f"fit_{own}" if own in taken else own
        found |= {
            name: ((), fit.values[i], _label(unit, f"best value of {name}")),
            f"{name}_error": ((), fit.errors[i], _label(unit, f"1 sigma of {name}")),
            f"{name}_error_lo": ((), fit.lower[i], _label(unit, f"1 sigma of {name} downwards")),
            f"{name}_error_hi": ((), fit.upper[i], _label(unit, f"1 sigma of {name} upwards")),
        }
    return found


def _by_parameter(fitted: FittedDeck, fit: Fit) -> Variables:
    one, both = ("parameter",), ("parameter", "other_parameter")
    published = [np.nan if f.published is None else f.published for f in fitted.free]
    published += [np.nan] * len(fitted.likelihood.nuisances)
    priors = np.array([p.prior or (np.nan, np.nan) for p in fit.parameters])
    rows: dict[str, tuple[Any, str]] = {
        "best": (fit.values, "best value"),
        "best_error": (fit.errors, "1 sigma, from second derivatives"),
        "best_error_lo": (fit.lower, "1 sigma downwards, from the profile likelihood"),
        "best_error_hi": (fit.upper, "1 sigma upwards, from the profile likelihood"),
        "start": ([p.start for p in fit.parameters], "start of the fit"),
        "lower_bound": ([p.lower for p in fit.parameters], "lower bound"),
        "upper_bound": ([p.upper for p in fit.parameters], "upper bound"),
        "published": (published, "published value"),
        "prior_mean": (priors[:, 0], "mean of the prior"),
        "prior_error": (priors[:, 1], "1 sigma of the prior"),
    }
    found: Variables = {
        name: (one, np.asarray(row), _label(_MIXED, text)) for name, (row, text) in rows.items()
    }
    pull = (fit.values - priors[:, 0]) / priors[:, 1]
    log = [p.scale == "log" for p in fit.parameters]
    return found | {
        "pull": (
            one,
            pull,
            _label("1", "best value less prior mean, over the 1 sigma of the prior"),
        ),
        "log_scale": (one, np.array(log, dtype=int), _label("1", "whether its logarithm moved")),
        "covariance": (both, fit.covariance, _label(_MIXED, "covariance of the parameters")),
        "correlation": (both, fit.correlation, _label("1", "correlation of the parameters")),
    }


def _by_table(fitted: FittedDeck, fit: Fit, matches: Mapping[str, Match]) -> Variables:
    dims, values = ("fit_table",), fit.best
    chi2 = [match.chi2 for match in matches.values()]
    count = [match.prediction.size for match in matches.values()]
    phi = [fitted.potential(name, values) for name in matches]
    return {
        "fit_chi2": (
            dims,
            np.array(chi2),
            _label("1", "-2 ln L of a table, correlations included"),
        ),
        "fit_points": (dims, np.array(count), _label("1", "points of the table that count")),
        "fit_phi": (dims, np.array(phi), _label("MV", "modulation potential of the table")),
    }


def _by_point(fitted: FittedDeck, matches: Mapping[str, Match]) -> Variables:
    """The points of all tables, one after the other."""
    columns: dict[str, list[Array]] = {}
    for i, one in enumerate(fitted.likelihood.data):
        table, some, m = one.table, one.some, matches[one.name].prediction
        shift, own = one.shared(m)
        row = {
            "point_table": np.full(m.size, i),
            "point_x": table.x[some],
            "point_y": table.y[some],
            "point_error_lo": table.error_lo[some],
            "point_error_hi": table.error_hi[some],
            "point_limit": (~table.measured[some]).astype(int),
            "point_prediction": m,
            "point_residual": -one.residuals(m),
            "point_decorrelated": -one.decorrelated(m),
            "point_shift": shift,
            "point_error_own": own,
        }
        for name, values in row.items():
            columns.setdefault(name, []).append(values)
    texts = {
        "point_table": ("1", "number of its table along fit_table"),
        "point_x": ("of the table", "rigidity or energy"),
        "point_y": ("of the table", "measured value, or upper limit"),
        "point_error_lo": ("of the table", "total error downwards"),
        "point_error_hi": ("of the table", "total error upwards"),
        "point_limit": ("1", "whether it is an upper limit"),
        "point_prediction": ("of the table", "best fit, averaged over the bin"),
        "point_residual": ("1", "measured less predicted, over the total error"),
        "point_decorrelated": ("1", "residuals made independent: their squares sum to fit_chi2"),
        "point_shift": ("of the table", "likeliest systematic shift of the measured value"),
        "point_error_own": ("of the table", "error that the point does not share"),
    }
    return {
        name: (("fit_point",), np.concatenate(columns[name]), _label(*text))
        for name, text in texts.items()
    }


def with_contours(
    dataset: xr.Dataset, pairs: Sequence[tuple[str, str]], contours: Sequence[Array]
) -> xr.Dataset:
    """The dataset with contours [pair, point, 2]."""
    if not pairs:
        return dataset
    text = "68 % contour of two parameters, the others at their best"
    variable = (("pair", "contour_point", "axis"), np.stack(contours), _label(_MIXED, text))
    said = _label("1", "pair of parameters")
    names = [" ".join(pair) for pair in pairs]
    return dataset.assign(contour=variable).assign_coords(pair=("pair", names, said))
