"""The steady flux tube on either discretisation: geometry and source to a two-way problem."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.polynomial.legendre import legvander
from numpy.typing import NDArray

from crtransport.deck.flux_tube import FiniteDifference, FluxTubeDeck
from crtransport.problems.pitch_angle import (
    Coordinate,
    Medium,
    basis_ladder,
    cell_axis,
    cell_conductance,
    coordinate,
    loss_density,
    potential_weight,
    spectral_axis,
    spectral_matrices,
    streaming,
)
from crtransport.solvers.elements import Elements
from crtransport.solvers.errors import ConvergenceError
from crtransport.solvers.finite_volume import Cells, diffusion_diagonal
from crtransport.solvers.problem import TwoWayProblem, TwoWaySolution
from crtransport.solvers.two_way_modes import solve_modes

Array = NDArray[np.float64]

#: a tube without end is cut where its slowest mode has fallen by e^−45, below rounding
_CUT = 45.0


class View(NamedTuple):
    """What is read off a vector of coefficients.

    Attributes
    ----------
    chi : (n_chi,) array
    at_chi : [chi, function]
        f on the grid of χ.
    moments : [ell, function]
        Multipoles f_ℓ = (2ℓ+1)/2 ∫ f P_ℓ(μ) dμ.
    step : (n_functions,) array
        f(μ) − f(−μ) at the deck's step_mu.
    """

    chi: Array
    at_chi: Array
    moments: Array
    step: Array


@dataclass(frozen=True, kw_only=True)
class Steady:
    """The steady answer: [zeta, …] arrays, and how good they are.

    Attributes
    ----------
    distribution : [zeta, chi]
    multipole : [zeta, ell]
    step : (n_zeta,) array
        Over the mean intensity.
    error, residual, balance : float
        Relative difference from the next coarser resolution (L2 in μ), residual of the linear
        system, mismatch of the particle balance.
    unknowns : int
    """

    distribution: Array
    multipole: Array
    step: Array
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


def make_view(deck: FluxTubeDeck, where: Coordinate, axis: Elements | Cells) -> View:
    """Rows that turn coefficients on ``axis`` into the outputs of the deck."""
    output = deck.output
    chi = np.linspace(-1, 1, output.chi_points)
    chi_step = output.step_mu ** (1 / where.m)
    step = _at(axis, where.x(np.array([chi_step, -chi_step])))
    return View(
        chi, _at(axis, where.x(chi)), _moments(axis, where, output.ell_max), step[0] - step[1]
    )


def _moments(axis: Elements | Cells, where: Coordinate, ell_max: int) -> Array:
    """[ell, function] (2ℓ+1)/2 ∫ φ P_ℓ(μ) dμ."""
    if isinstance(axis, Cells):
        # exactly, by ∫P_ℓ dμ = (P_{ℓ+1} − P_{ℓ−1})/(2ℓ+1): a constant has no multipoles
        at_faces = legvander(where.mu(axis.faces), ell_max + 1).T
        lower = np.vstack([np.zeros_like(at_faces[:1]), at_faces[:-2]])
        return np.asarray(np.diff(at_faces[1:] - lower, axis=1) / 2)
    ell = np.arange(ell_max + 1)
    density = legvander(where.mu(axis.points), ell_max) * where.measure(axis.points)[:, None]
    scale = where.power * (2 * ell + 1) / 2
    return scale[:, None] * np.stack([axis.load(column) for column in density.T])


def _at(axis: Elements | Cells, x: Array) -> Array:
    """[point, function] values at x; between cell middles, and beyond the last, linear."""
    if isinstance(axis, Elements):
        return axis.at(x)
    points = axis.points
    k = np.clip(np.searchsorted(points, x) - 1, 0, len(points) - 2)
    t = (x - points[k]) / (points[k + 1] - points[k])
    out = np.zeros((len(x), len(points)))
    rows = np.arange(len(x))
    out[rows, k], out[rows, k + 1] = 1 - t, t
    return out


def solve_steady(deck: FluxTubeDeck, rigidity: float | None) -> Steady:
    """The steady distribution along the tube, with the deck's method and its error estimate."""
    if isinstance(deck.solver, FiniteDifference):
        return _solve_cells(deck, deck.solver, rigidity)
    variation = deck.tube.variation
    where = coordinate(deck.scattering, variation.slope if variation else ())
    singular = deck.source.kind == "half-range" or variation is not None
    before: Steady | None = None
    for order, layers in basis_ladder(where, medium_at(deck, 0.0, rigidity), singular):
        answer = _solve_spectral(deck, rigidity, where, order, layers, 1)
        if before is not None:
            answer = replace(answer, error=_difference(deck, answer, before))
            if answer.error <= deck.solver.rtol:
                break
        before = answer
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

    Three lengths give two extrapolated answers; the finer has 1/15 of their difference left.
    """
    levels = [
        _solve_spectral(deck, rigidity, where, order, layers, pieces)
        for pieces in (segments, 2 * segments, 4 * segments)
    ]
    coarse, fine = (
        replace(
            b,
            distribution=b.distribution + (b.distribution - a.distribution) / 3,
            multipole=b.multipole + (b.multipole - a.multipole) / 3,
            step=b.step + (b.step - a.step) / 3,
        )
        for a, b in pairwise(levels)
    )
    return replace(fine, error=basis_error + _difference(deck, fine, coarse) / 15)


def _difference(deck: FluxTubeDeck, fine: Steady, coarse: Steady) -> float:
    """Largest relative difference over ζ, L2 in μ."""
    chi = np.linspace(-1, 1, deck.output.chi_points)
    weight = np.abs(chi) ** (deck.scattering.m - 1)
    scale = np.max(np.abs(fine.distribution)) or 1.0
    size = np.sqrt((fine.distribution / scale) ** 2 @ weight)
    gap = np.sqrt(((fine.distribution - coarse.distribution) / scale) ** 2 @ weight)
    return float(np.max(gap / np.maximum(size, 1e-12 * np.max(size))))


def _solve_spectral(
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
    loads = _source_loads(deck, edges, axis, speed, profile, emitted)
    problem = TwoWayProblem(
        edges=edges,
        operator=lambda s: spectral_matrices(medium_at(deck, s, rigidity), where, axis),
        streaming_up=axis.mass(np.maximum(speed, 0)),
        streaming_down=axis.mass(np.maximum(-speed, 0)),
        **loads,
    )
    steady = _sample(deck, make_view(deck, where, axis), solve_modes(problem))
    if deck.tube.variation and deck.tube.variation.inverse_focusing_length:
        # each part then counts with a weight of its own, and the sums do not compare
        return replace(steady, balance=np.nan)
    return steady


def _source_loads(
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


def _solve_cells(deck: FluxTubeDeck, solver: FiniteDifference, rigidity: float | None) -> Steady:
    fine = _solve_cells_once(deck, solver.cells, solver.steps, rigidity)
    # an even number of cells and of steps, so that the equator and the middle stay edges
    cells, steps = 2 * (solver.cells // 4), 2 * (solver.steps // 4)
    coarse = _solve_cells_once(deck, cells, steps, rigidity)
    # second order: the finer answer has a third of the difference left
    return replace(fine, error=_difference(deck, fine, coarse) / 3)


def _solve_cells_once(deck: FluxTubeDeck, cells: int, steps: int, rigidity: float | None) -> Steady:
    from crtransport.solvers.two_way_march import solve_march

    where = coordinate(deck.scattering, deck.tube.variation.slope if deck.tube.variation else ())
    axis = cell_axis(where, cells, smooth=where.power == where.m)
    x = axis.points
    plain = replace(medium_at(deck, 0.0, rigidity), inverse_focusing_length=0.0)
    speed = streaming(plain, where, x)
    profile = deck.source.profile(where.mu(x), where.m)
    edges, shortest = _cut_edges(deck, where, axis, rigidity)
    up, down = axis.mass(np.maximum(speed, 0)), axis.mass(np.maximum(-speed, 0))

    def operator(s: float) -> tuple[sp.sparray, sp.sparray]:
        return cell_matrix(medium_at(deck, s, rigidity), where, axis), sp.diags_array(up - down)

    problem = TwoWayProblem(
        edges=edges,
        operator=operator,
        streaming_up=sp.diags_array(up),
        streaming_down=sp.diags_array(down),
        **_source_loads(deck, edges, axis, speed, profile, where.measure(x) * profile),
    )
    return _sample(deck, make_view(deck, where, axis), solve_march(problem, steps, shortest))


def cell_matrix(medium: Medium, where: Coordinate, axis: Cells) -> sp.csr_array:
    """Diffusion and loss, pc^-1, with the weight of the focusing divided out again."""
    g = cell_conductance(medium, where, axis)
    diagonal = diffusion_diagonal(g) + axis.mass(loss_density(medium, where, axis.points))
    weight = potential_weight(medium, where.mu(axis.points))
    matrix = sp.diags_array([-g, diagonal, -g], offsets=[-1, 0, 1])
    return sp.csr_array(sp.diags_array(1 / weight) @ matrix)


def cell_rates(
    medium: Medium, where: Coordinate, axis: Cells, n: int, against: bool = False
) -> Array:
    """The n slowest rates |λ| of decay along the tube, or ``against`` it, on cells, pc^-1."""
    # numba is loaded only where its kernels are used
    from crtransport.solvers.sturm import slowest_rates

    x = axis.points
    speed = axis.mass(streaming(medium, where, x))
    return slowest_rates(
        cell_conductance(medium, where, axis),
        axis.mass(loss_density(medium, where, x)),
        -speed if against else speed,
        n,
    )


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
        edges[end] = edges[inner] + sign * _CUT / rate
    lengths = np.diff(edges)
    near = min((abs(z) for z in deck.output.zeta if z != 0), default=float(lengths.min()))
    # f has a power singularity at the equator where data meet the free half: steps graded to it
    return edges, float(1e-4 * near / lengths.max())


def _sample(deck: FluxTubeDeck, view: View, solution: TwoWaySolution) -> Steady:
    coefficients = solution.evaluate(np.asarray(deck.output.zeta))
    multipole = coefficients @ view.moments.T
    with np.errstate(divide="ignore", invalid="ignore"):  # where nothing is left
        step = (coefficients @ view.step) / multipole[:, 0]
    return Steady(
        distribution=coefficients @ view.at_chi.T,
        multipole=multipole,
        step=step,
        error=np.inf,
        residual=solution.residual,
        balance=solution.balance,
        unknowns=solution.unknowns,
    )
