"""The galaxy model: a deck in, a dataset out."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from threading import Event
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from crtransport.deck.galaxy import GalaxyDeck
from crtransport.nuclides import nuclide
from crtransport.physics.geometry import Cylinder
from crtransport.problems import galaxy_compare
from crtransport.problems.galaxy_channels import channel_error, channel_spectra
from crtransport.problems.galaxy_flux import Spectrum
from crtransport.problems.galaxy_transport import (
    Resolution,
    Transport,
    momentum_order,
    transport,
)

Array = NDArray[np.float64]
Flux = Callable[[str, Array], Array]
Variables = dict[str, tuple[tuple[str, ...], Array, dict[str, Any]]]

_PER_ENERGY = "m-2 s-1 sr-1 (GeV/n)-1"
_PER_RIGIDITY = "m-2 s-1 sr-1 GV-1"
_ONE = ("nuclide", "kinetic_energy")
#: levels per decade of the coarser momentum grid, over those of the deck
_COARSER = 2 / 3
#: lowest energy of the grid that tells what the end of the deck's does
_BELOW = 0.3


class Answer:
    """Fluxes at the Sun of all nuclides of one run, normalised."""

    def __init__(self, deck: GalaxyDeck, run: Transport) -> None:
        self.deck, self.run = deck, run
        self.spectra = {
            one.nucleus.name: Spectrum(
                one.nucleus, run.levels, one.values @ run.space.sun, one.log_scale
            )
            for one in run.nuclides
        }

    @cached_property
    def norm(self) -> float:
        """Factor on all fluxes: 1, or what brings the one normalised nuclide to its flux."""
        norm = self.deck.normalisation
        common = None if norm is None else norm.common()
        if norm is None or common is None:
            return 1.0
        name, target = common
        return target / float(self.spectra[name].flux(np.array(norm.T)))

    def interstellar(self, name: str, energy: Array) -> Array:
        """Flux outside the heliosphere at T in GeV/n."""
        return np.asarray(self.norm * self.spectra[name].flux(energy))

    def at_earth(self, name: str, energy: Array) -> Array:
        """Flux at the top of the atmosphere."""
        nucleus = self.spectra[name].nucleus
        return self.deck.modulation.modulated(lambda t: self.interstellar(name, t), energy, nucleus)

    def density(self, name: str, energy: Array) -> Array:
        """[energy, place] dn/dT, cm^-3 (GeV/n)^-1."""
        one = next(o for o in self.run.nuclides if o.nucleus.name == name)
        spectrum = Spectrum(one.nucleus, self.run.levels, one.values, one.log_scale)
        return self.norm * spectrum.density(energy)


def solve(deck: GalaxyDeck) -> xr.Dataset:
    """Solve a galaxy deck.

    Returns
    -------
    xarray.Dataset
        The variables of the galaxy model; ``flux_lis_rel_error`` is the numerical error estimate
        of this run: what coarser grids in momentum and in space, and a lower end of the momenta,
        change, each scaled by its order.
    """
    energy = energies(deck)
    others = list(coarser(deck))
    answer, *changed = solve_all(deck, [Resolution(), *(r for r, _ in others)])
    names = list(deck.nuclides)
    lis = np.stack([answer.interstellar(name, energy) for name in names])
    toa = np.stack([answer.at_earth(name, energy) for name in names])
    error = np.zeros_like(lis)
    for other, (_, factor) in zip(changed, others, strict=True):
        change = np.stack([other.interstellar(name, energy) for name in names])
        error += factor * np.abs(change / lis - 1)
    variables: Variables = {
        "flux_lis": (_ONE, lis, _label(_PER_ENERGY, "interstellar flux at the Sun")),
        "flux_toa": (_ONE, toa, _label(_PER_ENERGY, "flux at the top of the atmosphere")),
        "flux_lis_rel_error": (
            _ONE,
            error,
            _label("1", "relative numerical error estimate of flux_lis"),
        ),
        **_elements(deck, answer),
        **_ratios(deck, answer, energy),
        **_accuracy(answer),
    }
    channels: dict[str, Spectrum] = {}
    for name in deck.output.channels:
        channels |= channel_spectra(deck, answer.run, name)
    if channels:
        variables |= _channels(answer, channels, energy)
    if deck.output.maps:
        variables |= _maps(deck, answer, energy)
    return xr.Dataset(
        variables,
        coords=_coordinates(deck, energy, list(channels)),
        attrs=_figures(answer, variables)
        | {
            "error_estimate": float(np.max(error)),
            "error_tolerance": deck.solver.rtol,
        },
    )


def solve_all(deck: GalaxyDeck, resolutions: Sequence[Resolution]) -> list[Answer]:
    """Answers at several resolutions, side by side."""
    stop = Event()
    with ThreadPoolExecutor(max_workers=processors()) as pool:
        runs = [pool.submit(transport, deck, each, stop) for each in resolutions]
        try:
            return [Answer(deck, run.result()) for run in runs]
        except BaseException:  # an error of one, or an interrupt: the others end soon
            stop.set()
            raise


def processors() -> int:
    """How many processors this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1


def coarser(deck: GalaxyDeck) -> Iterator[tuple[Resolution, float]]:
    """Other grids, and the part of the change to them that is an error of the deck's grid.

    With an error h^p a grid of step h/c differs by c^−p − 1 errors; above the first order one
    less is taken for p, as measured rates fall short of it. Half the cells and two orders less in
    space make an error at least four times as large; half the repeats of a march, twice. The grid
    in space is made coarser and that of momenta begun lower in one go.
    """
    order = max(momentum_order(deck) - 1, 1)
    yield Resolution(per_decade=_COARSER), 1 / (_COARSER**-order - 1)
    yield Resolution(coarse=True, below=_BELOW), 1 / 3
    if deck.solver.kind == "split-cn":
        yield Resolution(repeats=0.5), 1.0


def energies(deck: GalaxyDeck) -> Array:
    """Kinetic energies per nucleon of the output, GeV/n, equally spaced in the logarithm."""
    return _spaced(deck.output.T_min, deck.output.T_max, deck.output.per_decade)


def _spaced(first: float, last: float, per_decade: int) -> Array:
    return np.geomspace(first, last, max(2, round(per_decade * np.log10(last / first)) + 1))


def rigidities(deck: GalaxyDeck) -> Array:
    """Rigidities, GV, that all nuclides reach within the energies of the output."""
    ends = np.array([deck.output.T_min, deck.output.T_max])
    all_ends = np.stack([nuclide(name).rigidity(ends) for name in deck.nuclides])
    return _spaced(all_ends[:, 0].max(), all_ends[:, 1].min(), deck.output.per_decade)


def elements(deck: GalaxyDeck) -> dict[str, list[str]]:
    """Element -> its nuclides in the deck, by charge."""
    found: dict[str, list[str]] = {}
    for name in sorted(deck.nuclides, key=lambda n: (nuclide(n).charge, nuclide(n).mass_number)):
        found.setdefault(nuclide(name).element, []).append(name)
    return found


def _by_rigidity(flux: Flux, names: Sequence[str], rigidity: Array) -> Array:
    """Φ_R = Φ_T dT/dR = Φ_T β Z/A, summed over nuclides at the same rigidity."""
    total = np.zeros_like(rigidity)
    for name in names:
        nucleus = nuclide(name.partition("->")[2] or name)
        slope = nucleus.beta(rigidity) * nucleus.charge / nucleus.mass_number
        total += slope * flux(name, nucleus.kinetic_energy(rigidity))
    return total


def _elements(deck: GalaxyDeck, answer: Answer) -> Variables:
    rows, rigidity = elements(deck).values(), rigidities(deck)
    lis = np.stack([_by_rigidity(answer.interstellar, row, rigidity) for row in rows])
    toa = np.stack([_by_rigidity(answer.at_earth, row, rigidity) for row in rows])
    dims, of = ("element", "rigidity"), "flux of each element"
    return {
        "element_flux_lis": (dims, lis, _label(_PER_RIGIDITY, f"interstellar {of} at the Sun")),
        "element_flux_toa": (
            dims,
            toa,
            _label(_PER_RIGIDITY, f"{of} at the top of the atmosphere"),
        ),
    }


def _ratios(deck: GalaxyDeck, answer: Answer, energy: Array) -> Variables:
    """Ratios of elements ("B/C") or isotopes ("10Be/9Be")."""
    pairs = [deck.parts(ratio) for ratio in deck.output.ratios]
    if not pairs:
        return {}

    def by_energy(flux: Flux) -> Array:
        sums = [[sum(flux(n, energy) for n in part) for part in pair] for pair in pairs]
        return np.stack([top / bottom for top, bottom in sums])

    rigidity = rigidities(deck)
    sums = [[_by_rigidity(answer.at_earth, part, rigidity) for part in pair] for pair in pairs]
    where = "at the top of the atmosphere, at equal"
    one, other = ("ratio_name", "kinetic_energy"), ("ratio_name", "rigidity")
    lis, toa = by_energy(answer.interstellar), by_energy(answer.at_earth)
    return {
        "ratio_lis": (one, lis, _label("1", "interstellar ratio at equal energy per nucleon")),
        "ratio_toa": (one, toa, _label("1", f"ratio {where} energy per nucleon")),
        "ratio_rigidity": (
            other,
            np.stack([top / bottom for top, bottom in sums]),
            _label("1", f"ratio {where} rigidity"),
        ),
    }


def _maps(deck: GalaxyDeck, answer: Answer, energy: Array) -> Variables:
    r, z = map_axes(deck)
    weights = np.stack([answer.run.space.grid.at((a, b)) for a in r for b in z])
    density = np.stack(
        [
            (answer.density(name, energy) @ weights.T).reshape(len(energy), len(r), len(z))
            for name in deck.nuclides
        ]
    )
    text = "number density per kinetic energy per nucleon"
    return {
        "density": (
            (*_ONE, "r", "z"),
            density,
            _label("cm-3 (GeV/n)-1", text) | {"r_sun": deck.geometry.r_sun},
        )
    }


def map_axes(deck: GalaxyDeck) -> tuple[Array, Array]:
    """r and z of the maps, kpc."""
    size, output = deck.geometry, deck.output
    assert isinstance(size, Cylinder)  # the deck refuses maps elsewhere
    return np.linspace(0, size.r_h, output.map_r), np.linspace(0, size.z_h, output.map_z)


def _coordinates(deck: GalaxyDeck, energy: Array, channels: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "nuclide": ("nuclide", list(deck.nuclides), _label("1", "nuclide")),
        "kinetic_energy": (
            "kinetic_energy",
            energy,
            _label("GeV/n", "kinetic energy per nucleon"),
        ),
        "element": ("element", list(elements(deck)), _label("1", "element")),
        "rigidity": ("rigidity", rigidities(deck), _label("GV", "rigidity")),
    }
    if deck.output.ratios:
        found["ratio_name"] = ("ratio_name", list(deck.output.ratios), _label("1", "ratio"))
    if channels:
        found["channel"] = ("channel", channels, _label("1", "parent->child"))
    if deck.output.maps:
        r, z = map_axes(deck)
        found["r"] = ("r", r, _label("kpc", "distance from the axis of the Galaxy"))
        found["z"] = ("z", z, _label("kpc", "height above the mid-plane"))
    return found


def _channels(answer: Answer, spectra: dict[str, Spectrum], energy: Array) -> Variables:
    """Parts of the fluxes of a few nuclides by what they come from."""
    rigidity, modulation = rigidities(answer.deck), answer.deck.modulation
    lis = np.stack([answer.norm * s.flux(energy) for s in spectra.values()])

    def at_earth(name: str, kinetic: Array) -> Array:
        one = spectra[name]
        return modulation.modulated(lambda t: answer.norm * one.flux(t), kinetic, one.nucleus)

    toa = np.stack([_by_rigidity(at_earth, [name], rigidity) for name in spectra])
    error = np.array([channel_error(name) for name in spectra])
    part = "part of the flux of one nuclide from one parent"
    return {
        "channel_flux_lis": (("channel", "kinetic_energy"), lis, _label(_PER_ENERGY, part)),
        "channel_flux_toa": (
            ("channel", "rigidity"),
            toa,
            _label(_PER_RIGIDITY, f"{part}, at the top of the atmosphere"),
        ),
        "channel_error": (
            ("channel",),
            error,
            _label("1", "relative error of the cross section"),
        ),
    }


def _accuracy(answer: Answer) -> Variables:
    """How well each nuclide's equations are solved."""
    run = answer.run
    # in the order of the deck
    ones = {one.nucleus.name: one for one in run.nuclides}
    rows = [ones[name] for name in answer.deck.nuclides]
    dims = ("nuclide",)
    return {
        "residual": (
            dims,
            np.array([row.residual for row in rows]),
            _label("1", "residual of the linear system, relative to the sources"),
        ),
        "particle_balance": (
            dims,
            np.array([row.imbalance() for row in rows]),
            _label("1", "|sources − escape − losses|, relative to the sources"),
        ),
        "iterations": (
            dims,
            np.array([float(row.iterations) for row in rows]),
            _label("1", "iterations, or steps in time"),
        ),
        "negative_values": (
            dims,
            np.array([float(np.sum(row.values < 0)) for row in rows]),
            _label("1", "places and momenta at which the density is negative"),
        ),
    }


def _figures(answer: Answer, variables: Variables) -> dict[str, Any]:
    return {
        "unknowns": answer.run.unknowns,
        **{name: float(np.max(variables[name][1])) for name in ("residual", "particle_balance")},
    }


def _label(units: str, long_name: str) -> dict[str, str]:
    return {"units": units, "long_name": long_name}


def headline(dataset: xr.Dataset) -> list[tuple[str, str]]:
    """Fluxes of each nuclide at 1, 10 and 1000 GeV/n, ratios at 10 GeV/n, χ², what is negative."""
    rows = []
    energy = dataset.kinetic_energy.values
    shown = [t for t in (1.0, 10.0, 1e3) if energy[0] <= t <= energy[-1]] or [
        energy[len(energy) // 2]
    ]
    for name in dataset.nuclide.values:
        flux = dataset.flux_lis.sel(nuclide=name).values
        logs = np.interp(np.log(shown), np.log(energy), np.log(np.maximum(flux, 1e-300)))
        text = ", ".join(f"{x:.4g} at {t:g}" for x, t in zip(np.exp(logs), shown, strict=True))
        rows.append((f"{name}: Φ (interstellar)", f"{text} GeV/n"))
    for name in dataset.ratio_name.values if "ratio_name" in dataset.dims else ():
        ratio = dataset.ratio_toa.sel(ratio_name=name).sel(kinetic_energy=10.0, method="nearest")
        rows.append((f"{name}", f"{float(ratio):.4g} at {float(ratio.kinetic_energy):.3g} GeV/n"))
    rows += galaxy_compare.headline(dataset)
    rows.append(
        (
            "residual, balance",
            f"{dataset.attrs['residual']:.0e}, {dataset.attrs['particle_balance']:.0e}",
        )
    )
    negative = dataset.negative_values.values
    if negative.any():
        some = ", ".join(
            f"{name} {int(count)}"
            for name, count in zip(dataset.nuclide.values, negative, strict=True)
            if count
        )
        rows.append(("negative densities", f"{some} of {dataset.attrs['unknowns']}"))
    return rows
