"""Fluxes over rigidity on the axis of a measurement, and a measurement over rigidity.

    Φ_x = Φ_R dR/dx,   dR/dE = 1/(Z β) per particle,   dR/dT = A/(Z β) per nucleon

An element's main isotope stands for all of it. A ratio of two over energy per nucleon is that of
the fluxes at the same energy, over rigidity at the same rigidity.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from crtransport.measurements.table import (
    FLUX_UNITS,
    RATIO_AXES,
    Measurement,
    MeasurementError,
    ratio_parts,
)
from crtransport.nuclides import ELEMENTS, Nuclide, nuclide

Array = NDArray[np.float64]
Curve = Callable[[Array], Array]

RIGIDITY = "rigidity_GV"


def elements(table: Measurement) -> tuple[str, ...]:
    """The element of a flux; those above and below the line of a ratio.

    Raises
    ------
    MeasurementError
        If the table is neither.
    """
    if not table.is_flux:
        return ratio_parts(table)
    if table.quantity not in ELEMENTS:
        raise MeasurementError(f"{table.name}: {table.quantity} is no element")
    return (table.quantity,)


def rigidity(table: Measurement, x: Array) -> Array:
    """R in GV at x of a table; of a ratio, that of its numerator."""
    return _rigidity(nuclide(elements(table)[0]), table.x_kind, np.asarray(x, dtype=float))


def abscissa(table: Measurement, at: float) -> float:
    """x of a table at R in GV: the inverse of `rigidity`."""
    nucleus = nuclide(elements(table)[0])
    if table.over_rigidity or not np.isfinite(at):
        return at
    energy = float(nucleus.kinetic_energy(np.array(at)))
    if table.x_kind == "kinetic_energy_per_nucleon_GeV":
        return energy
    rest = nucleus.mass if table.x_kind == "total_energy_GeV" else 0.0
    return nucleus.mass_number * energy + rest


def on_axis(table: Measurement, fluxes: Mapping[str, Curve]) -> Curve:
    """What should be measured, as a function of x in the table's units.

    Parameters
    ----------
    table : Measurement
        A flux of one element, or a ratio of two.
    fluxes : mapping
        Element -> flux in m^-2 s^-1 sr^-1 GV^-1 as a function of rigidity in GV.
    """
    names = elements(table)

    def flux(name: str, x: Array) -> Array:
        nucleus = nuclide(name)
        at = _rigidity(nucleus, table.x_kind, x)
        return fluxes[name](at) * _slope(nucleus, table.x_kind, at)

    if table.is_flux:
        return lambda x: flux(names[0], x)
    return lambda x: flux(names[0], x) / flux(names[1], x)


def over_rigidity(table: Measurement) -> Measurement:
    """A flux of one element, or a ratio over rigidity, over rigidity; bins with their edges.

    Raises
    ------
    MeasurementError
        If it is a ratio over energy, which is not that at one rigidity.
    """
    if table.over_rigidity:
        return table
    if not table.is_flux:
        raise MeasurementError(f"{table.name} is a ratio over energy, and none over rigidity")
    at = rigidity(table, table.x)
    per = 1 / _slope(nuclide(table.quantity), table.x_kind, at)

    def edge(x: Array | None) -> Array | None:
        return None if x is None else rigidity(table, x)

    return replace(
        table,
        x_kind=RIGIDITY,
        unit=FLUX_UNITS[RIGIDITY],
        x=at,
        x_lo=edge(table.x_lo),
        x_hi=edge(table.x_hi),
        y=table.y * per,
        stat_lo=table.stat_lo * per,
        stat_hi=table.stat_hi * per,
        sys_lo=table.sys_lo * per,
        sys_hi=table.sys_hi * per,
    )


def _rigidity(nucleus: Nuclide, x_kind: str, x: Array) -> Array:
    if x_kind == RIGIDITY:
        return x
    if x_kind == "kinetic_energy_per_nucleon_GeV":
        return nucleus.rigidity(x)
    rest = nucleus.mass if x_kind == "total_energy_GeV" else 0.0
    return nucleus.rigidity((x - rest) / nucleus.mass_number)


def _slope(nucleus: Nuclide, x_kind: str, at: Array) -> Array | float:
    """dR/dx at a rigidity."""
    if x_kind == RIGIDITY:
        return 1.0
    nucleons = nucleus.mass_number if x_kind in RATIO_AXES else 1
    return np.asarray(nucleons / (nucleus.charge * nucleus.beta(at)))
