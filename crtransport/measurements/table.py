"""One measurement, and its flux against kinetic energy per nucleon."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray

from crtransport.nuclides import ELEMENTS, Nuclide, UnknownElement, nuclide

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

#: kind of x -> what it is called in the name of a table
AXIS_NAMES = {
    "rigidity_GV": "rigidity",
    "kinetic_energy_per_nucleon_GeV": "kineticEnergyPerNucleon",
    "kinetic_energy_GeV": "kineticEnergy",
    "total_energy_GeV": "totalEnergy",
}
#: kind of x -> unit of a flux over it
FLUX_UNITS = {
    "rigidity_GV": "m-2 s-1 sr-1 GV-1",
    "kinetic_energy_per_nucleon_GeV": "m-2 s-1 sr-1 (GeV/n)-1",
    "kinetic_energy_GeV": "m-2 s-1 sr-1 GeV-1",
    "total_energy_GeV": "m-2 s-1 sr-1 GeV-1",
}
#: kinds of x that a ratio may be over: at which two elements can be counted alike
RATIO_AXES = ("rigidity_GV", "kinetic_energy_per_nucleon_GeV")


class MeasurementError(ValueError):
    """A measured table that cannot be had or used; the message names it and says why."""


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """A spectrum or ratio as its experiment published it: n points.

    Attributes
    ----------
    name : str
        Of the file, without its suffix.
    experiment, quantity, reference : str
        "AMS-02", "H" (an element, a ratio "B_C", "allParticle", …), the publication.
    x_kind, unit : str
        What x is, a key of `AXIS_NAMES`, and the unit of y.
    x, y : array (n,)
    stat_lo, stat_hi, sys_lo, sys_hi : array (n,)
        One-sigma errors downwards and upwards, at least 0, in the unit of y.
    x_lo, x_hi : array (n,), optional
        Edges of the bins, where all are known.
    limits : array of bool (n,), optional
        Which y are upper limits; their errors mean nothing. None: every y is a value.
    limit_level : float, optional
        Confidence level of the upper limits, between 0 and 1.
    epoch : (date, date), optional
        First and last day of the data, to which the solar modulation belongs.
    interstellar : bool
        Whether it was measured beyond the heliosphere; else at the Earth.
    curve : bool
        Whether it is no measurement but a reference curve with its error.
    """

    name: str
    experiment: str
    quantity: str
    reference: str
    x_kind: str
    unit: str
    x: Array
    y: Array
    stat_lo: Array
    stat_hi: Array
    sys_lo: Array
    sys_hi: Array
    x_lo: Array | None = None
    x_hi: Array | None = None
    limits: Mask | None = None
    limit_level: float | None = None
    epoch: tuple[date, date] | None = None
    interstellar: bool = False
    curve: bool = False

    def __post_init__(self) -> None:
        if self.limits is not None and self.limits.any():
            level = self.limit_level
            if level is None or not 0 < level < 1:
                why = f"upper limits need a confidence level between 0 and 1, not {level}"
                raise MeasurementError(f"{self.name}: {why}")

    @property
    def measured(self) -> Mask:
        """Which y are values with errors, and no upper limits."""
        return np.ones(self.y.shape, dtype=bool) if self.limits is None else ~self.limits

    @property
    def is_flux(self) -> bool:
        """Whether y is a flux per unit of x, of whatever particles."""
        return FLUX_UNITS.get(self.x_kind) == self.unit

    @property
    def over_rigidity(self) -> bool:
        """Whether x is the rigidity, GV."""
        return self.x_kind == "rigidity_GV"

    @property
    def label(self) -> str:
        """The experiment and what it measured, "AMS-02 B/C"."""
        return f"{self.experiment} {self.quantity.replace('_', '/')}"

    @property
    def error_lo(self) -> Array:
        """Statistical and systematic error downwards, in quadrature."""
        return np.hypot(self.stat_lo, self.sys_lo)

    @property
    def error_hi(self) -> Array:
        """Statistical and systematic error upwards, in quadrature."""
        return np.hypot(self.stat_hi, self.sys_hi)


@dataclass(frozen=True, kw_only=True)
class Spectrum:
    """The flux of one element against kinetic energy per nucleon.

    Attributes
    ----------
    label, element : str
        "AMS-02", "H".
    kinetic_energy : array
        GeV/n.
    flux, error_lo, error_hi : array
        m^-2 s^-1 sr^-1 (GeV/n)^-1.
    measured : array of bool
        Which fluxes are values; the others are upper limits.
    interstellar : bool
        Whether it was measured beyond the heliosphere.
    curve : bool
        Whether it is no measurement but a reference curve with its error.
    """

    label: str
    element: str
    kinetic_energy: Array
    flux: Array
    error_lo: Array
    error_hi: Array
    measured: Mask
    interstellar: bool = False
    curve: bool = False


def ratio_parts(table: Measurement) -> tuple[str, str]:
    """The elements above and below the line of a ratio.

    Raises
    ------
    MeasurementError
        If the table is no ratio of two elements over rigidity or energy per nucleon.
    """
    above, _, below = table.quantity.partition("_")
    if table.unit != "1" or above not in ELEMENTS or below not in ELEMENTS:
        why = f"{table.quantity} [{table.unit}] over {table.x_kind}"
        raise MeasurementError(
            f"{table.name} is no flux of an element and no ratio of two elements: {why}"
        )
    if table.x_kind not in RATIO_AXES:
        raise MeasurementError(
            f"{table.name}: a ratio must be over {' or '.join(RATIO_AXES)}, not {table.x_kind}"
        )
    return above, below


def per_nucleon_at(nucleus: Nuclide, x_kind: str, x: Array) -> tuple[Array, Array]:
    """T in GeV/n at x on an axis of measurements, and dT/dx: dT/dR = Zβ/A, dT/dE = 1/A."""
    if x_kind == "rigidity_GV":
        slope = nucleus.beta(x) * nucleus.charge / nucleus.mass_number
        return nucleus.kinetic_energy(x), np.asarray(slope)
    if x_kind == "kinetic_energy_per_nucleon_GeV":
        return x, np.ones_like(x)
    rest = nucleus.mass if x_kind == "total_energy_GeV" else 0.0
    return (x - rest) / nucleus.mass_number, np.full_like(x, 1 / nucleus.mass_number)


def per_nucleon(table: Measurement) -> Spectrum:
    """A flux over rigidity or energy per particle as one over kinetic energy per nucleon.

    Φ_T = Φ_x dx/dT with dR/dT = A/(Z β) and dE/dT = A; the element's main isotope stands for all.

    Raises
    ------
    MeasurementError
        If the table is no flux of one element.
    """
    if not table.is_flux:
        raise MeasurementError(f"{table.name} is no flux: {table.unit} over {table.x_kind}")
    try:
        nucleus = nuclide(table.quantity)
    except UnknownElement:
        why = f"{table.quantity} is no element with an energy per nucleon"
        raise MeasurementError(f"{table.name}: {why}") from None
    energy, slope = per_nucleon_at(nucleus, table.x_kind, table.x)
    if np.any(energy <= 0):
        raise MeasurementError(f"{table.name} has x below the rest energy of {table.quantity}")
    return Spectrum(
        label=table.experiment,
        element=table.quantity,
        kinetic_energy=np.asarray(energy),
        flux=np.asarray(table.y / slope),
        error_lo=np.asarray(table.error_lo / slope),
        error_hi=np.asarray(table.error_hi / slope),
        measured=table.measured,
        interstellar=table.interstellar,
        curve=table.curve,
    )
