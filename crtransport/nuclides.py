"""Elements as cosmic-ray nuclei, and the kinematics that links rigidity to energy per nucleon.

An element stands for its most abundant stable isotope among the cosmic rays' sources (4He, 12C,
36Ar, 56Fe, 58Ni, …): at the same rigidity another isotope's energy per nucleon differs.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_ATOMIC_MASS_UNIT = 0.93149410242  # GeV, CODATA 2018
_ELECTRON_MASS = 0.51099895e-3  # GeV, CODATA 2018

#: symbol -> charge, mass number, atomic mass in u (AME2020: Wang et al. 2021, Chin. Phys. C 45,
#: 030003)
_TABLE = {
    "H": (1, 1, 1.007825031898),
    "He": (2, 4, 4.00260325413),
    "Li": (3, 7, 7.016003434),
    "Be": (4, 9, 9.012183062),
    "B": (5, 11, 11.009305166),
    "C": (6, 12, 12.0),
    "N": (7, 14, 14.00307400425),
    "O": (8, 16, 15.99491461926),
    "F": (9, 19, 18.99840316207),
    "Ne": (10, 20, 19.99244017525),
    "Na": (11, 23, 22.989769282),
    "Mg": (12, 24, 23.985041689),
    "Al": (13, 27, 26.98153841),
    "Si": (14, 28, 27.9769265344),
    "P": (15, 31, 30.9737619977),
    "S": (16, 32, 31.9720711735),
    "Cl": (17, 35, 34.96885269),
    "Ar": (18, 36, 35.967545106),
    "K": (19, 39, 38.963706485),
    "Ca": (20, 40, 39.962590851),
    "Sc": (21, 45, 44.9559071),
    "Ti": (22, 48, 47.94794068),
    "V": (23, 51, 50.94395766),
    "Cr": (24, 52, 51.94050471),
    "Mn": (25, 55, 54.93804304),
    "Fe": (26, 56, 55.93493554),
    "Co": (27, 59, 58.9331935),
    "Ni": (28, 58, 57.9353417),
}


@dataclass(frozen=True, kw_only=True)
class Nuclide:
    """A bare nucleus.

    Attributes
    ----------
    name : str
        Of the element.
    charge, mass_number : int
        Z and A.
    mass : float
        Of the nucleus, GeV.
    """

    name: str
    charge: int
    mass_number: int
    mass: float

    @property
    def nucleon_mass(self) -> float:
        """m = mass/A, GeV."""
        return self.mass / self.mass_number

    def momentum(self, rigidity: Array) -> Array:
        """p = Z R/A per nucleon, GeV/n."""
        return np.asarray(self.charge / self.mass_number * np.asarray(rigidity))

    def kinetic_energy(self, rigidity: Array) -> Array:
        """T = p²/[√(p²+m²) + m] per nucleon, GeV/n; no cancellation where p ≪ m."""
        p = self.momentum(rigidity)
        return np.asarray(p**2 / (np.hypot(p, self.nucleon_mass) + self.nucleon_mass))

    def rigidity(self, kinetic_energy: Array) -> Array:
        """R = (A/Z) √[T(T+2m)] at T in GeV/n, GV."""
        t = np.asarray(kinetic_energy)
        p = np.sqrt(t) * np.sqrt(t + 2 * self.nucleon_mass)
        return np.asarray(self.mass_number / self.charge * p)

    def beta(self, rigidity: Array) -> Array:
        """v/c at R in GV."""
        p = self.momentum(rigidity)
        return np.asarray(p / np.hypot(p, self.nucleon_mass))


class UnknownElement(ValueError):
    """A name that is no element of the table; the message has the nearest one."""


def nuclide(element: str) -> Nuclide:
    """The nucleus that stands for an element, by its symbol.

    The nuclear mass is the atomic mass less Z electrons plus their binding energy, 14.4381 Z^2.39
    + 1.55468e-6 Z^5.35 eV (Lunney, Pearson & Thibault 2003, Rev. Mod. Phys. 75, 1021, Eq. A4).

    Raises
    ------
    UnknownElement
    """
    if element not in _TABLE:
        raise UnknownElement(_unknown(element))
    charge, mass_number, atomic = _TABLE[element]
    binding = 1e-9 * (14.4381 * charge**2.39 + 1.55468e-6 * charge**5.35)
    mass = atomic * _ATOMIC_MASS_UNIT - charge * _ELECTRON_MASS + binding
    return Nuclide(name=element, charge=charge, mass_number=mass_number, mass=mass)


def _unknown(element: str) -> str:
    words = {"hydrogen": "H", "proton": "H", "p": "H", "helium": "He", "carbon": "C"}
    words |= {"nitrogen": "N", "oxygen": "O", "silicon": "Si", "iron": "Fe", "nickel": "Ni"}
    words |= {f"{name}{a}".lower(): name for name, (_, a, _m) in _TABLE.items()}
    words |= {name.lower(): name for name in _TABLE}
    close = difflib.get_close_matches(element[:40].lower(), words, n=1, cutoff=0.5)
    hint = f'; did you mean "{words[close[0]]}"?' if close else ""
    return f'unknown element "{element[:40]}"{hint} (known: {", ".join(_TABLE)})'
