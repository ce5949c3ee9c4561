"""Maps of the density n(r, z) of a galaxy, in units of its value at the Sun."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.colors import LogNorm

from crtransport.plots.style import new_figure

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.axes import Axes
    from matplotlib.collections import QuadMesh
    from matplotlib.figure import Figure

_ENERGIES = 3
_FLOOR = 0.01  # of the colours; what is below has the darkest
_LEVELS = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0)


def maps(density: xr.DataArray, title: dict[str, str], r_sun: float) -> Figure:
    """A row for each nuclide, a column for each of three energies, one scale of colours for all.

    Parameters
    ----------
    density : xarray.DataArray
        n(nuclide, kinetic_energy, r, z), positive at the Sun.
    title : dict
        How the name of each nuclide is printed; those that are here are drawn.
    r_sun : float
        Distance of the Sun from the centre, kpc; it lies at z = 0.
    """
    count = density.sizes["kinetic_energy"]
    # the middle of each third of the energies
    chosen = np.unique(((np.arange(_ENERGIES) + 0.5) * count / _ENERGIES - 0.5).round().astype(int))
    some = density.sel(nuclide=list(title)).isel(kinetic_energy=chosen)
    relative = some / some.isel(z=0, drop=True).interp(r=r_sun)
    norm = LogNorm(_FLOOR, max(float(relative.max()), 1.0))
    figure = new_figure(columns=2, height=0.9 + 1.45 * len(title))
    grid = figure.subplots(len(title), len(chosen), squeeze=False, sharex=True, sharey=True)
    for row, name in zip(grid, title, strict=True):
        for k, axes in enumerate(row):
            here = relative.sel(nuclide=name).isel(kinetic_energy=k)
            image = _draw(axes, here.transpose("z", "r"), norm, r_sun)
            axes.set_title(f"{title[name]}   {energy_name(float(here.kinetic_energy))}")
        row[0].set_ylabel("$z$ [kpc]")
    for axes in grid[-1]:
        axes.set_xlabel("$r$ [kpc]")
    bar = figure.colorbar(image, ax=grid, extend="min", pad=0.01, aspect=13 * len(title))
    bar.set_label(r"$n\,/\,n_\odot$")
    return figure


def energy_name(energy: float) -> str:
    """Two digits of an energy per nucleon in GeV with the prefix that suits it."""
    units = ((1e6, "PeV"), (1e3, "TeV"), (1.0, "GeV"), (1e-3, "MeV"))
    factor, unit = next((u for u in units if energy >= 0.995 * u[0]), units[-1])
    return f"{float(f'{energy / factor:.2g}'):g} {unit}/n"


def _draw(axes: Axes, relative: xr.DataArray, norm: LogNorm, r_sun: float) -> QuadMesh:
    r, z = relative.r, relative.z
    # what vanishes at the edge of the halo has no logarithm
    shown = relative.clip(min=_FLOOR / 10)
    image = axes.pcolormesh(r, z, shown, norm=norm, shading="gouraud", rasterized=True)
    lines = axes.contour(r, z, relative, levels=_LEVELS, colors="white", linewidths=0.6)
    axes.clabel(lines, fmt="%g", fontsize=5.5)
    for marker, size, colour in (("o", 6, "white"), (".", 3, "k")):  # the astronomers' sign
        axes.plot(r_sun, 0, marker, ms=size, color=colour, mec="k", clip_on=False, zorder=5)
    return image
