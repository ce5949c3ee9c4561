"""Figures of the galaxy: spectra at the Sun beside what is measured, ratios, and maps."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import LogLocator, NullFormatter

from crtransport.measurements.table import FLUX_UNITS, Spectrum, Table, per_nucleon
from crtransport.plots.galaxy_maps import maps
from crtransport.plots.style import GREY, MARKERS, line, new_figure, panel_label, style

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_INDEX = 2.7
_PANELS = 9  # of one figure
_MAPS = 3  # nuclides of one figure
_DECADES = 4  # of a spectrum, below its highest point
_ENERGY = "kinetic energy $T$ [GeV/n]"
_RIGIDITY = "rigidity $R$ [GV]"
_FLUX = "$T^{2.7}\\,\\Phi$ [(GeV/n)$^{1.7}$ m$^{-2}$ s$^{-1}$ sr$^{-1}$]"

_LIS, _TOA = "interstellar", "at the Earth"
_LOOK: dict[str, Any] = {
    _LIS: {"color": "k", "linestyle": (0, (5, 2)), "linewidth": 1.0, "zorder": 3},
    _TOA: {"color": "k", "linestyle": "-", "linewidth": 1.5, "zorder": 4},
}


def draw(dataset: xr.Dataset, points: Sequence[Table]) -> dict[str, Figure]:
    """Spectra of the elements with their numerical error; ratios and maps if the dataset has them.

    Parameters
    ----------
    dataset : xarray.Dataset
        Of `crtransport.problems.galaxy.solve`.
    points : sequence of Table
        Measured fluxes and ratios; those of what is not in the dataset are not drawn.

    Returns
    -------
    dict
        Figures by name: "", "ratios", "maps"; what has no room in them follows in further ones.
    """
    fluxes = [per_nucleon(table) for table in points if _is_flux(table)]
    others = [table for table in points if not _is_flux(table)]
    isotopes = _isotopes(dataset)
    figures = {}
    with style():
        for name, some in _pages(isotopes, _PANELS, ""):
            here = {element: isotopes[element] for element in some}
            figures[name] = _spectra(dataset, here, fluxes)
        if "ratio_name" in dataset.dims:
            for name, some in _pages(dataset.ratio_name.values, _PANELS, "ratios"):
                figures[name.replace("/", "-")] = _ratios(dataset, some, others)
        if "density" in dataset:
            r_sun = float(dataset.density.attrs["r_sun"])
            for name, some in _pages(dataset.nuclide.values, _MAPS, "maps"):
                figures[name] = maps(dataset.density, {n: _pretty(n) for n in some}, r_sun)
    return figures


def _pages(names: Iterable[str], size: int, first: str) -> Iterator[tuple[str, list[str]]]:
    """Names by the figure that shows them; the first figure has a name of its own."""
    listed = [str(name) for name in names]
    for start in range(0, len(listed), size):
        some = listed[start : start + size]
        yield ("_".join(filter(None, (first, *some))) if start else first), some


def _is_flux(table: Table) -> bool:
    return FLUX_UNITS.get(table.x_kind) == table.unit


def _isotopes(dataset: xr.Dataset) -> dict[str, list[str]]:
    """Element -> its nuclides in the dataset."""
    found: dict[str, list[str]] = {}
    for name in dataset.nuclide.values:
        found.setdefault(str(name).rstrip("0123456789"), []).append(str(name))
    return found


def _pretty(name: str) -> str:
    """ "B10" and "10Be/9Be" with their mass numbers raised."""
    leading = re.sub(r"([A-Z][a-z]?)(\d+)", r"\2\1", name)
    return re.sub(r"(\d+)", r"$^{\1}$", leading)


def _spectra(
    dataset: xr.Dataset, isotopes: dict[str, list[str]], measured: list[Spectrum]
) -> Figure:
    """A panel for each element, the numerical error of its isotopes beneath."""
    rows, columns = _shape(len(isotopes))
    height = 0.5 + (3.2 if rows == 1 else 2.6 * rows)
    figure = new_figure(min(columns, 2), height)
    grid = figure.subplots(2 * rows, columns, squeeze=False, height_ratios=[2.6, 1] * rows)
    above, below = (grid[start::2].ravel() for start in (0, 1))
    shown = [s for s in measured if s.element in isotopes]
    symbols = _symbols(s.label for s in shown)
    handles: dict[str, Any] = {}
    for i, (element, nuclides) in enumerate(isotopes.items()):
        some = [s for s in shown if s.element == element]
        for s in some:
            scale = s.kinetic_energy**_INDEX
            errors = scale * s.error_lo, scale * s.error_hi
            handles |= _draw_points(
                above[i], s.kinetic_energy, scale * s.flux, errors, symbols, s.label
            )
        handles |= _draw_element(above[i], dataset.sel(nuclide=nuclides), some)
        _draw_error(below[i], dataset, nuclides)
        panel_label(above[i], element)
        above[i].tick_params(labelbottom=False)
        below[i].set_xlabel(_ENERGY if i + columns >= len(isotopes) else "")
        if i % columns == 0:
            above[i].set_ylabel(_FLUX if rows == 1 else _FLUX.replace(" [", "\n[", 1))
            below[i].set_ylabel("rel. error")
    for unused in (*above[len(isotopes) :], *below[len(isotopes) :]):
        unused.remove()
    figure.align_ylabels()
    _name_tolerance(below[0], dataset)
    _legend(figure, handles)
    return figure


def _shape(panels: int) -> tuple[int, int]:
    columns = 2 if panels in (2, 4) else min(panels, 3)
    return -(-panels // columns), columns


def _draw_element(axes: Axes, here: xr.Dataset, measured: list[Spectrum]) -> dict[str, Any]:
    """Interstellar and modulated flux of an element; its isotopes where it has several."""
    energy = here.kinetic_energy.values
    scale = energy**_INDEX
    curves = {
        name: scale * here[key].sum("nuclide").values
        for name, key in ((_LIS, "flux_lis"), (_TOA, "flux_toa"))
    }
    if np.array_equal(curves[_LIS], curves[_TOA]):
        handles = {_LIS: axes.plot(energy, curves[_LIS], **_LOOK[_TOA])[0]}
    else:
        handles = {name: axes.plot(energy, y, **_LOOK[name])[0] for name, y in curves.items()}
    if here.sizes["nuclide"] > 1:
        for i, name in enumerate(here.nuclide.values):
            flux = scale * here.flux_toa.sel(nuclide=name)
            axes.plot(energy, flux, **line(i), linewidth=0.9, label=_pretty(name), zorder=2.5)
        axes.legend(loc="lower right", handlelength=1.8, borderaxespad=0.3)
    axes.set(xscale="log", xlim=(energy[0], energy[-1]))
    inside = [
        (s.kinetic_energy**_INDEX * s.flux)[
            (s.kinetic_energy >= energy[0]) & (s.kinetic_energy <= energy[-1])
        ]
        for s in measured
    ]
    _log_axis(axes, [*curves.values(), *inside], _DECADES)
    return handles


def _log_axis(axes: Axes, values: list[Array], decades: float) -> None:
    """A logarithmic axis over what matters; without a positive value it stays linear."""
    everything = np.concatenate(values)
    seen = everything[everything > 0]
    if seen.size:
        top = seen.max()
        axes.set_yscale("log")
        axes.set_ylim(max(seen.min(), top * 10.0**-decades) / 1.5, 4 * top)


def _draw_error(axes: Axes, dataset: xr.Dataset, nuclides: list[str]) -> None:
    """The error estimate of each isotope, and the tolerance as a dotted line."""
    errors = dataset.flux_lis_rel_error
    tolerance = dataset.attrs.get("error_tolerance", np.nan)
    energy = dataset.kinetic_energy.values
    for i, name in enumerate(nuclides):
        look: Any = line(i) if len(nuclides) > 1 else {"color": "k"}
        axes.plot(energy, errors.sel(nuclide=name), **look, linewidth=0.9)
    axes.axhline(tolerance, color=GREY, linestyle=":", linewidth=0.8)
    axes.set(xscale="log", xlim=(energy[0], energy[-1]))
    values = np.append(errors.values, tolerance)
    seen = values[values > 0]
    if seen.size:
        axes.set_yscale("log")
        # whole decades, the same for all panels, and also of a constant error
        top = np.ceil(np.log10(seen.max()) + 0.1)
        axes.set_ylim(10 ** max(np.floor(np.log10(seen.min()) - 0.1), top - 6), 10**top)
        axes.yaxis.set_major_locator(LogLocator(numticks=4))
        axes.yaxis.set_minor_formatter(NullFormatter())


def _name_tolerance(axes: Axes, dataset: xr.Dataset) -> None:
    """What the dotted line is, said in one panel of the figure."""
    if "error_tolerance" in dataset.attrs:
        place = 0.97, dataset.attrs["error_tolerance"]
        look: Any = {"color": GREY, "fontsize": 6, "ha": "right", "va": "top"}
        axes.annotate("tolerance", place, xycoords=axes.get_yaxis_transform(), **look)


def _ratios(dataset: xr.Dataset, names: list[str], points: list[Table]) -> Figure:
    """A panel for each ratio, against that which its first measured table is against."""
    rows, columns = _shape(len(names))
    figure = new_figure(min(columns, 2), 0.5 + 2.3 * rows)
    shown = [t for t in points if _ratio_name(t) in names]
    symbols = _symbols(t.experiment for t in shown)
    handles: dict[str, Any] = {}
    for i, name in enumerate(names):
        axes = figure.add_subplot(rows, columns, i + 1)
        here = dataset.sel(ratio_name=name)
        tables = [t for t in shown if _ratio_name(t) == name]
        tables = [t for t in tables if t.x_kind == tables[0].x_kind]
        if tables and tables[0].x_kind == "rigidity_GV":
            x, label, curves = here.rigidity, _RIGIDITY, {_TOA: here.ratio_rigidity}
        else:
            x, label = here.kinetic_energy, _ENERGY
            curves = {_LIS: here.ratio_lis, _TOA: here.ratio_toa}
        for curve, y in curves.items():
            handles[curve] = axes.plot(x, y, **_LOOK[curve])[0]
        for t in tables:
            errors = t.error_lo, t.error_hi
            handles |= _draw_points(axes, t.x, t.y, errors, symbols, t.experiment)
        axes.set(xscale="log", xlim=(x[0], x[-1]), xlabel=label)
        _ratio_axis(axes, [*(y.values for y in curves.values()), *(t.y for t in tables)])
        panel_label(axes, _pretty(name))
    _legend(figure, handles)
    return figure


def _ratio_name(table: Table) -> str:
    return table.quantity.replace("_", "/")


def _ratio_axis(axes: Axes, values: list[Array]) -> None:
    """Logarithmic where the ratio changes by more than a factor of five, else from zero."""
    everything = np.concatenate(values)
    seen = everything[everything > 0]
    if seen.size and seen.max() > 5 * seen.min():
        _log_axis(axes, values, _DECADES)
    elif seen.size:
        axes.set_ylim(0, 1.3 * seen.max())


def _symbols(labels: Iterable[str]) -> dict[str, int]:
    """Experiment -> number of its marker, the same in all panels of a figure."""
    return {label: i for i, label in enumerate(dict.fromkeys(labels))}


def _draw_points(
    axes: Axes, x: Array, y: Array, errors: tuple[Array, Array], symbols: dict[str, int], label: str
) -> dict[str, Any]:
    i = symbols[label]
    bars = axes.errorbar(
        x,
        y,
        yerr=errors,
        color=GREY,
        marker=MARKERS[i % len(MARKERS)],
        markersize=2.5,
        markeredgewidth=0.6,
        markerfacecolor="white" if i % 2 else GREY,
        linestyle="none",
        elinewidth=0.6,
        zorder=2,
    )
    return {label: bars}


def _legend(figure: Figure, handles: dict[str, Any]) -> None:
    """The curves first, then the experiments in the order of the deck."""
    names = sorted(handles, key=lambda name: [_LIS, _TOA, name].index(name))
    figure.legend(
        [handles[name] for name in names],
        names,
        loc="outside upper center",
        ncols=min(len(names), 3 if figure.get_figwidth() < 5 else 6),
    )
