"""Abundances at the sources from measured fluxes, element by element."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from crtransport.deck.galaxy import GalaxyDeck
from crtransport.measurements.abundances import Factor, Parts, abundance_factors
from crtransport.measurements.table import Measurement
from crtransport.nuclides import nuclide
from crtransport.problems.galaxy_answer import Answer, by_rigidity, elements
from crtransport.problems.galaxy_channels import from_sources
from crtransport.problems.galaxy_transport import transport

Array = NDArray[np.float64]

#: what is left in one round of an element that others make too much of: a later one may need it
_LEAST = 1e-3


def fit_abundances(
    deck: GalaxyDeck, tables: Sequence[Measurement], r_min: float, rounds: int = 3
) -> tuple[GalaxyDeck, dict[str, Factor]]:
    """The deck with the abundances of its one source scaled to the measurements.

    All are first scaled together to the first table. What an element emits scales with its
    abundance, what heavier ones leave of it scales with theirs: each round solves the transport,
    splits each flux in these two parts, and takes the factors of least squares
    (abundance_factors). Without normalisation; every abundance stays in its convention.

    Parameters
    ----------
    deck : GalaxyDeck
        With one source, whose abundances name elements or isotopes, and no normalisation.
    tables : sequence of Measurement
        Fluxes at the Earth over rigidity, of the elements to fit.
    r_min : float
        Rigidity from which on points count, GV.
    rounds : int
        How often; after three the factors are 1 to a thousandth, of what is mostly made of others
        (N, Na, Al) to a hundredth.
    """
    factors: dict[str, Factor] = {}
    deck = _scaled(deck, {}, others=_common(_parts(deck, tables[:1], r_min), tables[0]))
    for _ in range(rounds):
        factors = abundance_factors(_parts(deck, tables, r_min), tables)
        deck = _scaled(deck, {name: max(one.factor, _LEAST) for name, one in factors.items()})
    return deck, factors


def _scaled(deck: GalaxyDeck, factors: dict[str, float], others: float = 1.0) -> GalaxyDeck:
    """The deck with each abundance times the factor of its element."""
    (source,) = deck.source
    return replace(deck, source=(source.scaled(factors, others),))


def _common(parts: dict[str, Parts], table: Measurement) -> float:
    """What brings the whole flux of one element to its measurement, by least squares."""
    whole = parts[table.name].emitted + parts[table.name].produced
    sigma = (table.error_lo + table.error_hi) / 2
    some = np.isfinite(whole) & (sigma > 0)
    model, data = whole[some] / sigma[some], table.y[some] / sigma[some]
    return float(model @ data / (model @ model))


def _parts(deck: GalaxyDeck, tables: Sequence[Measurement], r_min: float) -> dict[str, Parts]:
    answer = Answer(deck, transport(deck))
    alone = {
        name: from_sources(deck, answer.run, name)
        for table in tables
        for name in elements(deck)[table.quantity]
        if name in deck.emitted()
    }

    def emitted(name: str, energy: Array) -> Array:
        nucleus = nuclide(name)
        return deck.modulation.modulated(alone[name].flux, energy, nucleus)

    found = {}
    for table in tables:
        names = elements(deck)[table.quantity]
        whole = by_rigidity(answer.at_earth, names, table.x)
        own = by_rigidity(emitted, [name for name in names if name in alone], table.x)
        own[table.x < r_min] = np.nan
        found[table.name] = Parts(emitted=own, produced=whole - own)
    return found
