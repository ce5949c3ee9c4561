"""The figures of clusters: luminosities with limits as arrows, spectra with both components."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from crtransport.constants import ERG
from crtransport.measurements.table import Measurement
from crtransport.plots.style import COLOURS, GREY, line, new_figure, panel_label, style

if TYPE_CHECKING:
    import xarray as xr

_ERG = 1e-3 / ERG  # per MeV
_COLUMNS = 5
_PAGE = 30  # clusters in a figure
_NAMES = {
    "encounter_rate": r"encounter rate $\Gamma_c$ (47 Tuc = 1000)",
    "u_total": r"$u_\mathrm{total}$ [eV cm$^{-3}$]",
    "u_mw": r"$u_\mathrm{MW}$ [eV cm$^{-3}$]",
    "u_gc": r"$u_\mathrm{GC}$ [eV cm$^{-3}$]",
    "metallicity": "[Fe/H]",
}


def draw(dataset: xr.Dataset, points: Sequence[Measurement]) -> dict[str, Figure]:
    """One panel for each observable, or one for each cluster's spectrum.

    Parameters
    ----------
    dataset : xarray.Dataset
        Of `crtransport.clusters.model.solve`, which has the measured points in it.
    points : sequence of Measurement
        Not drawn: no deck of clusters names any.

    Returns
    -------
    dict
        Figures by name; the first one's is "".
    """
    with style():
        if "observable" in dataset.coords:
            return {"": _correlations(dataset)}
        pages = range(0, dataset.sizes["cluster"], _PAGE)
        return {
            f"from_{start}" if start else "": _spectra(
                dataset.isel(cluster=slice(start, start + _PAGE))
            )
            for start in pages
        }


def _correlations(dataset: xr.Dataset) -> Figure:
    names = [str(name) for name in dataset.observable.values]
    columns = min(2, len(names))
    rows = -(-len(names) // columns)
    figure = new_figure(columns, height=2.6 * rows + 0.3)
    axes = figure.subplots(rows, columns, squeeze=False, sharey=True)
    for panel, name in zip(axes.flat, names, strict=False):
        _correlation(panel, dataset.sel(observable=name), name)
    for panel in axes.flat[len(names) :]:
        panel.remove()
    for panel in axes[:, 0]:
        panel.set_ylabel(r"$L_\gamma$ [erg s$^{-1}$]")
    handles, labels = axes[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=2 * columns)
    return figure


def _correlation(axes: Axes, here: xr.Dataset, name: str) -> None:
    known = np.isfinite(here.log10_x.values)
    limit = here.limit.values > 0
    scale = (lambda v: v) if name == "metallicity" else (lambda v: 10**v)
    x, y = here.log10_x.values, 10**here.log10_luminosity.values
    for some, marker, colour, text in (
        (known & limit, r"$\downarrow$", GREY, "upper limit"),
        (known & ~limit, "o", COLOURS[0], "detection"),
    ):
        axes.plot(scale(x[some]), y[some], marker=marker, color=colour, ls="none", label=text)
    grid = np.linspace(x[known].min(), x[known].max(), 50)
    middle = float(here.intercept) + float(here.slope) * grid
    variance = (
        float(here.intercept_error) ** 2
        + 2 * float(here.slope_intercept_covariance) * grid
        + (float(here.slope_error) * grid) ** 2
    )
    width = np.sqrt(variance)
    axes.plot(scale(grid), 10**middle, "k-", label="line of greatest likelihood")
    low, high = 10 ** (middle - width), 10 ** (middle + width)
    axes.fill_between(scale(grid), low, high, color=COLOURS[1], alpha=0.3, lw=0, label="1σ of it")
    if name != "metallicity":
        axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_ylim(0.3 * y[known].min(), 3 * y[known].max())
    axes.set_xlabel(_NAMES[name])
    how = "extrapolated" if int(here.extrapolated) else "counted"
    panel_label(axes, f"{float(here.slope):.2f} ± {float(here.slope_error):.2f}")
    _corner(axes, f"{float(here.significance):.1f}σ, {how}", top=False)


def _corner(axes: Axes, text: str, top: bool) -> None:
    """A label in a corner on the right, which `panel_label` leaves free."""
    axes.annotate(
        text,
        (1, int(top)),
        (-5, -5 if top else 5),
        xycoords="axes fraction",
        textcoords="offset points",
        ha="right",
        va="top" if top else "bottom",
    )


def _spectra(dataset: xr.Dataset) -> Figure:
    names = [str(name) for name in dataset.cluster.values]
    columns = min(_COLUMNS, len(names))
    rows = -(-len(names) // columns)
    figure = new_figure(2, height=1.25 * rows + 0.8)
    axes = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    handles: dict[str, Any] = {}
    for panel, name in zip(axes.flat, names, strict=False):
        handles |= _spectrum(panel, dataset.sel(cluster=name))
        _corner(panel, name, top=True)
    for panel in axes.flat[len(names) :]:
        panel.remove()
    peak = float(dataset.spectrum.max())
    axes[0, 0].set_xscale("log")
    axes[0, 0].set_yscale("log")
    axes[0, 0].set_ylim(peak * 10**-3.5, 5 * peak)
    figure.supxlabel("E [GeV]", fontsize=8)
    figure.supylabel(r"$E^2\,dN/dE$ [erg cm$^{-2}$ s$^{-1}$]", fontsize=8)
    figure.legend(handles.values(), handles.keys(), loc="outside upper center", ncols=5)
    return figure


def _spectrum(axes: Axes, here: xr.Dataset) -> dict[str, Any]:
    energy = here.energy.values / 1e3
    handles: dict[str, Any] = {}
    for i, component in enumerate(here.component.values):
        one = here.sel(component=component)
        value, error = one.spectrum.values, one.spectrum_error.values
        if value.max() > 0:
            handles[str(component)] = axes.plot(energy, value, **line(i))[0]
            low = np.maximum(value - error, 1e-3 * value)
            axes.fill_between(energy, low, value + error, color=line(i)["color"], alpha=0.25, lw=0)
    handles["sum"] = axes.plot(energy, here.spectrum.sum("component"), "k-", linewidth=0.9)[0]
    return handles | _measured(axes, here)


def _measured(axes: Axes, here: xr.Dataset) -> dict[str, Any]:
    """Bands as E² dN/dE of an E⁻² spectrum with the same flux, at their middle."""
    low, high = here.band_low.values, here.band_high.values
    per_flux = _ERG * low * high / (high - low)
    middle = np.sqrt(low * high) / 1e3
    limit = here.band_limit.values > 0
    seen = here.band_limit.values == 0
    look: Any = {"color": "k", "linestyle": "none", "zorder": 4}
    bars = axes.errorbar(
        middle[seen],
        (per_flux * here.band_flux.values)[seen],
        xerr=[(middle - low / 1e3)[seen], (high / 1e3 - middle)[seen]],
        yerr=(per_flux * here.band_flux_error.values)[seen],
        marker="o",
        markersize=2,
        elinewidth=0.7,
        **look,
    )
    level = (per_flux * here.band_level.values)[limit]
    arrows = axes.plot(middle[limit], level, marker=r"$\downarrow$", markersize=4, **look)[0]
    return {"detection": bars, "upper limit": arrows}
