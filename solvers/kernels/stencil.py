"""Interpolation on regular grids, by Lagrange's polynomials."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crtransport.solvers.jit import njit

Array = NDArray[np.float64]


@njit
def six_weights(x: float, out: Array) -> None:
    """Weights of the values at 0, 1, 2, 3, 4, 5 for the value at x, by Lagrange's polynomials."""
    a, b, c, d, e, f = x, x - 1, x - 2, x - 3, x - 4, x - 5
    out[0] = -b * c * d * e * f / 120
    out[1] = a * c * d * e * f / 24
    out[2] = -a * b * d * e * f / 12
    out[3] = a * b * c * e * f / 12
    out[4] = -a * b * c * d * f / 24
    out[5] = a * b * c * d * e / 120


@njit
def interpolate(table: Array, places: Array, rows: Array, out: Array) -> None:
    """Values of all quantities at all places; NaN where a value within reach is NaN.

    Parameters
    ----------
    table : (n_0, n_1, n_2, n_q) array
        Each axis with at least six points.
    places : (n_places, n_each, 2) array
        Positions along the axes 1 and 2, in grid steps; NaN for none.
    rows : (n_places,) array
        Position along axis 0 of all ``n_each`` of a place.
    out : (n_places, n_each, n_q) array
    """
    n0, n1, n2, n_q = table.shape
    w0, w1, w2 = np.empty(6), np.empty(6), np.empty(6)
    for s in range(places.shape[0]):
        i0 = min(max(int(rows[s]) - 2, 0), n0 - 6)
        six_weights(rows[s] - i0, w0)
        for e in range(places.shape[1]):
            x1, x2 = places[s, e, 0], places[s, e, 1]
            if not (x1 == x1 and x2 == x2):
                out[s, e, :] = np.nan
                continue
            i1 = min(max(int(x1) - 2, 0), n1 - 6)
            i2 = min(max(int(x2) - 2, 0), n2 - 6)
            six_weights(x1 - i1, w1)
            six_weights(x2 - i2, w2)
            out[s, e, :] = 0.0
            for i in range(6):
                for j in range(6):
                    w = w0[i] * w1[j]
                    for k in range(6):
                        ww = w * w2[k]
                        for q in range(n_q):
                            out[s, e, q] += ww * table[i0 + i, i1 + j, i2 + k, q]


@njit
def between(values: Array, number: Array, near: int, out: Array) -> None:
    """Values at fractional places, each from the nearest ``near``.

    Parameters
    ----------
    values : (n, n_q) array
        At 0, 1, …, n − 1, n not below ``near``.
    number : (n_places,) array
    out : (n_places, n_q) array
    """
    n, n_q = values.shape
    for e in range(len(number)):
        x = number[e]
        first = min(max(int(np.floor(x)) - near // 2 + 1, 0), n - near)
        out[e, :] = 0.0
        for i in range(near):
            weight = 1.0
            for j in range(near):
                if j != i:
                    weight *= (x - first - j) / (i - j)
            for q in range(n_q):
                out[e, q] += weight * values[first + i, q]
