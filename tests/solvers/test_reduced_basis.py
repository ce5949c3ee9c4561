"""The reduced basis against the full order, and its parts."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import scipy.sparse as sp
from numpy.typing import NDArray

from crtransport.solvers.differences import drift, spread
from crtransport.solvers.direct import solve_direct
from crtransport.solvers.kernels import modes
from crtransport.solvers.levels import GHOSTS, REACH, Levels, rate, weight_of
from crtransport.solvers.nodal_grid import NodalAxis, NodalGrid
from crtransport.solvers.problem import FieldProblem, Operator, Term
from crtransport.solvers.reduced_basis import ReducedGrid, project, rational_basis, solve_modes

Array = NDArray[np.float64]
INNER = slice(GHOSTS, -GHOSTS)
LEVELS = Levels(first=-2.0, step=0.15, n=60)
WEIGHT = weight_of(-2.2 * LEVELS.extended)


def grid() -> NodalGrid:
    axes = (
        NodalAxis(edges=np.linspace(0, 2, 4), orders=(5,) * 3, radial=1),
        NodalAxis(edges=np.array([0.0, 0.1, 0.4, 1.0]), orders=(6,) * 3),
    )
    return NodalGrid(axes=axes)


@cache
def space() -> dict[str, Operator]:
    here = grid()
    f = lambda r, z: 0.2 + 0.8 * (1 - np.exp(-((z / 0.3) ** 2)))  # noqa: E731
    gas = here.mass(lambda r, z: (1 + 0.5 * np.cos(2 * r)) * np.exp(-z / 0.05))
    parts = [here.stiffness(axis, f) for axis in (0, 1)]
    stiffness = Operator(matrix=parts[0].matrix + parts[1].matrix, total=parts[0].total)
    wind = here.convection(1, lambda r, z: 0.3 * z)
    source = here.load(lambda r, z: np.exp(-r) * np.exp(-z / 0.1))
    return {
        "stiffness": stiffness,
        "gas": gas,
        "slow": here.mass(lambda r, z: 1 / f(r, z)),
        "volume": here.mass(lambda r, z: np.ones_like(z)),
        "wind": wind,
        "source": Operator(matrix=sp.csr_array((1, 1)), total=source),
        "seen": Operator(matrix=sp.csr_array((1, 1)), total=here.at((1.0, 0.0))),
    }


def problem(decay: float, wind: bool, places: dict[str, Operator]) -> FieldProblem:
    u, scale = LEVELS.extended, -2.2 * LEVELS.extended
    terms = [
        Term(name="escape", along=rate(np.exp(0.4 * u[INNER]), WEIGHT), across=places["stiffness"]),
        Term(name="loss", along=rate(np.full(LEVELS.n, 5.0), WEIGHT), across=places["gas"]),
        Term(
            name="drift",
            along=drift(LEVELS, 20 * np.exp(-1.2 * u), scale, 5),
            across=places["gas"],
        ),
        Term(
            name="spread",
            along=spread(LEVELS, 0.02 * np.exp(-0.4 * u), 3.0 * u, scale, 5),
            across=places["slow"],
        ),
        Term(name="decay", along=rate(decay * np.exp(-u[INNER]), WEIGHT), across=places["volume"]),
    ]
    if wind:
        terms.append(
            Term(name="wind", along=rate(np.ones(LEVELS.n), WEIGHT), across=places["wind"])
        )
    load = places["source"].total
    return FieldProblem(
        terms=tuple(terms),
        source=np.ones((LEVELS.n, 1)) * load,
        mass=np.ones(len(load)),
        weight=WEIGHT,
        shape=(len(load),),
    )


def functions(size: int, wind: bool) -> Array:
    """Poles at levels of the problem, without what acts along the axis."""
    here = space()
    u = LEVELS.values[::12]
    shares = {"gas": 5 + 60 * np.exp(-1.2 * u), "slow": 0.2 * np.exp(-0.4 * u)}
    shares |= {"volume": 3 * np.exp(-u), "stiffness": np.exp(0.4 * u)}
    if wind:
        shares["wind"] = np.ones_like(u)
    ones = np.ones(len(u))
    terms = tuple(
        Term(name=name, along=rate(values, ones), across=here[name])
        for name, values in shares.items()
    )
    shifted = FieldProblem(
        terms=terms,
        source=np.zeros((len(u), grid().n_places)),
        mass=here["volume"].total,
        weight=ones,
        shape=grid().shape,
    )
    return rational_basis(
        [shifted],
        stiffness=here["stiffness"].matrix,
        loads=[here["source"].total],
        seen=[here["seen"].total],
        chains=[(here["gas"].matrix,), (here["slow"].matrix,)],
        size=size,
    )


def small(size: int, wind: bool) -> dict[str, Operator]:
    w = functions(size, wind)
    here = {
        name: project(operator, w)
        for name, operator in space().items()
        if name not in ("source", "seen")
    }
    for name in ("source", "seen"):
        total = w.T @ space()[name].total
        here[name] = Operator(matrix=np.zeros((1, 1)), total=total)
    return here


@cache
def exact(decay: float, wind: bool) -> Array:
    full = problem(decay, wind, space())
    return solve_direct(full).values @ space()["seen"].total


def seen(decay: float, wind: bool, size: int) -> Array:
    places = small(size, wind)
    return solve_modes(problem(decay, wind, places), rtol=1e-8).values @ places["seen"].total


@pytest.mark.parametrize("wind", [False, True])
@pytest.mark.parametrize("decay", [0.0, 3.0])
def test_it_converges_to_the_full_order(decay: float, wind: bool) -> None:
    errors = [
        np.max(np.abs(seen(decay, wind, size) / exact(decay, wind) - 1)) for size in (6, 12, 24)
    ]
    assert errors[0] > 10 * errors[1] > 100 * errors[2]
    assert errors[2] < 1e-4


def test_strong_decay_turns_the_coordinates() -> None:
    """A rate that couples all modes and is a thousand times the others."""
    found = seen(3e3, False, 24)
    assert np.max(np.abs(found / exact(3e3, False) - 1)) < 2e-2
    assert np.all(found > 0)


def test_functions_are_orthonormal_and_the_leading_ones_first() -> None:
    w = functions(20, False)
    np.testing.assert_allclose(w.T @ (space()["stiffness"].matrix @ w), np.eye(20), atol=1e-13)
    fewer = functions(10, False)
    np.testing.assert_allclose(np.abs(fewer), np.abs(w[:, :10]), atol=1e-9 * np.abs(w).max())


def test_the_residual_is_that_of_the_problem() -> None:
    reduced = problem(0.5, False, small(16, False))
    for rtol in (1e-4, 1e-8):
        solution = solve_modes(reduced, rtol=rtol)
        assert solution.residual <= rtol
        assert reduced.residual(solution.values) < 10 * rtol


def test_elimination_takes_over_where_modes_are_coupled_too_strongly(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reduced = problem(0.5, False, small(16, False))
    expected = solve_modes(reduced, rtol=1e-8).values
    monkeypatch.setattr("crtransport.solvers.reduced_basis._ITERATIONS", 2)
    found = solve_modes(reduced, rtol=1e-8)
    assert found.iterations == 3
    assert found.residual < 1e-12
    np.testing.assert_allclose(found.values, expected, atol=1e-6 * np.abs(expected).max())


def test_points_of_a_reduced_grid() -> None:
    w = functions(8, False)
    reduced = ReducedGrid(grid=grid(), functions=w)
    assert reduced.n_places == 8
    assert reduced.shape == (8,)
    np.testing.assert_array_equal(reduced.at((1.0, 0.2)), grid().at((1.0, 0.2)) @ w)


def test_banded_systems_abreast() -> None:
    random = np.random.default_rng(1)
    n, m = 20, 3
    bands = random.normal(size=(n, 2 * REACH + 1, m))
    bands[:, REACH] += 20
    dense = np.zeros((m, n, n))
    for k in range(n):
        for d in range(-REACH, REACH + 1):
            if 0 <= k + d < n:
                dense[:, k, k + d] = bands[k, REACH + d]
    x = random.normal(size=(n, m))
    expected = np.stack([np.linalg.solve(dense[i], x[:, i]) for i in range(m)], axis=1)
    modes.factor(bands)
    modes.solve(bands, x)
    np.testing.assert_allclose(x, expected, rtol=1e-10)
