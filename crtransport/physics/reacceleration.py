"""Reacceleration and convection: what moving plasma does to cosmic rays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Discriminator

from crtransport.constants import KPC, MYR
from crtransport.physics.breaks import SHARP
from crtransport.physics.diffusion import Diffusion
from crtransport.units import Quantity

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Alfven:
    """Diffusion in momentum by Alfvén waves (Seo & Ptuskin 1994, ApJ 431, 705).

        D_pp = 4 p² v_A² / [3 δ (4−δ²) (4−δ) D(R, r, z)]

    Attributes
    ----------
    kind : str
        "alfven".
    v_alfven : float
        Alfvén speed, km/s; 0: no reacceleration.
    slope : str
        δ in the formula: "delta1" of the diffusion everywhere, or the "local" slope of D(R).
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}
    defaults_from: ClassVar[Any] = {"Yuan 2025": ("v_alfven",)}

    kind: Literal["alfven"] = "alfven"
    v_alfven: Annotated[float, Quantity(unit="km/s", ge=0, le=1e3)] = 15.0
    slope: Literal["delta1", "local"] = "delta1"

    #: D_pp follows 1/D from place to place
    uniform: ClassVar[bool] = False

    def strength(self, rigidity: Array, beta: Array, diffusion: Diffusion) -> Array:
        """D_pp/p² where D has its halo value, 1/Myr; elsewhere D_halo/D times that."""
        if self.v_alfven == 0:  # δ may then be 0, for which the formula is 0/0
            return np.zeros_like(rigidity)
        local = self.slope == "local"
        delta = diffusion.local_slope(rigidity) if local else diffusion.delta1
        speed = self.v_alfven * 1e5 * MYR / KPC
        spatial = diffusion.halo(rigidity, beta) * MYR / KPC**2
        return np.asarray(4 * speed**2 / (3 * delta * (4 - delta**2) * (4 - delta) * spatial))

    def check(self, diffusion: Diffusion) -> None:
        """Refuse slopes of D for which the formula has no meaning.

        Raises
        ------
        ValueError
        """
        used = diffusion.slopes() if self.slope == "local" else {"delta1": diffusion.delta1}
        for name, delta in used.items():
            if self.v_alfven > 0 and not 0 < delta < 2:
                raise ValueError(
                    f"reacceleration.v_alfven needs 0 < diffusion.{name} < 2, not {delta:g}: "
                    "4 v_A²/[3δ(4−δ²)(4−δ)] has no meaning there (v_alfven = 0 switches it off)"
                )
        if self.v_alfven > 0 and self.slope == "local" and diffusion.sharp():
            raise ValueError(
                f'reacceleration.slope = "local": the slope of D jumps at {diffusion.sharp()[0]:g} '
                f"GV, and D_pp with it; give diffusion's breaks a smoothness of at least {SHARP:g}"
            )


@dataclass(frozen=True, kw_only=True)
class Constant:
    """Diffusion in momentum given directly: D_pp = K p², the same at all places and momenta.

    Attributes
    ----------
    kind : str
        "constant".
    K : float
        D_pp/p², 1/Myr.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    kind: Literal["constant"]
    K: Annotated[float, Quantity(unit="1/Myr", ge=0, le=1e3)]

    uniform: ClassVar[bool] = True

    def strength(self, rigidity: Array, beta: Array, diffusion: Diffusion) -> Array:
        """D_pp/p², 1/Myr."""
        return np.full_like(rigidity, self.K)

    def check(self, diffusion: Diffusion) -> None:
        """Any diffusion will do."""


Reacceleration = Annotated[Alfven | Constant, Discriminator("kind")]


@dataclass(frozen=True, kw_only=True)
class Convection:
    """A wind V = V₀ sgn z + z dV/dz away from the mid-plane, and what its spreading costs.

        ∇·(V ψ) − ∂/∂p [(p/3) (∇·V) ψ],   ∇·V = dV/dz + 2 V₀ δ(z)

    Attributes
    ----------
    V0 : float
        Speed at the mid-plane, km/s.
    dVdz : float
        Increase with height, km/s per kpc.
    adiabatic : bool
        Whether the spreading of the wind cools.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    V0: Annotated[float, Quantity(unit="km/s", ge=0, le=1e4)] = 0.0
    dVdz: Annotated[float, Quantity(unit="km/s/kpc", ge=0, le=1e4)] = 0.0
    adiabatic: bool = True
