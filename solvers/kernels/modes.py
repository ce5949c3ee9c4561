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
        A_j[k, k + d] at [j, reach + d, k].
    """
    terms, width, n = bands.shape
    reach = width // 2
    for k in range(n):
        for j in range(terms):
            for d in range(max(-reach, -k), min(reach, n - 1 - k) + 1):
                a = bands[j, reach + d, k]
                if a != 0.0:
                    for i in range(out.shape[1]):
                        out[k, i] += a * across[k + d, j, i]
