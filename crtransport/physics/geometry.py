"""The volume in which cosmic rays diffuse, and the Sun in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Discriminator

from crtransport.units import Quantity

Length = Annotated[float, Quantity(unit="kpc", gt=0, le=1000)]


@dataclass(frozen=True, kw_only=True)
class Cylinder:
    """A cylinder r < r_h, |z| < z_h with free escape, symmetric about its axis and its mid-plane.

    Attributes
    ----------
    kind : str
        "cylinder".
    r_h : float
        Radius, kpc.
    z_h : float
        Half height, kpc.
    r_sun : float
        Distance of the Sun from the axis, kpc; it lies in the mid-plane.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}
    defaults_from: ClassVar[Any] = {"Yuan 2025": ("z_h",)}

    kind: Literal["cylinder"] = "cylinder"
    r_h: Length = 20.0
    z_h: Length = 4.0
    r_sun: Length = 8.5

    def __post_init__(self) -> None:
        if self.r_sun >= self.r_h:
            raise ValueError(
                f"r_sun = {self.r_sun:g} kpc puts the Sun outside the galaxy, "
                f"r_h = {self.r_h:g} kpc"
            )


@dataclass(frozen=True, kw_only=True)
class Slab:
    """A slab |z| < z_h with free escape, the same everywhere along the plane as at the Sun.

    Attributes
    ----------
    kind : str
        "slab".
    z_h : float
        Half height, kpc.
    r_sun : float
        Distance from the axis at which gas and sources are taken, kpc.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}
    defaults_from: ClassVar[Any] = {"Yuan 2025": ("z_h",)}

    kind: Literal["slab"]
    z_h: Length = 4.0
    r_sun: Length = 8.5


@dataclass(frozen=True, kw_only=True)
class LeakyBox:
    """One well-mixed box, from which particles escape at the rate 1/τ(R) ∝ D(R).

    Attributes
    ----------
    kind : str
        "leaky-box".
    escape_time : float
        τ where D(R) = D0, Myr.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    kind: Literal["leaky-box"]
    escape_time: Annotated[float, Quantity(unit="Myr", gt=0)]

    #: where a profile of sources is 1
    r_sun: ClassVar[float] = 8.5


Geometry = Annotated[Cylinder | Slab | LeakyBox, Discriminator("kind")]
