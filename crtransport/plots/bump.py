"""The figures of the bump: spectra with their backgrounds, ratios, and χ² against a."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from crtransport.measurements.table import Measurement
from crtransport.plots.spectra import measured, unit_of
from crtransport.plots.style import COLOURS, GREY, line, new_figure, panel_label, style

if TYPE_CHECKING:
    import xarray as xr

_POWER = 2.75  # of the rigidity that fluxes are drawn times
_COLUMNS = 3
_BACKGROUND: Any = {"color": GREY, "linestyle": (0, (4, 2)), "linewidth": 0.8}


def draw(dataset: xr.Dataset, points: Sequence[Measurement]) -> dict[str, Figure]:
    """The fitted element and its χ²(a); the elements that are predicted, and ratios.

    Parameters
    ----------
    dataset : xarray.Dataset
        Of `crtransport.spectra.bump.solve`, which has the measured points in it.
    points : sequence of Measurement
        Not drawn: no deck of this model names any.

    Returns
    -------
    dict
        Figures by name; the first one's is "".
    """
    with style():
        figures = {"": _fitted(dataset)}
        if "chi2_profile" in dataset:
            figures["profile"] = _profile(dataset)
        return figures


def _fitted(dataset: xr.Dataset) -> Figure:
    """The fitted element above, the predicted ones in small panels below."""
    names = [str(n) for n in dataset.species.values[1:]]
    pairs = [str(n) for n in dataset.ratio_name.values] if "ratio" in dataset else []
    rows = -(-(len(names) + len(pairs)) // _COLUMNS)
    figure = new_figure(2, height=2.9 + 1.75 * rows)
    grid = figure.add_gridspec(rows + 1, _COLUMNS, height_ratios=[1.6, *([1.0] * rows)])
    top = figure.add_subplot(grid[0, :])
    _element(top, dataset, str(dataset.species.values[0]))
    top.legend(ncols=3, loc="lower left")
    top.set_title(dataset.attrs["assumptions"], fontsize=7, color=GREY)
    for i, name in enumerate([*names, *pairs]):
        axes = figure.add_subplot(grid[1 + i // _COLUMNS, i % _COLUMNS])
        (_ratio if name in pairs else _element)(axes, dataset, name)
        axes.legend(loc="lower left", fontsize=6)
    return figure


def _element(axes: Axes, dataset: xr.Dataset, name: str) -> None:
    here = dataset.sel(species=name)
    rigidity = dataset.rigidity.values
    scale = rigidity**_POWER
    flux, error = here.flux.values * scale, here.flux_error.values * scale
    first = name == str(dataset.species.values[0])
    names = ("fit", "background") if first else (None, None)
    axes.plot(rigidity / 1e3, flux, color=COLOURS[0], label=names[0])
    axes.fill_between(rigidity / 1e3, flux - error, flux + error, color=COLOURS[0], alpha=0.2, lw=0)
    axes.plot(rigidity / 1e3, here.background.values * scale, label=names[1], **_BACKGROUND)
    values = measured(axes, dataset, name, _POWER)
    _ranges(axes, rigidity, np.concatenate([values, flux]))
    axes.set_yscale("log")
    axes.set_ylabel(unit_of(_POWER))
    panel_label(axes, "p" if name == "H" else name)


def _ratio(axes: Axes, dataset: xr.Dataset, name: str) -> None:
    here = dataset.sel(ratio_name=name)
    rigidity, ratio, error = (dataset.rigidity.values, here.ratio.values, here.ratio_error.values)
    axes.plot(rigidity / 1e3, ratio, color=COLOURS[0])
    axes.fill_between(
        rigidity / 1e3, ratio - error, ratio + error, color=COLOURS[0], alpha=0.2, lw=0
    )
    axes.plot(rigidity / 1e3, here.ratio_background.values, **_BACKGROUND)
    values = measured(axes, dataset, name.replace("/", "_"), 0.0)
    _ranges(axes, rigidity, np.concatenate([values, ratio]))
    axes.set_yscale("log")
    axes.set_ylabel(name)
    panel_label(axes, name)


def _ranges(axes: Axes, rigidity: np.ndarray, values: np.ndarray) -> None:
    axes.set_xscale("log")
    axes.set_xlim(rigidity[0] / 1e3, rigidity[-1] / 1e3)
    axes.set_xlabel("R [TV]")
    seen = values[np.isfinite(values) & (values > 0)]
    axes.set_ylim(0.6 * seen.min(), 1.35 * seen.max())


def _profile(dataset: xr.Dataset) -> Figure:
    kinds = {
        "chi2_profile": "errors as in the fit",
        "chi2_profile_correlated": "systematic errors correlated",
    }
    figure = new_figure(2, height=3.1)
    panels = figure.subplots(1, 2, sharey=True)
    for axes, (name, text) in zip(panels, kinds.items(), strict=True):
        for i, variant in enumerate(dataset.variant.values):
            row = dataset[name].sel(variant=variant).values
            label = str(variant).replace("gamma", "γ")
            axes.plot(dataset.a.values, row, marker="o", markersize=2, label=label, **line(i))
        axes.set_xlabel("a = 2 − q")
        axes.set_title(text)
    panels[0].set_ylabel(f"least χ² of {int(dataset.points)} points")
    least = min(float(dataset[name].min()) for name in kinds)
    panels[0].set_ylim(0.8 * least, 6 * least)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=2)
    figure.supxlabel(dataset.attrs["assumptions_profile"], fontsize=6.5, color=GREY)
    return figure
