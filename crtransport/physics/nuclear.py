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
    ("B11", "Li6"): Channel(4.78, 0.473, 0.053, 1.91, 0.0001, 5),  # 3 %
    ("B11", "Li7"): Channel(21.2, 0.341, 0.204, 1.08, 0.00961, 5),  # 2 %
    ("B11", "Be7"): Channel(4.541, -0.131, 0.188, 1.38, 0.00221, 1),  # 1 %
    ("B11", "Be9"): Channel(10.39, 0.451, 0.141, 2, 0.0252, 5),  # 5 %
    ("B11", "Be10"): Channel(13.14, -0.131, 0.188, 1.38, 0.00221, 1),  # 1 %
    ("B11", "B10"): Channel(39.4, 3.09, 0.02, 1.07, 0.0245, 4.57),  # 3 %
    ("C12", "Li6"): Channel(14.01, 2.72, 0.0489, 0.5, 0.12, 1.28),  # 2 %
    ("C12", "Li7"): Channel(12.8, -0.272, 0.29, 1.29, 0.0364, 5),  # 3 %
    ("C12", "Be7"): Channel(9.763, 3.06, 0.0371, 0.5, 0.0379, 5),  # 4 %
    ("C12", "Be9"): Channel(7.19, -0.621, 0.0642, 2, 0.0341, 5),  # 3 %
    ("C12", "Be10"): Channel(4.152, -0.411, 0.29, 0.809, 0.151, 2.09),  # 6 %
    ("C12", "B10"): Channel(18.31, 1.74, 0.0391, 0.5, 0.0469, 5),  # 12 %
    ("C12", "B11"): Channel(57.07, 0.837, 0.0333, 0.601, 0.0212, 4.42),  # 3 %
    ("N14", "Li6"): Channel(12.76, 6, 0.0171, 0.5, 0.033, 5),  # 3 %
    ("N14", "Li7"): Channel(9.236, 0.797, 0.0589, 0.5, 0.0835, 5),  # 23 %
    ("N14", "Be7"): Channel(10.09, 6, 0.0123, 0.5, 0.0165, 5),  # 3 %
    ("N14", "Be9"): Channel(2.116, 4.98, 0.0236, 0.5, 0.0379, 5),  # 18 %
    ("N14", "Be10"): Channel(1.754, -0.597, 0.0955, 0.999, 0.0752, 5),  # 3 %
    ("N14", "B10"): Channel(10.8, 6, 0.0191, 0.5, 0.0184, 5),  # 6 %
    ("N14", "B11"): Channel(30.11, -0.214, 0.0457, 0.5, 0.0001, 4.23),  # 4 %
    ("N14", "C12"): Channel(54.05, 0.0704, 0.0967, 2, 0.0001, 5),  # 0 %
    ("N14", "C13"): Channel(15.01, 2.86, 0.01, 1.22, 0.0157, 5),  # 5 %
    ("O16", "Li6"): Channel(12.2, 6, 0.0338, 0.5, 0.0619, 5),  # 10 %
    ("O16", "Li7"): Channel(10.63, 3.43, 0.0378, 0.5, 0.0598, 5),  # 17 %
    ("O16", "Be7"): Channel(10.01, -0.366, 0.18, 0.552, 0.046, 5),  # 2 %
    ("O16", "Be9"): Channel(4.454, -0.524, 0.211, 0.5, 0.0498, 5),  # 22 %
    ("O16", "Be10"): Channel(1.89, 0.446, 1.54, 0.907, 0.2, 1.57),  # 11 %
    ("O16", "B10"): Channel(10.5, 3.02, 0.0327, 0.5, 0.055, 5),  # 7 %
    ("O16", "B11"): Channel(25.75, 5.87, 0.0355, 0.5, 0.0529, 5),  # 11 %
    ("O16", "C12"): Channel(41.5, 6, 0.018, 0.5, 0.000113, 5),  # 11 %
    ("O16", "C13"): Channel(49.36, 0.252, 0.0957, 0.5, 0.002, 1),  # 5 %
    ("O16", "N14"): Channel(29.9, 0.0864, 0.0953, 2, 0.0001, 5),  # 1 %
    ("O16", "N15"): Channel(64.85, 2.54, 0.0166, 1.1, 0.0244, 5),  # 3 %
}
