"""Drift and spreading along the axis: fitted upwind and central fluxes of order 1 and 2.

A level loses the difference of the fluxes through its two faces, so that the sum over the levels
telescopes. With u in steps and y = ψ/scale, the flux of a drift is g y and that of a spreading
g (y' − θ y), g = coefficient · scale. The g of a face is its harmonic mean over the step,

    1/g_face = ∫₀¹ dt/g(t) = (1 − e^(−σ))/(σ g_below),    g_above/g_below = e^σ,

with which the difference at the faces of an exponential is its derivative at the level. Divided by
g at the level above or below, g_face is B(σ) or B(−σ), B(x) = x/(eˣ − 1), whatever decades the
scale spans. Order 1 has no positive entry off the diagonal, which is what keeps solutions positive;
order 2 has the smaller errors.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from crtransport.solvers.levels import GHOSTS, Levels, weight_of
from crtransport.solvers.problem import Operator

Array = NDArray[np.float64]


def drift(levels: Levels, speed: Array, log_scale: Array, order: int) -> Operator:
    """−∂(speed ψ)/∂u for y = ψ/scale: where speed > 0, ψ moves to lower levels.

    The y of a face is that of the level it comes from (order 1), or on the straight line through
    the two levels it comes from (order 2).

    Parameters
    ----------
    speed, log_scale : arrays on ``levels.extended``
        What enters from beyond the high (low) end has the y of the last (first) level.
    order : int
        1 or 2, the order of the error in the step.
    """
    _check(order)
    one_sign = bool(np.all(speed > 0) or np.all(speed < 0))
    faces = _fitted(speed, log_scale) if one_sign else _averaged(speed, log_scale)
    above = np.arange(levels.n + 1)
    down = _at_faces(speed[1:] + speed[:-1]) > 0
    near, far = np.where(down, above, above - 1), np.where(down, above + 1, above - 2)
    ones = np.ones(levels.n + 1)
    stencil = [(near, ones)] if order == 1 else [(near, 1.5 * ones), (far, -0.5 * ones)]
    return _divergence(levels, faces, _y_at_faces(stencil, levels.n), log_scale)


def spread(levels: Levels, strength: Array, rest: Array, log_scale: Array, order: int) -> Operator:
    """−∂[strength (∂ψ/∂u − ψ ∂rest/∂u)]/∂u, at rest where ψ ∝ e^rest.

    With θ, what rest − ln(scale) gains from the level below a face to that above it, the flux is

        order 1:  g [B(θ) y_above − B(−θ) y_below]/step                   (Chang & Cooper 1970, J.
                  Comp. Phys. 6, 1; Scharfetter & Gummel 1969, IEEE Trans. ED-16, 64)
        order 2:  g [(1 − θ/2) y_above − (1 + θ/2) y_below]/step

    Both err by second order, the first by θ²/12 of y' more, for which ψ ∝ e^rest stays at rest
    exactly.

    Parameters
    ----------
    strength, rest, log_scale : arrays on ``levels.extended``
        ``strength`` > 0.
    order : int
        1: what flows through an end flows out. 2: beyond the high end y is that of the last level,
        beyond the low end on the straight line through the first two; what flows in grows with
        the field, so that the ends must lie where little does.
    """
    _check(order)
    theta = _at_faces(np.diff(rest - log_scale))
    to_above, to_below = (
        (_bernoulli(theta), _bernoulli(-theta)) if order == 1 else (1 - theta / 2, 1 + theta / 2)
    )
    if order == 1:
        # y is the same on either side of an end, so the smaller weight stops what would flow in
        to_below[0], to_above[-1] = min(to_below[0], to_above[0]), min(to_above[-1], to_below[-1])
    above = np.arange(levels.n + 1)
    stencil = [(above, to_above / levels.step), (above - 1, -to_below / levels.step)]
    y_at_faces = _y_at_faces(stencil, levels.n)
    if order == 2:
        # the clipped ghost y₀ goes on to 2y₀ − y₁
        slope = np.array([1.0, -1.0]) * -to_below[0] / levels.step
        first = sp.coo_array((slope, ([0, 0], [0, 1])), shape=y_at_faces.shape)
        y_at_faces = sp.csr_array(y_at_faces + first)
    return _divergence(levels, _fitted(strength, log_scale), y_at_faces, log_scale)


def drifts(levels: Levels, speed: Array, log_scale: Array, order: int) -> list[Operator]:
    """As `drift`, of several fields: [field, extended level] arrays."""
    return [drift(levels, *one, order) for one in zip(speed, log_scale, strict=True)]


def spreads(
    levels: Levels, strength: Array, rest: Array, log_scale: Array, order: int
) -> list[Operator]:
    """As `spread`, of several fields with one rest: [field, extended level] arrays."""
    each = zip(strength, log_scale, strict=True)
    return [spread(levels, one, rest, scale, order) for one, scale in each]


class _Faces(NamedTuple):
    """(n + 1,) g at each face over the scale of the level above it, and of that below it."""

    over_above: Array
    over_below: Array


def _fitted(coefficient: Array, log_scale: Array) -> _Faces:
    """The harmonic mean of coefficient · scale, where the coefficient has one sign."""
    sigma = _at_faces(np.diff(log_scale + np.log(np.abs(coefficient))))
    return _Faces(
        over_above=coefficient[GHOSTS : 1 - GHOSTS] * _bernoulli(sigma),
        over_below=coefficient[GHOSTS - 1 : -GHOSTS] * _bernoulli(-sigma),
    )


def _averaged(coefficient: Array, log_scale: Array) -> _Faces:
    """The harmonic mean of the scale times the mean coefficient, which may change sign."""
    sigma = _at_faces(np.diff(log_scale))
    mean = _at_faces(coefficient[1:] + coefficient[:-1]) / 2
    return _Faces(over_above=mean * _bernoulli(sigma), over_below=mean * _bernoulli(-sigma))


def _at_faces(between: Array) -> Array:
    """(n + 1,) of what is known between all neighbours on the extended levels, the faces'."""
    return between[GHOSTS - 1 : 1 - GHOSTS]


def _bernoulli(x: Array) -> Array:
    """B(x) = x/(eˣ − 1), without overflow."""
    # at 0, B = 1 rather than 0/0
    size = np.maximum(np.abs(x), np.finfo(float).tiny)
    return np.asarray(np.exp(-np.maximum(x, 0.0)) * size / -np.expm1(-size))


def _check(order: int) -> None:
    if order not in (1, 2):
        raise ValueError(f"order is {order}; upwind differences are of order 1 or 2")


def _y_at_faces(stencil: list[tuple[NDArray[np.int_], Array]], n: int) -> sp.csr_array:
    """[face, level] Σ weight · y[level]; levels beyond an end are the last before it."""
    rows = np.tile(np.arange(n + 1), len(stencil))
    columns = np.clip(np.concatenate([level for level, _ in stencil]), 0, n - 1)
    values = np.concatenate([weight for _, weight in stencil])
    return sp.csr_array(sp.coo_array((values, (rows, columns)), shape=(n + 1, n)))


def _divergence(
    levels: Levels, faces: _Faces, y_at_faces: sp.csr_array, log_scale: Array
) -> Operator:
    """Minus the difference of the fluxes over the scale; in total, what the ends let through."""
    n, step, weight = levels.n, levels.step, weight_of(log_scale)
    low = sp.diags_array(faces.over_above[:n] / step) @ y_at_faces[:n]
    high = sp.diags_array(faces.over_below[1:] / step) @ y_at_faces[1:]
    matrix = sp.csr_array(low - high)
    matrix.eliminate_zeros()
    total = low[[0]].toarray()[0] * weight[0] - high[[n - 1]].toarray()[0] * weight[-1]
    return Operator(matrix=matrix, total=total)
