"""Bessel series of a thin disk in a cylinder r < R, |z| < H with free escape (Maurin et al. 2001).

    N(r, z) = Σᵢ qᵢ/Aᵢ J₀(ζᵢ r/R) e^(V|z|/2D) sinh[kᵢ(H−|z|)]/sinh kᵢH
    Aᵢ = S + V + 2Dkᵢ coth kᵢH

with J₀(ζᵢ) = 0 and kᵢ² = V²/4D² + G/D + ζᵢ²/R² (ApJ 555, 585, where Sᵢ = 2kᵢ). Each
mode is a slab whose decay rate is G + Dζᵢ²/R²: Aᵢ = S + `galaxy_slab.escape`, and a secondary's
modes are its production times the primary's, over its own Aᵢ.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import erfc, j0, j1, jn_zeros

Array = NDArray[np.float64]

#: gives N to 1e-14 at 0.1 R < r < 0.9 R, and at the axis where the source is smooth there
MODES = 400


def radial_decay(diffusion: float, radius: float, modes: int = MODES) -> Array:
    """D ζᵢ²/R²: the rate at which a mode leaves through the side, 1/Myr."""
    return np.asarray(diffusion * (jn_zeros(0, modes) / radius) ** 2)


def disk_modes(extent: float, radius: float, modes: int = MODES) -> Array:
    """qᵢ = 2a J₁(ζᵢ a/R)/[R ζᵢ J₁²(ζᵢ)] of a source that is 1 for r < a."""
    zeros = jn_zeros(0, modes)
    ratio = extent / radius
    return np.asarray(2 * ratio * j1(zeros * ratio) / (zeros * j1(zeros) ** 2))


def profile_modes(profile: Callable[[Array], Array], radius: float, modes: int = MODES) -> Array:
    """qᵢ = 2/[R² J₁²(ζᵢ)] ∫₀^R r q(r) J₀(ζᵢ r/R) dr of a source that is smooth for r > 0.

    Gauss-Legendre in s = (r/R)^¼, in which a power r^a with a a multiple of ¼ is a polynomial.
    """
    zeros = jn_zeros(0, modes)
    x, weight = np.polynomial.legendre.leggauss(20)
    edges = np.linspace(0, 1, modes + 1)  # 12 radians of the fastest wave in a panel
    s = (edges[:-1, None] + (1 + x) / (2 * modes)).ravel()
    r = s**4  # in units of R
    measure = np.tile(weight / (2 * modes), modes) * 4 * s**3 * r * profile(radius * r)
    return np.asarray(2 / j1(zeros) ** 2 * (j0(np.outer(zeros, r)) @ measure))


def series(modes: ArrayLike, r: ArrayLike, radius: float) -> Array:
    """Σᵢ cᵢ J₀(ζᵢ r/R), the slow end faded out: (modes,) and any shape of r -> that shape.

    A source that ends at r = a gives terms i^−2 cos[πi(a ± r)/R] at z = 0. A Gaussian mean of the
    partial sums, which is to fade the terms by an erfc, leaves an error that falls exponentially
    with modes × |a − r|/R.
    """
    c = np.asarray(modes, dtype=float)
    number = np.arange(len(c)) / len(c)
    fade = erfc(12 * (number - 0.5)) / 2
    waves = j0(np.multiply.outer(np.asarray(r, dtype=float) / radius, jn_zeros(0, len(c))))
    return np.asarray(waves @ (fade * c))
