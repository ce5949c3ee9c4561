"""A scan drawn: curves along one parameter, maps over two, points over more and over a sample."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np
from matplotlib.colors import LogNorm, Normalize
from matplotlib.patheffects import AbstractPathEffect, withStroke
from matplotlib.ticker import LogLocator, NullFormatter

from crtransport.deck.scan import CHI2
from crtransport.plots.galaxy_panels import raised
from crtransport.plots.style import COLOURS, line, new_figure, style, unit_text

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_MAP = "viridis"
_MISSING = "0.85"  # behind points that failed
_LOG = 8.0  # an axis of numbers above zero that spans more than this factor is logarithmic
_FEW = 6  # values of an axis that each have a tick, or a curve with a look of its own
_MANY = 24  # points of a line that are marked each, curves of one figure
_LONG = 16  # letters of a label that leave no room for a unit on its line
_DECADES = 10  # of curves, below the highest point
_ALIKE = 0.05  # steps that differ by less than this are equal
#: Δχ² of two parameters within which lie 68.3, 95.4 and 99.7 % (Avni 1976, ApJ 210, 642)
_LEVELS = (2.30, 6.18, 11.83)


def draw(dataset: xr.Dataset, numbers: Mapping[str, xr.DataArray]) -> dict[str, Figure]:
    """Figures of a scan by name.

    Parameters
    ----------
    dataset : xarray.Dataset
        Of `crtransport.studies.scan.scan`.
    numbers : mapping of str to array
        What is drawn of each point, by its label; "χ²" first where there is one.
    """
    names = list(json.loads(dataset.attrs["scanned"]))
    if not numbers:
        return {}
    with style():
        if dataset.status.dims == ("point",) or len(names) > 2:
            return {"": _panels(dataset, names, numbers)}
        if len(names) == 2:
            return {"": _maps(dataset, names, numbers)}
        curves = _curves(dataset, names[0], numbers)
        return {"": _panels(dataset, names, numbers)} | curves


def _panels(dataset: xr.Dataset, names: list[str], numbers: Mapping[str, xr.DataArray]) -> Figure:
    """Each number (downwards) against each parameter (to the right), and where χ² is least."""
    rows, columns = len(numbers), len(names)
    figure = new_figure(1 if columns == 1 else 2, 0.4 + (2.2 if columns < 3 else 1.7) * rows)
    grid = figure.subplots(rows, columns, squeeze=False, sharex="col", sharey="row")
    alone = columns == 1 and dataset.status.dims != ("point",)
    for i, (label, values) in enumerate(numbers.items()):
        for k, name in enumerate(names):
            axes = grid[i, k]
            x = _positions(dataset[name].broadcast_like(values).transpose(*values.dims))
            y = values.values.ravel()
            look: Any = {"marker": "o", "linestyle": "none", "markersize": 2}
            if alone:
                look = {"marker": "o" if len(x) <= _MANY else "", "markersize": 3}
            axes.plot(x, y, **look, color=COLOURS[0])
            if label == CHI2 and np.isfinite(y).any():
                best = np.nanargmin(y)
                axes.plot(x[best], y[best], marker="*", color=COLOURS[1], markersize=8)
            _scale(axes, "x", dataset[name])
            if _is_wide(y):
                axes.set_yscale("log")
            if i == rows - 1:
                axes.set_xlabel(_label(dataset[name]))
        grid[i, 0].set_ylabel(_named(label, values), multialignment="center")
    return figure


def _maps(dataset: xr.Dataset, names: list[str], numbers: Mapping[str, xr.DataArray]) -> Figure:
    """Each number over the plane of two parameters."""
    columns = min(len(numbers), 3)
    rows = -(-len(numbers) // columns)
    figure = new_figure(1 if columns == 1 else 2, (3.1 if columns < 3 else 2.8) * rows)
    x, y = (dataset[name] for name in names)
    for i, (label, values) in enumerate(numbers.items()):
        axes = figure.add_subplot(rows, columns, i + 1)
        axes.set_facecolor(_MISSING)
        z = values.transpose(*names).values.T
        least = label == CHI2 and bool(np.isfinite(z).any())
        look: Any = {"cmap": _MAP + "_r" * least, "norm": (LogNorm if _is_wide(z) else Normalize)()}
        mesh = axes.pcolormesh(_edges(x), _edges(y), z, rasterized=True, **look)
        bar = figure.colorbar(mesh, ax=axes, label=_named(label, values), location="top", pad=0.02)
        if _is_wide(z) and np.nanmax(z) < 100 * np.nanmin(z):
            bar.ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            bar.ax.xaxis.set_major_formatter("{x:g}")
            bar.ax.xaxis.set_minor_formatter(NullFormatter())
        _scale(axes, "x", x)
        _scale(axes, "y", y)
        _contours(axes, _positions(x), _positions(y), z, least)
        if least:
            j, k = np.unravel_index(np.nanargmin(z), z.shape)
            spot: Any = {"marker": "*", "markersize": 9, "color": COLOURS[1], "clip_on": False}
            axes.plot(_positions(x)[k], _positions(y)[j], markeredgecolor="white", **spot)
        axes.set_xlabel(_label(x))
        if i % columns == 0:
            axes.set_ylabel(_label(y))
    return figure


def _contours(axes: Axes, x: Array, y: Array, z: Array, least: bool) -> None:
    """Lines of equal values; of χ² above its least one, where the grid is fine enough for them."""
    seen = z[np.isfinite(z)]
    if min(z.shape) < 2 or seen.size < 4 or seen.min() == seen.max():
        return
    fine = np.sum(seen < seen.min() + _LEVELS[-1]) > len(_LEVELS)
    if least and not fine:
        return
    levels = {seen.min() + step: f"{step:g}" for step in _LEVELS} if least else None
    given: Any = {} if levels is None else {"levels": list(levels)}
    lines = axes.contour(x, y, z, colors="white", linewidths=0.8, **given)
    # dark edges, so that they show on any colour
    dark: list[AbstractPathEffect] = [withStroke(linewidth=1.6, foreground="0.25")]
    lines.set_path_effects(dark)
    for text in axes.clabel(lines, fmt=levels or "%.3g", fontsize=6):
        text.set_path_effects(dark)


def _curves(
    dataset: xr.Dataset, name: str, numbers: Mapping[str, xr.DataArray]
) -> dict[str, Figure]:
    """The variable of each number along its own axis, one curve for each value of a parameter."""
    found: dict[str, Figure] = {}
    for label, values in numbers.items():
        own = [str(d) for d in dataset[values.name].dims if d != name] if values.name else []
        along = [dim for dim in own if dataset[dim].dtype.kind in "fi" and dataset.sizes[dim] > 2]
        if label == CHI2 or not along:
            continue
        # the place that is told, but along the axis
        named = {d: values[d].item() for d in own if d != along[-1] and d in values.coords}
        rest = {d: 0 for d in own if d != along[-1] and d not in named}
        some = dataset[values.name].sel(named).isel(rest).transpose(name, along[-1])
        some = some.isel({name: np.isfinite(some.values).any(axis=1)})
        words = [str(at).replace("/", "-") for at in named.values()]
        if some.size:
            found["_".join([str(values.name), *words])] = _curve(some, dataset[along[-1]], name)
    return found


def _curve(some: xr.DataArray, axis: xr.DataArray, name: str) -> Figure:
    figure = new_figure(1)
    axes = figure.add_subplot()
    values = some[name]
    few = values.size <= _FEW
    places = _positions(values)
    shade = (LogNorm if _is_log(values) else Normalize)(places.min(), places.max())
    colours = matplotlib.colormaps[_MAP]
    drawn = np.unique(np.linspace(0, some.sizes[name] - 1, _MANY).round().astype(int))
    for i in drawn:
        look: Any = line(i) if few else {"color": colours(shade(places[i])), "linewidth": 0.9}
        axes.plot(axis.values, some.values[i], **look, label=_value(values[i]))
    if few:
        axes.legend(title=_label(values), title_fontsize=7)
    else:
        mappable = matplotlib.cm.ScalarMappable(norm=shade, cmap=_MAP)
        figure.colorbar(mappable, ax=axes, label=_label(values), pad=0.02)
    _scale(axes, "x", axis)
    if _is_wide(some.values):
        low, high = np.nanmin(some.values), np.nanmax(some.values)
        axes.set(yscale="log", ylim=(max(low, high * 10.0**-_DECADES) / 2, high * 2))
    axes.set(xlim=(axis.values[0], axis.values[-1]))
    axes.set(xlabel=f"{axis.long_name}{_unit(axis)}", ylabel=_named(str(some.name), some))
    return figure


def _value(value: xr.DataArray) -> str:
    return str(value.item()) if value.dtype.kind in "OU" else f"{value.item():.4g}"


def _positions(values: xr.DataArray) -> Array:
    """Places on an axis, flat: the numbers, or of texts the order in which they come."""
    flat = values.values.ravel()
    if values.dtype.kind not in "OU":
        return np.asarray(flat, dtype=float)
    order = {text: i for i, text in enumerate(dict.fromkeys(flat))}
    return np.array([order[text] for text in flat], dtype=float)


def _scale(axes: Axes, which: str, values: xr.DataArray) -> None:
    """The scale and the ticks of an axis."""
    if values.dtype.kind in "OU":
        texts = list(dict.fromkeys(values.values))
        axis = axes.xaxis if which == "x" else axes.yaxis
        axis.set_ticks(range(len(texts)), texts)
        axis.set_ticks([], minor=True)
    elif values.size <= _FEW and not _is_log(values):
        axis = axes.xaxis if which == "x" else axes.yaxis
        axis.set_ticks(values.values)
        axis.set_ticks([], minor=True)
    elif _is_log(values):
        (axes.set_xscale if which == "x" else axes.set_yscale)("log")


def _is_log(values: xr.DataArray) -> bool:
    """Whether an axis is better drawn in the logarithm: equal factors, or a wide range."""
    numbers = _positions(values)
    if values.dtype.kind in "OU" or numbers.min() <= 0 or len(numbers) < 2:
        return False
    factors = np.diff(np.log(numbers))
    steps = np.diff(numbers)
    equal = len(steps) > 1 and np.ptp(steps) < _ALIKE * abs(steps.mean())
    geometric = len(steps) > 1 and np.ptp(factors) < _ALIKE * abs(factors.mean())
    return not equal and (geometric or numbers.max() > _LOG * numbers.min())


def _is_wide(values: Array) -> bool:
    seen = values[np.isfinite(values)]
    return bool(seen.size and seen.min() > 0 and seen.max() > _LOG * seen.min())


def _edges(values: xr.DataArray) -> Array:
    """Edges of the cells around the values of an axis, in the middle on its scale."""
    centres = _positions(values)
    log = _is_log(values)
    centres = np.log(centres) if log else centres
    if len(centres) == 1:
        edges = centres + np.array([-0.5, 0.5])
    else:
        middle = (centres[1:] + centres[:-1]) / 2
        edges = np.array([2 * centres[0] - middle[0], *middle, 2 * centres[-1] - middle[-1]])
    return np.exp(edges) if log else edges


def _label(axis: xr.DataArray) -> str:
    return f"{axis.name}{_unit(axis)}"


def _named(label: str, values: xr.DataArray) -> str:
    label, unit = raised(label), "" if label == CHI2 else _unit(values)
    return f"{label}\n{unit.strip()}" if unit and len(label) > _LONG else label + unit


def _unit(values: xr.DataArray) -> str:
    """ " [cm²/s]"; nothing for pure numbers."""
    unit = str(values.attrs.get("units", "1"))
    return "" if unit == "1" else f" [{unit_text(unit)}]"
