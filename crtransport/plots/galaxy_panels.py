"""What the galaxy's figures of spectra and of ratios share: curves, points, axes, the legend."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from crtransport.plots.style import GREY, bars, points

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Mask = NDArray[np.bool_]

T = TypeVar("T")

PANELS = 9  # of one figure
DECADES = 4  # of a spectrum or ratio, below its highest point
ENERGY = "kinetic energy $T$ [GeV/n]"
RIGIDITY = "rigidity $R$ [GV]"

LIS, TOA = "interstellar", "at the Earth"
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


def legend(figure: Figure, handles: dict[str, Any]) -> None:
    """The curves first, then the experiments in the order of the deck."""
    names = sorted(handles, key=lambda name: [LIS, TOA, name].index(name))
    figure.legend(
        [handles[name] for name in names],
        names,
        loc="outside upper center",
        ncols=min(len(names), 3 if figure.get_figwidth() < 5 else 6),
    )
