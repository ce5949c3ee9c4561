"""The anisotropy of a flux tube as it is seen at the Sun, with measured ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from crtransport.measurements.anisotropy import Anisotropy
from crtransport.plots.style import COLOURS, GREY, MARKERS, line, new_figure, panel_label

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    Array = NDArray[np.float64]


def arrival(dataset: xr.Dataset, measured: Sequence[Anisotropy]) -> Figure:
    """Amplitude, what is measured over the tube's, and right ascension, against rigidity.

    Parameters
    ----------
    dataset : xarray.Dataset
        Of a flux tube with [arrival]; its last ζ is drawn.
    measured : sequence of Anisotropy
        Drawn at R = E/e of a particle.
    """
    here = dataset.isel(zeta=-1)
    rigidity = here.rigidity.values / 1e3
    figure = new_figure(2, height=5.4)
    panels = figure.subplots(3, 1, sharex=True, height_ratios=[1.8, 1, 1])
    amplitude, over, phase = panels
    curves = {
        "flux tube: first harmonic in RA": here.arrival_first_harmonic,
        "flux tube: step across the magnetic equator": np.abs(here.arrival_step),
    }
    for i, (label, values) in enumerate(curves.items()):
        amplitude.plot(rigidity, values, label=label, **line(i), zorder=6)
    phase.plot(rigidity, here.arrival_phase, **line(0), zorder=6)
    over.axhline(1, **line(0))
    for i, table in enumerate(measured):
        at = np.log(table.energy), np.log(here.rigidity.values)
        model = np.exp(np.interp(*at, np.log(here.arrival_first_harmonic.values)))
        _points(panels, table, model, i)
    over.set(yscale="log", ylabel="measured / tube")
    amplitude.set(xscale="log", yscale="log", xlim=(rigidity[0], rigidity[-1]))
    amplitude.set_ylabel("amplitude")
    seen = np.concatenate([here.arrival_first_harmonic.values, *(t.amplitude for t in measured)])
    # where nearly all is background the tube's own falls without end
    amplitude.set_ylim(0.5 * max(seen.min(), 3e-2 * np.median(seen)), 2 * seen.max())
    phase.set(ylim=(0, 360), yticks=[0, 90, 180, 270, 360], ylabel="RA [deg]")
    phase.set_xlabel("rigidity $R$, or energy of a particle over $e$ [TV]")
    text = f"$\\zeta = {float(here.zeta):g}$ {here.zeta.attrs['units']}"
    panel_label(amplitude, text)
    back = float(here.arrival_phase[0] + 180) % 360
    phase.axhline(back, color=GREY, linestyle=":", lw=0.8)
    phase.annotate(
        "the other way along the field",
        (0.01, back + 8),
        fontsize=6,
        color=GREY,
        xycoords=phase.get_yaxis_transform(),
    )
    handles, labels = amplitude.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=4)
    return figure


def _points(panels: Sequence[Axes], table: Anisotropy, model: Array, i: int) -> None:
    """Colour, symbol and filling differ, so that none of many tables looks like another."""
    colour = COLOURS[i % len(COLOURS)]
    look: Any = {
        "color": colour,
        "marker": MARKERS[(i + i // len(COLOURS)) % len(MARKERS)],
        "markerfacecolor": "white" if i // len(COLOURS) % 2 else colour,
        "linestyle": "none",
        "elinewidth": 0.7,
        "zorder": 5,
    }
    amplitude, over, phase = panels
    x = table.energy / 1e3
    label = " ".join(table.label.rsplit("_", 1)).replace("_", " ")
    amplitude.errorbar(x, table.amplitude, table.amplitude_error, label=label, **look)
    over.errorbar(x, table.amplitude / model, table.amplitude_error / model, **look)
    phase.errorbar(x, table.phase % 360, table.phase_error, **look)
