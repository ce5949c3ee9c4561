"""The steady flux tube: what both methods share of geometry, source, and what is read off."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crtransport.deck.flux_tube import FluxTubeDeck
from crtransport.problems.pitch_angle import Medium
from crtransport.problems.tube_view import Angular, View, disagreement, read_off
from crtransport.solvers.elements import Elements
from crtransport.solvers.finite_volume import Cells
from crtransport.solvers.problem import TwoWaySolution

Array = NDArray[np.float64]

#: of (f − ⟨f⟩)/⟨f⟩, which is read off without the constant
_ROUNDING = 1e-14

#: of f for each unknown, and for each e-fold along the tube: what random tubes were found to have
_ROUNDOFF = 1e-13


@dataclass(frozen=True, kw_only=True)
class Steady(Angular):
    """The steady answer: [zeta, …] arrays, and how good they are.

    Attributes
    ----------
    error, residual, balance : float
        Largest ``disagreement`` with the next coarser resolution, residual of the linear system,
        mismatch of the particle balance.
    unknowns : int
    """

    error: float
    residual: float
    balance: float
    unknowns: int


def medium_at(deck: FluxTubeDeck, zeta: float, rigidity: float | None) -> Medium:
    """The medium at one ζ, for one rigidity (GV)."""
    variation = deck.tube.variation
    medium = Medium(
        scattering=deck.scattering,
        loss=deck.loss,
        rate=deck.scattering.rate(rigidity),
        loss_rate=deck.loss.rate,
        inverse_focusing_length=deck.tube.inverse_focusing_length,
    )
    if variation is None:
        return medium
    slope = variation.value("slope", zeta, deck.scattering.slope)
    return replace(
        medium,
        scattering=replace(deck.scattering, slope=slope),
        rate=medium.rate * variation.value("scattering", zeta, 1.0),
        loss_rate=medium.loss_rate * variation.value("loss", zeta, 1.0),
        inverse_focusing_length=variation.value(
            "inverse_focusing_length", zeta, medium.inverse_focusing_length
        ),
    )


def tube_edges(deck: FluxTubeDeck, pieces: int) -> Array:
    """Edges between parts: the source, and where coefficients vary the knots and the outputs.

    Between two of those ``pieces`` equal parts, so that the error falls with their length squared
    at each output.
    """
    half_range = deck.source.kind == "half-range"
    end = np.inf if deck.tube.length is None else deck.tube.length
    edges = [0.0, end] if half_range else [-np.inf, 0.0, end]
    variation = deck.tube.variation
    if variation is not None:
        knots = np.asarray(variation.zeta)
        if variation.interpolation == "linear":
            marks = [z for z in (0.0, *deck.output.zeta) if knots[0] < z < knots[-1]]
            knots = np.unique([*knots, *marks])
            knots = np.concatenate([np.linspace(a, b, pieces + 1) for a, b in pairwise(knots)])
        edges.extend(knots)
    inside = np.unique(edges)
    return inside[(inside >= min(edges[0], 0.0)) & (inside <= end)]


def difference(fine: Steady, coarse: Steady) -> float:
    """Largest disagreement over ζ, and rounding: two that agree by chance are not exact."""
    rounding = _ROUNDOFF * (fine.unknowns + np.abs(fine.exponent))
    return float(np.max(disagreement(fine, coarse, _ROUNDING) + rounding))


def source_loads(
    deck: FluxTubeDeck,
    edges: Array,
    axis: Elements | Cells,
    speed: Array,
    profile: Array,
    emitted: Array,
) -> dict[str, Any]:
    """The source in the terms of a two-way problem: inflow at the left end, or a jump at 0."""
    if deck.source.kind == "half-range":
        return {"inflow_left": axis.load(np.maximum(speed, 0) * profile)}
    density = speed * profile if deck.source.kind == "jump" else emitted
    return {"jumps": {int(np.flatnonzero(edges == 0.0)[0]): axis.load(density)}}


def sample(deck: FluxTubeDeck, view: View, solution: TwoWaySolution) -> Steady:
    """The outputs of the deck from a solution; ``error`` is for the caller to estimate."""
    return Steady(
        **read_off(view, *solution.scaled(np.asarray(deck.output.zeta))),
        error=np.inf,
        residual=solution.residual,
        balance=solution.balance,
        unknowns=solution.unknowns,
    )
