"""Finite volumes on products of axes: second order by manufactured solutions, jumps, sheets."""

from collections.abc import Callable

import numpy as np
import pytest
import scipy.sparse.linalg as sla
from numpy.typing import NDArray
from scipy.special import j0, jn_zeros

from crtransport.solvers.cell_grid import CellAxis, CellGrid, clustered_nodes
from crtransport.solvers.nodal_grid import NodalAxis, NodalGrid
from crtransport.solvers.problem import Operator

Array = NDArray[np.float64]


def clustered(n: int) -> Array:
    """Steps that grow fourfold."""
    return clustered_nodes(1.0, n, 0.25)


def uneven(n: int) -> Array:
    """Steps that alternate between 1 and 2."""
    steps = np.where(np.arange(n) % 2, 2.0, 1.0)
    return np.asarray(np.concatenate([[0.0], np.cumsum(steps)]) / np.sum(steps))


def line(n: int, radial: int = 0, zero: tuple[bool, bool] = (False, True)) -> CellAxis:
    return CellAxis(nodes=clustered(n), radial=radial, zero=zero)


def ones(*x: Array) -> Array:
    return np.ones_like(x[0])


def solved(operators: list[Operator], load: Array) -> Array:
    matrix = sum((o.matrix for o in operators[1:]), operators[0].matrix)
    return np.asarray(sla.spsolve(matrix.tocsc(), load))


def check_second_order(error: Callable[[int], float], finest: float) -> None:
    found = np.array([error(n) for n in (20, 40, 80, 160)])
    assert np.log2(found[1:-1] / found[2:]) == pytest.approx(2, abs=0.15), found
    assert found[-1] < finest


@pytest.mark.parametrize("radial", [0, 1, 2])
@pytest.mark.parametrize("nodes", [clustered, uneven])
def test_order_in_a_plane_around_an_axis_and_around_a_point(
    radial: int, nodes: Callable[[int], Array]
) -> None:
    """−x^−k (x^k D ψ')' + c ψ of ψ = cos(πx/2) with D = eˣ and c = 1 + x."""
    k = np.pi / 2

    def source(x: Array) -> Array:
        slope, curve, slope_by_x = (
            -k * np.sin(k * x),
            -(k**2) * np.cos(k * x),
            -(k**2) * np.sinc(x / 2),
        )
        return (1 + x) * np.cos(k * x) - np.exp(x) * (slope + curve + radial * slope_by_x)

    def error(n: int) -> float:
        grid = CellGrid(axes=(CellAxis(nodes=nodes(n), radial=radial),))
        found = solved([grid.stiffness(0, np.exp), grid.mass(lambda x: 1 + x)], grid.load(source))
        return float(np.max(np.abs(found - np.cos(k * grid.coordinates[0]))))

    check_second_order(error, 1e-4)


def test_order_between_two_zero_ends() -> None:
    def error(n: int) -> float:
        grid = CellGrid(axes=(line(n, zero=(True, True)),))
        found = solved([grid.stiffness(0, ones)], grid.load(lambda x: np.pi**2 * np.sin(np.pi * x)))
        return float(np.max(np.abs(found - np.sin(np.pi * grid.coordinates[0]))))

    check_second_order(error, 2e-4)


@pytest.mark.parametrize("dimensions", [2, 3])
def test_order_in_more_dimensions(dimensions: int) -> None:
    """J₀ around an axis times cosines."""
    k = jn_zeros(0, 1)[0]
    rate = k**2 + (dimensions - 1) * np.pi**2 / 4

    def exact(r: Array, *z: Array) -> Array:
        return np.asarray(j0(k * r) * np.prod([np.cos(np.pi / 2 * x) for x in z], axis=0))

    def error(n: int) -> float:
        grid = CellGrid(axes=(line(n, radial=1), line(3 * n // 2), line(n))[:dimensions])
        stiff = [grid.stiffness(i, ones) for i in range(dimensions)]
        found = solved(stiff, grid.load(lambda *x: rate * exact(*x)))
        mesh = np.meshgrid(*grid.coordinates, indexing="ij")
        return float(np.max(np.abs(found - exact(*mesh).ravel())))

    found = [error(n) for n in ((24, 48) if dimensions == 2 else (11, 22))]
    assert np.log2(found[0] / found[1]) == pytest.approx(2, abs=0.2), found
    assert found[1] < (2e-4 if dimensions == 2 else 2e-3)


def test_order_between_nodes() -> None:
    def value(grid: CellGrid, r: float, z: float) -> float:
        mesh = np.meshgrid(*grid.coordinates, indexing="ij")
        return float(grid.at((r, z)) @ ((1 - mesh[0]) * np.exp(mesh[1]) * (1 - mesh[1])).ravel())

    places = [(r, z) for r in np.linspace(0, 1, 18) for z in np.linspace(0, 1, 15)]

    def error(n: int) -> float:
        grid = CellGrid(axes=(line(n), line(n)))
        return max(abs(value(grid, r, z) - (1 - r) * np.exp(z) * (1 - z)) for r, z in places)

    assert np.log2(error(10) / error(40)) == pytest.approx(4, abs=0.4)
    assert error(40) < 2e-3


@pytest.mark.parametrize("radial", [0, 1, 2])
def test_jumps_at_a_node_cost_no_order(radial: int) -> None:
    """A source inside of a wall of sixfold conductivity: ψ = ∫ flux/(D x^radial) dx from x to 1."""
    inner, outer, wall = 0.2, 1.2, 0.4

    def beyond(x: Array) -> Array:
        return np.asarray([1 - x, -np.log(x), 1 / x - 1][radial])

    def exact(x: Array) -> Array:
        outside = wall ** (1 + radial) / outer * beyond(np.maximum(x, wall))
        return np.asarray((outside + np.maximum(wall**2 - x**2, 0) / 2 / inner) / (1 + radial))

    def error(n: int) -> float:
        nodes = clustered_nodes(1.0, n, 0.3, (wall,))
        grid = CellGrid(axes=(CellAxis(nodes=nodes, radial=radial),))
        stiff = grid.stiffness(0, lambda x: np.where(x < wall, inner, outer))
        found = solved([stiff], grid.load(lambda x: (x < wall).astype(float)))
        return float(np.max(np.abs(found - exact(grid.coordinates[0]))))

    if radial == 0:
        assert error(20) < 1e-13
    else:
        check_second_order(error, 1e-4)


def test_a_sheet_before_a_jump_is_exact() -> None:
    """ψ = ∫ dx/D, linear on either side of a jump at a node or at a face, seen between nodes."""
    for nodes in ([0.0, 0.2, 0.45, 4.0], [0.0, 0.2, 0.7, 4.0]):
        grid = CellGrid(axes=(CellAxis(nodes=np.array(nodes)),))
        stiff = grid.stiffness(0, lambda x: np.where(x < 0.45, 0.1, 1.0))
        found = solved([stiff], grid.sheet(0, ones))
        assert found[0] == pytest.approx(0.45 / 0.1 + 3.55, rel=1e-12)
        assert grid.at((0.05,)) @ found == pytest.approx(0.4 / 0.1 + 3.55, rel=1e-12)


def test_order_of_convection_and_a_sheet() -> None:
    """ψ = (1 − e^(−(1−x)V))/V for a flux of 1 (D = 1)."""
    speed = 3.0

    def error(n: int) -> float:
        grid = CellGrid(axes=(line(n),))
        carried = grid.convection(0, lambda x: np.full_like(x, speed))
        found = solved([grid.stiffness(0, ones), carried], grid.sheet(0, ones))
        exact = -np.expm1(-(1 - grid.coordinates[0]) * speed) / speed
        return float(np.max(np.abs(found - exact)))

    check_second_order(error, 1e-4)


def test_convection_of_a_uniform_field_is_the_divergence() -> None:
    """V = x(1 − x) around a point, from which nothing comes and beyond which nothing goes."""
    grid = CellGrid(axes=(line(20, radial=2, zero=(False, False)),))
    moved = grid.convection(0, lambda x: x * (1 - x)).matrix @ np.ones(21)
    assert moved == pytest.approx(grid.load(lambda x: 3 - 4 * x), rel=1e-12, abs=1e-15)


def test_columns_add_up_to_what_leaves() -> None:
    grid = CellGrid(axes=(line(9, radial=1), line(7, zero=(True, True)), line(5)))
    for axis in range(3):
        for operator in (
            grid.stiffness(axis, lambda r, y, z: 1 + r * z + y),
            grid.convection(axis, lambda r, y, z: np.cos(3 * z) + r * y),
        ):
            columns = np.asarray(operator.matrix.sum(axis=0)).ravel()
            assert columns == pytest.approx(operator.total, abs=1e-13 * abs(operator.matrix).max())
            assert np.max(np.abs(operator.total)) > 1e-3
    mass = grid.mass(lambda r, y, z: r + z)
    assert mass.matrix.diagonal() == pytest.approx(mass.total)


def test_diffusion_keeps_signs_whatever_the_conductivity() -> None:
    grid = CellGrid(axes=(line(9, radial=1), line(7)))
    for axis in (0, 1):
        matrix = grid.stiffness(axis, lambda r, z: np.exp(9 * np.sin(40 * r * z))).matrix.toarray()
        assert matrix == pytest.approx(matrix.T)
        assert np.max(matrix - np.diag(np.diag(matrix))) == 0.0


def test_kinks_within_volumes_are_integrated() -> None:
    """∫ |r − 0.43| r z dr dz, where lines are integrated exactly."""
    closed = (False, False)
    grid = CellGrid(axes=(line(9, radial=1, zero=closed), line(7, zero=closed)))
    exact = (2 * 0.43**3 / 6 + (1 - 1.5 * 0.43) / 3) / 2
    assert np.sum(grid.load(lambda r, z: np.abs(r - 0.43) * z, [0.43])) == pytest.approx(exact)
    smooth = grid.load(lambda r, z: (1 + r) * z)
    assert grid.load(lambda r, z: (1 + r) * z, [0.43, 2.0]) == pytest.approx(smooth, abs=1e-15)


def test_volume_and_sheets() -> None:
    closed = (False, False)
    grid = CellGrid(axes=(line(9, radial=1, zero=closed), line(7, zero=closed)))
    assert np.sum(grid.mass(ones).total) == pytest.approx(0.5)
    assert np.sum(grid.load(lambda r, z: r**2 * z)) == pytest.approx(1 / 8)
    assert np.sum(grid.load(lambda r, z: r * z**2)) == pytest.approx(1 / 9)
    low = grid.sheet(1, lambda r, z: r + z)
    assert np.sum(low) == pytest.approx(1 / 3)
    assert low @ np.tile(grid.coordinates[1], grid.shape[0]) == 0.0
    # nothing stays on a place where ψ = 0
    held = CellGrid(axes=(line(9), line(7, zero=(True, True))))
    assert np.all(held.sheet(1, ones) == 0.0)


def test_the_spectral_grid_has_the_same_limit() -> None:
    """Diffusion, convection, reaction, a sheet and coefficients of both coordinates together."""

    def value(grid: CellGrid | NodalGrid) -> float:
        operators = [
            grid.stiffness(0, lambda r, z: 1 + r * z),
            grid.stiffness(1, lambda r, z: 0.5 + r + z**2),
            grid.convection(1, lambda r, z: 1 + z - r),
            grid.mass(lambda r, z: np.exp(-z)),
        ]
        load = grid.sheet(1, lambda r, z: np.exp(-r)) + grid.load(lambda r, z: r * np.cos(z))
        return float(grid.at((0.35, 0.0)) @ solved(operators, load))

    edges = np.linspace(0, 1, 4)
    spectral = (NodalAxis(edges=edges, orders=(7,) * 3, radial=k) for k in (1, 0))
    exact = value(NodalGrid(axes=tuple(spectral)))
    # a node at the place that is looked at
    r_nodes = [clustered_nodes(1.0, n, 5.0, (0.35,)) for n in (20, 40, 80)]
    grids = [CellGrid(axes=(CellAxis(nodes=r, radial=1), line(len(r) - 1))) for r in r_nodes]
    found = [value(grid) / exact - 1 for grid in grids]
    assert np.log2(found[1] / found[2]) == pytest.approx(2, abs=0.2), found
    assert abs(found[2]) < 2e-4


def test_no_axes_are_one_place() -> None:
    grid = CellGrid(axes=())
    assert (grid.shape, grid.n_places) == ((), 1)
    assert grid.mass(lambda: np.array([2.5])).matrix.toarray() == np.array([[2.5]])
    assert grid.at(()) == np.array([1.0])


def test_nodes_cluster_and_lie_on_given_places() -> None:
    nodes = clustered_nodes(20.0, 60, 0.1, (0.1, 4.0, 8.5))
    assert np.all(np.isin([0.0, 0.1, 4.0, 8.5, 20.0], nodes))
    assert len(nodes) == pytest.approx(61, abs=2)
    steps = np.diff(nodes)
    assert np.all(steps > 0)
    assert steps[-1] / steps[0] == pytest.approx(200, rel=0.15)
    assert np.max(steps[1:] / steps[:-1]) < 1.3
    even = np.diff(clustered_nodes(20.0, 40, 1e4))
    assert even == pytest.approx(np.full(40, 0.5), rel=1e-5)
