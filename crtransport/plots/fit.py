"""A fit drawn: data with what was fitted to them, and what is known of each two parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator

from crtransport.plots.style import COLOURS, GREY, bars, new_figure, panel_label, points, style

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
    "rigidity_GV": "rigidity $x$ [GV]",
    "kinetic_energy_per_nucleon_GeV": "kinetic energy $x$ [GeV/n]",
    "kinetic_energy_GeV": "kinetic energy $x$ [GeV]",
    "total_energy_GeV": "total energy $x$ [GeV]",
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
    count = dataset.sizes["fit_table"]
    columns = min(count, 2)
    rows = -(-count // columns)
    figure = new_figure(columns, 0.4 + 2.9 * rows)
    grid = figure.add_gridspec(2 * rows, columns, height_ratios=[3, 1] * rows)
    for i in range(count):
        row, column = divmod(i, columns)
        upper = figure.add_subplot(grid[2 * row, column])
        lower = figure.add_subplot(grid[2 * row + 1, column], sharex=upper)
        some = dataset.isel(fit_table=i, fit_point=dataset.point_table.values == i)
        _panel(upper, lower, some)
        chi2 = f"χ² {float(some.fit_chi2):.1f} of {int(some.fit_points)} points"
        panel_label(upper, f"{some.fit_label.values}\n{chi2}")
        if column == 0:
            lower.set_ylabel("(data − fit)/σ")
    return figure


def _panel(upper: Axes, lower: Axes, some: xr.Dataset) -> None:
    x, y, m = (some[f"point_{name}"].values for name in ("x", "y", "prediction"))
    errors = np.stack([some.point_error_lo.values, some.point_error_hi.values])
    measured = some.point_limit.values == 0
    ratio = str(some.fit_unit.values) == "1"
    steep = np.ones_like(x) if ratio else x**_STEEP
    look = points(0)
    upper.errorbar(x, steep * y, **bars(steep * y, steep * errors, measured), **look)
    upper.plot(x, steep * m, color=COLOURS[1], zorder=3)
    upper.set(xscale="log", yscale="log")
    ends = np.concatenate([steep * m, (steep * y)[measured]])
    upper.set_ylim(ends.min() / 1.4, ends.max() * 2)
    upper.yaxis.set_minor_formatter(FuncFormatter(_two_and_five))
    if ratio:
        upper.yaxis.set_major_formatter("{x:g}")
    upper.set_ylabel("ratio" if ratio else "flux × $x^{2.7}$")
    upper.tick_params(labelbottom=False)
    residuals = some.point_residual.values
    lower.axhline(0, color=GREY, linewidth=0.7)
    lower.errorbar(x, residuals, yerr=1.0, **look)
    lower.set_ylim(*(np.array([-1, 1]) * max(3.5, 1 + np.nanmax(np.abs(residuals), initial=0))))
    lower.set_xlabel(_AXES[str(some.fit_axis.values)])


def _two_and_five(value: float, _: object) -> str:
    digits = value / 10 ** np.floor(np.log10(value))
    return f"{value:g}" if round(digits) in (2, 5) else ""


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
            powers = _power(dataset, along), _power(dataset, above)
            _ticks(axes[i, j], powers, i == size - 1, j == 0 and i > 0)
            if i == size - 1:
                axes[i, j].set_xlabel(_name(dataset, along), fontsize=6)
        if i > 0:
            axes[i, 0].set_ylabel(_name(dataset, above), fontsize=6)
    figure.legend(handles=_handles(dataset), loc="upper right")
    return figure


def _handles(dataset: xr.Dataset) -> list[Line2D]:
    known: dict[str, dict[str, Any]] = {
        "68.3 %, second derivatives": {"color": COLOURS[0], "linewidth": 1.1},
        "95.4 %": {"color": COLOURS[0], "linewidth": 0.6},
    }
    if "pair" in dataset.coords:
        known["68 %, contour followed"] = {"color": COLOURS[2], "linestyle": "--"}
    if "posterior" in dataset:
        known["draws from the posterior"] = {"color": GREY, "marker": ".", "linestyle": "none"}
    if np.isfinite(dataset.published.values).any():
        known["published"] = {"color": COLOURS[1], "marker": "+", "linestyle": "--"}
    return [Line2D([], [], label=label, **look) for label, look in known.items()]


def _ticks(axes: Axes, powers: tuple[int, int], below: bool, left: bool) -> None:
    """Few ticks, in units of powers of ten along x and y, with numbers at the margins only."""
    both = ((axes.xaxis, powers[0], below), (axes.yaxis, powers[1], left))
    for axis, power, shown in both:
        axis.set_major_locator(MaxNLocator(2, prune="both"))
        axis.set_major_formatter(FuncFormatter(lambda v, _, p=power: f"{v / 10.0**p:.4g}"))
        axis.set_tick_params(labelsize=5, which="both")
        if not shown:
            axis.set_tick_params(labelbottom=False, labelleft=False)
    axes.minorticks_off()
    axes.tick_params(axis="x", labelrotation=45)


def _power(dataset: xr.Dataset, name: str) -> int:
    """Power of ten that the numbers of a parameter are given in: 0 where these are handy."""
    value = abs(float(dataset.best.sel(parameter=name)))
    return 0 if value == 0 or 1e-3 <= value < 1e5 else int(np.floor(np.log10(value)))


def _name(dataset: xr.Dataset, name: str) -> str:
    unit = str(dataset.parameter_unit.sel(parameter=name).values)
    power = _power(dataset, name)
    parts = [f"$10^{{{power}}}$" if power else "", "" if unit == "1" else unit]
    text = " ".join(part for part in parts if part)
    return f"{name}\n[{text}]" if text else name


def _alone(axes: Axes, one: xr.Dataset) -> None:
    """The Gaussian of one parameter, or of its logarithm if that moved, and its draws."""
    value, error = float(one.best), float(one.best_error)
    if "posterior" in one:
        axes.hist(one.posterior.values.ravel(), bins=30, density=True, color="0.8")
    if np.isfinite(error) and error > 0:
        t = np.linspace(-3, 3, 200)
        log = int(one.log_scale) == 1
        x = value * np.exp(t * error / value) if log else value + t * error
        density = np.exp(-(t**2) / 2) / (error * np.sqrt(2 * np.pi))
        axes.plot(x, density * value / x if log else density, color=COLOURS[0])
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
    log = dataset.log_scale.sel(parameter=both).values == 1
    for level, width in zip(_LEVELS, (1.1, 0.6), strict=True):
        around = _ellipse(centre, covariance, log, level)
        axes.plot(*around.T, color=COLOURS[0], linewidth=width)
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


def _ellipse(centre: Array, covariance: Array, log: Array, level: float) -> Array:
    """[point, 2] around a centre, an ellipse in what moved: x, or ln x where ``log``."""
    if not np.all(np.isfinite(covariance)):
        return np.full((1, 2), np.nan)
    slopes = np.where(log, centre, 1.0)
    values, vectors = np.linalg.eigh(covariance / np.outer(slopes, slopes))
    angle: Any = np.linspace(0, 2 * np.pi, 121)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    around = (circle * np.sqrt(level * np.maximum(values, 0))) @ vectors.T
    return np.where(log, centre * np.exp(np.where(log, around, 0.0)), centre + around)
