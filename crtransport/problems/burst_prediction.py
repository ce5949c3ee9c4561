"""What local sources predict for measured tables."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crtransport.deck.burst import BurstDeck
from crtransport.measurements.table import Measurement, MeasurementError, per_nucleon_at
from crtransport.nuclides import nuclide
from crtransport.problems.burst_arrival import arrival

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Prediction:
    """Local sources as measurements see them; what they emit is not modulated.

    Attributes
    ----------
    deck : BurstDeck
    """

    deck: BurstDeck

    @classmethod
    def of(cls, deck: BurstDeck, gradient: bool) -> Prediction:
        """Of a deck; no derivatives."""
        assert not gradient
        return cls(deck)

    def at(self, table: Measurement, x: Array, phi: float) -> Array:
        """Sum of the fluxes at x, in the units of the table."""
        nucleus = nuclide(table.quantity)
        energy, jacobian = per_nucleon_at(nucleus, table.x_kind, x)
        found = arrival(self.deck, nucleus, energy)
        return np.asarray(jacobian * np.exp(found.log_flux).sum(axis=0))


def check(deck: BurstDeck, table: Measurement, span: tuple[float, float]) -> None:
    """Refuse a table that the deck predicts nothing for.

    Raises
    ------
    MeasurementError
    """
    if deck.catalogue is not None or deck.population is not None:
        raise MeasurementError("sources of a catalogue or a population are not fitted")
    if not table.is_flux or table.quantity not in deck.species():
        have = ", ".join(deck.species())
        raise MeasurementError(f"{table.name}: the sources emit no {table.quantity} ({have})")


def why_no_gradient(deck: BurstDeck) -> str:
    """That there is no adjoint."""
    return "bursts have no adjoint"
