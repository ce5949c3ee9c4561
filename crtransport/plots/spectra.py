"""Measured points over a model, and as a dataset of fitted formulae has them, over rigidity."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.markers import CARETDOWN, CARETUP
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from crtransport.plots.style import bars, points

if TYPE_CHECKING:
    import xarray as xr

Array = NDArray[np.float64]

#: the range of what is measured over a model reaches at least and at most so far, per cent
_LEAST, _FAR = 10.0, 150.0


def measured(
    axes: Axes,
    dataset: xr.Dataset,
    quantity: str,
    power: float,
    first: int = 1,
    over: Array | None = None,
) -> Array:
    """Draw the points of an element or ratio, times R^power, over TV; their values.

    ``first`` is the number of the first experiment's colour and symbol, which are its own for all
    elements. With ``over``, a model on the
    dataset's rigidities, what is drawn is how far they are from it, per cent.
    """
    tables = np.flatnonzero(dataset.table_quantity.values == quantity)
    drawn = [np.empty(0)]
    experiments = list(dict.fromkeys(map(str, dataset.table_label.values)))
    for table in tables:
        i = experiments.index(str(dataset.table_label.values[table]))
        here = dataset.isel(point=np.flatnonzero(dataset.measured_table.values == table))
        inside = (here.measured_rigidity >= dataset.rigidity[0]) & (
            here.measured_rigidity <= dataset.rigidity[-1]
        )
        here = here.isel(point=np.flatnonzero(inside.values))
        rigidity = here.measured_rigidity.values
        scale = rigidity**power
        value = here.measured_value.values * scale
        errors = (here.measured_error_lo.values * scale, here.measured_error_hi.values * scale)
        seen = here.measured_limit.values == 0
        if over is not None:
            at = np.log(rigidity), np.log(dataset.rigidity.values)
            model = np.exp(np.interp(*at, np.log(over)))
            errors = (100 * errors[0] / model, 100 * errors[1] / model)
            value = 100 * (value / model - 1)
        axes.errorbar(
            rigidity / 1e3,
            value,
            **bars(value, errors, seen),
            label=str(dataset.table_label.values[table]),
            **(points(first + i) | {"elinewidth": 0.6}),
            markersize=2.5,
        )
        drawn.append(value)
    return np.concatenate(drawn)


def grid_of_pairs(figure: Figure, heights: Sequence[float], columns: int) -> GridSpec:
    """Places for `pair`, in rows of these relative heights; panels of a column are alike wide."""
    ratios = [part * height for height in heights for part in (2.6, 1.0)]
    grid = figure.add_gridspec(2 * len(heights), columns, height_ratios=ratios)
    figure.set_layout_engine("constrained", h_pad=0.02, hspace=0.0)
    return grid


def pair(figure: Figure, grid: GridSpec, row: int, column: int | slice) -> tuple[Axes, Axes]:
    """A panel and, under it, one of what is measured over the model."""
    above = figure.add_subplot(grid[2 * row, column])
    below = figure.add_subplot(grid[2 * row + 1, column], sharex=above)
    above.tick_params(labelbottom=False)
    return above, below


def over_model(
    axes: Axes, dataset: xr.Dataset, quantity: str, first: int, curve: Array, colour: str
) -> None:
    """Measured points, per cent from a curve on the dataset's rigidities."""
    measured(axes, dataset, quantity, 0.0, first, over=curve)
    per_cent(axes, colour)
    axes.set_xlabel("$R$ [TV]")


def per_cent(axes: Axes, colour: str = "k") -> None:
    """The axis of what is measured, which is drawn, per cent from a model that is a line at 0.

    What is measured sets the range, not a band or another curve. It ends at `_FAR`, and leaves out
    few points far from all others; these are small arrows at the edge.
    """
    drawn = [box.lines[0] for box in axes.containers if isinstance(box, ErrorbarContainer)]
    points = [np.asarray(line.get_xydata()) for line in drawn if line is not None]
    sizes = np.abs(np.concatenate([each[:, 1] for each in points]))
    sizes = sizes[np.isfinite(sizes)]
    near = sizes[sizes <= 3 * np.quantile(sizes, 0.9)] if sizes.size else sizes
    top = 1.3 * float(np.max(near, initial=_LEAST))
    low, high = max(-top, -_FAR), min(top, _FAR)
    axes.axhline(0, color=colour, linewidth=0.8, zorder=1)
    axes.set(ylim=(low, high), ylabel="Δ [%]")
    axes.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10], prune="both"))
    for each, line in zip(points, drawn, strict=True):
        for out, edge, marker in (
            (each[:, 1] > high, 1.0, CARETUP),
            (each[:, 1] < low, 0.0, CARETDOWN),
        ):
            if out.any():
                look: Any = {"marker": marker, "markersize": 3, "linestyle": "none"}
                place = np.full(int(out.sum()), edge)
                transform = axes.get_xaxis_transform()
                axes.plot(each[out, 0], place, transform=transform, color=line.get_color(), **look)


def unit_of(power: float) -> str:
    """Label of an axis with a flux times R^power."""
    return rf"$R^{{{power:g}}}\,\Phi$ [m$^{{-2}}$ s$^{{-1}}$ sr$^{{-1}}$ GV$^{{{power - 1:g}}}$]"
