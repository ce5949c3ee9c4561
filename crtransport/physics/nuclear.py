"""Collisions of nuclei with the interstellar gas: what is destroyed and what is made.

The channels here are a handful, each a smooth fit of a published parametrisation; they serve the
light nuclei until every channel is fitted to measurements.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crtransport.constants import MYR, SPEED_OF_LIGHT
from crtransport.nuclides import Nuclide, nuclide
from crtransport.units import Quantity

Array = NDArray[np.float64]
Millibarn = Annotated[float, Quantity(ge=0, le=1e6)]

#: β c n σ in 1/Myr for β = 1, n = 1 cm^-3, σ = 1 mb
RATE = 1e-27 * SPEED_OF_LIGHT * MYR

#: proton + proton -> anything inelastic begins at this T, GeV: two-body kinematics of one π⁰
_PION_THRESHOLD = 0.2797


@dataclass(frozen=True, kw_only=True)
class Nuclear:
    """Destruction and production of nuclei in the gas, and their decay.

    Attributes
    ----------
    spallation : bool
        Whether collisions destroy nuclei.
    secondaries : bool
        Whether what they leave is followed.
    decay : bool
        Whether unstable nuclei decay.
    inelastic : str
        "letaw1983": total inelastic cross sections of Letaw et al. 1983 with helium of Westfall
        et al. 1979, protons of Kafexhiu et al. 2014; "constant": `cross_section` for all.
    cross_section : float
        Total inelastic cross section per hydrogen atom of the gas, mb, for "constant".
    channels : table
        Production cross sections per hydrogen atom of the gas, mb, the same at all energies, in
        place of the built-in ones: {"C12->B11" = 60.0}.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    spallation: bool = True
    secondaries: bool = True
    decay: bool = True
    inelastic: Literal["letaw1983", "constant"] = "letaw1983"
    cross_section: Millibarn | None = None
    channels: dict[str, Millibarn] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if (self.inelastic == "constant") != (self.cross_section is not None):
            raise ValueError('inelastic = "constant" and cross_section go together')
        for channel in self.channels:
            parent, arrow, child = channel.partition("->")
            if not arrow:
                raise ValueError(f'channels: "{channel}" must be "parent->child", as "C12->B11"')
            if nuclide(parent).mass_number <= nuclide(child).mass_number:
                raise ValueError(f"channels: {channel}: the child is not lighter than the parent")

    def total(self, nucleus: Nuclide, energy: Array, helium: float) -> Array:
        """Total inelastic cross section per hydrogen atom of the gas, helium included, mb."""
        if self.cross_section is not None:
            return np.full_like(energy, self.cross_section)
        return inelastic(nucleus, energy) * (1 + helium * helium_ratio(nucleus))

    def production(
        self, parent: Nuclide, child: Nuclide, energy: Array, helium: float
    ) -> Array | None:
        """Cross section of a channel per hydrogen atom of the gas, mb; None where there is none.

        On helium it is larger by the same factor as the total of the parent.
        """
        name = f"{parent.name}->{child.name}"
        if name in self.channels:
            return np.full_like(energy, self.channels[name])
        channel = CHANNELS.get((parent.name, child.name))
        if channel is None:
            return None
        return channel.at(energy) * (1 + helium * helium_ratio(parent))


def inelastic(nucleus: Nuclide, energy: Array) -> Array:
    """Total inelastic cross section on hydrogen at T in GeV/n, mb.

    Protons: [30.7 − 0.96 L + 0.18 L²] [1 − (T_th/T)^1.9]³ with L = ln(T/T_th), none below T_th
    (Kafexhiu et al. 2014, Phys. Rev. D 90, 123014, Eq. 1). Others: 45 A^0.7 [1 + 0.016 sin(5.3 −
    2.63 ln A)] [1 − 0.62 e^(−E/200) sin(10.9 E^−0.28)], E in MeV/n, times 0.8 for helium and
    1 + 0.75 e^(−E/75) for beryllium (Letaw, Silberberg & Tsao 1983, ApJS 51, 271).
    """
    if nucleus.mass_number == 1:
        above = np.maximum(energy / _PION_THRESHOLD, 1.0)
        log = np.log(above)
        return np.asarray((30.7 - 0.96 * log + 0.18 * log**2) * (1 - above**-1.9) ** 3)
    a, mev = nucleus.mass_number, 1e3 * energy
    shape = 1 - 0.62 * np.exp(-mev / 200) * np.sin(10.9 * mev**-0.28)
    if nucleus.charge == 2:
        shape = 0.8 * shape
    if nucleus.charge == 4:
        shape = shape * (1 + 0.75 * np.exp(-mev / 75))
    return np.asarray(45 * a**0.7 * (1 + 0.016 * np.sin(5.3 - 2.63 * np.log(a))) * shape)


def helium_ratio(nucleus: Nuclide) -> float:
    """Total inelastic cross section on helium over that on hydrogen, taken the same at all T.

    On helium 57.3 mb (A^⅓ + 4^⅓ − 0.83)² (Westfall et al. 1979, Phys. Rev. C 19, 1309); for
    protons what Letaw's formula gives for 4He on hydrogen.
    """
    high = np.asarray(1e3)
    if nucleus.mass_number == 1:
        return float(inelastic(nuclide("He4"), high) / 32.0)
    on_helium = 57.3 * (nucleus.mass_number ** (1 / 3) + 4 ** (1 / 3) - 0.83) ** 2
    return float(on_helium / inelastic(nucleus, high))


#: what unstable nuclides decay to
DAUGHTERS = {"Be10": "B10", "C14": "N14", "Al26": "Mg26"}


class Channel(NamedTuple):
    """σ(T) = high {1 + peak exp[−ln²(T/T₀)/2w²]}/[1 + (T₁/T)^k] on hydrogen, mb, T in GeV/n."""

    high: float
    peak: float
    T0: float
    width: float
    T1: float
    power: float

    def at(self, energy: Array) -> Array:
        """σ at T in GeV/n, mb."""
        bump = 1 + self.peak * np.exp(-((np.log(energy / self.T0) / self.width) ** 2) / 2)
        return np.asarray(self.high * bump / (1 + (self.T1 / energy) ** self.power))


#: (parent, child) -> own fit to the cumulative cross sections that Génolini et al. 2018 (Phys. Rev.
#: C 98, 034611) started from; behind each its rms deviation above 50 MeV/n
CHANNELS = {
    ("B11", "Li6"): Channel(4.78, 0.473, 0.053, 1.91, 0.0001, 2),  # 3 %
    ("B11", "Li7"): Channel(21.18, 0.342, 0.201, 1.1, 0.00356, 2),  # 2 %
    ("B11", "Be7"): Channel(4.541, -0.131, 0.188, 1.38, 0.00221, 1),  # 1 %
    ("B11", "Be9"): Channel(12.5, 1.34, 0.0302, 0.9, 0.0493, 2),  # 12 %
    ("B11", "Be10"): Channel(13.14, -0.131, 0.188, 1.38, 0.00221, 1),  # 1 %
    ("B11", "B10"): Channel(39.54, 4, 0.0267, 0.9, 0.0329, 2),  # 4 %
    ("C12", "Li6"): Channel(14.42, -0.254, 0.304, 0.9, 0.0299, 2),  # 8 %
    ("C12", "Li7"): Channel(12.8, -0.254, 0.426, 1.02, 0.0407, 2),  # 6 %
    ("C12", "Be7"): Channel(9.444, 4, 0.0252, 0.9, 0.0545, 2),  # 11 %
    ("C12", "Be9"): Channel(7.083, -0.512, 0.127, 1.64, 0.0448, 2),  # 2 %
    ("C12", "Be10"): Channel(4.222, -0.554, 0.129, 1.34, 0.1, 2),  # 5 %
    ("C12", "B10"): Channel(17.56, 1.78, 0.0419, 0.9, 0.0674, 2),  # 14 %
    ("C12", "B11"): Channel(56.1, 2.32, 0.02, 0.9, 0.0356, 2),  # 5 %
    ("N14", "Li6"): Channel(12.62, 0.89, 0.02, 0.9, 0.0199, 2),  # 6 %
    ("N14", "Be7"): Channel(9.715, 0.903, 0.02, 0.9, 0.0001, 2),  # 8 %
    ("N14", "Be9"): Channel(2.213, 1.92, 0.0224, 0.9, 0.0621, 2),  # 13 %
    ("N14", "Be10"): Channel(1.775, -0.8, 0.0269, 1.61, 0.07, 2),  # 4 %
    ("N14", "B10"): Channel(10.07, 2.15, 0.02, 0.9, 0.0001, 2),  # 18 %
    ("N14", "B11"): Channel(30, -0.125, 0.0572, 0.9, 0.0001, 2),  # 3 %
    ("N14", "C12"): Channel(54.05, 0.0704, 0.0966, 2, 0.0001, 2),  # 0 %
    ("N14", "C13"): Channel(15.19, 2.26, 0.02, 0.9, 0.0109, 2),  # 6 %
    ("O16", "Li6"): Channel(12.48, 4, 0.0266, 0.9, 0.099, 2),  # 20 %
    ("O16", "Li7"): Channel(10.94, 1.81, 0.0372, 0.9, 0.0954, 2),  # 22 %
    ("O16", "Be7"): Channel(10.3, -0.236, 0.225, 0.9, 0.0499, 2),  # 10 %
    ("O16", "Be9"): Channel(4.454, -0.301, 0.252, 0.9, 0.0675, 2),  # 28 %
    ("O16", "Be10"): Channel(0.5325, 4, 2, 1.66, 0.1, 1.34),  # 12 %
    ("O16", "B10"): Channel(10.61, 2.47, 0.0296, 0.9, 0.087, 2),  # 14 %
    ("O16", "B11"): Channel(25.75, 2.73, 0.032, 0.9, 0.0779, 2),  # 25 %
    ("O16", "C12"): Channel(36.12, 2.86, 0.02, 0.9, 0.0001, 2),  # 14 %
    ("O16", "C13"): Channel(49.04, 0.153, 0.121, 0.9, 0.00197, 1),  # 6 %
    ("O16", "N14"): Channel(29.9, 0.0864, 0.0952, 2, 0.0001, 2),  # 1 %
    ("O16", "N15"): Channel(64.5, 3.63, 0.0251, 0.9, 0.0379, 2),  # 4 %
}
