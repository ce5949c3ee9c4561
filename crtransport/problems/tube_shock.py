"""The index of what a shock accelerates, by matching pitch-angle modes across it.

Kirk & Schneider 1987 (ApJ 315, 425): f ∝ p^−s has the form Σ aᵢ Qᵢ(μ) e^(−Λᵢζ) on either side,
without modes that grow away from the shock, and is one distribution at the shock itself,

    f_up(p, μ) = f_down(p′, μ′),   μ′ = (μ + β)/(1 + βμ),   p′ = p (1 + βμ)/√(1 − β²)

with β the speed of one gas in the frame of the other; the gas flows to ζ > 0. Modes of a side are
orthogonal with the weight u + μ. Upstream the constant and all Λ > 0 are absent, so that s is where

    det ∫ (u_up + μ) Qᵢ(μ) Q′ⱼ(μ′) (p′/p)^−s dμ = 0

over these Qᵢ and the modes Q′ⱼ, constant and Λ > 0, that downstream has.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.polynomial.legendre import leggauss
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import beta, betainc

from crtransport.physics.flux_tube import Loss
from crtransport.physics.scattering import Scattering
from crtransport.physics.tube_arrival import TubeShock
from crtransport.problems.pitch_angle import (
    Coordinate,
    Medium,
    basis_ladder,
    coordinate,
    spectral_axis,
    spectral_matrices,
)
from crtransport.solvers.eigen import decay_modes
from crtransport.solvers.elements import Elements
from crtransport.solvers.errors import ConvergenceError

Array = NDArray[np.float64]

#: modes of a side that are matched, in turn
_MODES = (2, 4, 8, 12, 16)
#: points between two places where a side is not smooth
_POINTS = 60
#: the index is looked for within this share of that of slow shocks, in as many steps
_WIDTH, _STEPS = 0.25, 100


class ShockIndex(NamedTuple):
    """s, and its absolute numerical error: the change from fewer modes."""

    value: float
    error: float


def shock_index(scattering: Scattering, shock: TubeShock, rtol: float) -> ShockIndex:
    """s of f ∝ p^−s; modes are added until two answers agree to ``rtol``.

    Raises
    ------
    ConvergenceError
        If no s near 3r/(r − 1) lets the sides match.
    """
    medium = Medium(
        scattering=scattering, loss=Loss(rate=0.0), rate=scattering.rate(), loss_rate=0.0
    )
    where = coordinate(scattering)
    best, before = ShockIndex(np.nan, np.inf), np.nan
    # a mode more wants a finer basis
    for n, (order, layers) in zip(_MODES, basis_ladder(where, medium)[1:], strict=False):
        axis = spectral_axis(where, order, layers)
        value = _matched(medium, where, axis, shock, n)
        error = abs(value - before) + 1e-13 * value
        if error < best.error:
            best = ShockIndex(value, error)
        if error <= rtol * value:
            break
        before = value
    return best


def _matched(medium: Medium, where: Coordinate, axis: Elements, shock: TubeShock, n: int) -> float:
    """s with which n modes and the constant of each side match."""
    mu_up, weights = _quadrature(shock.relative, where.m)
    mu_down = np.clip((mu_up + shock.relative) / (1 + shock.relative * mu_up), -1, 1)

    # upstream of the shock these do not vanish far away, so none of them may be in f
    upstream = _modes(medium, where, axis, shock.beta_up, n, mu_up)
    downstream = _modes(medium, where, axis, shock.beta_down, n, mu_down)
    boost = (1 + shock.relative * mu_up) / np.sqrt(1 - shock.relative**2)  # p_down/p_up

    def singular(s: float) -> float:
        weight = weights * (shock.beta_up + mu_up) * boost**-s
        rows = (upstream * weight[:, None]).T @ downstream
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        return float(np.linalg.det(rows))

    diffusive = shock.diffusive
    grid = np.linspace((1 - _WIDTH) * diffusive, (1 + _WIDTH) * diffusive, _STEPS + 1)
    values = np.array([singular(s) for s in grid])
    brackets = np.flatnonzero(values[:-1] * values[1:] < 0)
    if brackets.size == 0:
        raise ConvergenceError(
            f"no index between {grid[0]:.3g} and {grid[-1]:.3g} lets the distributions on both "
            "sides of the shock match: its speeds are too near to each other or to that of light"
        )
    nearest = brackets[np.argmin(np.abs(grid[brackets] - diffusive))]
    return float(brentq(singular, grid[nearest], grid[nearest + 1], xtol=1e-14 * diffusive))


def _modes(
    medium: Medium, where: Coordinate, axis: Elements, speed: float, n: int, mu: Array
) -> Array:
    """[mu, mode] the constant and the n slowest modes that decay with ζ, in gas of a speed."""
    a, b = spectral_matrices(medium, where, axis)
    modes = decay_modes(a, b + speed * axis.mass(where.measure(axis.points)))
    if modes.up.shape[1] < n:
        raise ConvergenceError(f"only {modes.up.shape[1]} of {n} modes of a shock are resolved")
    x = np.sign(mu) * np.abs(mu) ** (1 / where.power)
    return np.column_stack([np.ones(len(mu)), axis.at(x) @ modes.up[:, :n]])


def _quadrature(relative: float, m: float) -> tuple[Array, Array]:
    """Points and weights over μ; closer together at the equators of both frames.

    μ runs from one equator to the next as an incomplete beta function, whose order makes the
    powers |μ|^(1/m) of either side smooth.
    """
    t, w = leggauss(_POINTS)
    k = float(np.ceil(2 * m)) if m > 1 else 1.0
    v = (1 + t) / 2
    position, density = betainc(k, k, v), (v * (1 - v)) ** (k - 1) / beta(k, k)
    edges = np.array([-1.0, -relative, 0.0, 1.0])
    lengths = np.diff(edges)[:, None]
    points = edges[:-1, None] + lengths * position
    return points.ravel(), (lengths * density * w / 2).ravel()
