"""Spatial diffusion of cosmic rays in the Galaxy: D against rigidity and place."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Discriminator

from crtransport.physics.breaks import SHARP, DiffusionBreak, Smoothness, bend, check_order, risen
from crtransport.physics.tables import check_table, interpolate
from crtransport.units import Positive, Quantity

Array = NDArray[np.float64]
Rigidity = Annotated[float, Quantity(unit="GV", gt=0)]
Slope = Annotated[float, Quantity(ge=-5, le=5)]
Kpc = Annotated[float, Quantity(unit="kpc")]
Length = Annotated[float, Quantity(unit="kpc", gt=0)]
# Bohm diffusion at 1 GV in 0.3 mG is as slow; an exponent left out is not taken for a medium
Coefficient = Annotated[float, Quantity(unit="cm2/s", gt=1e20, lt=1e100)]
Knots = tuple[list[float], list[float]]


@dataclass(frozen=True, kw_only=True)
class RadialExponential:
    """D grows away from the axis of the Galaxy: a factor exp[(r − r₀)/length].

    Attributes
    ----------
    kind : str
        "exponential".
    length : float
        Distance over which D grows by e, kpc; negative where it falls.
    r0 : float
        Distance from the axis at which the factor is 1, kpc.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    kind: Literal["exponential"]
    length: Kpc
    r0: Annotated[float, Quantity(unit="kpc", ge=0)] = 8.5

    def __post_init__(self) -> None:
        if abs(self.length) < 0.5:
            raise ValueError(f"length = {self.length:g} kpc: D would change e-fold within 0.5 kpc")

    def factor(self, r: Array) -> Array:
        """At r in kpc."""
        return np.exp((r - self.r0) / self.length)

    def knots(self) -> list[float]:
        """Where it has kinks: nowhere."""
        return []

    def scale(self) -> float:
        """Length over which it changes by e, kpc."""
        return abs(self.length)


@dataclass(frozen=True, kw_only=True)
class RadialFactors:
    """D times a factor given by points, linear in between and constant beyond.

    Attributes
    ----------
    kind : str
        "table".
    r : tuple of float
        Distances from the axis, kpc, increasing.
    f : tuple of float
        The factors.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    kind: Literal["table"]
    r: tuple[Kpc, ...]
    f: tuple[Positive, ...]

    def __post_init__(self) -> None:
        check_table("r", self.r, {"f": self.f})

    def factor(self, r: Array) -> Array:
        """At r in kpc."""
        return interpolate(r, self.r, self.f)

    def knots(self) -> list[float]:
        """Where it has kinks."""
        return list(self.r)

    def scale(self) -> float:
        """None but the distances between its points."""
        return np.inf


Radial = Annotated[RadialExponential | RadialFactors, Discriminator("kind")]


@dataclass(frozen=True, kw_only=True)
class Diffusion:
    """D(R, r, z) = f(z) g(r) D₀ β^η (R/R₀)^δ₁ [1 + (R/R₁)^(1/s)]^(s(δ₂−δ₁)), and more breaks.

    What all shapes in space have in common. By itself one power law with D ∝ β, the value at 4 GV
    and Kolmogorov's slope that are usual in GALPROP's decks (Strong et al. 2004, A&A 422, L47).
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}
    defaults_from: ClassVar[Any] = {"no paper (one power law)": ("D0", "R0", "delta1", "eta")}

    D0: Coefficient = 5.8e28
    R0: Rigidity = 4.0
    delta1: Slope = 1 / 3
    delta2: Slope | None = None
    R1: Rigidity | None = None
    smoothness: Smoothness = 0.5
    breaks: tuple[DiffusionBreak, ...] = ()
    eta: Slope = 1.0
    anisotropy: Annotated[float, Quantity(ge=1e-3, le=1e3)] = 1.0
    radial: Radial | None = None

    def __post_init__(self) -> None:
        if self.R1 is None and self.delta2 not in (None, self.delta1):
            raise ValueError(f"delta2 = {self.delta2:g} needs R1, the rigidity of the break")
        if self.R1 is not None and self.delta2 is None:
            raise ValueError(f"R1 = {self.R1:g} GV needs delta2, the slope above it")
        if self.R1 is None and self.smoothness != 0.5:
            raise ValueError(f"smoothness = {self.smoothness:g} has no effect without R1")
        first = [] if self.R1 is None else [("R1", self.R1)]
        check_order([*first, *((f"breaks.{i}.R", one.R) for i, one in enumerate(self.breaks))])

    def slopes(self) -> dict[str, float]:
        """Key and value of each slope of D(R), from low to high rigidities."""
        second = {} if self.delta2 is None else {"delta2": self.delta2}
        more = {f"breaks.{i}.delta": one.delta for i, one in enumerate(self.breaks)}
        return {"delta1": self.delta1} | second | more

    def _broken(self) -> list[tuple[float, float, float]]:
        """R, change of slope and smoothness of each break."""
        slopes = list(self.slopes().values())
        changes = [after - before for before, after in pairwise(slopes)]
        if self.delta2 is not None and self.R1 is None:  # it is δ₁
            changes = changes[1:]
        first = [] if self.R1 is None else [(self.R1, self.smoothness)]
        places = [*first, *((one.R, one.smoothness) for one in self.breaks)]
        return [(at, change, s) for (at, s), change in zip(places, changes, strict=True)]

    def sharp(self) -> list[float]:
        """R at which D has kinks, GV."""
        return [at for at, change, smoothness in self._broken() if change and smoothness < SHARP]

    def halo(self, rigidity: Array, beta: Array) -> Array:
        """D where f = g = 1, at R (GV), cm2/s."""
        found = self.D0 * beta**self.eta * (rigidity / self.R0) ** self.delta1
        for at, change, smoothness in self._broken():
            found = found * np.exp(bend(rigidity, at, change, smoothness))
        return np.asarray(found)

    def local_slope(self, rigidity: Array) -> Array:
        """d ln D/d ln R at constant β: δ₁ far below the first break, δ₂ far above it, and so on."""
        found = np.full_like(rigidity, self.delta1)
        for at, change, smoothness in self._broken():
            found = found + change * risen(rigidity, at, smoothness)
        return found

    def shape(self, z: Array) -> Array:
        """f(z) at height z (kpc)."""
        return np.ones_like(z)

    def factor(self, r: Array, z: Array) -> Array:
        """f(z) g(r) at r, z (kpc)."""
        vertical = self.shape(z)
        return vertical if self.radial is None else vertical * self.radial.factor(r)

    def heights(self) -> list[float]:
        """Heights at which f has kinks, kpc."""
        return []

    def layers(self) -> list[tuple[float, float]]:
        """Heights from which f changes fast, and the length over which it begins to, kpc."""
        return []

    def kinks(self) -> Knots:
        """Places r, z at which D has kinks, kpc."""
        return ([] if self.radial is None else self.radial.knots()), self.heights()


@dataclass(frozen=True, kw_only=True)
class TwoHalo(Diffusion):
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
    smoothness : float
        s: the slope changes over about s e-folds of R to either side of R1; 0: at once.
    breaks : tuple of DiffusionBreak
        Breaks above R1, in the order of their rigidities, [{ R = 5000.0, delta = 0.4 }].
    eta : float
        Power of the speed β.
    xi : float
        Disk value over halo value.
    h : float
        Scale height of the disk's slow diffusion, kpc. A uniform medium has the disk's D
        everywhere and does not depend on it.
    anisotropy : float
        D along r over D along z.
    radial
        Dependence on r, a factor.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    defaults_from: ClassVar[Any] = {
        "Yuan 2025": ("D0", "R0", "delta1", "delta2", "R1", "eta", "xi", "h")
    }

    kind: Literal["two-halo"] = "two-halo"
    D0: Coefficient = 4.5e28
    delta1: Slope = 0.48
    delta2: Slope = 0.20
    R1: Rigidity = 250.0
    eta: Slope = -1.0
    xi: Annotated[float, Quantity(gt=0, le=1)] = 0.1
    h: Length = 0.45

    def disk(self, rigidity: Array, beta: Array) -> Array:
        """D at z = 0, cm2/s."""
        return np.asarray(self.shape(np.zeros(())) * self.halo(rigidity, beta))

    def shape(self, z: Array) -> Array:
        """f(z), D over its halo value at height z (kpc)."""
        return np.asarray(self.xi - (1 - self.xi) * np.expm1(-((z / self.h) ** 2) / 2))

    def layers(self) -> list[tuple[float, float]]:
        """The mid-plane: f ≈ ξ + (1−ξ) z²/2h² has twice its value there at z = h √(2ξ/(1−ξ))."""
        if self.xi == 1:
            return []
        return [(0.0, self.h * min(1.0, float(np.sqrt(2 * self.xi / (1 - self.xi)))))]


@dataclass(frozen=True, kw_only=True)
class Uniform(Diffusion):
    """The same D everywhere, D₀ β^η (R/R₀)^δ₁, with breaks where they are given.

    Attributes
    ----------
    kind : str
        "uniform".
    D0 : float
        Value at R0, for β = 1 and no break below it, cm2/s.
    R0 : float
        Reference rigidity, GV.
    delta1, delta2 : float
        Slopes below and above R1; without R1 there is no break.
    R1 : float
        Rigidity of the break, GV.
    smoothness : float
        s: the slope changes over about s e-folds of R to either side of R1; 0: at once.
    breaks : tuple of DiffusionBreak
        Breaks above R1, in the order of their rigidities, [{ R = 5000.0, delta = 0.4 }].
    eta : float
        Power of the speed β.
    anisotropy : float
        D along r over D along z.
    radial
        Dependence on r, a factor.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    kind: Literal["uniform"]


@dataclass(frozen=True, kw_only=True)
class Exponential(Diffusion):
    """D grows with height, f = exp(|z|/z_t) (e.g. Evoli et al. 2008, JCAP 10, 018).

    Attributes
    ----------
    kind : str
        "exponential".
    D0 : float
        Value in the mid-plane at R0, for β = 1 and no break below it, cm2/s.
    R0 : float
        Reference rigidity, GV.
    delta1, delta2 : float
        Slopes below and above R1; without R1 there is no break.
    R1 : float
        Rigidity of the break, GV.
    smoothness : float
        s: the slope changes over about s e-folds of R to either side of R1; 0: at once.
    breaks : tuple of DiffusionBreak
        Breaks above R1, in the order of their rigidities, [{ R = 5000.0, delta = 0.4 }].
    eta : float
        Power of the speed β.
    z_t : float
        Height over which D grows by e, kpc.
    anisotropy : float
        D along r over D along z.
    radial
        Dependence on r, a factor.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    kind: Literal["exponential"]
    z_t: Annotated[float, Quantity(unit="kpc", ge=0.05)] = 4.0

    def shape(self, z: Array) -> Array:
        """f(z) at height z (kpc)."""
        return np.exp(np.abs(z) / self.z_t)

    def layers(self) -> list[tuple[float, float]]:
        """From the mid-plane on f grows, up to where a flux has met most of its resistance."""
        return [(0.0, self.z_t), (4 * self.z_t, self.z_t)]


@dataclass(frozen=True, kw_only=True)
class Layers(Diffusion):
    """D by height from a table, f linear between its points and constant above the last.

    Attributes
    ----------
    kind : str
        "table".
    D0 : float
        Value where f = 1 at R0, for β = 1 and no break below it, cm2/s.
    R0 : float
        Reference rigidity, GV.
    delta1, delta2 : float
        Slopes below and above R1; without R1 there is no break.
    R1 : float
        Rigidity of the break, GV.
    smoothness : float
        s: the slope changes over about s e-folds of R to either side of R1; 0: at once.
    breaks : tuple of DiffusionBreak
        Breaks above R1, in the order of their rigidities, [{ R = 5000.0, delta = 0.4 }].
    eta : float
        Power of the speed β.
    z : tuple of float
        Heights, kpc, increasing, the first 0.
    f : tuple of float
        D over its value for f = 1, positive.
    anisotropy : float
        D along r over D along z.
    radial
        Dependence on r, a factor.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    kind: Literal["table"]
    z: tuple[Kpc, ...]
    f: tuple[Positive, ...]

    def __post_init__(self) -> None:
        super().__post_init__()
        check_table("z", self.z, {"f": self.f})
        if self.z[0] != 0:
            raise ValueError(f"z must begin at 0, not at {self.z[0]:g} kpc: D is needed there")

    def shape(self, z: Array) -> Array:
        """f(z) at height z (kpc)."""
        return interpolate(np.abs(z), self.z, self.f)

    def heights(self) -> list[float]:
        """Heights at which f has kinks, kpc."""
        return list(self.z)

    def layers(self) -> list[tuple[float, float]]:
        """Its points: from one of them f changes by itself over f/|df/dz| of the steeper side."""
        steep = np.abs(np.diff(self.f) / np.diff(self.z))
        steeper = np.maximum(np.append(steep, 0.0), np.append(0.0, steep))
        lengths = np.divide(self.f, steeper, out=np.full_like(steeper, np.inf), where=steeper > 0)
        return list(zip(self.z, lengths.tolist(), strict=True))


AnyDiffusion = Annotated[TwoHalo | Uniform | Exponential | Layers, Discriminator("kind")]
