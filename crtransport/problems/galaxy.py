"""The galaxy model: a deck in, a dataset out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from crtransport.deck.galaxy import GalaxyDeck
from crtransport.nuclides import nuclide
from crtransport.problems import galaxy_compare
from crtransport.problems.galaxy_answer import Answer, energies
from crtransport.problems.galaxy_channels import channel_spectra
from crtransport.problems.galaxy_dataset import dataset
from crtransport.problems.galaxy_flux import Spectrum
from crtransport.problems.galaxy_sensitivity import sensitivities
from crtransport.problems.galaxy_transport import Resolution, Setting, momentum_order, transport
from crtransport.problems.threads import processors

Array = NDArray[np.float64]
Settings = Mapping[Resolution, Setting]

#: levels per decade of the coarser momentum grid, over those of the deck
_COARSER = 2 / 3
#: functions of a reduced basis, over those of the deck, that are tried
GROWTH = (1.0, 1.5, 2.25)
#: functions of the smaller basis, over those of the deck
_FEWER = 0.75
#: residual of what only tells an error
_ROUGH = 1e-8
#: lowest energy of the grid that tells what the end of the deck's does
_BELOW = 0.3


def solve(deck: GalaxyDeck) -> xr.Dataset:
    """Solve a galaxy deck.

    Returns
    -------
    xarray.Dataset
        The variables of the galaxy model; ``flux_lis_rel_error`` is the numerical error estimate
        of this run: what coarser grids in momentum and in space, and a lower end of the momenta,
        change, each scaled by its order; of a reduced basis also what fewer functions change. Where
        that is above the tolerance, a larger basis is tried.
    """
    for growth in GROWTH:
        answer, lis, error = estimated(deck, growth)
        if deck.solver.kind != "reduced-basis" or np.max(error) <= deck.solver.rtol:
            break
    channels: dict[str, Spectrum] = {}
    with ThreadPoolExecutor(max_workers=processors()) as pool:
        for parts in pool.map(lambda n: channel_spectra(deck, answer.run, n), deck.output.channels):
            channels |= parts
    found = dataset(answer, error, channels, lis)
    if deck.sensitivity is None or not deck.sensitivity.of:
        return found
    return found.assign(sensitivity=sensitivities(deck, deck.sensitivity, growth))


def estimated(
    deck: GalaxyDeck, growth: float, settings: Settings | None = None
) -> tuple[Answer, Array, Array]:
    """The answer on so many more functions, [nuclide, energy] fluxes and their relative errors.

    ``settings``: what was made for the deck at some resolutions, if it was.
    """
    energy, others = energies(deck), list(coarser(deck, growth))
    same = Resolution(functions=growth)
    answer, *changed = solve_all(deck, [same, *(r for r, _ in others)], settings or {})
    lis, *other_lis = (
        np.stack([each.interstellar(name, energy) for name in deck.nuclides])
        for each in (answer, *changed)
    )
    error = np.zeros_like(lis)
    for other, (_, factor) in zip(other_lis, others, strict=True):
        error += factor * np.abs(other / lis - 1)
    return answer, lis, error


def solve_all(
    deck: GalaxyDeck, resolutions: Sequence[Resolution], settings: Settings
) -> list[Answer]:
    """Answers at several resolutions, side by side."""
    stop = Event()
    with ThreadPoolExecutor(max_workers=processors()) as pool:
        runs = [pool.submit(transport, deck, r, stop, settings.get(r)) for r in resolutions]
        try:
            return [Answer(deck, run.result()) for run in runs]
        except BaseException:  # an error of one, or an interrupt: the others end soon
            stop.set()
            raise


def coarser(deck: GalaxyDeck, growth: float = 1.0) -> Iterator[tuple[Resolution, float]]:
    """Other grids, and the part of the change to them that is an error of the deck's grid.

    With an error h^p a grid of step h/c differs by c^−p − 1 errors; above the first order one
    less is taken for p, as measured rates fall short of it. Half the cells and two orders less in
    space make an error at least four times as large; half the repeats of a march, twice. The grid
    in space is made coarser and that of momenta begun lower in one go. ``growth``: of a reduced
    basis, so many more functions.
    """
    order = max(momentum_order(deck) - 1, 1)
    same = Resolution(residual=_ROUGH, functions=growth)
    yield replace(same, per_decade=_COARSER), 1 / (_COARSER**-order - 1)
    yield replace(same, coarse=True, below=_BELOW), 1 / 3
    if deck.solver.kind == "reduced-basis":
        # the error falls faster than this change: what is told is too large
        yield Resolution(functions=_FEWER * growth), 1.0
    if deck.solver.kind == "split-cn":
        yield Resolution(repeats=0.5), 1.0


def _strongest(found: xr.DataArray, name: str) -> tuple[str, str]:
    """What an observable changes with most, at the middle one of the energies."""
    here = found.sel(observable=name).isel(at_energy=found.at_energy.size // 2)
    order = np.argsort(-np.abs(here.values))[:3]
    text = ", ".join(f"{here.parameter.values[i]} {here.values[i]:+.2f}" for i in order)
    return f"{name}: d ln / d ln", f"{text} at {float(here.at_energy):g} GeV/n"


def headline(dataset: xr.Dataset) -> list[tuple[str, str]]:
    """Fluxes of what is drawn at 1, 10 and 1000 GeV/n, ratios at 10 GeV/n, χ², what is negative."""
    rows = []
    energy = dataset.kinetic_energy.values
    shown = [t for t in (1.0, 10.0, 1e3) if energy[0] <= t <= energy[-1]] or [
        energy[len(energy) // 2]
    ]
    drawn = dataset.attrs["drawn_elements"].split(",")
    for name in dataset.nuclide.values:
        if nuclide(str(name)).element not in drawn:
            continue
        flux = dataset.flux_lis.sel(nuclide=name).values
        logs = np.interp(np.log(shown), np.log(energy), np.log(np.maximum(flux, 1e-300)))
        text = ", ".join(f"{x:.4g} at {t:g}" for x, t in zip(np.exp(logs), shown, strict=True))
        rows.append((f"{name}: Φ (interstellar)", f"{text} GeV/n"))
    for name in dataset.ratio_name.values if "ratio_name" in dataset.dims else ():
        ratio = dataset.ratio_toa.sel(ratio_name=name).sel(kinetic_energy=10.0, method="nearest")
        rows.append((f"{name}", f"{float(ratio):.4g} at {float(ratio.kinetic_energy):.3g} GeV/n"))
    rows += galaxy_compare.headline(dataset)
    if "sensitivity" in dataset:
        rows += [_strongest(dataset.sensitivity, str(n)) for n in dataset.observable.values]
    if "norm_factor" in dataset:
        for name, row in zip(dataset["class"].values, dataset.norm_factor.values, strict=True):
            each = zip(dataset.element.values, row, strict=True)
            text = ", ".join(f"{e} ×{a:.4g}" for e, a in each if np.isfinite(a))
            rows.append((f"{name}: fitted", text))
    if dataset.attrs.get("kept_nucleons"):
        text = f"{dataset.attrs['kept_nucleons']:.0%} stay in nuclei of the network"
        rows.append(("nucleons of what collides", text))
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
