"""How well a fit knows what it predicts: 68 % bands at the points of its tables."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from crtransport.fits import Fit, Parameter, Samples, Unpredictable
from crtransport.studies.fit_model import FittedDeck

Array = NDArray[np.float64]
Values = Mapping[str, float]

#: draws of a posterior that the deck is run at: quantiles of 16 and 84 % to a sixth of their width
_DRAWS = 64
#: of 1σ, of the steps for derivatives: within it predictions are linear to a few per cent, and
#: what they change by is far above the errors of a solver
_STEP = 0.3
_QUANTILES = (0.1587, 0.8413)


def with_band(
    dataset: xr.Dataset, fitted: FittedDeck, fit: Fit, samples: Samples | None
) -> xr.Dataset:
    """The dataset with ``point_band_lo`` and ``point_band_hi`` over ``fit_point``.

    Of draws from the posterior where there are some: 16 and 84 % of what the deck predicts at 64
    of them. Else m ± √(J C Jᵀ) with the covariance C of the parameters and J = Δm/Δu over 0.3
    of their 1σ; NaN where C is not known, or the deck has no answer there.

    Parameters
    ----------
    dataset : xarray.Dataset
        Of `with_fit`.
    fitted : FittedDeck
    fit : Fit
    samples : Samples, optional
    """
    if samples is None:
        low, high = _linear(fitted, fit, dataset.point_prediction.values)
    else:
        low, high = _drawn(fitted, fit, samples)
    how = "draws from the posterior" if samples is not None else "the covariance"
    said = {"units": "of the table", "how": how}
    return dataset.assign(
        point_band_lo=("fit_point", low, said | {"long_name": "lower end of 68 % of the fit"}),
        point_band_hi=("fit_point", high, said | {"long_name": "upper end of 68 % of the fit"}),
    )


def _drawn(fitted: FittedDeck, fit: Fit, samples: Samples) -> tuple[Array, Array]:
    draws = samples.draws.reshape(-1, len(fit.names))
    some = draws[np.linspace(0, len(draws) - 1, min(_DRAWS, len(draws))).round().astype(int)]
    found = fitted.predictions([dict(zip(fit.names, row, strict=True)) for row in some])
    low, high = np.quantile([np.concatenate(each) for each in found], _QUANTILES, axis=0)
    return low, high


def _linear(fitted: FittedDeck, fit: Fit, best: Array) -> tuple[Array, Array]:
    nothing = np.full_like(best, np.nan)
    if not np.all(np.isfinite(fit.covariance)):
        return nothing, nothing
    slopes = np.array([p.slope(v) for p, v in zip(fit.parameters, fit.values, strict=True)])
    covariance = fit.covariance / np.outer(slopes, slopes)
    sigma = np.sqrt(np.maximum(np.diag(covariance), 0.0))
    steps = [_step(p, fit.best[p.name], s) for p, s in zip(fit.parameters, sigma, strict=True)]
    moved = [i for i, step in enumerate(steps) if step]
    if not moved:
        return nothing, nothing
    there = [_at(fit.best, fit.parameters[i], steps[i]) for i in moved]
    try:
        found = fitted.predictions(there)
    except Unpredictable:
        return nothing, nothing
    columns = [
        (np.concatenate(each) - best) / steps[i] for i, each in zip(moved, found, strict=True)
    ]
    jacobian = np.stack(columns, axis=1)
    within = covariance[np.ix_(moved, moved)]
    width = np.sqrt(np.maximum(np.einsum("pi,ij,pj->p", jacobian, within, jacobian), 0.0))
    return best - width, best + width


def _step(one: Parameter, value: float, sigma: float) -> float:
    """A part of 1σ of the coordinate, towards the farther bound and not beyond it."""
    u = one.inside(value)
    low, high = one.limits
    step = _STEP * sigma
    return min(step, high - u) if high - u > u - low else -min(step, u - low)


def _at(best: Values, one: Parameter, step: float) -> Values:
    return {**best, one.name: one.outside(one.inside(best[one.name]) + step)}
