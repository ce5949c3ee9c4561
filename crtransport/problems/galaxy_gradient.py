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
from crtransport.deck.sensitivity import number_at
from crtransport.problems.galaxy_answer import Answer
from crtransport.problems.galaxy_contraction import OfRates, OfSpace
from crtransport.problems.galaxy_flux import Spectrum
from crtransport.problems.galaxy_origin import Transported
from crtransport.problems.galaxy_space import Space, make_space, same_space
from crtransport.problems.galaxy_transport import Resolution, method_of, transport
from crtransport.solvers.kernels.modes import add_scaled
from crtransport.solvers.reduced_basis import ReducedGrid

Array = NDArray[np.float64]
Fluxes = dict[str, Array]
Observable = Callable[[Fluxes], float]

#: relative steps of the parameters, and of fluxes
_STEP, _SMALL = 1e-4, 1e-4
#: a smaller number takes the step of this one, in its unit: of η = 1e-16 a relative step would be
#: lost in rounding. A flux is as small as its unit makes it, and stays above 0
_LEAST = 1e-2
_FLUX = "normalisation.flux."
#: keys that change nothing but matrices in space and the place of the Sun
_SPACE_ONLY = re.compile(
    r"(geometry|convection)\..*|diffusion\.(?!(D0|R0|R1|delta1|delta2|eta|smoothness|breaks\.\d+\.\w+)$).*"
)


class Adjoint:
    """One run of a galaxy, and its linearisation.

    Parameters
    ----------
    deck : GalaxyDeck
        Of a steady solver; without ``normalisation``, or with that of one nuclide.

    Raises
    ------
    ConvergenceError, SingularOperatorError
        If a nuclide has no answer, or nothing that can be normalised.
    """

    def __init__(self, deck: GalaxyDeck) -> None:
        if deck.solver.kind == "split-cn":
            raise ValueError('solver.kind = "split-cn" marches in time: it has no adjoint here')
        if deck.normalisation is not None and deck.normalisation.common() is None:
            raise ValueError("normalisation.flux: name one nuclide; each by itself is not linear")
        self.deck, self.run = deck, transport(deck)
        _ = Answer(deck, self.run).norm  # raises where there is nothing to normalise
        self._moved: dict[str, tuple[float, list[tuple[GalaxyDeck, Space]]]] = {}

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
        for one in reversed(self.run.nuclides):
            load = loads[one.nucleus.name]
            found[one.nucleus.name] = np.zeros_like(load)
            if not load.any():
                continue
            answer = method(replace(one.problem.transposed(), source=load)).values
            found[one.nucleus.name] = answer
            places = {across for _, across in one.origin.parents}
            back = {
                across: np.ascontiguousarray((across.matrix.T @ answer.T).T) for across in places
            }
            shares = one.origin.shares(one.log_scale)
            for share, (parent, across) in zip(shares, one.origin.parents, strict=True):
                add_scaled(share, back[across], loads[parent.nucleus.name])
        return found

    def gradient(
        self, energy: Array, observable: Observable, by: Sequence[str]
    ) -> dict[str, float]:
        """dJ/dθ for the dotted keys ``by`` of numbers in the deck, in the unit of each key."""
        adjoint = self.response(energy, observable)
        space: OfSpace | None = None
        rates = OfRates(self.deck, self.run, adjoint)
        found = {}
        for key in by:
            moved, fixed = not same_space(key), _SPACE_ONLY.fullmatch(key) is not None
            if moved and space is None:
                space = OfSpace(self.run, adjoint)
            values = []
            step, sides = self._sides(key)
            sun = self.run.space.sun
            seen = key.startswith("normalisation") or any(
                not np.array_equal(here.sun, sun) for _, here in sides
            )
            for deck, here in sides:
                total = 0.0
                if moved and space is not None:
                    total += space.at(here)
                if not fixed:
                    total += rates.at(deck, key)
                if seen:
                    total += observable(self._fluxes(deck, here, energy))
                values.append(total)
            found[key] = (values[0] - values[1]) / (2 * step)
        return found

    def _sides(self, key: str) -> tuple[float, list[tuple[GalaxyDeck, Space]]]:
        """A step, and the decks a step above and below with their spaces."""
        if key not in self._moved:
            value = number_at(self.deck, key)
            step = _STEP * max(abs(value), 0.0 if key.startswith(_FLUX) else _LEAST)
            decks = [_moved(self.deck, key.split("."), value + x) for x in (step, -step)]
            sides = [(d, self.run.space if same_space(key) else self._space(d)) for d in decks]
            self._moved[key] = step, sides
        return self._moved[key]

    def _space(self, deck: GalaxyDeck) -> Space:
        space = make_space(deck, like=self.deck)
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
        one = self.run.one(name)
        own = float(self._spectrum(one, self.run.space).flux(np.array(at)))
        factor = target / own
        out = {key: np.append(factor * slope, 0.0) for key, slope in slopes.items()}
        out[name][-1] = -sum(float(slopes[key] @ fluxes[key]) for key in fluxes) / own
        return out

    def _seen(self, one: Transported, energy: Array, slopes: Fluxes) -> Array:
        """[level, place] ∂J/∂y."""
        if not slopes[one.nucleus.name].any():
            return np.zeros_like(one.values)
        norm = _common(self.deck)
        at = np.append(energy, energy[-1] if norm is None else norm[1])
        unit = np.eye(self.run.levels.n)
        weights = Spectrum(one.nucleus, self.run.levels, unit, one.log_scale).flux(at)
        return np.multiply.outer(slopes[one.nucleus.name] @ weights, self.run.space.sun)


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
    # unequal steps of all values at once: what changes by nothing then does not depend on them
    all_moved = fluxes[name] * (1 + _SMALL * np.linspace(0.5, 1, len(out)))
    if observable(fluxes | {name: all_moved}) == observable(fluxes):
        return out
    for i, value in enumerate(fluxes[name]):
        step = _SMALL * value
        values = []
        for steps in (1, -1, 2, -2):
            flux = fluxes[name].copy()
            flux[i] += steps * step
            values.append(observable(fluxes | {name: flux}))
        out[i] = (8 * (values[0] - values[1]) - (values[2] - values[3])) / (12 * step)
    return out


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
    ConvergenceError
        If a flux is negative or no number: a derivative of that has no meaning.
    """
    loaded = load_deck(deck)
    if not isinstance(loaded, GalaxyDeck):
        raise ValueError(f'gradient needs model = "galaxy", not "{loaded.model}"')
    for key in by:
        number_at(loaded, key)
    adjoint, energy = Adjoint(loaded), np.asarray(energy, dtype=float)
    answer = Answer(loaded, adjoint.run)
    for name in answer.spectra:
        answer.positive(name, energy)
    return adjoint.gradient(energy, observable, by)
