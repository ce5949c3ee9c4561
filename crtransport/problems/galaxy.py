"""The galaxy model: a deck in, a dataset out."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from crtransport.deck.galaxy import GalaxyDeck
from crtransport.nuclides import nuclide
from crtransport.problems import galaxy_compare
from crtransport.problems.galaxy_channels import channel_spectra
from crtransport.problems.galaxy_dataset import dataset
from crtransport.problems.galaxy_estimate import largest_part, refined
from crtransport.problems.galaxy_flux import Spectrum
from crtransport.problems.galaxy_sensitivity import sensitivities
from crtransport.problems.galaxy_sign import (
    hidden,
    norm_unresolved,
    not_positive,
    nothing_seen,
    refuse_unsteady,
)
from crtransport.problems.threads import processors

Array = NDArray[np.float64]

_AS_THEY_STAND = (
    "source.abundances are taken as they stand, in cm^-3 Myr^-1 per GV or GeV/n; [normalisation] "
    "scales them to a flux"
)


def solve(deck: GalaxyDeck) -> xr.Dataset:
    """Solve a galaxy deck.

    Returns
    -------
    xarray.Dataset
        The variables of the galaxy model; ``flux_lis_rel_error`` is the numerical error estimate
        of this run (`galaxy_estimate`): what coarser grids in momentum and in space, farther
        ends of the momenta, and of a reduced basis fewer functions change. Where that is above the
        tolerance, what the deck leaves open is made finer.

    Raises
    ------
    ConvergenceError, SingularOperatorError
        If a nuclide has no steady state, or none is found.
    """
    estimate, deck, changes = refined(deck)
    refuse_unsteady(estimate)
    answer = estimate.answer
    channels: dict[str, Spectrum] = {}
    with ThreadPoolExecutor(max_workers=processors()) as pool:
        for parts in pool.map(lambda n: channel_spectra(deck, answer.run, n), deck.output.channels):
            channels |= parts
    found = dataset(estimate, channels)
    told = [norm_unresolved(estimate), not_positive(estimate), nothing_seen(estimate)]
    failures = filter(None, told)
    of_medium = found.attrs["error_estimate"] <= estimate.largest
    found = found.assign_attrs(
        refined=", ".join(changes),
        failures="\n".join(failures),
        hidden=hidden(estimate),
        normalised=int(deck.normalisation is not None),
        error_from=largest_part(estimate) if of_medium else "local sources: flux_local_rel_error",
    )
    if deck.sensitivity is None or not deck.sensitivity.of:
        return found
    return found.assign(sensitivity=sensitivities(deck, deck.sensitivity))


def _strongest(found: xr.DataArray, name: str) -> tuple[str, str]:
    """What an observable changes with most, at the middle one of the energies."""
    here = found.sel(observable=name).isel(at_energy=found.at_energy.size // 2)
    order = np.argsort(-np.abs(here.values))[:3]
    text = ", ".join(f"{here.parameter.values[i]} {here.values[i]:+.2f}" for i in order)
    return f"{name}: d ln / d ln", f"{text} at {float(here.at_energy):g} GeV/n"


def headline(dataset: xr.Dataset) -> list[tuple[str, str]]:
    """Fluxes of what is drawn at 1, 10 and 1000 GeV/n, ratios at 10 GeV/n, χ², what is negative."""
    rows: list[tuple[str, str]] = []
    energy = dataset.kinetic_energy.values
    shown = [t for t in (1.0, 10.0, 1e3) if energy[0] <= t <= energy[-1]] or [
        energy[len(energy) // 2]
    ]
    drawn = dataset.attrs["drawn_elements"].split(",")
    for name in dataset.nuclide.values:
        if nuclide(str(name)).element not in drawn:
            continue
        flux = dataset.flux_lis.sel(nuclide=name).values
        values = zip(_at(shown, energy, flux), shown, strict=True)
        text = ", ".join(f"{x:.4g} at {t:g}" for x, t in values)
        unit = "" if rows else ", in m^-2 s^-1 sr^-1 (GeV/n)^-1"
        rows.append((f"{name}: Φ (interstellar)", f"{text} GeV/n{unit}"))
    for name in dataset.ratio_name.values if "ratio_name" in dataset.dims else ():
        ratio = dataset.ratio_toa.sel(ratio_name=name).sel(kinetic_energy=10.0, method="nearest")
        rows.append((f"{name}", f"{float(ratio):.4g} at {float(ratio.kinetic_energy):.3g} GeV/n"))
    rows += _gas(dataset)
    rows += galaxy_compare.headline(dataset)
    if "sensitivity" in dataset:
        rows += [_strongest(dataset.sensitivity, str(n)) for n in dataset.observable.values]
    if "norm_factor" in dataset:
        for name, row in zip(dataset["class"].values, dataset.norm_factor.values, strict=True):
            each = zip(dataset.element.values, row, strict=True)
            text = ", ".join(f"{e} ×{a:.4g}" for e, a in each if np.isfinite(a))
            rows.append((f"{name}: fitted", text))
    elif not dataset.attrs["normalised"]:
        rows.append(("not normalised", _AS_THEY_STAND))
    if dataset.attrs.get("kept_nucleons"):
        text = f"{dataset.attrs['kept_nucleons']:.0%} stay in nuclei of the network"
        rows.append(("nucleons of what collides", text))
    rows.append(
        (
            "residual, balance",
            f"{dataset.attrs['residual']:.0e}, {dataset.attrs['particle_balance']:.0e}",
        )
    )
    rows += _negative(dataset)
    for text in dataset.attrs.get("hidden", "").splitlines():
        name, _, why = text.partition(": ")
        rows.append((f"{name}: background", why))
    if dataset.attrs.get("refined"):
        rows.append(("for the tolerance", dataset.attrs["refined"]))
    if not dataset.attrs["error_estimate"] <= dataset.attrs["error_tolerance"]:
        rows.append(("largest error", dataset.attrs["error_from"]))
    return rows


def _gas(dataset: xr.Dataset) -> list[tuple[str, str]]:
    """The column of gas at the Sun, and the grammage; nothing where there is no gas."""
    rows = []
    if "gas_column" in dataset and float(dataset.gas_column.sum()) > 0:
        columns = dataset.gas_column
        each = zip(columns.gas_phase.values, columns.values, strict=True)
        parts = ", ".join(f"{name} {x:.3g}" for name, x in each)
        rows.append(("gas at the Sun", f"{float(columns.sum()):.3g} mg/cm2 ({parts})"))
    if np.any(dataset.grammage.values > 0):
        values = zip(dataset.grammage.values, dataset.grammage_rigidity.values, strict=True)
        text = ", ".join(f"{x:.3g} at {R:g}" for x, R in values)
        rows.append(("grammage", f"{text} GV, in g/cm2"))
    return rows


def _at(wanted: list[float], energy: Array, flux: Array) -> list[float]:
    """A flux at energies: powers between those of the output, or lines where it changes sign."""
    x, at, some = np.log(energy), np.log(wanted), flux > 0
    log_flux = np.log(flux, out=np.zeros_like(flux), where=some)
    powers = np.exp(np.interp(at, x, log_flux))
    # between two that are above 0
    within = np.interp(at, x, some.astype(float)) == 1
    return [float(y) for y in np.where(within, powers, np.interp(at, x, flux))]


def _negative(dataset: xr.Dataset) -> list[tuple[str, str]]:
    """Of each nuclide with negative densities how many, how large, and where."""
    count, share = dataset.negative_values, dataset.negative_share
    return [
        (
            f"{name}: negative densities",
            f"{float(count.sel(nuclide=name)):g} of {count.attrs['of']}, at most "
            f"{float(share.sel(nuclide=name)):.1g} of the largest at their energy, at "
            f"{share.attrs[f'where_{name}']}",
        )
        for name in dataset.nuclide.values
        if count.sel(nuclide=name) > 0
    ]
