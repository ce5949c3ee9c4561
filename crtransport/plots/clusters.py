"""The figures of clusters: luminosities with limits as arrows, spectra with both components."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from crtransport.constants import ERG
from crtransport.measurements.table import Measurement
from crtransport.plots.style import COLOURS, GREY, limits, line, new_figure, panel_label, style

if TYPE_CHECKING:
    import xarray as xr

_ERG = 1e-3 / ERG  # per MeV
_COLUMNS = 5
_PAGE = 30  # clusters in a figure
_COMPUTED = "the same from photon fields"
#: what may stand in the legend of spectra, the components first
_LEGEND = ("curvature", "inverse Compton", _COMPUTED, "sum", "detection", "upper limit")
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
    figure = new_figure(columns, height=2.4 * rows + 0.3)
    axes = figure.subplots(rows, columns, squeeze=False, sharey=True)
    handles: dict[str, Any] = {}
    for panel, name in zip(axes.flat, names, strict=False):
        handles |= _correlation(panel, dataset.sel(observable=name), name)
    for panel in axes[:, 0]:
        panel.set_ylabel(r"$L_\gamma$ [erg s$^{-1}$]")
    if free := list(axes.flat[len(names) :]):
        free[0].axis("off")
        free[0].legend(handles.values(), handles.keys(), loc="center")
    else:
        ncols = 5 if columns > 1 else 2
        figure.legend(handles.values(), handles.keys(), loc="outside upper center", ncols=ncols)
    return figure


def _correlation(axes: Axes, here: xr.Dataset, name: str) -> dict[str, Any]:
    known = np.isfinite(here.log10_x.values)
    limit = here.limit.values > 0
    scale = (lambda v: v) if name == "metallicity" else (lambda v: 10**v)
    x, y = here.log10_x.values, 10**here.log10_luminosity.values
    handles: dict[str, Any] = {}
    seen = known & ~limit
    handles["detection"] = axes.plot(scale(x[seen]), y[seen], "o", color=COLOURS[0])[0]
    unseen = known & limit
    handles["upper limit"] = axes.plot(scale(x[unseen]), y[unseen], **limits(GREY))[0]
    if name != "metallicity":
        axes.set_xscale("log")
    axes.set_yscale("log")
    grid = np.linspace(x[known].min(), x[known].max(), 50)
    middle = float(here.intercept) + float(here.slope) * grid
    variance = (
        float(here.intercept_error) ** 2
        + 2 * float(here.slope_intercept_covariance) * grid
        + (float(here.slope_error) * grid) ** 2
    )
    width = np.sqrt(variance)
    handles["line of greatest likelihood"] = axes.plot(scale(grid), 10**middle, "k-", zorder=4)[0]
    low, high = 10 ** (middle - width), 10 ** (middle + width)
    handles["its 1σ band"] = axes.fill_between(
        scale(grid), low, high, color=COLOURS[1], alpha=0.35, linewidth=0
    )
    if np.isfinite(here.published_slope):
        published = float(here.published_intercept) + float(here.published_slope) * grid
        handles["Song et al. 2021, Table 1"] = axes.plot(
            scale(grid), 10**published, linestyle="--", color=COLOURS[2], zorder=3
        )[0]
    axes.set_ylim(0.3 * y[known].min(), 3 * y[known].max())
    axes.set_xlabel(_NAMES[name])
    how = "extrapolated" if int(here.extrapolated) else "counted"
    panel_label(axes, f"slope {float(here.slope):.2f} ± {float(here.slope_error):.2f}")
    _corner(axes, f"{float(here.significance):.1f}σ ({how})", top=False)
    return handles


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
        _corner(panel, _spaced(name), top=True)
    for panel in axes.flat[len(names) :]:
        panel.remove()
    first = axes[0, 0]
    first.set_xscale("log")
    first.set_yscale("log")
    first.set_ylim(float(dataset.spectrum.max()) * 10**-3.5, 10 * float(dataset.spectrum.max()))
    first.xaxis.set_major_locator(LogLocator(numticks=9))
    first.xaxis.set_major_formatter("{x:g}")
    figure.supxlabel("photon energy [GeV]", fontsize=8)
    figure.supylabel(r"$E^2\,dN/dE$ [erg cm$^{-2}$ s$^{-1}$]", fontsize=8)
    order = [label for label in _LEGEND if label in handles]
    lines = [handles[label] for label in order]
    figure.legend(lines, order, loc="outside upper center", ncols=len(order), columnspacing=1.2)
    return figure


def _spaced(name: str) -> str:
    """A cluster's name as it is printed: "NGC 6266" for "NGC6266"."""
    return re.sub(r"^([A-Za-z]+)(\d+)$", r"\1 \2", name)


def _spectrum(axes: Axes, here: xr.Dataset) -> dict[str, Any]:
    energy = here.energy.values / 1e3
    handles: dict[str, Any] = {}
    for i, (component, label) in enumerate(zip(here.component.values, _LEGEND, strict=False)):
        one = here.sel(component=component)
        value, error = one.spectrum.values, one.spectrum_error.values
        if value.max() > 0:
            handles[label] = axes.plot(energy, value, **line(i))[0]
            low = np.maximum(value - error, 1e-3 * value)
            axes.fill_between(energy, low, value + error, color=line(i)["color"], alpha=0.25, lw=0)
    total = here.spectrum.sum("component")
    handles["sum"] = axes.plot(energy, total, "k-", linewidth=0.9, zorder=1.9)[0]
    if "scattering" in here.coords and (own := here.scattering.values == here.cluster.item()).any():
        scattered = here.scattered_spectrum.values[own][0]
        handles[_COMPUTED] = axes.plot(energy, scattered, **line(2))[0]
    return handles | _measured(axes, here)


def _measured(axes: Axes, here: xr.Dataset) -> dict[str, Any]:
    """Bands as E² dN/dE of an E⁻² spectrum with the same flux, at their middle."""
    low, high = here.band_low.values, here.band_high.values
    per_flux = _ERG * low * high / (high - low)
    middle = np.sqrt(low * high) / 1e3
    limit = here.band_limit.values > 0
    seen = here.band_limit.values == 0
    bars = axes.errorbar(
        middle[seen],
        (per_flux * here.band_flux.values)[seen],
        xerr=[(middle - low / 1e3)[seen], (high / 1e3 - middle)[seen]],
        yerr=(per_flux * here.band_flux_error.values)[seen],
        marker="o",
        markersize=2,
        elinewidth=0.7,
        color="k",
        linestyle="none",
        zorder=4,
    )
    level = (per_flux * here.band_level.values)[limit]
    arrows = axes.plot(middle[limit], level, **limits(GREY))[0]
    return {"detection": bars, "upper limit": arrows}
