"""Cosmic-ray nuclei by name, and the kinematics that links rigidity to energy per nucleon.

A name is that of an isotope ("B11") or of an element ("B"). An element stands for its most
abundant stable isotope among the cosmic rays' sources (4He, 12C, 36Ar, 56Fe, 58Ni, …): at the same
rigidity another isotope's energy per nucleon differs.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from crtransport.constants import ELECTRON_MASS
from crtransport.nuclide_tables import HALF_LIFE, MASS_EXCESS

Array = NDArray[np.float64]

_ATOMIC_MASS_UNIT = 0.93149410242  # GeV, CODATA 2018

#: element -> the isotope that stands for it; in the order of the charges, from 1
_MAIN = {
    "H": "H1",
    "He": "He4",
    "Li": "Li7",
    "Be": "Be9",
    "B": "B11",
    "C": "C12",
    "N": "N14",
    "O": "O16",
    "F": "F19",
    "Ne": "Ne20",
    "Na": "Na23",
    "Mg": "Mg24",
    "Al": "Al27",
    "Si": "Si28",
    "P": "P31",
    "S": "S32",
    "Cl": "Cl35",
    "Ar": "Ar36",
    "K": "K39",
    "Ca": "Ca40",
    "Sc": "Sc45",
    "Ti": "Ti48",
    "V": "V51",
    "Cr": "Cr52",
    "Mn": "Mn55",
    "Fe": "Fe56",
    "Co": "Co59",
    "Ni": "Ni58",
}
ELEMENTS = tuple(_MAIN)


@dataclass(frozen=True, kw_only=True)
class Nuclide:
    """A bare nucleus.

    Attributes
    ----------
    name : str
        As it was asked for: of the isotope, or of the element.
    element : str
        Symbol of the element.
    charge, mass_number : int
        Z and A.
    mass : float
        Of the nucleus, GeV.
    half_life : float or None
        Of the nucleus at rest and without electrons, Myr; None where it is stable. An element
        is stable.
    """

    name: str
    element: str
    charge: int
    mass_number: int
    mass: float
    half_life: float | None = None

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
    """A name that is no element or isotope of the tables; the message has the nearest one."""


@cache
def nuclide(name: str) -> Nuclide:
    """The nucleus of an isotope ("B11"), or the one that stands for an element ("B").

    The nuclear mass is the atomic mass less Z electrons plus their binding energy, 14.4381 Z^2.39
    + 1.55468e-6 Z^5.35 eV (Lunney, Pearson & Thibault 2003, Rev. Mod. Phys. 75, 1021, Eq. A4).

    Raises
    ------
    UnknownElement
    """
    isotope = _MAIN.get(name, name)
    if isotope not in MASS_EXCESS:
        raise UnknownElement(_unknown(name))
    element = isotope.rstrip("0123456789")
    charge = ELEMENTS.index(element) + 1
    binding = 1e-9 * (14.4381 * charge**2.39 + 1.55468e-6 * charge**5.35)
    number = int(isotope.removeprefix(element))
    atomic = number * _ATOMIC_MASS_UNIT + 1e-3 * MASS_EXCESS[isotope]
    return Nuclide(
        name=name,
        element=element,
        charge=charge,
        mass_number=number,
        mass=atomic - charge * ELECTRON_MASS + binding,
        half_life=HALF_LIFE.get(isotope),
    )


def isotope(name: str) -> Nuclide:
    """The nucleus of an isotope; what names an element is refused.

    Raises
    ------
    UnknownElement
    """
    found = nuclide(name)
    if name == found.element:
        full = f"{name}{found.mass_number}"
        raise UnknownElement(f'"{name}" is an element; its main nuclide is "{full}"')
    return found


def _unknown(name: str) -> str:
    """What to say of a name that is neither; elements are listed, and the isotopes of one."""
    word = name[:40]
    element = re.match(r"\d*([A-Z][a-z]?)-?\d+$|([A-Z][a-z]?)$", word)
    symbol = next(filter(None, element.groups()), "") if element else ""
    isotopes = [known for known in MASS_EXCESS if known.rstrip("0123456789") == symbol]
    names = {"hydrogen": "H", "proton": "H", "p": "H", "helium": "He", "carbon": "C"}
    names |= {"nitrogen": "N", "oxygen": "O", "silicon": "Si", "iron": "Fe", "nickel": "Ni"}
    names |= {known.lower(): known for known in (*ELEMENTS, *MASS_EXCESS)}
    names |= {re.sub(r"([a-z]+)(\d+)", r"\2\1", known): names[known] for known in list(names)}
    close = difflib.get_close_matches(word.lower(), names, n=1, cutoff=0.5)
    hint = f'; did you mean "{names[close[0]]}"?' if close else ""
    if isotopes:
        return f'unknown isotope "{word}"{hint} (known: {", ".join(isotopes)})'
    return f'unknown element "{word}"{hint} (known: {", ".join(ELEMENTS)})'
