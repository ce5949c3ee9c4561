"""Sparse factors of many matrices of one pattern, and triangular sweeps over the levels.

A = L D U, L and Uᵀ strictly lower with unit diagonals left out, both stored column by column on
one pattern (start, row). Column j of L below its diagonal:

    for p in start[j] … start[j+1] − 1:   L[row[p], j] = low[p],   U[j, row[p]] = up[p]
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from crtransport.solvers.jit import njit


class Pattern(NamedTuple):
    """Pattern of L by columns (start, row), and by rows: columns k and positions of L[j, k].

    Columns node[i] … node[i + 1] − 1 are full below each other and share all rows further down:
    a supernode, whose entries meet places that are gathered once. Places (row, column) are
    unsigned: an index that cannot be negative costs a third less.
    """

    node: Any
    start: Any
    row: Any
    row_start: Any
    column: Any
    position: Any


class Couplings(NamedTuple):
    """Products A ⊗ X without the diagonals of A, one after another in compressed rows.

    Term t couples level k to ``level[a]`` by ``value[a]``, a from start[t, k]; the row i of its X
    holds x_column[b] and x_value[b], b from x_start[t, i].
    """

    start: Any
    level: Any
    value: Any
    x_start: Any
    x_column: Any
    x_value: Any


@njit
def add(values, slots, entries, rates):  # type: ignore[no-untyped-def]
    """Add the entries of one matrix, times the rates [block, m], to [block, slot, m] values."""
    n, m = rates.shape
    for block in range(n):
        if not np.any(rates[block]):
            continue
        for e in range(len(slots)):
            for b in range(m):
                values[block, slots[e], b] += entries[e] * rates[block, b]


@njit
def factor(pattern, symmetric, low, up, diagonal, work_low, work_up):  # type: ignore[no-untyped-def]
    """Factor several matrices abreast, in place: low, up [entry, m], diagonal [place, m].

    On entry the matrices, on return their factors. Left-looking, without pivoting. With
    ``symmetric`` up is not touched: it is low. work_low, work_up [place, m] are zero, also on
    return.
    """
    n, m = diagonal.shape
    for j in range(n):
        for a in range(pattern.row_start[j], pattern.row_start[j + 1]):
            k, p = pattern.column[a], pattern.position[a]
            for b in range(m):
                low_p = low[p, b]
                up_p = low_p if symmetric else up[p, b]
                diagonal[j, b] -= low_p * diagonal[k, b] * up_p
            for q in range(p + 1, pattern.start[k + 1]):
                i = pattern.row[q]
                if symmetric:
                    for b in range(m):
                        work_low[i, b] -= low[q, b] * (diagonal[k, b] * low[p, b])
                else:
                    for b in range(m):
                        work_low[i, b] -= low[q, b] * (diagonal[k, b] * up[p, b])
                        work_up[i, b] -= up[q, b] * (diagonal[k, b] * low[p, b])
        for q in range(pattern.start[j], pattern.start[j + 1]):
            i = pattern.row[q]
            for b in range(m):
                low[q, b] = (low[q, b] + work_low[i, b]) / diagonal[j, b]
                work_low[i, b] = 0.0
            if not symmetric:
                for b in range(m):
                    up[q, b] = (up[q, b] + work_up[i, b]) / diagonal[j, b]
                    work_up[i, b] = 0.0


@njit
def solve(pattern, low, up, inverse, x, work):  # type: ignore[no-untyped-def]
    """x = A⁻¹ x for one matrix; ``inverse`` is 1/D, work as long as x."""
    node, start, row = pattern.node, pattern.start, pattern.row
    n_nodes = len(node) - 1
    for i in range(n_nodes):
        first, end = node[i], node[i + 1]
        begin = start[end - 1]
        rows = row[begin : start[end]]
        sums = work[: len(rows)]
        sums[:] = 0.0
        for j in range(first, end):
            value, p, n_full = x[j], start[j], end - 1 - j
            full, below = low[p : p + n_full], low[p + n_full : start[j + 1]]
            inside = x[j + 1 : end]
            for r in range(len(full)):
                inside[r] -= full[r] * value
            for r in range(len(below)):
                sums[r] += below[r] * value
        for r in range(len(rows)):
            x[rows[r]] -= sums[r]
    for i in range(n_nodes - 1, -1, -1):
        first, end = node[i], node[i + 1]
        begin = start[end - 1]
        rows = row[begin : start[end]]
        met = work[: len(rows)]
        for r in range(len(rows)):
            met[r] = x[rows[r]]
        for j in range(end - 1, first - 1, -1):
            p, n_full = start[j], end - 1 - j
            full, below = up[p : p + n_full], up[p + n_full : start[j + 1]]
            inside = x[j + 1 : end]
            # four sums, so that no addition waits for the one before
            s0, s1, s2, s3 = x[j] * inverse[j], 0.0, 0.0, 0.0
            for r in range(len(full)):
                s0 -= full[r] * inside[r]
            n_four = len(below) // 4
            for q in range(n_four):
                s0 -= below[4 * q] * met[4 * q]
                s1 -= below[4 * q + 1] * met[4 * q + 1]
                s2 -= below[4 * q + 2] * met[4 * q + 2]
                s3 -= below[4 * q + 3] * met[4 * q + 3]
            for r in range(4 * n_four, len(below)):
                s0 -= below[r] * met[r]
            x[j] = (s0 + s1) + (s2 + s3)


@njit
def solve_abreast(pattern, factors, x):  # type: ignore[no-untyped-def]
    """x = A⁻¹ x for several matrices abreast: factors [slot, m] of L, perhaps U, and 1/D."""
    n, m = x.shape
    n_low = len(pattern.row)
    up = 0 if len(factors) == n_low + n else n_low
    inverse = len(factors) - n
    for j in range(n):
        for q in range(pattern.start[j], pattern.start[j + 1]):
            i = pattern.row[q]
            for b in range(m):
                x[i, b] -= factors[q, b] * x[j, b]
    for j in range(n - 1, -1, -1):
        for b in range(m):
            x[j, b] *= factors[inverse + j, b]
        for q in range(pattern.start[j], pattern.start[j + 1]):
            i = pattern.row[q]
            for b in range(m):
                x[j, b] -= factors[up + q, b] * x[i, b]


@njit
def couple(c, k, first, last, y, sum_of, out):  # type: ignore[no-untyped-def]
    """out −= Σ over terms of X Σ over levels l in first … last − 1 of A[k, l] y[l]."""
    n = out.shape[0]
    for t in range(c.start.shape[0]):
        found = False
        for a in range(c.start[t, k], c.start[t, k + 1]):
            level = c.level[a]
            if first <= level < last:
                value, row = c.value[a], y[level]
                if found:
                    for i in range(n):
                        sum_of[i] += value * row[i]
                else:
                    for i in range(n):
                        sum_of[i] = value * row[i]
                found = True
        if found:
            for i in range(n):
                total = 0.0
                for b in range(c.x_start[t, i], c.x_start[t, i + 1]):
                    total += c.x_value[b] * sum_of[c.x_column[b]]
                out[i] -= total


@njit
def sweep_down(pattern, c, low, up, inverse, relax, v, t, d):  # type: ignore[no-untyped-def]
    """(D/ω + U) t = v from the highest level down, U what a level has from higher ones; d = D t/ω.

    low, up [level, entry], inverse [level, place], relax [level]; v, t, d [level, place].
    """
    n, m = v.shape
    work, sums = v[0].copy(), v[0].copy()
    for k in range(n - 1, -1, -1):
        for i in range(m):
            d[k, i] = v[k, i]
        couple(c, k, k + 1, n, t, work, d[k])
        for i in range(m):
            t[k, i] = relax[k] * d[k, i]
        solve(pattern, low[k], up[k], inverse[k], t[k], sums)


@njit
def sweep_up(pattern, c, low, up, inverse, relax, v, d, t, e, s):  # type: ignore[no-untyped-def]
    """s = v + (ω−1) d + L e with D (t − e) = ω s, from the lowest level up, e and s found together.

    With t and d from sweep_down, s = (D/ω)(D/ω + L)⁻¹ A (D/ω + U)⁻¹ v: the matrix A = D + L + U
    preconditioned from both sides without being applied (Eisenstat 1981). t = d = 0 gives
    s = (D/ω)(D/ω + L)⁻¹ v.
    """
    n, m = v.shape
    work, sums = v[0].copy(), v[0].copy()
    for k in range(n):
        for i in range(m):
            s[k, i] = -v[k, i] - (relax[k] - 1.0) * d[k, i]
        couple(c, k, 0, k, e, work, s[k])
        for i in range(m):
            s[k, i] = -s[k, i]
            e[k, i] = relax[k] * s[k, i]
        solve(pattern, low[k], up[k], inverse[k], e[k], sums)
        for i in range(m):
            e[k, i] = t[k, i] - e[k, i]
