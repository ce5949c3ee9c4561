"""Closed forms of the leaky box: N(u) of momentum terms and escape alone, with u = ln p.

    −∂_u(b N) − ∂_u[K (∂_u N − 3N)] + e N = Q(u)

with momentum loss rate b, reacceleration K = D_pp/p² and escape rate e, all 1/Myr. The density in
phase space is f = N/4πp³; N ∝ p^−a is f ∝ p^−(a+3).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.integrate import quad

Array = NDArray[np.float64]


def line(
    u: ArrayLike, *, at: float, reacceleration: float, escape: float, loss: float = 0.0
) -> Array:
    """N of Q = δ(u − u₀) with constant K, e and b: e^(n±(u−u₀))/[K(n₊ − n₋)], + below u₀, − above.

    K n² + (b − 3K) n − e = 0. Without losses n± = s± + 3 with s± = −3/2 ± √(9/4 + e/K), and
    N = 4πp³ f with f = [4πp₀³K(s₊ − s₋)]⁻¹ (p/p₀)^s± the solution for a source of one particle.
    """
    rise, fall = exponents(reacceleration, escape, loss)
    distance = np.asarray(u, dtype=float) - at
    wings = np.exp(np.where(distance < 0, rise, fall) * distance)
    return np.asarray(wings / (reacceleration * (rise - fall)))


def exponents(reacceleration: float, escape: float, loss: float = 0.0) -> tuple[float, float]:
    """n₊ > 0 > n₋: the powers of p that N follows below and above a line."""
    half = (3 * reacceleration - loss) / 2
    root = np.sqrt(half**2 + reacceleration * escape)
    return float((half + root) / reacceleration), float((half - root) / reacceleration)


def power_law_response(
    slope: float, *, escape: float, reacceleration: float = 0.0, loss: float = 0.0
) -> float:
    """N/Q = 1/[e + a b − K a(a + 3)] of Q ∝ p^−a with constant K, e and b.

    For f ∝ p^−s and b = 0: f = qτ/[1 − Kτ s(s − 3)], since p⁻²∂_p(K p⁴ ∂_p p^−s) = K s(s−3) p^−s.

    Raises
    ------
    ValueError
        If there is no steady state: reacceleration, with losses and escape, makes a spectrum that
        is flatter than the source (−a is not between the `exponents` of a line).
    """
    inverse = escape + slope * loss - reacceleration * slope * (slope + 3)
    if inverse <= 0:
        raise ValueError(f"no steady N ∝ p^-{slope:g}: reacceleration alone is flatter")
    return float(1 / inverse)


def cooled_response(slope: float, loss: float, escape: float, relative_slope: float) -> float:
    """N/Q at p of Q ∝ p^−a, b ∝ p^k and e ∝ p^δ, from b and e at p and κ = k − δ.

    N(u) = (1/b) ∫_u^∞ Q exp(−∫_u^u' e/b du″) du' = (Q/ab) ∫₀¹ exp[−(e/κb)(1 − v^(κ/a))] dv,
    v = (p'/p)^−a. For κ > 0 the integral is Kummer's M(1, 1 + a/κ, −e/κb); it is 1/(1 + e/ab) for
    κ = 0, 1 without escape, ab/e without loss. By adaptive quadrature to 1e-13.
    """

    kappa = relative_slope / slope

    def survival(v: float) -> float:
        log = np.log(v)
        path = -np.expm1(kappa * log) / kappa if kappa else -log
        return float(np.exp(-escape * path / (slope * loss)))

    integral, _ = quad(survival, 0, 1, epsabs=0, epsrel=1e-13, limit=500)
    return float(integral / (slope * loss))
