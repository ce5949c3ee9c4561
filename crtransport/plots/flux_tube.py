"""Figures of the flux tube: anisotropy against pitch angle, and what else the deck asked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from crtransport.plots.style import line, new_figure, panel_label, style
from crtransport.plots.tube_arrival import arrival

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: more curves than this in a panel do not read
_MOST_CURVES = 6
_MU = "cosine of the pitch angle $\\mu$"


def draw(dataset: xr.Dataset, points: Sequence[Any] = ()) -> dict[str, Figure]:
    """One figure of two panels, and one of the modes where the first has no room for them.

    Where the deck has [arrival] a figure "arrival" too: what is seen at the Sun, and ``points``,
    measured anisotropies.

    On the left the anisotropy against μ at each ζ; on the right the same for other turbulence
    slopes, or the multipoles against rigidity, or the slowest modes; for a pulse, its course
    along the tube beside the anisotropy at the last time.
    """
    with style():
        if "slope" in dataset.dims:
            return {"": _slopes(dataset), "modes": _modes_alone(dataset)}
        figure = new_figure(columns=2, height=2.9)
        left, right = figure.subplots(1, 2)
        several = "rigidity" in dataset.dims
        shown = dataset.isel(rigidity=0) if several else dataset
        if "ct" in dataset.dims:
            _pulse(left, shown)
            last = shown.isel(ct=-1)
            _anisotropy(right, last, last.mu, last.anisotropy.values)
        else:
            _anisotropy(left, shown, shown.mu, shown.anisotropy.values)
            if dataset.sizes.get("rigidity", 1) > 1:
                _rigidity(right, dataset)
            else:
                _modes(right, shown)
        panel_label(left, f"a   {float(shown.rigidity):g} GV" if several else "a")
        panel_label(right, "b")
        figures = {"": figure}
        if "arrival_dipole" in dataset:
            figures["arrival"] = arrival(dataset, points)
        return figures


def _slopes(dataset: xr.Dataset) -> Figure:
    """The anisotropy for the deck's turbulence slope and for up to two others, on one scale."""
    others = dataset.sizes["slope"]
    figure = new_figure(columns=2, height=2.9)
    panels = figure.subplots(1, 1 + min(others, 2), sharey=True)
    everything = np.concatenate([dataset.anisotropy.values[None], dataset.anisotropy_by_slope])
    for i, axes in enumerate(panels):
        other = dataset.isel(slope=max(i - 1, 0))
        mu = dataset.mu if i == 0 else other.mu_by_slope
        _anisotropy(axes, dataset, mu, everything[i], scale=everything)
        if i > 0:
            axes.set_ylabel("")
        slope = dataset.attrs["turbulence_slope"] if i == 0 else float(other.slope)
        panel_label(axes, f"{'abc'[i]}   $q = {slope:.4g}$")
        axes.get_legend().remove()
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=min(len(labels), 3))
    return figure


def _modes_alone(dataset: xr.Dataset) -> Figure:
    figure = new_figure(columns=1)
    _modes(figure.subplots(), dataset)
    return figure


def _unit(dataset: xr.Dataset) -> str:
    """The unit of ζ behind a number; lengths without one are multiples of m²/C."""
    return " pc" if dataset.zeta.attrs["units"] == "pc" else " m²/C"


def _scale(values: np.ndarray) -> tuple[float, str]:
    """A power of a thousand that brings the values near one, and its text for a label."""
    largest = float(np.nanmax(np.abs(values))) or 1.0
    power = min(0, 3 * int(np.floor(np.log10(largest) / 3)))
    return 10.0**-power, f" [$10^{{{power}}}$]" if power else ""


def _anisotropy(
    axes: Axes,
    dataset: xr.Dataset,
    mu: xr.DataArray,
    values: np.ndarray,
    scale: np.ndarray | None = None,
) -> None:
    factor, text = _scale(values if scale is None else scale)
    unit = _unit(dataset)
    shown = np.unique(np.linspace(0, len(values) - 1, _MOST_CURVES).round().astype(int))
    for i, (zeta, row) in enumerate(zip(dataset.zeta.values[shown], values[shown], strict=True)):
        axes.plot(mu, factor * row, label=f"$\\zeta = {zeta:g}${unit}", **line(i))
    axes.axvline(0, color="0.7", linewidth=0.6, zorder=0)
    axes.axhline(0, color="0.7", linewidth=0.6, zorder=0)
    axes.set(xlim=(-1, 1), xlabel=_MU)
    axes.set_ylabel(f"$(f - \\langle f\\rangle)/\\langle f\\rangle${text}")
    _place_legend(axes)


def _modes(axes: Axes, dataset: xr.Dataset) -> None:
    for i, (rate, row) in enumerate(
        zip(dataset.eigenvalue.values[:4], dataset.eigenfunction.values[:4], strict=True)
    ):
        label = f"$\\Lambda_{i} = {_rounded(float(rate))}$"
        axes.plot(dataset.mu, row / np.max(np.abs(row)), label=label, **line(i))
    axes.axvline(0, color="0.7", linewidth=0.6, zorder=0)
    axes.axhline(0, color="0.7", linewidth=0.6, zorder=0)
    axes.set(xlim=(-1, 1), xlabel=_MU, ylabel="modes $f_n$ / max$|f_n|$")
    axes.set_ylim(top=1.25)
    _place_legend(axes)


def _rounded(value: float) -> str:
    return f"{value:.5f}" if 0 < value < 0.1 else f"{value:.5g}"


def _rigidity(axes: Axes, dataset: xr.Dataset) -> None:
    here = dataset.isel(zeta=0)
    curves = {
        "dipole": np.abs(here.relative_multipole[:, 1]),
        "step across the equator": np.abs(here.equator_step),
    }
    if here.sizes["ell"] > 2:
        curves["quadrupole"] = np.abs(here.relative_multipole[:, 2])
    for i, (name, values) in enumerate(curves.items()):
        axes.loglog(dataset.rigidity, values, label=name, **line(i))
    axes.set(
        xlabel="rigidity $R$ [GV]",
        ylabel=f"size over the mean, $\\zeta = {float(here.zeta):g}${_unit(here)}",
    )
    _place_legend(axes)


def _pulse(axes: Axes, dataset: xr.Dataset) -> None:
    unit = _unit(dataset)
    for i, ct in enumerate(dataset.ct.values):
        values = dataset.mean_intensity.sel(ct=ct)
        axes.plot(dataset.zeta, values, label=f"$ct = {ct:g}${unit}", **line(i))
    lengths = (" [pc]", " [pc$^{-1}$]") if unit == " pc" else (" [m²/C]", " [C/m²]")
    axes.set(xlabel=f"distance along the tube $\\zeta${lengths[0]}")
    axes.set_ylabel(f"$\\langle f\\rangle${lengths[1]}")
    _place_legend(axes)


def _place_legend(axes: Axes) -> None:
    """Above the panel, in rows, where it covers nothing."""
    handles = axes.get_legend_handles_labels()[0]
    axes.legend(
        loc="lower center",
        bbox_to_anchor=(0.5, 1.0),
        ncols=3 if len(handles) in (3, 5, 6) else 2,
        borderaxespad=0.4,
    )
