"""Kernels against plain NumPy, small enough to run with the JIT off as well."""

from __future__ import annotations

import numpy as np
import pytest

from crtransport.solvers.finite_volume import diffusion_diagonal
from crtransport.solvers.kernels import crank_nicolson
from crtransport.solvers.kernels.modes import add_scaled, add_shares
from crtransport.solvers.kernels.sparse_levels import (
    Couplings,
    Pattern,
    couple,
    factor,
    solve,
    sweep_down,
    sweep_up,
)
from crtransport.solvers.kernels.strang import advect, combine, solve_rows
from crtransport.solvers.kernels.sturm import bisect_rates, count_negative

RANDOM = np.random.default_rng(20230717)


def tridiagonal(conductance: np.ndarray, loss: np.ndarray) -> np.ndarray:
    diagonal = np.diag(diffusion_diagonal(conductance) + loss)
    return diagonal - np.diag(conductance, 1) - np.diag(conductance, -1)


def test_count_negative_is_the_inertia() -> None:
    conductance, loss = RANDOM.uniform(0.1, 3, 7), RANDOM.uniform(0, 1, 8)
    weight = RANDOM.uniform(-1, 1, 8)
    for shift in (-5.0, 0.0, 0.3, 20.0):
        dense = np.linalg.eigvalsh(tridiagonal(conductance, loss) - shift * np.diag(weight))
        assert count_negative(conductance, loss, weight, shift) == np.sum(dense < 0)


def test_count_negative_keeps_tiny_losses() -> None:
    """1e-14 of loss beside conductances of one: the smallest eigenvalue is far below rounding."""
    loss = np.full(9, 1e-14)
    ones = np.ones(9)
    assert count_negative(np.ones(8), loss, ones, 0.9e-14) == 0
    assert count_negative(np.ones(8), loss, ones, 1.1e-14) == 1


def test_bisect_rates_finds_the_eigenvalues() -> None:
    conductance, loss = RANDOM.uniform(0.1, 3, 5), RANDOM.uniform(0.1, 1, 6)
    out = np.zeros(6)
    bisect_rates(conductance, loss, np.ones(6), 0, 1e3, 1e-13, out)
    np.testing.assert_allclose(out, np.linalg.eigvalsh(tridiagonal(conductance, loss)), rtol=1e-11)


def test_advect_by_a_whole_cell_is_a_shift() -> None:
    f = np.zeros((2, 12))
    f[:, 4:7] = [[1.0, 3.0, 2.0]]
    expected = np.stack([np.roll(f[0], 1), np.roll(f[1], -1)])
    advect(f, np.array([1.0, -1.0]), np.empty(13))
    np.testing.assert_allclose(f, expected, atol=1e-15)


@pytest.mark.parametrize("courant", [0.0, 0.3, -0.7])
def test_advect_moves_the_mean_and_keeps_sum_and_variance(courant: float) -> None:
    s = np.arange(40.0)
    f = np.exp(-((s[None, :] - 20) ** 2) / 8)
    sums = [f[0] @ s**k for k in range(3)]
    advect(f, np.array([courant]), np.empty(41))
    mean, before = f[0] @ s / sums[0], sums[1] / sums[0]
    np.testing.assert_allclose(f[0].sum(), sums[0])
    np.testing.assert_allclose(mean - before, courant, atol=1e-8)
    variance = f[0] @ s**2 / sums[0] - mean**2
    np.testing.assert_allclose(variance, sums[2] / sums[0] - before**2, rtol=1e-8)


def test_solve_rows_is_the_dense_solve() -> None:
    conductance, mass = RANDOM.uniform(0.1, 3, 4), RANDOM.uniform(0.5, 1, 5)
    dense = tridiagonal(conductance, mass)
    pivot = dense.diagonal().copy()
    lower = np.zeros(5)
    for i in range(1, 5):
        lower[i] = -conductance[i - 1] / pivot[i - 1]
        pivot[i] += lower[i] * conductance[i - 1]
    f, out = RANDOM.uniform(size=(5, 3)), np.empty((5, 3))
    solve_rows(lower, 1 / pivot, mass, f, out)
    np.testing.assert_allclose(out, np.linalg.solve(dense, mass[:, None] * f))


def test_combine() -> None:
    a, b = RANDOM.uniform(size=(2, 3, 4))
    out = np.empty((3, 4))
    combine(a, b, 2.0, -1.0, out)
    np.testing.assert_allclose(out, 2 * a - b)


#: of L for the arrow with its point at the end, 4 × 4: columns 0, 1, 2 reach row 3
ARROW = Pattern(
    node=np.array([0, 1, 2, 4]),
    start=np.array([0, 1, 2, 3, 3]),
    row=np.array([3, 3, 3]),
    row_start=np.array([0, 0, 0, 0, 3]),
    column=np.array([0, 1, 2]),
    position=np.array([0, 1, 2]),
)


def arrow(symmetric: bool) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Matrix, and its strictly lower, strictly upper and diagonal entries on the pattern."""
    low, diagonal = RANDOM.uniform(-1, 1, 3), RANDOM.uniform(3, 4, 4)
    up = low if symmetric else RANDOM.uniform(-1, 1, 3)
    matrix = np.diag(diagonal)
    matrix[3, :3], matrix[:3, 3] = low, up
    return matrix, low, up, diagonal


@pytest.mark.parametrize("symmetric", [True, False])
def test_factors_of_two_matrices_abreast_solve_both(symmetric: bool) -> None:
    both = [arrow(symmetric) for _ in range(2)]
    low, up, diagonal = (np.stack([m[i] for m in both], axis=1) for i in (1, 2, 3))
    factor(ARROW, symmetric, low, up, diagonal, np.zeros((4, 2)), np.zeros((4, 2)))
    for b, (matrix, *_) in enumerate(both):
        x = np.arange(1.0, 5.0)
        upper = low if symmetric else up
        columns = np.ascontiguousarray(low[:, b]), np.ascontiguousarray(upper[:, b])
        solve(ARROW, *columns, 1 / diagonal[:, b], x, np.zeros(4))
        np.testing.assert_allclose(matrix @ x, np.arange(1.0, 5.0), rtol=1e-13)


def test_sweeps_are_the_system_preconditioned_from_both_sides() -> None:
    """s = (D/ω)(D/ω + L)⁻¹ A (D/ω + U)⁻¹ v for three levels of four places."""
    along = np.array([[0.0, 0.3, 0.1], [0.2, 0.0, 0.4], [0.0, 0.5, 0.0]])
    across = np.diag(RANDOM.uniform(0.5, 1, 4)) + np.diag([0.1, 0.2, 0.3], 1)
    levels = [arrow(True) for _ in range(3)]
    low, up, diagonal = (np.stack([m[i] for m in levels], axis=1) for i in (1, 2, 3))
    factor(ARROW, True, low, up, diagonal, np.zeros((4, 3)), np.zeros((4, 3)))
    entries = [np.flatnonzero(row) for row in along]
    columns = [np.flatnonzero(row) for row in across]
    couplings = Couplings(
        start=np.array([np.cumsum([0, *map(len, entries)])]),
        level=np.concatenate(entries),
        value=along[along != 0],
        x_start=np.array([np.cumsum([0, *map(len, columns)])]),
        x_column=np.concatenate(columns),
        x_value=across[across != 0],
    )
    relax = np.array([1.0, 1.3, 1.1])
    factors = low.T.copy(), low.T.copy(), 1 / diagonal.T.copy()
    v, t, d, e, s = (np.zeros((3, 4)) for _ in range(5))
    v[:] = RANDOM.uniform(-1, 1, (3, 4))
    sweep_down(ARROW, couplings, *factors, relax, v, t, d)
    sweep_up(ARROW, couplings, *factors, relax, v, d, t, e, s)
    blocks = np.zeros((12, 12))
    scaled = np.zeros((12, 12))
    for k, (matrix, *_) in enumerate(levels):
        blocks[4 * k : 4 * k + 4, 4 * k : 4 * k + 4] = matrix
        scaled[4 * k : 4 * k + 4, 4 * k : 4 * k + 4] = matrix / relax[k]
    upper, lower = np.kron(np.triu(along), across), np.kron(np.tril(along), across)
    found = np.linalg.solve(scaled + upper, v.ravel())
    np.testing.assert_allclose(t.ravel(), found, rtol=1e-12)
    expected = scaled @ np.linalg.solve(scaled + lower, (blocks + upper + lower) @ found)
    np.testing.assert_allclose(s.ravel(), expected, rtol=1e-11, atol=1e-13)
    out = np.zeros(4)
    couple(couplings, 1, 0, 3, v, np.zeros(4), out)
    np.testing.assert_allclose(out, -across @ (along[1] @ v), rtol=1e-13)


def one_step(bands: np.ndarray, load: np.ndarray, half: float, y: np.ndarray) -> np.ndarray:
    """Crank-Nicolson by dense matrices, [line, abreast] each."""
    out = np.empty_like(y)
    for b in range(y.shape[1]):
        lower, diagonal, upper = bands[:, :, b]
        matrix = half * (np.diag(diagonal) + np.diag(lower[1:], -1) + np.diag(upper[:-1], 1))
        one = np.eye(len(y))
        out[:, b] = np.linalg.solve(one + matrix, (one - matrix) @ y[:, b] + 2 * half * load[:, b])
    return out


@pytest.mark.parametrize("line", [1, 2, 5])
def test_advance_lines_is_a_dense_step(line: int) -> None:
    bands, half = RANDOM.uniform(-1, 1, (3, 2, line, 2, 3)), 0.2
    load, y = RANDOM.uniform(size=(2, 2, line, 2, 3))
    expected = [
        [one_step(bands[:, o, :, i], load[o, :, i], half, y[o, :, i]) for i in (0, 1)]
        for o in (0, 1)
    ]
    factors = np.empty_like(bands)
    crank_nicolson.factor(*bands, half, *factors)
    crank_nicolson.advance_lines(*factors, load, half, np.empty((line, 3)), y)
    np.testing.assert_allclose(y.transpose(0, 2, 1, 3), expected, rtol=1e-12)


@pytest.mark.parametrize("line", [1, 2, 5])
def test_advance_levels_is_a_dense_step(line: int) -> None:
    bands, half = RANDOM.uniform(-1, 1, (3, 2, line, 1, crank_nicolson.ABREAST)), 0.2
    load = RANDOM.uniform(size=bands.shape[1:])
    y = RANDOM.uniform(size=(2, crank_nicolson.ABREAST, line))
    expected = [one_step(bands[:, o, :, 0], load[o, :, 0], half, y[o].T).T for o in (0, 1)]
    factors = np.empty_like(bands)
    crank_nicolson.factor(*bands, half, *factors)
    flat = y.reshape(-1, line)
    crank_nicolson.advance_levels(
        *factors, load, half, np.empty((line, crank_nicolson.ABREAST)), flat
    )
    np.testing.assert_allclose(y, expected, rtol=1e-12)


def test_parents_are_added_with_their_shares() -> None:
    """Σⱼ shares[j, level] values[numbers[j], level, place] on top of what is there."""
    values, shares, before = RANDOM.random((4, 3, 2)), RANDOM.random((2, 3)), RANDOM.random((3, 2))
    numbers, found = np.array([3, 1]), before.copy()
    add_shares(shares, numbers, values, found)
    expected = before + np.einsum("jk,jki->ki", shares, values[numbers])
    np.testing.assert_allclose(found, expected, rtol=1e-14)
    add_scaled(-shares[0], values[3], found)
    np.testing.assert_allclose(found, before + shares[1][:, None] * values[1], rtol=1e-12)
