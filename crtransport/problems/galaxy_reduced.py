"""The space of a galaxy on a few functions, made for the nuclides that it is asked for."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from crtransport.deck.galaxy import GalaxyDeck
from crtransport.nuclides import Nuclide, nuclide
from crtransport.problems.galaxy_levels import Momenta
from crtransport.problems.galaxy_momentum import Rates, pieces
from crtransport.problems.galaxy_space import Space
from crtransport.solvers.factors import ABREAST
from crtransport.solvers.levels import GHOSTS, rate
from crtransport.solvers.problem import FieldProblem, Operator, Term
from crtransport.solvers.reduced_basis import ReducedGrid, project, rational_basis, whole_space

Array = NDArray[np.float64]

#: nuclides whose operators are taken as poles: stable ones of evenly spaced mass, and others of
#: evenly spaced half-life
_STABLE, _UNSTABLE = 2, 2
#: poles of each at least; vectors that they make, over the functions that are asked for: fewer
#: leave the leading directions to chance
_FEWEST, _PLENTY = 3, 4.0
#: losses over diffusion below which they hardly change the shape of a density: above it, poles are
#: evenly spaced in the logarithm of losses over diffusion
_LOW = 0.1
#: rates of a deck over those of another whose basis serves it too
_NEAR = 2.0
#: slope of the spectra by which a drift, and its square a spreading, weighs as a rate
_SLOPE = 3.0
_WEIGHT = {"rate": 1.0, "drift": _SLOPE, "spread": _SLOPE**2}


def basis(
    deck: GalaxyDeck, space: Space, nuclei: Sequence[Nuclide], levels: Momenta, size: int
) -> Array:
    """[place, function] of the nuclides of a deck, the more important ones first.

    The poles are operators in space at a few energies of a few nuclides, the loads those of the
    sources and the Sun, and what they leave times the gas, 1/f and 1/f twice. As many functions as
    places are the whole space, and exact.
    """
    stiffness = sum(part.matrix for part in space.diffusion)
    if size >= space.grid.n_places:
        return whole_space(stiffness)
    slow = space.inverse_diffusion.matrix
    # spreading along the axis is of second order: 1/f twice
    chains = [(space.gas.matrix,), (slow, slow)]
    seen, chosen = [space.sun], _representative(nuclei)
    each = (len(space.sources) + len(seen)) * (1 + sum(map(len, chains)))
    count = max(_FEWEST, math.ceil(_PLENTY * size / each / len(chosen)))
    poles = [
        {operator: values[i] for operator, values in column.items()}
        for column in _columns(deck, space, chosen, levels)
        for i in _places(column, space, count)
    ]
    shifted = (
        _shifted(space, some)
        for some in (poles[i : i + ABREAST] for i in range(0, len(poles), ABREAST))
    )
    return rational_basis(shifted, stiffness, space.sources, seen, chains, size)


def _shifted(space: Space, poles: Sequence[Mapping[Operator, float]]) -> FieldProblem:
    """A field whose levels are the poles."""
    ones, terms = np.ones(len(poles)), []
    for operator in dict.fromkeys(operator for pole in poles for operator in pole):
        values = np.array([pole.get(operator, 0.0) for pole in poles])
        terms.append(Term(name="", along=rate(values, ones), across=operator))
    return FieldProblem(
        terms=tuple(terms),
        source=np.zeros((len(ones), space.grid.n_places)),
        mass=space.volume.total,
        weight=ones,
        shape=space.grid.shape,
    )


def serves(space: Space, levels: Momenta, base: GalaxyDeck, deck: GalaxyDeck) -> bool:
    """Whether a space on the basis of ``base`` is as good for a deck of other rates.

    That is so if, at each level, each rate over diffusion is within a factor of 2 of that of the
    base: poles lie farther from each other than that.
    """
    chosen = _representative([nuclide(name) for name in deck.nuclides])
    of_base, of_deck = (_columns(one, space, chosen, levels) for one in (base, deck))
    for one, other in zip(of_base, of_deck, strict=True):
        for operator in {*one, *other} - {*space.diffusion}:
            size = space.typical_rate(operator)
            here, there = (
                _LOW + size * np.abs(column.get(operator, np.zeros(levels.n)))
                for column in (one, other)
            )
            if np.max(np.abs(np.log(here / there))) > np.log(_NEAR):
                return False
    return True


def reduced(space: Space, functions: Array) -> Space:
    """The space on the functions."""
    done: dict[int, Operator] = {}

    def small(operator: Operator | None) -> Operator | None:
        if operator is None:
            return None
        if id(operator) not in done:
            done[id(operator)] = project(operator, functions)
        return done[id(operator)]

    def sure(operator: Operator) -> Operator:
        return small(operator)  # type: ignore[return-value]

    stiffness = Operator(
        matrix=sum(part.matrix for part in space.diffusion),
        total=np.sum([part.total for part in space.diffusion], axis=0),
    )
    return replace(
        space,
        grid=ReducedGrid(grid=space.grid, functions=functions),
        diffusion=(project(stiffness, functions),),
        inverse_diffusion=sure(space.inverse_diffusion),
        gas=sure(space.gas),
        neutral=sure(space.neutral),
        ionised=sure(space.ionised),
        volume=sure(space.volume),
        convection=small(space.convection),
        divergence=small(space.divergence),
        sources=tuple(functions.T @ load for load in space.sources),
        sun=functions.T @ space.sun,
    )


def _representative(nuclei: Sequence[Nuclide]) -> list[Nuclide]:
    """Stable nuclides by mass, and others by half-life."""
    stable = sorted((n for n in nuclei if n.half_life is None), key=lambda n: n.mass_number)
    others = sorted((n for n in nuclei if n.half_life is not None), key=lambda n: n.half_life or 0)
    return _spaced(stable, _STABLE) + _spaced(others, _UNSTABLE)


def _spaced(nuclei: list[Nuclide], count: int) -> list[Nuclide]:
    places = np.linspace(0, len(nuclei) - 1, min(count, len(nuclei))).round().astype(int)
    return [nuclei[i] for i in dict.fromkeys(places)]


def _columns(
    deck: GalaxyDeck, space: Space, nuclei: Sequence[Nuclide], levels: Momenta
) -> list[dict[Operator, Array]]:
    """Of each nuclide the matrices, and their factors at each level over that of diffusion."""
    rates = Rates(deck, nuclei, levels)
    out: list[dict[Operator, Array]] = [{} for _ in nuclei]
    for _, kind, values, operator in pieces(rates, space, deck):
        parts = (_WEIGHT[kind] * values / rates.diffusion)[:, GHOSTS:-GHOSTS]
        for column, part in zip(out, parts, strict=True):
            column[operator] = column[operator] + part if operator in column else part
    return out


def _places(column: Mapping[Operator, Array], space: Space, count: int) -> list[int]:
    """Levels from the first to the last, evenly spaced in the logarithm of losses over diffusion.

    That tells how far apart their shapes in space are, whatever the energy is.
    """
    lost = _LOW + sum(
        np.abs(values) * space.typical_rate(operator)
        for operator, values in column.items()
        if operator not in space.diffusion
    )
    passed = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(np.log(lost))))])
    wanted = np.linspace(0, passed[-1], count)
    return sorted(set(np.searchsorted(passed, wanted - 1e-9 * passed[-1]).tolist()))
