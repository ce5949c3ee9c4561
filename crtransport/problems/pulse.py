"""The time-dependent flux tube: a pulse of particles, by either method."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from crtransport.deck.flux_tube import FiniteDifference, FluxTubeDeck
from crtransport.physics.flux_tube import Pulse
from crtransport.problems.pitch_angle import (
    Medium,
    basis_ladder,
    cell_axis,
    cell_conductance,
    cell_loss,
    cell_measure,
    coordinate,
    loss_density,
    potential_weight,
    spectral_axis,
    spectral_matrices,
    streaming,
)
from crtransport.problems.tube import medium_at
from crtransport.problems.tube_view import (
    Angular,
    View,
    disagreement,
    make_view,
    read_off,
    remaining,
)
from crtransport.solvers.problem import PulseProblem, PulseSolution
from crtransport.solvers.pulse_fourier import STIFFEST, solve_fourier, trigonometric

Array = NDArray[np.float64]

#: orders of the basis to try: what is rough in angle dies out at once, so few are needed
_RUNGS = 5

#: how much softer every other answer is in time
_SOFTER = 2.0

#: of the largest ⟨f⟩, and of (f − ⟨f⟩)/⟨f⟩: what exponentials and a transform leave
_ROUNDING, _ANISOTROPY = 1e-13, 1e-12

#: widths from the light path at which a Gaussian is e^−36 of its peak, below rounding
_BEYOND = 8.5


@dataclass(frozen=True, kw_only=True)
class Spread(Angular):
    """The answer in time: [ct, zeta, …] arrays, and how good they are.

    Attributes
    ----------
    peak, noise : (n_ct,) arrays
        Largest |⟨g⟩| along the tube, and where nothing can have arrived.
    lever : float
        What ⟨ζ²⟩ makes of noise in ⟨g⟩, over the number: the root of the sum of ζ⁴, times a cell.
    displacement : (n_ct,) array
        ⟨ζ²⟩ less its start width², pc².
    number : (n_ct,) array
        ∫⟨f⟩ dζ.
    error : float
        Largest disagreement with the next coarser resolution: of ⟨ζ²⟩ and of the number, and of
        what is read off at a place times ⟨f⟩ there over its largest value at that time.
    unknown : [ct, zeta] array of bool
        Where ⟨f⟩ is below its error: nothing has arrived, as far as numbers can tell.
    unknowns : int
    """

    peak: Array
    noise: Array
    lever: float
    displacement: Array
    number: Array
    error: float
    unknown: NDArray[np.bool_]
    unknowns: int


def solve_pulse(deck: FluxTubeDeck, rigidity: float | None) -> Spread:
    """The pulse at the times of the deck, with an error estimate from a coarser resolution."""
    assert deck.pulse is not None
    if isinstance(deck.solver, FiniteDifference):
        # numba is loaded only where its kernels are used
        from crtransport.problems.tube_cells import of_grid

        fine, coarse, coarsest = (
            _split(deck, deck.pulse, rigidity, *of_grid(deck.solver, part)) for part in (1, 2, 4)
        )
        last, first = _judged(fine, coarse), _judged(coarse, coarsest)
        return replace(last, error=last.error * remaining(first.error, last.error))
    where = coordinate(deck.scattering)
    before: Spread | None = None
    best: Spread | None = None
    for rung, (order, layers) in enumerate(
        basis_ladder(where, medium_at(deck, 0.0, rigidity))[:_RUNGS]
    ):
        # in turns, so that what the stiff ones leave is part of the difference
        stiffest = STIFFEST / (_SOFTER if rung % 2 else 1.0)
        answer = _fourier(deck, deck.pulse, rigidity, order, layers, stiffest)
        if before is not None:
            judged = _judged(answer, before)
            # round-off grows with the order
            best = judged if best is None or judged.error < best.error else best
            if best.error <= deck.solver.rtol:
                break
        before = answer
    assert best is not None  # a ladder has two rungs at least
    return best


def _judged(fine: Spread, coarse: Spread) -> Spread:
    """``fine`` with its disagreement with ``coarse`` as its error."""
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        lost = np.exp(fine.exponent[:, 0] - coarse.exponent[:, 0])
        mean, other = fine.moments[..., 0], lost[:, None] * coarse.moments[..., 0]
        weight = np.abs(mean) / fine.peak[:, None]
        near = weight * disagreement(fine, coarse, _ANISOTROPY)
        moved = np.abs(fine.displacement / coarse.displacement - 1)
        left = np.abs(lost * coarse.number / fine.number - 1)
    gap = np.abs(mean - other) / fine.peak[:, None]
    noise = max(2 * np.max([fine.noise / fine.peak, coarse.noise / coarse.peak]), _ROUNDING)
    # noise far out is weighted with ζ², and may be alike in two answers by chance
    moved += noise * fine.peak * fine.lever / np.abs(fine.number * fine.displacement)
    unknown = weight <= np.max(gap, axis=1, keepdims=True) + noise
    # where ⟨f⟩ is exactly zero there is nothing relative to it
    near = np.max(np.where(mean == 0, gap, near), axis=1) + noise
    return replace(fine, error=float(np.max([near, moved, left])), unknown=unknown)


def _fourier(
    deck: FluxTubeDeck,
    pulse: Pulse,
    rigidity: float | None,
    order: int,
    layers: int,
    stiffest: float,
) -> Spread:
    where = coordinate(deck.scattering)
    axis = spectral_axis(where, order, layers)
    medium = medium_at(deck, 0.0, rigidity)
    mu = where.mu(axis.points)
    measure = where.measure(axis.points) * potential_weight(medium, mu)
    a, b = spectral_matrices(replace(medium, loss_rate=0.0), where, axis)
    if deck.loss.kind != "constant-in-mu":  # else all is lost at the rate that is taken off
        a = a + axis.mass(loss_density(medium, where, axis.points) - medium.loss_rate * measure)
    problem = PulseProblem(
        mass=axis.mass(measure),
        streaming=b,
        operator=a,
        initial=axis.load(measure * deck.source.profile(mu, where.m)),
        width=pulse.width,
        times=np.asarray(pulse.ct),
    )
    solution = solve_fourier(problem, stiffest)
    rows = trigonometric(solution.s, np.asarray(deck.output.zeta))
    return _sample(pulse, make_view(deck, where, axis), medium, solution, rows)


def _split(
    deck: FluxTubeDeck, pulse: Pulse, rigidity: float | None, cells: int, steps: int
) -> Spread:
    # numba is loaded only where its kernels are used
    from crtransport.solvers.pulse_split import solve_split

    where = coordinate(deck.scattering)
    axis = cell_axis(where, cells, smooth=where.power == where.m)
    medium = medium_at(deck, 0.0, rigidity)
    measure = cell_measure(medium, where, axis)
    problem = PulseProblem(
        mass=measure,
        streaming=axis.mass(streaming(medium, where, axis.points)),
        operator=(
            cell_conductance(medium, where, axis),
            cell_loss(medium, where, axis) - medium.loss_rate * measure,
        ),
        initial=measure * deck.source.profile(where.mu(axis.points), where.m),
        width=pulse.width,
        times=np.asarray(pulse.ct),
    )
    solution = solve_split(problem, steps)
    rows = _cubic(solution.s, np.asarray(deck.output.zeta))
    return _sample(pulse, make_view(deck, where, axis), medium, solution, rows)


def _sample(
    pulse: Pulse, view: View, medium: Medium, solution: PulseSolution, rows: Array
) -> Spread:
    s, cell = solution.s, solution.s[1] - solution.s[0]
    mean = solution.scaled @ view.moments[0]
    number = mean.sum(axis=1) * cell
    at_zeta = np.einsum("zs,tsf->tzf", rows, solution.scaled)
    beyond = np.abs(s) > np.asarray(pulse.ct)[:, None] + _BEYOND * pulse.width
    exponent = medium.loss_rate * np.asarray(pulse.ct) + solution.exponents
    return Spread(
        **read_off(view, at_zeta, exponent[:, None]),
        peak=np.max(np.abs(mean), axis=1),
        noise=np.max(np.abs(mean), axis=1, where=beyond, initial=0.0),
        lever=float(cell * np.sqrt(np.sum(s**4))),
        displacement=(mean * s**2).sum(axis=1) * cell / number - pulse.width**2,
        number=number,
        error=np.inf,
        unknown=np.zeros(at_zeta.shape[:2], bool),
        unknowns=solution.unknowns,
    )


def _cubic(s: Array, zeta: Array) -> Array:
    """[zeta, s] weights of the four nearest points of an equidistant grid; zero beyond it."""
    cell = s[1] - s[0]
    k = np.clip(np.floor((zeta - s[0]) / cell).astype(int), 1, len(s) - 3)
    t = (zeta - s[k]) / cell
    weights = np.stack(
        [
            -t * (t - 1) * (t - 2) / 6,
            (t + 1) * (t - 1) * (t - 2) / 2,
            -(t + 1) * t * (t - 2) / 2,
            (t + 1) * t * (t - 1) / 6,
        ],
        axis=1,
    )
    out = np.zeros((len(zeta), len(s)))
    out[np.arange(len(zeta))[:, None], k[:, None] + np.arange(-1, 3)] = weights
    out[(zeta < s[0]) | (zeta > s[-1])] = 0.0
    return out
