"""Marching in time, and the modes of a point release that it checks."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.linalg import expm

from crtransport.solvers.march import march
from crtransport.solvers.nodal_grid import NodalAxis, NodalGrid
from crtransport.solvers.point_release import LayeredMedium, PointRelease, wave_numbers

Array = NDArray[np.float64]


def test_second_order_in_time() -> None:
    rng = np.random.default_rng(4)
    half = rng.uniform(size=(5, 5))
    stiffness, mass = half @ half.T, rng.uniform(1, 2, 5)
    start, times = rng.uniform(size=5), np.array([0.5, 2.0])
    exact = [expm(-(t - 0.25) * stiffness / mass[:, None]) @ start for t in times]
    errors = [
        np.max(np.abs(march(sp.csr_array(stiffness), mass, start, 0.25, times, n) - exact))
        for n in (8, 16, 32)
    ]
    assert np.log2(errors[0] / errors[1]) == pytest.approx(2, abs=0.15)
    assert np.log2(errors[1] / errors[2]) == pytest.approx(2, abs=0.1)


def test_what_is_stiff_dies_at_once() -> None:
    stiffness = sp.csr_array(np.diag([1.0, 1e9]))
    found = march(stiffness, np.ones(2), np.ones(2), 1.0, np.array([2.0]), 4)[0]
    assert found[0] == pytest.approx(np.exp(-1), rel=1e-2)
    assert abs(found[1]) < 1e-20


def layers(z: Array) -> Array:
    """A conductivity ten times smaller around z = 0."""
    return np.asarray(0.1 + 0.9 * (1 - np.exp(-(z**2) / (2 * 0.45**2))))


def test_heights_mirror() -> None:
    """A release below the plane is seen above it as one above is seen below."""
    axis = NodalAxis(edges=np.array([0.0, 0.3, 1.0]), orders=(10, 10))
    grid = NodalGrid(axes=(axis,))
    medium = LayeredMedium(
        stiffness=grid.stiffness(0, layers).matrix.toarray(),
        conductivity=grid.mass(layers).matrix.diagonal(),
        mass=grid.mass(np.ones_like).matrix.diagonal(),
    )
    tau = np.array([0.1, 0.5])
    k, weight = wave_numbers(0.1, 0.5, 0.2, 0.1, 14)

    def seen(release: float, at: float) -> Array:
        place = grid.at((abs(at),))
        view = PointRelease(
            medium=medium,
            release=grid.at((abs(release),)),
            sign=float(np.sign(release)),
            even=place,
            odd=np.sign(at) * place,
            k=k,
            weight=weight,
        )
        return view.density(tau, 0.2)

    assert seen(-0.3, 0.1) == pytest.approx(seen(0.3, -0.1), rel=1e-12)
    assert seen(0.1, 0.3) == pytest.approx(seen(0.3, 0.1), rel=1e-6)  # reciprocity
    assert np.all(seen(0.3, 0.3) > seen(0.3, -0.3))
