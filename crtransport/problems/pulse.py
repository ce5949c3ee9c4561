"""The time-dependent flux tube: a pulse of particles, by either method."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from crtransport.deck.flux_tube import FiniteDifference, FluxTubeDeck
from crtransport.physics.flux_tube import Pulse
from crtransport.problems.pitch_angle import (
    basis_ladder,
    cell_axis,
    cell_conductance,
    cell_loss,
    cell_measure,
    coordinate,
    potential_weight,
    spectral_axis,
    spectral_matrices,
    streaming,
)
from crtransport.problems.tube import View, make_view, medium_at
from crtransport.solvers.problem import PulseProblem, PulseSolution
from crtransport.solvers.pulse_fourier import solve_fourier

Array = NDArray[np.float64]

#: orders of the basis to try: what is rough in angle dies out at once, so few are needed
_RUNGS = 5


@dataclass(frozen=True, kw_only=True)
class Spread:
    """The answer in time: [ct, zeta, …] arrays, and how good they are.

    Attributes
    ----------
    distribution : [ct, zeta, chi]
    multipole : [ct, zeta, ell]
    step : [ct, zeta]
        Over the mean intensity.
    displacement : (n_ct,) array
        ⟨ζ²⟩ less its start width², pc².
    number : (n_ct,) array
        ∫⟨f⟩ dζ.
    error : float
        Relative difference of the mean intensity from the next coarser resolution.
    unknowns : int
    """

    distribution: Array
    multipole: Array
    step: Array
    displacement: Array
    number: Array
    error: float
    unknowns: int


def solve_pulse(deck: FluxTubeDeck, rigidity: float | None) -> Spread:
    """The pulse at the times of the deck, with an error estimate from a coarser resolution."""
    assert deck.pulse is not None
    if isinstance(deck.solver, FiniteDifference):
        fine = _split(deck, deck.pulse, rigidity, deck.solver.cells, deck.solver.steps)
        cells = 2 * (deck.solver.cells // 4)
        coarse = _split(deck, deck.pulse, rigidity, cells, deck.solver.steps // 2)
        return replace(fine, error=_difference(fine, coarse) / 3)
    where = coordinate(deck.scattering)
    before: Spread | None = None
    for order, layers in basis_ladder(where, medium_at(deck, 0.0, rigidity))[:_RUNGS]:
        answer = _fourier(deck, deck.pulse, rigidity, order, layers)
        if before is not None:
            answer = replace(answer, error=_difference(answer, before))
            if answer.error <= deck.solver.rtol:
                break
        before = answer
    return answer


def _difference(fine: Spread, coarse: Spread) -> float:
    """Largest difference of ⟨f⟩ over its largest value at that time, and of ⟨ζ²⟩."""
    mean, other = fine.multipole[..., 0], coarse.multipole[..., 0]
    size = np.max(np.abs(mean), axis=1)
    gap = np.max(np.abs(mean - other), axis=1) / size
    moved = np.abs(fine.displacement / coarse.displacement - 1)
    return float(max(np.max(gap), np.max(moved)))


def _fourier(
    deck: FluxTubeDeck, pulse: Pulse, rigidity: float | None, order: int, layers: int
) -> Spread:
    where = coordinate(deck.scattering)
    axis = spectral_axis(where, order, layers)
    medium = medium_at(deck, 0.0, rigidity)
    mu = where.mu(axis.points)
    measure = where.measure(axis.points) * potential_weight(medium, mu)
    a, b = spectral_matrices(medium, where, axis)
    problem = PulseProblem(
        mass=axis.mass(measure),
        streaming=b,
        operator=a,
        initial=axis.load(measure * deck.source.profile(mu, where.m)),
        width=pulse.width,
        times=np.asarray(pulse.ct),
    )
    return _sample(deck, pulse, make_view(deck, where, axis), solve_fourier(problem))


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
            cell_loss(medium, where, axis),
        ),
        initial=measure * deck.source.profile(where.mu(axis.points), where.m),
        width=pulse.width,
        times=np.asarray(pulse.ct),
    )
    return _sample(deck, pulse, make_view(deck, where, axis), solve_split(problem, steps))


def _sample(deck: FluxTubeDeck, pulse: Pulse, view: View, solution: PulseSolution) -> Spread:
    s, cell = solution.s, solution.s[1] - solution.s[0]
    mean = solution.values @ view.moments[0]
    number = mean.sum(axis=1) * cell
    # between the grid points by cubic interpolation, beyond them nothing has arrived
    rows = _cubic(s, np.asarray(deck.output.zeta))
    at_zeta = np.einsum("zs,tsf->tzf", rows, solution.values)
    multipole = at_zeta @ view.moments.T
    with np.errstate(divide="ignore", invalid="ignore"):
        step = (at_zeta @ view.step) / multipole[..., 0]
    return Spread(
        distribution=at_zeta @ view.at_chi.T,
        multipole=multipole,
        step=step,
        displacement=(mean * s**2).sum(axis=1) * cell / number - pulse.width**2,
        number=number,
        error=np.inf,
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
