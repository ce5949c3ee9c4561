"""Kinematics, coefficients and networks of the Galaxy, written a second time for its references.

Nothing here comes from the package's own physics, units or constants: the numbers of nature are
those of `scipy.constants`. Units: GeV/n, GV, kpc, Myr, cm^-3, mb. The closed forms of each geometry
are in `galaxy_slab`, `galaxy_cylinder` and `galaxy_leaky_box`; all are for N = ψp, the density per
logarithm of momentum, which obeys

    −∇·(D∇N) + ∇·(V N) − ∂_u[(b + ∇·V/3) N] − ∂_u[K (∂_u N − 3N)] + (1/τ_f + 1/γτ_d) N = Q p

with u = ln p, momentum loss rate b = −ṗ/p and K = D_pp/p².
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import constants

Array = NDArray[np.float64]

_MYR = 1e6 * constants.Julian_year  # s
_KPC = 1e3 * constants.parsec  # m
_GEV = 1e9 * constants.e  # J

#: masses per nucleon of the proton and of 4He, GeV
PROTON = constants.m_p * constants.c**2 / _GEV
ALPHA = constants.value("alpha particle mass") * constants.c**2 / _GEV / 4

#: speed of light and one km/s, kpc/Myr
LIGHT = constants.c * _MYR / _KPC
KM_PER_S = 1e3 * _MYR / _KPC


def momentum(kinetic_energy: ArrayLike, mass: float) -> Array:
    """p = √[T(T + 2m)] of one nucleon, GeV."""
    energy = np.asarray(kinetic_energy, dtype=float)
    return np.asarray(np.sqrt(energy * (energy + 2 * mass)))


def beta(kinetic_energy: ArrayLike, mass: float) -> Array:
    """v/c = p/(T + m)."""
    return momentum(kinetic_energy, mass) / (np.asarray(kinetic_energy) + mass)


def lorentz_factor(kinetic_energy: ArrayLike, mass: float) -> Array:
    """γ = 1 + T/m."""
    return np.asarray(1 + np.asarray(kinetic_energy) / mass)


def diffusion(
    rigidity: ArrayLike,
    speed: ArrayLike,
    *,
    D0: float = 4.5e28,
    delta1: float = 0.48,
    delta2: float = 0.20,
    R1: float = 250.0,
    eta: float = -1.0,
) -> Array:
    """D₀ β^η (R/4 GV)^δ₁ [1 + (R/R₁)²]^((δ₂−δ₁)/2) in kpc²/Myr for D₀ in cm²/s.

    Yuan 2025, arXiv:2511.06733, Sec. III, with the values that are printed there.
    """
    r = np.asarray(rigidity, dtype=float)
    bend = (1 + (r / R1) ** 2) ** ((delta2 - delta1) / 2)
    value = D0 * np.asarray(speed) ** eta * (r / 4) ** delta1 * bend
    return np.asarray(value * 1e-4 * _MYR / _KPC**2)


def reacceleration_rate(v_alfven: float, slope: float, diffusion: ArrayLike) -> Array:
    """K = D_pp/p² = 4 v_A² / [3 δ(4 − δ²)(4 − δ) D] in 1/Myr, v_A in km/s, D in kpc²/Myr.

    Seo & Ptuskin 1994, ApJ 431, 705.
    """
    geometry = 3 * slope * (4 - slope**2) * (4 - slope)
    return np.asarray(4 * (v_alfven * KM_PER_S) ** 2 / (geometry * np.asarray(diffusion)))


def collision_rate(density: ArrayLike, cross_section: ArrayLike, speed: ArrayLike) -> Array:
    """n β c σ in 1/Myr, n in cm^-3, σ in mb."""
    per_cm = np.asarray(density) * np.asarray(cross_section) * 1e-31 * 1e6  # mb cm^-3 -> 1/m
    return np.asarray(per_cm * np.asarray(speed) * constants.c * _MYR)


def flux(density: ArrayLike) -> Array:
    """Φ = β c (dn/dT)/4π = c ψ/4π in m^-2 s^-1 sr^-1 (GeV/n)^-1 of ψ = dn/dp in cm^-3 (GeV/n)^-1.

    The β of the flux and that of dp = dT/β cancel.
    """
    return np.asarray(constants.c * 1e6 * np.asarray(density) / (4 * np.pi))


def network(source: ArrayLike, loss: ArrayLike, production: ArrayLike) -> Array:
    """Densities of nuclides that make each other: (lossᵢ) Nᵢ = Qᵢ + Σⱼ productionᵢⱼ Nⱼ.

    Holds where all terms act at one place: in the leaky box with lossᵢ = 1/τ + n β c σᵢ + 1/γτ_d,
    and in a thin disk with lossᵢ = `galaxy_slab.escape` + Sᵢ.

    Parameters
    ----------
    source, loss : (n,) array
    production : (n, n) array
        [child, parent], zero on the diagonal.
    """
    matrix = np.diag(np.asarray(loss, dtype=float)) - np.asarray(production)
    return np.asarray(np.linalg.solve(matrix, np.asarray(source, dtype=float)))
