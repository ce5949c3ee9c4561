"""A fit drawn: data with what was fitted to them, and what is known of each two parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import MaxNLocator

from crtransport.plots.style import COLOURS, GREY, new_figure, panel_label, points, style

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

#: Δχ² of two parameters within which lie 68.3 and 95.4 % (Avni 1976, ApJ 210, 642)
_LEVELS = (2.30, 6.18)
#: parameters in the corner
_MOST = 12
_STEEP = 2.7  # fluxes are drawn times x^2.7
_FEW = 1500  # draws that are drawn
_AXES = {
    "m-2 s-1 sr-1 GV-1": "rigidity [GV]",
    "m-2 s-1 sr-1 (GeV/n)-1": "kinetic energy [GeV/n]",
}


def draw(dataset: xr.Dataset) -> dict[str, Figure]:
    """Figures of a fit by name: "fit", data and residuals, and "corner", pairs of parameters."""
    with style():
        found = {"fit": _data(dataset)}
        if dataset.sizes["parameter"] > 1:
            found["corner"] = _corner(dataset)
        return found


def _data(dataset: xr.Dataset) -> Figure:
    """For each table the data with the fit, and below, how far they are apart."""
    names = [str(name) for name in dataset.fit_table.values]
    columns = min(len(names), 2)
    rows = -(-len(names) // columns)
    figure = new_figure(columns, 0.4 + 2.9 * rows)
    grid = figure.add_gridspec(2 * rows, columns, height_ratios=[3, 1] * rows)
    for i, name in enumerate(names):
        row, column = divmod(i, columns)
        upper = figure.add_subplot(grid[2 * row, column])
        lower = figure.add_subplot(grid[2 * row + 1, column], sharex=upper)
        _panel(upper, lower, dataset.isel(fit_point=dataset.point_table.values == i))
        chi2 = float(dataset.fit_chi2[i])
        text = f"{_title(name)}\nχ² {chi2:.1f} of {int(dataset.fit_points[i])} points"
        panel_label(upper, text)
        upper.tick_params(labelbottom=False)
        if column == 0:
            lower.set_ylabel("(data − fit)/σ")
    return figure


def _title(name: str) -> str:
    """ "AMS-02_B_C_rigidity" as "AMS-02 B C"."""
    return " ".join(name.split("_")[:-1]) or name


def _panel(upper: Axes, lower: Axes, some: xr.Dataset) -> None:
    x, y, m = (some[f"point_{n}"].values for n in ("x", "y", "prediction"))
    errors = np.stack([some.point_error_lo.values, some.point_error_hi.values])
    limit = some.point_limit.values.astype(bool)
    ratio = "_flux" not in str(some.point_y.attrs) and np.nanmax(y) > 1e-3
    steep = np.ones_like(x) if ratio and y.max() / y.min() < 1e3 else x**_STEEP
    look = points(0)
    upper.errorbar(
        x, steep * y, yerr=steep * np.where(limit, 0.3 * y, errors), uplims=limit, **look
    )
    upper.plot(x, steep * m, color=COLOURS[1], zorder=3)
    upper.set_xscale("log")
    low, high = (steep * (y - errors[0])).min(), (steep * (y + errors[1])).max()
    upper.set_yscale("log")
    upper.set_ylim(low / 1.2, high * 1.6)
    upper.set_ylabel("ratio" if np.all(steep == 1) else "flux × $x^{2.7}$")
    lower.axhline(0, color=GREY, linewidth=0.7)
    lower.errorbar(x, some.point_residual.values, yerr=1.0, **look)
    lower.set_ylim(-3.5, 3.5)
    lower.set_xlabel("rigidity [GV]")


def _corner(dataset: xr.Dataset) -> Figure:
    """Ellipses of the second derivatives, contours that were followed, draws; published values."""
    names = [str(n) for n in dataset.parameter.values[:_MOST]]
    size = len(names)
    figure = new_figure(2, 7.0)
    axes = figure.subplots(size, size, sharex="col", squeeze=False)
    for i, above in enumerate(names):
        for j, along in enumerate(names):
            if j > i:
                axes[i, j].set_axis_off()
            elif i == j:
                _alone(axes[i, j], dataset.sel(parameter=along))
            else:
                _pair(axes[i, j], dataset, (along, above))
            _ticks(axes[i, j], i == size - 1, j == 0 and i > 0)
            if i == size - 1:
                axes[i, j].set_xlabel(_name(dataset, along), fontsize=6)
        if i > 0:
            axes[i, 0].set_ylabel(_name(dataset, above), fontsize=6)
    return figure


def _ticks(axes: Axes, below: bool, left: bool) -> None:
    for axis, shown in ((axes.xaxis, below), (axes.yaxis, left)):
        axis.set_major_locator(MaxNLocator(2, prune="both"))
        axis.set_tick_params(labelsize=5, which="both")
        if not shown:
            axis.set_tick_params(labelbottom=False, labelleft=False)
        axis.offsetText.set_fontsize(5)
    axes.minorticks_off()
    axes.tick_params(axis="x", labelrotation=45)


def _name(dataset: xr.Dataset, name: str) -> str:
    unit = str(dataset.parameter_unit.sel(parameter=name).values)
    return name if unit == "1" else f"{name}\n[{unit}]"


def _alone(axes: Axes, one: xr.Dataset) -> None:
    """The Gaussian of one parameter, and its draws."""
    value, error = float(one.best), float(one.best_error)
    if "posterior" in one:
        axes.hist(one.posterior.values.ravel(), bins=30, density=True, color="0.8")
    if np.isfinite(error) and error > 0:
        x = np.linspace(value - 3 * error, value + 3 * error, 200)
        density = np.exp(-(((x - value) / error) ** 2) / 2) / (error * np.sqrt(2 * np.pi))
        axes.plot(x, density, color=COLOURS[0])
    if np.isfinite(one.published):
        axes.axvline(float(one.published), color=COLOURS[1], linestyle="--", linewidth=0.9)
    axes.set_yticks([])


def _pair(axes: Axes, dataset: xr.Dataset, pair: tuple[str, str]) -> None:
    both = list(pair)
    if "posterior" in dataset:
        draws = dataset.posterior.sel(parameter=both).values.reshape(-1, 2)
        thin = draws[:: max(1, len(draws) // _FEW)]
        axes.plot(*thin.T, ",", color=GREY, alpha=0.5)
    centre = dataset.best.sel(parameter=both).values
    covariance = dataset.covariance.sel(parameter=both, other_parameter=both).values
    for level, width in zip(_LEVELS, (1.1, 0.6), strict=True):
        axes.plot(*_ellipse(centre, covariance, level).T, color=COLOURS[0], linewidth=width)
    for name in dataset.pair.values if "pair" in dataset.coords else ():
        order = _order(str(name).split(" "), both)
        if order:
            around = dataset.contour.sel(pair=name).values[:, order]
            axes.plot(*np.vstack([around, around[:1]]).T, color=COLOURS[2], linestyle="--")
    published = dataset.published.sel(parameter=both).values
    axes.plot(*centre, ".", color=COLOURS[0], markersize=3)
    if np.all(np.isfinite(published)):
        axes.plot(*published, "+", color=COLOURS[1], markersize=5)


def _order(drawn: list[str], pair: list[str]) -> list[int]:
    """Columns of a contour for the axes of a pair; none if it is of another."""
    return [drawn.index(name) for name in pair] if set(drawn) == set(pair) else []


def _ellipse(centre: Array, covariance: Array, level: float) -> Array:
    if not np.all(np.isfinite(covariance)):
        return np.full((1, 2), np.nan)
    values, vectors = np.linalg.eigh(covariance)
    angle: Any = np.linspace(0, 2 * np.pi, 121)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    scale = np.sqrt(level * np.maximum(values, 0))
    return np.asarray(centre + (circle * scale) @ vectors.T)
