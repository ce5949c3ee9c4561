"""A fit drawn: data with what was fitted to them, and what is known of each two parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator

from crtransport.plots.galaxy_panels import pages
from crtransport.plots.spectra import per_cent
from crtransport.plots.style import (
    COLOURS,
    GREY,
    bars,
    new_figure,
    panel_label,
    points,
    style,
    unit_text,
)

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
_STEEP = 2.7  # power of x that fluxes are drawn times
_FEW = 1500  # draws that are drawn
_PAGE = 4  # tables in a figure
_AXES = {
    "rigidity_GV": "rigidity",
    "kinetic_energy_per_nucleon_GeV": "kinetic energy",
    "kinetic_energy_GeV": "kinetic energy",
    "total_energy_GeV": "total energy",
}
_SYMBOLS = {
    "rigidity_GV": ("R", "GV"),
    "kinetic_energy_per_nucleon_GeV": ("T", "GeV/n"),
    "kinetic_energy_GeV": ("E_k", "GeV"),
    "total_energy_GeV": ("E", "GeV"),
}
_NOTE = (
    "Δ: per cent from the fit, with the errors that points do not share; "
    "residual: decorrelated, the squares sum to χ²"
)
_GREY_TEXT: Any = {"fontsize": 6.5, "color": GREY}
_LOOK: Any = {**points(0), "markersize": 2.5}


def draw(dataset: xr.Dataset) -> dict[str, Figure]:
    """Figures of a fit by name: "fit", data and residuals, and "corner", pairs of parameters.

    What has no room in "fit" follows in "fit_2" and so on.
    """
    with style():
        tables = range(dataset.sizes["fit_table"])
        found = {
            f"fit_{i}" if i > 1 else "fit": _data(dataset, some)
            for i, some in enumerate(pages(tables, _PAGE), 1)
        }
        if dataset.sizes["parameter"] > 1:
            found["corner"] = _corner(dataset)
        return found


def _data(dataset: xr.Dataset, tables: list[int]) -> Figure:
    """For each table the data with the fit, and below, how far they are apart."""
    columns = min(len(tables), 2)
    rows = -(-len(tables) // columns)
    figure = new_figure(columns, 0.6 + 3.5 * rows)
    grid = figure.add_gridspec(3 * rows, columns, height_ratios=[2.6, 1, 1] * rows)
    figure.set_layout_engine("constrained", h_pad=0.02, hspace=0.0)
    handles: dict[str, Any] = {}
    for i, table in enumerate(tables):
        row, column = divmod(i, columns)
        upper = figure.add_subplot(grid[3 * row, column])
        lower = [figure.add_subplot(grid[3 * row + k, column], sharex=upper) for k in (1, 2)]
        some = dataset.isel(fit_table=table, fit_point=dataset.point_table.values == table)
        handles |= _spectrum(upper, some)
        handles |= _over_fit(lower[0], some)
        _residuals(lower[1], some)
        for axes in (upper, lower[0]):
            axes.tick_params(labelbottom=False)
        chi2 = f"χ² {float(some.fit_chi2):.1f} of {int(some.fit_points)} points"
        panel_label(upper, f"{some.fit_label.values}\n{chi2}")
        if column > 0:
            lower[0].set_ylabel("")
    figure.legend(handles.values(), handles.keys(), loc="outside upper center", ncols=2 * columns)
    if any(_is_correlated(dataset.isel(fit_table=table)) for table in tables):
        figure.supxlabel(_NOTE if columns > 1 else _NOTE.replace("; ", "\n"), **_GREY_TEXT)
    return figure


def _is_correlated(some: xr.Dataset) -> bool:
    return str(some.fit_systematics.values) != "quadrature"


def _spectrum(axes: Axes, some: xr.Dataset) -> dict[str, Any]:
    x, y, m = (some[f"point_{name}"].values for name in ("x", "y", "prediction"))
    errors = np.stack([some.point_error_lo.values, some.point_error_hi.values])
    measured = some.point_limit.values == 0
    ratio = str(some.fit_unit.values) == "1"
    steep = np.ones_like(x) if ratio else x**_STEEP
    drawn = bars(steep * y, steep * errors, measured)
    handles: dict[str, Any] = {"measured": axes.errorbar(x, steep * y, **drawn, **_LOOK)}
    handles["fit"] = axes.plot(x, steep * m, color=COLOURS[1], zorder=3)[0]
    margin = 1.1 * (x.max() / x.min()) ** 0.03
    axes.set(xscale="log", yscale="log", xlim=(x.min() / margin, x.max() * margin))
    ends = np.concatenate([steep * m, (steep * y)[measured]])
    # room for the two lines of text above all
    axes.set_ylim(ends.min() / 1.4, ends.max() * max(2.0, (ends.max() / ends.min()) ** 0.35))
    axes.yaxis.set_minor_formatter(FuncFormatter(_two_and_five))
    if ratio:
        axes.yaxis.set_major_formatter("{x:g}")
    axes.set_ylabel("ratio" if ratio else _flux_label(some))
    return handles


def _flux_label(some: xr.Dataset) -> str:
    symbol, unit = _SYMBOLS[str(some.fit_axis.values)]
    power = f"$^{{{_STEEP - 1:g}}}$"
    times = f"({unit}){power}" if "/" in unit else f"{unit}{power}"
    return f"${symbol}^{{{_STEEP:g}}}\\,\\Phi$ [{times} m$^{{-2}}$ s$^{{-1}}$ sr$^{{-1}}$]"


def _over_fit(axes: Axes, some: xr.Dataset) -> dict[str, Any]:
    """What is measured, per cent from the fit, the band of the fit, and the systematic shift."""
    x, m = some.point_x.values, some.point_prediction.values
    found = 100 * (some.point_y.values / m - 1)
    measured = some.point_limit.values == 0
    errors = [some[f"point_error_{side}"].values for side in ("lo", "hi")]
    handles: dict[str, Any] = {}
    if _is_correlated(some):
        own = some.point_error_own.values
        errors = [np.where(measured, own, error) for error in errors]
        shift = 100 * some.point_shift.values / m
        drawn = axes.plot(x[measured], shift[measured], color=COLOURS[2], linestyle="--", zorder=4)
        handles["fitted systematic shift"] = drawn[0]
    sizes = 100 * errors[0] / m, 100 * errors[1] / m
    axes.errorbar(x, found, **bars(found, sizes, measured), **_LOOK)
    per_cent(axes, COLOURS[1])
    low, high = (100 * (some[f"point_band_{end}"].values / m - 1) for end in ("lo", "hi"))
    if x.size > 1 and np.all(np.isfinite(low)):
        look: Any = {"color": COLOURS[1], "alpha": 0.3, "linewidth": 0, "zorder": 1.5}
        handles["68 % of the fit"] = axes.fill_between(x, low, high, **look)
    return handles


def _residuals(axes: Axes, some: xr.Dataset) -> None:
    """Independent residuals, whose squares sum to χ²."""
    residuals = some.point_decorrelated.values
    axes.axhline(0, color=GREY, linewidth=0.7)
    axes.errorbar(some.point_x.values, residuals, yerr=1.0, **_LOOK)
    axes.set_ylim(*(np.array([-1, 1]) * max(3.5, 1 + np.max(np.abs(residuals)))))
    axes.set_ylabel("residual [σ]")
    symbol, unit = _SYMBOLS[str(some.fit_axis.values)]
    axes.set_xlabel(f"{_AXES[str(some.fit_axis.values)]} ${symbol}$ [{unit}]")


def _two_and_five(value: float, _: object) -> str:
    digits = value / 10 ** np.floor(np.log10(value))
    return f"{value:g}" if round(digits) in (2, 5) else ""


def _corner(dataset: xr.Dataset) -> Figure:
    """Ellipses of the second derivatives, contours that were followed, draws; published values."""
    names, rest = [list(map(str, n)) for n in np.split(dataset.parameter.values, [_MOST])]
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
            if j <= i:
                _within(axes[i, j], dataset, along, above)
            powers = _power(dataset, along), _power(dataset, above)
            _ticks(axes[i, j], powers, i == size - 1, j == 0 and i > 0)
            if i == size - 1:
                axes[i, j].set_xlabel(_name(dataset, along), fontsize=6)
        if i > 0:
            axes[i, 0].set_ylabel(_name(dataset, above), fontsize=6)
    figure.legend(handles=_handles(dataset), loc="upper right")
    if rest:
        figure.supxlabel("without room here: " + ", ".join(rest), **_GREY_TEXT)
    return figure


def _within(axes: Axes, dataset: xr.Dataset, along: str, above: str) -> None:
    """End the axes at the bounds of their parameters, where a published value does not lie out."""
    lower, upper = _bounds(dataset.sel(parameter=along))
    low, high = axes.get_xlim()
    axes.set_xlim(max(low, lower), min(high, upper))
    if along == above:
        return  # y is a density
    lower, upper = _bounds(dataset.sel(parameter=above))
    low, high = axes.get_ylim()
    axes.set_ylim(max(low, lower), min(high, upper))


def _bounds(one: xr.Dataset) -> tuple[float, float]:
    """The bounds of a parameter, or a published value beyond."""
    published = float(one.published)
    ends = float(one.lower_bound), float(one.upper_bound)
    return float(np.fmin(ends[0], published)), float(np.fmax(ends[1], published))


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
    parts = [f"$10^{{{power}}}$" if power else "", "" if unit == "1" else unit_text(unit)]
    text = " ".join(part for part in parts if part)
    return f"{name}\n[{text}]" if text else name


def _alone(axes: Axes, one: xr.Dataset) -> None:
    """The Gaussian of one parameter, or of its logarithm if that moved, and its draws."""
    value, error = float(one.best), float(one.best_error)
    if "posterior" in one:
        axes.hist(one.posterior.values.ravel(), bins=30, density=True, color="0.8")
    if np.isfinite(error) and error > 0:
        log = int(one.log_scale) == 1
        three = np.array([-3.0, 3.0]) * error
        ends = value * np.exp(three / value) if log else value + three
        bounds = float(one.lower_bound), float(one.upper_bound)
        low, high = np.clip(ends, *bounds)
        x = np.linspace(low, high, 200)
        t = np.log(x / value) * value / error if log else (x - value) / error
        density = np.exp(-(t**2) / 2) / (x if log else 1.0)
        axes.plot(x, density / np.trapezoid(density, x), color=COLOURS[0])
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
    lower, upper = (
        dataset[f"{end}_bound"].sel(parameter=both).values for end in ("lower", "upper")
    )
    for level, width in zip(_LEVELS, (1.1, 0.6), strict=True):
        around = np.clip(_ellipse(centre, covariance, log, level), lower, upper)
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
