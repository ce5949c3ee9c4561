"""Drift and spreading along the axis: orders, exactness, conservation."""

import numpy as np
import pytest
from numpy.typing import NDArray

from crtransport.solvers.differences import drift, spread
from crtransport.solvers.levels import GHOSTS, Levels, rate, weight_of

Array = NDArray[np.float64]
INNER = slice(GHOSTS, -GHOSTS)
TILT = 3.0


def levels(n: int) -> Levels:
    return Levels(first=-3.0, step=12.0 / n, n=n)


def log_scale(u: Array) -> Array:
    """Fourteen decades, with a break and the begin of a cutoff."""
    return np.asarray(-2.5 * u - 0.3 * np.log1p(np.exp(u - 2)) - np.exp(2 * (u - 9)))


def smooth(u: Array) -> tuple[Array, Array, Array]:
    """y, y', y'': flat at both ends."""
    g = np.exp(-((u - 3) ** 2) / 2)
    return 1 + g, -(u - 3) * g, ((u - 3) ** 2 - 1) * g


def scale_slopes(u: Array) -> tuple[Array, Array]:
    """First and second derivative of log_scale."""
    bend = 1 / (1 + np.exp(2 - u))
    cut = np.exp(2 * (u - 9))
    return -2.5 - 0.3 * bend - 2 * cut, -0.3 * bend * (1 - bend) - 4 * cut


def exact_drift(u: Array) -> Array:
    """−(c S y)'/S for c = e^(−1.5u)."""
    (y, dy, _), (a, _) = smooth(u), scale_slopes(u)
    return np.asarray(-np.exp(-1.5 * u) * ((a - 1.5) * y + dy))


def exact_spread(u: Array) -> Array:
    """−[K ((S y)' − 3 S y)]'/S for K = e^(−0.4u)."""
    (y, dy, ddy), (a, da) = smooth(u), scale_slopes(u)
    flux = (a - TILT) * y + dy
    slope = da * y + (a - TILT) * dy + ddy
    return np.asarray(-np.exp(-0.4 * u) * ((a - 0.4) * flux + slope))


def errors(kind: str, order: int, n: int) -> float:
    """Largest error at the levels that do not see the ends, relative to the size of the flux."""
    grid = levels(n)
    u, ends = grid.values, grid.extended
    y = smooth(u)[0]
    if kind == "drift":
        operator = drift(grid, np.exp(-1.5 * ends), log_scale(ends), order)
        exact, size = exact_drift(u), np.exp(-1.5 * u)
    elif kind == "upward":
        operator = drift(grid, -np.exp(-1.5 * ends), log_scale(ends), order)
        exact, size = -exact_drift(u), np.exp(-1.5 * u)
    else:
        operator = spread(grid, np.exp(-0.4 * ends), TILT * ends, log_scale(ends), order)
        exact, size = exact_spread(u), np.exp(-0.4 * u)
    deviation = np.abs(operator.matrix @ y - exact) / size
    return float(np.max(deviation[n // 10 : -n // 10]))


@pytest.mark.parametrize(
    ("kind", "order", "declared"),
    [
        ("drift", 3, 3),
        ("drift", 5, 5),
        ("upward", 5, 5),
        ("spread", 3, 4),
        ("spread", 5, 6),
    ],
)
def test_order(kind: str, order: int, declared: int) -> None:
    found = [errors(kind, order, n) for n in (80, 160, 320)]
    rates = np.log2(np.array(found[:-1]) / found[1:])
    assert rates[-1] > declared - 0.3, (found, rates)
    assert found[-1] < 2e-4


@pytest.mark.parametrize("order", [3, 5])
def test_power_laws_are_exact(order: int) -> None:
    grid = levels(30)
    scale = -4.7 * grid.extended
    moved = drift(grid, np.exp(0.3 * grid.extended), scale, order).matrix @ np.ones(30)
    assert moved == pytest.approx(4.4 * np.exp(0.3 * grid.values), rel=1e-11)
    strength = np.exp(-0.2 * grid.extended)
    spreading = spread(grid, strength, TILT * grid.extended, scale, order).matrix @ np.ones(30)
    # K' of an exponential from differences
    inner = slice(GHOSTS, -GHOSTS)
    assert spreading == pytest.approx(-strength[inner] * 4.9 * 7.7, rel=1e-8)


@pytest.mark.parametrize("order", [3, 5])
def test_columns_add_up_to_what_leaves(order: int) -> None:
    grid = levels(40)
    scale = log_scale(grid.extended)
    weight = weight_of(scale)
    for operator in (
        drift(grid, np.exp(-0.5 * grid.extended), scale, order),
        drift(grid, 1.0 - np.exp(grid.extended / 3), scale, order),
        spread(grid, np.exp(-0.4 * grid.extended), TILT * grid.extended, scale, order),
        rate(np.exp(-grid.values), weight),
    ):
        columns = weight @ operator.matrix
        assert columns == pytest.approx(operator.total, abs=1e-12 * np.max(np.abs(columns)) + 1e-15)


def test_a_scale_beyond_the_range_of_floats() -> None:
    grid = levels(60)
    scale = log_scale(grid.extended) - 20 * (grid.extended + 3) ** 2
    assert scale[-1] < -2000
    for operator in (
        drift(grid, np.exp(-1.5 * grid.extended), scale, 5),
        spread(grid, np.exp(-0.4 * grid.extended), TILT * grid.extended, scale, 5),
    ):
        assert np.all(np.isfinite(operator.matrix.data))
        assert np.all(np.isfinite(operator.total))
