"""Releases of which almost nothing has arrived: mirror sources, modes where both have digits."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from crtransport.solvers.faint_release import FaintRelease
from crtransport.solvers.nodal_grid import NodalAxis, NodalGrid
from crtransport.solvers.point_release import LayeredMedium, PointRelease, wave_numbers

Array = NDArray[np.float64]
HEIGHT = 2.0


def slow(z: Array) -> Array:
    return np.asarray(1 - 0.8 * np.exp(-((z / 0.5) ** 2)))


def log_mirrors(tau: float, rho: float, z: float) -> float:
    """ln n at z = 0 between two planes, the nearest image taken out."""
    m = np.arange(-5, 6)
    image = 2 * HEIGHT * m + (-1.0) ** m * z
    parts = (-1.0) ** m * np.exp(-(image**2 - z**2) / (4 * tau))
    return float(np.log(parts.sum()) - (rho**2 + z**2) / (4 * tau) - 1.5 * np.log(4 * np.pi * tau))


def modes(rho: float, z: float, tau: Array, layer: float, gamma: float) -> tuple[Array, Array]:
    """n and ∂n/∂z at z = 0 by all modes."""
    edges = np.array([0.0, 0.2, 0.4, 0.8, 1.2, HEIGHT])
    axis = NodalAxis(edges=edges, orders=(14,) * 5)
    grid = NodalGrid(axes=(axis,))
    gas = grid.mass(lambda z: np.where(z < layer, gamma, 0.0)).matrix.toarray()
    medium = LayeredMedium(
        stiffness=grid.stiffness(0, slow).matrix.toarray() + gas,
        conductivity=grid.mass(slow).matrix.diagonal(),
        mass=grid.mass(np.ones_like).matrix.diagonal(),
    )
    k, weight = wave_numbers(tau.min(), tau.max(), rho, 0.2, 20)
    release = axis.at(z)[axis.kept]
    even, odd = axis.at(0.0)[axis.kept], axis.slopes[0, axis.kept]
    found = []
    for parts in ((even, None), (None, odd)):
        look = PointRelease(
            medium=medium,
            release=release,
            sign=1.0,
            even=parts[0],
            odd=parts[1],
            k=k,
            weight=weight,
        )
        found.append(look.density(tau, rho))
    return found[0], found[1]


@pytest.mark.parametrize(
    ("rho", "z"), [(1.75, 0.0), (1.0, 1.2), (0.0, 1.0), (0.01, 0.7), (0.3, 1.9)]
)
@pytest.mark.parametrize("tau", [0.02, 0.003])
def test_even_diffusion_has_mirror_sources(rho: float, z: float, tau: float) -> None:
    """Down to e^−250 of what is around the source."""
    release = FaintRelease(shape=np.ones_like, half_height=HEIGHT, rho=rho, z=z)
    found = release.at(np.array([tau]))
    assert found.log_density[0] == pytest.approx(log_mirrors(tau, rho, z), abs=1e-9)
    assert found.inwards[0] == pytest.approx(rho / (2 * tau), rel=1e-9, abs=1e-9)
    assert found.error[0] < 1e-9
    if 0 < z < 1.5:
        assert found.upwards[0] == pytest.approx(z / (2 * tau), rel=1e-9)


@pytest.mark.parametrize(
    ("rho", "z", "layer", "rtol"),
    [(1.2, 0.0, 3.0, 1e-7), (0.7, 0.3, 3.0, 1e-7), (0.7, 0.3, 0.2, 1e-4)],
)
def test_modes_agree_where_they_have_digits(
    rho: float, z: float, layer: float, rtol: float
) -> None:
    """Slow diffusion at z = 0, with gas all over, and in a layer that ends between two nodes."""
    tau, gamma = np.array([0.15, 0.3]), 0.4
    release = FaintRelease(shape=slow, half_height=HEIGHT, rho=rho, z=z, layer=layer, gamma=gamma)
    found = release.at(tau)
    density, upwards = modes(rho, z, tau, layer, gamma)
    off = np.abs(np.exp(found.log_density) / density - 1)
    assert np.all(off < rtol)
    assert np.all(off < found.error + 1e-9)
    np.testing.assert_allclose(
        found.upwards, (upwards / density) * (z > 0), rtol=3 * rtol, atol=1e-9
    )


def test_steps_are_of_fourth_order() -> None:
    release = FaintRelease(shape=slow, half_height=HEIGHT, rho=1.5, z=0.0)
    each = [release._by(0.02, steps)[0] for steps in (16, 32, 64, 128)]
    changes = np.abs(np.diff(each))
    np.testing.assert_allclose(np.log2(changes[:-1] / changes[1:]), 4, atol=0.5)


def test_dawn_is_where_less_than_any_float_is_left() -> None:
    release = FaintRelease(shape=np.ones_like, half_height=HEIGHT, rho=1.5, z=0.0)
    dawn = release.dawn(1e-4, 0.1)
    assert 1.5**2 / (4 * dawn) == pytest.approx(800, rel=0.05)
    assert release.dawn(0.01, 0.1) == 0
    assert release.dawn(1e-5, 1e-4) == 1e-4


def test_what_cannot_be_followed_is_told_as_a_bound() -> None:
    """A layer much thinner than the steps."""
    thin = FaintRelease(
        shape=lambda z: 1 - 0.9 * np.exp(-((z / 1e-3) ** 2)), half_height=HEIGHT, rho=1.5, z=0.0
    )
    found = thin.at(np.array([0.02]))
    assert found.error[0] > 1e-2
    assert found.log_density[0] < thin.bound(0.02) + 1e-2
