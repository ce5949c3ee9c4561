"""Banded systems along the axis, one for each mode, all modes abreast (they lie contiguous)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crtransport.solvers.jit import njit

Array = NDArray[np.float64]


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
def couple(bands: Array, across: Array, out: Array) -> None:
    """Add Σⱼ Aⱼ across_j, from [level, j, mode], to [level, mode].

    Parameters
    ----------
    bands : [j, 2 reach + 1, level] array
        A_j[k, k + d] at [j, reach + d, k], of the first levels; 0 at all others.
    """
    terms, width, n = bands.shape
    reach = width // 2
    for k in range(n):
        for j in range(terms):
            for d in range(max(-reach, -k), min(reach, len(across) - 1 - k) + 1):
                a = bands[j, reach + d, k]
                if a != 0.0:
                    for i in range(out.shape[1]):
                        out[k, i] += a * across[k + d, j, i]


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
    along, across : [term, 2 reach + 1, level] and [mode, term × mode] arrays
        R, its matrices transposed side by side; the first levels only may be coupled.
    load, out : [level, mode] arrays
    rows : (n_levels,) array
        Weights of the rows in the norm.
    basis : [iterations + 1, level × mode] array
        Work space, which limits the iterations.
    """
    n, m = load.shape
    limit, terms = len(basis) - 1, along.shape[0]
    triangle = np.zeros((limit + 1, limit))
    cosine, sine, right = np.zeros(limit), np.zeros(limit), np.zeros(limit + 1)
    u, w = np.empty((n, m)), np.empty((n, m))
    for k in range(n):
        w[k] = load[k] * rows[k]
    size = np.sqrt(np.dot(w.ravel(), w.ravel()))
    basis[0] = w.ravel() / size
    right[0] = 1.0
    used, rest = 0, 1.0
    for k in range(limit):
        now = basis[k].reshape((n, m))
        for i in range(n):
            u[i] = now[i] / rows[i]
            w[i] = u[i]
        solve(lu, u)
        if terms > 0:
            near = min(n, along.shape[2] + along.shape[1] // 2)
            couple(along, np.dot(u[:near], across).reshape((near, terms, m)), w)
        for i in range(n):
            w[i] *= rows[i]
        new = w.ravel()
        for i in range(k + 1):
            overlap = np.dot(basis[i], new)
            new -= overlap * basis[i]
            triangle[i, k] = overlap
        left = np.sqrt(np.dot(new, new))
        basis[k + 1] = new / left
        for i in range(k):
            a, b = triangle[i, k], triangle[i + 1, k]
            triangle[i, k] = cosine[i] * a + sine[i] * b
            triangle[i + 1, k] = cosine[i] * b - sine[i] * a
        whole = np.hypot(triangle[k, k], left)
        cosine[k], sine[k] = triangle[k, k] / whole, left / whole
        triangle[k, k] = whole
        right[k + 1] = -sine[k] * right[k]
        right[k] *= cosine[k]
        used, rest = k + 1, abs(right[k + 1])
        if rest <= rtol:
            break
    for i in range(used - 1, -1, -1):
        for j in range(i + 1, used):
            right[i] -= triangle[i, j] * right[j]
        right[i] /= triangle[i, i]
    flat = np.zeros(n * m)
    for i in range(used):
        flat += right[i] * size * basis[i]
    found = flat.reshape((n, m))
    for i in range(n):
        out[i] = found[i] / rows[i]
    solve(lu, out)
    return used, rest
