"""Pulses in time: conservation, moments in closed form, and the two solvers on one problem."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.interpolate import CubicSpline

from crtransport.solvers.elements import Elements
from crtransport.solvers.finite_volume import Cells
from crtransport.solvers.problem import PulseProblem, PulseSolution
from crtransport.solvers.pulse_fourier import solve_fourier
from crtransport.solvers.pulse_split import solve_split

TIMES = np.array([0.4, 1.0, 2.5])
WIDTH = 0.2
LOSS = 0.3


def fourier(order: int) -> tuple[Elements, PulseSolution]:
    """Diffusion (1−x²), loss 0.3, streaming x, from 1 + x."""
    axis = Elements(edges=np.array([-1.0, 0.0, 1.0]), orders=(order, order))
    x, ones = axis.points, np.ones_like(axis.points)
    problem = PulseProblem(
        mass=axis.mass(ones),
        streaming=axis.mass(x),
        operator=axis.stiffness(1 - x**2) + LOSS * axis.mass(ones),
        initial=axis.load(1 + x),
        width=WIDTH,
        times=TIMES,
    )
    return axis, solve_fourier(problem)


def split(cells: int) -> tuple[Cells, PulseSolution]:
    axis = Cells(faces=np.linspace(-1, 1, cells + 1))
    x = axis.points
    problem = PulseProblem(
        mass=axis.weights,
        streaming=axis.mass(x),
        operator=(
            axis.conductance(1 - axis.inner**2, np.ones_like(axis.between)),
            LOSS * axis.weights,
        ),
        initial=axis.load(1 + x),
        width=WIDTH,
        times=TIMES,
    )
    return axis, solve_split(problem, 8 * cells)


def moments(s: np.ndarray, density: np.ndarray) -> np.ndarray:
    """[moment 0 and 1, time] of a density on an equidistant grid."""
    cell = s[1] - s[0]
    return np.stack([density.sum(axis=1), density @ s]) * cell


def exact_moments() -> np.ndarray:
    """∫∫ f = 2 e^(−0.3t); ∫∫ s f: d⟨x⟩/dt = −2⟨x⟩ per particle from 2/3, so (2/3)(1−e^(−2t))/2."""
    drift = 2 / 3 * (1 - np.exp(-2 * TIMES)) / 2
    return np.stack([2 * np.ones_like(TIMES), drift]) * np.exp(-LOSS * TIMES)


def test_fourier_has_exact_moments() -> None:
    axis, solution = fourier(14)
    density = solution.values @ axis.load(np.ones_like(axis.points))
    np.testing.assert_allclose(moments(solution.s, density), exact_moments(), rtol=1e-10)


def test_split_has_exact_moments_at_second_order() -> None:
    errors = []
    for cells in (20, 40, 80):
        axis, solution = split(cells)
        found = moments(solution.s, solution.values @ axis.weights)
        errors.append(np.max(np.abs(found / exact_moments() - 1)))
    orders = np.log2(np.array(errors[:-1]) / np.array(errors[1:]))
    np.testing.assert_allclose(orders, 2.0, atol=0.2)
    assert errors[-1] < 1e-3


def test_forward_particles_run_ahead_in_both_solvers() -> None:
    """The direction of streaming: far ahead of the pulse only x > 0 is found."""
    for axis, solution in (fourier(14), split(40)):
        points = np.array([-0.6, 0.6])
        if isinstance(axis, Elements):
            rows = axis.at(points)
        else:
            rows = np.eye(len(axis.points))[np.searchsorted(axis.points, points)]
        ahead = solution.values[0, np.argmin(np.abs(solution.s - 0.5))] @ rows.T
        assert ahead[1] > 5 * ahead[0]


@pytest.mark.parametrize("x", [-0.5, 0.0, 0.5])
def test_the_two_solvers_agree(x: float) -> None:
    axis, reference = fourier(16)
    differences = []
    for cells in (40, 80):
        grid, solution = split(cells)
        k = np.searchsorted(grid.points, x)
        t = (x - grid.points[k - 1]) / (grid.points[k] - grid.points[k - 1])
        found = (1 - t) * solution.values[-1, :, k - 1] + t * solution.values[-1, :, k]
        curve = reference.values[-1] @ axis.at(np.array([x]))[0]
        expected = CubicSpline(reference.s, curve)(solution.s)
        differences.append(np.max(np.abs(found - expected)) / np.max(expected))
    assert differences[1] < 2e-3
    assert differences[1] < 0.45 * differences[0]
