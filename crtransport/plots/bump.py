"""The figures of the bump: spectra with their backgrounds, ratios, and χ² against a."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, ScalarFormatter
from numpy.typing import NDArray

from crtransport.measurements.table import Measurement
from crtransport.plots.spectra import grid_of_pairs, measured, over_model, pair, unit_of
from crtransport.plots.style import COLOURS, GREY, line, new_figure, panel_label, style

if TYPE_CHECKING:
    import xarray as xr

Array = NDArray[np.float64]

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
        if "wake_flux" in dataset:
            figures["wake"] = _wake(dataset)
        if "chi2_profile" in dataset:
            figures["profile"] = _profile(dataset)
        return figures


def _fitted(dataset: xr.Dataset) -> Figure:
    """The fitted element above, the predicted ones in small panels below."""
    names = [str(n) for n in dataset.species.values[1:]]
    pairs = [str(n) for n in dataset.ratio_name.values] if "ratio" in dataset else []
    rows = -(-(len(names) + len(pairs)) // _COLUMNS)
    figure = new_figure(2, height=3.6 + 2.3 * rows)
    grid = grid_of_pairs(figure, [1.5, *([1.0] * rows)], _COLUMNS)
    top, below = pair(figure, grid, 0, slice(None))
    _element(top, below, dataset, str(dataset.species.values[0]))
    handles, labels = top.get_legend_handles_labels()
    known = dict(zip(labels, handles, strict=True))
    top.set_title(dataset.attrs["assumptions"], fontsize=7, color=GREY)
    for i, name in enumerate([*names, *pairs]):
        axes, below = pair(figure, grid, 1 + i // _COLUMNS, i % _COLUMNS)
        (_ratio if name in pairs else _element)(axes, below, dataset, name)
        axes.yaxis.label.set_fontsize(6)
        if i % _COLUMNS and name not in pairs:
            axes.set_ylabel("")
        if i % _COLUMNS:
            below.set_ylabel("")
        handles, labels = axes.get_legend_handles_labels()
        known |= {a: b for a, b in zip(labels, handles, strict=True) if a not in known}
    figure.legend(known.values(), known.keys(), loc="outside upper center", ncols=4)
    return figure


def _over_model(
    axes: Axes, dataset: xr.Dataset, name: str, first: int, curve: Array, error: Array
) -> None:
    """Measured points and the band of the model, per cent from the curve."""
    share = 100 * error / curve
    at = dataset.rigidity.values / 1e3
    axes.fill_between(at, -share, share, color=COLOURS[0], alpha=0.2, lw=0)
    over_model(axes, dataset, name, first, curve, COLOURS[0])


def _other(dataset: xr.Dataset) -> tuple[str, Array] | None:
    """The fit with losses where the deck's is without, and the other way round; its label."""
    if "variant_flux" not in dataset:
        return None
    numbers = [str(one) for one in dataset.number.values]
    gamma = "free" if "gamma" in numbers else "fixed"
    losses = "R_L" not in numbers
    row = dataset.variant_flux.sel(variant=f"gamma {gamma}, {'losses' if losses else 'loss-free'}")
    return "fit with losses" if losses else "fit without losses", row.values


def _element(axes: Axes, below: Axes, dataset: xr.Dataset, name: str) -> None:
    here = dataset.sel(species=name)
    rigidity = dataset.rigidity.values
    scale = rigidity**_POWER
    flux, error = here.flux.values * scale, here.flux_error.values * scale
    first = name == str(dataset.species.values[0])
    with_losses = "R_L" in dataset.number.values
    fit = "fit with losses" if with_losses else "fit without losses"
    names = (fit, "background") if first else (None, None)
    axes.plot(rigidity / 1e3, flux, color=COLOURS[0], label=names[0])
    axes.fill_between(rigidity / 1e3, flux - error, flux + error, color=COLOURS[0], alpha=0.2, lw=0)
    axes.plot(rigidity / 1e3, here.background.values * scale, label=names[1], **_BACKGROUND)
    if first and (other := _other(dataset)) is not None:
        label, row = other
        axes.plot(rigidity / 1e3, row * scale, label=label, **line(1))
        below.plot(rigidity / 1e3, 100 * (row * scale / flux - 1), **line(1))
    values = measured(axes, dataset, name, _POWER, 2)
    _ranges(axes, rigidity, np.concatenate([values, flux]))
    _over_model(below, dataset, name, 2, here.flux.values, here.flux_error.values)
    axes.set_yscale("log")
    axes.set_ylabel(unit_of(_POWER))
    panel_label(axes, "p" if name == "H" else name)


def _ratio(axes: Axes, below: Axes, dataset: xr.Dataset, name: str) -> None:
    here = dataset.sel(ratio_name=name)
    rigidity, ratio, error = (dataset.rigidity.values, here.ratio.values, here.ratio_error.values)
    axes.plot(rigidity / 1e3, ratio, color=COLOURS[0])
    axes.fill_between(
        rigidity / 1e3, ratio - error, ratio + error, color=COLOURS[0], alpha=0.2, lw=0
    )
    axes.plot(rigidity / 1e3, here.ratio_background.values, **_BACKGROUND)
    quantity = name.replace("/", "_")
    values = measured(axes, dataset, quantity, 0.0, 2)
    _ranges(axes, rigidity, np.concatenate([values, ratio]))
    _over_model(below, dataset, quantity, 2, ratio, error)
    axes.set_yscale("log")
    axes.set_ylabel(name)
    panel_label(axes, name)


def _ranges(axes: Axes, rigidity: np.ndarray, values: np.ndarray) -> None:
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(numticks=12))
    axes.set_xlim(rigidity[0] / 1e3, rigidity[-1] / 1e3)
    seen = values[np.isfinite(values) & (values > 0)]
    axes.set_ylim(0.6 * seen.min(), 1.35 * seen.max())


def _wake(dataset: xr.Dataset) -> Figure:
    """The fitted element at places between shock and Sun, and its excess over the background."""
    name = str(dataset.species.values[0])
    rigidity = dataset.rigidity.values
    background = dataset.background.sel(species=name).values
    scale = rigidity**_POWER
    figure = new_figure(2, height=3.1)
    left, right = figure.subplots(1, 2)
    for i, place in enumerate(dataset.place.values):
        row = dataset.wake_flux.sel(place=place).values
        label = {0.0: "at the shock", 1.0: "at the Sun"}.get(
            float(place), f"{place:g} of the way to the Sun"
        )
        left.plot(rigidity / 1e3, row * scale, label=label, **line(i))
        right.plot(rigidity / 1e3, row / background - 1, **line(i))
    left.plot(rigidity / 1e3, background * scale, label="background", **_BACKGROUND)
    found = measured(left, dataset, name, _POWER, len(dataset.place) + 1)
    everything = np.concatenate(
        [found, dataset.wake_flux.values.ravel() * np.tile(scale, len(dataset.place))]
    )
    _ranges(left, rigidity, everything)
    left.set(yscale="log", xlabel="$R$ [TV]", ylabel=unit_of(_POWER))
    right.set(xscale="log", xlim=left.get_xlim(), xlabel="$R$ [TV]")
    right.set_ylabel("excess over the background")
    right.axhline(float(dataset.K), color=GREY, linestyle=":", linewidth=0.8)
    right.annotate(
        "$K$",
        (0.03, float(dataset.K)),
        (0, -9),
        color=GREY,
        fontsize=7,
        xycoords=right.get_yaxis_transform(),
        textcoords="offset points",
    )
    right.set_ylim(0, 1.12 * float(dataset.K))
    panel_label(left, "p" if name == "H" else name)
    handles, labels = left.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=4)
    return figure


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
    panels[0].set_yscale("log")
    panels[0].yaxis.set_major_formatter(ScalarFormatter())
    panels[0].yaxis.set_minor_formatter(ScalarFormatter())
    panels[0].tick_params(axis="y", which="minor", labelsize=5)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=2)
    figure.supxlabel(dataset.attrs["assumptions_profile"], fontsize=6.5, color=GREY)
    return figure
