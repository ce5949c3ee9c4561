"""Local sources over the Galaxy's background: bursts, and each class of sources alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from crtransport.deck.galaxy import GalaxyDeck
from crtransport.nuclides import nuclide
from crtransport.problems.burst_arrival import arrival
from crtransport.problems.galaxy_answer import Answer
from crtransport.problems.galaxy_channels import from_sources

Array = NDArray[np.float64]
Flux = Callable[[str, Array], Array]


def species(deck: GalaxyDeck) -> list[str]:
    """The elements that local sources emit, by charge."""
    return list(deck.bursts().species())


def beside(deck: GalaxyDeck, energy: Array) -> Array:
    """[nuclide, energy] interstellar flux that local sources add to the element of each nuclide.

    Of isotopes no share is known: what is far below all of an element is told by no instrument.
    """
    found = np.zeros((len(deck.nuclides), len(energy)))
    if not deck.local_source:
        return found
    bursts, emitted = deck.bursts(), species(deck)
    for element in emitted:
        flux = np.exp(arrival(bursts, nuclide(element), energy).log_flux).sum(axis=0)
        found[[nuclide(name).element == element for name in deck.nuclides]] = flux
    return found


def local_flux(deck: GalaxyDeck, index: int) -> Flux:
    """Flux at the top of the atmosphere of one local source, of an element at T in GeV/n."""
    return lambda name, energy: local(deck, index, name, energy)[0]


def local(deck: GalaxyDeck, index: int, name: str, energy: Array) -> tuple[Array, Array]:
    """One local source at the top of the atmosphere.

    Parameters
    ----------
    deck : GalaxyDeck
    index : int
        Of the source.
    name : str
        An element.
    energy : (n,) array
        T, GeV/n.

    Returns
    -------
    flux : (n,) array
        m^-2 s^-1 sr^-1 (GeV/n)^-1.
    error : (n,) array
        Its relative numerical error.
    """
    bursts, nucleus = deck.bursts(), nuclide(name)
    alone = replace(bursts, local_source=(bursts.local_source[index],))
    outside = arrival(alone, nucleus, energy + deck.modulation.loss(nucleus))
    flux = np.exp(outside.log_flux[0])
    return deck.modulation.modulated(lambda _: flux, energy, nucleus), outside.error[0]


def class_flux(deck: GalaxyDeck, answer: Answer, name: str) -> Flux:
    """Flux at the top of the atmosphere that one class of sources emits itself, of an element."""
    source = next(source for source in deck.source if source.name == name)
    emitted = [n for n in deck.nuclides if source.abundance(n) > 0]
    spectra = {n: from_sources(deck, answer.run, n, by=name) for n in emitted}

    def flux(element: str, energy: Array) -> Array:
        total = np.zeros_like(energy)
        for one in spectra.values():
            if one.nucleus.element == element:
                total += answer.norm * deck.modulation.modulated(one.flux, energy, one.nucleus)
        return total

    return flux
