"""Bursts from a deck to fluxes and dipoles, in closed form or in the two-halo medium."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from crtransport.constants import KPC, SPEED_OF_LIGHT
from crtransport.deck.burst import BurstDeck
from crtransport.nuclides import Nuclide, nuclide
from crtransport.physics import burst, sky
from crtransport.problems.burst_bubble import around
from crtransport.problems.burst_halo import Remnant, remnant

Array = NDArray[np.float64]

#: no key asks for an accuracy: the closed form has what floats have, the modes some digits less
_TOLERANCE = {"uniform": 1e-9, "two-halo": 1e-6, "two-zone": 1e-6}
_FLUX = "m-2 s-1 sr-1 (GeV/n)-1"
_ONE = ("species", "kinetic_energy")
_EACH = ("source", *_ONE)


class Arrival(NamedTuple):
    """One element at the Sun.

    Attributes
    ----------
    log_flux : [source, energy]
    log_uniform : [source, energy]
        ln of the flux in the uniform medium.
    dipole : [source, energy, 3]
        Vector of each source alone.
    error : float
        Relative error estimate of the fluxes.
    """

    log_flux: Array
    log_uniform: Array
    dipole: Array
    error: float


def energies(deck: BurstDeck) -> Array:
    """Kinetic energies per nucleon of the output, GeV/n, equally spaced in the logarithm."""
    ends = deck.output.T_min, deck.output.T_max
    decades = np.log10(ends[1] / ends[0])
    return np.geomspace(*ends, max(2, round(deck.output.per_decade * decades) + 1))


def arrival(deck: BurstDeck, nucleus: Nuclide, kinetic_energy: Array) -> Arrival:
    """Fluxes and dipoles of one element from each source of the deck."""
    rigidity = nucleus.rigidity(kinetic_energy)
    beta = nucleus.beta(rigidity)
    diffusion = deck.diffusion.disk(rigidity, beta)
    rows, uniform, dipoles, errors = [], [], [], [0.0]
    for source in deck.local_source:
        log_q0 = burst.log_normalisation(source, nucleus)
        log_q = burst.log_injection(source, log_q0, rigidity)
        log_n = burst.log_density(log_q, diffusion, np.asarray(source.distance), source.age)
        uniform.append(burst.log_flux(log_n, nucleus))
        row, vector, error = uniform[-1], _free_dipole(source, beta), 0.0
        if deck.medium != "uniform":
            halo = deck.diffusion.halo(rigidity, beta)
            two_halo = deck.medium == "two-halo"
            left = remnant(deck, source, halo) if two_halo else around(deck, source, diffusion)
            row = burst.log_flux(log_q + burst.log_of(left.density / KPC**3), nucleus)
            vector, error = _dipole(source, left, diffusion, beta), left.error
        rows.append(row)
        dipoles.append(vector)
        if np.isfinite(log_q0):
            refined = burst.log_normalisation(source, nucleus, refine=2)
            closed = abs(np.expm1(log_q0 - refined)) + _rounding(row, log_q0, log_q)
            errors.append(closed + error)
    return Arrival(np.stack(rows), np.stack(uniform), np.stack(dipoles), max(errors))


def _free_dipole(source: burst.LocalSource, beta: Array) -> Array:
    """[energy, 3] in a uniform medium."""
    towards = sky.unit_vector(np.array(source.l), np.array(source.b))
    return np.asarray(burst.dipole(source, beta)[:, None] * towards)


def _dipole(source: burst.LocalSource, left: Remnant, disk: Array, beta: Array) -> Array:
    """[energy, 3] 3 D ∇n/(v n) at the Sun; 0 where nothing is left."""
    along = sky.unit_vector(np.array(source.l), np.array(0.0))
    gradient = left.inwards[:, None] * along + left.upwards[:, None] * np.array([0.0, 0.0, 1.0])
    scale = 3 * disk / (beta * SPEED_OF_LIGHT * KPC)
    per_density = np.divide(scale, left.density, out=np.zeros_like(scale), where=left.density > 0)
    return np.asarray(per_density[:, None] * gradient)


def _rounding(log_flux: Array, log_q0: float, log_q: Array) -> float:
    """What the rounding of the logarithms leaves in the fluxes that are not zero."""
    seen = log_flux > np.log(np.finfo(float).tiny)
    size = abs(log_q0) + np.abs(log_q[seen]) + np.abs(log_flux[seen] - log_q[seen])
    return float(np.finfo(float).eps * np.max(size, initial=0.0))


def solve(deck: BurstDeck) -> xr.Dataset:
    """Flux and dipole anisotropy of the local sources at the Sun.

    Returns
    -------
    xarray.Dataset
        ``flux`` of each source and their sum ``flux_total``; ``dipole``, the amplitude of the
        vector sum over sources, weighted by flux, with its direction; ``dipole_by_source``, each
        source alone. The background of the Galaxy is not in any of them.
    """
    kinetic_energy = energies(deck)
    arrivals = [arrival(deck, nuclide(name), kinetic_energy) for name in deck.species()]
    logs, uniform = (
        np.stack([getattr(a, name) for a in arrivals], axis=1)
        for name in ("log_flux", "log_uniform")
    )
    flux = np.exp(logs)
    vector = np.stack([burst.dipole_sum(a.log_flux, a.dipole) for a in arrivals])
    by_source = np.stack([np.linalg.norm(a.dipole, axis=-1) for a in arrivals], axis=1)
    variables = {
        "flux": (_EACH, flux, _label(_FLUX, "flux of each local source")),
        "flux_total": (_ONE, flux.sum(axis=0), _label(_FLUX, "sum of the local sources' fluxes")),
        "dipole_by_source": (_EACH, by_source, _label("1", "dipole of each source alone")),
        **_directions(vector),
    }
    if deck.medium != "uniform":
        # where nothing of either is left a ratio tells nothing
        ratio = np.exp(np.where(uniform > -700, logs - uniform, -np.inf))
        text = f"flux in the {deck.medium} medium over that of the uniform medium of Eq. 4"
        variables["uniform_medium_ratio"] = (_EACH, ratio, _label("1", text))
    return xr.Dataset(
        variables,
        coords=_coordinates(deck, kinetic_energy),
        attrs={
            "error_estimate": float(max(a.error for a in arrivals)),
            "error_tolerance": _TOLERANCE[deck.medium],
        }
        | _remark(deck, by_source),
    )


def _directions(vector: Array) -> dict[str, tuple[tuple[str, ...], Array, dict[str, str]]]:
    right_ascension, declination = sky.angles(sky.galactic_to_equatorial(vector))
    longitude, latitude = sky.angles(vector)
    size = np.linalg.norm(vector, axis=-1)
    of = "of the direction from which the excess comes"
    return {
        "dipole": (_ONE, size, _label("1", "dipole amplitude of the local sources together")),
        "dipole_phase": (_ONE, right_ascension, _label("degree", f"right ascension (J2000) {of}")),
        "dipole_declination": (_ONE, declination, _label("degree", f"declination (J2000) {of}")),
        "dipole_l": (_ONE, longitude, _label("degree", f"galactic longitude {of}")),
        "dipole_b": (_ONE, latitude, _label("degree", f"galactic latitude {of}")),
    }


def _coordinates(
    deck: BurstDeck, kinetic_energy: Array
) -> dict[str, tuple[str, Array | list[str], dict[str, str]]]:
    names = [source.name for source in deck.local_source]
    label = _label("GeV/n", "kinetic energy per nucleon")
    return {
        "source": ("source", names, _label("1", "local source")),
        "species": ("species", list(deck.species()), _label("1", "element")),
        "kinetic_energy": ("kinetic_energy", kinetic_energy, label),
    }


def _label(units: str, long_name: str) -> dict[str, str]:
    return {"units": units, "long_name": long_name}


def _remark(deck: BurstDeck, by_source: Array) -> dict[str, str]:
    fast = np.max(by_source, axis=(1, 2)) > 1
    names = [s.name for s, beyond in zip(deck.local_source, fast, strict=True) if beyond]
    if not names:
        return {}
    why = f"diffusion does not hold for {', '.join(names)}: its dipole is above 1"
    return {"remark": why}


def _compared(here: xr.Dataset) -> str:
    """Total flux over that of Eq. 4 at a few energies; its inverse is what W must be larger by."""
    ratio = here.uniform_medium_ratio
    free = (here.flux / ratio.where(ratio > 0)).sum("source")
    parts = []
    for energy in (1e2, 1e4, 1e6):
        if here.kinetic_energy[0] <= energy <= here.kinetic_energy[-1]:
            at = {"kinetic_energy": energy}
            one, two = (float(x.sel(at, method="nearest")) for x in (here.flux_total, free))
            parts.append(f"{one / two:.3f} at {energy:g}" if two > 0 else f"nothing at {energy:g}")
    return ", ".join(parts) + " GeV/n"


def headline(dataset: xr.Dataset) -> list[tuple[str, str]]:
    """The peak of each element's spectrum, and the dipole there."""
    rows = []
    for species in dataset.species.values:
        here = dataset.sel(species=species)
        scaled = here.flux_total * here.kinetic_energy**2.7
        peak = here.isel(kinetic_energy=int(scaled.values.argmax()))
        energy = float(peak.kinetic_energy)
        rows.append(
            (f"{species}: largest E^2.7 Φ", f"{float(scaled.max()):.4g} at {energy:.3g} GeV/n")
        )
        direction = (
            f"RA {float(peak.dipole_phase):.1f}°, Dec {float(peak.dipole_declination):+.1f}°"
        )
        rows.append((f"{species}: dipole there", f"{float(peak.dipole):.3g} from {direction}"))
        if "uniform_medium_ratio" in dataset:
            rows.append((f"{species}: over that of Eq. 4", _compared(here)))
    if "remark" in dataset.attrs:
        rows.append(("remark", dataset.attrs["remark"]))
    return rows
