"""Slowest decay rates of a finite-volume two-way operator, by counting: O(cells) per rate."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_banded

from crtransport.solvers.errors import ConvergenceError
from crtransport.solvers.finite_volume import diffusion_diagonal
from crtransport.solvers.kernels.sturm import bisect_rates, count_negative

Array = NDArray[np.float64]


def slowest_rates(
    conductance: Array, loss: Array, streaming: Array, n: int, rtol: float = 1e-14
) -> Array:
    """The n smallest eigenvalues Λ ≥ 0 of A v = Λ B v, A tridiagonal, B a signed diagonal.

    No eigenvector and no dense matrix is formed: this shares nothing with ``eigen.decay_modes``.
    Where there is no loss, zero is an eigenvalue (double if there is no net flux) and comes first.

    Parameters
    ----------
    conductance : (n_cells − 1,) array
    loss, streaming : (n_cells,) arrays
        Diagonals of the loss matrix (not negative) and of B (of either sign).
    n : int
        How many, at most the number of positive entries of ``streaming``.
    rtol : float
        Relative accuracy of the bisection.
    """
    # without loss zero comes first; the count just above it is 1, unless the constant carries
    # flux downwards and so belongs to the modes that decay against s
    conserving = not np.any(loss)
    carries_down = np.sum(streaming) < -1e-12 * np.sum(np.abs(streaming))
    passed = int(conserving and not carries_down)
    rates = np.zeros(n)
    upper = 1.0
    while count_negative(conductance, loss, streaming, upper) < n:
        upper *= 8.0
        if upper > 1e300:
            raise ConvergenceError(
                f"{n} rates asked for, fewer exist: ask for fewer, or take more cells"
            )
    bisect_rates(conductance, loss, streaming, passed, upper, rtol, rates[int(conserving) :])
    return rates


def mode_of_rate(
    conductance: Array, loss: Array, streaming: Array, rate: float, rounds: int = 3
) -> Array:
    """(n_cells,) eigenvector of A v = Λ B v for a known Λ, by inverse iteration; vᵀ|B|v = 1."""
    n = len(loss)
    band = np.zeros((3, n))
    band[0, 1:] = band[2, :-1] = -conductance
    # a shift beside the eigenvalue keeps the matrix regular
    shift = rate * (1 + 1e-10) if rate > 0 else -1e-12 * np.max(conductance)
    weight = streaming if rate > 0 else np.abs(streaming)
    band[1] = diffusion_diagonal(conductance) + loss - shift * weight
    v = np.ones(n)
    for _ in range(rounds):
        v = solve_banded((1, 1), band, weight * v)
        v /= np.sqrt(np.sum(np.abs(streaming) * v**2))
    return np.asarray(v * np.sign(v[-1]))
