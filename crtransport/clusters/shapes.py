"""The two spectra that a cluster's gamma rays are made of, integrated over bands of energy.

    dN/dE = N₁ (E/E₀)^−Γ₁ e^(−E/E_cut) + N₂ (E/E₀)^−Γ₂

Curvature radiation from the magnetospheres of millisecond pulsars, and inverse Compton of the
electrons that leave them (Song et al. 2021, MNRAS 507, 5161, Eqs. 3 to 5). Energies are MeV,
E₀ = 1 GeV, norms are cm⁻² s⁻¹ MeV⁻¹.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crtransport.constants import ERG

Array = NDArray[np.float64]

PIVOT = 1e3  # MeV
MEV = 1e-3 / ERG  # erg
#: of the flux in a band; so wide that e^(−E/E_cut) falls by many decades within it
_NODES = 48


def power_law(index: ArrayLike, low: ArrayLike, high: ArrayLike, moment: int = 0) -> Array:
    """∫ E^m (E/E₀)^−Γ dE from ``low`` to ``high``, MeV^(m+1); at Γ = m + 1 the logarithm."""
    index, low, high = (np.asarray(v, dtype=float) for v in (index, low, high))
    power = 1 + moment - index
    ratio = np.log(high / low)
    # (e^(pr) − 1)/p, which keeps its digits as p goes to 0
    small = np.abs(power * ratio) < 1e-12
    safe = np.where(small, 1.0, power)
    integral = np.where(small, ratio, np.expm1(safe * ratio) / safe)
    return np.asarray(PIVOT**index * low**power * integral)


def cutoff_power_law(
    index: ArrayLike, log10_cutoff: ArrayLike, low: ArrayLike, high: ArrayLike, moment: int = 0
) -> Array:
    """∫ E^m (E/E₀)^−Γ e^(−E/E_cut) dE from ``low`` to ``high``, MeV^(m+1).

    Gauss-Legendre in ln E, up to where the exponential has fallen to e^−60 of its value at the
    lower end. ``log10_cutoff`` is log₁₀(E_cut/MeV).
    """
    index, low, high = (np.asarray(v, dtype=float)[..., None] for v in (index, low, high))
    cutoff = 10 ** np.asarray(log10_cutoff, dtype=float)[..., None]
    top = np.log(np.minimum(high, low + 60 * cutoff) / low)
    nodes, weights = _gauss()
    energy = low * np.exp(top * nodes)
    integrand = energy ** (moment + 1) * (energy / PIVOT) ** -index * np.exp(-energy / cutoff)
    return np.asarray(np.sum(weights * integrand, axis=-1) * top[..., 0])


@cache
def _gauss() -> tuple[Array, Array]:
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    return (nodes + 1) / 2, weights / 2


def electron_index(photon_index: ArrayLike) -> Array:
    """p of the electrons whose inverse Compton photons have index Γ₂ = (p + 1)/2 (Thomson)."""
    return np.asarray(2 * np.asarray(photon_index, dtype=float) - 1)
