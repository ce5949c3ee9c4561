"""What a nuclide at the Sun comes from: its sources, and each channel of production."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from crtransport.deck.galaxy import GalaxyDeck
from crtransport.physics.channels import quality
from crtransport.problems.galaxy_flux import Spectrum
from crtransport.problems.galaxy_transport import Origin, Resolution, Transport, method_of

Array = NDArray[np.float64]

#: part of all production from which a parent stands alone
_SHARE = 0.01
#: residual of a part of a flux
_ENOUGH = 1e-8


def channel_spectra(deck: GalaxyDeck, run: Transport, name: str) -> dict[str, Spectrum]:
    """ "C12->B11" -> its part of the flux at the Sun, before any common normalisation.

    The equation is linear, so that the parts of sources ("source->B11"), of each important parent
    (by collision or decay) and of "others->B11" add up to the flux.
    """
    index = next(i for i, one in enumerate(run.nuclides) if one.nucleus.name == name)
    one, done = run.nuclides[index], list(run.nuclides[:index])
    origin = Origin(deck, one.nucleus, run.levels, run.space, done)
    method = method_of(deck, Resolution(residual=_ENOUGH))
    made = origin.produced(one.log_scale)
    parts = {"source": one.problem.source - made} if origin.primary else {}
    parents = {parent.nucleus.name for parent, _, _ in origin.parents}
    rest, weight = made.copy(), one.problem.weight
    for parent in sorted(parents, key=[d.nucleus.name for d in done].index):
        part = origin.produced(one.log_scale, of=parent)
        if weight @ part.sum(axis=1) > _SHARE * (weight @ made.sum(axis=1)):
            parts[parent] = part
            rest -= part
    if len(parts) - len(origin.primary[:1]) < len(parents):
        parts["others"] = rest
    return {
        f"{key}->{name}": Spectrum(
            one.nucleus,
            run.levels,
            method(replace(one.problem, source=part)).values @ run.space.sun,
            one.log_scale,
        )
        for key, part in parts.items()
    }


def from_sources(deck: GalaxyDeck, run: Transport, name: str) -> Spectrum:
    """The part of an emitted nuclide's flux at the Sun that its sources emit."""
    index = next(i for i, one in enumerate(run.nuclides) if one.nucleus.name == name)
    one = run.nuclides[index]
    origin = Origin(deck, one.nucleus, run.levels, run.space, list(run.nuclides[:index]))
    problem = replace(one.problem, source=origin.emitted(one.log_scale))
    values = method_of(deck, Resolution(residual=_ENOUGH))(problem).values
    return Spectrum(one.nucleus, run.levels, values @ run.space.sun, one.log_scale)


def channel_error(channel: str) -> float:
    """Relative error of the package's cross section; 0 of what is no single channel."""
    parent, child = channel.split("->")
    known = quality().get((parent, child))
    return 0.0 if known is None else known.error
