"""What the galaxy's figures of spectra and of ratios share: curves, points, axes, the legend."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from crtransport.plots.spectra import pair, per_cent
from crtransport.plots.style import COLOURS, GREY, bars, points, scientific

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.gridspec import GridSpec
    from numpy.typing import NDArray

    from crtransport.measurements.table import Measurement

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]

    #: a table, x of its points as they are drawn, and their look
    Drawn = tuple[Measurement, Array, dict[str, Any]]

T = TypeVar("T")

_CIRCLES = 25  # of a closed form
PANELS = 9  # of one figure
DECADES = 4  # of a spectrum or ratio, below its highest point
ENERGY = "kinetic energy $T$ [GeV/n]"
RIGIDITY = "rigidity $R$ [GV]"

LIS, TOA, CLOSED = "interstellar", "at the Earth", "closed form"
LOOK: dict[str, Any] = {
    LIS: {"color": "k", "linestyle": (0, (5, 2)), "linewidth": 1.0, "zorder": 3},
    TOA: {"color": "k", "linestyle": "-", "linewidth": 1.5, "zorder": 4},
}
#: of what is measured beyond the heliosphere: black as the curve that it belongs to
_BEYOND: dict[str, Any] = {
    "color": "k",
    "marker": "d",
    "markersize": 4.0,
    "markerfacecolor": "white",
    "zorder": 3.5,
}
_AT_EARTH: dict[str, Any] = {"markersize": 2.5, "zorder": 2}


def pages(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """What each figure shows."""
    listed = list(items)
    for start in range(0, len(listed), size):
        yield listed[start : start + size]


def shape(panels: int) -> tuple[int, int]:
    """Rows and columns."""
    columns = 2 if panels in (2, 4) else min(panels, 3)
    return -(-panels // columns), columns


def pretty(name: str) -> str:
    """ "B10" and "10Be/9Be" with their mass numbers raised."""
    leading = re.sub(r"([A-Z][a-z]?)(\d+)", r"\2\1", name)
    return re.sub(r"(\d+)", r"$^{\1}$", leading)


def raised(text: str) -> str:
    """A text with the mass numbers of "10Be/9Be at 1 GeV/n" raised."""
    return re.sub(r"\b(\d+)(?=[A-Z][a-z]?\b)", r"$^{\1}$", text)


def log_axis(
    axes: Axes, values: Sequence[Array], floor: float = np.inf, above: float = 4.0
) -> None:
    """A logarithmic axis over what matters; without a positive value it stays linear.

    ``floor`` is a value that has to be seen, however far below the highest one; ``above`` is the
    room left over that.
    """
    everything = np.concatenate(values)
    seen = everything[everything > 0]
    if seen.size:
        top = seen.max()
        axes.set_yscale("log")
        axes.set_ylim(max(seen.min(), min(top * 10.0**-DECADES, floor)) / 1.5, above * top)


def looks(
    experiments: Iterable[tuple[str, bool]], colours: bool = False
) -> dict[str, dict[str, Any]]:
    """Experiment, and whether it was beyond the heliosphere -> its marker in a whole figure.

    Markers are grey, or of different colours where no curve has a colour.
    """
    beyond = dict(experiments)
    at_earth = [label for label, interstellar in beyond.items() if not interstellar]
    found = {label: dict(_BEYOND) for label in beyond}
    for i, label in enumerate(at_earth):
        look: dict[str, Any] = {**points(i), "elinewidth": 0.6, **_AT_EARTH}
        if not colours:
            look |= {"color": GREY, "markerfacecolor": "white" if i % 2 else GREY}
        found[label] = look
    return found


def draw_points(
    axes: Axes,
    x: Array,
    y: Array,
    errors: tuple[Array, Array],
    measured: Mask,
    look: dict[str, Any],
) -> Any:
    """Measured points with their errors downwards and upwards; upper limits as arrows."""
    plain: dict[str, Any] = {"linestyle": "none", "elinewidth": 0.6, "markeredgewidth": 0.6}
    return axes.errorbar(x, y, **bars(y, errors, measured), **plain | look)


def is_compared(dataset: xr.Dataset, table: Measurement) -> bool:
    """Whether the dataset has the points of a table over the model, and some within its range."""
    return "measured_over_model" in dataset and bool(
        table.name in dataset.table.values and np.isfinite(_over(dataset, table)[0]).any()
    )


def _over(dataset: xr.Dataset, table: Measurement) -> tuple[Array, tuple[Array, Array]]:
    """The points of a table and their errors, per cent from the model."""
    number = list(dataset.table.values).index(table.name)
    here = dataset.isel(measured_point=dataset.measured_table.values == number)
    errors = here.measured_over_model_lo.values, here.measured_over_model_hi.values
    return 100 * (here.measured_over_model.values - 1), (100 * errors[0], 100 * errors[1])


def one_or_pair(
    figure: Figure, grid: GridSpec, place: tuple[int, int], compared: bool
) -> tuple[Axes, Axes | None]:
    """A panel and, if something is compared in it, one of that over the model under it."""
    row, column = place
    if compared:
        return pair(figure, grid, row, column)
    return figure.add_subplot(grid[2 * row : 2 * row + 2, column]), None


def draw_over(axes: Axes, dataset: xr.Dataset, drawn: Sequence[Drawn]) -> None:
    """Measured points, per cent from the model."""
    for table, x, look in drawn:
        found, errors = _over(dataset, table)
        some = np.isfinite(found)
        sizes = errors[0][some], errors[1][some]
        draw_points(axes, x[some], found[some], sizes, table.measured[some], look)
    per_cent(axes)


def tell_error(figure: Figure, dataset: xr.Dataset) -> None:
    """Lines under the figure: the numerical error with the tolerance, and the closed form."""
    error, tolerance = (dataset.attrs.get(f"error_{n}", np.nan) for n in ("estimate", "tolerance"))
    lines = []
    if np.isfinite(error):
        allowed = f"tolerance {scientific(tolerance, 1)}"
        lines = [f"relative numerical error ≤ {scientific(error)} ({allowed})"]
    if "flux_closed_form" in dataset:
        off = float(np.abs(dataset.flux_closed_form / dataset.flux_lis - 1).max())
        lines.append(dataset.flux_closed_form.attrs["formula"])
        lines.append(f"largest difference from the closed form {scientific(off)}")
    figure.supxlabel("\n".join(lines), fontsize=6.5, color=GREY)


def draw_closed_form(axes: Axes, x: Array, y: Array) -> dict[str, Any]:
    """Circles of a closed form over its curve."""
    look: Any = {"color": COLOURS[1], "markerfacecolor": "none", "markersize": 4, "zorder": 6}
    every = max(1, len(x) // _CIRCLES)
    return {CLOSED: axes.plot(x[::every], y[::every], "o", **look)[0]}


def legend(figure: Figure, handles: dict[str, Any]) -> None:
    """The curves first, then the experiments in the order of the deck."""
    names = sorted(handles, key=lambda name: [LIS, TOA, name].index(name))
    most = 3 if figure.get_figwidth() < 5 else 6
    rows = -(-len(names) // most)
    figure.legend(
        [handles[name] for name in names],
        names,
        loc="outside upper center",
        ncols=-(-len(names) // rows),
    )
