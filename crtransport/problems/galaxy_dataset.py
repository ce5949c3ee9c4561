"""The dataset of a galaxy run: variables, units, coordinates."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from crtransport.deck.galaxy import GalaxyDeck
from crtransport.physics.gas import PHASES
from crtransport.physics.geometry import Cylinder
from crtransport.problems import galaxy_dipole
from crtransport.problems.directions import directions
from crtransport.problems.galaxy_answer import (
    Answer,
    Flux,
    by_rigidity,
    elements,
    energies,
    rigidities,
)
from crtransport.problems.galaxy_channels import channel_error
from crtransport.problems.galaxy_estimate import Estimate
from crtransport.problems.galaxy_flux import Spectrum
from crtransport.problems.galaxy_grammage import RIGIDITIES, gas_columns, grammages
from crtransport.problems.galaxy_local import class_flux, local, local_flux, species
from crtransport.problems.galaxy_sign import negative_densities
from crtransport.problems.galaxy_transport import kept_nucleons

Array = NDArray[np.float64]
Variables = dict[str, tuple[tuple[str, ...], Array, dict[str, Any]]]

_PER_ENERGY = "m-2 s-1 sr-1 (GeV/n)-1"
_PER_RIGIDITY = "m-2 s-1 sr-1 GV-1"
_ONE = ("nuclide", "kinetic_energy")


def dataset(estimate: Estimate, channels: dict[str, Spectrum]) -> xr.Dataset:
    """The variables of the galaxy model.

    Parameters
    ----------
    estimate : Estimate
        Interstellar fluxes and their numerical errors.
    channels : mapping
        Parts of fluxes by what they come from.
    """
    answer, lis, error = estimate.answer, estimate.flux, estimate.error
    deck, energy = answer.deck, energies(answer.deck)
    toa = np.stack([answer.at_earth(name, energy) for name in deck.nuclides])
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
        **_gas(answer),
    }
    if channels:
        variables |= _channels(answer, channels, energy)
    if deck.output.maps:
        variables |= _maps(deck, answer, energy)
    if deck.local_source:
        variables |= _local(answer, energy) | _dipoles(estimate, energy)
    return xr.Dataset(
        variables,
        coords=_coordinates(deck, energy, list(channels)),
        attrs=_figures(answer, variables)
        | {
            # numpy's maximum keeps what is no number
            "error_estimate": float(np.maximum(estimate.largest, _local_error(variables))),
            "error_tolerance": deck.solver.rtol,
        },
    )


def _elements(deck: GalaxyDeck, answer: Answer) -> Variables:
    rows, rigidity = elements(deck).values(), rigidities(deck)
    lis = np.stack([by_rigidity(answer.interstellar, row, rigidity) for row in rows])
    toa = np.stack([by_rigidity(answer.at_earth, row, rigidity) for row in rows])
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
        zero = np.zeros_like(energy)
        sums = [[sum((flux(n, energy) for n in part), zero) for part in pair] for pair in pairs]
        return np.stack([_over(top, bottom) for top, bottom in sums])

    rigidity = rigidities(deck)
    sums = [[by_rigidity(answer.at_earth, part, rigidity) for part in pair] for pair in pairs]
    where = "at the top of the atmosphere, at equal"
    one, other = ("ratio_name", "kinetic_energy"), ("ratio_name", "rigidity")
    lis, toa = by_energy(answer.interstellar), by_energy(answer.at_earth)
    return {
        "ratio_lis": (one, lis, _label("1", "interstellar ratio at equal energy per nucleon")),
        "ratio_toa": (one, toa, _label("1", f"ratio {where} energy per nucleon")),
        "ratio_rigidity": (
            other,
            np.stack([_over(top, bottom) for top, bottom in sums]),
            _label("1", f"ratio {where} rigidity"),
        ),
    }


def _gas(answer: Answer) -> Variables:
    columns = gas_columns(answer.deck)
    crossed = grammages(answer.deck, answer.run.space)
    label = _label("g cm-2", "gas that protons have crossed between their sources and the Sun")
    found: Variables = {"grammage": (("grammage_rigidity",), crossed, label)}
    if columns is not None:
        label = _label("mg cm-2", "gas at the Sun within the halo, both sides, with helium")
        found["gas_column"] = (("gas_phase",), columns, label)
    return found


def _over(top: Array, bottom: Array) -> Array:
    """A ratio; NaN where there is nothing below the line."""
    return np.divide(top, bottom, out=np.full_like(bottom, np.nan), where=bottom != 0)


def _channels(answer: Answer, spectra: dict[str, Spectrum], energy: Array) -> Variables:
    """Parts of the fluxes of a few nuclides by what they come from."""
    rigidity, modulation = rigidities(answer.deck), answer.deck.modulation
    lis = np.stack([answer.norm * s.flux(energy) for s in spectra.values()])

    def at_earth(name: str, kinetic: Array) -> Array:
        one = spectra[name]
        return modulation.modulated(lambda t: answer.norm * one.flux(t), kinetic, one.nucleus)

    toa = np.stack([by_rigidity(at_earth, [name], rigidity) for name in spectra])
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


def _local(answer: Answer, energy: Array) -> Variables:
    """Local sources, classes of sources, and the sum of all, at the top of the atmosphere."""
    deck, rigidity, names = answer.deck, rigidities(answer.deck), species(answer.deck)
    of = elements(deck)
    each = range(len(deck.local_source))
    classes = [class_flux(deck, answer, source.name) for source in deck.source]

    def background(element: str, t: Array) -> Array:
        return np.asarray(sum(answer.at_earth(name, t) for name in of[element]))

    arriving = np.array([[local(deck, i, name, energy) for name in names] for i in each])
    alone, errors = arriving[:, :, 0], arriving[:, :, 1]
    emitted = np.stack([[flux(name, energy) for name in names] for flux in classes])
    total = np.stack([background(name, energy) for name in names])
    rows = []
    for name in names:
        whole = by_rigidity(answer.at_earth, of[name], rigidity)
        rows.append(whole + sum(by_rigidity(local_flux(deck, i), [name], rigidity) for i in each))
    where, one = "at the top of the atmosphere", ("species", "kinetic_energy")
    return {
        "flux_local": (("source", *one), alone, _label(_PER_ENERGY, f"local source {where}")),
        "flux_local_rel_error": (
            ("source", *one),
            errors,
            _label("1", "relative numerical error estimate of flux_local"),
        ),
        "flux_class": (
            ("class", *one),
            emitted,
            _label(_PER_ENERGY, f"what one class of sources emits, {where}"),
        ),
        "flux_sum": (
            one,
            total + alone.sum(axis=0),
            _label(_PER_ENERGY, f"background and local sources {where}"),
        ),
        "element_flux_sum": (
            ("species", "rigidity"),
            np.stack(rows),
            _label(_PER_RIGIDITY, f"background and local sources {where}"),
        ),
    }


def _local_error(variables: Variables) -> float:
    """The largest error of the local sources together, relative to all that arrives."""
    if "flux_local" not in variables:
        return 0.0
    alone, errors, whole = (
        variables[name][1] for name in ("flux_local", "flux_local_rel_error", "flux_sum")
    )
    off = np.sum(alone * errors, axis=0)
    return float(np.max(np.divide(off, whole, out=np.zeros_like(off), where=whole != 0)))


def _dipoles(estimate: Estimate, energy: Array) -> Variables:
    """Anisotropy in interstellar space: of the background, of each local source, of all.

    Each is weighted by its flux in the sum, so that what has none adds nothing; alone it has no
    dipole then, and the background has none either where its error leaves open whether it is there.
    """
    answer, of = estimate.answer, elements(estimate.answer.deck)
    off = np.abs(estimate.flux) * estimate.error
    vectors, alone, each = [], [], []
    for name in species(answer.deck):
        flux, stream = galaxy_dipole.background(answer, name, energy)
        fluxes, dipoles = galaxy_dipole.local(answer.deck, name, energy)
        whole = flux + fluxes.sum(axis=0)
        total = stream + np.einsum("se,sek->ek", fluxes, dipoles)
        vectors.append(_over(total, np.broadcast_to(whole[:, None], total.shape)))
        rows = [answer.deck.nuclides.index(nuclide) for nuclide in of[name]]
        known = flux > off[rows].sum(axis=0)
        dipole = _over(stream, np.where(known, flux, 0.0)[:, None] * np.ones(3))
        # after the ratio: the square of a small flux is 0
        alone.append(np.linalg.norm(dipole, axis=-1))
        each.append(np.linalg.norm(dipoles, axis=-1))
    one = ("species", "kinetic_energy")
    why = "dipole of the background alone; none where its flux is 0 or not resolved"
    return {
        **directions(np.stack(vectors), "background and local sources, in interstellar space"),
        "dipole_background": (one, np.stack(alone), _label("1", why)),
        "dipole_by_source": (
            ("source", *one),
            np.stack(each, axis=1),
            _label("1", "dipole of each local source alone"),
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
    found["grammage_rigidity"] = (
        "grammage_rigidity",
        np.array(RIGIDITIES),
        _label("GV", "rigidity of protons"),
    )
    if deck.geometry.kind != "leaky-box":
        found["gas_phase"] = ("gas_phase", list(PHASES), _label("1", "phase of hydrogen"))
    if deck.output.ratios:
        found["ratio_name"] = ("ratio_name", list(deck.output.ratios), _label("1", "ratio"))
    if channels:
        found["channel"] = ("channel", channels, _label("1", "parent->child"))
    if deck.local_source:
        names = [source.name for source in deck.local_source]
        found["source"] = ("source", names, _label("1", "local source"))
        found["class"] = ("class", [s.name for s in deck.source], _label("1", "class of sources"))
        found["species"] = ("species", species(deck), _label("1", "element"))
    if deck.output.maps:
        r, z = map_axes(deck)
        found["r"] = ("r", r, _label("kpc", "distance from the axis of the Galaxy"))
        found["z"] = ("z", z, _label("kpc", "height above the mid-plane"))
    return found


def _accuracy(answer: Answer) -> Variables:
    """How well each nuclide's equations are solved."""
    run = answer.run
    # in the order of the deck
    ones = {one.nucleus.name: one for one in run.nuclides}
    rows = [ones[name] for name in answer.deck.nuclides]
    dims = ("nuclide",)
    negative = [negative_densities(run, row) for row in rows]
    where = {n: x.where for n, x in zip(answer.deck.nuclides, negative, strict=True) if x.number}
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
            np.array([float(x.number) for x in negative]),
            _label("1", "places and momenta at which the density is negative")
            | {"of": negative[0].of},
        ),
        "negative_share": (
            dims,
            np.array([x.share for x in negative]),
            _label("1", "largest negative density over the largest one at its momentum")
            | {f"where_{name}": text for name, text in where.items()},
        ),
    }


def _figures(answer: Answer, variables: Variables) -> dict[str, Any]:
    kept = kept_nucleons(answer.run)
    return {
        **({} if kept is None else {"kept_nucleons": kept}),
        "drawn_elements": ",".join(answer.deck.output.elements or elements(answer.deck)),
        "unknowns": answer.run.unknowns,
        **{name: float(np.max(variables[name][1])) for name in ("residual", "particle_balance")},
    }


def _label(units: str, long_name: str) -> dict[str, str]:
    return {"units": units, "long_name": long_name}
