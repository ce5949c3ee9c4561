"""One source in the two-halo medium: what is left of it at the Sun, and its gradient there."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crtransport.constants import KPC, YEAR
from crtransport.deck.burst import BurstDeck
from crtransport.physics.burst import LocalSource
from crtransport.problems.burst_emission import Emission, Left, Remnant, emitted
from crtransport.problems.burst_faint import faint
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


def remnant(
    deck: BurstDeck, source: LocalSource, halo: Array, loss: Array | None = None
) -> Remnant:
    """What is left of one source, for the halo's D in cm2/s and Γ of the gas in s^-1.

    All rigidities share one set of modes, as only D t and Γ/D matter. Early, where the modes
    cancel, what arrives is composed of short steps.
    """
    emission = Emission.of(source, halo * YEAR / KPC**2, loss, bool(deck.gas_edges()))
    # nowhere does it spread faster than in the halo
    earliest = source.distance**2 / (-4 * np.log(_FLOOR))

    def left(size: tuple[int, int]) -> Left:
        return lambda tau, gamma: at_sun(deck, source, tau, *size, gamma=gamma)

    found = emitted(left(_FINE), left(_COARSE), emission, earliest)
    early = np.isinf(found.error)
    if early.any():
        modes = left(_FINE), left(_COARSE), earliest
        some = faint(deck, source, emission.at(early), modes)
        for part, values in zip(found, some, strict=True):
            part[early] = values
    return found


def at_sun(
    deck: BurstDeck,
    source: LocalSource,
    tau: Array,
    order: int,
    nodes: int,
    gamma: float = 0.0,
) -> tuple[Array, Array, Array, Array]:
    """n at the Sun, its gradient inwards and upwards, and its rounding error.

    At times τ = D t of the halo, kpc², by elements of an order; γ = Γ/D of the halo within the gas,
    kpc^-2.
    """
    z_s, z_h = source.height(), deck.half_height()
    disk = slowest(deck)
    rho = float(np.sqrt(source.distance**2 - z_s**2))
    first = min(_FIRST, _SPREAD * float(np.sqrt(2 * disk * tau.min())))
    edges = heights(z_h, [*([abs(z_s)] if z_s else []), *deck.gas_edges()], first)
    axis, medium = layered(deck, edges, order, gamma)
    grid = NodalGrid(axes=(axis,))
    k, weight = wave_numbers(tau.min(), tau.max(), rho, disk, nodes)
    release, sign = grid.at((abs(z_s),)), float(np.sign(z_s))

    def view(even: Array | None, odd: Array | None) -> PointRelease:
        return PointRelease(
            medium=medium, release=release, sign=sign, even=even, odd=odd, k=k, weight=weight
        )

    here = view(grid.at((0.0,)), None)
    if z_s == 0:
        upwards = np.zeros_like(tau)
        return here.density(tau, rho), -here.slope(tau, rho), upwards, here.rounding(tau, rho)
    upwards = view(None, axis.slopes[0, axis.kept]).density(tau, rho)
    return here.density(tau, rho), -here.slope(tau, rho), upwards, here.rounding(tau, rho)


def slowest(deck: BurstDeck) -> float:
    """D at z = 0 over that of the halo."""
    return float(deck.diffusion.shape(np.zeros(1))[0])


def layered(
    deck: BurstDeck, edges: Array, order: int, gamma: float = 0.0
) -> tuple[NodalAxis, LayeredMedium]:
    """f(z) of a deck, and its gas, on elements between the given heights."""
    axis = NodalAxis(edges=edges, orders=(order,) * (len(edges) - 1))
    grid = NodalGrid(axes=(axis,))
    stiffness = grid.stiffness(0, deck.diffusion.shape).matrix.toarray()
    if gamma:
        stiffness += gamma * grid.mass(deck.gas_shape).matrix.toarray()
    medium = LayeredMedium(
        stiffness=stiffness,
        conductivity=grid.mass(deck.diffusion.shape).matrix.diagonal(),
        mass=grid.mass(np.ones_like).matrix.diagonal(),
    )
    return axis, medium
