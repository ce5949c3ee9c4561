"""Total inelastic cross sections of nuclei on hydrogen and helium, by published formulae."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from crtransport.nuclides import Nuclide, nuclide
from crtransport.physics.tripathi import tripathi

Array = NDArray[np.float64]
Formula = Literal["letaw1983", "tripathi1999"]

#: proton + proton -> anything inelastic begins at this T, GeV: two-body kinematics of one π⁰
_PION_THRESHOLD = 0.2797
#: GeV/n, where ratios of helium to hydrogen are taken
_HIGH = np.asarray(1e3)


def inelastic(
    nucleus: Nuclide,
    energy: Array,
    target: Literal["H", "He"] = "H",
    formula: Formula = "letaw1983",
) -> Array:
    """Total inelastic cross section at T in GeV/n, mb.

    Protons are the same by both formulae: on hydrogen those of `protons`, on helium as many times
    that as `letaw` gives for 4He on hydrogen over 32 mb, at all T. Other nuclei on hydrogen:
    `letaw` or `tripathi`. On helium: `tripathi`; with "letaw1983" A > 4 have `westfall` at high T,
    and at other T in proportion to `letaw`.
    """
    if nucleus.mass_number == 1:
        helium = float(letaw(nuclide("He4"), _HIGH)) / 32.0
        return protons(energy) * (1.0 if target == "H" else helium)
    if formula == "tripathi1999" or (target == "He" and nucleus.mass_number <= 4):
        return tripathi(nucleus, energy, target)
    if target == "H":
        return letaw(nucleus, energy)
    return letaw(nucleus, energy) * (westfall(nucleus) / float(letaw(nucleus, _HIGH)))


def protons(energy: Array) -> Array:
    """Protons on hydrogen, mb: none below T_th, and with L = ln(T/T_th) above it.

    [30.7 − 0.96 L + 0.18 L²] [1 − (T_th/T)^1.9]³ (Kafexhiu et al. 2014, Phys. Rev. D 90, 123014,
    Eq. 1).
    """
    above = np.maximum(np.asarray(energy) / _PION_THRESHOLD, 1.0)
    log = np.log(above)
    return np.asarray((30.7 - 0.96 * log + 0.18 * log**2) * (1 - above**-1.9) ** 3)


def letaw(nucleus: Nuclide, energy: Array) -> Array:
    """A nucleus with A > 1 on hydrogen, mb.

    45 A^0.7 [1 + 0.016 sin(5.3 − 2.63 ln A)] [1 − 0.62 e^(−E/200) sin(10.9 E^−0.28)], E in MeV/n,
    times 0.8 for helium and 1 + 0.75 e^(−E/75) for beryllium (Letaw, Silberberg & Tsao 1983, ApJS
    51, 271).
    """
    found = letaw_of_mass(np.asarray(nucleus.mass_number), np.asarray(energy))
    if nucleus.charge == 2:
        return 0.8 * found
    if nucleus.charge == 4:
        return np.asarray(found * (1 + 0.75 * np.exp(-1e3 * np.asarray(energy) / 75)))
    return found


def letaw_of_mass(a: Array, energy: Array) -> Array:
    """`letaw` of mass numbers A at T in GeV/n (arrays alike); not of helium and beryllium."""
    mev = 1e3 * energy
    shape = 1 - 0.62 * np.exp(-mev / 200) * np.sin(10.9 * mev**-0.28)
    return np.asarray(45 * a**0.7 * (1 + 0.016 * np.sin(5.3 - 2.63 * np.log(a))) * shape)


def westfall(nucleus: Nuclide) -> float:
    """A nucleus on helium at high T, mb: 57.3 (A^⅓ + 4^⅓ − 0.83)².

    Westfall et al. 1979, Phys. Rev. C 19, 1309: of nuclei on nuclei; on helium itself it gives
    a seventh more than `tripathi`.
    """
    return float(57.3 * (nucleus.mass_number ** (1 / 3) + 4 ** (1 / 3) - 0.83) ** 2)
