"""Error against cost of a burst in the two-halo medium, at 100 rigidities."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, partial

import numpy as np
from numpy.typing import NDArray

from crtransport.constants import KPC, YEAR
from crtransport.deck.burst import BurstDeck
from crtransport.nuclides import nuclide
from crtransport.physics.burst import LocalSource, Sources
from crtransport.physics.population import Population
from crtransport.problems.burst_halo import at_sun
from crtransport.problems.burst_many import Many, many
from crtransport.problems.burst_march import marched

Array = NDArray[np.float64]
Case = tuple[str, str, int, Callable[[], tuple[int, float]]]

_SOURCE = LocalSource(
    name="one", distance=0.25, age=3.4e5, l=0.0, b=0.0, alpha=2.1, R_c=1e5, W={"H": 1e50}
)
_DECK = BurstDeck(model="burst", medium="two-halo", local_source=(_SOURCE,))
#: τ at which the march is compared, kpc²
_TIMES = np.array([0.1, 0.5, 2.0])


def cases() -> Iterator[Case]:
    """(problem, method, resolution, run) of the bursts' benchmarks."""
    for order in (7, 10, 13):
        yield "burst", "hankel-modes", order, partial(_modes, order)
    yield "bursts-1000", "table", 1000, partial(_many, 1000)
    for cells in (50, 100):
        yield "burst", "march", cells, partial(_march, cells)


@cache
def _tau() -> Array:
    """D t in the halo at 100 rigidities from 10 GV to 10 PV, kpc²."""
    rigidity = np.geomspace(10, 1e7, 100)
    halo = _DECK.diffusion.halo(rigidity, nuclide("H").beta(rigidity))
    return np.asarray(halo * _SOURCE.age * YEAR / KPC**2)


@cache
def _crowd() -> tuple[Many, Sources]:
    """The table of the two-halo medium, and random sources within 3 kpc, at 100 energies."""
    population = Population(seed=1, realisations=1, rate=0.1, age_max=1e7, distance_max=3.0)
    deck = BurstDeck(model="burst", medium="two-halo", population=population)
    sources = next(population.galaxy(0)).some(slice(0, 1000))
    return many(deck, np.geomspace(10, 1e6, 100)), sources


def _many(count: int) -> tuple[int, float]:
    """The table is made once; the error is that of the two brightest sources."""
    responder, sources = _crowd()
    responder.summed([sources])
    return count, _table_error()


@cache
def _table_error() -> float:
    responder, sources = _crowd()
    bright, _ = responder.brightest([sources])
    return responder.error(bright)


@cache
def _reference() -> Array:
    return at_sun(_DECK, _SOURCE, _tau(), 20, 26)[0]


def _modes(order: int) -> tuple[int, float]:
    found = at_sun(_DECK, _SOURCE, _tau(), order, order + 3)[0]
    return found.size, float(np.max(np.abs(found / _reference() - 1)))


def _march(cells: int) -> tuple[int, float]:
    exact = at_sun(_DECK, _SOURCE, _TIMES, 20, 26)[0]
    found = marched(_DECK, _SOURCE, _TIMES, cells)
    return cells**2, float(np.max(np.abs(found / exact - 1)))
