"""The figure of components: each element's spectrum, its parts, and the residuals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from crtransport.measurements.table import Measurement
from crtransport.plots.spectra import grid_of_pairs, measured, over_model, pair, unit_of
from crtransport.plots.style import COLOURS, line, new_figure, panel_label, style

if TYPE_CHECKING:
    import xarray as xr

_POWER = 2.7  # of the rigidity that fluxes are drawn times
_COLUMNS = 2


def draw(dataset: xr.Dataset, points: Sequence[Measurement]) -> dict[str, Figure]:
    """One panel for each element, with what is measured over the sum under it.

    Parameters
    ----------
    dataset : xarray.Dataset
        Of `crtransport.spectra.components.solve`, which has the measured points in it.
    points : sequence of Measurement
        Not drawn: no deck of this model names any.
    """
    with style():
        names = [str(name) for name in dataset.species.values]
        columns = min(_COLUMNS, len(names))
        rows = -(-len(names) // columns)
        figure = new_figure(columns, height=3.7 * rows)
        grid = grid_of_pairs(figure, [1.0] * rows, columns)
        panels = [pair(figure, grid, *divmod(i, columns)) for i in range(len(names))]
        for (panel, below), name in zip(panels, names, strict=True):
            _element(panel, below, dataset, name)
        handles, labels = panels[0][0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper center", ncols=3 * columns)
        return {"": figure}


def _element(axes: Axes, below: Axes, dataset: xr.Dataset, name: str) -> None:
    here = dataset.sel(species=name)
    rigidity = dataset.rigidity.values
    scale = rigidity**_POWER
    total = here.flux_total.values * scale
    axes.plot(rigidity / 1e3, total, "k-", label="sum")
    for i, component in enumerate(dataset.component.values):
        part = here.flux.sel(component=component).values * scale
        axes.plot(
            rigidity / 1e3,
            part,
            label=str(component),
            **(line(i) | {"linestyle": line(i + 1)["linestyle"]}),
        )
    values = measured(axes, dataset, name, _POWER, first=dataset.sizes["component"])
    seen = np.concatenate([values, total[total > values.min() / 3]])
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(rigidity[0] / 1e3, rigidity[-1] / 1e3)
    axes.set_ylim(values.min() / 30, 2 * seen.max())
    over_model(below, dataset, name, dataset.sizes["component"], here.flux_total.values, COLOURS[4])
    axes.set_ylabel(unit_of(_POWER))
    panel_label(axes, "p" if name == "H" else name)
