"""Fluxes at the Sun, and densities anywhere, of one run of the galaxy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from crtransport.deck.galaxy import GalaxyDeck
from crtransport.nuclides import nuclide
from crtransport.problems.galaxy_flux import Spectrum
from crtransport.problems.galaxy_transport import Transport
from crtransport.solvers.errors import ConvergenceError

Array = NDArray[np.float64]
Flux = Callable[[str, Array], Array]


class Answer:
    """Fluxes at the Sun of all nuclides of one run, normalised."""

    def __init__(self, deck: GalaxyDeck, run: Transport) -> None:
        self.deck, self.run = deck, run
        self.spectra = {
            one.nucleus.name: Spectrum(
                one.nucleus, run.levels, one.values @ run.space.sun, one.log_scale
            )
            for one in run.nuclides
        }

    @cached_property
    def norm(self) -> float:
        """Factor on all fluxes: 1, or what brings the one normalised nuclide to its flux.

        Raises
        ------
        ConvergenceError
            If it has no flux at the energy of the normalisation.
        """
        norm = self.deck.normalisation
        common = None if norm is None else norm.common()
        if norm is None or common is None:
            return 1.0
        name, target = common
        own = float(self.spectra[name].flux(np.array(norm.T)))
        if own == 0 or not np.isfinite(own):
            raise ConvergenceError(
                f"normalisation.flux: the sources give {name} {own:.3g} at T = {norm.T:g} GeV/n, "
                "which no factor brings to a flux; choose a normalisation.T that they reach"
            )
        return target / own

    def interstellar(self, name: str, energy: Array) -> Array:
        """Flux outside the heliosphere at T in GeV/n."""
        return np.asarray(self.norm * self.spectra[name].flux(energy))

    def positive(self, name: str, energy: Array, unseen: Array | float = 0.0) -> Array:
        """The same, where it has to be a flux; one below 0 by less than ``unseen`` is 0.

        Raises
        ------
        ConvergenceError
            If it is negative or no number, which a norm below 0 may hide.
        """
        flux = self.spectra[name].flux(energy)
        if not (self.norm > 0 and np.all(self.norm * flux >= -np.asarray(unseen))):
            raise ConvergenceError(
                f"{name}: the flux is negative or no number: there is no steady state, or the grid "
                "does not resolve it; a run of the deck tells which"
            )
        return np.asarray(self.norm * np.maximum(flux, 0.0))

    def at_earth(self, name: str, energy: Array) -> Array:
        """Flux at the top of the atmosphere."""
        nucleus = self.spectra[name].nucleus
        return self.deck.modulation.modulated(lambda t: self.interstellar(name, t), energy, nucleus)

    def density(self, name: str, energy: Array) -> Array:
        """[energy, place] dn/dT, cm^-3 (GeV/n)^-1."""
        one = self.run.one(name)
        spectrum = Spectrum(one.nucleus, self.run.levels, one.values, one.log_scale)
        return self.norm * spectrum.density(energy)


def energies(deck: GalaxyDeck) -> Array:
    """Kinetic energies per nucleon of the output, GeV/n, equally spaced in the logarithm."""
    return _spaced(deck.output.T_min, deck.output.T_max, deck.output.per_decade)


def _spaced(first: float, last: float, per_decade: int) -> Array:
    return np.geomspace(first, last, max(2, round(per_decade * np.log10(last / first)) + 1))


def rigidities(deck: GalaxyDeck) -> Array:
    """Rigidities, GV, that all nuclides reach within the energies of the output."""
    ends = np.array([deck.output.T_min, deck.output.T_max])
    all_ends = np.stack([nuclide(name).rigidity(ends) for name in deck.nuclides])
    return _spaced(all_ends[:, 0].max(), all_ends[:, 1].min(), deck.output.per_decade)


def elements(deck: GalaxyDeck) -> dict[str, list[str]]:
    """Element -> its nuclides in the deck, by charge."""
    found: dict[str, list[str]] = {}
    for name in sorted(deck.nuclides, key=lambda n: (nuclide(n).charge, nuclide(n).mass_number)):
        found.setdefault(nuclide(name).element, []).append(name)
    return found


def by_rigidity(flux: Flux, names: Sequence[str], rigidity: Array) -> Array:
    """Φ_R = Φ_T dT/dR = Φ_T β Z/A, summed over nuclides at the same rigidity."""
    total = np.zeros_like(rigidity)
    for name in names:
        nucleus = nuclide(name.partition("->")[2] or name)
        slope = nucleus.beta(rigidity) * nucleus.charge / nucleus.mass_number
        total += slope * flux(name, nucleus.kinetic_energy(rigidity))
    return total
