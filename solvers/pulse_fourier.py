"""Pulse problem by Fourier modes in s and matrix exponentials in t: no error but the basis in x.

For each wave number k, in the basis of the eigenvectors of (A, M),

    f̂(k, t) = exp[−t (A + i k B)] f̂(k, 0),      f̂(k, 0) ∝ exp(−k²σ²/2)

on a period that the solution does not fill before the last time, with all k at which the Gaussian
is above rounding. Eigenvectors that die out at once are left out: an exponential loses as many
digits as its matrix is large.
"""

from __future__ import annotations

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from crtransport.solvers.errors import ConvergenceError
from crtransport.solvers.problem import PulseProblem, PulseSolution

Array = NDArray[np.float64]

#: exp(−k²σ²/2) is 1e-16 at kσ = 8.6
_K_SIGMA = 8.6

#: each costs an exponential of a matrix
_MOST_WAVES = 20_000

#: eigenvectors with a rate above this over the last time are left out
_STIFFEST = 1e5


def solve_fourier(problem: PulseProblem) -> PulseSolution:
    """Solve a pulse problem whose matrices are dense (spectral elements)."""
    half = problem.half_length()
    n_k = int(np.ceil(_K_SIGMA / problem.width * half / np.pi)) + 1
    if n_k > _MOST_WAVES:
        raise ConvergenceError(
            f"the pulse needs {n_k} wave numbers, more than {_MOST_WAVES}: "
            "take a wider pulse or earlier times"
        )
    n_s = 2 * n_k
    s = half * (np.arange(n_s) * 2 / n_s - 1)
    k = np.pi / half * np.arange(n_k)
    rates, vectors = _slow_vectors(problem)
    streaming = vectors.T @ problem.streaming @ vectors
    start = vectors.T @ problem.initial
    # amplitude of exp(ik(s + half)) of a Gaussian around s = 0 on a period of 2·half
    gauss = np.exp(-((k * problem.width) ** 2) / 2) * np.exp(-1j * k * half) * (n_s / (2 * half))
    spectrum = np.zeros((len(problem.times), n_s // 2 + 1, len(start)), complex)
    state = gauss[:, None] * start
    steps = np.diff(np.concatenate([[0.0], problem.times]))
    previous, propagators = 0.0, np.empty(0)
    for i, step in enumerate(steps):
        if not np.isclose(step, previous, rtol=1e-12, atol=0):
            propagators = np.stack(
                [scipy.linalg.expm(-step * (np.diag(rates) + 1j * kk * streaming)) for kk in k]
            )
            previous = step
        state = np.einsum("kij,kj->ki", propagators, state)
        spectrum[i, :n_k] = state
    values = np.fft.irfft(spectrum, n=n_s, axis=1)
    return PulseSolution(s=s, values=values @ vectors.T, unknowns=n_k * len(start))


def _slow_vectors(problem: PulseProblem) -> tuple[Array, Array]:
    """Rates ω and vectors of A v = ω M v with vᵀ M v = 1, without the stiffest.

    Upside down, M v = 1/(1 + ω) (A + M) v, so that the slow ones come out to full precision.
    """
    inverse, vectors = scipy.linalg.eigh(problem.mass, problem.operator + problem.mass)
    keep = inverse > 1 / (1 + _STIFFEST / problem.times[-1])
    vectors = vectors[:, keep] / np.sqrt(inverse[keep])
    rates = np.einsum("ik,ik->k", vectors, problem.operator @ vectors)
    return rates, vectors
