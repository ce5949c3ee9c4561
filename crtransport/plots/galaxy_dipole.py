"""The figure of the dipole anisotropy: amplitude and phase against energy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from crtransport.measurements.anisotropy import Anisotropy
from crtransport.nuclides import nuclide
from crtransport.physics import sky
from crtransport.plots.style import COLOURS, GREY, MARKERS, line, new_figure, panel_label

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

#: right ascension of the galactic centre, deg
_CENTRE = float(sky.angles(sky.galactic_to_equatorial(np.array([1.0, 0.0, 0.0])))[0])
#: below, the modulation turns directions that are none of interstellar space, GeV/n
_FIRST = 100.0


def dipoles(dataset: xr.Dataset, measured: Sequence[Anisotropy]) -> Figure:
    """Amplitude above, right ascension below, an element a column.

    Parameters
    ----------
    dataset : xarray.Dataset
        Of a galaxy with local sources, with one or two elements.
    measured : sequence of Anisotropy
        Drawn at the same energy of a particle.
    """
    species = [str(name) for name in dataset.species.values]
    figure = new_figure(len(species), height=4.2)
    axes = figure.subplots(
        2, len(species), squeeze=False, sharex="col", sharey="row", height_ratios=[1.6, 1]
    )
    handles: dict[str, Any] = {}
    for column, name in zip(axes.T, species, strict=True):
        here = dataset.sel(species=name, kinetic_energy=slice(_FIRST, None))
        energy = here.kinetic_energy.values
        handles |= _amplitudes(column[0], here)
        draw_phase(column[1], energy, here.dipole_phase.values)
        column[1].axhline(_CENTRE, color=GREY, linestyle=":", linewidth=0.8)
        handles |= draw_measured(column[0], column[1], measured, nuclide(name).mass_number)
        panel_label(column[0], name)
        column[1].set_xlabel("kinetic energy $T$ [GeV/n]")
        column[0].set(xscale="log", yscale="log", xlim=(energy[0], energy[-1]))
    # room for the names of the elements
    axes[0, 0].set_ylim(top=2.5 * axes[0, 0].get_ylim()[1])
    axes[0, 0].set_ylabel("dipole")
    axes[1, 0].set(ylabel="RA [deg]", ylim=(0, 360), yticks=[0, 90, 180, 270, 360])
    axes[1, 0].annotate(
        "galactic centre",
        (0.02, _CENTRE + 6),
        fontsize=6,
        color=GREY,
        xycoords=axes[1, 0].get_yaxis_transform(),
    )
    figure.legend(
        handles.values(), handles.keys(), loc="outside upper center", ncols=3 * min(len(species), 2)
    )
    return figure


def _amplitudes(axes: Axes, here: xr.Dataset) -> dict[str, Any]:
    energy, handles = here.kinetic_energy.values, {}
    y = here.dipole_background
    handles["background alone"] = axes.plot(energy, y, **line(0), linewidth=1.0)[0]
    for i, name in enumerate(map(str, here.source.values), 1):
        one = here.dipole_by_source.sel(source=name)
        handles[f"{name} alone"] = axes.plot(energy, one.where(one > 0), **line(i), linewidth=1.0)[
            0
        ]
    handles["together"] = axes.plot(energy, here.dipole, "k-", linewidth=1.6)[0]
    return handles


def draw_phase(axes: Axes, energy: Any, phase: Any) -> None:
    """Right ascension, without a line across the axis where it passes 360°."""
    phase = phase.copy()
    phase[1:][np.abs(np.diff(phase)) > 180] = np.nan
    axes.plot(energy, phase, "k-")


def draw_measured(
    amplitude: Axes, phase: Axes, measured: Sequence[Anisotropy], nucleons: int
) -> dict[str, Any]:
    """Measured dipoles at the energy of a particle, per nucleon."""
    handles = {}
    for i, table in enumerate(measured):
        look: Any = {
            "color": COLOURS[i % len(COLOURS)],
            "marker": MARKERS[i % len(MARKERS)],
            "linestyle": "none",
            "elinewidth": 0.7,
            "zorder": 5,
        }
        x = table.energy / nucleons
        handles[table.label] = amplitude.errorbar(x, table.amplitude, table.amplitude_error, **look)
        phase.errorbar(x, table.phase % 360, table.phase_error, **look)
    return handles
