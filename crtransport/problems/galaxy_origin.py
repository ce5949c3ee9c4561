"""Nuclides, and where they come from: sources, and heavier ones that break up or decay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crtransport.deck.galaxy import GalaxyDeck
from crtransport.nuclide_tables import DAUGHTERS
from crtransport.nuclides import Nuclide
from crtransport.physics.injection import Source
from crtransport.physics.nuclear import RATE, Nuclear
from crtransport.problems.galaxy_levels import Momenta
from crtransport.problems.galaxy_momentum import REST, Piece, decay_rate, kinematics
from crtransport.problems.galaxy_space import Space
from crtransport.solvers.between import Between, shares
from crtransport.solvers.kernels.differences import fall_through
from crtransport.solvers.kernels.modes import add_shares
from crtransport.solvers.levels import GHOSTS
from crtransport.solvers.problem import FieldProblem, Operator

Array = NDArray[np.float64]
Indices = NDArray[np.int64]

_INNER = slice(GHOSTS, -GHOSTS)
#: production below this part of its largest value does not shape the expected spectrum
_FLOOR = 1e-6
#: a rate that grows by so much, in ln, from a level to the next has a threshold there; built-in
#: ones grow by up to 0.5
_EDGE = 4.0


class Made(NamedTuple):
    """Pairs of a parent and a child, numbers of nuclides, by child.

    ``rates`` is what one parent makes of the child at the same p per nucleon, 1/Myr per unit of
    the matrix in space ``across``, [pair, level] on the extended levels.
    """

    parent: Indices
    child: Indices
    rates: Array
    across: list[Operator]


class Origins:
    """Where all nuclides of a deck come from, parents before children."""

    def __init__(
        self, deck: GalaxyDeck, nuclei: tuple[Nuclide, ...], levels: Momenta, space: Space
    ) -> None:
        self.space, self.shape = space, (levels.n, space.grid.n_places)
        self.names = [source.name for source in deck.source]
        at = kinematics(nuclei, levels)
        #: of each nuclide, and each source that emits it, its number and the spectrum
        self.spectra = [
            [
                (number, *_spectrum(source, nucleus, rigidity, levels))
                for number, source in enumerate(deck.source)
                if source.emits(nucleus)
            ]
            for nucleus, rigidity in zip(nuclei, at.rigidity, strict=True)
        ]
        self.made = _made(deck, nuclei, levels, space)

    def shares(self, log_scales: Array) -> Array:
        """[pair, level] what a y of 1 of a parent makes of its child, over the scales."""
        made = self.made
        change = log_scales[made.parent] - log_scales[made.child]
        return np.asarray((made.rates * np.exp(change))[:, _INNER])

    def log_typical(self, found: Sequence[Piece], levels: Momenta) -> Array:
        """[nuclide, level] ln of the expected N_s: one mode in space, cooled level by level.

            (r + b) N_k = q_k + (b N)_{k+1},      r = Σ rates, b = Σ losses per du/ds

        with each rate of ``found`` weighed by Space.typical_rate, and sources by their weight
        against diffusion; above the highest level N goes on as a power law. It only scales the
        unknowns, so the first order of the differences does not matter, but that it follows N over
        all decades does.
        """
        space, made = self.space, self.made
        sources = np.full((len(self.spectra), len(levels.log_p)), -np.inf)
        for log_source, spectra in zip(sources, self.spectra, strict=True):
            for number, log_q, _ in spectra:
                weight = np.log(space.typical_source(space.sources[number]))
                np.logaddexp(log_source, log_q + weight, out=log_source)
        lost, cooled, spread = np.zeros((3, *sources.shape))
        for _, kind, values, operator in found:
            share = max(space.typical_rate(operator), 0.0)
            if kind == "drift":
                cooled += values * share / levels.stretch
            elif kind == "rate":
                lost += values * share
            else:
                spread += values * share / levels.stretch**2
        weight = {operator: space.typical_rate(operator) for operator in set(made.across)}
        weights = np.array([weight[operator] for operator in made.across])
        floor = _FLOOR * np.max(made.rates, axis=1, initial=0.0, keepdims=True)
        shapes = np.maximum(made.rates, floor)
        rates, out = weights[:, None] * shapes, np.empty_like(sources)
        fall_through(sources, lost, cooled, made.parent, made.child, rates, out)
        steep = np.any(shapes[:, 1:] > np.exp(_EDGE) * shapes[:, :-1], axis=1)
        edge = np.unique(made.child[steep])
        out[edge] = _filled(out[edge], lost[edge], cooled[edge], spread[edge], levels.stretch)
        return out


def _filled(log_n: Array, lost: Array, cooled: Array, spread: Array, stretch: Array) -> Array:
    """[nuclide, level] ln N, which below a threshold falls no faster than without sources.

    N ∝ e^(λs) with K λ² + (b − 3K du/ds) λ = r: losses b bring particles down, spreading K too. As
    measured, a flat S below a threshold errs less than one that follows b too.
    """
    drift = (cooled - REST * stretch * spread) / 2
    root = np.sqrt(drift**2 + spread * lost)
    # of the two forms of the positive root the one without a difference; without either, no limit
    falls = drift > 0
    above, below = np.where(falls, lost, root - drift), np.where(falls, drift + root, spread)
    fall = np.divide(above, below, out=np.full_like(log_n, np.inf), where=below > 0)
    least = log_n.copy()
    for k in range(log_n.shape[1] - 2, -1, -1):
        least[:, k] = np.maximum(least[:, k], least[:, k + 1] - fall[:, k])
    return least


@dataclass(frozen=True, kw_only=True, eq=False)
class Transported:
    """ψp du/ds of one nuclide: y[level, place] times exp(log_scale), cm^-3 Myr^-1 × Myr.

    Attributes
    ----------
    nucleus : Nuclide
    values : [level, place] array
    log_scale : (n_levels + 2 GHOSTS,) array
    problem : FieldProblem
    origin : Origin
    residual : float
    iterations : int
    emission : float
        Factor on what its sources emit: 1, but where each nuclide has its own norm.
    """

    nucleus: Nuclide
    values: Array
    log_scale: Array
    problem: FieldProblem
    origin: Origin
    residual: float
    iterations: int
    emission: float

    @cached_property
    def _in_all(self) -> dict[Operator, Array]:
        return {}

    def in_all(self, across: Operator) -> Array:
        """(n_levels,) y times a matrix in space, summed over places: each child asks for it."""
        if across not in self._in_all:
            self._in_all[across] = self.values @ across.total
        return self._in_all[across]

    def rate(self, freed: Array) -> float:
        """Sum over (n_levels,) of a source of this nuclide, cm^-3 Myr^-1 × kpc^…."""
        return float(self.problem.weight @ freed * np.exp(self.log_scale[_INNER].max()))

    @cached_property
    def freed(self) -> Array:
        """(n_levels,) what its sources set free in total, over the scale."""
        emitted = self.emission * self.origin.emitted_in_all(self.log_scale)
        return np.asarray(emitted + self.origin.produced_in_all(self.log_scale))

    @cached_property
    def budget(self) -> dict[str, float]:
        """What each term takes of the sources; they add up to 1."""
        return self.problem.budget(self.values, self.freed)

    def imbalance(self) -> float:
        """Sources less all losses, relative to the sources."""
        return abs(sum(self.budget.values()) - 1)


class Origin:
    """Where one of the nuclides comes from, given its parents among those that are ``done``.

    ``values``: [nuclide, level, place] y of all of them, parents first.
    """

    def __init__(
        self, origins: Origins, index: int, done: Sequence[Transported], values: Array
    ) -> None:
        self.space, self.shape, self.names = origins.space, origins.shape, origins.names
        self.spectra, made = origins.spectra[index], origins.made
        first, end = np.searchsorted(made.child, [index, index + 1])
        self._rates, self._numbers = made.rates[first:end], made.parent[first:end]
        self._values = values
        self.parents = [(done[made.parent[pair]], made.across[pair]) for pair in range(first, end)]
        scales = [parent.log_scale for parent, _ in self.parents]
        self._scales = np.reshape(scales, self._rates.shape)

    def shares(self, log_scale: Array) -> Array:
        """[parent, level] what a y of 1 of each parent makes, over the scale."""
        return np.asarray((self._rates * np.exp(self._scales - log_scale))[:, _INNER])

    def emitted(self, log_scale: Array, by: str | None = None) -> Array:
        """[level, place] of the sources, or of the one of this name, over the scale."""
        out = np.zeros(self.shape)
        for number, log_q, line in self.spectra:
            if by in (None, self.names[number]):
                load = self.space.sources[number]
                out += spectral_lines(log_q - log_scale, line)[:, None] * load
        return out

    def emitted_in_all(self, log_scale: Array) -> Array:
        """(n_levels,) of all sources over the scale, everywhere."""
        out = np.zeros(self.shape[0])
        for number, log_q, line in self.spectra:
            out += self.space.released[number] * spectral_lines(log_q - log_scale, line)
        return out

    def produced(
        self, log_scale: Array, of: str | None = None, where: Operator | None = None
    ) -> Array:
        """[level, place] of the parents over the scale; ``of`` one, or ``where`` the gas is."""
        out = np.zeros(self.shape)
        for across, fed in self.fed(log_scale, of):
            if where in (None, across):
                out += (across.matrix @ fed.T).T
        return out

    def fed(self, log_scale: Array, of: str | None = None) -> list[tuple[Operator, Array]]:
        """A matrix in space and [level, place] what it makes the source of, over the scale."""
        shares, found = self.shares(log_scale), []
        for place in (self.space.gas, self.space.volume):
            pairs = [
                pair
                for pair, (parent, across) in enumerate(self.parents)
                if across is place and of in (None, parent.nucleus.name)
            ]
            if pairs:
                fed = np.zeros(self.shape)
                add_shares(shares[pairs], self._numbers[pairs], self._values, fed)
                found.append((place, fed))
        return found

    def produced_in_all(self, log_scale: Array, where: Operator | None = None) -> Array:
        """(n_levels,) of all parents over the scale, everywhere, or ``where`` the gas is."""
        out = np.zeros(self.shape[0])
        for share, (parent, across) in zip(self.shares(log_scale), self.parents, strict=True):
            if where is None or across is where:
                out += share * parent.in_all(across)
        return out


def spectral_lines(log_ratio: Array, line: Array | None) -> Array:
    """(n_levels,) what a source sets free, from its ln and, of one energy, its shares."""
    spectrum = np.exp(log_ratio)[_INNER]
    return np.asarray(spectrum if line is None else spectrum * line)


def _spectrum(
    source: Source, nucleus: Nuclide, rigidity: Array, levels: Momenta
) -> tuple[Array, Array | None]:
    """ln dq/ds on the extended levels; of a source at one energy, its share of each level.

    A δ(s − s₀) is shared among the levels around s₀, and what lies around a sharp break too.
    """
    log_q = source.log_spectrum(nucleus, rigidity)
    energy = source.line(nucleus)
    if energy is None:
        per_level = log_q + levels.log_p + np.log(levels.stretch)
        sharp = np.array(source.sharp(nucleus))
        return per_level + _broken(source, nucleus, sharp, levels, per_level), None
    u = np.log(nucleus.momentum(nucleus.rigidity(np.array(energy))))
    return log_q, shares(np.atleast_1d(levels.number(u)), levels.n).toarray()[:, 0]


def _broken(
    source: Source, nucleus: Nuclide, sharp: Array, levels: Momenta, log_here: Array
) -> Array:
    """ln of what levels get of a source with kinks, over their own."""
    if not len(sharp):
        return np.zeros_like(log_here)
    kinks = levels.number(np.log(nucleus.momentum(sharp))) + GHOSTS
    table = Between(len(log_here), kinks)
    u = levels.log_momentum(table.places - GHOSTS)
    rigidity = nucleus.mass_number / nucleus.charge * np.exp(u)
    log_q = source.log_spectrum(nucleus, rigidity) + u + np.log(levels.stretch_at(u))
    return np.log(table.factor(log_q, log_here))


def _made(deck: GalaxyDeck, nuclei: tuple[Nuclide, ...], levels: Momenta, space: Space) -> Made:
    nuclear, helium = deck.nuclear, deck.gas.helium
    if not nuclear.secondaries:
        none = np.empty(0, dtype=int)
        return Made(none, none, np.empty((0, len(levels.log_p))), [])
    names = [nucleus.name for nucleus in nuclei]
    if nuclear.channels or nuclear.channel_file is not None:
        parent, child, rates = collisions(nuclear, nuclei, levels, helium)
    else:
        parent, child, rates = _collisions(nuclei, levels, helium)
        if nuclear.channel_scale:
            pairs = [f"{names[i]}->{names[j]}" for i, j in zip(parent, child, strict=True)]
            scale = np.array([nuclear.channel_scale.get(pair, 1.0) for pair in pairs])
            some = scale != 0
            parent, child, rates = parent[some], child[some], (scale[:, None] * rates)[some]
    across = [space.gas] * len(parent)
    if nuclear.decay:
        gamma = kinematics(nuclei, levels).gamma
        decays = [(i, DAUGHTERS[name]) for i, name in enumerate(names) if name in DAUGHTERS]
        for i, j in [(i, names.index(name)) for i, name in decays if name in names]:
            half_life = nuclear.half_life(nuclei[i])
            if half_life is not None and i < j:
                parent, child = np.append(parent, i), np.append(child, j)
                rates = np.vstack([rates, decay_rate(half_life, gamma[i])])
                across.append(space.volume)
    order = np.argsort(child, kind="stable")
    return Made(parent[order], child[order], rates[order], [across[k] for k in order])


def collisions(
    nuclear: Nuclear, nuclei: tuple[Nuclide, ...], levels: Momenta, helium: float
) -> tuple[Indices, Indices, Array]:
    """Numbers of parents and children, and n β c σ of each pair per density, 1/Myr.

    Of a table, which has kinks and steps, what it makes between the levels.
    """
    at, pairs, rates = kinematics(nuclei, levels), [], []
    tables: dict[int, _Table] = {}
    for j, child in enumerate(nuclei):
        for i, parent in enumerate(nuclei[:j]):
            kinks = nuclear.kinks(parent.name, child.name)
            if kinks is not None and i not in tables:
                tables[i] = _Table(parent, levels, kinks)
            here = (at.energy[i], at.beta[i]) if kinks is None else tables[i].here
            sigma = nuclear.production(parent, child, here[0], helium)
            if sigma is not None and sigma.any():
                rate = RATE * here[1] * sigma
                pairs.append((i, j))
                rates.append(rate if kinks is None else tables[i].between.on_levels(rate))
    both = np.reshape(pairs, (-1, 2)).astype(int)
    return both[:, 0], both[:, 1], np.reshape(rates, (-1, len(levels.log_p)))


class _Table:
    """Where a table of cross sections is read between the levels: T and β of the parent."""

    def __init__(self, parent: Nuclide, levels: Momenta, kinks: Array) -> None:
        places = levels.number(np.log(parent.momentum(parent.rigidity(kinks)))) + GHOSTS
        self.between = Between(len(levels.log_p), places)
        momentum = np.exp(levels.log_momentum(self.between.places - GHOSTS))
        rigidity = parent.mass_number / parent.charge * momentum
        self.here = parent.kinetic_energy(rigidity), parent.beta(rigidity)


@lru_cache(maxsize=16)
def _collisions(
    nuclei: tuple[Nuclide, ...], levels: Momenta, helium: float
) -> tuple[Indices, Indices, Array]:
    """With the package's cross sections: the same for all decks on some levels."""
    return collisions(Nuclear(), nuclei, levels, helium)
