"""Ratios of a galaxy's fluxes, beside those that are measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import FuncFormatter, LogLocator

from crtransport.plots.galaxy_panels import (
    ENERGY,
    LIS,
    LOOK,
    PANELS,
    RIGIDITY,
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
from crtransport.plots.spectra import grid_of_pairs
from crtransport.plots.style import new_figure, panel_label

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from crtransport.measurements.table import Measurement

    Array = NDArray[np.float64]
    Panel = tuple[str, list[Measurement]]

_FEW = 60  # an axis that spans less than this factor has its minor ticks named


def ratios(dataset: xr.Dataset, points: Sequence[Measurement]) -> dict[str, Figure]:
    """Figures by name: "ratios", then with the names of those that had no room in it.

    A ratio is drawn over rigidity where it is measured over rigidity, over kinetic energy per
    nucleon where it is measured over that, twice where it is measured over both, and over energy
    where nothing is measured.
    """
    figures: dict[str, Figure] = {}
    for some in pages(_panels(dataset, points), PANELS):
        more = dict.fromkeys(name.replace("/", "-") for name, _ in some) if figures else ()
        figures["_".join(("ratios", *more))] = _figure(dataset, some)
    return figures


def _panels(dataset: xr.Dataset, points: Sequence[Measurement]) -> list[Panel]:
    found: list[Panel] = []
    for name in map(str, dataset.ratio_name.values):
        tables = [t for t in points if t.quantity.replace("_", "/") == name]
        kinds = dict.fromkeys(t.over_rigidity for t in tables) or (False,)
        found += [(name, [t for t in tables if t.over_rigidity == kind]) for kind in kinds]
    return found


def _figure(dataset: xr.Dataset, panels: list[Panel]) -> Figure:
    rows, columns = shape(len(panels))
    figure = new_figure(min(columns, 2), 0.6 + 2.6 * rows)
    grid = grid_of_pairs(figure, [1.0] * rows, columns)
    shown = [table for _, tables in panels for table in tables]
    marks = looks(((t.experiment, t.interstellar) for t in shown), colours=True)
    handles: dict[str, Any] = {}
    for i, (name, tables) in enumerate(panels):
        compared = [t for t in tables if is_compared(dataset, t)]
        axes, below = one_or_pair(figure, grid, divmod(i, columns), bool(compared))
        x, label, curves = _draw_curves(axes, dataset.sel(ratio_name=name), tables)
        handles |= curves
        for t in tables:
            points = t.x, t.y, (t.error_lo, t.error_hi), t.measured
            handles[t.experiment] = draw_points(axes, *points, marks[t.experiment])
        lines = [np.asarray(curve.get_ydata()) for curve in curves.values()]
        _ratio_axis(axes, [*lines, *(t.y[(t.x >= x[0]) & (t.x <= x[-1])] for t in tables)])
        panel_label(axes, pretty(name))
        if below is not None:
            draw_over(below, dataset, [(t, t.x, marks[t.experiment]) for t in compared])
        (axes if below is None else below).set_xlabel(label)
        if i % columns == 0:
            axes.set_ylabel("ratio")
        elif below is not None:
            below.set_ylabel("")
    tell_error(figure, dataset)
    legend(figure, handles)
    return figure


def _draw_curves(
    axes: Axes, here: xr.Dataset, tables: list[Measurement]
) -> tuple[Array, str, dict[str, Any]]:
    if tables and tables[0].over_rigidity:
        x, label, curves = here.rigidity.values, RIGIDITY, {TOA: here.ratio_rigidity}
    else:
        x, label = here.kinetic_energy.values, ENERGY
        curves = {LIS: here.ratio_lis, TOA: here.ratio_toa}
    axes.set(xscale="log", xlim=(x[0], x[-1]))
    look = LOOK
    if LIS in curves and np.allclose(curves[LIS], curves[TOA], rtol=1e-9, atol=0):
        # without modulation they differ by rounding
        curves, look = {LIS: curves[LIS]}, {LIS: LOOK[TOA]}
    drawn = {name: axes.plot(x, y, **look[name])[0] for name, y in curves.items()}
    if LIS in curves and "ratio_closed_form" in here:
        drawn |= draw_closed_form(axes, x, here.ratio_closed_form.values)
    return x, label, drawn


def _ratio_axis(axes: Axes, values: list[Array]) -> None:
    """Logarithmic where the ratio changes by more than a factor of five, else from zero."""
    everything = np.concatenate(values)
    seen = everything[everything > 0]
    if seen.size and seen.max() > 5 * seen.min():
        log_axis(axes, values, above=2.0)
        if seen.max() < _FEW * seen.min():
            axes.yaxis.set_major_formatter("{x:g}")
            axes.yaxis.set_minor_locator(LogLocator(subs=(2, 3, 5, 7)))
            axes.yaxis.set_minor_formatter(FuncFormatter(_two_and_five))
    elif seen.size:
        axes.set_ylim(0, 1.3 * seen.max())


def _two_and_five(value: float, _: object) -> str:
    digits = value / 10 ** np.floor(np.log10(value))
    return f"{value:g}" if round(digits) in (2, 5) else ""
