"""One source in the middle of a bubble of slow diffusion: a closed form for each frequency.

With u = r n and p² the variable of Laplace, D₁ u'' = p² u within r₀ and u'' = p² u beyond, where u
and D ∂n/∂r are continuous:

    n̂ = e^(−qr) [1 + β + (1 − β) e^(−2q(r₀ − r))]/4πD₁ r B  within
    n̂ = 2 e^(−qr₀ − p(r − r₀))/4πD₁ r B  beyond
    q = p/√D₁,  β = [p + (1 − D₁)/r₀]/√D₁ p,  B = 1 + β + (1 − β) e^(−2qr₀)
    n = (1/πi) ∫ p n̂ e^(p²τ) dp  along Re p = σ

A Gaussian along that line, on which the trapezoidal rule has all digits; at the saddle σ = s/2τ,
with s = r/√D₁ or r₀/√D₁ + r − r₀, none is lost however small n is.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crtransport.constants import KPC, YEAR
from crtransport.deck.burst import BurstDeck
from crtransport.physics.burst import LocalSource
from crtransport.problems.burst_emission import Emission, Remnant, averaged

Array = NDArray[np.float64]

#: least σ√τ, the step over σ and over 1/√τ, the line's end over 1/√τ: e^−38 is left out
_SIGMA, _STEP, _LONGEST, _END = 1.5, 1 / 6, 0.5, 6.2
#: by how much σ of what tells the error is larger, in 1/√τ
_OTHER = 0.4


def around(deck: BurstDeck, source: LocalSource, disk: Array, loss: Array | None = None) -> Remnant:
    """What is left of one source in its bubble, for D beyond it in cm2/s and Γ in s^-1."""
    assert deck.bubble is not None
    bubble, r, b = deck.bubble, source.distance, np.radians(source.b)
    emission = Emission.of(source, disk * YEAR / KPC**2, loss, layer=False)

    def left(tau: Array, gamma: Array) -> Array:
        assert not gamma.any()
        log_density, slope = radial(tau, r, bubble.radius, bubble.factor)
        other, _ = radial(tau, r, bubble.radius, bubble.factor, _OTHER)
        off = np.abs(np.expm1(other - log_density))
        return np.array([log_density, -slope * np.cos(b), -slope * np.sin(b), off])

    return averaged(left, emission, _optical(r, bubble.radius, bubble.factor))


def radial(
    tau: Array, r: float, radius: float, factor: float, shift: float = 0.0
) -> tuple[Array, Array]:
    """ln n and its slope at r, kpc, at times τ = D t beyond the bubble, kpc².

    By a line that is shifted by ``shift``/√τ.
    """
    length, slow = _optical(r, radius, factor), np.sqrt(factor)
    sigma = np.maximum(length / (2 * tau), _SIGMA / np.sqrt(tau)) + shift / np.sqrt(tau)
    step = np.minimum(_LONGEST / np.sqrt(tau), _STEP * sigma)
    count = int(np.ceil(np.max(_END / np.sqrt(tau) / step)))
    along = step[:, None] * (0.5 + np.arange(count))
    p = sigma[:, None] + 1j * along
    # √D₁ p (1 ± β), as β has no limit at p = 0
    jump = p + (1 - factor) / radius
    plus, minus = slow * p + jump, slow * p - jump
    whole = plus + minus * np.exp(-2 * p * radius / slow)
    if r < radius:
        back = np.exp(-2 * p * (radius - r) / slow)
        u = (plus + minus * back) / whole
        slope = -p / slow * (plus - minus * back) / whole
    else:
        u = 2 * slow * p / whole
        slope = -p * u
    # e^(p²τ − ps) is e^(σ²τ − σs) times this
    wave = p * np.exp(-(along**2) * tau[:, None] + 1j * along * (2 * sigma * tau - length)[:, None])
    u_sum, slope_sum = ((wave * x).real.sum(axis=1) for x in (u, slope))
    logs = sigma**2 * tau - sigma * length + np.log(u_sum * step / (2 * np.pi**2 * factor * r))
    return logs, slope_sum / u_sum - 1 / r


def _optical(r: float, radius: float, factor: float) -> float:
    """∫ dr/√D from the source, in units of the D beyond the bubble."""
    return min(r, radius) / float(np.sqrt(factor)) + max(0.0, r - radius)
