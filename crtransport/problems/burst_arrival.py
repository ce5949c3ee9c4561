"""What arrives of local sources at the Sun: fluxes and dipoles, in closed form or solved."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crtransport.constants import KPC, SPEED_OF_LIGHT
from crtransport.deck.burst import BurstDeck
from crtransport.nuclides import Nuclide
from crtransport.physics import burst, sky
from crtransport.physics.spread import Spread, spread
from crtransport.problems.burst_bubble import around
from crtransport.problems.burst_halo import remnant

Array = NDArray[np.float64]

#: nodes in time of what tells the error of an emission in closed form
_OTHER_NODES = 13
#: ln of half the smallest float, below which a flux is 0
_LEAST = float(np.log(np.finfo(float).smallest_subnormal)) - 1


class Arrival(NamedTuple):
    """One element at the Sun.

    Attributes
    ----------
    log_flux : [source, energy]
    log_uniform : [source, energy]
        ln of the flux in the uniform medium.
    dipole : [source, energy, 3]
        Vector of each source alone.
    error : [source, energy]
        Relative error estimate of the fluxes; 1 where a flux is a bound.
    """

    log_flux: Array
    log_uniform: Array
    dipole: Array
    error: Array


def arrival(deck: BurstDeck, nucleus: Nuclide, kinetic_energy: Array) -> Arrival:
    """Fluxes and dipoles of one element from each source of the deck."""
    rigidity = nucleus.rigidity(kinetic_energy)
    beta = nucleus.beta(rigidity)
    disk = deck.diffusion.disk(rigidity, beta)
    rows, uniform, dipoles, errors = [], [], [], []
    for source in deck.local_source:
        log_q0 = burst.log_normalisation(source, nucleus)
        log_q = burst.log_injection(source, nucleus, log_q0, rigidity) - 3 * np.log(KPC)
        here, error = _here(deck, source, nucleus, rigidity)
        free = here if deck.medium == "uniform" else spread(source, disk)
        rows.append(burst.log_flux(log_q + here.log_density, nucleus))
        uniform.append(burst.log_flux(log_q + free.log_density, nucleus))
        dipoles.append(dipole(source, here, disk, beta))
        if np.isfinite(log_q0):
            refined = burst.log_normalisation(source, nucleus, refine=2)
            error = error + abs(np.expm1(log_q0 - refined)) + _rounding(rows[-1], log_q0, log_q)
        # less than the smallest float is 0 with all its digits
        errors.append(np.where(rows[-1] < _LEAST, 0.0, error))
    return Arrival(*(np.stack(x) for x in (rows, uniform, dipoles, errors)))


def _here(
    deck: BurstDeck, source: burst.LocalSource, nucleus: Nuclide, rigidity: Array
) -> tuple[Spread, Array]:
    """One particle of a source at the Sun, in the deck's medium, and the relative error."""
    beta = nucleus.beta(rigidity)
    loss = None if deck.gas is None else deck.gas.loss(nucleus, rigidity)
    disk = deck.diffusion.disk(rigidity, beta)
    if deck.medium in ("uniform", "slab"):
        half_height = deck.half_height() if deck.medium == "slab" else None
        found = spread(source, disk, loss, half_height)
        if not source.duration:
            return found, np.zeros_like(disk)
        other = spread(source, disk, loss, half_height, _OTHER_NODES)
        return found, np.abs(np.expm1(other.log_density - found.log_density))
    if deck.medium == "two-halo":
        left = remnant(deck, source, deck.diffusion.halo(rigidity, beta), loss)
    else:
        left = around(deck, source, disk, loss)
    return Spread(left.log_density, left.inwards, left.upwards), left.error


def dipole(
    source: burst.LocalSource | burst.Sources, here: Spread, disk: Array, beta: Array
) -> Array:
    """[…, energy, 3] 3 D ∇ ln n/v at the Sun, towards where the excess comes from."""
    longitude = np.asarray(source.l)
    along = sky.unit_vector(longitude, np.zeros_like(longitude))
    up = np.array([0.0, 0.0, 1.0])
    scale = (3 * disk / (beta * SPEED_OF_LIGHT * KPC))[:, None]
    return np.asarray(scale * (here.inwards[..., None] * along + here.upwards[..., None] * up))


def _rounding(log_flux: Array, log_q0: Array, log_q: Array) -> Array:
    """What the rounding of the logarithms leaves in the fluxes."""
    size = abs(log_q0) + np.abs(log_q) + np.abs(log_flux - log_q)
    return np.asarray(np.finfo(float).eps * size)
