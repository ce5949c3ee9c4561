"""Kernels of the split pulse solver. State f[i, j]: cell i in x, cell j in s, j contiguous."""

from __future__ import annotations

from crtransport.solvers.jit import njit


@njit
def advect(f, courant, flux):  # type: ignore[no-untyped-def]
    """Shift row i by courant[i] cells (|courant| ≤ 1), in place, nothing beyond the ends.

        flux[j] is through the face between j−1 and j:   | j−1 | j |
                                                               ^
    Third-order upwind-biased flux form (QUICKEST, Leonard 1979): conservative, and exact in the
    mean, variance and sum of f along s.
    """
    n_x, n_s = f.shape
    for i in range(n_x):
        c = courant[i]
        low = (1.0 - c * c) / 6.0
        row = f[i]
        flux[0] = 0.0
        flux[n_s] = 0.0
        if c >= 0.0:
            flux[1] = c * row[0]
            for j in range(2, n_s):
                a, b, d = row[j - 2], row[j - 1], row[j]
                flux[j] = c * (0.5 * (b + d) - 0.5 * c * (d - b) - low * (d - 2.0 * b + a))
        else:
            flux[n_s - 1] = c * row[n_s - 1]
            for j in range(1, n_s - 1):
                b, d, e = row[j - 1], row[j], row[j + 1]
                flux[j] = c * (0.5 * (b + d) - 0.5 * c * (d - b) - low * (e - 2.0 * d + b))
        for j in range(n_s):
            row[j] -= flux[j + 1] - flux[j]


@njit
def solve_rows(lower, inverse_pivot, mass, f, out):  # type: ignore[no-untyped-def]
    """out = T⁻¹ (mass · f) down the rows, T symmetric tridiagonal and factored beforehand.

    lower[i] = t_{i,i−1} / pivot_{i−1} and inverse_pivot[i] = 1/pivot_i; for symmetric T the
    elimination upward uses lower[i+1] again. out may not be f.
    """
    n_x, n_s = f.shape
    for j in range(n_s):
        out[0, j] = mass[0] * f[0, j]
    for i in range(1, n_x):
        for j in range(n_s):
            out[i, j] = mass[i] * f[i, j] - lower[i] * out[i - 1, j]
    for j in range(n_s):
        out[n_x - 1, j] *= inverse_pivot[n_x - 1]
    for i in range(n_x - 2, -1, -1):
        for j in range(n_s):
            out[i, j] = out[i, j] * inverse_pivot[i] - lower[i + 1] * out[i + 1, j]


@njit
def combine(first, second, a, b, out):  # type: ignore[no-untyped-def]
    """out = a·first + b·second."""
    n_x, n_s = out.shape
    for i in range(n_x):
        for j in range(n_s):
            out[i, j] = a * first[i, j] + b * second[i, j]
