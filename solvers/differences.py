"""Drift and spreading along the axis: conservative fitted differences of order 3 or 5.

A flux through a face is a sum over the levels around it, and what a level loses is the difference
of its two fluxes. The weights are exact for a polynomial times e^(σu), where σ is the slope of the
expected solution at that face: over many decades the error is that of ψ/scale, not of ψ, and yet
the sum over the levels telescopes.

For h with the sliding mean ∫ h over one step = f, the difference of h at the faces is the
derivative of f at the level. f = e^(σu) has h = κ(σ) e^(σu), κ = (σ/2)/sinh(σ/2) in steps, and
u^m e^(σu) the m-th derivative of that by σ, which gives a Vandermonde system for the weights.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from crtransport.solvers.levels import GHOSTS, Levels, weight_of
from crtransport.solvers.problem import Operator

Array = NDArray[np.float64]

#: order -> levels beside a face. One level behind and the others ahead, where a drift comes from,
#: has twice the error of the most central choice at fifth order, and a diagonal three times as
#: strong: sweeps along the drift converge fast, where after the central choice they do not
_DRIFT = {3: np.array([-0.5, 0.5, 1.5]), 5: np.array([-0.5, 0.5, 1.5, 2.5, 3.5])}
_SPREAD = {
    3: np.array([-1.5, -0.5, 0.5, 1.5]),
    5: np.array([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5]),
}
#: degree of the polynomial by which ψ/scale goes on beyond the end that a drift leaves through
_OUTFLOW_DEGREE = 2
_SPREAD_DEGREE = 1
#: points on the circle of Cauchy's integral for Taylor coefficients; the nearest pole is at 2π
_CIRCLE = 48


def drift(levels: Levels, speed: Array, log_scale: Array, order: int) -> Operator:
    """−∂(speed ψ)/∂u for y = ψ/scale: where speed > 0, ψ moves to lower levels.

    Parameters
    ----------
    speed, log_scale : arrays on ``levels.extended``
        What enters from beyond the high (low) end has the y of the last (first) level.
    order : int
        3 or 5, the order of the error in the step.
    """
    offsets = _DRIFT[order]
    slope = _slopes(speed, log_scale)
    at_face = (speed[GHOSTS - 1 : -GHOSTS] + speed[GHOSTS : 1 - GHOSTS])[:, None] / 2
    down = np.where(at_face > 0, _weights(offsets, slope, _fitted), 0.0)
    up = np.where(at_face > 0, 0.0, _weights(-offsets, slope, _fitted))
    low = _OUTFLOW_DEGREE if at_face[0] > 0 else 0
    high = 0 if at_face[-1] > 0 else _OUTFLOW_DEGREE
    flux = [_Flux(offsets, down, speed), _Flux(-offsets, up, speed)]
    return _divergence(levels, flux, slope, log_scale, low, high)


def spread(levels: Levels, strength: Array, tilt: float, log_scale: Array, order: int) -> Operator:
    """−∂[strength (∂ψ/∂u − tilt ψ)]/∂u, as ∂²(strength ψ) less ∂[(strength' + tilt strength) ψ].

    Parameters
    ----------
    strength, log_scale : arrays on ``levels.extended``
    order : int
        3 or 5: fourth or sixth order in the step.
    """
    offsets = _SPREAD[order]
    slope = _slopes(strength, log_scale)
    first = _weights(offsets, slope, lambda s: s * _fitted(s)) / levels.step
    steep = strength * (_log_derivative(strength) / levels.step + tilt)
    plain = _weights(offsets, slope, _fitted)
    flux = [_Flux(offsets, first, strength), _Flux(offsets, -plain, steep)]
    return _divergence(levels, flux, slope, log_scale, _SPREAD_DEGREE, 0)


class _Flux(NamedTuple):
    """Σ weights · e^(−slope·offset) · coefficient ψ over the levels at ``offsets`` from a face."""

    offsets: Array
    weights: Array  # [face, offset]
    coefficient: Array  # on the extended levels


def _fitted(s: NDArray[np.complex128]) -> NDArray[np.complex128]:
    """κ(s) = (s/2)/sinh(s/2)."""
    return np.asarray((s / 2) / np.sinh(s / 2))


def _slopes(coefficient: Array, log_scale: Array) -> Array:
    """(n + 1,) logarithmic slope per step at each face of coefficient · scale.

    Of the scale alone where the coefficient changes sign: any slope keeps the order.
    """
    one_sign = np.all(coefficient > 0) or np.all(coefficient < 0)
    logs = log_scale + np.log(np.abs(coefficient)) if one_sign else log_scale
    return np.diff(logs)[GHOSTS - 1 : 1 - GHOSTS]


def _weights(
    offsets: Array,
    slope: Array,
    symbol: Callable[[NDArray[np.complex128]], NDArray[np.complex128]],
) -> Array:
    """[face, point] weights of e^(σu) u^m, exact for m below the number of points."""
    m = np.arange(len(offsets))
    # off the real axis the circle never meets σ = 0, where the quotient is 0/0
    circle = np.exp(2j * np.pi * (np.arange(_CIRCLE) + 0.5) / _CIRCLE)
    around = symbol(slope[:, None] + circle)
    taylor = (around @ circle[:, None] ** -m / _CIRCLE).real
    factorial = np.cumprod(np.concatenate([[1.0], m[1:]]))
    vandermonde = offsets ** m[:, None]
    return np.asarray(np.linalg.solve(vandermonde, (factorial * taylor).T).T)


def _log_derivative(values: Array) -> Array:
    """d ln(values) per step, sixth order; off-centre near the ends."""
    logs, n = np.log(values), len(values)
    out = np.empty(n)
    for i in range(n):
        first = min(max(i - 3, 0), n - 7)
        offsets = np.arange(first, first + 7) - i
        m = np.arange(7)
        weights = np.linalg.solve(offsets ** m[:, None].astype(float), (m == 1).astype(float))
        out[i] = weights @ logs[first : first + 7]
    return out


def _divergence(
    levels: Levels, fluxes: list[_Flux], slope: Array, log_scale: Array, low: int, high: int
) -> Operator:
    """Minus the difference of the fluxes over the scale, with ghosts from polynomials in y."""
    n = levels.n
    ghosts = _extension(n, low, high)
    above = sum(_rows(f, slope, log_scale, 1, n) for f in fluxes) @ ghosts
    below = sum(_rows(f, slope, log_scale, 0, n) for f in fluxes) @ ghosts
    matrix = sp.csr_array((below - above) / levels.step)
    matrix.eliminate_zeros()
    weight = weight_of(log_scale)
    ends = below[[0]] * weight[0] - above[[n - 1]] * weight[-1]
    return Operator(matrix=matrix, total=ends.toarray()[0] / levels.step)


def _rows(flux: _Flux, slope: Array, log_scale: Array, side: int, n: int) -> sp.csr_array:
    """[level, extended level] flux through the face below (above) each level, over its scale."""
    level = np.arange(n)[:, None]
    face = level + side
    columns = face + GHOSTS + np.round(flux.offsets - 0.5).astype(int)
    power = log_scale[columns] - log_scale[level + GHOSTS] - slope[face] * flux.offsets
    values = flux.weights[face[:, 0]] * np.exp(power) * flux.coefficient[columns]
    rows = np.broadcast_to(level, columns.shape)
    shape = (n, n + 2 * GHOSTS)
    return sp.csr_array(
        sp.coo_array((values.ravel(), (rows.ravel(), columns.ravel())), shape=shape)
    )


def _extension(n: int, low: int, high: int) -> sp.csr_array:
    """[extended level, level] y at the levels, and at the ghosts by extrapolation."""
    out = sp.lil_array((n + 2 * GHOSTS, n))
    out[GHOSTS : GHOSTS + n] = sp.eye_array(n)
    for degree, end, inward, first in ((low, 0, 1, GHOSTS), (high, n - 1, -1, GHOSTS + n - 1)):
        nodes = np.arange(degree + 1)
        for g in range(1, GHOSTS + 1):
            for j in nodes:
                others = nodes[nodes != j]
                out[first - inward * g, end + inward * j] = np.prod((-g - others) / (j - others))
    return sp.csr_array(out)
