"""The two-way problem: exact solutions, balance, measured orders, two solvers on one problem."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp

from crtransport.solvers.elements import graded_elements
from crtransport.solvers.errors import SingularOperatorError
from crtransport.solvers.finite_volume import Cells, diffusion_matrix, graded_faces
from crtransport.solvers.problem import TwoWayProblem
from crtransport.solvers.two_way_march import solve_march, two_sided
from crtransport.solvers.two_way_modes import solve_modes


def tilt(x: np.ndarray, t: float) -> np.ndarray:
    """Weight e^(−t x) of a drift: then f = e^(−t s/… + t x) is exact, see ``exact``."""
    return np.exp(-t * x)


def exact(s: np.ndarray, x: np.ndarray, t: float) -> np.ndarray:
    """[s, x] e^(t x − 2 t s): solves h f_s = ((1−x²) e^(−tx) f')' with h = x e^(−tx).

    −2t x E f against t ((1−x²) E f)' = t E f (−2x): equal for any t.
    """
    return np.exp(t * x[None, :] - 2 * t * s[:, None])


def spectral_problem(t: float, length: float, order: int, **change: Any) -> TwoWayProblem:
    axis = graded_elements(order, 0)
    x = axis.points
    weight = tilt(x, t)
    a, b = axis.stiffness((1 - x**2) * weight), axis.mass(x * weight)
    ends = exact(np.array([0.0, length]), x, t)
    problem = TwoWayProblem(
        edges=np.array([0.0, length]),
        operator=lambda s: (a, b),
        streaming_up=axis.mass(np.maximum(x, 0) * weight),
        streaming_down=axis.mass(np.maximum(-x, 0) * weight),
        inflow_left=axis.load(np.maximum(x, 0) * weight * ends[0]),
        inflow_right=axis.load(np.maximum(-x, 0) * weight * ends[1]),
    )
    return replace(problem, **change)


def cell_problem(t: float, length: float, n: int) -> tuple[Cells, TwoWayProblem]:
    axis = Cells(faces=graded_faces(n, 1.0))
    x = axis.points
    weight = tilt(x, t)
    g = axis.conductance((1 - axis.inner**2) * tilt(axis.inner, t), np.ones_like(axis.between))
    a = diffusion_matrix(g, np.zeros(n))
    up, down = (sp.diags_array(axis.mass(np.maximum(s * x, 0) * weight)) for s in (1, -1))
    ends = exact(np.array([0.0, length]), x, t)
    problem = TwoWayProblem(
        edges=np.array([0.0, length]),
        operator=lambda s: (a, up - down),
        streaming_up=up,
        streaming_down=down,
        inflow_left=axis.load(np.maximum(x, 0) * weight * ends[0]),
        inflow_right=axis.load(np.maximum(-x, 0) * weight * ends[1]),
    )
    return axis, problem


@pytest.mark.parametrize("t", [0.0, 1.0, -2.0])
def test_modes_reproduce_an_exact_solution(t: float) -> None:
    solution = solve_modes(spectral_problem(t, 0.4, 20))
    x, s = np.linspace(-1, 1, 21), np.array([0.1, 0.2, 0.3])
    found = solution.evaluate(s) @ graded_elements(20, 0).at(x).T
    np.testing.assert_allclose(found, exact(s, x, t), rtol=1e-6)
    assert solution.residual < 1e-12


def test_cutting_the_interval_changes_nothing() -> None:
    whole = solve_modes(spectral_problem(1.0, 0.4, 16))
    edges = np.array([0.0, 0.1, 0.25, 0.4])
    parts = solve_modes(spectral_problem(1.0, 0.4, 16, edges=edges))
    s = np.array([0.05, 0.15, 0.35])
    np.testing.assert_allclose(parts.evaluate(s), whole.evaluate(s), atol=1e-6)


def test_march_has_its_declared_orders() -> None:
    length, s = 0.4, np.array([0.4])
    errors = []
    for n in (40, 80, 160):
        axis, problem = cell_problem(1.0, length, n)
        solution = solve_march(problem, n // 2, 1.0)
        errors.append(np.max(np.abs(solution.evaluate(s) - exact(s, axis.points, 1.0))))
        assert solution.residual < 1e-11
        assert solution.balance < 1e-11
    orders = np.log2(np.array(errors[:-1]) / np.array(errors[1:]))
    np.testing.assert_allclose(orders, 2.0, atol=0.2)
    assert errors[-1] < 1e-4


def test_what_is_taken_off_changes_nothing() -> None:
    """σ of any size and slope: f is the same, to the order of the method."""
    _, problem = cell_problem(1.0, 0.4, 40)
    problem = replace(problem, inflow_right=None)
    s, damping = np.array([0.05, 0.15, 0.35]), np.array([[1.0, 4.0]])
    apart = []
    for steps in (20, 40, 80):
        plain, damped = (
            solve_march(problem, steps, 1.0, off).evaluate(s) for off in (None, damping)
        )
        apart.append(np.max(np.abs(damped - plain)) / np.max(plain))
    assert apart[-1] < 1e-4
    assert np.all(np.log2(np.array(apart[:-1]) / np.array(apart[1:])) > 1.8), apart


def test_a_long_interval_in_parts_is_the_long_interval() -> None:
    """e^−2000 from one end to the other: relative accuracy at each place."""
    axis = graded_elements(16, 0)
    x = axis.points
    a = axis.stiffness(1 - x**2) + axis.mass(np.ones_like(x))
    problem = TwoWayProblem(
        edges=np.array([0.0, 1500.0]),
        operator=lambda s: (a, axis.mass(x)),
        streaming_up=axis.mass(np.maximum(x, 0)),
        streaming_down=axis.mass(np.maximum(-x, 0)),
        inflow_left=axis.load(np.maximum(x, 0)),
    )
    whole = solve_modes(problem)
    parts = solve_modes(replace(problem, edges=np.array([0.0, 1.0, 700.0, 1400.0, 1500.0])))
    s = np.array([0.5, 699.0, 1450.0])
    (g, exponent), (other, others) = whole.scaled(s), parts.scaled(s)
    np.testing.assert_allclose(exponent, others, rtol=1e-12)
    assert exponent[-1] > 1500
    np.testing.assert_allclose(axis.values @ g.T, axis.values @ other.T, rtol=1e-8)


def test_march_is_third_order_in_the_steps() -> None:
    """Where it leaves the interval: there the flux of a step is superconvergent."""
    axis, problem = cell_problem(1.0, 1.0, 10)
    leaving, end = axis.points < 0, np.array([0.0])
    fine = solve_march(problem, 1024, 1.0).evaluate(end)[0, leaving]
    errors = [
        np.max(np.abs(solve_march(problem, steps, 1.0).evaluate(end)[0, leaving] - fine))
        for steps in (64, 128, 256)
    ]
    orders = np.log2(np.array(errors[:-1]) / np.array(errors[1:]))
    assert np.all(orders > 2.7), orders


def test_jump_of_an_even_profile_is_antisymmetric() -> None:
    axis = graded_elements(16, 0)
    x = axis.points
    a = axis.stiffness(1 - x**2) + 0.1 * axis.mass(np.ones_like(x))
    b = axis.mass(x)
    problem = TwoWayProblem(
        edges=np.array([-np.inf, 0.0, np.inf]),
        operator=lambda s: (a, b),
        streaming_up=axis.mass(np.maximum(x, 0)),
        streaming_down=axis.mass(np.maximum(-x, 0)),
        jumps={1: axis.load(x * (1 + x**2))},
    )
    solution = solve_modes(problem)
    points = axis.at(np.linspace(-1, 1, 11)).T
    above, below = (solution.evaluate(np.array([s])) @ points for s in (0.2, -0.2))
    np.testing.assert_allclose(above, -below[:, ::-1], atol=1e-12)
    step = solution.evaluate(np.array([0.0, -1e-12])) @ axis.values.T
    jump = (step[0] - step[1]) * axis.weights * x @ axis.values
    np.testing.assert_allclose(jump, axis.load(x * (1 + x**2)), atol=1e-6)
    assert solution.balance < 1e-12


def test_no_way_out_is_an_error() -> None:
    axis = graded_elements(8, 0)
    x = axis.points
    a, b = axis.stiffness(1 - x**2), axis.mass(x)
    b[0, 0] = 0.0
    problem = TwoWayProblem(
        edges=np.array([-np.inf, 0.0, np.inf]),
        operator=lambda s: (a, b),
        streaming_up=axis.mass(np.maximum(x, 0)),
        streaming_down=axis.mass(np.maximum(-x, 0)),
        jumps={1: axis.load(np.ones_like(x))},
    )
    with pytest.raises(SingularOperatorError, match="never leaves"):
        solve_modes(problem)


def test_nothing_entering_is_an_error() -> None:
    problem = spectral_problem(0.0, 1.0, 8, inflow_left=None, inflow_right=None)
    with pytest.raises(SingularOperatorError, match="nothing enters"):
        solve_modes(problem)


def test_march_refuses_infinite_edges() -> None:
    problem = replace(cell_problem(0.0, 1.0, 8)[1], edges=np.array([0.0, np.inf]))
    with pytest.raises(ValueError, match="finite edges"):
        solve_march(problem, 8, 1.0)


@pytest.mark.parametrize("shortest", [1.0, 1e-2, 1e-6])
def test_steps_grow_from_both_ends(shortest: float) -> None:
    knots = two_sided(40, shortest)
    lengths = np.diff(knots)
    assert knots[0] == 0
    assert knots[-1] == 1
    assert np.all(lengths > 0)
    np.testing.assert_allclose(lengths, lengths[::-1], rtol=1e-9)
    np.testing.assert_allclose(lengths[0], min(shortest, 1 / 40), rtol=1e-6)
