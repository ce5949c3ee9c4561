"""Measured points as a dataset of fitted formulae has them, over rigidity."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
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


def unit_of(power: float) -> str:
    """Label of an axis with a flux times R^power."""
    return rf"$R^{{{power:g}}}\,\Phi$ [m$^{{-2}}$ s$^{{-1}}$ sr$^{{-1}}$ GV$^{{{power - 1:g}}}$]"
