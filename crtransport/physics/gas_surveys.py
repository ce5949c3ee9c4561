"""Hydrogen as the surveys of CO and of H I tabulate it, and how much H₂ goes with CO.

Radii of the tables refer to a Sun at 10 kpc from the centre; here they are 0.85 of that.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Discriminator

from crtransport.constants import KPC
from crtransport.physics.tables import check_table, interpolate
from crtransport.units import Quantity

Array = NDArray[np.float64]
#: limits that hold all published values, 1e19 to 1e21, and refuse numbers in units of 1e20
Conversion = Annotated[float, Quantity(unit="cm-2 K-1 km-1 s", ge=1e18, le=1e23)]
Kpc = Annotated[float, Quantity(unit="kpc", ge=0)]

_LN2 = float(np.log(2))
#: kpc of a Sun at 8.5 kpc in one of a Sun at 10 kpc
_SCALE = 0.85

#: Bronfman et al. 1988 (ApJ 324, 248), Table 3, columns 1, 4 and 10, without the zero that ends it,
#: and Wouterloot et al. 1990 (A&A 230, 21) from 10.6 on: R, kpc, emissivity of CO, K km/s/kpc, and
#: height at which it has fallen to one half, kpc
_CO = np.array(
    [
        *((0.0, 0.0, 0.077), (2.25, 1.5, 0.077), (2.75, 3.3, 0.080), (3.25, 5.8, 0.061)),
        *((3.75, 5.5, 0.065), (4.25, 8.4, 0.071), (4.75, 9.0, 0.072), (5.25, 9.6, 0.082)),
        *((5.75, 8.6, 0.083), (6.25, 9.1, 0.073), (6.75, 7.9, 0.063), (7.25, 9.2, 0.058)),
        *((7.75, 7.7, 0.072), (8.25, 5.0, 0.080), (8.75, 3.6, 0.066), (9.25, 4.8, 0.023)),
        *((9.75, 1.7, 0.147), (10.6, 1.7, 0.091), (11.8, 0.3, 0.131), (12.9, 0.9, 0.160)),
        *((14.1, 0.7, 0.173), (15.3, 0.5, 0.188), (16.5, 0.21, 0.262), (17.6, 0.11, 0.302)),
        *((18.8, 0.07, 0.259), (20.0, 0.05, 0.235), (21.2, 0.04, 0.221), (22.4, 0.003, 0.235)),
        *((23.5, 0.006, 0.235), (24.7, 0.002, 0.235)),
    ]
).T

#: mean half height of the rings from R = 2 to 10 kpc
_USUAL = 0.0733
#: Gordon & Burton 1976 (ApJ 208, 346), Table 1: density of H I in rings of 0.5 kpc, cm^-3, but for
#: the first one, from 0 to 2 kpc
_RINGS = np.array(
    [
        *(0.10, 0.13, 0.14, 0.16, 0.19, 0.25, 0.30, 0.33, 0.32, 0.31, 0.30, 0.37, 0.38, 0.36),
        *(0.32, 0.29, 0.38, 0.40, 0.25, 0.23, 0.32, 0.36, 0.32, 0.25, 0.16, 0.10, 0.09, 0.08),
        0.06,
    ]
)
#: middles of the rings, kpc
_MIDDLES = np.array([1.0, *np.arange(2.25, 16, 0.5)])
#: beyond the last of them the density falls by e over so much, kpc
_OUTER = 3.0
#: where the inner layer of H I ends and the outer one begins, kpc
_INNER, _FLARING = 8.0, 10.0


@dataclass(frozen=True, kw_only=True)
class ConstantX:
    """The same X_CO = N(H₂)/W(CO) everywhere.

    Attributes
    ----------
    kind : str
        "constant".
    value : float
        cm^-2 (K km/s)^-1. By default that of gamma rays: Strong & Mattox 1996 (A&A 308, L21).
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    kind: Literal["constant"] = "constant"
    value: Conversion = 1.9e20

    def at(self, r: Array) -> Array:
        """X_CO, cm^-2 (K km/s)^-1, at r in kpc."""
        return np.full(np.shape(r), self.value)

    def knots(self) -> list[float]:
        """Places r of kinks, kpc."""
        return []


@dataclass(frozen=True, kw_only=True)
class ExponentialX:
    """X_CO = value 10^(slope r): metals are rare far out, and so is CO.

    Attributes
    ----------
    kind : str
        "exponential".
    value : float
        X_CO on the axis, cm^-2 (K km/s)^-1.
    slope : float
        Decades per kpc. By default this and the value are those of Israel 1997 (A&A 328, 471),
        1e20 × 10^(−0.4 + 0.066 r/kpc), as other programs have them.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    kind: Literal["exponential"]
    value: Conversion = 10**19.6
    slope: Annotated[float, Quantity(unit="1/kpc", ge=-1, le=1)] = 0.066

    def at(self, r: Array) -> Array:
        """X_CO, cm^-2 (K km/s)^-1, at r in kpc."""
        return np.asarray(self.value * 10 ** (self.slope * r))

    def knots(self) -> list[float]:
        """Places r of kinks, kpc."""
        return []


@dataclass(frozen=True, kw_only=True)
class RadialX:
    """X_CO from a table, linear between its points and constant beyond them.

    Attributes
    ----------
    kind : str
        "table".
    r : tuple of float
        Distances from the axis, kpc, increasing.
    value : tuple of float
        X_CO there, cm^-2 (K km/s)^-1.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    kind: Literal["table"]
    r: tuple[Kpc, ...]
    value: tuple[Conversion, ...]

    def __post_init__(self) -> None:
        check_table("r", self.r, {"value": self.value})

    def at(self, r: Array) -> Array:
        """X_CO, cm^-2 (K km/s)^-1, at r in kpc."""
        return interpolate(r, self.r, self.value)

    def knots(self) -> list[float]:
        """Places r of kinks, kpc."""
        return list(self.r)


@dataclass(frozen=True, kw_only=True)
class MolecularSurveys:
    """H₂ by the CO surveys of Bronfman et al. 1988 and Wouterloot et al. 1990, as hydrogen atoms.

        n = 2 X_CO(r) ε(R) exp[−ln 2 (z/z_half(R))²] / 0.85,   R = r/0.85,   z_half = 0.85 z_half(R)

    ε and z_half are linear between the points of the tables, which take over from each other
    between R = 9.75 and 10.6 kpc; the mid-plane offsets are dropped, and columns are those of the
    tables. There is none beyond r = 21 kpc. The inner 1.5 kpc have no survey of their own.

    Attributes
    ----------
    kind : str
        "bronfman-wouterloot".
    X_CO : table
        N(H₂)/W(CO).
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    kind: Literal["bronfman-wouterloot"] = "bronfman-wouterloot"
    X_CO: Annotated[ConstantX | ExponentialX | RadialX, Discriminator("kind")] = field(
        default_factory=ConstantX
    )

    def density(self, r: Array, z: Array) -> Array:
        """Atoms of hydrogen, cm^-3."""
        radius, emissivity, half = _CO
        at = r / _SCALE
        mid = 2 * self.X_CO.at(r) * np.interp(at, radius, emissivity, right=0.0) / (KPC * _SCALE)
        height = _SCALE * np.interp(at, radius, half)
        return np.asarray(mid * np.exp(-_LN2 * (z / height) ** 2))

    def sheet(self, r: Array) -> Array:
        """Column density of a part as thin as a δ(z), cm^-3 kpc."""
        return np.zeros_like(r)

    def knots(self) -> tuple[list[float], list[float]]:
        """Places r, z of kinks that elements end on: none, rings do not stand out far."""
        return [], []

    def bends(self) -> list[float]:
        """Places r of kinks, kpc, between which the density is integrated."""
        return [*(_SCALE * _CO[0]), *self.X_CO.knots()]

    def height(self) -> float:
        """Height of most of the rings within the Sun's circle, kpc."""
        return _SCALE * _USUAL

    def scales(self) -> tuple[float, float]:
        """Lengths along r and z over which the density changes by e, kpc; along r its rings."""
        return np.inf, _SCALE * _USUAL / float(np.sqrt(_LN2))


@dataclass(frozen=True, kw_only=True)
class AtomicSurvey:
    """H I by the survey of Gordon & Burton 1976 (ApJ 208, 346), in a layer that flares.

        n = n(R) L(R, z)/0.33,   R = r/0.85

    n(R) is linear between the middles of their rings, and falls by e over R = 3 kpc beyond the
    last. L is the layer of Dickey & Lockman 1990 (ARA&A 28, 215) for R < 8 kpc, that of Cox, Krügel
    & Mezger 1986 (A&A 155, 380) for R > 10 kpc, and linear between them; heights are not scaled.

    Attributes
    ----------
    kind : str
        "gordon-burton".
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    kind: Literal["gordon-burton"] = "gordon-burton"

    def density(self, r: Array, z: Array) -> Array:
        """Atoms of hydrogen, cm^-3."""
        radius = r / _SCALE
        mid = np.interp(radius, _MIDDLES, _RINGS)
        mid = mid * np.exp(-np.maximum(radius - _MIDDLES[-1], 0.0) / _OUTER)
        outer = np.clip((radius - _INNER) / (_FLARING - _INNER), 0.0, 1.0)
        flaring = flaring_layer(np.maximum(radius, _INNER), z)
        return np.asarray(mid * ((1 - outer) * inner_layer(z) + outer * flaring) / 0.33)

    def sheet(self, r: Array) -> Array:
        """Column density of a part as thin as a δ(z), cm^-3 kpc."""
        return np.zeros_like(r)

    def knots(self) -> tuple[list[float], list[float]]:
        """Places r, z of kinks that elements end on: none, rings do not stand out far."""
        return [], []

    def bends(self) -> list[float]:
        """Places r of kinks, kpc, between which the density is integrated."""
        return [*(_SCALE * _MIDDLES), _SCALE * _INNER, _SCALE * _FLARING]

    def height(self) -> float:
        """Scale height of most of the gas, kpc."""
        return 0.2

    def scales(self) -> tuple[float, float]:
        """Lengths along r and z over which the density changes by e, kpc; along r its rings."""
        return np.inf, 0.106 / float(np.sqrt(_LN2))


def inner_layer(z: Array) -> Array:
    """H I by height within the Sun's circle, cm^-3: Dickey & Lockman 1990 (ARA&A 28, 215)."""
    return np.asarray(
        0.395 * np.exp(-_LN2 * (z / 0.106) ** 2)
        + 0.107 * np.exp(-_LN2 * (z / 0.265) ** 2)
        + 0.064 * np.exp(-np.abs(z) / 0.403)
    )


def flaring_layer(radius: Array, z: Array) -> Array:
    """H I by height outside, cm^-3, by the radius of a Sun at 10 kpc (A&A 155, 380)."""
    width = 0.0523 * np.exp(0.11 * radius)
    return np.asarray(0.57 * np.exp(-((z / width) ** 2)))
