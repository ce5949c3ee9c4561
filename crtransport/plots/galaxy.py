"""Figures of the galaxy: spectra at the Sun beside what is measured, ratios, and maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from crtransport.measurements.anisotropy import Anisotropy
from crtransport.measurements.table import Measurement, Spectrum, per_nucleon
from crtransport.plots.galaxy_dipole import dipoles
from crtransport.plots.galaxy_maps import maps
from crtransport.plots.galaxy_panels import (
    ENERGY,
    LIS,
    LOOK,
    PANELS,
    TOA,
    draw_closed_form,
    draw_over,
    draw_points,
    is_compared,
    legend,
    log_axis,
    looks,
    one_or_pair,
    pages,
    pretty,
    shape,
    tell_error,
)
from crtransport.plots.galaxy_ratios import ratios
from crtransport.plots.galaxy_sensitivity import sensitivities
from crtransport.plots.spectra import grid_of_pairs
from crtransport.plots.style import line, new_figure, panel_label, reference, style

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Fluxes = list[tuple[Measurement, Spectrum]]

_INDEX = 2.7
_MAPS = 3  # nuclides of one figure
_DIPOLES = 2  # elements of one figure
_IN_A_ROW = 4  # isotopes in a legend
_FLUX = "$T^{2.7}\\,\\Phi$ [(GeV/n)$^{1.7}$ m$^{-2}$ s$^{-1}$ sr$^{-1}$]"


def draw(dataset: xr.Dataset, points: Sequence[Measurement | Anisotropy]) -> dict[str, Figure]:
    """Spectra of the elements with what is measured over them; ratios, dipoles, maps if any.

    Parameters
    ----------
    dataset : xarray.Dataset
        Of `crtransport.problems.galaxy.solve`.
    points : sequence of Measurement or Anisotropy
        Measured fluxes, ratios and dipoles; those of what is not in the dataset are not drawn.

    Returns
    -------
    dict
        Figures by name: "", "ratios", "dipole", "sensitivity", "maps"; what has no room in them
        follows in further ones.
    """
    tables = [table for table in points if isinstance(table, Measurement)]
    fluxes = [(table, per_nucleon(table)) for table in tables if table.is_flux]
    others = [table for table in tables if not table.is_flux]
    isotopes = _isotopes(dataset)
    figures: dict[str, Figure] = {}
    with style():
        for some in pages(isotopes, PANELS):
            here = {element: isotopes[element] for element in some}
            figures["_".join(some) if figures else ""] = _spectra(dataset, here, fluxes)
        if "ratio_name" in dataset.dims:
            figures |= ratios(dataset, others)
        if "dipole" in dataset:
            measured = [p for p in points if isinstance(p, Anisotropy)]
            for i, pair in enumerate(pages(map(str, dataset.species.values), _DIPOLES)):
                name = "_".join(("dipole", *pair)) if i else "dipole"
                figures[name] = dipoles(dataset.sel(species=pair), measured)
        if "sensitivity" in dataset:
            figures["sensitivity"] = sensitivities(dataset.sensitivity)
        if "density" in dataset:
            r_sun = float(dataset.density.attrs["r_sun"])
            for i, some in enumerate(pages(map(str, dataset.nuclide.values), _MAPS)):
                name = "_".join(("maps", *some)) if i else "maps"
                figures[name] = maps(dataset.density, {n: pretty(n) for n in some}, r_sun)
    return figures


def _isotopes(dataset: xr.Dataset) -> dict[str, list[str]]:
    """Element -> its nuclides in the dataset, of the elements to draw."""
    found: dict[str, list[str]] = {}
    for name in dataset.nuclide.values:
        found.setdefault(str(name).rstrip("0123456789"), []).append(str(name))
    drawn = dataset.attrs.get("drawn_elements", "")
    return {name: found[name] for name in drawn.split(",")} if drawn else found


def _spectra(dataset: xr.Dataset, isotopes: dict[str, list[str]], measured: Fluxes) -> Figure:
    """A panel for each element, what is measured over the model beneath."""
    rows, columns = shape(len(isotopes))
    figure = new_figure(min(columns, 2), 0.6 + (3.2 if rows == 1 else 2.6 * rows))
    grid = grid_of_pairs(figure, [1.0] * rows, columns)
    shown = [(t, s) for t, s in measured if s.element in isotopes]
    marks = looks((s.label, s.interstellar) for _, s in shown if not s.curve)
    handles: dict[str, Any] = {}
    lines: dict[str, Any] = {}
    for i, (element, nuclides) in enumerate(isotopes.items()):
        here = [(t, s) for t, s in shown if s.element == element]
        compared = [(t, s) for t, s in here if not s.curve and is_compared(dataset, t)]
        above, below = one_or_pair(figure, grid, divmod(i, columns), bool(compared))
        for _, s in here:
            handles |= _draw_measured(above, s, marks)
        some = [s for _, s in here]
        if "species" in dataset.dims and element in dataset.species:
            lines |= _draw_sum(above, dataset.sel(species=element), some)
        else:
            lines |= _draw_element(above, dataset.sel(nuclide=nuclides), some)
        panel_label(above, element)
        if below is not None:
            draw_over(below, dataset, [(t, s.kinetic_energy, marks[s.label]) for t, s in compared])
        lowest = above if below is None else below
        lowest.set_xlabel(ENERGY if i + columns >= len(isotopes) else "")
        if i % columns == 0:
            above.set_ylabel(_FLUX if rows == 1 else _FLUX.replace(" [", "\n[", 1))
        elif below is not None:
            below.set_ylabel("")
    tell_error(figure, dataset)
    legend(figure, lines | handles)
    return figure


def _draw_measured(axes: Axes, s: Spectrum, marks: dict[str, dict[str, Any]]) -> dict[str, Any]:
    scale = s.kinetic_energy**_INDEX
    points = s.kinetic_energy, scale * s.flux, (scale * s.error_lo, scale * s.error_hi)
    if s.curve:
        return reference(axes, s.label, *points)
    return {s.label: draw_points(axes, *points, s.measured, marks[s.label])}


def _draw_sum(axes: Axes, here: xr.Dataset, measured: list[Spectrum]) -> dict[str, Any]:
    """Classes of sources, local sources, and the sum of all at the top of the atmosphere."""
    energy = here.kinetic_energy.values
    scale = energy**_INDEX
    handles: dict[str, Any] = {}
    for dim, name in (("class", "flux_class"), ("source", "flux_local")):
        for label in map(str, here[dim].values):
            y = scale * here[name].sel({dim: label}).values
            handles[label] = axes.plot(energy, y, **line(len(handles)), linewidth=1.0)[0]
    total = scale * here.flux_sum.values
    handles["sum at the Earth"] = axes.plot(energy, total, **LOOK[TOA])[0]
    log_axis(axes, [total, *(_inside(s, energy) for s in measured)])
    axes.set(xscale="log", xlim=(energy[0], energy[-1]))
    return handles


def _draw_element(axes: Axes, here: xr.Dataset, measured: list[Spectrum]) -> dict[str, Any]:
    """Interstellar and modulated flux of an element; its isotopes where it has several."""
    energy = here.kinetic_energy.values
    scale = energy**_INDEX
    curves = {
        name: scale * here[key].sum("nuclide").values
        for name, key in ((LIS, "flux_lis"), (TOA, "flux_toa"))
    }
    # without modulation they differ by rounding
    if np.allclose(curves[LIS], curves[TOA], rtol=1e-9, atol=0):
        handles = {LIS: axes.plot(energy, curves[LIS], **LOOK[TOA])[0]}
    else:
        handles = {name: axes.plot(energy, y, **LOOK[name])[0] for name, y in curves.items()}
    if here.sizes["nuclide"] > 1:
        for i, name in enumerate(here.nuclide.values):
            flux = scale * here.flux_toa.sel(nuclide=name)
            axes.plot(energy, flux, **line(i), linewidth=0.9, label=pretty(name), zorder=2.5)
    if "flux_closed_form" in here:
        closed = scale * here.flux_closed_form.sum("nuclide").values
        handles |= draw_closed_form(axes, energy, closed)
    axes.set(xscale="log", xlim=(energy[0], energy[-1]))
    inside = [_inside(s, energy) for s in measured]
    beyond = [y.min() for s, y in zip(measured, inside, strict=True) if s.interstellar and y.size]
    # isotopes are named beside the element, above the curves
    rows = -(-here.sizes["nuclide"] // _IN_A_ROW)
    above = 4.0**rows
    log_axis(axes, [*curves.values(), *inside], min(beyond, default=np.inf), above)
    if here.sizes["nuclide"] > 1:
        axes.legend(
            loc="upper right",
            ncols=_IN_A_ROW,
            handlelength=1.6,
            columnspacing=0.8,
            borderaxespad=0.2,
        )
    return handles


def _inside(measured: Spectrum, energy: Array) -> Array:
    """The points within the range of the energies, as they are drawn."""
    t = measured.kinetic_energy
    chosen = (t >= energy[0]) & (t <= energy[-1])
    return np.asarray((t**_INDEX * measured.flux)[chosen])
