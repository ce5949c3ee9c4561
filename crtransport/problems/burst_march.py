"""A burst in the two-halo medium marched in time on finite volumes: the check of burst_halo."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crtransport.deck.burst import BurstDeck
from crtransport.physics.burst import LocalSource
from crtransport.solvers.cell_grid import CellAxis, CellGrid
from crtransport.solvers.march import march

Array = NDArray[np.float64]

#: the release begins as the Gaussian of the disk's D at this τ, kpc²: much thinner than the layers
_FIRST = 2e-4
#: length of the cylinder over √τ of the last time: nothing reaches its edge
_REACH = 10.0
#: how much closer nodes are at the source: sinh of this; steps for each doubling of the time
_STRETCH, _STEPS = 8.0, 24


def marched(
    deck: BurstDeck, source: LocalSource, tau: Array, cells: int, gamma: float = 0.0
) -> Array:
    """Density at the Sun at increasing τ = D t of the halo, kpc², of one particle set free, kpc^-3.

    γ = Γ/D of the halo within the gas, kpc^-2. Finite volumes in a cylinder around the source,
    second order, TR-BDF2 in time. The source must lie in the plane.
    """
    rho = source.distance
    if source.height() != 0:
        raise ValueError("only a source in the plane has a cylinder of its own")
    spread = np.sinh(_STRETCH * np.linspace(0, 1, cells + 1)) / np.sinh(_STRETCH)
    r = max(_REACH * float(np.sqrt(tau[-1])), 2 * rho) * spread
    r *= rho / r[np.argmin(abs(r - rho))]  # a node at the Sun
    grid = CellGrid(axes=(CellAxis(nodes=r, radial=1), CellAxis(nodes=_heights(deck, spread))))
    stiffness = sum(
        grid.stiffness(axis, lambda r, z: deck.diffusion.shape(z)).matrix for axis in (0, 1)
    )
    mass = grid.mass(lambda r, z: np.ones_like(z)).matrix.diagonal()
    stiffness = stiffness + gamma * grid.mass(lambda r, z: deck.gas_shape(z)).matrix
    at_r, at_z = (x.ravel() for x in np.meshgrid(*grid.coordinates, indexing="ij"))
    disk = float(deck.diffusion.shape(np.zeros(1))[0])
    start = np.exp(-(at_r**2 + at_z**2) / (4 * disk * _FIRST))
    # the half z ≥ 0 holds half of the release; the measure of a cylinder lacks its 2π
    start *= 0.5 / (2 * np.pi * float(mass @ start))
    return np.asarray(march(stiffness, mass, start, _FIRST, tau, _STEPS) @ grid.at((rho, 0.0)))


def _heights(deck: BurstDeck, spread: Array) -> Array:
    """Nodes in z, one of them where the gas ends."""
    z = deck.half_height() * spread
    for edge in deck.gas_edges():
        i = int(np.argmin(abs(z - edge)))
        z[: i + 1] *= edge / z[i]
    return np.asarray(z)
