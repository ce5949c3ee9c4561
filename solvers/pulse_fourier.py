"""Pulse problem by Fourier modes in s and matrix exponentials in t: no error but the basis in x.

For each wave number k, in the basis where M = 1,

    f̂(k, t) = exp[−t (A + i k B)] f̂(k, 0),      f̂(k, 0) ∝ exp(−k²σ²/2)

on a period that the solution does not fill before the last time, with all k at which the Gaussian
is above rounding.
"""

from __future__ import annotations

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from crtransport.solvers.problem import PulseProblem, PulseSolution

Array = NDArray[np.float64]

#: exp(−k²σ²/2) is 1e-16 at kσ = 8.6
_K_SIGMA = 8.6


def solve_fourier(problem: PulseProblem) -> PulseSolution:
    """Solve a pulse problem whose matrices are dense (spectral elements)."""
    half = problem.half_length()
    n_k = int(np.ceil(_K_SIGMA / problem.width * half / np.pi)) + 1
    n_s = 2 * n_k
    s = half * (np.arange(n_s) * 2 / n_s - 1)
    k = np.pi / half * np.arange(n_k)
    factor = np.linalg.cholesky(problem.mass)
    operator = _congruence(factor, problem.operator)
    streaming = _congruence(factor, problem.streaming)
    start = scipy.linalg.solve_triangular(factor, problem.initial, lower=True)
    # amplitude of exp(ik(s + half)) of a Gaussian around s = 0 on a period of 2·half
    gauss = np.exp(-((k * problem.width) ** 2) / 2) * np.exp(1j * k * half) * (n_s / (2 * half))
    spectrum = np.zeros((len(problem.times), n_s // 2 + 1, len(start)), complex)
    state = gauss[:, None] * start
    steps = np.diff(np.concatenate([[0.0], problem.times]))
    previous, propagators = 0.0, np.empty(0)
    for i, step in enumerate(steps):
        if not np.isclose(step, previous, rtol=1e-12, atol=0):
            propagators = np.stack(
                [scipy.linalg.expm(-step * (operator + 1j * kk * streaming)) for kk in k]
            )
            previous = step
        state = np.einsum("kij,kj->ki", propagators, state)
        spectrum[i, :n_k] = state
    values = np.fft.irfft(np.conj(spectrum), n=n_s, axis=1)
    coefficients = scipy.linalg.solve_triangular(
        factor.T, values.reshape(-1, len(start)).T, lower=False
    ).T
    return PulseSolution(
        s=s, values=coefficients.reshape(values.shape), unknowns=n_k * len(start)
    )


def _congruence(factor: Array, matrix: Array) -> Array:
    """L⁻¹ X L⁻ᵀ."""
    left = scipy.linalg.solve_triangular(factor, matrix, lower=True)
    return np.asarray(scipy.linalg.solve_triangular(factor, left.T, lower=True))
