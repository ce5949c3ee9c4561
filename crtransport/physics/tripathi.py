"""Total reaction cross sections on hydrogen and helium by the formula of Tripathi et al."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from crtransport.nuclides import Nuclide, nuclide

Array = NDArray[np.float64]

#: r_0² in mb, of r_0 = 1.1 fm
_R_0_SQUARED = 10 * 1.1**2
#: rms radii of charge, fm (Wilson et al. 1991, NASA RP-1257); 0.84 A^⅓ + 0.55 for others
_RMS_RADIUS = {1: 0.85, 2: 2.095, 3: 1.976, 4: 1.671}
#: R_c on hydrogen: nuclide, or element -> multiplier of the Coulomb barrier; 1 for others
_BARRIER = {"H2": 13.5, "He3": 21.0, "He4": 27.0, "Li": 2.2, "C": 3.5}
#: on helium: element -> T_1 and G, MeV; 40 and 75 for others
_ON_HELIUM = {
    "He": (40.0, 300.0),
    "Be": (25.0, 300.0),
    "N": (40.0, 500.0),
    "Al": (25.0, 300.0),
    "Fe": (40.0, 300.0),
}


def tripathi(nucleus: Nuclide, energy: Array, target: Literal["H", "He"]) -> Array:
    """Total reaction cross section of a nucleus with A > 1 on a target at rest, mb.

    σ = π r_0² [A_P^⅓ + A_T^⅓ + δ]² (1 − R_c B/E_cm), no less than 0, with r_0 = 1.1 fm and

    δ = 1.85 S + 0.16 S/E_cm^⅓ − C + 0.91 (A − 2Z) Z_L/(A A_L), S = A_P^⅓ A_T^⅓/(A_P^⅓ + A_T^⅓),
    C = D (1 − e^(−E/T_1)) − 0.292 e^(−E/792) cos(0.229 E^0.453),
    B = 1.44 Z_P Z_T/[1.29 (r_P + r_T) + 1.2 (A_P^⅓ + A_T^⅓)/E_cm^⅓] MeV.

    E is the kinetic energy in MeV/n, E_cm that in the centre of mass in MeV, r the rms radii in fm;
    L is the lighter nucleus, hydrogen or helium, and A, Z are those of the other: the formula does
    not ask which of the two moves. The multiplier X_m of low energies is 1: it differs from 1 by
    less than 1e-4 above 0.1 GeV/n.

    Tripathi, Cucinotta & Wilson 1996, NIM B 117, 347 and 1997, NASA TP-3621; for nuclei of
    hydrogen, helium and lithium 1999, NASA/TP-1999-209726.

    Parameters
    ----------
    nucleus : Nuclide
        Of A > 1.
    energy : array
        Kinetic energy per nucleon T, GeV/n.
    target : {"H", "He"}
        1H or 4He.
    """
    light = nuclide(target)
    a, z, mev = nucleus.mass_number, nucleus.charge, 1e3 * np.asarray(energy)
    roots = light.mass_number ** (1 / 3), a ** (1 / 3)
    size, overlap = sum(roots), roots[0] * roots[1] / sum(roots)
    moving = _in_centre_of_mass(nucleus, light, mev)
    slow = moving ** (-1 / 3)
    d, t_1 = _transparency(nucleus, mev, target)
    wave = 0.292 * np.exp(-mev / 792) * np.cos(0.229 * mev**0.453)
    excess = 0.91 * (a - 2 * z) * light.charge / (a * light.mass_number)
    delta = overlap * (1.85 + 0.16 * slow) - d * (1 - np.exp(-mev / t_1)) + wave + excess
    distance = 1.29 * (_rms_radius(light) + _rms_radius(nucleus)) + 1.2 * size * slow
    barrier = _barrier(nucleus, target) * 1.44 * z * light.charge / distance
    return np.asarray(
        np.pi * _R_0_SQUARED * (size + delta) ** 2 * np.maximum(1 - barrier / moving, 0)
    )


def _in_centre_of_mass(nucleus: Nuclide, target: Nuclide, mev: Array) -> Array:
    """E_cm = √[M² + 2 m_T A E] − M with M = m_P + m_T, MeV; no cancellation at low E."""
    total = 1e3 * (nucleus.mass + target.mass)
    gain = 2e3 * target.mass * nucleus.mass_number * mev
    return np.asarray(gain / (np.sqrt(total**2 + gain) + total))


def _transparency(nucleus: Nuclide, mev: Array, target: str) -> tuple[Array, float]:
    """D and T_1 in MeV."""
    a = nucleus.mass_number
    if a == 2:
        d, step = (1.85, 0.16) if target == "H" else (1.65, 0.1)
        return np.asarray(d + step / (1 + np.exp((500 - mev) / 200))), 23.0
    if target == "H":
        d, t_1 = {"He3": (1.70, 58.0), "Li7": (2.15, 37.0)}.get(_isotope(nucleus), (2.05, 40.0))
        return np.full_like(mev, d), t_1
    if a == 3:
        return np.full_like(mev, 1.55), 40.0
    t_1, g = _ON_HELIUM.get(nucleus.element, (40.0, 75.0))
    high = 2.77 - 8.0e-3 * a + 1.8e-5 * a**2
    return np.asarray(high - 0.8 / (1 + np.exp((250 - mev) / g))), t_1


def _barrier(nucleus: Nuclide, target: str) -> float:
    """R_c."""
    if target == "He":
        return 13.5 if nucleus.mass_number == 2 else 1.0
    return _BARRIER.get(_isotope(nucleus), _BARRIER.get(nucleus.element, 1.0))


def _isotope(nucleus: Nuclide) -> str:
    return f"{nucleus.element}{nucleus.mass_number}"


def _rms_radius(nucleus: Nuclide) -> float:
    a = nucleus.mass_number
    return _RMS_RADIUS.get(a, 0.84 * a ** (1 / 3) + 0.55)
