"""Banded systems along the axis, one for each mode, all modes abreast (they lie contiguous)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crtransport.solvers.jit import njit
from crtransport.solvers.levels import REACH

Array = NDArray[np.float64]

#: diagonals; known to the compiler
_WIDTH = 2 * REACH + 1


@njit
def factor(matrix: Array) -> None:
    """LU without exchanges, in place; 1/U on the diagonal.

    Parameters
    ----------
    matrix : [level, 2 reach + 1, mode] array
        A[k, k + d] at [k, reach + d].
    """
    n, width, modes = matrix.shape
    reach = width // 2
    for k in range(n):
        for i in range(modes):
            matrix[k, reach, i] = 1 / matrix[k, reach, i]
        for below in range(1, min(reach, n - 1 - k) + 1):
            for i in range(modes):
                matrix[k + below, reach - below, i] *= matrix[k, reach, i]
            for d in range(1, min(reach, n - 1 - k) + 1):
                for i in range(modes):
                    matrix[k + below, reach + d - below, i] -= (
                        matrix[k + below, reach - below, i] * matrix[k, reach + d, i]
                    )


@njit
def solve(lu: Array, x: Array) -> None:
    """A⁻¹ x in place, x of [level, mode]."""
    n, width, modes = lu.shape
    reach = width // 2
    for k in range(n):
        for d in range(max(-reach, -k), 0):
            for i in range(modes):
                x[k, i] -= lu[k, reach + d, i] * x[k + d, i]
    for k in range(n - 1, -1, -1):
        for d in range(1, min(reach, n - 1 - k) + 1):
            for i in range(modes):
                x[k, i] -= lu[k, reach + d, i] * x[k + d, i]
        for i in range(modes):
            x[k, i] *= lu[k, reach, i]


@njit
def mix(bands: Array, x: Array, out: Array) -> None:
    """Aⱼ x side by side.

    Parameters
    ----------
    bands : [level, j, 2 reach + 1] array
        Aⱼ[k, k + d] at [k, j, reach + d], of the first levels; 0 at all others.
    x : [reach + level + reach, mode] array
        Zero beyond the ends.
    out : [level, j × mode] array
    """
    n, terms = bands.shape[:2]
    m = x.shape[1]
    for k in range(n):
        for j in range(terms):
            row, band = out[k, j * m : (j + 1) * m], bands[k, j]
            for i in range(m):
                value = 0.0
                for d in range(_WIDTH):
                    value += band[d] * x[k + d, i]
                row[i] = value


@njit
def subtract(factor: float, x: Array, y: Array) -> None:
    """y −= factor x."""
    for i in range(len(y)):
        y[i] -= factor * x[i]


@njit
def assemble(along: Array, alone: Array, out: Array) -> None:
    """Σⱼ along_j ⊗ diag(alone_j).

    Parameters
    ----------
    along, alone : [term, 2 reach + 1, level] and [term, mode] arrays
    out : [level, 2 reach + 1, mode] array
    """
    terms, width, n = along.shape
    out[:] = 0.0
    for k in range(n):
        for j in range(terms):
            for d in range(width):
                a = along[j, d, k]
                if a != 0.0:
                    for i in range(out.shape[2]):
                        out[k, d, i] += a * alone[j, i]


@njit
def gmres(
    lu: Array,
    along: Array,
    across: Array,
    load: Array,
    rows: Array,
    rtol: float,
    basis: Array,
    out: Array,
) -> tuple[int, float]:
    """Solve (P + R) y = load by GMRES on the right of P⁻¹; iterations, and what is left.

    Parameters
    ----------
    lu : [level, 2 reach + 1, mode] array
        P, factored.
    along, across : [term, 2 reach + 1, level] and [term × mode, mode] arrays
        R, its matrices transposed one below the other; the first levels only may be coupled.
    load, out : [level, mode] arrays
    rows : (n_levels,) array
        Weights of the rows in the norm.
    basis : [iterations + 1, level × mode] array
        Work space, which limits the iterations.
    """
    n, m = load.shape
    limit, terms, reach = len(basis) - 1, along.shape[0], along.shape[1] // 2
    coupled = along.shape[2] if terms > 0 else 0
    bands = np.ascontiguousarray(along.transpose(2, 0, 1))
    vectors = basis.reshape((limit + 1, n, m))
    triangle = np.zeros((limit + 1, limit))
    cosine, sine, right = np.zeros(limit), np.zeros(limit), np.zeros(limit + 1)
    padded = np.zeros((n + 2 * reach, m))
    x = padded[reach : reach + n]
    mixed, moved = np.empty((coupled, terms * m)), np.empty((coupled, m))
    inverse = 1 / rows
    for k in range(n):
        for i in range(m):
            vectors[0, k, i] = load[k, i] * rows[k]
    size = np.sqrt(np.dot(basis[0], basis[0]))
    basis[0] /= size
    right[0] = 1.0
    used, rest = 0, 1.0
    for j in range(limit):
        now, following, new = vectors[j], vectors[j + 1], basis[j + 1]
        for k in range(n):
            for i in range(m):
                x[k, i] = now[k, i] * inverse[k]
        solve(lu, x)
        new[:] = basis[j]
        if coupled > 0:
            mix(bands, padded, mixed)
            np.dot(mixed, across, moved)
            for k in range(coupled):
                for i in range(m):
                    following[k, i] += moved[k, i] * rows[k]
        for i in range(j + 1):
            overlap = np.dot(basis[i], new)
            subtract(overlap, basis[i], new)
            triangle[i, j] = overlap
        left = np.sqrt(np.dot(new, new))
        new *= 1 / left
        for i in range(j):
            a, b = triangle[i, j], triangle[i + 1, j]
            triangle[i, j] = cosine[i] * a + sine[i] * b
            triangle[i + 1, j] = cosine[i] * b - sine[i] * a
        whole = np.hypot(triangle[j, j], left)
        cosine[j], sine[j] = triangle[j, j] / whole, left / whole
        triangle[j, j] = whole
        right[j + 1] = -sine[j] * right[j]
        right[j] *= cosine[j]
        used, rest = j + 1, abs(right[j + 1])
        if rest <= rtol:
            break
    for i in range(used - 1, -1, -1):
        for j in range(i + 1, used):
            right[i] -= triangle[i, j] * right[j]
        right[i] /= triangle[i, i]
    flat = np.zeros(n * m)
    for j in range(used):
        subtract(-right[j] * size, basis[j], flat)
    found = flat.reshape((n, m))
    for k in range(n):
        for i in range(m):
            out[k, i] = found[k, i] * inverse[k]
    solve(lu, out)
    return used, rest


@njit
def defect(own: Array, along: Array, across: Array, load: Array, rows: Array, x: Array) -> float:
    """‖load − (P + R) x‖ over ‖load‖, with the row weights.

    Parameters
    ----------
    own : [level, 2 reach + 1, mode] array
        P, as it is before it is factored.
    along, across, load, rows
        As `gmres` takes them.
    x : [level, mode] array
    """
    n, m = load.shape
    terms, reach = along.shape[0], along.shape[1] // 2
    coupled = along.shape[2] if terms > 0 else 0
    padded = np.zeros((n + 2 * reach, m))
    padded[reach : reach + n] = x
    left = load.copy()
    for k in range(n):
        for d in range(_WIDTH):
            for i in range(m):
                left[k, i] -= own[k, d, i] * padded[k + d, i]
    if coupled > 0:
        mixed = np.empty((coupled, terms * m))
        mix(np.ascontiguousarray(along.transpose(2, 0, 1)), padded, mixed)
        moved = np.dot(mixed, across)
        for k in range(coupled):
            for i in range(m):
                left[k, i] -= moved[k, i]
    whole = defect = 0.0
    for k in range(n):
        for i in range(m):
            whole += (load[k, i] * rows[k]) ** 2
            defect += (left[k, i] * rows[k]) ** 2
    return np.sqrt(defect / whole)


@njit
def add_scaled(rates: Array, y: Array, out: Array) -> None:
    """Add rates[level] y[level, mode]."""
    for k in range(len(rates)):
        for i in range(y.shape[1]):
            out[k, i] += rates[k] * y[k, i]


@njit
def add_shares(shares: Array, numbers: NDArray[np.int64], values: Array, out: Array) -> None:
    """Add Σ shares[j, level] values[numbers[j], level, place]."""
    for k in range(out.shape[0]):
        for j in range(len(numbers)):
            share, row = shares[j, k], values[numbers[j], k]
            for i in range(out.shape[1]):
                out[k, i] += share * row[i]
