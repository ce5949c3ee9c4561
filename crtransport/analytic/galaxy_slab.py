"""Closed forms of a slab |z| < H with free escape, N(±H) = 0, and a disk as thin as a δ(z).

At each momentum N obeys

    −∂_z(D ∂_z N) + ∂_z(V N) + G N + S δ(z) N = Q δ(z)

with a loss S (kpc/Myr) and a source Q in the disk and a decay rate G everywhere. Without terms that
couple momenta N₀ = N(z = 0) = Q/(escape + S), where `escape` depends on the halo alone.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import erf, hyp1f1

Array = NDArray[np.float64]


def escape(
    diffusion: ArrayLike, height: float, *, wind: ArrayLike = 0.0, decay: ArrayLike = 0.0
) -> Array:
    """V + 2Dk coth kH with k² = V²/4D² + G/D: what leaves both sides of the disk per N₀, kpc/Myr.

    2D/H with diffusion alone; 2V/(1 − e^(−VH/D)) with a wind V sgn z and no decay.
    """
    d = np.asarray(diffusion, dtype=float)
    kh = height * _wave_number(d, wind, decay)
    # x coth x = x (1 + e^(−2x))/(1 − e^(−2x)), 1 at x = 0
    safe = np.where(kh == 0, 1.0, kh)
    x_coth_x = np.where(kh == 0, 1.0, safe * (1 + np.exp(-2 * safe)) / -np.expm1(-2 * safe))
    return np.asarray(np.asarray(wind) + 2 * d / height * x_coth_x)


def profile(
    z: ArrayLike,
    diffusion: ArrayLike,
    height: float,
    *,
    wind: ArrayLike = 0.0,
    decay: ArrayLike = 0.0,
) -> Array:
    """N/N₀ = e^(V|z|/2D) sinh[k(H−|z|)]/sinh kH; 1 − |z|/H with diffusion alone."""
    d = np.asarray(diffusion, dtype=float)
    k = _wave_number(d, wind, decay)
    distance = np.abs(np.asarray(z, dtype=float))
    safe = np.where(k == 0, 1.0, k)
    ratio = np.expm1(-2 * safe * (height - distance)) / np.expm1(-2 * safe * height)
    curved = np.exp((np.asarray(wind) / (2 * d) - safe) * distance) * ratio
    return np.asarray(np.where(k == 0, 1 - distance / height, curved))


def _wave_number(diffusion: Array, wind: ArrayLike, decay: ArrayLike) -> Array:
    return np.sqrt((np.asarray(wind) / (2 * diffusion)) ** 2 + np.asarray(decay) / diffusion)


def linear_wind_escape(
    diffusion: float, height: float, *, gradient: float, slope: float = 0.0, decay: float = 0.0
) -> float:
    """(2D/H) M(α, ½, X)/M(α + ½, 3/2, X), α = (1 + a/3 + G/w)/2, X = wH²/2D, for V = w z.

    With x = wz²/2D the equation is Kummer's, x N″ + (½ − x) N′ − αN = 0, solved by M(α, ½, x) and
    z M(α + ½, 3/2, x). ``slope`` is a of N ∝ p^−a, on which the adiabatic loss −∂_u(wN/3) = a w N/3
    acts; it holds where D does not depend on momentum. 0 leaves adiabatic losses out.
    """
    alpha = (1 + slope / 3 + decay / gradient) / 2
    x = gradient * height**2 / (2 * diffusion)
    even, odd = hyp1f1(alpha, 0.5, x), hyp1f1(alpha + 0.5, 1.5, x)
    return float(2 * diffusion / height * even / odd)


def daughter_source(diffusion: ArrayLike, height: float, decay: ArrayLike) -> Array:
    """What a stable daughter gains per N₀ of its decaying parent, as a source in the disk, kpc/Myr.

    With D_p N_p″ = G N_p and D_d N_d″ = −G N_p, the sum D_p N_p + D_d N_d is linear in |z|, so that
    N_d(0) = [Q_d + N_p(0) (2D_p k coth kH − 2D_p/H)]/(2D_d/H + S_d). D and G are the parent's; no
    wind blows.
    """
    return escape(diffusion, height, decay=decay) - escape(diffusion, height)


def uniform_source(
    z: ArrayLike, source: float, half_thickness: float, diffusion: float, height: float
) -> Array:
    """N of a source q for |z| < h and no loss: q [h(H − h/2) − z²/2]/D inside, q h (H − |z|)/D."""
    distance = np.abs(np.asarray(z, dtype=float))
    inside = half_thickness * (height - half_thickness / 2) - distance**2 / 2
    outside = half_thickness * (height - distance)
    return np.asarray(source / diffusion * np.where(distance < half_thickness, inside, outside))


def layered_escape(resistance: ArrayLike) -> Array:
    """2/I with I = ∫₀^H dz/D, for any D(z); N = N₀ [1 − I(z)/I(H)]."""
    return np.asarray(2 / np.asarray(resistance, dtype=float))


def two_zone_resistance(z: ArrayLike, inner: float, outer: float, edge: float) -> Array:
    """∫₀^z dz/D of a D that is ``inner`` below ``edge`` and ``outer`` above."""
    distance = np.abs(np.asarray(z, dtype=float))
    below = np.minimum(distance, edge)
    return np.asarray(below / inner + (distance - below) / outer)


def two_halo_resistance(z: ArrayLike, xi: float, h: float) -> Array:
    """∫₀^z dz/f of f = ξ + (1−ξ)[1 − e^(−z²/2h²)], kpc (Yuan 2025, arXiv:2511.06733, Sec. III).

    z + Σ_{k≥1} (1−ξ)^k h √(π/2k) erf(z √(k/2)/h), term by term from 1/f = Σ (1−ξ)^k e^(−kz²/2h²).
    The terms fall by 1 − ξ, and are summed to rounding.
    """
    distance = np.abs(np.asarray(z, dtype=float))
    k = np.arange(1, 2 + int(np.log(1e-18) / np.log1p(-xi)))
    widths = h * np.sqrt(np.pi / (2 * k)) * np.exp(k * np.log1p(-xi))
    terms = widths * erf(distance[..., None] * np.sqrt(k / 2) / h)
    return np.asarray(distance + terms.sum(axis=-1))
