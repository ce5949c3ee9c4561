"""The figure of a burst: spectra of the local sources beside all that is measured, and dipoles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

from crtransport.measurements.anisotropy import Anisotropy
from crtransport.measurements.table import Measurement, Spectrum, per_nucleon
from crtransport.nuclides import nuclide
from crtransport.plots.galaxy_dipole import draw_measured, draw_phase
from crtransport.plots.style import (
    COLOURS,
    GREY,
    MARKERS,
    bars,
    line,
    new_figure,
    panel_label,
    reference,
    style,
)

if TYPE_CHECKING:
    import xarray as xr

_INDEX = 2.7
_PANELS = 2  # elements beside each other
_DECADES = 2.5  # below the peak of the sum


def draw(dataset: xr.Dataset, points: Sequence[Measurement | Anisotropy]) -> dict[str, Figure]:
    """Flux × T^2.7 and dipole against kinetic energy per nucleon, two elements a figure.

    Parameters
    ----------
    dataset : xarray.Dataset
        Of `crtransport.problems.burst.solve`.
    points : sequence of Measurement or Anisotropy
        Measured fluxes and dipoles; those of elements that are not in the dataset are not drawn.

    Returns
    -------
    dict
        Figures by name; the first one's is "".
    """
    measured = [per_nucleon(table) for table in points if isinstance(table, Measurement)]
    dipoles = [table for table in points if isinstance(table, Anisotropy)]
    species = [str(name) for name in dataset.species.values]
    figures = {}
    for start in range(0, len(species), _PANELS):
        some = species[start : start + _PANELS]
        with style():
            figures["_".join(some) if start else ""] = _figure(dataset, some, measured, dipoles)
    return figures


def _figure(
    dataset: xr.Dataset, species: list[str], measured: list[Spectrum], dipoles: list[Anisotropy]
) -> Figure:
    several = dataset.sizes["source"] > 1
    phase = several or bool(dipoles)
    ratios = [3, 1.2, 1] if phase else [3, 1.2]
    figure = new_figure(len(species), height=5.0 if phase else 4.2)
    axes = figure.subplots(
        len(ratios), len(species), squeeze=False, sharex="col", sharey="row", height_ratios=ratios
    )
    symbols = {s.label: i for i, s in enumerate(_unique(measured, species))}
    handles: dict[str, Any] = {}
    for column, name in zip(axes.T, species, strict=True):
        here = dataset.sel(species=name)
        handles |= _draw_flux(column[0], here, several)
        for spectrum in measured:
            if spectrum.element == name:
                handles |= _draw_points(column[0], spectrum, symbols[spectrum.label])
        panel_label(column[0], name)
        _draw_dipole(column[1], here, several)
        if phase:
            draw_phase(column[2], here.kinetic_energy.values, here.dipole_phase.values)
            nucleons = nuclide(name).mass_number
            handles |= draw_measured(column[1], column[2], dipoles, nucleons)
        column[-1].set_xlabel("kinetic energy $T$ [GeV/n]")
    _scale(axes, dataset.sel(species=species), measured)
    what = "local sources alone, without the Galactic background"
    if "flux_quantile" in dataset:
        what = "random sources, one Galaxy of many"
    _legend(figure, handles, f"lines: {what}", bool(symbols))
    return figure


def _unique(measured: list[Spectrum], species: list[str]) -> list[Spectrum]:
    return list({s.label: s for s in measured if s.element in species}.values())


def _draw_flux(axes: Axes, here: xr.Dataset, several: bool) -> dict[str, Any]:
    energy = here.kinetic_energy.values
    handles = {}
    if several:
        for i, name in enumerate(here.source.values):
            flux = here.flux.sel(source=name).values
            handles[str(name)] = axes.plot(energy, energy**_INDEX * flux, **line(i), zorder=3)[0]
    if "uniform_medium_ratio" in here:
        look: Any = {"color": GREY, "linestyle": (0, (1, 1.5)), "linewidth": 1.2}
        handles["uniform medium, Eq. 4"] = axes.plot(
            energy, energy**_INDEX * _uniform(here), **look
        )[0]
    name = "sum of the sources" if several else str(here.source.values[0])
    total = energy**_INDEX * here.flux_total.values
    handles[name] = axes.plot(energy, total, "k-", linewidth=1.6, zorder=4)[0]
    if "flux_quantile" in here:
        handles |= _draw_bands(axes, energy, energy**_INDEX * here.flux_quantile.values)
    return handles


def _uniform(here: xr.Dataset) -> Any:
    """What the sources would give in a uniform medium."""
    ratio = here.uniform_medium_ratio
    return (here.flux / ratio.where(ratio > 0)).sum("source").values


def _draw_bands(axes: Axes, energy: Any, quantiles: Any) -> dict[str, Any]:
    """Median and bands of one and two standard deviations of the realisations."""
    handles: dict[str, Any] = {}
    for name, low, shade in (("95 % of realisations", 0, 0.12), ("68 %", 1, 0.22)):
        between = quantiles[low], quantiles[-1 - low]
        look: Any = {"color": COLOURS[5], "alpha": shade, "linewidth": 0}
        handles[name] = axes.fill_between(energy, *between, zorder=1, **look)
    median = axes.plot(energy, quantiles[2], color=COLOURS[5], linewidth=1.2, zorder=3)[0]
    return handles | {"median": median}


def _draw_points(axes: Axes, spectrum: Spectrum, i: int) -> dict[str, Any]:
    scale = spectrum.kinetic_energy**_INDEX
    y, errors = scale * spectrum.flux, (scale * spectrum.error_lo, scale * spectrum.error_hi)
    if spectrum.curve:
        return reference(axes, spectrum.label, spectrum.kinetic_energy, y, errors)
    drawn = axes.errorbar(
        spectrum.kinetic_energy,
        y,
        **bars(y, errors, spectrum.measured),
        color=GREY,
        marker=MARKERS[i % len(MARKERS)],
        markerfacecolor="white" if i % 2 else GREY,
        linestyle="none",
        elinewidth=0.7,
        zorder=2,
    )
    return {spectrum.label: drawn}


def _draw_dipole(axes: Axes, here: xr.Dataset, several: bool) -> None:
    energy = here.kinetic_energy.values
    if several:
        for i, name in enumerate(here.source.values):
            one = here.dipole_by_source.sel(source=name)
            axes.plot(energy, one.where(one > 0), **line(i), linewidth=0.9)
        axes.plot(energy, here.dipole, "k-", linewidth=1.6)
        if "dipole_quantile" in here:
            _draw_bands(axes, energy, here.dipole_quantile.values)
        return
    axes.plot(energy, here.dipole, "k-", linewidth=1.6)
    if np.ptp(here.dipole_b.values) > 0.5:  # its direction changes with energy
        return
    at = here.isel(kinetic_energy=0)
    ra, dec = float(at.dipole_phase), float(at.dipole_declination)
    panel_label(axes, f"excess from RA {ra:.1f}°, Dec {dec:+.1f}°")


def _scale(axes: Any, here: xr.Dataset, measured: list[Spectrum]) -> None:
    """Logarithmic axes over what matters; a flux too small for a float leaves its axis linear."""
    energy = here.kinetic_energy.values
    for panel in axes.flat:
        panel.set_xscale("log")
        panel.set_xlim(energy[0], energy[-1])
    axes[0, 0].set_ylabel(r"$T^{2.7}\,\Phi$ [(GeV/n)$^{1.7}$ m$^{-2}$ s$^{-1}$ sr$^{-1}$]")
    axes[1, 0].set_ylabel("dipole")
    peak = float(np.max(energy**_INDEX * here.flux_total.values))
    if peak > 0:
        tops = [peak]
        if "uniform_medium_ratio" in here:  # drawn too
            tops.append(float(np.max(energy**_INDEX * _uniform(here))))
        for s in measured:
            inside = (s.kinetic_energy >= energy[0]) & (s.kinetic_energy <= energy[-1])
            if s.element in here.species.values and inside.any():
                tops.append(float(np.max((s.kinetic_energy**_INDEX * s.flux)[inside])))
        axes[0, 0].set_yscale("log")
        axes[0, 0].set_ylim(peak * 10**-_DECADES, 3 * max(tops))
    dipoles = np.concatenate([here.dipole.values.ravel(), here.dipole_by_source.values.ravel()])
    seen = dipoles[dipoles > 0]
    if seen.size:
        axes[1, 0].set_yscale("log")
        # whole decades, so that a constant dipole still has an axis
        axes[1, 0].set_ylim(10 ** np.floor(np.log10(seen.min()) - 0.1), _decade_above(seen.max()))
        axes[1, 0].yaxis.set_major_locator(LogLocator(numticks=4))
        axes[1, 0].yaxis.set_minor_formatter(NullFormatter())
    if len(axes) > 2:
        axes[2, 0].set_ylabel("RA [deg]")
        axes[2, 0].set_ylim(0, 360)
        axes[2, 0].set_yticks([0, 90, 180, 270, 360])


def _decade_above(value: float) -> float:
    return float(10 ** np.ceil(np.log10(value) + 0.1))


def _legend(figure: Figure, handles: dict[str, Any], title: str, has_points: bool) -> None:
    wide = figure.get_figwidth() > 5
    title += ("; " if wide else "\n") + "grey: all cosmic rays" if has_points else ""
    columns = 2 if max(map(len, handles)) > 13 else 3
    figure.legend(
        handles.values(),
        handles.keys(),
        loc="outside upper center",
        ncols=min(len(handles), 2 * columns if wide else columns),
        title=title,
        title_fontsize=7,
    )
