"""Comparisons of the burst in a uniform medium with printed numbers and an independent form."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from crtransport.analytic import burst as exact
from crtransport.constants import ERG, KPC, SPEED_OF_LIGHT, YEAR
from crtransport.deck.burst import BurstDeck
from crtransport.nuclides import nuclide
from crtransport.physics import burst, sky
from crtransport.physics.burst import LocalSource, Sources
from crtransport.physics.diffusion import TwoHalo
from crtransport.physics.spread import spread
from crtransport.problems.burst_arrival import arrival, dipole

Array = NDArray[np.float64]
Row = tuple[str, float, float, float, str]

_FOUR_DIGITS = 5e-4
CASE_1 = LocalSource(
    name="Geminga",
    distance=0.25,
    age=3.4e5,
    l=195.1,
    b=4.3,
    alpha=2.1,
    R_c=1.2e5,
    W={"H": 1e50, "He": 1.8e50},
)


def rows() -> list[Row]:
    """(name, computed, reference, relative tolerance, formula) of every comparison."""
    parts = (_printed, _closed_form, _normalisation, _energy, _dipole, _limits, _medium, _sky)
    return [row for part in parts for row in part()]


def _flux(element: str, energy: Array) -> Array:
    """Φ of Case 1 per GeV of the particle's kinetic energy, as the package computes it."""
    nucleus = nuclide(element)
    deck = BurstDeck(model="burst", local_source=(CASE_1,))
    found = arrival(deck, nucleus, energy / nucleus.mass_number)
    return np.asarray(np.exp(found.log_flux[0]) / nucleus.mass_number)


def _printed() -> Iterator[Row]:
    formula = "E^2.7 Φ of Yuan 2025, Case 1, to four digits"

    def scaled(energy: float) -> float:
        return float(energy**2.7 * _flux("H", np.array([energy]))[0])

    for energy, value in exact.CASE_1_PROTONS.items():
        yield f"case-1/{energy:g} GeV", scaled(energy), value, _FOUR_DIGITS, formula
    peak = minimize_scalar(
        lambda u: -scaled(float(np.exp(u))), bounds=np.log([1e4, 1e5]), method="bounded"
    )
    yield "case-1/peak", -float(peak.fun), exact.CASE_1_PEAK, _FOUR_DIGITS, formula
    place = float(np.exp(peak.x))
    yield "case-1/peak energy", place, exact.CASE_1_PEAK_ENERGY, 0.05, "near 40 TeV"


def _closed_form() -> Iterator[Row]:
    formula = "Eq. 4 with q₀ by incomplete gamma functions, numbers of nature of scipy.constants"
    for element in ("H", "He"):
        energy = np.array([1e2, 1e4, 1e6])
        pairs = zip(energy, _flux(element, energy), exact.case_1_flux(element, energy), strict=True)
        for at, computed, reference in pairs:
            yield f"flux/{element} {at:g} GeV", computed, reference, 1e-9, formula


def _normalisation() -> Iterator[Row]:
    for element in ("H", "He"):
        nucleus = nuclide(element)
        source = replace(CASE_1, W={element: 1 / ERG})
        computed = np.exp(-burst.log_normalisation(source, nucleus))
        reference = exact.energy_integral(nucleus.mass, nucleus.charge, 2.1, 1.2e5, 1.0)
        formula = "∫ T R^−α exp(−R/R_c) dR = Σ C(½,k) M^2k Z^(1−2k) R_c^(s+1) Γ(s+1, R₁/R_c)"
        yield f"energy integral/{element}", float(computed), reference, 1e-12, formula


def _energy() -> Iterator[Row]:
    """∫ d³r ∫ T n dR over all space and above the threshold is W again."""
    diffusion = TwoHalo()
    for element, budget in CASE_1.W.items():
        nucleus = nuclide(element)
        ends = np.log([burst.threshold_rigidity(CASE_1, nucleus), 50 * CASE_1.R_c])
        x, weight = np.polynomial.legendre.leggauss(300)
        rigidity = np.exp(ends[0] + (ends[1] - ends[0]) * (1 + x) / 2)
        per_rigidity = weight * rigidity * (ends[1] - ends[0]) / 2
        coefficient = diffusion.disk(rigidity, nucleus.beta(rigidity))
        y, radial = np.polynomial.legendre.leggauss(60)
        sigma = np.sqrt(2 * coefficient * YEAR * CASE_1.age) / KPC
        distance = 6 * (1 + y)[:, None] * sigma
        log_q = burst.log_injection(
            CASE_1, nucleus, burst.log_normalisation(CASE_1, nucleus), rigidity
        )
        zero = np.zeros((1, 1))
        shell = Sources(
            distance=distance,
            age=np.full((1, 1), CASE_1.age),
            l=zero,
            b=zero,
            alpha=zero,
            R_c=zero,
            W={},
            threshold=1.0,
            energy="total",
        )
        density = np.exp(log_q + spread(shell, coefficient).log_density) / KPC**3
        shells = 6 * radial[:, None] * sigma * 4 * np.pi * distance**2 * KPC**3 * density
        counted = burst.counted_energy(CASE_1, nucleus, rigidity)
        total = float(np.sum(shells * counted * per_rigidity)) / ERG
        yield f"energy in space/{element}", total, budget, 1e-10, "∫ d³r ∫ T n dR = W"


def _dipole() -> Iterator[Row]:
    nucleus, r, step = nuclide("H"), CASE_1.distance, 1e-2
    rigidity = nucleus.rigidity(np.array([1.0, 1e2, 1e4]))
    beta = nucleus.beta(rigidity)
    coefficient = TwoHalo().disk(rigidity, beta)
    # ln n is a parabola in r, so the central difference is exact but for rounding
    below, above = (
        spread(replace(CASE_1, distance=r + sign * step), coefficient).log_density
        for sign in (-1, 1)
    )
    gradient = (below - above) / (2 * step * KPC)
    speed = beta * SPEED_OF_LIGHT
    numerical = 3 * coefficient * gradient / speed
    vectors = dipole(CASE_1, spread(CASE_1, coefficient), coefficient, beta)
    closed = np.linalg.norm(vectors, axis=-1)
    for i, at in enumerate((1.0, 1e2, 1e4)):
        reference = float(exact.free_dipole(r, CASE_1.age, beta)[i])
        formula = "3 D|∇n|/(v n) = 3r/(2vt)"
        yield f"dipole by differences/{at:g} GeV", float(numerical[i]), reference, 1e-9, formula
        yield f"dipole/{at:g} GeV", float(closed[i]), reference, 1e-12, formula


def _limits() -> Iterator[Row]:
    formula = "ln [(4πDt)^(−3/2) exp(−r²/4Dt)]"
    cases = {"late": (1e-3, 1e10), "now": (0.25, 3.4e5), "early": (10.0, 1e3), "far": (900.0, 1.0)}
    for name, (r, t) in cases.items():
        d = exact.DISK_10_TEV
        source = replace(CASE_1, distance=r, age=t)
        computed = float(spread(source, np.array([d])).log_density[0]) - 3 * np.log(KPC)
        yield f"density/{name}", computed, exact.log_point_source(r, t, d), 1e-12, formula
    far = replace(CASE_1, distance=500.0, age=1e2)
    exponential = float(spread(far, np.array([1e28])).log_density[0])
    leading = -((500 * KPC) ** 2) / (4e28 * YEAR * 1e2)
    yield "density/leading far term", exponential, leading, 1e-6, "ln n → −r²/4Dt"


def _medium() -> Iterator[Row]:
    nucleus, diffusion = nuclide("H"), TwoHalo()
    rigidity = nucleus.rigidity(np.array([1.0, 1e4]))
    beta = nucleus.beta(rigidity)
    computed = diffusion.disk(rigidity, beta)
    reference = exact.disk_diffusion(rigidity, beta)
    formula = "ξ D₀ β^η (R/R₀)^δ₁ [1 + (R/R₁)²]^((δ₂−δ₁)/2)"
    printed = float(computed[1]), exact.DISK_10_TEV
    yield "D/10 TeV, four digits", *printed, _FOUR_DIGITS, formula
    for i, at in enumerate(("1 GeV", "10 TeV")):
        yield f"D/{at}", float(computed[i]), float(reference[i]), 1e-12, formula
    x, weight = np.polynomial.legendre.leggauss(200)
    integral = float(np.sum(2 * weight / diffusion.shape(2 * (1 + x))))
    yield "D/two-halo integral", integral, exact.TWO_HALO_INTEGRAL, 1e-12, "∫₀⁴ dz/f(z), kpc"


def _sky() -> Iterator[Row]:
    formula = "ESA SP-1200, Eq. 1.5.11"
    axes = {"l=0": (0.0, exact.GALACTIC_CENTRE), "l=90": (90.0, exact.GALACTIC_ROTATION)}
    for name, (longitude, reference) in axes.items():
        galactic = sky.unit_vector(np.array(longitude), np.array(0.0))
        equatorial = sky.galactic_to_equatorial(galactic)
        for axis, computed, value in zip("xyz", equatorial, reference, strict=True):
            yield f"sky/{name} {axis}", float(computed), value, 2e-9, formula
