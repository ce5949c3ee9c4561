"""Energy losses of nuclei in the interstellar gas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from crtransport.constants import ELECTRON_MASS, MYR, SPEED_OF_LIGHT
from crtransport.nuclides import Nuclide
from crtransport.units import Quantity

Array = NDArray[np.float64]

_RADIUS = 2.8179403262e-13  # cm, classical electron radius, CODATA 2018
_HBAR_C = 1.973269804e-14  # GeV cm, CODATA 2018
#: 2π r_e² c m_e c², GeV cm3/s
_UNIT = 2 * np.pi * _RADIUS**2 * SPEED_OF_LIGHT * ELECTRON_MASS
#: electrons of an atom and mean excitation energy, GeV: Strong & Moskalenko 1998, App. C
_HYDROGEN, _HELIUM = (1, 19e-9), (2, 44e-9)
#: temperature of the ionised gas over m_e c², for 1e4 K
_TEMPERATURE = 8.617333262e-14 * 1e4 / ELECTRON_MASS
#: density in the Coulomb logarithm, cm^-3, which depends on it by its root's logarithm
_TYPICAL_DENSITY = 0.1
#: kinetic energy, GeV/n, below which the logarithms fall to where they change sign (2e-5 of helium)
LOWEST = 1e-4


@dataclass(frozen=True, kw_only=True)
class Losses:
    """Which continuous losses act.

    Attributes
    ----------
    ionisation : bool
        Ionisation of neutral hydrogen and helium.
    coulomb : bool
        Coulomb scattering off free electrons.
    rate : float
        A further loss −(dp/dt)/p = rate (p/p₀)^slope everywhere, p₀ = 1 GeV/n, 1/Myr.
    slope : float
        Its power of momentum.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    ionisation: bool = True
    coulomb: bool = True
    rate: Annotated[float, Quantity(unit="1/Myr", ge=0, le=1e6)] = 0.0
    slope: Annotated[float, Quantity(ge=-5, le=5)] = 0.0

    def __post_init__(self) -> None:
        if self.slope and not self.rate:
            raise ValueError(f"slope = {self.slope:g} has no effect without rate")

    def ionisation_rate(self, nucleus: Nuclide, momentum: Array, helium: float) -> Array | None:
        """−(dp/dt)/p in neutral gas of one hydrogen atom per cm^3, 1/Myr; None if switched off.

        Parameters
        ----------
        momentum : array
            p per nucleon, GeV/n, above 0.04 (1 MeV/n): slower nuclei capture electrons.
        helium : float
            Atoms of helium for one of hydrogen.

        Notes
        -----
        −dE/dt = 2π r_e² c m_e c² (Z²/β) Σ_s z_s n_s [ln(2 m_e c² β²γ² Q_max/I_s²) − 2β²]
        with Q_max = 2 m_e c² β²γ²/(1 + 2γ m_e/M), s = H, He of z_s electrons (Bethe's formula;
        Strong & Moskalenko 1998, ApJ 509, 212, App. C). Shell and density corrections are left
        out.
        """
        if not self.ionisation:
            return None
        beta, gamma, gamma_beta = _speed(nucleus, momentum)
        largest = 2 * ELECTRON_MASS * gamma_beta**2 / (1 + 2 * gamma * ELECTRON_MASS / nucleus.mass)
        bracket = np.zeros_like(beta)
        for abundance, (electrons, excitation) in ((1.0, _HYDROGEN), (helium, _HELIUM)):
            logarithm = np.log(2 * ELECTRON_MASS * gamma_beta**2 * largest / excitation**2)
            bracket += abundance * electrons * (logarithm - 2 * beta**2)
        return _per_momentum(nucleus, momentum, nucleus.charge**2 / beta**2 * bracket)

    def coulomb_rate(self, nucleus: Nuclide, momentum: Array) -> Array | None:
        """−(dp/dt)/p among free electrons of one per cm^3, 1/Myr; None if switched off.

        −dE/dt = 4π r_e² c m_e c² Z² n_e ln Λ β²/(x_m³ + β³), x_m³ = (3√π/4) (2kT_e/m_e c²)^3/2,
        ln Λ = ½ ln[m_e² c⁴/(π r_e ħ²c² n_e) Mγ²β⁴/(M + 2γ m_e)] (Mannheim & Schlickeiser 1994,
        A&A 286, 983; Strong & Moskalenko 1998, App. C), T_e = 1e4 K, p per nucleon in GeV/n. In
        ln Λ, n_e is 0.1 cm^-3.
        """
        if not self.coulomb:
            return None
        beta, gamma, gamma_beta = _speed(nucleus, momentum)
        plasma = ELECTRON_MASS**2 / (np.pi * _RADIUS * _HBAR_C**2 * _TYPICAL_DENSITY)
        reduced = (gamma_beta * beta) ** 2 / (1 + 2 * gamma * ELECTRON_MASS / nucleus.mass)
        logarithm = np.log(plasma * reduced) / 2
        thermal = 3 * np.sqrt(np.pi) / 4 * (2 * _TEMPERATURE) ** 1.5
        force = 2 * nucleus.charge**2 * logarithm * beta / (thermal + beta**3)
        return _per_momentum(nucleus, momentum, force)

    def continuous_rate(self, momentum: Array) -> Array | None:
        """−(dp/dt)/p of the further loss at p in GeV/n, 1/Myr; None where there is none."""
        return self.rate * momentum**self.slope if self.rate > 0 else None


def _speed(nucleus: Nuclide, momentum: Array) -> tuple[Array, Array, Array]:
    """β, γ, βγ; from p, as γ(β) has no digits left at high energy."""
    gamma_beta = momentum / nucleus.nucleon_mass
    gamma = np.hypot(1.0, gamma_beta)
    return gamma_beta / gamma, gamma, gamma_beta


def _per_momentum(nucleus: Nuclide, momentum: Array, force: Array) -> Array:
    """−(dp/dt)/p, with the force −(dE/dt)/β on the nucleus in units of 2π r_e² c m_e c²."""
    return np.asarray(_UNIT * MYR * force / (nucleus.mass_number * momentum))
