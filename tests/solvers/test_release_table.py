"""The table of releases against the modes that it is made of, and against mirror sources."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from numpy.typing import NDArray

from crtransport.solvers.nodal_grid import NodalAxis, NodalGrid
from crtransport.solvers.point_release import LayeredMedium, PointRelease, wave_numbers
from crtransport.solvers.release_table import ReleaseTable, tabulate

Array = NDArray[np.float64]
EDGES = np.array([0.0, 0.03, 0.1, 0.3, 1.0, 2.0])


def layers(least: float) -> tuple[NodalAxis, LayeredMedium]:
    axis = NodalAxis(edges=EDGES, orders=(12,) * 5)
    grid = NodalGrid(axes=(axis,))

    def f(z: Array) -> Array:
        return 1 - (1 - least) * np.exp(-((z / 0.4) ** 2))

    medium = LayeredMedium(
        stiffness=grid.stiffness(0, f).matrix.toarray(),
        conductivity=grid.mass(f).matrix.diagonal(),
        mass=grid.mass(np.ones_like).matrix.diagonal(),
    )
    return axis, medium


@cache
def table(least: float) -> ReleaseTable:
    axis, medium = layers(least)
    return tabulate(medium, axis, least, 0.4, 1e-3, 3.0)


def summed(least: float, tau: Array, rho: float, z: float) -> tuple[Array, Array, Array]:
    """n and its gradient by all modes."""
    axis, medium = layers(least)
    k, weight = wave_numbers(tau.min(), tau.max(), rho, least, 20)

    def view(even: Array | None, odd: Array | None) -> PointRelease:
        release = axis.at(abs(z))[axis.kept]
        return PointRelease(
            medium=medium,
            release=release,
            sign=float(np.sign(z)),
            even=even,
            odd=odd,
            k=k,
            weight=weight,
        )

    here = view(axis.at(0.0)[axis.kept], None)
    up = view(None, axis.slopes[0, axis.kept])
    return here.density(tau, rho), here.slope(tau, rho), up.density(tau, rho)


@pytest.mark.parametrize("least", [0.15, 1.0])
@pytest.mark.parametrize(("rho", "z"), [(0.0, 0.02), (0.2, 0.05), (0.7, -0.4), (1.5, 1.9)])
def test_the_table_has_what_the_modes_have(least: float, rho: float, z: float) -> None:
    tau = np.geomspace(2e-3, 2.5, 23)
    exact, slope, upwards = summed(least, tau, rho, z)
    seen = table(least).seen(tau[None], np.array([rho]), np.array([z]))
    size = (4 * np.pi * least * tau) ** -1.5
    alive = exact > 1e-5 * size
    assert alive.any()
    np.testing.assert_allclose(seen.density[0, alive], exact[alive], rtol=1e-4)
    scale = (seen.density * np.abs(tau) ** -0.5)[0, alive]
    assert np.max(np.abs(seen.inwards[0, alive] * exact[alive] + slope[alive]) / scale) < 1e-4
    assert np.max(np.abs(seen.upwards[0, alive] * exact[alive] - upwards[alive]) / scale) < 1e-4
    assert np.all(seen.density[0, exact < 1e-10 * size] < 1e-8 * size[exact < 1e-10 * size])


def test_nothing_is_seen_before_it_arrives_and_after_it_has_left() -> None:
    tau = np.array([[1e-4, 0.5, 4.0]])
    found = table(1.0).seen(tau, np.array([0.1]), np.array([0.1]))
    assert found.density[0, 0] == found.density[0, 2] == 0 < found.density[0, 1]
    assert np.all(found.inwards[0, [0, 2]] == 0)


def test_the_comparison_can_fail() -> None:
    """The table of one medium is not that of another."""
    tau = np.array([0.1, 1.0])
    exact, _, _ = summed(0.15, tau, 0.2, 0.05)
    other = table(1.0).seen(tau[None], np.array([0.2]), np.array([0.05])).density[0]
    assert np.all(np.abs(other / exact - 1) > 1e-3)
