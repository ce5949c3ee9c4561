"""References of a burst: printed numbers, and the closed form written a second time.

Nothing here comes from the package's own physics, units or constants: the numbers of nature are
those of `scipy.constants`, and the energy integral is a sum of incomplete gamma functions.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import constants, special

Array = NDArray[np.float64]

#: Yuan 2025, Table 3, Case 1: distance kpc, age yr, α, R_c GV, energy in protons and helium erg
CASE_1 = {"r": 0.25, "t": 3.4e5, "alpha": 2.1, "R_c": 1.2e5, "H": 1e50, "He": 1.8e50}

#: kinetic energy of protons in GeV -> E^2.7 Φ in GeV^1.7 m^-2 s^-1 sr^-1 for Case 1, four digits
CASE_1_PROTONS = {1e2: 440.0, 1e3: 841.0, 1e4: 1739.0, 3e4: 2131.0, 1e5: 1767.0}
CASE_1_PEAK = 2157.0
CASE_1_PEAK_ENERGY = 4e4

#: the disk's D of protons at a kinetic energy of 10 TeV, cm2/s, four digits
DISK_10_TEV = 6.849e28

#: ∫₀⁴ dz/f(z) in kpc with ξ = 0.1, h = 0.45 kpc
TWO_HALO_INTEGRAL = 6.268345298650518

#: equatorial (J2000) unit vectors to l = b = 0 and to l = 90°, b = 0: ESA SP-1200, Eq. 1.5.11
GALACTIC_CENTRE = (-0.0548755604, -0.8734370902, -0.4838350155)
GALACTIC_ROTATION = (0.4941094279, -0.4448296300, 0.7469822445)

_GEV = 1e9 * constants.e  # J
_MASS = {
    "H": constants.m_p * constants.c**2 / _GEV,
    "He": constants.value("alpha particle mass") * constants.c**2 / _GEV,
}
_CHARGE = {"H": 1, "He": 2}


def disk_diffusion(rigidity: Array, beta: Array) -> Array:
    """D of the disk for the default parameters of Yuan 2025, cm2/s, as 10 to a sum of logs."""
    bend = 0.5 * (0.20 - 0.48) * np.log10(1 + (rigidity / 250) ** 2)
    log = np.log10(4.5e28) + 0.48 * np.log10(rigidity / 4) + bend - np.log10(beta) - 1.0
    return np.asarray(10**log)


def energy_integral(mass: float, charge: int, alpha: float, cutoff: float, lowest: float) -> float:
    """∫ T R^−α exp(−R/R_c) dR over T > ``lowest``, T = √(Z²R²+M²) − M; GeV GV^(1−α).

    For p = ZR > M the root is p Σ_k C(½,k) (M/p)^2k, and each term integrates to R_c^(s+1)
    Γ(s+1, R/R_c). Between the threshold and 2M, if it lies below, Gauss-Legendre in p.
    """
    first = math.sqrt(lowest * (lowest + 2 * mass)) / charge
    middle = max(first, 2 * mass / charge)
    x, w = np.polynomial.legendre.leggauss(200)
    r = first + (middle - first) * (1 + x) / 2
    kinetic = np.sqrt((charge * r) ** 2 + mass**2) - mass
    total = float(np.sum(w * kinetic * r**-alpha * np.exp(-r / cutoff)) * (middle - first) / 2)
    total -= mass * _tail(-alpha, middle, cutoff)
    for k in range(40):
        power = 1 - 2 * k
        factor = special.binom(0.5, k) * mass ** (2 * k) * float(charge) ** power
        total += factor * _tail(power - alpha, middle, cutoff)
    return total


def _tail(s: float, first: float, cutoff: float) -> float:
    """∫ R^s exp(−R/R_c) dR from ``first`` to infinity, R_c^(s+1) Γ(s+1, first/R_c).

    Γ(a, x) = [Γ(a+1, x) − x^a e^−x]/a leads down from a positive a; its terms do not cancel for
    x ≪ 1. Written for R/first, so that no term leaves the range of a float. Not for whole s < 0.
    """
    a, x = s + 1, first / cutoff
    steps = max(0, math.ceil(-a) + 1)
    top = a + steps
    scaled = special.gammaincc(top, x) * special.gamma(top) * x**-top
    for i in range(1, steps + 1):
        scaled = (x * scaled - math.exp(-x)) / (top - i)
    return float(scaled * first ** (s + 1))


def case_1_flux(element: str, kinetic_energy: Array) -> Array:
    """Φ of Case 1 against T in GeV per *particle*, m^-2 s^-1 sr^-1 GeV^-1; H or He."""
    mass, charge = _MASS[element], _CHARGE[element]
    energy = np.asarray(kinetic_energy) + mass
    momentum = np.sqrt(energy**2 - mass**2)
    rigidity, beta = momentum / charge, momentum / energy
    alpha, cutoff = CASE_1["alpha"], CASE_1["R_c"]
    budget = CASE_1[element] * constants.erg / _GEV
    q0 = budget / energy_integral(mass, charge, alpha, cutoff, 1.0)
    four_dt = 4 * disk_diffusion(rigidity, beta) * CASE_1["t"] * constants.Julian_year
    distance = CASE_1["r"] * 1e5 * constants.parsec  # cm
    density = q0 * rigidity**-alpha * np.exp(-rigidity / cutoff - distance**2 / four_dt)
    density /= (np.pi * four_dt) ** 1.5
    # dR/dE = 1/(Z β), and the β of the flux β c n/4π cancels
    return np.asarray(1e6 * constants.c * density / (4 * np.pi * charge))


def log_point_source(distance: float, age: float, diffusion: float) -> float:
    """ln of (4πDt)^(−3/2) exp(−r²/4Dt), r in kpc, t in yr, D in cm2/s; ln cm^-3."""
    four_dt = 4 * diffusion * age * constants.Julian_year
    return float(
        -1.5 * np.log(np.pi * four_dt) - (1e5 * constants.parsec * distance) ** 2 / four_dt
    )


def free_dipole(distance: float, age: float, beta: Array) -> Array:
    """3r/(2vt) with r in kpc and t in yr."""
    path = np.asarray(beta) * constants.c * age * constants.Julian_year
    return np.asarray(1.5e3 * constants.parsec * distance / path)


def images(tau: Array, rho: float, z: float, release: float, half_height: float) -> Array:
    """Point release in a uniform slab that absorbs at z = ±H, at D t = τ: mirror sources.

    Σₘ [G(z − z₀ − 4mH) − G(z + z₀ − (4m + 2)H)] with G the free solution (Chandrasekhar 1943, Rev.
    Mod. Phys. 15, 1, Sec. II.4). [τ], per unit volume; τ in the square of the unit of length.
    """
    width = 4 * np.asarray(tau, dtype=float)[:, None]
    m = 4 * half_height * np.arange(-400, 401)
    direct = np.exp(-(rho**2 + (z - release - m) ** 2) / width)
    mirror = np.exp(-(rho**2 + (z + release - m - 2 * half_height) ** 2) / width)
    return np.asarray(np.sum(direct - mirror, axis=1) / (np.pi * width[:, 0]) ** 1.5)


def column_left(tau: Array, half_height: float, modes: int = 20000) -> Array:
    """Density at z = 0 of a release spread over the plane z = 0: (1/H) Σ_odd exp[−(kπ/2H)² τ]."""
    odd = 2 * np.arange(modes) + 1
    rates = (odd * np.pi / (2 * half_height)) ** 2
    return np.asarray(np.sum(np.exp(-np.outer(tau, rates)), axis=1) / half_height)


def shining(tau: Array, r: float, gamma: float = 0.0) -> Array:
    """∫₀^τ (4πτ)^(−3/2) exp(−r²/4τ − γτ) dτ: what a source of one particle a unit of D t leaves.

        [e^(−r√γ) erfc(r/√4τ − √(γτ)) + e^(r√γ) erfc(r/√4τ + √(γτ))]/(8πr)

    (Atoyan, Aharonian & Völk 1995, Phys. Rev. D 52, 3265, for γ = 0.)
    """
    x, y, k = r / np.sqrt(4 * tau), np.sqrt(gamma * tau), math.sqrt(gamma) * r
    both = np.exp(-k) * special.erfc(x - y) + np.exp(k) * special.erfc(x + y)
    return np.asarray(both / (8 * math.pi * r))


def plane_through_gas(half_height: float, edge: float, gamma: float) -> float:
    """∫ n dτ at z = 0 of a release from the plane z = 0, lost at a rate γ within |z| < edge.

    n'' = γ n there and n'' = 0 beyond, n(H) = 0, n'(0) = −½, n and n' continuous.
    """
    k, beyond = math.sqrt(gamma), half_height - edge
    s, c = math.sinh(k * edge), math.cosh(k * edge)
    return (s + k * beyond * c) / (c + k * beyond * s) / (2 * k)


def two_zone(tau: float, r: float, radius: float, factor: float) -> float:
    """n at r of a release at r = 0, D₁ = factor · D within ``radius``, at τ = D t of the outside.

        n = (1/2π²) ∫₀^∞ ξ k [u_k(r)/r] e^(−ξ²k²τ)/(A² + B²) dk,   ξ = √factor,  s = k r₀
        u_k = sin kr within, A sin ξkr + B cos ξkr beyond
        A = sin s sin ξs + C cos ξs,  B = sin s cos ξs − C sin ξs
        C = ξ cos s + (1 − ξ²) sin s/(ξ s)

    n and D ∂n/∂r are continuous at r₀. For moderate ξ: where D₁ ≪ D the integrand has resonances
    narrower than the panels here.
    """
    xi = math.sqrt(factor)
    edges = np.linspace(0, math.sqrt(40 / (factor * tau)), 41)
    x, weight = np.polynomial.legendre.leggauss(32)
    half = (edges[1] - edges[0]) / 2
    k = (edges[:-1, None] + half * (1 + x)).ravel()
    s = k * radius
    c = xi * np.cos(s) + (1 - factor) * np.sin(s) / (xi * s)
    a = np.sin(s) * np.sin(xi * s) + c * np.cos(xi * s)
    b = np.sin(s) * np.cos(xi * s) - c * np.sin(xi * s)
    u = np.sin(k * r) if r <= radius else a * np.sin(xi * k * r) + b * np.cos(xi * k * r)
    wave = xi * k * u / r * np.exp(-factor * k**2 * tau) / (a**2 + b**2)
    return float(np.tile(half * weight, len(edges) - 1) @ wave / (2 * math.pi**2))


#: two zones, D = 1 within r = 1 and 10 beyond, at t = 0.5: r -> n, seven digits of that integral
TWO_ZONE = {
    0.3: 1.814336e-2,
    0.9: 6.140052e-3,
    1.5: 3.316014e-3,
    3.0: 1.713044e-3,
    6.0: 2.485479e-4,
}
