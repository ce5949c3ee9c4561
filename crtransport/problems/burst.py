"""Local sources from a deck to fluxes and dipoles, in closed form or solved in their medium."""

from __future__ import annotations

from itertools import chain
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from crtransport.deck.burst import BurstDeck
from crtransport.nuclides import nuclide
from crtransport.physics import burst
from crtransport.problems.burst_arrival import arrival
from crtransport.problems.burst_many import Many, many
from crtransport.problems.directions import directions

Array = NDArray[np.float64]

#: no key asks for an accuracy: the closed form has what floats have, the modes some digits less
_TOLERANCE = {"uniform": 1e-9, "slab": 1e-9, "two-halo": 1e-6, "two-zone": 1e-6}
#: where there is a layer of gas, as the cross sections are known to percents
_LAYERED = 1e-4
#: of the table that many sources are read from
_TABLED = 1e-4
#: of realisations: one and two standard deviations around the median
QUANTILES = (0.023, 0.159, 0.5, 0.841, 0.977)
_FLUX = "m-2 s-1 sr-1 (GeV/n)-1"
_ONE = ("species", "kinetic_energy")
_EACH = ("source", *_ONE)
#: energies of the headline, GeV/n
_POWERS = (1e2, 1e4, 1e6)
Variables = dict[str, tuple[tuple[str, ...], Array, dict[str, str]]]


def energies(deck: BurstDeck) -> Array:
    """Kinetic energies per nucleon of the output, GeV/n, equally spaced in the logarithm."""
    ends = deck.output.T_min, deck.output.T_max
    decades = np.log10(ends[1] / ends[0])
    return np.geomspace(*ends, max(2, round(deck.output.per_decade * decades) + 1))


def solve(deck: BurstDeck) -> xr.Dataset:
    """Flux and dipole anisotropy of the local sources at the Sun.

    Returns
    -------
    xarray.Dataset
        ``flux`` of each source and their sum ``flux_total``; ``dipole``, the amplitude of the
        vector sum over sources, weighted by flux, with its direction; ``dipole_by_source``, each
        source alone. The background of the Galaxy is not in any of them. Of a catalogue or a
        population the brightest sources are told, and "all others" together; with a population,
        ``flux_realisation`` and ``dipole_realisation`` have each Galaxy of it.
    """
    kinetic_energy = energies(deck)
    found = _named(deck, kinetic_energy)
    tolerance = _LAYERED if deck.gas_edges() else _TOLERANCE[deck.medium]
    realisations: Variables = {}
    if deck.catalogue is not None or deck.population is not None:
        tolerance = max(tolerance, _TABLED)
        responder = many(deck, kinetic_energy)
        crowd, realisations = _crowd(responder, found)
        found = found.plus(crowd)
    variables: Variables = _spectra(deck, found) | realisations
    by_source = variables["dipole_by_source"][1]
    return xr.Dataset(
        variables,
        coords=_coordinates(deck, kinetic_energy, found.names, bool(realisations)),
        attrs={"error_estimate": found.error, "error_tolerance": tolerance}
        | _remark(found.names, by_source),
    )


class Found(NamedTuple):
    """What arrives of each source, [source, species, energy].

    Attributes
    ----------
    names : list of str
    log_flux, log_uniform : arrays
        In the medium of the deck, and in the uniform one.
    dipole : [source, species, energy, 3] array
        Of each alone.
    error : float
    """

    names: list[str]
    log_flux: Array
    log_uniform: Array
    dipole: Array
    error: float

    def plus(self, other: Found) -> Found:
        """The sources of both."""
        return Found(
            self.names + other.names,
            np.concatenate([self.log_flux, other.log_flux]),
            np.concatenate([self.log_uniform, other.log_uniform]),
            np.concatenate([self.dipole, other.dipole]),
            max(self.error, other.error),
        )


def _named(deck: BurstDeck, kinetic_energy: Array) -> Found:
    """The sources that stand in the deck."""
    names = [source.name for source in deck.local_source]
    shape = len(names), len(deck.species()), len(kinetic_energy)
    if not names:
        return Found(names, np.zeros(shape), np.zeros(shape), np.zeros((*shape, 3)), 0.0)
    each = [arrival(deck, nuclide(name), kinetic_energy) for name in deck.species()]
    log_flux, log_uniform, dipole = (np.stack(x, axis=1) for x in list(zip(*each, strict=True))[:3])
    return Found(names, log_flux, log_uniform, dipole, max(a.error for a in each))


def _crowd(responder: Many, named: Found) -> tuple[Found, Variables]:
    """The brightest sources of catalogue and population, all others, and each realisation."""
    deck = responder.deck
    sources = [] if deck.catalogue is None else [deck.catalogue.blocks()]
    sources += [] if deck.population is None else [deck.population.galaxy(0)]
    bright, others = responder.brightest(chain(*sources))
    error, told = responder.error(bright), deck.output.brightest
    for one in bright[told:]:
        others = others.plus(one.parts)
    bright = bright[:told]
    rows = [one.parts for one in bright] + [others]
    flux, uniform, stream = (np.stack(x) for x in zip(*rows, strict=True))
    alone = np.divide(stream, flux[..., None], out=np.zeros_like(stream), where=flux[..., None] > 0)
    found = Found(
        [one.source.name for one in bright] + ["all others"],
        burst.log_of(flux),
        burst.log_of(uniform),
        alone,
        error,
    )
    if deck.population is None:
        return found, {}
    fixed = np.exp(named.log_flux)
    still = (fixed.sum(axis=0), np.einsum("sne,snek->nek", fixed, named.dipole))
    if deck.catalogue is not None:
        listed = responder.summed(deck.catalogue.blocks())
        still = (still[0] + listed.flux, still[1] + listed.stream)
    each = responder.realisations(deck.population)
    total = np.stack([one.flux for one in each]) + still[0]
    vector = np.stack([one.stream for one in each]) + still[1]
    return found, _realised(total, np.linalg.norm(vector, axis=-1))


def _realised(flux: Array, stream: Array) -> Variables:
    dipole = np.divide(stream, flux, out=np.zeros_like(flux), where=flux > 0)
    dims, over = ("realisation", *_ONE), "over the realisations"
    return {
        "flux_realisation": (dims, flux, _label(_FLUX, "flux of each realisation")),
        "dipole_realisation": (dims, dipole, _label("1", "dipole of each realisation")),
        "flux_quantile": (
            ("quantile", *_ONE),
            np.quantile(flux, QUANTILES, axis=0),
            _label(_FLUX, f"quantiles of the flux {over}"),
        ),
        "dipole_quantile": (
            ("quantile", *_ONE),
            np.quantile(dipole, QUANTILES, axis=0),
            _label("1", f"quantiles of the dipole {over}"),
        ),
    }


def _spectra(deck: BurstDeck, found: Found) -> Variables:
    flux = np.exp(found.log_flux)
    pairs = zip(np.moveaxis(found.log_flux, 1, 0), np.moveaxis(found.dipole, 1, 0), strict=True)
    vector = np.stack([burst.dipole_sum(*pair) for pair in pairs])
    by_source = np.linalg.norm(found.dipole, axis=-1)
    variables: Variables = {
        "flux": (_EACH, flux, _label(_FLUX, "flux of each local source")),
        "flux_total": (_ONE, flux.sum(axis=0), _label(_FLUX, "sum of the local sources' fluxes")),
        "dipole_by_source": (_EACH, by_source, _label("1", "dipole of each source alone")),
        **directions(vector, "the local sources together"),
    }
    if deck.medium != "uniform":
        # where nothing of either is left a ratio tells nothing
        told = found.log_uniform > -700
        uniform = np.where(told, found.log_uniform, 0.0)
        ratio = np.where(told, np.exp(found.log_flux - uniform), 0.0)
        text = f"flux in the {deck.medium} medium over that of the uniform medium of Eq. 4"
        variables["uniform_medium_ratio"] = (_EACH, ratio, _label("1", text))
    return variables


def _coordinates(
    deck: BurstDeck, kinetic_energy: Array, names: list[str], realised: bool
) -> dict[str, tuple[str, Any, dict[str, str]]]:
    label = _label("GeV/n", "kinetic energy per nucleon")
    found: dict[str, tuple[str, Any, dict[str, str]]] = {
        "source": ("source", names, _label("1", "local source")),
        "species": ("species", list(deck.species()), _label("1", "element")),
        "kinetic_energy": ("kinetic_energy", kinetic_energy, label),
    }
    if realised:
        label = _label("1", "part of the realisations that lies below")
        found["quantile"] = ("quantile", np.array(QUANTILES), label)
    return found


def _label(units: str, long_name: str) -> dict[str, str]:
    return {"units": units, "long_name": long_name}


def _remark(names: list[str], by_source: Array) -> dict[str, str]:
    fast = np.max(by_source, axis=(1, 2)) > 1
    beyond = [name for name, one in zip(names, fast, strict=True) if one]
    if not beyond:
        return {}
    why = f"diffusion does not hold for {', '.join(beyond)}: its dipole is above 1"
    return {"remark": why}


def _compared(here: xr.Dataset) -> str:
    """Total flux over that of Eq. 4 at a few energies; its inverse is what W must be larger by."""
    ratio = here.uniform_medium_ratio
    free = (here.flux / ratio.where(ratio > 0)).sum("source")
    parts = []
    for energy in _POWERS:
        if here.kinetic_energy[0] <= energy <= here.kinetic_energy[-1]:
            at = {"kinetic_energy": energy}
            one, two = (float(x.sel(at, method="nearest")) for x in (here.flux_total, free))
            parts.append(f"{one / two:.3f} at {energy:g}" if two > 0 else f"nothing at {energy:g}")
    return ", ".join(parts) + " GeV/n"


def _scattered(here: xr.Dataset) -> str:
    """Scatter of the flux around its median at a few energies."""
    parts = []
    for energy in _POWERS:
        if here.kinetic_energy[0] <= energy <= here.kinetic_energy[-1]:
            low, middle, high = here.flux_quantile.sel(
                kinetic_energy=energy, method="nearest"
            ).values[1:4]
            parts.append(
                f"{100 * (low / middle - 1):+.0f} {100 * (high / middle - 1):+.0f} % at {energy:g}"
            )
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
        if "flux_quantile" in dataset:
            rows.append((f"{species}: 68 % of the realisations", _scattered(here)))
    if "remark" in dataset.attrs:
        rows.append(("remark", dataset.attrs["remark"]))
    return rows
