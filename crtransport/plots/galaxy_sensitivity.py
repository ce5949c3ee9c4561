"""The figure of sensitivities: what each observable changes with, energy by energy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crtransport.plots.galaxy_panels import raised
from crtransport.plots.style import COLOURS, GREY, MARKERS, new_figure, panel_label

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

_COLUMNS = 3


def sensitivities(found: xr.DataArray) -> Figure:
    """A panel for each observable, a row for each parameter, a symbol for each energy."""
    observables = [str(name) for name in found.observable.values]
    parameters = [str(name) for name in found.parameter.values]
    columns = min(_COLUMNS, len(observables))
    rows = -(-len(observables) // columns)
    figure = new_figure(2, height=rows * (0.5 + 0.2 * len(parameters)) + 0.5)
    grid = figure.subplots(rows, columns, squeeze=False, sharey=True)
    place = np.arange(len(parameters))[::-1]
    for axes, name in zip(grid.flat, observables, strict=False):
        here = found.sel(observable=name)
        for i, energy in enumerate(found.at_energy.values):
            # symbols of one row beside each other
            shift = 0.2 * ((found.at_energy.size - 1) / 2 - i)
            axes.plot(
                here.sel(at_energy=energy).values,
                place + shift,
                linestyle="none",
                marker=MARKERS[i % len(MARKERS)],
                color=COLOURS[i % len(COLOURS)],
                label=f"{energy:g} GeV/n",
            )
        axes.axvline(0, color=GREY, linewidth=0.7)
        axes.set_yticks(place, parameters)
        axes.set_ylim(-0.7, len(parameters) + 0.1)
        axes.tick_params(axis="y", which="minor", left=False, right=False)
        axes.grid(axis="y", color="0.9", linewidth=0.5)
        panel_label(axes, raised(name))
    for axes in grid[-1]:
        axes.set_xlabel(r"$\partial\ln J/\partial\ln\theta$")
    for unused in grid.flat[len(observables) :]:
        unused.remove()
    figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=6)
    return figure
