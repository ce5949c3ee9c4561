"""What a nuclide at the Sun comes from: its sources, and each channel of production."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from crtransport.deck.galaxy import GalaxyDeck
from crtransport.physics.channels import quality
from crtransport.problems.galaxy_flux import Spectrum
from crtransport.problems.galaxy_transport import Resolution, Transport, method_of

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
    one = run.one(name)
    origin = one.origin
    method = method_of(deck, Resolution(residual=_ENOUGH))
    made = origin.produced(one.log_scale)
    parts = {"source": one.problem.source - made} if origin.spectra else {}
    parents = dict.fromkeys(parent.nucleus.name for parent, _ in origin.parents)
    rest, weight = made.copy(), one.problem.weight
    for parent in parents:
        part = origin.produced(one.log_scale, of=parent)
        if weight @ part.sum(axis=1) > _SHARE * (weight @ made.sum(axis=1)):
            parts[parent] = part
            rest -= part
    if len(parts) - len(origin.spectra[:1]) < len(parents):
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


def from_sources(deck: GalaxyDeck, run: Transport, name: str, by: str | None = None) -> Spectrum:
    """The part of an emitted nuclide's flux at the Sun that its sources emit, or one of them.

    Before any common normalisation; scaled as the run is, where the nuclide has its own.
    """
    one = run.one(name)
    origin = one.origin
    own = one.problem.source - origin.produced(one.log_scale)
    scaled = float(own.sum() / origin.emitted(one.log_scale).sum())
    problem = replace(one.problem, source=scaled * origin.emitted(one.log_scale, by))
    values = method_of(deck, Resolution(residual=_ENOUGH))(problem).values
    return Spectrum(one.nucleus, run.levels, values @ run.space.sun, one.log_scale)


def channel_error(channel: str) -> float:
    """Relative error of the package's cross section; 0 of what is no single channel."""
    parent, child = channel.split("->")
    known = quality().get((parent, child))
    return 0.0 if known is None else known.error
