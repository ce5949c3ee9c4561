"""Pulse problem by Fourier modes in s and matrix exponentials in t: no error but the basis in x.

For each wave number k, in the basis of the eigenvectors of (A, M),

    f̂(k, t) = exp[−t (A + i k B)] f̂(k, 0),      f̂(k, 0) ∝ exp(−k²σ²/2)

on a period that the solution does not fill before the last time, with all k at which the Gaussian
is above rounding. An exponential loses as many digits as its matrix is large, so eigenvectors v
that die out long before a time are not in it: they follow the others, v̂ = −G f̂, which leaves an
error of the square of the rates' ratio. The slowest rate of A is taken off, so that what is left
keeps its digits however much is lost.
"""

from __future__ import annotations

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from crtransport.solvers.errors import ConvergenceError, SingularOperatorError
from crtransport.solvers.problem import PulseProblem, PulseSolution

Array = NDArray[np.float64]
Complex = NDArray[np.complex128]

#: exp(−k²σ²/2) is 1e-16 at kσ = 8.6
_K_SIGMA = 8.6

#: each costs an exponential of a matrix
_MOST_WAVES = 20_000

#: eigenvectors with a rate above this over a time follow the others in the step to it
STIFFEST = 1e5

_TOO_WIDE = (
    "diffusion and loss over the first time are too large for floats, or range over more digits "
    "than there are"
)


def solve_fourier(problem: PulseProblem, stiffest: float = STIFFEST) -> PulseSolution:
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
    decay = float(rates[0])
    rates = rates - decay
    streaming = vectors.T @ problem.streaming @ vectors
    start = vectors.T @ problem.initial
    # amplitude of exp(ik(s + half)) of a Gaussian around s = 0 on a period of 2·half
    gauss = np.exp(-((k * problem.width) ** 2) / 2) * np.exp(-1j * k * half) * (n_s / (2 * half))
    spectrum = np.zeros((len(problem.times), n_s // 2 + 1, len(start)), complex)
    state = gauss[:, None] * start
    steps = np.diff(np.concatenate([[0.0], problem.times]))
    previous, moves = (0.0, 0), []
    for i, step in enumerate(steps):
        n = int(np.sum(rates <= stiffest / problem.times[i]))
        if n != previous[1] or not np.isclose(step, previous[0], rtol=1e-12, atol=0):
            moves = [_moved(rates, streaming, n, kk, step) for kk in k]
            previous = (step, n)
        for j, (propagator, follow) in enumerate(moves):
            slow = propagator @ (state[j, :n] - follow.T @ state[j, n:])
            state[j] = np.concatenate([slow, -follow @ slow])
        spectrum[i, :n_k] = state
    values = np.fft.irfft(spectrum, n=n_s, axis=1)
    return PulseSolution(
        s=s,
        scaled=values @ vectors.T,
        exponents=decay * problem.times,
        unknowns=n_k * len(start),
    )


def _moved(
    rates: Array, streaming: Array, n: int, k: float, step: float
) -> tuple[Complex, Complex]:
    """The exponential of the n slow ones over a step, and G by which the others follow them."""
    matrix: Complex = np.diag(rates) + 1j * k * streaming
    across = matrix[:n, n:]
    follow = np.asarray(np.linalg.solve(matrix[n:, n:], across.T), complex)
    return scipy.linalg.expm(-step * (matrix[:n, :n] - across @ follow)), follow


def trigonometric(s: Array, at: Array) -> Array:
    """[point, s] weights of the Fourier series through values on ``s``; zero beyond the period.

    As exact as the series: piecewise polynomials are off by 1e-3 where ``s`` just resolves it.
    """
    n, cell = len(s), s[1] - s[0]
    angle = np.pi * (at[:, None] - s) / (n * cell)
    on = np.abs(np.sin(angle)) < 1e-12
    safe = np.where(on, 1.0, angle)
    rows = np.where(on, 1.0, np.sin(n * safe) / (n * np.tan(safe)))
    return np.where(((at < s[0]) | (at > s[-1] + cell))[:, None], 0.0, rows)


def _slow_vectors(problem: PulseProblem) -> tuple[Array, Array]:
    """Rates ω, rising, and vectors of A v = ω M v with vᵀ M v = 1, without what is rounding.

    Upside down, M v = 1/(1 + ω) (A + M) v, so that the slow ones come out to full precision.
    """
    unit = 1 / problem.times[0]  # of rates: what matters is slower than some of these
    scaled = problem.operator / unit
    if not np.all(np.isfinite(scaled)):
        raise SingularOperatorError(_TOO_WIDE)
    try:
        inverse, vectors = scipy.linalg.eigh(problem.mass, scaled + problem.mass)
    except scipy.linalg.LinAlgError as error:
        raise SingularOperatorError(_TOO_WIDE) from error
    keep = inverse > 1e-15 * np.max(inverse)
    vectors = vectors[:, keep] / np.sqrt(inverse[keep])
    rates = np.einsum("ik,ik->k", vectors, problem.operator @ vectors)
    order = np.argsort(rates)
    return rates[order], vectors[:, order]
