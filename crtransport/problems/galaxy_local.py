"""Local sources over the Galaxy's background: bursts, and each class of sources alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from crtransport.deck.galaxy import GalaxyDeck
from crtransport.nuclides import nuclide
from crtransport.problems.burst import arrival
from crtransport.problems.galaxy_answer import Answer, elements
from crtransport.problems.galaxy_transport import Resolution, transport

Array = NDArray[np.float64]
Flux = Callable[[str, Array], Array]


def species(deck: GalaxyDeck) -> list[str]:
    """The elements that local sources emit, by charge."""
    return list(deck.bursts().species())


def local_flux(deck: GalaxyDeck, index: int) -> Flux:
    """Flux at the top of the atmosphere of one local source, of an element at T in GeV/n."""
    bursts = deck.bursts()
    alone = replace(bursts, local_source=(bursts.local_source[index],))

    def flux(name: str, energy: Array) -> Array:
        nucleus = nuclide(name)

        def free(t: Array) -> Array:
            return np.exp(arrival(alone, nucleus, t).log_flux[0])

        return deck.modulation.modulated(free, energy, nucleus)

    return flux


def class_flux(deck: GalaxyDeck, answer: Answer, index: int) -> Flux:
    """Flux at the top of the atmosphere that one class of sources emits itself, of an element."""
    source = deck.source[index]
    emitted = tuple(name for name in deck.nuclides if source.abundance(name) > 0)
    if len(deck.source) == 1 and emitted == deck.nuclides:
        alone = answer
    else:
        output = replace(deck.output, ratios=(), channels=(), elements=(), maps=False)
        norm = deck.normalisation
        scaled = {name: answer.norm * value for name, value in source.abundances.items()}
        one = replace(
            deck,
            network=emitted,
            source=(replace(source, abundances=scaled),),
            local_source=(),
            local_medium=None,
            normalisation=None if norm is None or norm.common() else norm,
            output=output,
        )
        alone = Answer(one, transport(one, Resolution(residual=1e-8)))
    names = elements(alone.deck)

    def flux(element: str, energy: Array) -> Array:
        found = [alone.at_earth(name, energy) for name in names.get(element, ())]
        return np.asarray(sum(found, np.zeros_like(energy)))

    return flux
