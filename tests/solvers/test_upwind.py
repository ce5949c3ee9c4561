"""Upwind and central fluxes along the axis: orders, exactness, positivity, conservation."""

from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray

from crtransport.solvers import differences, upwind
from crtransport.solvers.levels import Levels, weight_of
from crtransport.solvers.problem import Operator
from crtransport.solvers.upwind import drift, spread

Array = NDArray[np.float64]
TILT = 3.0


def levels(n: int) -> Levels:
    return Levels(first=-3.0, step=12.0 / n, n=n)


def log_scale(u: Array) -> Array:
    """Fourteen decades with a bend, and a cutoff at the high end."""
    return np.asarray(-2.5 * u - 0.3 * np.log1p(np.exp(u - 2)) - np.exp(2 * (u - 9)))


def y_exact(u: Array) -> Array:
    return np.asarray(1 + 0.8 * np.sin(u))


def flux(kind: str, u: Array) -> Array:
    """Flux over the scale: speed y, or strength (y' + (scale'/scale − tilt) y)."""
    if kind == "spread":
        bend = 1 / (1 + np.exp(2 - u))
        slope = -2.5 - 0.3 * bend - 2 * np.exp(2 * (u - 9))
        return np.asarray(strength(u) * (0.8 * np.cos(u) + (slope - TILT) * y_exact(u)))
    return speed(kind, u) * y_exact(u)


def strength(u: Array) -> Array:
    return np.asarray(np.exp(-0.4 * u) + 0.1)


def speed(kind: str, u: Array) -> Array:
    downward = np.exp(-1.5 * u) + 0.2
    return np.asarray({"down": downward, "up": -downward, "turning": u - 3}[kind])


def make(kind: str, grid: Levels, order: int) -> Operator:
    u = grid.extended
    if kind == "spread":
        return spread(grid, strength(u), TILT * u, log_scale(u), order)
    return drift(grid, speed(kind, u), log_scale(u), order)


def error(kind: str, order: int, n: int) -> float:
    """Largest error away from the ends, relative to the flux, with −(S flux)'/S by a tiny step."""
    grid = levels(n)
    u, d = grid.values, 1e-4
    ratios = [np.exp(log_scale(u + s * d) - log_scale(u)) * flux(kind, u + s * d) for s in (-1, 1)]
    exact = (ratios[0] - ratios[1]) / (2 * d)
    deviation = np.abs(make(kind, grid, order).matrix @ y_exact(u) - exact)
    size = np.abs(exact) + strength(u)
    return float(np.max((deviation / size)[n // 10 : -n // 10]))


@pytest.mark.parametrize(
    ("kind", "order", "declared"),
    [
        *((kind, order, order) for kind in ("down", "up", "turning") for order in (1, 2)),
        ("spread", 1, 2),
        ("spread", 2, 2),
    ],
)
def test_order(kind: str, order: int, declared: int) -> None:
    found = [error(kind, order, n) for n in (160, 320, 640)]
    rates = np.log2(np.array(found[:-1]) / found[1:])
    assert np.all(np.abs(rates - declared) < 0.25), (found, rates)
    assert found[-1] < (0.03 if declared == 1 else 0.002)


@pytest.mark.parametrize("order", [1, 2])
def test_power_laws_are_exact(order: int) -> None:
    """However coarse: half a decade from level to level, 4.7 decades per decade."""
    grid = Levels(first=-3.0, step=np.log(10) / 2, n=12)
    u, scale = grid.extended, -4.7 * grid.extended
    moved = drift(grid, np.exp(0.3 * u), scale, order).matrix @ np.ones(grid.n)
    assert moved == pytest.approx(4.4 * np.exp(0.3 * grid.values), rel=1e-12)
    spreading = spread(grid, np.exp(-0.2 * u), TILT * u, scale, order).matrix @ np.ones(grid.n)
    exact = -4.9 * 7.7 * np.exp(-0.2 * grid.values)
    assert spreading[1:] == pytest.approx(exact[1:], rel=1e-12)
    # the flux goes up: order 1 lets none in through the low end
    assert spreading[0] == pytest.approx(exact[0], rel=1e-12) if order == 2 else spreading[0] > 0


def test_equilibrium_does_not_spread() -> None:
    """e^rest under any strength, in a scale that falls as steeply as it rises."""
    grid = Levels(first=0.0, step=0.4, n=20)
    u = grid.extended
    y = np.exp(2 * TILT * grid.values)
    spreading = spread(grid, 1 + u**2, TILT * u, -TILT * u, 1).matrix
    moved = np.abs(spreading @ y) / (abs(spreading) @ y)
    assert np.max(moved[1:-1]) < 1e-14
    # the central flux is no better than its order
    assert np.max(np.abs(spread(grid, 1 + u**2, TILT * u, -TILT * u, 2).matrix @ y)[1:-1]) > 1.0


def test_only_order_1_keeps_signs() -> None:
    """No positive entry off the diagonal, and no negative answer to a source on any one level."""
    grid = Levels(first=-3.0, step=0.8, n=15)
    highest, least = {}, {}
    for order in (1, 2):
        dense = [make(kind, grid, order).matrix.toarray() for kind in ("down", "up", "turning")]
        dense.append(make("spread", grid, order).matrix.toarray())
        highest[order] = max(np.max(a - np.diag(np.diag(a))) for a in dense)
        whole = 0.1 * (dense[0] + dense[-1]) + np.eye(grid.n)
        least[order] = np.min(np.linalg.inv(whole))
        if order == 1:
            assert all(np.all(np.tril(a, -2) + np.triu(a, 2) == 0) for a in dense)
    assert highest[1] == 0.0
    assert least[1] >= 0.0
    assert highest[2] > 0.1
    assert least[2] < -1e-3


@pytest.mark.parametrize(
    ("slope", "feeds"), [(-9.0, True), (-2.5, True), (0.0, True), (2.5, False), (9.0, True)]
)
def test_spreading_of_order_1_grows_nowhere(slope: float, feeds: bool) -> None:
    """In whatever scale; at order 2 what flows in through an end feeds on what is there."""
    grid = levels(30)
    u = grid.extended
    first, second = (spread(grid, strength(u), TILT * u, slope * u, order) for order in (1, 2))
    assert np.min(first.total) >= 0.0
    assert np.min(np.linalg.inv(first.matrix.toarray() + 1e-3 * np.eye(grid.n))) >= 0.0
    fastest = np.min(np.linalg.eigvals(second.matrix.toarray()).real)
    assert fastest < -1.0 if feeds else fastest > 0.0


@pytest.mark.parametrize("order", [1, 2])
@pytest.mark.parametrize("kind", ["down", "up", "turning", "spread"])
def test_columns_add_up_to_what_leaves(kind: str, order: int) -> None:
    grid = levels(40)
    operator = make(kind, grid, order)
    weight = weight_of(log_scale(grid.extended))
    columns, size = weight @ operator.matrix, np.max(weight @ abs(operator.matrix))
    assert columns == pytest.approx(operator.total, abs=1e-14 * size)
    # a bump in the middle leaves nothing, the ends let through
    assert np.max(np.abs(operator.total[3:-3])) == 0
    assert np.max(np.abs(operator.total / weight)) > 0.1


@pytest.mark.parametrize(("order", "ratio"), [(1, 2), (2, 4)])
def test_the_fitted_differences_have_the_same_limit(order: int, ratio: float) -> None:
    """Drift and spreading of a source, solved by schemes that share no code."""

    def solved(scheme: ModuleType, grid: Levels, order: int) -> Array:
        u, scale = grid.extended, log_scale(grid.extended)
        matrix = scheme.drift(grid, speed("down", u), scale, order).matrix
        matrix = matrix + scheme.spread(grid, 0.1 * strength(u), TILT * u, scale, order).matrix
        source = np.exp(-((grid.values - 3) ** 2))
        return np.asarray(np.linalg.solve(matrix.toarray() + np.eye(grid.n), source))

    found = []
    for n in (160, 320, 640):
        reference = solved(differences, levels(n), 5)
        found.append(np.max(np.abs(solved(upwind, levels(n), order) - reference)))
        assert found[-1] < np.max(reference) / 10
    assert found[0] / found[1] == pytest.approx(ratio, rel=0.15)
    assert found[1] / found[2] == pytest.approx(ratio, rel=0.15)


@pytest.mark.parametrize("order", [1, 2])
def test_a_scale_beyond_the_range_of_floats(order: int) -> None:
    grid = levels(60)
    u = grid.extended
    scale = log_scale(u) - 20 * (u + 3) ** 2
    assert scale[-1] < -2000
    for operator in (
        drift(grid, speed("down", u), scale, order),
        drift(grid, speed("turning", u), scale, order),
        spread(grid, strength(u), TILT * u, scale, order),
    ):
        assert np.all(np.isfinite(operator.matrix.data))
        assert np.all(np.isfinite(operator.total))


def test_other_orders_are_refused() -> None:
    grid = levels(10)
    with pytest.raises(ValueError, match="order is 3"):
        drift(grid, np.ones(20), np.zeros(20), 3)
