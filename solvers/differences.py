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

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crtransport.solvers.kernels.differences import add_flux, derivative, divergence, slopes
from crtransport.solvers.levels import GHOSTS, REACH, Banded, Levels

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
#: slope of the expected solution per step above which nothing spreads
_STEEPEST = 6.0
_NONE = np.empty((0, 0))


def drift(levels: Levels, speed: Array, log_scale: Array, order: int) -> Banded:
    """−∂(speed ψ)/∂u for y = ψ/scale: where speed > 0, ψ moves to lower levels.

    Parameters
    ----------
    speed, log_scale : arrays on ``levels.extended``
        What enters from beyond the high (low) end has the y of the last (first) level.
    order : int
        3 or 5, the order of the error in the step.
    """
    return drifts(levels, speed[None], log_scale[None], order)[0]


def drifts(levels: Levels, speed: Array, log_scale: Array, order: int) -> list[Banded]:
    """As `drift`, of several fields: [field, extended level] arrays."""
    at_face = speed[:, GHOSTS - 1 : -GHOSTS] + speed[:, GHOSTS : 1 - GHOSTS]
    falls = at_face > 0
    parts = [(_DRIFT[order], falls), (-_DRIFT[order], ~falls)]
    flux = [_Flux(ahead, speed, _NONE, here.astype(float)) for ahead, here in parts if here.any()]
    low = np.where(falls[:, 0], _OUTFLOW_DEGREE, 0)
    high = np.where(falls[:, -1], 0, _OUTFLOW_DEGREE)
    return _divergence(levels, flux, _slopes(speed, log_scale), log_scale, low, high)


def spread(levels: Levels, strength: Array, rest: Array, log_scale: Array, order: int) -> Banded:
    """−∂[strength (∂ψ/∂u − rest' ψ)]/∂u, as ∂²(strength ψ) less ∂[(strength' + rest' strength) ψ].

    At rest where ψ ∝ e^rest. Nothing flows through a face at which the expected ψ falls so steeply
    that no difference resolves it: there spreading would couple places strongly, and bring what is
    many decades below all else.

    Parameters
    ----------
    strength, rest, log_scale : arrays on ``levels.extended``
    order : int
        3 or 5: fourth or sixth order in the step.
    """
    return spreads(levels, strength[None], rest, log_scale[None], order)[0]


def spreads(
    levels: Levels, strength: Array, rest: Array, log_scale: Array, order: int
) -> list[Banded]:
    """As `spread`, of several fields with one rest: [field, extended level] arrays."""
    slope = _slopes(strength, log_scale)
    changes = np.empty_like(strength)
    derivative(np.log(strength) + rest, _DERIVATIVE, changes)
    steep = strength * changes / levels.step
    there = (np.abs(slope) < _STEEPEST).astype(float)
    flux = _Flux(_SPREAD[order], -steep, strength / levels.step, there)
    low, high = np.full(len(strength), _SPREAD_DEGREE), np.zeros(len(strength), dtype=int)
    return _divergence(levels, [flux], slope, log_scale, low, high)


class _Flux(NamedTuple):
    """value ψ + ∂(steep ψ) by steps, at each face from the levels at ``offsets`` from it.

    The coefficients are [field, extended level], or empty; ``faces``, [field, face], are 1 where
    there is a flux, else 0.
    """

    offsets: Array
    value: Array
    steep: Array
    faces: Array


def _slopes(coefficient: Array, log_scale: Array) -> Array:
    """[field, face] logarithmic slope per step of coefficient · scale."""
    out = np.empty((len(log_scale), log_scale.shape[1] + 1 - 2 * GHOSTS))
    slopes(coefficient, log_scale, GHOSTS, out)
    return out


def _first_derivatives() -> Array:
    """[point, point] weights of the derivative at each of seven points."""
    m = np.arange(7)
    return np.array(
        [np.linalg.solve((m - i) ** m[:, None].astype(float), (m == 1).astype(float)) for i in m]
    )


@cache
def _weights(offsets: tuple[float, ...]) -> Array:
    """[level, power] from the first Taylor coefficients, times m!, to weights of the levels."""
    powers = np.arange(len(offsets), dtype=float)
    return np.asarray(np.linalg.inv(np.array(offsets) ** powers[:, None]))


def _divergence(
    levels: Levels,
    fluxes: list[_Flux],
    slope: Array,
    log_scale: Array,
    low: NDArray[np.int64],
    high: NDArray[np.int64],
) -> list[Banded]:
    """Minus the difference of the fluxes over the scale, with ghosts from polynomials in y."""
    fields = len(log_scale)
    below, above, bands = np.zeros((3, fields, 2 * REACH + 1, levels.n))
    total = np.empty((fields, levels.n))
    for flux in fluxes:
        weights = _weights(tuple(flux.offsets))
        add_flux(
            flux.offsets,
            weights,
            slope,
            flux.value,
            flux.steep,
            flux.faces,
            log_scale,
            GHOSTS,
            below,
            above,
        )
    inner = log_scale[:, GHOSTS:-GHOSTS]
    ends = np.exp(inner[:, [0, -1]] - np.max(inner, axis=1, keepdims=True))
    divergence(below, above, ends, low, high, levels.step, bands, total)
    return [Banded(bands=b, total=t) for b, t in zip(bands, total, strict=True)]


_DERIVATIVE = _first_derivatives()
