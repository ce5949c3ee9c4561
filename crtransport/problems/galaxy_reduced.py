"""The space of a galaxy on a few functions, made for the nuclides that it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from crtransport.deck.galaxy import GalaxyDeck
from crtransport.nuclides import Nuclide
from crtransport.problems.galaxy_levels import Momenta
from crtransport.problems.galaxy_momentum import Piece, Rates, pieces
from crtransport.problems.galaxy_space import Space
from crtransport.solvers.levels import GHOSTS, rate
from crtransport.solvers.problem import FieldProblem, Operator, Term
from crtransport.solvers.reduced_basis import ReducedGrid, project, rational_basis

Array = NDArray[np.float64]

#: nuclides whose operators are taken as poles: stable ones of evenly spaced mass, and others of
#: evenly spaced half-life
_STABLE, _UNSTABLE = 2, 2
#: energies of the poles, GeV/n: from the lowest one to where losses matter no longer
_POLES, _HIGHEST = 4, 30.0
#: slope of the spectra by which a drift, and its square a spreading, weighs as a rate
_SLOPE = 3.0


def basis(
    decks: Sequence[GalaxyDeck],
    space: Space,
    nuclei: Sequence[Nuclide],
    levels: Momenta,
    size: int,
) -> Array:
    """[place, function] of the nuclides of decks in one space, the more important ones first.

    The poles are operators in space at a few energies of a few nuclides, the loads those of the
    sources and the Sun, and what they leave times the gas, 1/f and 1/f twice.
    """
    chosen, where = _representative(nuclei), _energies(levels)
    terms, operators, columns = [], dict[int, Operator](), []
    for deck in decks:
        rates = Rates(deck, chosen, levels)
        found = pieces(rates, space, deck)
        columns += [_pole(found, rates, n, i) for n in range(len(chosen)) for i in where]
    for column in columns:
        operators |= {id(operator): operator for operator, _ in column}
    ones = np.ones(len(columns))
    for key, operator in operators.items():
        values = [sum(c for o, c in column if id(o) == key) for column in columns]
        along = rate(np.array(values, dtype=float), ones)
        terms.append(Term(name="", along=along, across=operator))
    shifted = FieldProblem(
        terms=tuple(terms),
        source=np.zeros((len(ones), space.grid.n_places)),
        mass=space.volume.total,
        weight=ones,
        shape=space.grid.shape,
    )
    slow = space.inverse_diffusion.matrix
    return rational_basis(
        shifted,
        stiffness=sum(part.matrix for part in space.diffusion),
        loads=space.sources,
        seen=[space.sun],
        # spreading along the axis is of second order: 1/f twice
        chains=[(space.gas.matrix,), (slow, slow)],
        size=size,
    )


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


def _energies(levels: Momenta) -> list[int]:
    """Levels, on the extended ones, evenly spaced in ln p up to the highest pole."""
    first, last = levels.inner[0], min(np.log(_HIGHEST), levels.inner[-1])
    places = levels.number(np.linspace(first, last, _POLES))
    return sorted({GHOSTS + round(float(place)) for place in places})


def _pole(
    found: Sequence[Piece], rates: Rates, nuclide: int, level: int
) -> list[tuple[Operator, float]]:
    """Matrices and their factors for a nuclide at a level, over that of diffusion."""
    weight = {"rate": 1.0, "drift": _SLOPE, "spread": _SLOPE**2}
    diffusion = rates.diffusion[nuclide, level]
    return [
        (operator, weight[kind] * float(values[nuclide, level] / diffusion))
        for _, kind, values, operator in found
    ]
