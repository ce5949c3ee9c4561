"""Decay modes: orthogonality, the defective zero, and both discretisations against each other."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crtransport.solvers.eigen import decay_modes
from crtransport.solvers.elements import graded_elements
from crtransport.solvers.errors import ConvergenceError, SingularOperatorError
from crtransport.solvers.finite_volume import Cells, diffusion_diagonal, graded_faces
from crtransport.solvers.sturm import mode_of_rate, slowest_rates

Matrices = tuple[np.ndarray, np.ndarray]


def spectral(m: int, v: float, order: int = 24) -> Matrices:
    """−((1−x^2m) f')' + v f and x^(2m−1) on two elements."""
    axis = graded_elements(order, 0)
    x = axis.points
    a = axis.stiffness(1 - x ** (2 * m))
    if v:
        a = a + v * axis.mass(np.ones_like(x))
    b = axis.mass(x ** (2 * m - 1))
    b[0, 0] = 0.0
    return a, b


def cells(m: int, v: float, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    axis = Cells(faces=graded_faces(n, 1.0))
    conductance = axis.conductance(1 - axis.inner ** (2 * m), np.ones_like(axis.between))
    return conductance, axis.mass(v + 0 * axis.points), axis.mass(axis.points ** (2 * m - 1))


@pytest.mark.parametrize("v", [0.0, 1e-12, 1e-6, 1.0, 1e3])
def test_modes_solve_the_pencil_and_are_orthogonal(v: float) -> None:
    a, b = spectral(2, v, 32)
    modes = decay_modes(a, b)
    for rates, vectors, sign in ((modes.up_rates, modes.up, 1), (modes.down_rates, modes.down, -1)):
        gram = vectors[:, :8].T @ b @ vectors[:, :8]
        np.testing.assert_allclose(gram, sign * np.eye(8), atol=1e-8)
        residual = a @ vectors[:, :8] - b @ vectors[:, :8] * rates[:8]
        assert np.max(np.abs(residual)) < 1e-8 * np.max(rates[:8] * sign)


def test_rates_come_in_pairs() -> None:
    modes = decay_modes(*spectral(2, 1e-6))
    np.testing.assert_allclose(modes.up_rates[:10], -modes.down_rates[:10], rtol=1e-9)


def test_double_zero_is_defective() -> None:
    a, b = spectral(2, 0.0)
    modes = decay_modes(a, b)
    assert modes.constant
    assert modes.neutral is not None
    np.testing.assert_allclose(a @ modes.neutral, b[:, 0], atol=1e-13)
    assert modes.up_rates[0] > 10


def test_a_simple_zero_where_the_constant_carries_flux() -> None:
    a, b = spectral(2, 0.0)
    b[0, 0] = 0.3
    modes = decay_modes(a, b)
    assert modes.constant
    assert modes.neutral is None
    np.testing.assert_allclose(
        a @ modes.up[:, 0], modes.up_rates[0] * b @ modes.up[:, 0], atol=1e-8
    )


def test_a_negative_operator_is_refused() -> None:
    a, b = spectral(2, 1.0)
    with pytest.raises(SingularOperatorError, match="positive definite"):
        decay_modes(-a, b)


@pytest.mark.parametrize("m", [1, 2, 3])
@pytest.mark.parametrize("v", [0.0, 1e-6, 10.0])
def test_cells_converge_to_the_modes_at_second_order(m: int, v: float) -> None:
    modes = decay_modes(*spectral(m, v, 32))
    exact = np.concatenate([[0.0] * int(modes.constant), modes.up_rates])[1:4]
    errors = [np.abs(slowest_rates(*cells(m, v, n), 4)[1:] / exact - 1) for n in (200, 400, 800)]
    orders = np.log2(np.array(errors[:-1]) / np.array(errors[1:]))
    np.testing.assert_allclose(orders, 2.0, atol=0.1)
    assert np.max(errors[-1]) < 1e-3


@settings(deadline=None, max_examples=20)
@given(st.integers(2, 30), st.floats(1e-8, 1e3), st.integers(0, 2**32 - 1))
def test_counting_agrees_with_dense_eigenvalues(half: int, loss: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    n = 2 * half
    conductance = random.uniform(0.1, 10, n - 1)
    speed = np.sort(random.uniform(-1, 1, n))
    speed[:half], speed[half:] = -np.abs(speed[:half]) - 0.01, np.abs(speed[half:]) + 0.01
    matrix = np.diag(diffusion_diagonal(conductance) + loss)
    matrix -= np.diag(conductance, 1) + np.diag(conductance, -1)
    dense = np.linalg.eigvals(np.linalg.solve(matrix, np.diag(speed))).real
    expected = np.sort(1 / dense[dense > 0])[: half // 2 + 1]
    found = slowest_rates(conductance, np.full(n, loss), speed, len(expected))
    np.testing.assert_allclose(found, expected, rtol=1e-7)


def test_more_rates_than_exist_is_an_error() -> None:
    with pytest.raises(ConvergenceError, match="fewer exist"):
        slowest_rates(*cells(1, 1.0, 8), 5)


def test_mode_of_a_rate_solves_the_pencil() -> None:
    conductance, loss, speed = cells(2, 1e-3, 200)
    for rate in slowest_rates(conductance, loss, speed, 3):
        v = mode_of_rate(conductance, loss, speed, rate)
        flux = np.diff(v) * conductance
        applied = loss * v - np.diff(flux, prepend=0, append=0)
        np.testing.assert_allclose(
            applied, rate * speed * v, atol=1e-6 * rate * np.max(np.abs(speed * v))
        )
