"""Spatial diffusion of cosmic rays in the Galaxy: D against rigidity and height."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from crtransport.units import Quantity

Array = NDArray[np.float64]
Rigidity = Annotated[float, Quantity(unit="GV", gt=0)]
Slope = Annotated[float, Quantity(ge=-5, le=5)]


@dataclass(frozen=True, kw_only=True)
class TwoHalo:
    """Slow diffusion around the disk, faster in the halo (Yuan 2025, Eqs. 2 and 3).

        D(R, z) = f(z) D₀ β^η (R/R₀)^δ₁ [1 + (R/R₁)²]^((δ₂−δ₁)/2)
        f(z) = ξ + (1−ξ) [1 − exp(−z²/2h²)]

    D₀ is the value in the halo, f(0) D₀ = ξ D₀ the disk's.

    Attributes
    ----------
    kind : str
        "two-halo".
    D0 : float
        Halo value at R0, for β = 1 and R₁ ≫ R₀, cm2/s.
    R0 : float
        Reference rigidity, GV.
    delta1, delta2 : float
        Slopes below and above R1.
    R1 : float
        Rigidity of the break, GV.
    eta : float
        Power of the speed β.
    xi : float
        Disk value over halo value.
    h : float
        Scale height of the disk's slow diffusion, kpc. A uniform medium has the disk's D
        everywhere and does not depend on it.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    kind: Literal["two-halo"] = "two-halo"
    D0: Annotated[float, Quantity(unit="cm2/s", gt=0, lt=1e100)] = 4.5e28
    R0: Rigidity = 4.0
    delta1: Slope = 0.48
    delta2: Slope = 0.20
    R1: Rigidity = 250.0
    eta: Slope = -1.0
    xi: Annotated[float, Quantity(gt=0, le=1)] = 0.1
    h: Annotated[float, Quantity(unit="kpc", gt=0)] = 0.45

    def halo(self, rigidity: Array, beta: Array) -> Array:
        """D far from the disk at R (GV), cm2/s."""
        bend = (1 + (rigidity / self.R1) ** 2) ** ((self.delta2 - self.delta1) / 2)
        return np.asarray(self.D0 * beta**self.eta * (rigidity / self.R0) ** self.delta1 * bend)

    def disk(self, rigidity: Array, beta: Array) -> Array:
        """D at z = 0, cm2/s."""
        return np.asarray(self.shape(np.zeros(())) * self.halo(rigidity, beta))

    def shape(self, z: Array) -> Array:
        """f(z), D over its halo value at height z (kpc)."""
        return np.asarray(self.xi - (1 - self.xi) * np.expm1(-((z / self.h) ** 2) / 2))
