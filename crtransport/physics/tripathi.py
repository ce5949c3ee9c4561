"""Reaction cross sections of nuclei on hydrogen and helium by the formula of Tripathi et al."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from crtransport.nuclides import Nuclide, nuclide

Array = NDArray[np.float64]

_R_0 = 1.1  # fm
_FM2 = 10.0  # mb
#: Coulomb multipliers R_c of the 1999 paper, its Table 1: target, (charge, mass number) -> R_c
_COULOMB = {
    ("H", 1, 2): 13.5,
    ("He", 1, 2): 13.5,
    ("H", 2, 3): 21.0,
    ("H", 2, 4): 27.0,
    ("H", 3, 6): 2.2,
    ("H", 3, 7): 2.2,
}
#: (T_1, G) in MeV of helium on elements, its Table 2: charge -> both; (40, 75) on others
_HELIUM = {2: (40, 300), 4: (25, 300), 7: (40, 500), 13: (25, 300), 26: (40, 300)}


def tripathi(nucleus: Nuclide, energy: Array, target: Literal["H", "He"]) -> Array:
    """Reaction cross section on hydrogen or helium at T in GeV/n, mb."""
    light = nuclide(target)
    a, z, e = nucleus.mass_number, nucleus.charge, 1e3 * energy
    small, large = light.mass_number ** (1 / 3), a ** (1 / 3)
    m_1, m_2 = 1e3 * light.mass, 1e3 * nucleus.mass
    e_cm = np.sqrt((m_1 + m_2) ** 2 + 2 * m_1 * a * e) - m_1 - m_2
    overlap = small * large / (small + large)
    d, t_1 = _transparency(nucleus, e, target)
    c_e = d * (1 - np.exp(-e / t_1)) - 0.292 * np.exp(-e / 792) * np.cos(0.229 * e**0.453)
    excess = 0.91 * (a - 2 * z) * light.charge / (a * light.mass_number)
    delta = overlap * (1.85 + 0.16 * e_cm ** (-1 / 3)) - c_e + excess
    radius = 1.29 * (_rms(light.mass_number) + _rms(a)) + 1.2 * (small + large) * e_cm ** (-1 / 3)
    barrier = _COULOMB.get((target, z, a), 1.0) * 1.44 * z * light.charge / radius
    reach = np.maximum(1 - barrier / e_cm, 0)
    return np.asarray(_FM2 * np.pi * _R_0**2 * (small + large + delta) ** 2 * reach)


def _transparency(nucleus: Nuclide, e: Array, target: str) -> tuple[Array | float, float]:
    a = nucleus.mass_number
    if target == "H":
        return 1.85 + 0.16 / (1 + np.exp((500 - e) / 200)), 23.0
    if a == 2:
        return 1.65 + 0.1 / (1 + np.exp((500 - e) / 200)), 23.0
    if a == 3:
        return 1.55, 40.0
    t_1, g = _HELIUM.get(nucleus.charge, (40, 75))
    return 2.77 - 8e-3 * a + 1.8e-5 * a**2 - 0.8 / (1 + np.exp((250 - e) / g)), t_1


def _rms(a: int) -> float:
    return {1: 0.85, 2: 2.095, 3: 1.976, 4: 1.671}.get(a, 0.84 * a ** (1 / 3) + 0.55)
