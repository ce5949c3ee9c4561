"""The steady flux tube by finite volumes: a sparse boundary-value problem, rates by counting."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from crtransport.deck.flux_tube import FiniteDifference, FluxTubeDeck
from crtransport.problems.pitch_angle import (
    Coordinate,
    Medium,
    cell_axis,
    cell_conductance,
    cell_loss,
    coordinate,
    potential_weight,
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
from crtransport.problems.tube_view import make_view, remaining
from crtransport.solvers.errors import ConvergenceError
from crtransport.solvers.finite_volume import Cells, diffusion_matrix
from crtransport.solvers.problem import TwoWayProblem
from crtransport.solvers.sturm import slowest_rates
from crtransport.solvers.two_way_march import solve_march

Array = NDArray[np.float64]

#: a tube without end is cut where its slowest mode has fallen by e^−20: what the cut does dies out
#: against it, as fast again, by e^−40 in all
_CUT = 20.0


def solve_by_cells(deck: FluxTubeDeck, solver: FiniteDifference, rigidity: float | None) -> Steady:
    """The steady distribution along the tube, its error from a half and a quarter of the grid."""
    fine, coarse, coarsest = (
        _solve(deck, *of_grid(solver, share), rigidity) for share in (1, 2, 4)
    )
    last = difference(fine, coarse)
    return replace(fine, error=last * remaining(difference(coarse, coarsest), last))


def of_grid(solver: FiniteDifference, part: int) -> tuple[int, int]:
    """Cells and steps of the deck over ``part``: even numbers, so that equator and middle stay."""
    return max(2 * (solver.cells // (2 * part)), 8), max(2 * (solver.steps // (2 * part)), 2)


def _solve(deck: FluxTubeDeck, cells: int, steps: int, rigidity: float | None) -> Steady:
    where = coordinate(deck.scattering, deck.tube.variation.slope if deck.tube.variation else ())
    axis = cell_axis(where, cells, smooth=where.power == where.m)
    x = axis.points
    plain = replace(medium_at(deck, 0.0, rigidity), inverse_focusing_length=0.0)
    speed = streaming(plain, where, x)
    profile = deck.source.profile(where.mu(x), where.m)
    edges, shortest = _cut_edges(deck, where, axis, rigidity)
    damping = _damping(deck, edges, where, axis, rigidity)
    up, down = axis.mass(np.maximum(speed, 0)), axis.mass(np.maximum(-speed, 0))

    def operator(s: float) -> tuple[sp.sparray, sp.sparray]:
        return cell_matrix(medium_at(deck, s, rigidity), where, axis), sp.diags_array(up - down)

    problem = TwoWayProblem(
        edges=edges,
        operator=operator,
        streaming_up=sp.diags_array(up),
        streaming_down=sp.diags_array(down),
        **source_loads(deck, edges, axis, speed, profile, where.measure(x) * profile),
    )
    solution = solve_march(problem, steps, shortest, damping)
    return sample(deck, make_view(deck, where, axis), solution)


def cell_matrix(medium: Medium, where: Coordinate, axis: Cells) -> sp.csr_array:
    """Diffusion and loss, pc^-1, with the weight of the focusing divided out again."""
    matrix = diffusion_matrix(cell_conductance(medium, where, axis), cell_loss(medium, where, axis))
    weight = potential_weight(medium, where.mu(axis.points))
    return sp.csr_array(sp.diags_array(1 / weight) @ matrix)


def cell_rates(
    medium: Medium, where: Coordinate, axis: Cells, n: int, against: bool = False
) -> Array:
    """The n slowest rates |λ| of decay along the tube, or ``against`` it, on cells, pc^-1."""
    speed = axis.mass(streaming(medium, where, axis.points))
    conductance, loss = cell_conductance(medium, where, axis), cell_loss(medium, where, axis)
    if not np.all(np.isfinite(np.concatenate([conductance, loss, speed]))):
        raise ConvergenceError(
            "coefficients across pitch angle are beyond the range of floats: a rate is too large, "
            "or the field diverges too fast for the scattering"
        )
    return slowest_rates(conductance, loss, -speed if against else speed, n)


def _cut_edges(
    deck: FluxTubeDeck, where: Coordinate, axis: Cells, rigidity: float | None
) -> tuple[Array, float]:
    """Finite edges, and the shortest step as a fraction of a part."""
    edges = tube_edges(deck, 1)
    for end, inner, sign in ((0, 1, -1.0), (-1, -2, 1.0)):
        if np.isfinite(edges[end]):
            continue
        beyond = edges[inner] + sign
        rate = cell_rates(medium_at(deck, beyond, rigidity), where, axis, 1, sign < 0)[0]
        if rate == 0:
            raise ConvergenceError(
                "finite-difference cannot cut a tube without end and without losses: "
                'give tube.length, or use solver.kind = "spectral"'
            )
        last = max(sign * edges[inner], *(sign * z for z in deck.output.zeta))
        edges[end] = sign * (last + _CUT / rate)
    lengths = np.diff(edges)
    near = min((abs(z) for z in deck.output.zeta if z != 0), default=float(lengths.min()))
    # f has a power singularity at the equator where data meet the free half: steps graded to it
    return edges, float(1e-4 * near / lengths.max())


def _damping(
    deck: FluxTubeDeck, edges: Array, where: Coordinate, axis: Cells, rigidity: float | None
) -> Array:
    """[part, 2] slowest rates at both ends of each part, by which f falls away from the source."""
    variation = deck.tube.variation
    smooth = variation is not None and variation.interpolation == "linear"
    sigma = np.empty((len(edges) - 1, 2))
    for j, ends in enumerate(pairwise(edges)):
        sign = 1.0 if ends[0] >= 0 else -1.0
        for k, s in enumerate(ends if smooth else [np.mean(ends)] * 2):
            medium = medium_at(deck, float(s), rigidity)
            sigma[j, k] = sign * cell_rates(medium, where, axis, 1, sign < 0)[0]
    return sigma
