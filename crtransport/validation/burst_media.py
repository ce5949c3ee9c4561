"""Comparisons of local sources in media that are solved, or summed, with closed forms."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from crtransport.analytic import burst as exact
from crtransport.constants import KPC, YEAR
from crtransport.deck.burst import BurstDeck
from crtransport.nuclides import nuclide
from crtransport.physics.burst import Bubble, LocalSource, Way
from crtransport.physics.diffusion import TwoHalo
from crtransport.physics.spread import spread
from crtransport.problems.burst_arrival import arrival
from crtransport.problems.burst_bubble import around, radial
from crtransport.problems.burst_halo import layered, remnant
from crtransport.problems.burst_march import marched
from crtransport.validation.burst_uniform import CASE_1, Row

Array = NDArray[np.float64]

_TWO_HALO = exact.TWO_HALO_INTEGRAL / 2
#: γ = Γ/D, kpc^-2
_GAMMA = 0.8


def rows() -> list[Row]:
    """(name, computed, reference, relative tolerance, formula) of every comparison."""
    parts = (_slab, _mirrors, _far_edges, _plane, _marched, _two_zone, _shining, _gas)
    return [row for part in parts for row in part()]


def _halo(z_h: float, b: float = 4.3, xi: float = 1.0) -> tuple[BurstDeck, LocalSource]:
    source = replace(CASE_1, b=b)
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
                    slope = float(above[i] - below[i]) / 2e-4 / float(reference[i])
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
        density = np.exp(radial(np.array([5.0]), r, 1.0, 0.1)[0])
        formula = "closed integral over the radial modes of two zones"
        yield f"two zones/r {r:g}", float(density[0]), reference, 5e-7, formula
        closed = exact.two_zone(5.0, r, 1.0, 0.1)
        yield f"two zones, all digits/r {r:g}", float(density[0]), closed, 1e-9, formula
    tau = np.array([0.01, 0.1, 1.0])
    log_density, slope = radial(tau, 0.25, 0.05, 1.0)
    for i, t in enumerate(tau):
        free = float(np.exp(-(0.25**2) / (4 * t)) / (4 * np.pi * t) ** 1.5)
        formula = "(4πDt)^(−3/2) exp(−r²/4Dt)"
        yield f"one zone/tau {t:g}", float(np.exp(log_density[i])), free, 1e-9, formula
        yield f"one zone, slope/tau {t:g}", float(slope[i]), -0.25 / (2 * t), 1e-8, formula


def _mirrors() -> Iterator[Row]:
    """The closed form between two planes, early by images and late by waves."""
    formula = "mirror sources between z = ±H"
    tau = np.array([0.02, 0.1, 1.0, 4.0, 6.0, 10.0])
    rate = tau * KPC**2 / (CASE_1.age * YEAR)
    for name, b, z_h in (("in the plane", 0.0, 4.0), ("above it", 40.0, 4.0), ("thin", -40.0, 0.3)):
        source = replace(CASE_1, b=b)
        height, rho = (CASE_1.distance * float(f(np.radians(b))) for f in (np.sin, np.cos))
        found = spread(source, rate, half_height=z_h)
        reference = exact.images(tau, rho, 0.0, height, z_h)
        above, below = (exact.images(tau, rho, s * 1e-4, height, z_h) for s in (1, -1))
        for i, t in enumerate(tau):
            if reference[i] > 1e-6 * (4 * np.pi * t) ** -1.5:
                at = f"mirrors {name}/tau {t:g} kpc2"
                yield at, float(np.exp(found.log_density[i])), float(reference[i]), 1e-9, formula
                if height:
                    slope = float(above[i] - below[i]) / 2e-4 / float(reference[i])
                    yield f"{at}, slope in z", float(found.upwards[i]), slope, 1e-5, formula


def _shining() -> Iterator[Row]:
    """Sources that go on: since their age, and for a while long ago; with gas and without."""
    formula = "[e^(−r√γ) erfc(r/√4τ − √γτ) + e^(r√γ) erfc(r/√4τ + √γτ)]/(8πr)"
    tau, r = np.array([0.02, 0.3, 3.0]), CASE_1.distance
    rate = tau * KPC**2 / (CASE_1.age * YEAR)
    for gamma in (0.0, _GAMMA):
        loss = gamma * rate / KPC**2
        for part in (1.0, 0.6):
            source = replace(CASE_1, duration=part * CASE_1.age, b=0.0)
            reference = exact.shining(tau, r, gamma)
            if part < 1:
                reference = reference - exact.shining((1 - part) * tau, r, gamma)
            reference = reference / (part * tau)
            bubble = BurstDeck(
                model="burst", medium="two-zone", bubble=Bubble(factor=1.0), local_source=(source,)
            )
            deck = replace(_halo(100.0, 0.0)[0], local_source=(source,))
            ways = {
                "closed": np.exp(spread(source, rate, loss).log_density),
                "two-halo": remnant(deck, source, rate, loss).density,
                "two-zone": around(bubble, source, rate, loss).density,
            }
            for way, found in ways.items():
                for i, t in enumerate(tau):
                    name = f"shining, {way}/{part:g} of the age, gamma {gamma:g}, tau {t:g} kpc2"
                    yield name, float(found[i]), float(reference[i]), 1e-8, formula


def _gas() -> Iterator[Row]:
    """A layer of gas: the plane in it for all times, and the march."""
    layer = Way(density=1.0, half_thickness=0.15)
    deck = replace(_halo(4.0, 0.0, xi=1.0)[0], gas=layer)
    for gamma in (0.1, 3.0, 50.0):
        axis, medium = layered(deck, np.array([0.0, 0.15, 0.6, 2.0, 4.0]), 12, gamma)
        rates, modes = medium.modes(0.0, odd=False)
        total = float(np.sum((axis.at(0.0)[axis.kept] @ modes) ** 2 / rates))
        reference = exact.plane_through_gas(4.0, 0.15, gamma)
        formula = "n'' = γ n in the gas, n'' = 0 beyond"
        yield f"plane in gas/gamma {gamma:g}", total, reference, 1e-9, formula
    deck = replace(_halo(4.0, 0.0, xi=0.1)[0], gas=layer)
    source, tau = deck.local_source[0], np.array([0.1, 0.5, 2.0])
    rate = tau * KPC**2 / (source.age * YEAR)
    found = remnant(deck, source, rate, 3.0 * rate / KPC**2).density
    coarse, fine = (marched(deck, source, tau, cells, 3.0) for cells in (50, 100))
    formula = "finite volumes and TR-BDF2, extrapolated from 50 and 100 cells"
    for i, t in enumerate(tau):
        reference = float(4 * fine[i] - coarse[i]) / 3
        yield f"two-halo with gas/tau {t:g} kpc2", float(found[i]), reference, 2e-3, formula
