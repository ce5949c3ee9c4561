"""Spectral elements on products of axes: manufactured solutions, conservation, sheets."""

from collections.abc import Callable

import numpy as np
import pytest
import scipy.sparse.linalg as sla
from numpy.typing import NDArray
from scipy.special import j0, jn_zeros

from crtransport.solvers.nodal_grid import NodalAxis, NodalGrid

Array = NDArray[np.float64]


def line(
    order: int, n: int = 3, radial: int = 0, zero: tuple[bool, bool] = (False, True)
) -> NodalAxis:
    return NodalAxis(edges=np.linspace(0, 1, n + 1), orders=(order,) * n, radial=radial, zero=zero)


def solved(grid: NodalGrid, axes: list[int], source: Callable[..., Array]) -> Array:
    one = [grid.stiffness(axis, lambda *x: np.ones_like(x[0])).matrix for axis in axes]
    return np.asarray(sla.spsolve(sum(one[1:], one[0]).tocsc(), grid.load(source)))


@pytest.mark.parametrize("radial", [0, 1, 2])
def test_error_falls_exponentially_with_the_order(radial: int) -> None:
    # −x^−k (x^k ψ')' for ψ = cos(πx/2)
    def source(x: Array) -> Array:
        k = np.pi / 2
        return k**2 * np.cos(k * x) + radial * k**2 * np.sinc(x / 2)

    errors = []
    for order in (3, 5, 7):
        grid = NodalGrid(axes=(line(order, radial=radial),))
        exact = np.cos(np.pi / 2 * grid.coordinates[0])
        errors.append(np.max(np.abs(solved(grid, [0], source) - exact)))
    assert errors[1] < errors[0] / 100
    assert errors[2] < errors[1] / 100
    assert errors[2] < 1e-8


def test_two_dimensions_by_bessel_and_cosine() -> None:
    grid = NodalGrid(axes=(line(8, radial=1), line(8)))
    k = jn_zeros(0, 1)[0]

    def exact(r: Array, z: Array) -> Array:
        return np.asarray(j0(k * r) * np.cos(np.pi / 2 * z))

    found = solved(grid, [0, 1], lambda r, z: (k**2 + np.pi**2 / 4) * exact(r, z))
    r, z = np.meshgrid(*grid.coordinates, indexing="ij")
    assert found == pytest.approx(exact(r, z).ravel(), abs=1e-10)
    assert grid.at((0.3, 0.2)) @ found == pytest.approx(
        exact(np.array(0.3), np.array(0.2)), rel=1e-9
    )


def test_conductivity_may_jump_between_elements() -> None:
    """A sheet at the low end against ψ = ∫ dx/D, linear on either side of the jump."""
    axis = NodalAxis(edges=np.array([0.0, 0.45, 4.0]), orders=(2, 2))
    grid = NodalGrid(axes=(axis,))
    stiff = grid.stiffness(0, lambda x: np.where(x < 0.45, 0.1, 1.0)).matrix
    found = sla.spsolve(stiff.tocsc(), grid.sheet(0, lambda x: np.ones_like(x)))
    assert found[0] == pytest.approx(0.45 / 0.1 + 3.55, rel=1e-12)


def test_convection_carries_out_what_a_sheet_sets_free() -> None:
    """ψ = (1 − e^(−(1−x)V))/V for a flux of 1 (D = 1)."""
    grid = NodalGrid(axes=(line(8),))
    speed = 3.0
    operator = grid.stiffness(0, np.ones_like).matrix
    operator = operator + grid.convection(0, lambda x: np.full_like(x, speed)).matrix
    found = sla.spsolve(operator.tocsc(), grid.sheet(0, np.ones_like))
    x = grid.coordinates[0]
    assert found == pytest.approx(-np.expm1(-(1 - x) * speed) / speed, rel=1e-9)


def test_columns_add_up_to_what_leaves() -> None:
    grid = NodalGrid(axes=(line(4, radial=1), line(5, zero=(True, True))))
    for axis in (0, 1):
        for operator in (
            grid.stiffness(axis, lambda r, z: 1 + r * z),
            grid.convection(axis, lambda r, z: np.cos(3 * z) + r),
        ):
            columns = np.asarray(operator.matrix.sum(axis=0)).ravel()
            assert columns == pytest.approx(operator.total, abs=1e-13 * abs(operator.matrix).max())
            assert np.max(np.abs(operator.total)) > 0.01
    mass = grid.mass(lambda r, z: r + z)
    assert mass.matrix.diagonal() == pytest.approx(mass.total)


def test_volume_and_sheets() -> None:
    closed = (False, False)
    grid = NodalGrid(axes=(line(4, radial=1, zero=closed), line(4, zero=closed)))
    ones = grid.mass(lambda r, z: np.ones_like(r))
    assert np.sum(ones.total) == pytest.approx(0.5)
    assert np.sum(grid.load(lambda r, z: r**2 * z)) == pytest.approx(1 / 8)
    low = grid.sheet(1, lambda r, z: r + z)
    assert np.sum(low) == pytest.approx(1 / 3)
    assert low @ np.tile(grid.coordinates[1], grid.shape[0]) == pytest.approx(0.0)


def test_kinks_within_elements_are_integrated() -> None:
    """∫ |r − 0.4| r^n z r dr dz of polynomials that the elements have."""
    closed = (False, False)
    grid = NodalGrid(axes=(line(4, n=2, radial=1, zero=closed), line(4, zero=closed)))
    r = np.repeat(grid.coordinates[0], grid.shape[1])
    field = grid.load(lambda r, z: np.abs(r - 0.4) * z, [0.4])
    for n in range(5):
        below = 0.4 ** (n + 3) * (1 / (n + 2) - 1 / (n + 3))
        above = (1 - 0.4 ** (n + 3)) / (n + 3) - 0.4 * (1 - 0.4 ** (n + 2)) / (n + 2)
        assert field @ r**n == pytest.approx((below + above) / 2, rel=1e-12)
    smooth = (lambda r, z: (1 + r**2) * z**3), (lambda r, z: (1 + r) * z)
    for function in smooth:
        assert grid.load(function, [0.3, 0.5, 2.0]) == pytest.approx(grid.load(function), abs=1e-15)


def test_no_axes_are_one_place() -> None:
    grid = NodalGrid(axes=())
    assert (grid.shape, grid.n_places) == ((), 1)
    assert grid.mass(lambda: np.array(2.5)).matrix.toarray() == np.array([[2.5]])
    assert grid.at(()) == np.array([1.0])
