"""Collisions of nuclei with the interstellar gas: what is destroyed and what is made."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from crtransport.constants import MYR, SPEED_OF_LIGHT
from crtransport.nuclide_tables import HALF_LIFE
from crtransport.nuclides import Nuclide, nuclide
from crtransport.physics.channel_file import read_channels
from crtransport.physics.channels import channels, on_helium
from crtransport.physics.inelastic import inelastic
from crtransport.physics.network import why_not_made
from crtransport.units import Quantity

Array = NDArray[np.float64]
Millibarn = Annotated[float, Quantity(ge=0, le=1e6)]
Factor = Annotated[float, Quantity(ge=0, le=100)]
HalfLife = Annotated[float, Quantity(unit="Myr", gt=0)]

#: β c n σ in 1/Myr for β = 1, n = 1 cm^-3, σ = 1 mb
RATE = 1e-27 * SPEED_OF_LIGHT * MYR


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
        "letaw1983": total inelastic cross sections of Letaw et al. 1983, on helium those of
        Westfall et al. 1979; "tripathi1999": those of Tripathi et al. 1996 and 1999 on both;
        by either, protons of Kafexhiu et al. 2014 and helium on helium of Tripathi et al.;
        "constant": `cross_section` for all.
    cross_section : float
        Total inelastic cross section per hydrogen atom of the gas, mb, for "constant".
    channels : table
        Production cross sections per hydrogen atom of the gas, mb, the same at all energies, in
        place of the built-in ones: {"C12->B11" = 60.0}.
    channel_file : str
        A table of production cross sections on hydrogen, which replaces the channels that it
        has: columns Z_parent, A_parent, Z_child, A_child and s_X, mb at X in GeV/n, or in MeV/n
        where a comment says [MeV/n]. Rows of what is not followed here are left out and told. Where
        it has a step, the fluxes beside it need more momentum.per_decade: to 1e-2 with 16, 1e-3
        with 32 and 2e-4 with 64.
    channel_scale : table
        Factors on production cross sections, built in or of the file: {"C12->B11" = 1.05}.
    half_lives : table
        Half-lives of nuclei without electrons, Myr, in place of the built-in ones: {Be10 = 1.4}.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    spallation: bool = True
    secondaries: bool = True
    decay: bool = True
    inelastic: Literal["letaw1983", "tripathi1999", "constant"] = "letaw1983"
    cross_section: Millibarn | None = None
    channels: dict[str, Millibarn] = field(default_factory=dict)
    channel_file: str | None = None
    channel_scale: dict[str, Factor] = field(default_factory=dict)
    half_lives: dict[str, HalfLife] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.inelastic == "constant" and self.cross_section is None:
            raise ValueError('inelastic = "constant" needs cross_section, in mb')
        if self.inelastic != "constant" and self.cross_section is not None:
            raise ValueError(
                f"cross_section = {self.cross_section:g} mb has no effect with inelastic = "
                f'"{self.inelastic}"; leave it out, or set inelastic = "constant"'
            )
        self._file()  # refuses a wrong one
        for key in ("channels", "channel_scale"):
            for channel in getattr(self, key):
                _check_channel(key, channel)
        for name in self.half_lives:
            if name not in HALF_LIFE:
                known = ", ".join(HALF_LIFE)
                raise ValueError(f"half_lives: {name} does not decay here (known: {known})")
        for channel in self.channel_scale:
            if channel in self.channels or not self.makes(*channel.split("->")):
                raise ValueError(
                    f"channel_scale: {channel} is no channel that is built in or in channel_file"
                )

    def total(self, nucleus: Nuclide, energy: Array, helium: float) -> Array:
        """Total inelastic cross section per hydrogen atom of the gas, helium included, mb."""
        if self.inelastic == "constant":
            return np.full_like(energy, self.cross_section)
        on_hydrogen = inelastic(nucleus, energy, "H", self.inelastic)
        return on_hydrogen + helium * inelastic(nucleus, energy, "He", self.inelastic)

    def half_life(self, nucleus: Nuclide) -> float | None:
        """Of a nucleus at rest, Myr; None where it is stable."""
        return self.half_lives.get(nucleus.name, nucleus.half_life)

    def makes(self, parent: str, child: str) -> bool:
        """Whether collisions of a parent leave this child."""
        named = self.channels.get(f"{parent}->{child}") if self.channels else None
        if named is not None:
            return named > 0
        return (parent, child) in channels() or (parent, child) in self._file()

    def kinks(self, parent: str, child: str) -> Array | None:
        """Energies of the file at which a cross section has kinks, GeV/n; None if it is smooth."""
        if self.channel_file is None or (parent, child) not in self._file():
            return None
        if f"{parent}->{child}" in self.channels:
            return None
        return np.exp(read_channels(self.channel_file).log_energy)

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
    if why := why_not_made(nuclide(parent), nuclide(child)):
        raise ValueError(f"{key}: {channel}: {why}")
