"""Collisions of nuclei with the interstellar gas: what is destroyed and what is made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from crtransport.constants import MYR, SPEED_OF_LIGHT
from crtransport.nuclides import Nuclide, nuclide
from crtransport.physics.channel_file import read_channels
from crtransport.physics.channels import channels, on_helium
from crtransport.units import Quantity

Array = NDArray[np.float64]
Millibarn = Annotated[float, Quantity(ge=0, le=1e6)]
Factor = Annotated[float, Quantity(ge=0, le=100)]

#: β c n σ in 1/Myr for β = 1, n = 1 cm^-3, σ = 1 mb
RATE = 1e-27 * SPEED_OF_LIGHT * MYR

#: proton + proton -> anything inelastic begins at this T, GeV: two-body kinematics of one π⁰
_PION_THRESHOLD = 0.2797

#: what unstable nuclides decay to
DAUGHTERS = {"Be10": "B10", "C14": "N14", "Al26": "Mg26"}


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
    channel_file : str
        A table of production cross sections on hydrogen, which replaces the channels that it
        has: columns Z_parent, A_parent, Z_child, A_child and s_X, mb at X in GeV/n, or in MeV/n
        where a comment says [MeV/n].
    channel_scale : table
        Factors on production cross sections, built in or of the file: {"C12->B11" = 1.05}.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    spallation: bool = True
    secondaries: bool = True
    decay: bool = True
    inelastic: Literal["letaw1983", "constant"] = "letaw1983"
    cross_section: Millibarn | None = None
    channels: dict[str, Millibarn] = field(default_factory=dict)
    channel_file: str | None = None
    channel_scale: dict[str, Factor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.inelastic == "constant" and self.cross_section is None:
            raise ValueError('inelastic = "constant" needs cross_section, in mb')
        if self.inelastic != "constant" and self.cross_section is not None:
            raise ValueError(
                f"cross_section = {self.cross_section:g} mb has no effect with inelastic = "
                f'"{self.inelastic}"; leave it out, or set inelastic = "constant"'
            )
        for key in ("channels", "channel_scale"):
            for channel in getattr(self, key):
                _check_channel(key, channel)
        for channel in self.channel_scale:
            if channel in self.channels or not self.makes(*channel.split("->")):
                raise ValueError(
                    f"channel_scale: {channel} is no channel that is built in or in channel_file"
                )

    def total(self, nucleus: Nuclide, energy: Array, helium: float) -> Array:
        """Total inelastic cross section per hydrogen atom of the gas, helium included, mb."""
        if self.cross_section is not None:
            return np.full_like(energy, self.cross_section)
        return inelastic(nucleus, energy) * (1 + helium * helium_ratio(nucleus))

    def makes(self, parent: str, child: str) -> bool:
        """Whether collisions of a parent leave this child."""
        named = self.channels.get(f"{parent}->{child}")
        if named is not None:
            return named > 0
        return (parent, child) in self._file() or (parent, child) in channels()

    def _file(self) -> dict[tuple[str, str], Array]:
        return {} if self.channel_file is None else read_channels(self.channel_file).rows

    def production(
        self, parent: Nuclide, child: Nuclide, energy: Array, helium: float
    ) -> Array | None:
        """Cross section of a channel per hydrogen atom of the gas, mb; None where there is none."""
        pair, name = (parent.name, child.name), f"{parent.name}->{child.name}"
        if not self.makes(*pair):
            return None
        if name in self.channels:
            return np.full_like(energy, self.channels[name])
        if self.channel_file is not None and pair in self._file():
            sigma = read_channels(self.channel_file).at(pair, energy)
        else:
            sigma = channels()[pair].at(energy)
        with_helium = 1 + helium * on_helium(parent, child, energy)
        return np.asarray(self.channel_scale.get(name, 1.0) * sigma * with_helium)


def _check_channel(key: str, channel: str) -> None:
    parent, arrow, child = channel.partition("->")
    if not arrow:
        raise ValueError(f'{key}: "{channel}" must be "parent->child", as "C12->B11"')
    for name in (parent, child):
        main = nuclide(name)
        if name == main.element:
            full = f"{name}{main.mass_number}"
            raise ValueError(f'{key}: "{channel}" needs nuclides, "{full}" for "{name}"')
    if nuclide(parent).mass_number <= nuclide(child).mass_number:
        raise ValueError(f"{key}: {channel}: the child is not lighter than the parent")


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
    protons what Letaw's formula gives for 4He on hydrogen, over 32 mb.
    """
    high = np.asarray(1e3)
    if nucleus.mass_number == 1:
        return float(inelastic(nuclide("He4"), high) / 32.0)
    helium = 57.3 * (nucleus.mass_number ** (1 / 3) + 4 ** (1 / 3) - 0.83) ** 2
    return float(helium / inelastic(nucleus, high))
