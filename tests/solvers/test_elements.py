"""Spectral elements: exact integrals, continuity, and the order that the docstring claims."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crtransport.solvers.elements import Elements, graded_elements

ELEMENTS = Elements(edges=np.array([-1.0, -0.2, 0.1, 1.0]), orders=(3, 5, 4))


def test_values_and_slopes_agree_with_finite_differences() -> None:
    points, h = ELEMENTS.points, 1e-6
    difference = (ELEMENTS.at(points + h) - ELEMENTS.at(points - h)) / (2 * h)
    np.testing.assert_allclose(difference, ELEMENTS.slopes, atol=1e-8)


def test_functions_are_continuous_across_elements() -> None:
    edges = ELEMENTS.edges[1:-1]
    np.testing.assert_allclose(ELEMENTS.at(edges - 1e-13), ELEMENTS.at(edges + 1e-13), atol=1e-11)


def test_constant_has_an_exactly_zero_row_in_the_stiffness() -> None:
    stiffness = ELEMENTS.stiffness(1 + ELEMENTS.points**2)
    assert np.all(stiffness[0] == 0)
    assert np.all(stiffness[:, 0] == 0)


def test_stiffness_of_a_constant_is_the_identity() -> None:
    expected = np.diag([0.0] + [1.0] * (ELEMENTS.n_functions - 1))
    np.testing.assert_allclose(
        ELEMENTS.stiffness(np.ones_like(ELEMENTS.points)), expected, atol=1e-13
    )


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=4))
def test_polynomials_up_to_the_order_are_exact(coefficients: list[float]) -> None:
    mass = ELEMENTS.mass(np.ones_like(ELEMENTS.points))
    values = np.polynomial.polynomial.polyval(ELEMENTS.points, coefficients)
    fitted = np.linalg.solve(mass, ELEMENTS.load(values))
    np.testing.assert_allclose(ELEMENTS.values @ fitted, values, atol=1e-9)


@pytest.mark.parametrize(("power", "bound"), [(0.5, 1e-5), (1.5, 1e-7), (2.5, 1e-8)])
def test_layers_resolve_a_power_at_the_split(power: float, bound: float) -> None:
    axis = graded_elements(16, 10)
    target = np.abs(axis.points) ** power
    fitted = np.linalg.solve(axis.mass(np.ones_like(target)), axis.load(target))
    error = np.sqrt(axis.weights @ (axis.values @ fitted - target) ** 2)
    assert error < bound


def test_breaks_become_edges() -> None:
    axis = graded_elements(4, 1, breaks=(0.3, 0.7))
    np.testing.assert_allclose(axis.edges, [-1, -0.7, -0.3, -0.045, 0, 0.045, 0.3, 0.7, 1])
