"""What a galaxy predicts for measured tables, and its derivatives by the adjoint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import make_interp_spline

from crtransport.deck.galaxy import GalaxyDeck
from crtransport.measurements.axes import elements as measured_elements
from crtransport.measurements.table import Measurement, MeasurementError, per_nucleon_at
from crtransport.nuclides import nuclide
from crtransport.physics.modulation import Modulation
from crtransport.problems.galaxy_answer import Answer, elements
from crtransport.problems.galaxy_gradient import Adjoint, Fluxes
from crtransport.problems.galaxy_local import local_flux, species
from crtransport.problems.galaxy_transport import transport

Array = NDArray[np.float64]

#: energies per decade at which fluxes are differentiated by; between them, splines of their ratio
#: to the present flux
_PER_DECADE = 12
_DEGREE = 3


class Weighed(NamedTuple):
    """A derivative of χ² by what was predicted for one table.

    Attributes
    ----------
    table : Measurement
    phi : float
        Modulation potential, MV.
    x, weights : array (n,)
        Where it was predicted, and ∂χ²/∂prediction.
    """

    table: Measurement
    phi: float
    x: Array
    weights: Array


@dataclass(frozen=True)
class Prediction:
    """One run of a galaxy, seen as measurements see it.

    Attributes
    ----------
    answer : Answer
        Of the deck.
    adjoint : Adjoint or None
        Its linearisation.
    """

    answer: Answer
    adjoint: Adjoint | None

    @classmethod
    def of(cls, deck: GalaxyDeck, gradient: bool) -> Prediction:
        """Run a deck; with its linearisation where that is wanted.

        Raises
        ------
        ConvergenceError, SingularOperatorError
            If it cannot be solved.
        """
        if not gradient:
            return cls(Answer(deck, transport(deck)), None)
        adjoint = Adjoint(deck)
        return cls(Answer(deck, adjoint.run), adjoint)

    def at(self, table: Measurement, x: Array, phi: float) -> Array:
        """Flux or ratio at x in the units of the table, at a potential in MV.

        Raises
        ------
        ConvergenceError
            If the flux of an isotope is negative or no number there.
        """
        above, *below = (self._flux(name, table, x, phi) for name in measured_elements(table))
        return above / below[0] if below else above

    def _flux(self, element: str, table: Measurement, x: Array, phi: float) -> Array:
        total = self._beside(element, table, x, phi)
        # what local sources hide need not be resolved
        hidden = self.answer.deck.solver.rtol * total
        for name, outside, share in self._seen(element, table, x, phi):
            total = total + share * self.answer.positive(name, outside, hidden / share)
        return total

    def _beside(self, element: str, table: Measurement, x: Array, phi: float) -> Array:
        """What local sources add."""
        total = np.zeros_like(x)
        if table.interstellar or element not in _local(self.answer.deck):
            return total
        here = replace(self.answer.deck, modulation=Modulation(phi=phi))
        energy, jacobian = per_nucleon_at(nuclide(element), table.x_kind, x)
        for i in range(len(here.local_source)):
            total += jacobian * local_flux(here, i)(element, energy)
        return total

    def _seen(
        self, element: str, table: Measurement, x: Array, phi: float
    ) -> list[tuple[str, Array, Array]]:
        """Isotope, T outside the heliosphere, and what its flux there is multiplied by."""
        found = []
        modulation = Modulation(phi=0.0 if table.interstellar else phi)
        for name in elements(self.answer.deck)[element]:
            nucleus = nuclide(name)
            energy, jacobian = per_nucleon_at(nucleus, table.x_kind, x)
            share = modulation.modulated(np.ones_like, energy, nucleus)
            found.append((name, energy + modulation.loss(nucleus), jacobian * share))
        return found

    def gradient(self, weighed: Sequence[Weighed], by: Sequence[str]) -> dict[str, float]:
        """Σ ∂χ²/∂prediction · dprediction/dθ for dotted keys θ; those of modulation are left out.

        Raises
        ------
        ValueError
            If a key has no derivative.
        """
        assert self.adjoint is not None
        loads = self._loads(weighed)
        every = np.concatenate([energy for parts in loads.values() for energy, _ in parts])
        decades = np.log10(every.max() / every.min())
        grid = np.geomspace(every.min(), every.max(), 2 + round(_PER_DECADE * decades))
        slopes = {name: self._spread(name, parts, grid) for name, parts in loads.items()}

        def linear(fluxes: Fluxes) -> float:
            return sum(float(slope @ fluxes[name]) for name, slope in slopes.items())

        return self.adjoint.gradient(grid, linear, by)

    def _loads(self, weighed: Sequence[Weighed]) -> dict[str, list[tuple[Array, Array]]]:
        """Isotope -> T outside, and ∂χ²/∂(its flux there), of each table that it is in."""
        found: dict[str, list[tuple[Array, Array]]] = {}
        for table, phi, x, weights in weighed:
            names = measured_elements(table)
            fluxes = [self._flux(name, table, x, phi) for name in names]
            signs = [np.ones_like(x)]
            if fluxes[1:]:
                signs = [1 / fluxes[1], -fluxes[0] / fluxes[1] ** 2]
            for name, sign in zip(names, signs, strict=True):
                for isotope, outside, share in self._seen(name, table, x, phi):
                    found.setdefault(isotope, []).append((outside, weights * sign * share))
        return found

    def _spread(self, name: str, parts: list[tuple[Array, Array]], grid: Array) -> Array:
        """∂χ²/∂flux on a grid, from those at places between."""
        flux = self.answer.interstellar
        spline = make_interp_spline(np.log(grid), np.eye(grid.size), k=_DEGREE)
        total = np.zeros_like(grid)
        for energy, slope in parts:
            total += (slope * flux(name, energy)) @ spline(np.log(energy))
        return np.asarray(total / flux(name, grid))


def check(deck: GalaxyDeck, table: Measurement, span: tuple[float, float]) -> None:
    """Refuse a table that the deck predicts nothing for.

    Parameters
    ----------
    deck : GalaxyDeck
    table : Measurement
    span : (float, float)
        First and last x.

    Raises
    ------
    MeasurementError
    """
    have = elements(deck)
    for name in measured_elements(table):
        if name not in have:
            raise MeasurementError(f"{table.name}: the deck has no {name} ({', '.join(have)})")
        energy, _ = per_nucleon_at(nuclide(name), table.x_kind, np.array(span))
        low, high = deck.momentum.ends()
        if energy[0] < low or energy[1] > high:
            at = f"{energy[0]:.3g} … {energy[1]:.3g} GeV/n"
            why = f"are beyond momentum.T_min … T_max = {low:g} … {high:g}"
            raise MeasurementError(f"{table.name}: its points at {at} {why}")


def why_no_gradient(deck: GalaxyDeck) -> str:
    """What prevents the adjoint from giving derivatives, or ""."""
    if deck.solver.kind == "split-cn":
        return 'solver.kind = "split-cn" has no adjoint'
    if deck.normalisation is not None and deck.normalisation.common() is None:
        return "normalisation.flux scales each nuclide by itself, which has no adjoint"
    if deck.local_source:
        return "local sources have no adjoint"
    return ""


def _local(deck: GalaxyDeck) -> list[str]:
    return species(deck) if deck.local_source else []
