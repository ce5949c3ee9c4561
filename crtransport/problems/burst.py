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
from crtransport.solvers.errors import ConvergenceError

Array = NDArray[np.float64]

#: no key asks for an accuracy: closed forms have what floats have; what the modes cannot tell is
#: composed of steps, to some digits less
_TOLERANCE = {"uniform": 1e-9, "slab": 1e-9, "two-halo": 1e-5, "two-zone": 1e-6}
#: where there is a layer of gas, as the cross sections are known to percents
_LAYERED = 1e-4
#: of the table that many sources are read from
_TABLED = 1e-4
#: of realisations: one and two standard deviations around the median
QUANTILES = (0.023, 0.159, 0.5, 0.841, 0.977)
#: E^2.7 Φ over its peak that no instrument sees
_INDEX, _SEEN = 2.7, 1e-12
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
    _check(deck, kinetic_energy, variables)
    by_source = variables["dipole_by_source"][1]
    error = _error(kinetic_energy, variables, found.doubt)
    return xr.Dataset(
        variables,
        coords=_coordinates(deck, kinetic_energy, found.names, bool(realisations)),
        attrs={"error_estimate": error, "error_tolerance": tolerance}
        | _remark(found.names, by_source),
    )


def _error(kinetic_energy: Array, variables: Variables, doubt: Array) -> float:
    """The largest of what can be seen, or might be, beside the peak of E^2.7 Φ."""
    error = variables["flux_total_rel_error"][1]
    seen = (variables["flux_total"][1] + doubt) * kinetic_energy**_INDEX
    matters = seen > _SEEN * np.max(seen, axis=1, keepdims=True)
    return float(np.max(error, where=matters, initial=0.0))


def _check(deck: BurstDeck, kinetic_energy: Array, variables: Variables) -> None:
    """Refuse fluxes that are no numbers.

    Raises
    ------
    ConvergenceError
    """
    for name in ("flux_total", "flux_realisation"):
        if name not in variables:
            continue
        flux = variables[name][1].reshape(-1, len(deck.species()), len(kinetic_energy))
        wrong = ~(np.isfinite(flux) & (flux >= 0))
        if wrong.any():
            i, j, k = np.argwhere(wrong)[0]
            raise ConvergenceError(
                f"{name} of {deck.species()[j]} is {flux[i, j, k]:g} at {kinetic_energy[k]:.4g} "
                "GeV/n, and at " + f"{wrong.sum() - 1} other points; inf is above the largest "
                "number of the machine: W, distance and age may be in the wrong unit"
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
    error : [source, species, energy] array
        Relative error estimates of the fluxes.
    doubt : [species, energy] array
        Below how much the fluxes are, together, that are told as 0.
    """

    names: list[str]
    log_flux: Array
    log_uniform: Array
    dipole: Array
    error: Array
    doubt: Array

    def plus(self, other: Found) -> Found:
        """The sources of both."""
        return Found(
            self.names + other.names,
            np.concatenate([self.log_flux, other.log_flux]),
            np.concatenate([self.log_uniform, other.log_uniform]),
            np.concatenate([self.dipole, other.dipole]),
            np.concatenate([self.error, other.error]),
            self.doubt + other.doubt,
        )


def _named(deck: BurstDeck, kinetic_energy: Array) -> Found:
    """The sources that stand in the deck."""
    names = [source.name for source in deck.local_source]
    shape = len(names), len(deck.species()), len(kinetic_energy)
    doubt = np.zeros(shape[1:])
    if not names:
        none = np.zeros(shape)
        return Found(names, none, none, np.zeros((*shape, 3)), none, doubt)
    each = [arrival(deck, nuclide(name), kinetic_energy) for name in deck.species()]
    log_flux, uniform, dipole, error = (np.stack(x, axis=1) for x in zip(*each, strict=True))
    return Found(names, log_flux, uniform, dipole, error, doubt)


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
    flux, uniform, stream, doubt = (np.stack(x) for x in zip(*rows, strict=True))
    alone = np.divide(stream, flux[..., None], out=np.zeros_like(stream), where=flux[..., None] > 0)
    found = Found(
        [one.source.name for one in bright] + ["all others"],
        burst.log_of(flux),
        burst.log_of(uniform),
        alone,
        np.where(flux > 0, error, 0.0),
        doubt.sum(axis=0),
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
    return found, _realised(total, vector)


def _realised(flux: Array, stream: Array) -> Variables:
    some = np.broadcast_to(flux[..., None] > 0, stream.shape)
    each = np.divide(stream, flux[..., None], out=np.zeros_like(stream), where=some)
    dipole = np.linalg.norm(each, axis=-1)  # after the ratio: the square of a small flux is 0
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
    with np.errstate(over="ignore"):  # told by _check
        flux = np.exp(found.log_flux)
    total = flux.sum(axis=0)
    pairs = zip(np.moveaxis(found.log_flux, 1, 0), np.moveaxis(found.dipole, 1, 0), strict=True)
    vector = np.stack([burst.dipole_sum(*pair) for pair in pairs])
    vector[total == 0] = 0.0
    by_source = np.where(flux > 0, np.linalg.norm(found.dipole, axis=-1), 0.0)
    lost = np.where(flux > 0, flux * found.error, 0.0).sum(axis=0) + found.doubt
    unseen = (lost > 0) | ((found.error > 0) & (flux == 0)).any(axis=0)
    error = np.divide(
        lost, total, out=np.where(unseen, 1.0, 0.0), where=(total > 0) & (total < np.inf)
    )
    variables: Variables = {
        "flux": (_EACH, flux, _label(_FLUX, "flux of each local source")),
        "flux_total": (_ONE, total, _label(_FLUX, "sum of the local sources' fluxes")),
        "flux_total_rel_error": (
            _ONE,
            np.minimum(error, 1.0),
            _label("1", "relative numerical error estimate of flux_total; 1 where it is a bound"),
        ),
        "dipole_by_source": (_EACH, by_source, _label("1", "dipole of each source alone")),
        **directions(vector, "the local sources together"),
    }
    if deck.medium != "uniform":
        # where nothing of either is left a ratio tells nothing
        told = (found.log_uniform > -700) & (found.log_flux > -700)
        here, uniform = (np.where(told, x, 0.0) for x in (found.log_flux, found.log_uniform))
        ratio = np.where(told, np.exp(np.minimum(here - uniform, 700.0)), 0.0)
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
            parts.append(f"{one / two:.4g} at {energy:g}" if two > 0 else f"nothing at {energy:g}")
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


def _where(energy: Array, which: NDArray[np.bool_]) -> str:
    """Some of the energies in words."""
    if which.all():
        return "at all energies"
    last = int(np.flatnonzero(which)[-1])
    if which[: last + 1].all():
        return f"up to {energy[last]:.3g} GeV/n"
    first = int(np.flatnonzero(which)[0])
    if which[first:].all():
        return f"from {energy[first]:.3g} GeV/n on"
    span = f"{energy[first]:.3g} to {energy[last]:.3g} GeV/n"
    return f"at {which.sum()} of {len(which)} energies, {span}"


def headline(dataset: xr.Dataset) -> list[tuple[str, str]]:
    """The peak of each element's spectrum, the dipole there, and where there is nothing to tell."""
    rows = []
    for species in dataset.species.values:
        here = dataset.sel(species=species)
        flux, kinetic_energy = here.flux_total.values, here.kinetic_energy.values
        if np.any(flux > 0):
            rows += _peak(str(species), here)
            if "uniform_medium_ratio" in dataset:
                rows.append((f"{species}: over that of Eq. 4", _compared(here)))
        error = here.flux_total_rel_error.values
        for which, text in (
            ((flux == 0) & (error == 0), "less than the smallest number of the machine"),
            (error >= 1, "not resolved; the flux told is 0 or an upper bound"),
        ):
            if which.any():
                rows.append((f"{species}: no flux", f"{_where(kinetic_energy, which)}: {text}"))
        if "flux_quantile" in dataset:
            rows.append((f"{species}: 68 % of the realisations", _scattered(here)))
    if "remark" in dataset.attrs:
        rows.append(("remark", dataset.attrs["remark"]))
    return rows


def _peak(species: str, here: xr.Dataset) -> list[tuple[str, str]]:
    """Where E^2.7 Φ is largest, and the dipole there."""
    scaled = here.flux_total * here.kinetic_energy**2.7
    peak = here.isel(kinetic_energy=int(scaled.values.argmax()))
    direction = f"RA {float(peak.dipole_phase):.1f}°, Dec {float(peak.dipole_declination):+.1f}°"
    at = f"at {float(peak.kinetic_energy):.3g} GeV/n"
    return [
        (f"{species}: largest E^2.7 Φ", f"{float(scaled.max()):.4g} {at}"),
        (f"{species}: dipole there", f"{float(peak.dipole):.3g} from {direction}"),
    ]
