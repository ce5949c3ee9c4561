"""One source in the middle of a bubble of slow diffusion, by its radial modes.

With u = r n the equation is that of a line; the jump of D at r₀ leaves a term there:

    ∫ r² D n' m' dr = ∫ D u' v' dr + (D − D₁) u(r₀) v(r₀)/r₀,      ∫ r² n m dr = ∫ u v dr
    n = (1/4π) Σⱼ uⱼ'(0) uⱼ(r)/r e^(−λⱼ τ)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crtransport.constants import KPC, YEAR
from crtransport.deck.burst import BurstDeck
from crtransport.physics.burst import LocalSource
from crtransport.problems.burst_emission import Emission, Left, Remnant, emitted
from crtransport.problems.galaxy_grid import heights
from crtransport.solvers.nodal_grid import NodalAxis, NodalGrid
from crtransport.solvers.point_release import lumped_modes

Array = NDArray[np.float64]

#: orders of the elements: of the answer, and of what tells its error
_ORDERS = 20, 16
#: what is left, over its size within the bubble at that time, below which digits are lost
_FLOOR = 1e-7
#: the line ends at this many √τ of the latest time, and an element begins at this many of the first
_REACH, _SPREAD = 12.0, 1.0


def around(deck: BurstDeck, source: LocalSource, disk: Array, loss: Array | None = None) -> Remnant:
    """What is left of one source in its bubble, for D beyond it in cm2/s and Γ in s^-1."""
    assert deck.bubble is not None
    bubble, r, b = deck.bubble, source.distance, np.radians(source.b)
    emission = Emission.of(source, disk * YEAR / KPC**2, loss, layer=False)
    # within a faster bubble it spreads faster
    earliest = r**2 / (-4 * np.log(_FLOOR) * max(1.0, bubble.factor))
    least = _FLOOR * (4 * np.pi * min(1.0, bubble.factor) * emission.last) ** -1.5

    def left(order: int) -> Left:
        def of(tau: Array, gamma: float) -> tuple[Array, Array, Array]:
            density, slope = radial(tau, r, bubble.radius, bubble.factor, order)
            return density, -slope * np.cos(b), -slope * np.sin(b)

        return of

    return emitted(left(_ORDERS[0]), left(_ORDERS[1]), emission, earliest, least)


def radial(tau: Array, r: float, radius: float, factor: float, order: int) -> tuple[Array, Array]:
    """n and ∂n/∂r at r, kpc, at times τ = D t beyond the bubble, kpc²."""
    low, high = sorted((1.0, factor))
    first = min(_SPREAD * float(np.sqrt(2 * low * tau.min())), radius)
    end = max(_REACH * float(np.sqrt(high * tau.max())), 2 * (r + radius))
    edges = heights(end, [radius, r], first)
    axis = NodalAxis(edges=edges, orders=(order,) * (len(edges) - 1), zero=(True, True))
    grid = NodalGrid(axes=(axis,))
    stiffness = grid.stiffness(0, lambda x: np.where(x < radius, factor, 1.0)).matrix.toarray()
    at_edge = axis.at(radius)[axis.kept]
    stiffness += (1 - factor) / radius * np.outer(at_edge, at_edge)
    rates, modes = lumped_modes(stiffness, grid.mass(np.ones_like).matrix.diagonal())
    source = axis.slopes[0, axis.kept] @ modes
    here = axis.at(r)[axis.kept] @ modes
    left = np.exp(-np.outer(tau, rates)) / (4 * np.pi)
    # two points lie at the edge of two elements: the one beyond, as n' jumps where D does
    point = int(np.flatnonzero(axis.points <= r * (1 + 1e-9))[-1])
    slope = axis.slopes[point, axis.kept] @ modes
    density = left @ (source * here) / r
    return density, left @ (source * slope) / r - density / r
