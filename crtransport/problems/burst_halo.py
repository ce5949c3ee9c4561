"""One burst in the two-halo medium: what is left of it at the Sun, and its gradient there."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crtransport.constants import KPC, YEAR
from crtransport.deck.burst import BurstDeck
from crtransport.physics.burst import LocalSource
from crtransport.problems.galaxy_grid import heights
from crtransport.solvers.nodal_grid import NodalAxis, NodalGrid
from crtransport.solvers.point_release import LayeredMedium, PointRelease, wave_numbers

Array = NDArray[np.float64]

#: order of the elements, and nodes of a panel in k: of the answer, and of what tells its error
_FINE, _COARSE = (13, 16), (10, 13)
#: lowest element over the spread in z at the earliest time, and its largest height, kpc
_SPREAD, _FIRST = 2.0, 0.3
#: what is left, over its size around the source at that time, below which rounding is all there is
_FLOOR = 1e-9


class Remnant(NamedTuple):
    """A burst at the Sun, of one particle set free; 0 where less than _FLOOR is left.

    Attributes
    ----------
    density : array
        kpc^-3.
    inwards, upwards : arrays
        Gradient towards the source along the plane, and along z, kpc^-4.
    error : float
        Largest relative error estimate of the density where it is not 0.
    """

    density: Array
    inwards: Array
    upwards: Array
    error: float


def remnant(deck: BurstDeck, source: LocalSource, halo: Array) -> Remnant:
    """What is left of one source, for the halo's D in cm2/s.

    All rigidities share one set of modes, as only D t matters.
    """
    tau = halo * source.age * YEAR / KPC**2
    disk = _disk(deck)
    # nowhere does it spread faster than in the halo
    seen = source.distance**2 / (4 * tau) < -np.log(_FLOOR)
    empty = np.zeros_like(tau)
    if not seen.any():
        return Remnant(empty, empty, empty, 0.0)
    fine, coarse = (at_sun(deck, source, tau[seen], *size) for size in (_FINE, _COARSE))
    alive = fine[0] > _FLOOR * (4 * np.pi * disk * tau[seen]) ** -1.5
    error = np.max(np.abs(coarse[0] / fine[0] - 1), where=alive, initial=0.0)
    parts = []
    for part in fine:
        full = empty.copy()
        full[seen] = np.where(alive, part, 0.0)
        parts.append(full)
    return Remnant(parts[0], -parts[1], parts[2], float(error))


def at_sun(
    deck: BurstDeck, source: LocalSource, tau: Array, order: int, nodes: int
) -> tuple[Array, Array, Array]:
    """n, ∂n/∂ρ and ∂n/∂z at the Sun at times τ = D t of the halo, kpc², by elements of an order."""
    z_s, z_h = source.height(), deck.half_height()
    disk = _disk(deck)
    rho = float(np.sqrt(source.distance**2 - z_s**2))
    first = min(_FIRST, _SPREAD * float(np.sqrt(2 * disk * tau.min())))
    edges = heights(z_h, [abs(z_s)] if z_s else [], first)
    axis, medium = layered(deck, edges, order)
    grid = NodalGrid(axes=(axis,))
    k, weight = wave_numbers(tau.min(), tau.max(), rho, disk, nodes)
    release, sign = grid.at((abs(z_s),)), float(np.sign(z_s))

    def view(even: Array | None, odd: Array | None) -> PointRelease:
        return PointRelease(
            medium=medium, release=release, sign=sign, even=even, odd=odd, k=k, weight=weight
        )

    here = view(grid.at((0.0,)), None)
    if z_s == 0:
        return here.density(tau, rho), here.slope(tau, rho), np.zeros_like(tau)
    upwards = view(None, np.asarray(axis.slopes.toarray()[0, axis.kept]))
    return here.density(tau, rho), here.slope(tau, rho), upwards.density(tau, rho)


def _disk(deck: BurstDeck) -> float:
    """D at z = 0 over that of the halo."""
    return float(deck.diffusion.shape(np.zeros(1))[0])


def layered(deck: BurstDeck, edges: Array, order: int) -> tuple[NodalAxis, LayeredMedium]:
    """f(z) of a deck on elements between the given heights."""
    axis = NodalAxis(edges=edges, orders=(order,) * (len(edges) - 1))
    grid = NodalGrid(axes=(axis,))
    medium = LayeredMedium(
        stiffness=grid.stiffness(0, deck.diffusion.shape).matrix.toarray(),
        conductivity=grid.mass(deck.diffusion.shape).matrix.diagonal(),
        mass=grid.mass(np.ones_like).matrix.diagonal(),
    )
    return axis, medium
