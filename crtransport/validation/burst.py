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
from crtransport.problems.burst_bubble import radial
from crtransport.problems.burst_halo import layered, remnant
from crtransport.problems.burst_march import marched

Array = NDArray[np.float64]
Row = tuple[str, float, float, float, str]

_FOUR_DIGITS = 5e-4
_TWO_HALO = exact.TWO_HALO_INTEGRAL / 2
_CASE_1 = LocalSource(
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
    uniform = (_printed, _closed_form, _normalisation, _energy, _dipole, _limits, _medium, _sky)
    parts = (*uniform, _slab, _far_edges, _plane, _marched, _two_zone)
    return [row for part in parts for row in part()]


def _flux(element: str, energy: Array) -> Array:
    """Φ of Case 1 per GeV of the particle's kinetic energy, as the package computes it."""
    nucleus = nuclide(element)
    deck = BurstDeck(model="burst", local_source=(_CASE_1,))
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
        source = replace(_CASE_1, W={element: 1 / ERG})
        computed = np.exp(-burst.log_normalisation(source, nucleus))
        reference = exact.energy_integral(nucleus.mass, nucleus.charge, 2.1, 1.2e5, 1.0)
        formula = "∫ T R^−α exp(−R/R_c) dR = Σ C(½,k) M^2k Z^(1−2k) R_c^(s+1) Γ(s+1, R₁/R_c)"
        yield f"energy integral/{element}", float(computed), reference, 1e-12, formula


def _energy() -> Iterator[Row]:
    """∫ d³r ∫ T n dR over all space and above the threshold is W again."""
    diffusion = TwoHalo()
    for element, budget in _CASE_1.W.items():
        nucleus = nuclide(element)
        ends = np.log([burst.threshold_rigidity(_CASE_1, nucleus), 50 * _CASE_1.R_c])
        x, weight = np.polynomial.legendre.leggauss(300)
        rigidity = np.exp(ends[0] + (ends[1] - ends[0]) * (1 + x) / 2)
        per_rigidity = weight * rigidity * (ends[1] - ends[0]) / 2
        coefficient = diffusion.disk(rigidity, nucleus.beta(rigidity))
        y, radial = np.polynomial.legendre.leggauss(60)
        sigma = np.sqrt(2 * coefficient * YEAR * _CASE_1.age) / KPC
        distance = 6 * (1 + y)[:, None] * sigma
        log_q = burst.log_injection(_CASE_1, burst.log_normalisation(_CASE_1, nucleus), rigidity)
        zero = np.zeros((1, 1))
        shell = Sources(
            distance=distance,
            age=np.full((1, 1), _CASE_1.age),
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
        counted = burst.counted_energy(_CASE_1, nucleus, rigidity)
        total = float(np.sum(shells * counted * per_rigidity)) / ERG
        yield f"energy in space/{element}", total, budget, 1e-10, "∫ d³r ∫ T n dR = W"


def _dipole() -> Iterator[Row]:
    nucleus, r, step = nuclide("H"), _CASE_1.distance, 1e-2
    rigidity = nucleus.rigidity(np.array([1.0, 1e2, 1e4]))
    beta = nucleus.beta(rigidity)
    coefficient = TwoHalo().disk(rigidity, beta)
    # ln n is a parabola in r, so the central difference is exact but for rounding
    below, above = (
        spread(replace(_CASE_1, distance=r + sign * step), coefficient).log_density
        for sign in (-1, 1)
    )
    gradient = (below - above) / (2 * step * KPC)
    speed = beta * SPEED_OF_LIGHT
    numerical = 3 * coefficient * gradient / speed
    vectors = dipole(_CASE_1, spread(_CASE_1, coefficient), coefficient, beta)
    closed = np.linalg.norm(vectors, axis=-1)
    for i, at in enumerate((1.0, 1e2, 1e4)):
        reference = float(exact.free_dipole(r, _CASE_1.age, beta)[i])
        formula = "3 D|∇n|/(v n) = 3r/(2vt)"
        yield f"dipole by differences/{at:g} GeV", float(numerical[i]), reference, 1e-9, formula
        yield f"dipole/{at:g} GeV", float(closed[i]), reference, 1e-12, formula


def _limits() -> Iterator[Row]:
    formula = "ln [(4πDt)^(−3/2) exp(−r²/4Dt)]"
    cases = {"late": (1e-3, 1e10), "now": (0.25, 3.4e5), "early": (10.0, 1e3), "far": (900.0, 1.0)}
    for name, (r, t) in cases.items():
        d = exact.DISK_10_TEV
        source = replace(_CASE_1, distance=r, age=t)
        computed = float(spread(source, np.array([d])).log_density[0]) - 3 * np.log(KPC)
        yield f"density/{name}", computed, exact.log_point_source(r, t, d), 1e-12, formula
    far = replace(_CASE_1, distance=500.0, age=1e2)
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


def _halo(z_h: float, b: float = 4.3, xi: float = 1.0) -> tuple[BurstDeck, LocalSource]:
    source = replace(_CASE_1, b=b)
    medium = TwoHalo(xi=xi)
    deck = BurstDeck(
        model="burst", medium="two-halo", z_h=z_h, diffusion=medium, local_source=(source,)
    )
    return deck, source


def _slab() -> Iterator[Row]:
    """The same D at all heights: mirror sources, on and off the plane, and their gradient."""
    formula = "mirror sources between z = ±H"
    tau = np.array([0.02, 0.1, 1.0, 10.0])
    for name, b, z_h in (("in the plane", 0.0, 4.0), ("above it", 4.3, 4.0), ("thin", -40.0, 0.3)):
        deck, source = _halo(z_h, b, xi=1.0)
        found = remnant(deck, source, tau * KPC**2 / (source.age * YEAR))
        height = source.distance * np.sin(np.radians(b))
        rho = source.distance * np.cos(np.radians(b))
        reference = exact.images(tau, rho, 0.0, height, z_h)
        above, below = (exact.images(tau, rho, s * 1e-4, height, z_h) for s in (1, -1))
        for i, t in enumerate(tau):
            at = f"slab {name}/tau {t:g} kpc2"
            if reference[i] > 1e-9 * (4 * np.pi * t) ** -1.5:
                yield at, float(found.density[i]), float(reference[i]), 1e-8, formula
                if height:
                    slope = float(above[i] - below[i]) / 2e-4
                    yield f"{at}, slope in z", float(found.upwards[i]), slope, 1e-5, formula


def _far_edges() -> Iterator[Row]:
    formula = "Eq. 4 where the edges are far"
    deck, source = _halo(100.0, xi=1.0)
    nucleus = nuclide("H")
    found = arrival(deck, nucleus, np.array([1e2, 1e4, 1e6]))
    for i, energy in enumerate((1e2, 1e4, 1e6)):
        computed, closed = (float(np.exp(x[0, i])) for x in (found.log_flux, found.log_uniform))
        yield f"far edges/{energy:g} GeV", computed, closed, 1e-9, formula
        amplitude = float(np.linalg.norm(found.dipole[0, i]))
        rigidity = nucleus.rigidity(np.array(energy))
        reference = float(exact.free_dipole(source.distance, source.age, nucleus.beta(rigidity)))
        yield f"far edges, dipole/{energy:g} GeV", amplitude, reference, 1e-7, "3r/(2vt)"


def _plane() -> Iterator[Row]:
    """∫ n dA over the plane of a burst in it is that of a release from the whole plane."""
    formula = "(1/H) Σ_odd exp[−(kπ/2H)² τ]"
    tau = np.array([0.5, 2.0, 8.0])
    deck, source = _halo(4.0, 0.0, xi=1.0)
    half, nodes = np.polynomial.legendre.leggauss(48)
    rho = 20 * (1 + half)  # kpc, beyond which nothing is left
    halo = tau * KPC**2 / (source.age * YEAR)
    each = [remnant(deck, replace(source, distance=float(r), b=0.0), halo).density for r in rho]
    whole = 2 * np.pi * 20 * np.einsum("r,r,rt->t", nodes, rho, np.array(each))
    for i, t in enumerate(tau):
        reference = float(exact.column_left(tau, 4.0)[i])
        yield f"plane/tau {t:g} kpc2", float(whole[i]), reference, 1e-6, formula
    # Σ v(0)²/λ is the integral over all times
    for name, xi, reference in (("uniform", 1.0, 2.0), ("two-halo", 0.1, _TWO_HALO)):
        deck, _ = _halo(4.0, 0.0, xi=xi)
        axis, medium = layered(deck, np.array([0.0, 0.3, 0.9, 2.0, 4.0]), 12)
        rates, modes = medium.modes(0.0, odd=False)
        total = float(np.sum((axis.at(0.0)[axis.kept] @ modes) ** 2 / rates))
        yield f"plane/all times, {name}", total, reference, 1e-9, "∫ n dt = ½ ∫₀^H dz/D"


def _marched() -> Iterator[Row]:
    """The two-halo medium by finite volumes in time: two grids, extrapolated."""
    formula = "finite volumes and TR-BDF2, extrapolated from 50 and 100 cells"
    tau = np.array([0.1, 0.5, 2.0])
    deck, source = _halo(4.0, 0.0, xi=0.1)
    found = remnant(deck, source, tau * KPC**2 / (source.age * YEAR)).density
    coarse, fine = (marched(deck, source, tau, cells) for cells in (50, 100))
    for i, t in enumerate(tau):
        reference = float(4 * fine[i] - coarse[i]) / 3
        yield f"two-halo/tau {t:g} kpc2", float(found[i]), reference, 2e-3, formula


def _two_zone() -> Iterator[Row]:
    for r, reference in exact.TWO_ZONE.items():
        density, _ = radial(np.array([5.0]), r, 1.0, 0.1, 14)
        formula = "closed integral over the radial modes of two zones"
        yield f"two zones/r {r:g}", float(density[0]), reference, 5e-7, formula
        closed = exact.two_zone(5.0, r, 1.0, 0.1)
        yield f"two zones, all digits/r {r:g}", float(density[0]), closed, 1e-9, formula
    tau = np.array([0.01, 0.1, 1.0])
    density, slope = radial(tau, 0.25, 0.05, 1.0, 14)
    for i, t in enumerate(tau):
        free = float(np.exp(-(0.25**2) / (4 * t)) / (4 * np.pi * t) ** 1.5)
        formula = "(4πDt)^(−3/2) exp(−r²/4Dt)"
        yield f"one zone/tau {t:g}", float(density[i]), free, 1e-9, formula
        yield f"one zone, slope/tau {t:g}", float(slope[i]), -0.25 / (2 * t) * free, 1e-8, formula
