"""Measured points as a dataset of fitted formulae has them, over rigidity."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import SubplotSpec
from numpy.typing import NDArray

from crtransport.plots.style import bars, points

if TYPE_CHECKING:
    import xarray as xr

Array = NDArray[np.float64]


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


def pair(figure: Figure, place: SubplotSpec) -> tuple[Axes, Axes]:
    """A panel and, under it, one of what is measured over the model."""
    grid = place.subgridspec(2, 1, height_ratios=[2.6, 1], hspace=0)
    above = figure.add_subplot(grid[0])
    below = figure.add_subplot(grid[1], sharex=above)
    above.tick_params(labelbottom=False)
    return above, below


def over_model(
    axes: Axes, dataset: xr.Dataset, quantity: str, first: int, curve: Array, colour: str
) -> None:
    """Measured points, per cent from a curve on the dataset's rigidities."""
    axes.axhline(0, color=colour, linewidth=0.8)
    found = measured(axes, dataset, quantity, 0.0, first, over=curve)
    # what is measured sets the range, not a band or another curve
    top = 1.3 * float(np.max(np.abs(found[np.isfinite(found)]), initial=10.0))
    axes.set(ylim=(-top, top), xlabel="$R$ [TV]", ylabel="Δ [%]")


def unit_of(power: float) -> str:
    """Label of an axis with a flux times R^power."""
    return rf"$R^{{{power:g}}}\,\Phi$ [m$^{{-2}}$ s$^{{-1}}$ sr$^{{-1}}$ GV$^{{{power - 1:g}}}$]"
