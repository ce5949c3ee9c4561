"""Derivatives of what is seen at the Sun by any parameter of a deck: one adjoint pass.

The nuclides i obey A_i y_i = q_i + Σ_j C_ij y_j. For an observable J(y; θ), with

    A_iᵀ λ_i = ∂J/∂y_i + Σ_k C_kiᵀ λ_k,      children k before their parents i,

    dJ/dθ = ∂J/∂θ + Σ_i λ_iᵀ (∂q_i/∂θ + Σ_j ∂C_ij/∂θ y_j − ∂A_i/∂θ y_i),

whatever the number of parameters. The derivatives of the coefficients, which are smooth, are
central differences, good to eight digits. The scale of the unknowns and the functions of a reduced
basis stay as they are: what their own change would do is of the size of the errors of the
differences in momentum and of the basis.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crtransport.deck.galaxy import GalaxyDeck
from crtransport.deck.load import load_deck
from crtransport.deck.schema import resolve
from crtransport.problems.galaxy_flux import Spectrum
from crtransport.problems.galaxy_momentum import make_along, make_rates, pieces
from crtransport.problems.galaxy_space import Space, make_space, same_space
from crtransport.problems.galaxy_transport import (
    Origin,
    Resolution,
    Transported,
    method_of,
    momentum_order,
    spectral_lines,
    transport,
)
from crtransport.solvers.levels import GHOSTS, REACH
from crtransport.solvers.problem import Operator
from crtransport.solvers.reduced_basis import ReducedGrid, lines

Array = NDArray[np.float64]
Fluxes = dict[str, Array]
Observable = Callable[[Fluxes], float]

#: relative steps of the parameters, and of fluxes
_STEP, _SMALL = 1e-4, 1e-4
#: keys that change nothing but what is set free, and nothing but what becomes of it
_SOURCES = re.compile(r"source\.|nuclear\.channel")
_LOSSES = re.compile(r"(diffusion|reacceleration|losses)\.")
_INNER = slice(GHOSTS, -GHOSTS)


class Adjoint:
    """One run of a galaxy, and its linearisation.

    Parameters
    ----------
    deck : GalaxyDeck
        Of a steady solver; without ``normalisation``, or with that of one nuclide.
    """

    def __init__(self, deck: GalaxyDeck) -> None:
        if deck.solver.kind == "split-cn":
            raise ValueError('solver.kind = "split-cn" marches in time: it has no adjoint here')
        if deck.normalisation is not None and deck.normalisation.common() is None:
            raise ValueError("normalisation.flux: name one nuclide; each by itself is not linear")
        self.deck, self.run = deck, transport(deck)

    def fluxes(self, energy: Array) -> Fluxes:
        """Interstellar fluxes at the Sun at T in GeV/n, m^-2 s^-1 sr^-1 (GeV/n)^-1."""
        return self._fluxes(self.deck, self.run.space, energy)

    def response(self, energy: Array, observable: Observable) -> dict[str, Array]:
        """Nuclide -> [level, place] λ: what a source of it there would add to the observable.

        Per unit of the load vector of a source over the scale of its nuclide.
        """
        slopes = self._slopes(energy, observable)
        method = method_of(self.deck, Resolution())
        loads = {one.nucleus.name: self._seen(one, energy, slopes) for one in self.run.nuclides}
        found = {}
        for index in range(len(self.run.nuclides) - 1, -1, -1):
            one = self.run.nuclides[index]
            load = loads[one.nucleus.name]
            answer = np.zeros_like(load)
            if load.any():
                answer = method(replace(one.problem.transposed(), source=load)).values
            found[one.nucleus.name] = answer
            for parent, rate, across in self._origin(self.deck, index, self.run.space).parents:
                share = (rate * np.exp(parent.log_scale - one.log_scale))[_INNER]
                back = (across.matrix.T @ answer.T).T
                loads[parent.nucleus.name] += share[:, None] * back
        return found

    def gradient(
        self, energy: Array, observable: Observable, by: Sequence[str]
    ) -> dict[str, float]:
        """dJ/dθ for the dotted keys ``by`` of numbers in the deck, in the unit of each key."""
        adjoint = self.response(energy, observable)
        tables = resolve(self.deck)
        here = self._contracted(adjoint, self.run.space)
        found = {}
        for key in by:
            value = _number(tables, key)
            step = _STEP * abs(value) if value else _STEP
            values = []
            for sign in (1, -1):
                deck = _moved(self.deck, key.split("."), value + sign * step)
                space, parts = self.run.space, here
                if not same_space(key):
                    space = self._space(deck)
                    parts = self._contracted(adjoint, space)
                total = observable(self._fluxes(deck, space, energy))
                for one in parts:
                    if not _SOURCES.match(key):
                        total -= one.taken(deck, space)
                    if not _LOSSES.match(key):
                        total += one.given(deck, space)
                values.append(total)
            found[key] = (values[0] - values[1]) / (2 * step)
        return found

    def _contracted(self, adjoint: dict[str, Array], space: Space) -> list[_Contracted]:
        """The nuclides that matter to an observable, in a space."""
        return [
            _Contracted(self, index, adjoint[one.nucleus.name], space)
            for index, one in enumerate(self.run.nuclides)
            if adjoint[one.nucleus.name].any()
        ]

    def _origin(self, deck: GalaxyDeck, index: int, space: Space) -> Origin:
        one, done = self.run.nuclides[index], list(self.run.nuclides[:index])
        return Origin(deck, one.nucleus, self.run.levels, space, done)

    def _space(self, deck: GalaxyDeck) -> Space:
        space = make_space(deck)
        if isinstance(self.run.space.grid, ReducedGrid):
            from crtransport.problems.galaxy_reduced import reduced

            return reduced(space, self.run.space.grid.functions)
        return space

    def _fluxes(self, deck: GalaxyDeck, space: Space, energy: Array) -> Fluxes:
        spectra = {one.nucleus.name: self._spectrum(one, space) for one in self.run.nuclides}
        norm = _common(deck)
        factor = 1.0
        if norm is not None:
            name, at, target = norm
            factor = target / float(spectra[name].flux(np.array(at)))
        return {name: factor * spectrum.flux(energy) for name, spectrum in spectra.items()}

    def _spectrum(self, one: Transported, space: Space) -> Spectrum:
        return Spectrum(one.nucleus, self.run.levels, one.values @ space.sun, one.log_scale)

    def _slopes(self, energy: Array, observable: Observable) -> Fluxes:
        """∂J/∂φ before any normalisation, at the energies, and beyond them at that of the norm."""
        fluxes = self.fluxes(energy)
        slopes = {name: _slope(observable, fluxes, name) for name in fluxes}
        norm = _common(self.deck)
        if norm is None:
            return {name: np.append(slope, 0.0) for name, slope in slopes.items()}
        name, at, target = norm
        one = next(o for o in self.run.nuclides if o.nucleus.name == name)
        own = float(self._spectrum(one, self.run.space).flux(np.array(at)))
        factor = target / own
        out = {key: np.append(factor * slope, 0.0) for key, slope in slopes.items()}
        out[name][-1] = -sum(float(slopes[key] @ fluxes[key]) for key in fluxes) / own
        return out

    def _seen(self, one: Transported, energy: Array, slopes: Fluxes) -> Array:
        """[level, place] ∂J/∂y."""
        norm = _common(self.deck)
        at = np.append(energy, energy[-1] if norm is None else norm[1])
        unit = np.eye(self.run.levels.n)
        weights = Spectrum(one.nucleus, self.run.levels, unit, one.log_scale).flux(at)
        return np.multiply.outer(slopes[one.nucleus.name] @ weights, self.run.space.sun)


class _Contracted:
    """λᵀ (q + C y) and λᵀ A y of one nuclide, y and λ fixed, as sums over the levels."""

    def __init__(self, adjoint: Adjoint, index: int, weights: Array, space: Space) -> None:
        one, run = adjoint.run.nuclides[index], adjoint.run
        self.one, self.levels, self.order = one, run.levels, momentum_order(adjoint.deck)
        self.done = list(run.nuclides[:index])
        self.weights = weights
        rates = make_rates(adjoint.deck, one.nucleus, run.levels)
        self.terms = []
        for _, kind, values, operator in pieces(rates, space, adjoint.deck):
            against = self._against(operator)
            self.terms.append((values, against, self._takes(kind, values, against)))

    def _against(self, operator: Operator) -> Array:
        """[2 REACH + 1, level] λ_k · X y_(k+d)."""
        moved, n = (operator.matrix @ self.one.values.T).T, self.levels.n
        out = np.zeros((2 * REACH + 1, n))
        for d in range(-REACH, REACH + 1):
            k = slice(max(0, -d), min(n, n - d))
            there = slice(max(0, d), min(n, n + d))
            out[REACH + d, k] = np.einsum("ki,ki->k", self.weights[k], moved[there])
        return out

    def given(self, deck: GalaxyDeck, space: Space) -> float:
        """λᵀ (q + C y) of another deck."""
        one = self.one
        origin = Origin(deck, one.nucleus, self.levels, space, self.done)
        total = 0.0
        for _, log_q, line, load, _ in origin.primary:
            total += float(spectral_lines(log_q - one.log_scale, line) @ (self.weights @ load))
        for parent, rate, across in origin.parents:
            share = (rate * np.exp(parent.log_scale - one.log_scale))[_INNER]
            made = (across.matrix @ parent.values.T).T
            total += float(share @ np.einsum("ki,ki->k", self.weights, made))
        return total

    def taken(self, deck: GalaxyDeck, space: Space) -> float:
        """λᵀ A y of another deck."""
        total = 0.0
        rates = make_rates(deck, self.one.nucleus, self.levels)
        for (_, kind, values, _), (before, against, taken) in zip(
            pieces(rates, space, deck), self.terms, strict=True
        ):
            same = np.array_equal(values, before)
            total += taken if same else self._takes(kind, values, against)
        return total

    def _takes(self, kind: str, values: Array, against: Array) -> float:
        """Part of λᵀ A y of one term."""
        along = make_along(kind, values, self.levels, self.one.log_scale, self.order)
        return float(np.sum(lines(along) * against))


def _moved(table: Any, path: Sequence[str], value: float) -> Any:
    """A copy with another number at a path; what was checked once is not checked again."""
    step, *rest = path
    if isinstance(table, tuple | list):
        index = int(step)
        new = value if not rest else _moved(table[index], rest, value)
        return (*table[:index], new, *table[index + 1 :])
    if isinstance(table, Mapping):
        return {**table, step: value if not rest else _moved(table[step], rest, value)}
    other = copy(table)
    new = value if not rest else _moved(getattr(table, step), rest, value)
    object.__setattr__(other, step, new)
    return other


def _common(deck: GalaxyDeck) -> tuple[str, float, float] | None:
    """Nuclide, T and flux that all is scaled to."""
    norm = deck.normalisation
    found = None if norm is None else norm.common()
    return None if norm is None or found is None else (found[0], norm.T, found[1])


def _slope(observable: Observable, fluxes: Fluxes, name: str) -> Array:
    """∂J/∂Φ of one nuclide at each energy."""
    out = np.zeros_like(fluxes[name])
    for i, value in enumerate(fluxes[name]):
        step = _SMALL * value
        values = []
        for steps in (1, -1, 2, -2):
            flux = fluxes[name].copy()
            flux[i] += steps * step
            values.append(observable(fluxes | {name: flux}))
        out[i] = (8 * (values[0] - values[1]) - (values[2] - values[3])) / (12 * step)
    return out


def _number(tables: Mapping[str, Any], key: str) -> float:
    """The value at a dotted key.

    Raises
    ------
    ValueError
        If it is no number.
    """
    place: Any = tables
    for step in key.split("."):
        inside = isinstance(place, Mapping) and step in place
        listed = isinstance(place, list | tuple) and step.isdigit() and int(step) < len(place)
        if not inside and not listed:
            raise ValueError(f"{key}: the deck has nothing there")
        place = place[step] if inside else place[int(step)]
    if isinstance(place, bool) or not isinstance(place, int | float):
        raise ValueError(f"{key} = {place!r} is no number to be differentiated by")
    return float(place)


def gradient(
    deck: Any, energy: Array, observable: Observable, by: Sequence[str]
) -> dict[str, float]:
    """dJ/dθ of anything smooth that is made of the interstellar fluxes at the Sun.

    Parameters
    ----------
    deck : path, str, mapping or deck
        Whatever `crtransport.load_deck` reads: a galaxy of a steady solver, without
        ``normalisation`` or with that of one nuclide.
    energy : array
        T, GeV/n.
    observable : callable
        J of the fluxes {nuclide: [energy]}, m^-2 s^-1 sr^-1 (GeV/n)^-1.
    by : sequence of str
        Dotted keys of numbers, "diffusion.D0" or "source.0.injection.gamma2".

    Returns
    -------
    dict
        Key -> dJ/dθ, θ in the unit of the key.

    Raises
    ------
    DeckError
        If the deck is wrong.
    ValueError
        If it has no adjoint, or a key is no number of it.
    """
    loaded = load_deck(deck)
    if not isinstance(loaded, GalaxyDeck):
        raise ValueError(f'gradient needs model = "galaxy", not "{loaded.model}"')
    tables = resolve(loaded)
    for key in by:
        _number(tables, key)
    return Adjoint(loaded).gradient(np.asarray(energy, dtype=float), observable, by)
