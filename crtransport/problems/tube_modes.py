"""The steady flux tube by spectral elements and decay modes."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from crtransport.deck.flux_tube import FluxTubeDeck
from crtransport.problems.pitch_angle import (
    Coordinate,
    Medium,
    basis_ladder,
    coordinate,
    potential_weight,
    spectral_axis,
    spectral_matrices,
    streaming,
)
from crtransport.problems.tube import (
    Steady,
    difference,
    medium_at,
    sample,
    source_loads,
    tube_edges,
)
from crtransport.problems.tube_view import make_view
from crtransport.solvers.eigen import decay_modes
from crtransport.solvers.problem import TwoWayProblem
from crtransport.solvers.two_way_modes import solve_modes

Array = NDArray[np.float64]


def solve_by_modes(deck: FluxTubeDeck, rigidity: float | None) -> Steady:
    """The steady distribution along the tube; functions are added until solver.rtol is met."""
    variation = deck.tube.variation
    where = coordinate(deck.scattering, variation.slope if variation else ())
    singular = deck.source.kind == "half-range" or variation is not None
    before: Steady | None = None
    best: tuple[Steady, int, int] | None = None
    for order, layers in basis_ladder(where, medium_at(deck, 0.0, rigidity), singular):
        answer = _solve(deck, rigidity, where, order, layers, 1)
        if before is not None:
            answer = replace(answer, error=difference(answer, before))
            # round-off grows with the order
            if best is None or not best[0].error <= answer.error:
                best = answer, order, layers
            if answer.error <= deck.solver.rtol:
                break
        before = answer
    assert best is not None  # a ladder has two rungs at least
    answer, order, layers = best
    if variation is None or variation.interpolation == "step":
        return answer
    return _extrapolated(deck, rigidity, where, order, layers, variation.segments, answer.error)


def _extrapolated(
    deck: FluxTubeDeck,
    rigidity: float | None,
    where: Coordinate,
    order: int,
    layers: int,
    segments: int,
    basis_error: float,
) -> Steady:
    """Richardson's extrapolation in the length of the constant pieces, whose error is O(h²).

    Three lengths give two extrapolated answers. The finer has 1/15 of their difference left where
    all is smooth, and all of it at a knot between pieces that are long beside 1/C, where f follows
    the kink of the coefficients in the first order. So all of it is told.
    """
    levels = [
        _solve(deck, rigidity, where, order, layers, pieces)
        for pieces in (segments, 2 * segments, 4 * segments)
    ]
    coarse, fine = (
        replace(b, **{name: value + (value - getattr(a, name)) / 3 for name, value in b.read()})
        for a, b in pairwise(levels)
    )
    return replace(fine, error=basis_error + difference(fine, coarse))


def _solve(
    deck: FluxTubeDeck,
    rigidity: float | None,
    where: Coordinate,
    order: int,
    layers: int,
    pieces: int,
) -> Steady:
    axis = spectral_axis(where, order, layers)
    x = axis.points
    edges = tube_edges(deck, pieces)
    at_source = medium_at(deck, 0.0, rigidity)
    speed = streaming(at_source, where, x)
    profile = deck.source.profile(where.mu(x), where.m)
    emitted = where.measure(x) * potential_weight(at_source, where.mu(x)) * profile
    loads = source_loads(deck, edges, axis, speed, profile, emitted)

    @cache
    def matrices(medium: Medium) -> tuple[Array, Array]:
        return spectral_matrices(medium, where, axis)

    problem = TwoWayProblem(
        edges=edges,
        operator=lambda s: matrices(medium_at(deck, s, rigidity)),
        streaming_up=axis.mass(np.maximum(speed, 0)),
        streaming_down=axis.mass(np.maximum(-speed, 0)),
        **loads,
    )
    steady = sample(deck, make_view(deck, where, axis), solve_modes(problem))
    if deck.tube.variation and deck.tube.variation.inverse_focusing_length:
        # each part then counts with a weight of its own, and the sums do not compare
        return replace(steady, balance=np.nan)
    return steady


def extrapolation_length(medium: Medium, rtol: float = 1e-9) -> tuple[float, float]:
    """z₀ of the Milne problem without losses, pc: how far behind a free end f extrapolates to 0.

    f = ζ + z₀ − g + decaying modes, A g = B 1 and ⟨g⟩ = 0, solves the equation. Nothing enters at
    ζ = 0, so the constant and the modes add up to g on the incoming half: a half-range problem
    whose answer tends to z₀. With focusing the constant no longer pairs with a linear solution,
    and the length is that of the same medium without it. Second is the relative difference from
    the order of the basis before.
    """
    medium = replace(medium, loss_rate=0.0, inverse_focusing_length=0.0)
    where = coordinate(medium.scattering)
    before = np.nan
    for order, layers in basis_ladder(where, medium, singular=True):
        length = _milne(medium, where, order, layers)
        error = abs(before / length - 1)
        if error <= rtol:
            break
        before = length
    return length, error


def _milne(medium: Medium, where: Coordinate, order: int, layers: int) -> float:
    axis = spectral_axis(where, order, layers)
    speed = streaming(medium, where, axis.points)
    a, b = spectral_matrices(medium, where, axis)
    g = decay_modes(a, b).neutral
    assert g is not None  # without loss and focusing zero is a double eigenvalue
    mean = axis.load(where.measure(axis.points)) * where.power / 2
    g[0] -= mean @ g
    problem = TwoWayProblem(
        edges=np.array([0.0, np.inf]),
        operator=lambda s: (a, b),
        streaming_up=axis.mass(np.maximum(speed, 0)),
        streaming_down=axis.mass(np.maximum(-speed, 0)),
        inflow_left=axis.load(np.maximum(speed, 0) * (axis.values @ g)),
    )
    far = 1e3 * float(np.max(np.abs(g)))
    return float(mean @ solve_modes(problem).evaluate(np.array([far]))[0])
