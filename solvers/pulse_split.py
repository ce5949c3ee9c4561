"""Pulse problem by operator splitting on finite volumes: the independent check of the Fourier one.

Strang splitting of streaming (third-order upwind fluxes) and diffusion with loss (two solves with
one L-stable second-order factor, R(z) = (1+√2)/(1−γz)² − √2/(1−γz), γ = 1 − 1/√2: SDIRK2 of
Alexander 1977). Second order in the steps of x and t. The slowest rate of A is taken off before,
so that f stays in the range of floats however much is lost.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigvalsh_tridiagonal
from scipy.special import erf

from crtransport.solvers.finite_volume import diffusion_diagonal
from crtransport.solvers.kernels.strang import advect, combine, solve_rows
from crtransport.solvers.problem import PulseProblem, PulseSolution

Array = NDArray[np.float64]

_GAMMA = 1 - 1 / np.sqrt(2)


def solve_split(problem: PulseProblem, steps: int) -> PulseSolution:
    """Solve a pulse problem given by diagonals, with ``steps`` cells along s.

    The time step is at most the length of a cell over the speed, so that Courant numbers stay
    at or below one.
    """
    conductance, loss = problem.operator
    decay = _slowest(conductance, loss, problem.mass)
    loss = loss - decay * problem.mass
    half = problem.half_length()
    faces = np.linspace(-half, half, steps + 1)
    cell = faces[1] - faces[0]
    width = problem.width
    gauss = np.diff(erf(faces / (np.sqrt(2) * width))) / (2 * cell)
    f = np.ascontiguousarray((problem.initial / problem.mass)[:, None] * gauss)
    values = np.empty((len(problem.times), steps, len(f)))
    speed = problem.streaming / problem.mass
    work = [np.empty_like(f), np.empty_like(f)]
    flux = np.empty(steps + 1)
    previous = 0.0
    for i, time in enumerate(problem.times):
        n = max(1, int(np.ceil((time - previous) * problem.speed / cell * (1 - 1e-12))))
        dt = (time - previous) / n
        lower, inverse_pivot = _factor(problem.mass, conductance, loss, _GAMMA * dt)
        courant = speed * dt / cell
        advect(f, courant / 2, flux)
        for step in range(n):
            solve_rows(lower, inverse_pivot, problem.mass, f, work[0])
            solve_rows(lower, inverse_pivot, problem.mass, work[0], work[1])
            combine(work[1], work[0], 1 + np.sqrt(2), -np.sqrt(2), f)
            advect(f, courant if step < n - 1 else courant / 2, flux)
        values[i] = f.T
        previous = float(time)
    middles = (faces[1:] + faces[:-1]) / 2
    return PulseSolution(s=middles, scaled=values, exponents=decay * problem.times, unknowns=f.size)


def _slowest(conductance: Array, loss: Array, mass: Array) -> float:
    """The smallest ω of A v = ω M v."""
    if not np.any(loss):
        return 0.0
    diagonal = (diffusion_diagonal(conductance) + loss) / mass
    beside = -conductance / np.sqrt(mass[1:] * mass[:-1])
    found = eigvalsh_tridiagonal(diagonal, beside, select="i", select_range=(0, 0))
    return float(found[0])


def _factor(mass: Array, conductance: Array, loss: Array, tau: float) -> tuple[Array, Array]:
    """LDLᵀ of M + tau·A, A tridiagonal with (conductance, loss) and no negative eigenvalue."""
    pivot = mass + tau * (diffusion_diagonal(conductance) + loss)
    lower = np.zeros_like(pivot)
    for i in range(1, len(pivot)):
        lower[i] = -tau * conductance[i - 1] / pivot[i - 1]
        pivot[i] += lower[i] * tau * conductance[i - 1]
    return lower, 1 / pivot
