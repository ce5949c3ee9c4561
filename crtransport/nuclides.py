"""Cosmic-ray nuclei by name, and the kinematics that links rigidity to energy per nucleon.

A name is that of an isotope ("B11") or of an element ("B"). An element stands for its most
abundant stable isotope among the cosmic rays' sources (4He, 12C, 36Ar, 56Fe, 58Ni, …): at the same
rigidity another isotope's energy per nucleon differs.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crtransport.constants import ELECTRON_MASS

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

#: isotope -> atomic mass in u (AME2020: Wang et al. 2021, Chin. Phys. C 45, 030003)
_ATOMIC_MASS = {
    "H1": 1.007825031898,
    "H2": 2.014101777844,
    "He3": 3.01602932197,
    "He4": 4.00260325413,
    "Li6": 6.0151228874,
    "Li7": 7.016003434,
    "Be7": 7.016928714,
    "Be9": 9.012183062,
    "Be10": 10.013534692,
    "B10": 10.012936862,
    "B11": 11.009305166,
    "C12": 12.0,
    "C13": 13.00335483534,
    "C14": 14.00324198862,
    "N14": 14.00307400425,
    "N15": 15.00010889827,
    "O16": 15.99491461926,
    "O17": 16.99913175595,
    "O18": 17.99915961214,
    "F19": 18.99840316207,
    "Ne20": 19.99244017525,
    "Ne21": 20.993846685,
    "Ne22": 21.991385114,
    "Na23": 22.989769282,
    "Mg24": 23.985041689,
    "Mg25": 24.985836966,
    "Mg26": 25.982592972,
    "Al26": 25.986891876,
    "Al27": 26.981538408,
    "Si28": 27.97692653442,
    "Si29": 28.97649466434,
    "Si30": 29.973770137,
    "P31": 30.97376199768,
    "S32": 31.97207117354,
    "Cl35": 34.968852694,
    "Ar36": 35.967545106,
    "K39": 38.963706485,
    "Ca40": 39.962590851,
    "Sc45": 44.9559071,
    "Ti48": 47.94794068,
    "V51": 50.94395766,
    "Cr52": 51.94050471,
    "Mn55": 54.93804304,
    "Fe54": 53.939608189,
    "Fe56": 55.93493554,
    "Co59": 58.9331935,
    "Ni58": 57.93534165,
}

#: half-lives in Myr of nuclei without electrons, so without electron capture
_HALF_LIFE = {
    "Be10": 1.387,  # Chmeleff et al. 2010, Korschinek et al. 2010, NIM B 268, 192 and 187
    "C14": 5.70e-3,  # NUBASE2020: Kondev et al. 2021, Chin. Phys. C 45, 030001
    "Al26": 0.91,  # β⁺ branch alone: Mewaldt et al. 2001, Space Sci. Rev. 99, 27
}


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


def nuclide(name: str) -> Nuclide:
    """The nucleus of an isotope ("B11"), or the one that stands for an element ("B").

    The nuclear mass is the atomic mass less Z electrons plus their binding energy, 14.4381 Z^2.39
    + 1.55468e-6 Z^5.35 eV (Lunney, Pearson & Thibault 2003, Rev. Mod. Phys. 75, 1021, Eq. A4).

    Raises
    ------
    UnknownElement
    """
    isotope = _MAIN.get(name, name)
    if isotope not in _ATOMIC_MASS:
        raise UnknownElement(_unknown(name))
    element = isotope.rstrip("0123456789")
    charge = ELEMENTS.index(element) + 1
    binding = 1e-9 * (14.4381 * charge**2.39 + 1.55468e-6 * charge**5.35)
    atomic = _ATOMIC_MASS[isotope] * _ATOMIC_MASS_UNIT
    return Nuclide(
        name=name,
        element=element,
        charge=charge,
        mass_number=int(isotope.removeprefix(element)),
        mass=atomic - charge * ELECTRON_MASS + binding,
        half_life=_HALF_LIFE.get(isotope),
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
    isotopes = [known for known in _ATOMIC_MASS if known.rstrip("0123456789") == symbol]
    names = {"hydrogen": "H", "proton": "H", "p": "H", "helium": "He", "carbon": "C"}
    names |= {"nitrogen": "N", "oxygen": "O", "silicon": "Si", "iron": "Fe", "nickel": "Ni"}
    names |= {known.lower(): known for known in (*ELEMENTS, *_ATOMIC_MASS)}
    names |= {re.sub(r"([a-z]+)(\d+)", r"\2\1", known): names[known] for known in list(names)}
    close = difflib.get_close_matches(word.lower(), names, n=1, cutoff=0.5)
    hint = f'; did you mean "{names[close[0]]}"?' if close else ""
    if isotopes:
        return f'unknown isotope "{word}"{hint} (known: {", ".join(isotopes)})'
    return f'unknown element "{word}"{hint} (known: {", ".join(ELEMENTS)})'
