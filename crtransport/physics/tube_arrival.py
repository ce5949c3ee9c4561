"""Tables [shock] and [arrival] of a flux tube: the shock that fills it, and the view at the Sun."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from crtransport.units import Positive, Quantity

Array = NDArray[np.float64]

Speed = Annotated[float, Quantity(gt=0, lt=1)]


@dataclass(frozen=True, kw_only=True)
class TubeShock:
    """A shock across the tube, whose waves move with the gas on both sides (Kirk & Schneider 1987).

        ∂/∂μ[(1−μ²) D(μ) ∂f/∂μ] = (u + μ) ∂f/∂ζ

    in the frame of the waves of each side, ζ at rest with the shock, D(μ) the scattering of the
    deck; no losses. Particles are accelerated to f ∝ p^−s, a flux R^−(s−2).

    Attributes
    ----------
    beta_up, beta_down : float
        Speeds of the gas to the shock and from it, over that of light.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    beta_up: Speed
    beta_down: Speed

    def __post_init__(self) -> None:
        if self.beta_down >= self.beta_up:
            raise ValueError(
                f"beta_down = {self.beta_down:g} is not below beta_up = {self.beta_up:g}: "
                "gas is compressed at a shock"
            )

    @property
    def relative(self) -> float:
        """Speed of one gas in the frame of the other."""
        return (self.beta_up - self.beta_down) / (1 - self.beta_up * self.beta_down)

    @property
    def diffusive(self) -> float:
        """s = 3r/(r − 1) of slow shocks, r = beta_up/beta_down."""
        return 3 * self.beta_up / (self.beta_up - self.beta_down)


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """The anisotropy of a tube on top of an isotropic background, as arrays on the ground see it.

        E = K exp[−(R₀/R)^a],   share of the tube E/(1 + E)

    of all particles at rigidity R (Malkov et al. 2023, Eq. 1, without losses); the first harmonic
    in right ascension of a dipole along the field is its amplitude times cos(dec).

    Attributes
    ----------
    K, a : float
        Excess over the background far above R₀, and the exponent.
    R0 : float
        GV.
    ra, dec : float
        Where along the field particles with μ > 0 come from, deg.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    K: Positive
    R0: Annotated[float, Quantity(unit="GV", gt=0, le=1e9)]
    a: Annotated[float, Quantity(gt=0, le=2)] = 0.5
    ra: Annotated[float, Quantity(unit="deg", ge=0, lt=360)]
    dec: Annotated[float, Quantity(unit="deg", ge=-90, le=90)]

    def share(self, rigidity: Array) -> Array:
        """Share of the tube's particles among all, at R in GV."""
        excess = self.K * np.exp(-((self.R0 / rigidity) ** self.a))
        return np.asarray(excess / (1 + excess))
