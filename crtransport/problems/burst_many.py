"""Many bursts at once: catalogues and random populations, summed while they are read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crtransport.constants import KPC, YEAR
from crtransport.deck.burst import BurstDeck
from crtransport.nuclides import Nuclide, nuclide
from crtransport.physics import burst
from crtransport.physics.burst import LocalSource, Sources
from crtransport.physics.population import Population
from crtransport.physics.spread import Spread, spread
from crtransport.problems.burst_arrival import arrival, dipole
from crtransport.problems.burst_halo import layered, slowest
from crtransport.problems.galaxy_grid import heights
from crtransport.problems.threads import processors
from crtransport.solvers.release_table import ReleaseTable, tabulate

Array = NDArray[np.float64]

#: sources times energies that are worked on at once
_SIZE = 50_000
#: r²/4Dt above which nothing has arrived, and λt of the slowest mode above which nothing is left
_UNSEEN, _GONE = 20.7, 30.0
#: order of the table's elements, and the height of the lowest over the spread at the first time
_ORDER, _SPREAD, _LOWEST = 10, 2.0, 0.3
#: exponent of the energy by which sources are called bright; how many are solved again, to see
#: the table's error where E^2.7 Φ is at least this part of its peak
_INDEX, _SAMPLE, _PART = 2.7, 2, 1e-6


class Parts(NamedTuple):
    """Of some sources at the Sun.

    Attributes
    ----------
    flux, uniform : [source, species, energy] arrays
        In the medium of the deck, and in the uniform one.
    stream : [source, species, energy, 3] array
        Flux times dipole.
    doubt : [source, species, energy] array
        Below how much a flux is that is told as 0.
    """

    flux: Array
    uniform: Array
    stream: Array
    doubt: Array

    def total(self) -> Parts:
        """Their sum, without the axis of sources."""
        return Parts(*(part.sum(axis=0) for part in self))

    def plus(self, other: Parts) -> Parts:
        """Both added."""
        return Parts(*(a + b for a, b in zip(self, other, strict=True)))


class Bright(NamedTuple):
    """One of the brightest sources, and what arrives of it."""

    score: float
    source: LocalSource
    parts: Parts


@dataclass(frozen=True, kw_only=True, eq=False)
class Many:
    """Bursts in the medium of a deck, at energies in GeV/n; ``table`` is that of two halos."""

    deck: BurstDeck
    kinetic_energy: Array
    table: ReleaseTable | None

    def parts(self, sources: Iterable[Sources]) -> Iterator[tuple[Sources, Parts]]:
        """Some sources at a time, and what arrives of them; those beyond the halo left out."""
        size = max(1, _SIZE // len(self.kinetic_energy))
        for block in sources:
            inside = block
            if self.deck.medium in ("slab", "two-halo"):
                inside = block.some(np.abs(block.height()[:, 0]) < self.deck.half_height())
            for start in range(0, len(inside), size):
                some = inside.some(slice(start, start + size))
                each = [self._arrival(some, nuclide(name)) for name in self.deck.species()]
                yield some, Parts(*(np.stack(x, axis=1) for x in zip(*each, strict=True)))

    def _arrival(self, sources: Sources, nucleus: Nuclide) -> Parts:
        rigidity = nucleus.rigidity(self.kinetic_energy)
        beta = nucleus.beta(rigidity)
        disk = self.deck.diffusion.disk(rigidity, beta)
        free = spread(sources, disk)
        here, log_bound = self._spread(sources, nucleus, rigidity)
        log_q0 = burst.log_normalisation(sources, nucleus)
        log_q = burst.log_injection(sources, nucleus, log_q0, rigidity) - 3 * np.log(KPC)
        flux, uniform, doubt = (
            np.exp(burst.log_flux(log_q + logs, nucleus))
            for logs in (here.log_density, free.log_density, log_bound)
        )
        return Parts(flux, uniform, flux[..., None] * dipole(sources, here, disk, beta), doubt)

    def _spread(self, sources: Sources, nucleus: Nuclide, rigidity: Array) -> tuple[Spread, Array]:
        """One particle of each, and ln of what its density is below where it is told as 0."""
        deck, beta = self.deck, nucleus.beta(rigidity)
        loss = None if deck.gas is None else deck.gas.loss(nucleus, rigidity)
        if self.table is None:
            half_height = deck.half_height() if deck.medium == "slab" else None
            found = spread(sources, deck.diffusion.disk(rigidity, beta), loss, half_height)
            return found, np.full_like(found.log_density, -np.inf)
        tau = sources.age * deck.diffusion.halo(rigidity, beta) * YEAR / KPC**2
        z = sources.height()[:, 0]
        rho = sources.distance[:, 0] * np.cos(np.radians(sources.b[:, 0]))
        seen = self.table.seen(tau, rho, z)
        fade = 0.0 if loss is None else loss * YEAR * sources.age
        logs, bound = (burst.log_of(x) - fade for x in (seen.density, seen.bound))
        return Spread(logs, seen.inwards, seen.upwards), bound

    def brightest(self, sources: Iterable[Sources]) -> tuple[list[Bright], Parts]:
        """As many as the deck wants, and those that tell the error, and the sum of all others."""
        count, kept = max(self.deck.output.brightest, _SAMPLE), list[Bright]()
        others = self._nothing()
        for some, parts in self.parts(sources):
            score = np.einsum("sne,e->s", parts.flux, self.kinetic_energy**_INDEX)
            top = np.argsort(-score, kind="stable")[:count]
            rest = np.ones(len(some), dtype=bool)
            rest[top] = False
            others = others.plus(Parts(*(x[rest] for x in parts)).total())
            pool = kept + [
                Bright(float(score[i]), some.one(int(i)), Parts(*(x[i] for x in parts)))
                for i in top
            ]
            pool.sort(key=lambda one: -one.score)
            kept = pool[:count]
            for one in pool[count:]:
                others = others.plus(one.parts)
        return kept, others

    def summed(self, sources: Iterable[Sources]) -> Parts:
        """The sum of all."""
        whole = self._nothing()
        for _, parts in self.parts(sources):
            whole = whole.plus(parts.total())
        return whole

    def _nothing(self) -> Parts:
        shape = len(self.deck.species()), len(self.kinetic_energy)
        zero = np.zeros(shape)
        return Parts(zero, zero, np.zeros((*shape, 3)), zero)

    def realisations(self, population: Population) -> list[Parts]:
        """Each Galaxy of a population, side by side; the same for any number of threads."""
        with ThreadPoolExecutor(max_workers=processors()) as pool:
            numbers = range(population.realisations)
            return list(pool.map(lambda n: self.summed(population.galaxy(n)), numbers))

    def error(self, bright: list[Bright]) -> float:
        """Of the brightest fluxes against each source solved by itself."""
        worst, index = 0.0, self.kinetic_energy**_INDEX
        for one in bright[:_SAMPLE]:
            alone = replace(self.deck, local_source=(one.source,), catalogue=None, population=None)
            for i, name in enumerate(self.deck.species()):
                table = one.parts.flux[i]
                seen = (table > 0) & (index * table >= _PART * np.max(index * table))
                if not seen.any():
                    continue
                exact = arrival(alone, nuclide(name), self.kinetic_energy[seen])
                off = np.max(np.abs(table[seen] / np.exp(exact.log_flux[0]) - 1))
                worst = max(worst, float(np.max(exact.error) + off))
        return worst


def many(deck: BurstDeck, kinetic_energy: Array) -> Many:
    """What responds to the catalogue and the population of a deck."""
    if deck.medium != "two-halo":
        return Many(deck=deck, kinetic_energy=kinetic_energy, table=None)
    rates = []
    for name in deck.species():
        rigidity = nuclide(name).rigidity(kinetic_energy)
        rates.append(deck.diffusion.halo(rigidity, nuclide(name).beta(rigidity)))
    rate = np.array(rates) * YEAR / KPC**2
    nearest, youngest, oldest = _extremes(deck)
    first = max(youngest * float(rate.min()), nearest**2 / (4 * _UNSEEN))
    disk, z_h, bend = slowest(deck), deck.half_height(), deck.diffusion.h
    lowest = min(_LOWEST, _SPREAD * float(np.sqrt(2 * disk * first)))
    axis, medium = layered(deck, heights(z_h, [], lowest), _ORDER)
    gone = _GONE / float(medium.modes(0.0, odd=False)[0][0])
    last = max(2 * first, min(oldest * float(rate.max()), gone))
    table = tabulate(medium, axis, disk, min(bend, z_h), first, last)
    return Many(deck=deck, kinetic_energy=kinetic_energy, table=table)


def _extremes(deck: BurstDeck) -> tuple[float, float, float]:
    """Least distance, kpc, least and largest age, yr."""
    ends = []
    if deck.catalogue is not None:
        extent = deck.catalogue.extent
        ends.append((extent.nearest, extent.youngest, extent.oldest))
    if deck.population is not None:
        ends.append((0.0, deck.population.age_min, deck.population.age_max))
    nearest, youngest, oldest = zip(*ends, strict=True)
    return min(nearest), min(youngest), max(oldest)
