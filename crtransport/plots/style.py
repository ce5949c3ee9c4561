"""One look for all figures: journal columns, colours for all eyes, and readable without colour.

    with style():
        figure = new_figure(columns=2)
        axes = figure.subplots()

Figures are made without pyplot, so no figure outlives its caller.
"""

from __future__ import annotations

import contextlib
import re
import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, TypedDict

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.path import Path

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

#: Okabe & Ito 2008, "Color Universal Design"; its yellow is left out, too pale for lines on white,
#: and the order alternates dark and light, so that neighbours differ in grey
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#56B4E9", "#E69F00")
LINES: tuple[Any, ...] = ("-", "--", "-.", (0, (1, 1.2)), (0, (6, 1, 1, 1, 1, 1)), (0, (8, 2)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
GREY = "0.45"

#: widths of one and two columns of the AAS, A&A and APS journals, inch (86 mm and 178 mm)
WIDTHS = {1: 3.39, 2: 7.0}
DPI = 200

_RC: Any = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, and has every Greek letter
    "font.size": 8,
    "axes.labelsize": 8,
    "axes.titlesize": 8,
    "axes.titlelocation": "left",
    "legend.fontsize": 7,
    "legend.frameon": False,
    "legend.handlelength": 2.4,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "xtick.direction": "in",
    "ytick.direction": "in",
    "xtick.top": True,
    "ytick.right": True,
    "xtick.minor.visible": True,
    "ytick.minor.visible": True,
    "axes.linewidth": 0.7,
    "lines.linewidth": 1.3,
    "lines.markersize": 3.5,
    "errorbar.capsize": 0,
    "axes.unicode_minus": True,
}


class _Line(TypedDict):
    color: str
    linestyle: Any


class _Points(TypedDict):
    color: str
    marker: str
    markerfacecolor: str
    linestyle: str
    elinewidth: float


@contextlib.contextmanager
def style() -> Iterator[None]:
    """The look of the package, for what is made inside the ``with`` and nothing else."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(_RC)
        yield


def new_figure(columns: int = 1, height: float | None = None) -> Figure:
    """An empty figure of one or two journal columns.

    Parameters
    ----------
    columns : int
        1 or 2.
    height : float, optional
        Inch; by default three quarters of one column's width, for each column.
    """
    width = WIDTHS[columns]
    figure = Figure(figsize=(width, height or 0.75 * width), dpi=DPI, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def line(i: int) -> _Line:
    """Colour and dashes of the i-th curve: either alone tells the curves apart."""
    return {"color": COLOURS[i % len(COLOURS)], "linestyle": LINES[i % len(LINES)]}


def points(i: int) -> _Points:
    """Colour and symbol of the i-th set of points, for ``axes.errorbar``; every second is open."""
    colour = COLOURS[i % len(COLOURS)]
    return {
        "color": colour,
        "marker": MARKERS[i % len(MARKERS)],
        "markerfacecolor": "white" if i % 2 else colour,
        "linestyle": "none",
        "elinewidth": 0.7,
    }


def bars(y: Array, errors: tuple[Array, Array], measured: NDArray[np.bool_]) -> dict[str, Any]:
    """Errors downwards and upwards for ``axes.errorbar``; what is no value hangs on an arrow."""
    if measured.all():
        return {"yerr": errors}
    below, above = np.where(measured, errors, [[0.5], [0.0]] * np.abs(y))
    return {"yerr": (below, above), "uplims": ~measured}


def reference(
    axes: Axes, label: str, x: Array, y: Array, errors: tuple[Array, Array]
) -> dict[str, Any]:
    """A reference curve with its 1σ band, behind everything; its label, in lines, and handle."""
    band = axes.fill_between(x, y - errors[0], y + errors[1], color="0.8", linewidth=0, zorder=1)
    curve = axes.plot(x, y, color=GREY, linewidth=0.8, zorder=1.5)[0]
    wide = figure.get_figwidth() > 5 if (figure := axes.get_figure(root=True)) else False
    return {textwrap.fill(label, 52 if wide else 25): (band, curve)}


def limits(colour: str) -> dict[str, Any]:
    """The look of upper limits for ``axes.plot``: a bar at the level, and an arrow down from it."""
    corners = [(-0.5, 0), (0.5, 0), (0, 0), (0, -1.8), (-0.35, -1.2), (0, -1.8), (0.35, -1.2)]
    codes = [Path.MOVETO, Path.LINETO, Path.MOVETO, Path.LINETO, Path.MOVETO, Path.LINETO]
    return {
        "color": colour,
        "linestyle": "none",
        "marker": Path(corners, [*codes, Path.LINETO]),
        "markersize": 12,
        "markerfacecolor": "none",
        "markeredgewidth": 0.7,
    }


def scientific(value: float, digits: int = 2) -> str:
    """ "3.5 × 10⁻³" as matplotlib writes it."""
    mantissa, power = f"{value:.{digits - 1}e}".split("e")
    base = f"$10^{{{int(power)}}}$"
    return base if float(mantissa) == 1 and digits == 1 else f"{mantissa} × {base}"


def unit_text(unit: str) -> str:
    """A unit with its powers raised: "cm2/s", "m-2 s-1 sr-1 (GeV/n)-1"."""
    return re.sub(r"(?<=[A-Za-z)])(-?\d+)", r"$^{\1}$", unit)


def panel_label(axes: Axes, text: str) -> None:
    """A label in the upper left corner of a panel, inside."""
    axes.annotate(
        text, (0, 1), (5, -5), xycoords="axes fraction", textcoords="offset points", va="top"
    )
