"""A straight line through points of which some are upper limits, by maximum likelihood."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import log_ndtr

Array = NDArray[np.float64]

#: Newton's method has never needed more than 15 steps
_STEPS = 60
_HALVINGS = 40
#: of the squared distance to the maximum, in units of the standard errors
_CONVERGED = 1e-20


class RegressionError(ValueError):
    """Points that no line can be fitted to; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """y = intercept + slope x, with Gaussian scatter; one line for each sample.

    Attributes
    ----------
    intercept, slope, scatter : [...]
    covariance : [..., 3, 3]
        Of (intercept, slope, scatter), the inverse of their observed information.
    """

    intercept: Array
    slope: Array
    scatter: Array
    covariance: Array

    @property
    def errors(self) -> Array:
        """[..., 3] standard errors of intercept, slope and scatter."""
        return np.asarray(np.sqrt(np.diagonal(self.covariance, axis1=-2, axis2=-1)))

    def band(self, x: Array) -> Array:
        """[point] standard error of the line itself at some x; one sample only."""
        basis = np.stack([np.ones_like(x), x], axis=-1)
        return np.asarray(np.sqrt(np.einsum("ni,ij,nj->n", basis, self.covariance[:2, :2], basis)))


def fit(x: ArrayLike, y: ArrayLike, limit: ArrayLike) -> Line:
    """The line of greatest likelihood, for one sample or many at once.

        ln L = Σ_detected [−ln s − z²/2] + Σ_limits ln Φ(z),   z = (y − b − a x)/s

    This is the line on which expectation-maximisation comes to rest (`em_step`): there, a limit
    stands for its mean below the limit, μ − s φ(z)/Φ(z), and s² is the sum of squared residuals
    over n_detected + Σ_limits λ(λ + z) with λ = φ(z)/Φ(z). EM needs hundreds of steps where most
    points are limits; with (b/s, a/s, 1/s) for unknowns ln L is concave (Olsen 1978), and
    Newton's method needs ten.

    The errors are those of Wolynetz's program, which ASURV prints: square roots of the diagonal
    of the inverse of the 3×3 matrix −∂²ln L/∂(b, a, s)² at the maximum. The scatter is one of the
    unknowns: the 2×2 block of b and a alone gives 2.2329 instead of 2.2356 for ASURV's gal3.

    Parameters
    ----------
    x, y : [..., point]
        For example decimal logarithms of a property and of the luminosity; y of a limit is the
        level below which the value lies.
    limit : [..., point] of bool
        Which points are upper limits of y. Errors of measurement count as part of the scatter.

    Returns
    -------
    Line

    Raises
    ------
    RegressionError
        If something is not finite, or where the likelihood has no maximum: with fewer than three
        detections, with all of them at the same x, or on one straight line.

    References
    ----------
    Wolynetz 1979, Appl. Stat. 28, 195 (AS 139; remark R32 of 1981); Isobe, Feigelson & Nelson
    1986, ApJ 306, 490, Sec. III; Olsen 1978, Econometrica 46, 1211.
    """
    x, y, limit = np.broadcast_arrays(np.asarray(x, float), np.asarray(y, float), limit)
    limit = np.asarray(limit, dtype=bool)
    _check(x, y, limit)
    centre_x, centre_y = (_mean(v, ~limit) for v in (x, y))
    v, u = x - centre_x[..., None], y - centre_y[..., None]
    rows = np.stack([-np.ones_like(v), -v, u], axis=-1)
    theta, information = _maximise(rows, limit, _start(v, u))
    scatter = 1 / theta[..., 2]
    slope = theta[..., 1] * scatter
    intercept = theta[..., 0] * scatter + centre_y - slope * centre_x
    return Line(
        intercept=intercept,
        slope=slope,
        scatter=scatter,
        covariance=_covariance(theta, information, centre_x),
    )


def em_step(x: Array, y: Array, limit: NDArray[np.bool_], line: Line) -> Array:
    """[..., 3] intercept, slope and scatter after one step of expectation-maximisation."""
    mean = line.intercept[..., None] + line.slope[..., None] * x
    s = line.scatter[..., None]
    z = (y - mean) / s
    hazard = _hazard(z)
    expected = np.where(limit, mean - s * hazard, y)
    degrees = np.sum(np.where(limit, hazard * (hazard + z), 1.0), axis=-1)
    scatter = np.sqrt(np.sum((expected - mean) ** 2, axis=-1) / degrees)
    dx = x - np.mean(x, axis=-1, keepdims=True)
    slope = np.sum(dx * expected, axis=-1) / np.sum(dx * dx, axis=-1)
    intercept = np.mean(expected, axis=-1) - slope * np.mean(x, axis=-1)
    return np.stack([intercept, slope, scatter], axis=-1)


def _check(x: Array, y: Array, limit: NDArray[np.bool_]) -> None:
    if not (np.all(np.isfinite(x)) and np.all(np.isfinite(y))):
        raise RegressionError("some x or y is not a finite number")
    detected = ~limit
    fewest = int(np.min(np.sum(detected, axis=-1)))
    if fewest < 3:
        raise RegressionError(f"{fewest} detections; a line with scatter needs at least 3")
    dx, dy = (np.where(detected, v - _mean(v, detected)[..., None], 0.0) for v in (x, y))
    xx, xy, yy = (np.sum(a * b, axis=-1) for a, b in ((dx, dx), (dx, dy), (dy, dy)))
    if np.any(xx <= 1e-24 * np.sum(x * x, axis=-1)):
        raise RegressionError("all detections have the same x, which leaves the slope open")
    # what is left of y beside the line through the detections, against rounding
    if np.any(yy - xy**2 / xx <= 1e-13 * (yy + 1e-10 * np.sum(y * y, axis=-1))):
        raise RegressionError("the detections lie on one straight line, which leaves no scatter")


def _mean(values: Array, chosen: NDArray[np.bool_]) -> Array:
    return np.asarray(np.sum(values * chosen, axis=-1) / np.sum(chosen, axis=-1))


def _hazard(z: Array) -> Array:
    """φ(z)/Φ(z), also far below zero, where both vanish."""
    return np.asarray(np.exp(-0.5 * z * z - log_ndtr(z)) / np.sqrt(2 * np.pi))


def _start(v: Array, u: Array) -> Array:
    """[..., 3] as if every limit were a detection."""
    mean_v, mean_u = (np.mean(w, axis=-1, keepdims=True) for w in (v, u))
    slope = np.sum((v - mean_v) * (u - mean_u), axis=-1) / np.sum((v - mean_v) ** 2, axis=-1)
    intercept = mean_u[..., 0] - slope * mean_v[..., 0]
    rest = u - intercept[..., None] - slope[..., None] * v
    scatter = np.sqrt(np.mean(rest * rest, axis=-1))
    return np.stack([intercept, slope, np.ones_like(scatter)], axis=-1) / scatter[..., None]


def _log_likelihood(rows: Array, limit: NDArray[np.bool_], theta: Array) -> Array:
    z = np.einsum("...ni,...i->...n", rows, theta)
    with np.errstate(invalid="ignore", divide="ignore"):
        log_h = np.log(theta[..., 2])
    terms = np.where(limit, log_ndtr(z), log_h[..., None] - 0.5 * z * z)
    # a step that makes the scatter negative is no step at all
    return np.where(theta[..., 2] > 0, np.sum(terms, axis=-1), -np.inf)


def _derivatives(rows: Array, limit: NDArray[np.bool_], theta: Array) -> tuple[Array, Array]:
    """Gradient [..., 3] and information [..., 3, 3] of ln L in (b/s, a/s, 1/s)."""
    z = np.einsum("...ni,...i->...n", rows, theta)
    hazard = _hazard(z)
    first = np.where(limit, hazard, -z)
    second = np.where(limit, hazard * (hazard + z), 1.0)
    gradient = np.einsum("...n,...ni->...i", first, rows)
    information = np.einsum("...n,...ni,...nj->...ij", second, rows, rows)
    detected = np.sum(~limit, axis=-1)
    gradient[..., 2] += detected / theta[..., 2]
    information[..., 2, 2] += detected / theta[..., 2] ** 2
    return gradient, information


def _maximise(rows: Array, limit: NDArray[np.bool_], theta: Array) -> tuple[Array, Array]:
    """The maximum, and the information there."""
    value = _log_likelihood(rows, limit, theta)
    for _ in range(_STEPS):
        gradient, information = _derivatives(rows, limit, theta)
        step = np.asarray(np.linalg.solve(information, gradient[..., None])[..., 0], float)
        if np.all(np.sum(step * gradient, axis=-1) < _CONVERGED):
            return theta, information
        theta, value = _climb(rows, limit, theta, value, step)
    raise RegressionError("no maximum of the likelihood was found")


def _climb(
    rows: Array, limit: NDArray[np.bool_], theta: Array, value: Array, step: Array
) -> tuple[Array, Array]:
    """As much of a step as does not lower ln L beyond rounding, for each sample by itself."""
    factor = np.ones_like(value)
    slack = 1e-12 * (1 + np.abs(value))
    for _ in range(_HALVINGS):
        new = theta + factor[..., None] * step
        found = _log_likelihood(rows, limit, new)
        worse = ~(found >= value - slack)
        if not np.any(worse):
            return new, found
        factor = np.where(worse, factor / 2, factor)
    raise RegressionError("no maximum of the likelihood was found")


def _covariance(theta: Array, information: Array, centre_x: Array) -> Array:
    """From (b/s, a/s, 1/s) of centred points to (b, a, s): at the maximum a change of variables."""
    s = 1 / theta[..., 2]
    change = np.zeros((*theta.shape[:-1], 3, 3))
    change[..., 1, 1] = s
    change[..., 1, 2] = -theta[..., 1] * s**2
    change[..., 2, 2] = -(s**2)
    change[..., 0, 0] = s
    change[..., 0, 2] = -theta[..., 0] * s**2
    change[..., 0, :] -= centre_x[..., None] * change[..., 1, :]
    return np.asarray(change @ np.linalg.inv(information) @ np.swapaxes(change, -1, -2))
