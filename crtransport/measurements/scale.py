"""Whether a flux or ratio is in the unit that it claims: against those that everyone knows.

    x^2.7 Φ(x) = const within a factor of 30,   from 3 GV or 1 TeV to 100 PV or 100 PeV

with the constants of the table below, to one or two digits: elements over rigidity at 100 GV
(AMS-02, Phys. Rep. 894 (2021) 1, and its papers on F, Na, Al, Ne, Mg, Si, S and Fe; CALET on Ti,
Cr and Ni), all particles and p + He over energy at 100 TeV. Modulation, breaks and the knee stay
within that factor; m^-2 taken for cm^-2 (10^4) or GeV for MeV (10^3) do not. Below 3 GV modulated
and interstellar fluxes differ too much to tell. A ratio of two of these elements stays within the
same factor of that of the constants.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from crtransport.measurements.reading import Reading
from crtransport.measurements.rows import Array
from crtransport.measurements.table import Measurement, per_nucleon
from crtransport.nuclides import nuclide

_ELEMENTS = {
    "H": 1.1e4,
    "He": 2.6e3,
    "Li": 8.0,
    "Be": 4.0,
    "B": 11.0,
    "C": 80.0,
    "N": 15.0,
    "O": 90.0,
    "F": 0.8,
    "Ne": 14.0,
    "Na": 1.8,
    "Mg": 18.0,
    "Al": 2.4,
    "Si": 16.0,
    "S": 2.8,
    "Fe": 14.0,
    "Ti": 0.9,
    "Cr": 1.0,
    "Ni": 0.7,
}
_GROUPS = {"allParticle": 3e4, "light": 1.5e4}
_INDEX = 2.7
_FACTOR = 30.0
_LOWEST = {"elements": 3.0, "groups": 1e3}  # GV, GeV
_HIGHEST = 1e8  # GV, GeV
_MISTAKES = {4: "per m2 and per cm2", 3: "GeV and MeV"}


def off_scale(reading: Reading) -> Iterator[str]:
    """A remark if most values are far from what is known of that quantity."""
    one = reading.measurement
    x, scaled = _scaled(one)
    counted = one.measured & (scaled > 0)
    if not counted.any():
        return
    ratio = float(np.median(scaled[counted]))
    if abs(np.log10(ratio)) > np.log10(_FACTOR):
        i = int(np.argmax(counted))
        power = min(_MISTAKES, key=lambda n: abs(abs(np.log10(ratio)) - n))
        unit = "GV" if one.quantity in _ELEMENTS else one.x_kind.rpartition("_")[2]
        what, why = f"fluxes of {one.quantity}", f"are {_MISTAKES[power]} mixed up?"
        if not one.is_flux:
            what, why = f"ratios {one.quantity.replace('_', '/')}", "are they in another unit?"
        yield (
            f"{reading.place(i, 'y')}: from {x[i]:.3g} {unit} on, {what} are {ratio:.1g} times "
            f"what is known: {why}"
        )


def _scaled(one: Measurement) -> tuple[Array, Array]:
    """Rigidity or energy, and the value over the known one; 0 where that is not known."""
    above, _, below = one.quantity.partition("_")
    if one.unit == "1" and {above, below} <= set(_ELEMENTS):
        inside = (one.x >= _LOWEST["elements"]) & (one.x <= _HIGHEST)
        return one.x, np.where(inside, one.y * _ELEMENTS[below] / _ELEMENTS[above], 0.0)
    if not one.is_flux or one.quantity not in _ELEMENTS | _GROUPS or np.any(one.x <= 0):
        return one.x, np.zeros_like(one.x)
    if one.quantity in _GROUPS:
        x, y, known, lowest = one.x, one.y, _GROUPS[one.quantity], _LOWEST["groups"]
    else:
        nucleus = nuclide(one.quantity)
        spectrum = per_nucleon(one)
        x = nucleus.rigidity(spectrum.kinetic_energy)
        y = spectrum.flux * nucleus.charge * nucleus.beta(x) / nucleus.mass_number
        known, lowest = _ELEMENTS[one.quantity], _LOWEST["elements"]
    inside = (x >= lowest) & (x <= _HIGHEST)
    return x, np.where(inside, y * x**_INDEX / known, 0.0)
