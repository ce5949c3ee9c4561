"""Are the error estimates of local sources true? Random decks, each against another solution.

python benchmarks/estimates_bursts.py [--number 100] [--seed 1]

One to three sources, bursts or such that go on, in each medium, with gas all over, in a layer or
none; ages from 100 yr to 100 Myr, distances from 10 pc to 5 kpc; bursts of a catalogue too. The
reference has its own normalisation, D, times of emission and order of sums, and n from

- mirror sources, or waves between the planes, in the uniform medium, in the slab, and between two
  halos where ξ = 1, a fifth of them: exact however little arrives;
- the medium's modes on other elements of higher order, or short steps, twice as short as those of
  the answer, where the modes have less than nine digits: each judges the other in between;
- radial modes of the bubble on spectral elements, where they have digits, against its closed form.

The true error is the largest of flux_total where E^2.7 Φ is within twelve decades of its peak, as
error_estimate is, less what the same reference with less work differs by. Left out are energies at
which the reference has no digits.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from estimates import Refusal, Row, log_uniform, report
from numpy.typing import NDArray
from scipy import constants, integrate

from crtransport.deck.burst import BurstDeck
from crtransport.deck.load import load_deck
from crtransport.nuclides import nuclide
from crtransport.physics.burst import LocalSource, counted_energy, threshold_rigidity
from crtransport.problems.burst_halo import at_sun
from crtransport.run import run
from crtransport.solvers.errors import ConvergenceError, SingularOperatorError
from crtransport.solvers.faint_release import FaintRelease
from crtransport.solvers.nodal_grid import NodalAxis, NodalGrid
from crtransport.solvers.point_release import lumped_modes

Array = NDArray[np.float64]
Deck = dict[str, Any]

KPC, YEAR = 1e5 * constants.parsec, constants.Julian_year  # cm, s
ERG = constants.erg / (1e9 * constants.e)  # GeV
#: E^2.7 Φ over its peak below which errors do not count
SEEN = 1e-12
#: rounding errors of modes that are too large
ROUNDED = 1e-9
#: panels of an emission
PANELS = 14


class Size(NamedTuple):
    """How accurate a reference is: of elements and of k, of a bubble, of steps, of an emission."""

    modes: tuple[int, int]
    bubble: int
    steps: tuple[int, int]
    nodes: int


#: of the reference, and of what tells its own error
FINE, COARSE = Size((17, 22), 18, (64, 128), 20), Size((15, 20), 15, (32, 64), 16)


def drawn(random: np.random.Generator) -> Deck:
    """A deck as a table of tables."""
    medium = str(random.choice(["uniform", "slab", "two-halo", "two-halo", "two-zone"]))
    deck: Deck = {"model": "burst", "medium": medium}
    z_h = log_uniform(random, 0.5, 10.0)
    if medium in ("slab", "two-halo"):
        deck["z_h"] = z_h
    deck["diffusion"] = {
        "D0": log_uniform(random, 1e27, 1e30),
        "delta1": random.uniform(0.2, 0.7),
        "delta2": random.uniform(0.1, 0.4),
        "xi": 1.0 if random.random() < 0.2 else log_uniform(random, 0.03, 1.0),
        "h": log_uniform(random, 0.1, 1.0),
    }
    if medium == "two-zone":
        deck["bubble"] = {
            "radius": log_uniform(random, 0.01, 0.3),
            "factor": log_uniform(random, 1e-3, 10.0),
        }
    if random.random() < 0.4:
        deck["gas"] = {"density": log_uniform(random, 0.01, 10.0)}
        if medium == "two-halo" and random.random() < 0.5:
            deck["gas"]["half_thickness"] = random.uniform(0.05, 0.4)
    top = 0.9 * z_h if medium in ("slab", "two-halo") else np.inf
    deck["local_source"] = [_source(random, i, top) for i in range(random.integers(1, 4))]
    low = log_uniform(random, 1.0, 1e3)
    decades = random.uniform(1, 4)
    deck["output"] = {"T_min": low, "T_max": low * 10**decades, "per_decade": 2}
    return deck


def _source(random: np.random.Generator, number: int, top: float) -> Deck:
    distance = log_uniform(random, 0.01, 5.0)
    b = 0.0
    if random.random() < 0.6:
        b = float(np.degrees(np.arcsin(random.uniform(-1, 1) * min(1.0, top / distance))))
    age = log_uniform(random, 1e2, 1e8)
    on = random.random()
    duration = 0.0 if on < 0.6 else age * (1.0 if on < 0.8 else random.uniform(0.05, 1.0))
    return {
        "name": f"s{number}",
        "distance": distance,
        "age": age,
        "duration": duration,
        "l": random.uniform(0, 360),
        "b": b,
        "alpha": random.uniform(1.8, 2.8),
        "R_c": log_uniform(random, 1e4, 1e7),
        "W": {str(random.choice(["H", "Fe"])): log_uniform(random, 1e47, 1e51)},
    }


def listed(deck: Deck, folder: Path) -> Deck:
    """The same bursts in a catalogue."""
    path = folder / "catalogue.csv"
    keys = ("distance", "age", "l", "b", "alpha", "R_c")
    lines = [",".join([*keys, "W_H", "W_Fe"])]
    for source in deck["local_source"]:
        energies = [source["W"].get(name, 0.0) for name in ("H", "Fe")]
        lines.append(",".join(f"{x!r}" for x in [*(float(source[k]) for k in keys), *energies]))
    path.write_text("\n".join(lines) + "\n")
    return {k: v for k, v in deck.items() if k != "local_source"} | {
        "catalogue": {"file": str(path)}
    }


def reference(
    deck: BurstDeck, species: str, energy: Array, wanted: NDArray[np.bool_], size: Size
) -> Array:
    """The sum of the fluxes at the energies wanted; NaN where it has too few digits."""
    nucleus = nuclide(species)
    total = np.full(len(energy), np.nan)
    total[wanted] = 0.0
    rigidity = nucleus.rigidity(energy)
    beta = nucleus.beta(rigidity)
    d = deck.diffusion
    bend = (d.delta2 - d.delta1) / 2 * np.log1p((rigidity / d.R1) ** 2)
    halo = np.exp(np.log(d.D0) + d.eta * np.log(beta) + d.delta1 * np.log(rigidity / d.R0) + bend)
    for source in deck.local_source:
        if not source.W.get(species):
            continue
        norm = source.W[species] * ERG / _budget(source, species)
        for i in np.flatnonzero(wanted):
            loss = 0.0 if deck.gas is None else float(deck.gas.loss(nucleus, rigidity[[i]])[0])
            log_n = _emitted(deck, source, float(halo[i]), loss, size)
            spectrum = -source.alpha * np.log(rigidity[i]) - rigidity[i] / source.R_c
            area = 1e6 * constants.c * nucleus.mass_number / (4 * np.pi * nucleus.charge)
            total[i] += area * norm * np.exp(log_n + spectrum - 3 * np.log(KPC))
    return total


def _budget(source: LocalSource, species: str) -> float:
    """∫ T R^−α exp(−R/R_c) dR, by adaptive quadrature over ln R."""
    nucleus = nuclide(species)

    def integrand(x: float) -> float:
        r = np.exp(x)
        shape = np.exp((1 - source.alpha) * x - r / source.R_c)
        return float(counted_energy(source, nucleus, np.array(r)) * shape)

    ends = np.log(threshold_rigidity(source, nucleus)), np.log(50 * source.R_c)
    parts = np.linspace(*ends, 9)
    return float(
        sum(integrate.quad(integrand, a, b, epsrel=1e-12, epsabs=0)[0] for a, b in pairwise(parts))
    )


def _emitted(deck: BurstDeck, source: LocalSource, halo: float, loss: float, size: Size) -> float:
    """ln n of one particle, kpc^-3: of a burst, or the average over the time of emission."""
    rate = halo * YEAR / KPC**2
    layer = bool(deck.gas_edges())
    gamma, fade = (loss * YEAR / rate, 0.0) if layer else (0.0, loss * YEAR / rate)
    last = rate * source.age
    if not source.duration:
        return float(_log_n(deck, source, np.array([last]), gamma, size)[0] - fade * last)
    first = rate * (source.age - source.duration)
    # what is e^−45 of the end is left out, at the slowest rise of all media
    fastest = max(1.0, 1.0 if deck.bubble is None else deck.bubble.factor)
    rise = source.distance**2 / (4 * fastest)
    start = max(first, 1 / (1 / last + 45 / rise))
    # in 1/τ where n rises steeply, else in ln τ
    steep = rise > last
    low, high = (1 / last, 1 / start) if steep else (-np.log(last), -np.log(start))
    edges = low + (high - low) * np.concatenate([[0.0], np.geomspace(1 / 512, 1, PANELS)])
    half = np.diff(edges)[:, None] / 2
    x, weight = np.polynomial.legendre.leggauss(size.nodes)
    at = (edges[:-1, None] + half * (1 + x)).ravel()
    tau = 1 / at if steep else np.exp(-at)
    logs = _log_n(deck, source, tau, gamma, size) - fade * tau
    logs += np.log((half * weight).ravel() * (tau**2 if steep else tau))
    top = np.max(logs)
    return float(top + np.log(np.sum(np.exp(logs - top))) - np.log(last - first))


def _log_n(deck: BurstDeck, source: LocalSource, tau: Array, gamma: float, size: Size) -> Array:
    """ln n of a release at times τ = D t of the halo; of the disk where D is uniform."""
    f = float(deck.diffusion.shape(np.zeros(())))
    z, r = source.height(), source.distance
    if deck.medium == "two-zone":
        assert deck.bubble is not None
        return _in_bubble(f * tau, r, deck.bubble.radius, deck.bubble.factor, size.bubble)
    if deck.medium == "two-halo" and f < 1:
        return _in_halo(deck, source, tau, gamma, size)
    # the disk's D, at all heights
    here = f * tau
    free = -(r**2) / (4 * here) - 1.5 * np.log(4 * np.pi * here)
    if deck.gas_edges():
        return _in_halo(deck, source, tau, gamma, size)
    if deck.medium == "uniform":
        return np.asarray(free)
    return np.array(
        [x + _planes(z, deck.half_height(), t) for x, t in zip(free, here, strict=True)]
    )


def _planes(z: float, height: float, tau: float) -> float:
    """ln of what the planes leave of a release, of that without them: by images, or by waves."""
    if tau < 0.5 * height**2:
        m = np.arange(-8, 9)
        # the image at 2mH + (−1)^m z over the nearest, its exponent without cancellation
        image = 2 * m * height + (-1.0) ** m * z
        terms = (-1.0) ** m * np.exp(-(image - z) * (image + z) / (4 * tau))
        return float(np.log(np.sum(terms)))
    k = np.pi / (2 * height) * (2 * np.arange(30) + 1)
    waves = np.sum(np.exp(-(k**2 - k[0] ** 2) * tau) * np.cos(k * z)) / height
    free = -(z**2) / (4 * tau) - 0.5 * np.log(4 * np.pi * tau)
    return float(np.log(waves) - k[0] ** 2 * tau - free)


def _in_halo(deck: BurstDeck, source: LocalSource, tau: Array, gamma: float, size: Size) -> Array:
    """By modes of higher order, or by shorter steps; NaN where that is too much work."""
    n, _, _, rounding = at_sun(deck, source, tau, *size.modes, gamma=gamma)
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(n)
        dark = ~(rounding < ROUNDED * n) & ~((n == 0) & (rounding == 0))
    if not dark.any():
        return np.asarray(logs)
    z = abs(source.height())
    release = FaintRelease(
        shape=deck.diffusion.shape,
        half_height=deck.half_height(),
        rho=float(np.sqrt(source.distance**2 - z**2)),
        z=z,
        layer=(deck.gas_edges() or [np.inf])[0],
        gamma=gamma,
    )
    if len(tau) > 1:
        # an emission: what is before the modes have digits may be of no account
        bound = np.array([release.bound(float(t)) for t in tau])
        logs[dark] = np.where(
            bound[dark] < np.max(logs[~dark], initial=-np.inf) - 30, -np.inf, np.nan
        )
        return np.asarray(logs)
    coarse, fine = (release._by(float(tau[0]), steps)[0] for steps in size.steps)
    return np.array([fine + (fine - coarse) / 15])


def _in_bubble(tau: Array, r: float, radius: float, factor: float, order: int) -> Array:
    """u = r n on spectral elements of a line: its modes; NaN where they have too few digits."""
    low, high = sorted((1.0, factor))
    found = np.empty(len(tau))
    for i, t in enumerate(tau):
        first = min(float(np.sqrt(2 * low * t)), radius)
        end = max(12 * float(np.sqrt(high * t)), 2 * (r + radius))
        edges = [0.0]
        for knot in sorted({radius, r, end}):
            while edges[-1] < knot:
                edges.append(min(knot, edges[-1] + max(first, 1.5 * edges[-1])))
        axis = NodalAxis(
            edges=np.array(edges), orders=(order,) * (len(edges) - 1), zero=(True, True)
        )
        grid = NodalGrid(axes=(axis,))
        stiffness = grid.stiffness(0, lambda x: np.where(x < radius, factor, 1.0)).matrix.toarray()
        at_edge = axis.at(radius)[axis.kept]
        stiffness += (1 - factor) / radius * np.outer(at_edge, at_edge)
        rates, modes = lumped_modes(stiffness, grid.mass(np.ones_like).matrix.diagonal())
        source, here = axis.slopes[0, axis.kept] @ modes, axis.at(r)[axis.kept] @ modes
        parts = np.exp(-rates * t) * source * here
        whole = float(np.sum(parts))
        clean = whole > 1e5 * np.finfo(float).eps * np.sum(np.abs(parts)) / ROUNDED / 1e2
        found[i] = np.log(whole / (4 * np.pi * r)) if clean else np.nan
    return found


def judged(deck: Deck, bursts: BurstDeck, name: str) -> Row | Refusal | None:
    """One deck; none where the reference has no digits to judge it by."""
    note = repr(deck)
    try:
        found = run(deck)
    except (ConvergenceError, SingularOperatorError) as error:
        return Refusal(name, str(error), note)
    energy = found.kinetic_energy.values
    true, judges = 0.0, 0
    for species in found.species.values:
        flux = found.flux_total.sel(species=species).values
        seen = flux * energy**2.7
        wanted = seen > SEEN * np.max(seen)
        exact, rough = (
            reference(bursts, str(species), energy, wanted, size) for size in (FINE, COARSE)
        )
        known = wanted & np.isfinite(exact) & np.isfinite(rough) & (exact > 0)
        judges += int(known.sum())
        flux, exact, rough = flux[known], exact[known], rough[known]
        off = np.abs(flux / exact - 1) - np.abs(rough / exact - 1)
        true = max(true, float(np.max(off, initial=0.0)))
    if not judges:
        return None
    told, tolerance = (float(found.attrs[k]) for k in ("error_estimate", "error_tolerance"))
    return Row(name, true, told, tolerance, note)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--number", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    rows: list[Row] = []
    refused: list[Refusal] = []
    unjudged = 0
    with tempfile.TemporaryDirectory() as folder:
        for i in range(given.number):
            deck = drawn(np.random.default_rng([given.seed, i]))
            bursts = load_deck(deck)
            assert isinstance(bursts, BurstDeck)
            plain = not bursts.gas_edges() and deck["medium"] != "two-zone"
            if plain and i % 4 == 0 and not any(s.duration for s in bursts.local_source):
                deck = listed(deck, Path(folder))
            name = f"seed {given.seed}, number {i}: {deck['medium']}"
            one = judged(deck, bursts, name + (", catalogue" if "catalogue" in deck else ""))
            if isinstance(one, Row):
                rows.append(one)
            elif isinstance(one, Refusal):
                refused.append(one)
            unjudged += one is None
    print(f"{unjudged} of {given.number} have no flux, or none that the reference knows")
    if report(rows, refused):
        sys.exit(1)


if __name__ == "__main__":
    main()
