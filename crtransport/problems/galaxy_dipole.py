"""The dipole anisotropy at the Sun: that of the Galaxy's background and of local sources."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crtransport.constants import KPC, SPEED_OF_LIGHT
from crtransport.deck.galaxy import GalaxyDeck
from crtransport.nuclides import nuclide
from crtransport.physics.geometry import Cylinder
from crtransport.problems.burst_arrival import arrival
from crtransport.problems.galaxy_answer import Answer, elements
from crtransport.problems.galaxy_flux import Spectrum

Array = NDArray[np.float64]

#: step of the difference in r on either side of the Sun, over its distance from the axis
_STEP = 1e-3


def background(answer: Answer, element: str, energy: Array) -> tuple[Array, Array]:
    """Interstellar flux of an element, and [energy, 3] its flux times dipole.

    δ = 3 D ∇n/(v n), to where n rises; along the line to the axis of the Galaxy (l = 0), as n is
    even in z. A wind is along z and adds nothing in the mid-plane.
    """
    deck, run = answer.deck, answer.run
    size = deck.geometry
    assert isinstance(size, Cylinder)
    step = _STEP * size.r_sun
    ends = (run.space.grid.at((size.r_sun + sign * step, 0.0)) for sign in (-1, 1))
    inner, outer = ends
    flux, stream = np.zeros_like(energy), np.zeros_like(energy)
    for name in elements(deck)[element]:
        nucleus = nuclide(name)
        one = run.one(name)
        slope = Spectrum(
            nucleus, run.levels, one.values @ ((inner - outer) / (2 * step)), one.log_scale
        )
        beta = nucleus.beta(nucleus.rigidity(energy))
        scale = 3 * _diffusion(deck, name, energy) / (beta * SPEED_OF_LIGHT * KPC)
        flux += answer.interstellar(name, energy)
        stream += scale * answer.norm * slope.flux(energy)
    return flux, stream[:, None] * np.array([1.0, 0.0, 0.0])


def _diffusion(deck: GalaxyDeck, name: str, energy: Array) -> Array:
    """D along r at the Sun, cm2/s."""
    size, diffusion, nucleus = deck.geometry, deck.diffusion, nuclide(name)
    assert isinstance(size, Cylinder)
    rigidity = nucleus.rigidity(energy)
    here = diffusion.factor(np.array(size.r_sun), np.array(0.0)) * diffusion.anisotropy
    return np.asarray(here * diffusion.halo(rigidity, nucleus.beta(rigidity)))


def local(deck: GalaxyDeck, element: str, energy: Array) -> tuple[Array, Array]:
    """[source, energy] interstellar fluxes of the local sources, [source, energy, 3] dipoles."""
    found = arrival(deck.bursts(), nuclide(element), energy)
    return np.exp(found.log_flux), found.dipole
