"""Kernels of the split march: many tridiagonal systems abreast, one direction at a time.

Coefficients and factors are [outer, line, inner, abreast]: the systems run along the second
index, and what the last index counts is independent and contiguous.
"""

from __future__ import annotations

from crtransport.solvers.jit import njit

#: lines along the levels solved abreast: two vectors of doubles
ABREAST = 16


@njit
def factor(lower, diagonal, upper, half, inverse, low, up):  # type: ignore[no-untyped-def]
    """Thomas' factors of 1 + half · T, T tridiagonal: what ``advance_lines`` recurs with.

    inverse = 1/pivot, low = half · lower · inverse, up = half · upper · inverse.
    """
    n_outer, n_line, n_inner, m = inverse.shape
    for o in range(n_outer):
        for i in range(n_inner):
            for j in range(n_line):
                one, below, above = inverse[o, j, i], low[o, j, i], up[o, j, i]
                main, left, right = diagonal[o, j, i], lower[o, j, i], upper[o, j, i]
                if j == 0:
                    for b in range(m):
                        one[b] = 1.0 / (1.0 + half * main[b])
                else:
                    before = up[o, j - 1, i]
                    for b in range(m):
                        one[b] = 1.0 / (1.0 + half * (main[b] - left[b] * before[b]))
                for b in range(m):
                    below[b] = half * left[b] * one[b]
                    above[b] = half * right[b] * one[b]


@njit
def advance_lines(inverse, low, up, load, half, work, y):  # type: ignore[no-untyped-def]
    """(1 + half · T) y_new = (1 − half · T) y + 2 half · load, in place.

    Without T: y_new = 2 x − y where (1 + half · T) x = y + half · load.
    All arrays [outer, line, inner, abreast]; work [line, abreast].
    """
    n_outer, n_line, n_inner, m = y.shape
    for o in range(n_outer):
        for i in range(n_inner):
            x, now, one, set_free = work[0], y[o, 0, i], inverse[o, 0, i], load[o, 0, i]
            for b in range(m):
                x[b] = (now[b] + half * set_free[b]) * one[b]
            for j in range(1, n_line):
                before, x, now = work[j - 1], work[j], y[o, j, i]
                one, below, set_free = inverse[o, j, i], low[o, j, i], load[o, j, i]
                for b in range(m):
                    x[b] = (now[b] + half * set_free[b]) * one[b] - below[b] * before[b]
            x, now = work[n_line - 1], y[o, n_line - 1, i]
            for b in range(m):
                now[b] = 2.0 * x[b] - now[b]
            for j in range(n_line - 2, -1, -1):
                after, x, now, above = work[j + 1], work[j], y[o, j, i], up[o, j, i]
                for b in range(m):
                    x[b] -= above[b] * after[b]
                    now[b] = 2.0 * x[b] - now[b]


@njit
def advance_levels(inverse, low, up, load, half, work, y):  # type: ignore[no-untyped-def]
    """The same along the second index of y [place, level], ABREAST places at a time.

    inverse, low, up, load [bundle, level, 1, ABREAST], bundles of ABREAST places each; work
    [level, ABREAST].
    """
    n_bundles, n, _, _ = inverse.shape
    for o in range(n_bundles):
        first = o * ABREAST
        for b in range(ABREAST):
            row = y[first + b]
            for k in range(n):
                work[k, b] = row[k]
        x, one, set_free = work[0], inverse[o, 0, 0], load[o, 0, 0]
        for b in range(ABREAST):
            x[b] = (x[b] + half * set_free[b]) * one[b]
        for k in range(1, n):
            before, x = work[k - 1], work[k]
            one, below, set_free = inverse[o, k, 0], low[o, k, 0], load[o, k, 0]
            for b in range(ABREAST):
                x[b] = (x[b] + half * set_free[b]) * one[b] - below[b] * before[b]
        for k in range(n - 2, -1, -1):
            x, after, above = work[k], work[k + 1], up[o, k, 0]
            for b in range(ABREAST):
                x[b] -= above[b] * after[b]
        for b in range(ABREAST):
            row = y[first + b]
            for k in range(n):
                row[k] = 2.0 * work[k, b] - row[k]
