"""Interstellar gas by distance from the axis of the Galaxy and height: hydrogen and electrons."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Discriminator

from crtransport.constants import HYDROGEN_MASS, KPC
from crtransport.physics.gas_surveys import (
    AtomicSurvey,
    MolecularSurveys,
    flaring_layer,
    inner_layer,
)
from crtransport.physics.tables import check_table, interpolate
from crtransport.units import Quantity

Array = NDArray[np.float64]
Density = Annotated[float, Quantity(unit="1/cm3", ge=0, le=1e6)]
Kpc = Annotated[float, Quantity(unit="kpc", ge=0)]
Height = Annotated[float, Quantity(unit="kpc", gt=0)]

#: mass of a helium atom over that of hydrogen
HELIUM_WEIGHT = 4.002602 / 1.00782503
_LN2 = float(np.log(2))
_ROOT_LN2 = float(np.sqrt(_LN2))
#: lengths along r and z over which a density changes by e that does not change
_EVEN = (np.inf, np.inf)


class _Component:
    """One component: by default without kinks, and without a part as thin as a δ(z)."""

    def sheet(self, r: Array) -> Array:
        """Column density of a part as thin as a δ(z), cm^-3 kpc."""
        return np.zeros_like(r)

    def knots(self) -> tuple[list[float], list[float]]:
        """Places r, z of kinks, kpc."""
        return [], []

    def bends(self) -> list[float]:
        """Places r of kinks that elements need not follow, kpc."""
        return []


@dataclass(frozen=True, kw_only=True)
class Molecular(_Component):
    """H₂ after the CO survey of Bronfman et al. 1988 (ApJ 324, 248), as hydrogen atoms.

        n = 1.19 cm^-3 exp[−((r − 4.99 kpc)/2.67 kpc)²] exp[−ln 2 (z/0.071 kpc)²]

    Own fit to their Table 3 (X = 1.9e20 cm^-2/(K km/s): Strong & Mattox 1996), radii scaled from a
    Sun at 10 kpc to 8.5 kpc, mid-plane offsets dropped: rms 0.11 cm^-3.

    Attributes
    ----------
    kind : str
        "bronfman1988".
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    kind: Literal["bronfman1988"]

    def density(self, r: Array, z: Array) -> Array:
        """Atoms of hydrogen, cm^-3."""
        ring = np.exp(-(((r - 4.99) / 2.67) ** 2))
        return np.asarray(1.19 * ring * np.exp(-_LN2 * (z / 0.071) ** 2))

    def height(self) -> float:
        """Scale height, kpc."""
        return 0.071

    def scales(self) -> tuple[float, float]:
        """Lengths along r and z over which the density changes by e, kpc."""
        return 2.67, 0.071 / _ROOT_LN2


@dataclass(frozen=True, kw_only=True)
class Atomic(_Component):
    """H I in the mid-plane after Gordon & Burton 1976 (ApJ 208, 346), with a flaring layer.

        n = 0.370 cm^-3 exp[−((r − 7.16 kpc)/5.20 kpc)²] L(r, z)/0.33

    Own fit to their Table 1, radii scaled from a Sun at 10 kpc to 8.5 kpc: rms 0.046 cm^-3. L is
    the layer of Dickey & Lockman 1990 (ARA&A 28, 215) inside and that of Cox, Krügel & Mezger 1986
    (A&A 155, 380) outside, joined smoothly around 7.65 kpc.

    Attributes
    ----------
    kind : str
        "gordon1976".
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    kind: Literal["gordon1976"]

    def density(self, r: Array, z: Array) -> Array:
        """Atoms of hydrogen, cm^-3."""
        # radii of the layers' papers refer to a Sun at 10 kpc
        inner, outer = inner_layer(z), flaring_layer(r / 0.85, z)
        share = 1 / (1 + np.exp(-(r - 7.65) / 0.85))
        mid = 0.370 * np.exp(-(((r - 7.16) / 5.20) ** 2))
        return np.asarray(mid * (inner + share * (outer - inner)) / 0.33)

    def height(self) -> float:
        """Scale height of most of the gas, kpc."""
        return 0.2

    def scales(self) -> tuple[float, float]:
        """Lengths along r and z over which the density changes by e, kpc."""
        return 5.20, 0.106 / _ROOT_LN2


@dataclass(frozen=True, kw_only=True)
class Ionised(_Component):
    """H II after the dispersion of pulsars: Cordes et al. 1991 (Nature 354, 121).

        n = 0.025 e^(−|z|/1) e^(−(r/20)²) + 0.2 e^(−|z|/0.15) e^(−((r−4)/2)²) cm^-3, lengths in kpc

    Attributes
    ----------
    kind : str
        "cordes1991".
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    kind: Literal["cordes1991"] = "cordes1991"

    def density(self, r: Array, z: Array) -> Array:
        """Free electrons, and as many protons, cm^-3."""
        wide = 0.025 * np.exp(-np.abs(z)) * np.exp(-((r / 20) ** 2))
        ring = 0.2 * np.exp(-np.abs(z) / 0.15) * np.exp(-(((r - 4) / 2) ** 2))
        return np.asarray(wide + ring)

    def height(self) -> float:
        """Scale height of the dense part, kpc."""
        return 0.15

    def scales(self) -> tuple[float, float]:
        """Lengths along r and z over which the density changes by e, kpc."""
        return 2.0, 0.15


@dataclass(frozen=True, kw_only=True)
class ExponentialDisk(_Component):
    """n = n₀ exp[−(r − r₀)/r_scale − |z|/z_scale].

    Attributes
    ----------
    kind : str
        "exponential".
    n0 : float
        Density in the mid-plane at r0, cm^-3.
    r0 : float
        Reference distance from the axis, kpc.
    r_scale, z_scale : float
        Scale lengths, kpc.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    kind: Literal["exponential"]
    n0: Density
    r0: Annotated[float, Quantity(unit="kpc", ge=0, le=100)] = 8.5
    r_scale: Annotated[float, Quantity(unit="kpc", ge=0.5)] = 5.0
    z_scale: Annotated[float, Quantity(unit="kpc", ge=1e-3)] = 0.1

    def density(self, r: Array, z: Array) -> Array:
        """Per cm^3."""
        fall = (r - self.r0) / self.r_scale + np.abs(z) / self.z_scale
        return np.asarray(self.n0 * np.exp(-fall))

    def height(self) -> float:
        """Scale height, kpc."""
        return self.z_scale

    def scales(self) -> tuple[float, float]:
        """Lengths along r and z over which the density changes by e, kpc."""
        return (self.r_scale, self.z_scale) if self.n0 > 0 else _EVEN


@dataclass(frozen=True, kw_only=True)
class UniformGas(_Component):
    """The same density everywhere: the mean density of a leaky box.

    Attributes
    ----------
    kind : str
        "uniform".
    n0 : float
        Density, cm^-3.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    kind: Literal["uniform"]
    n0: Density

    def density(self, r: Array, z: Array) -> Array:
        """Per cm^3."""
        return np.full_like(z, self.n0)

    def height(self) -> float:
        """There is none."""
        return 0.0

    def scales(self) -> tuple[float, float]:
        """There are none."""
        return _EVEN


@dataclass(frozen=True, kw_only=True)
class ThinDisk(_Component):
    """A disk as thin as a δ(z), the same at all r.

    Attributes
    ----------
    kind : str
        "thin-disk".
    column : float
        Through the whole disk, cm^-2.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    kind: Literal["thin-disk"]
    column: Annotated[float, Quantity(unit="1/cm2", ge=0, le=1e26)]

    def density(self, r: Array, z: Array) -> Array:
        """Per cm^3: none, but for the sheet."""
        return np.zeros_like(z)

    def sheet(self, r: Array) -> Array:
        """Column density, cm^-3 kpc."""
        return np.full_like(r, self.column / KPC)

    def height(self) -> float:
        """Scale height, kpc."""
        return 0.0

    def scales(self) -> tuple[float, float]:
        """There are none, as the sheet is no density."""
        return _EVEN


@dataclass(frozen=True, kw_only=True)
class Rings(_Component):
    """Density in the mid-plane and height of the layer from a table, linear between its points.

        n(r, z) = n(r) exp[−ln 2 (z/z_half(r))²],   none outside the table

    Attributes
    ----------
    kind : str
        "table".
    r : tuple of float
        Distances from the axis, kpc, increasing.
    n : tuple of float
        Densities in the mid-plane, cm^-3.
    z_half : tuple of float
        Heights at which the density has fallen to one half, kpc.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    kind: Literal["table"]
    r: tuple[Kpc, ...]
    n: tuple[Density, ...]
    z_half: tuple[Height, ...]

    def __post_init__(self) -> None:
        check_table("r", self.r, {"n": self.n, "z_half": self.z_half})

    def density(self, r: Array, z: Array) -> Array:
        """Per cm^3."""
        inside = (r >= self.r[0]) & (r <= self.r[-1])
        layer = np.exp(-_LN2 * (z / interpolate(r, self.r, self.z_half)) ** 2)
        return np.where(inside, interpolate(r, self.r, self.n) * layer, 0.0)

    def knots(self) -> tuple[list[float], list[float]]:
        """Places r, z of kinks, kpc; elements follow its points, which may stand out far."""
        return list(self.r), []

    def height(self) -> float:
        """Largest height, kpc."""
        return max(self.z_half)

    def scales(self) -> tuple[float, float]:
        """Lengths along r and z over which the density changes by e, kpc; along r its points."""
        heights = [height for n, height in zip(self.n, self.z_half, strict=True) if n > 0]
        return np.inf, min(heights, default=np.inf) / _ROOT_LN2


@dataclass(frozen=True, kw_only=True)
class NoGas(_Component):
    """None of it.

    Attributes
    ----------
    kind : str
        "none".
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    kind: Literal["none"]

    def density(self, r: Array, z: Array) -> Array:
        """Per cm^3."""
        return np.zeros_like(z)

    def height(self) -> float:
        """There is none."""
        return 0.0

    def scales(self) -> tuple[float, float]:
        """There are none."""
        return _EVEN


_Other = ExponentialDisk | UniformGas | ThinDisk | Rings | NoGas
_Any = MolecularSurveys | Molecular | AtomicSurvey | Atomic | Ionised | _Other


@dataclass(frozen=True, kw_only=True)
class Sum:
    """Several components of one phase: n = Σ nᵢ, as layers of more than one Gaussian are.

    Attributes
    ----------
    kind : str
        "sum".
    parts : tuple of table
        Each of any other kind: [[gas.HI.parts]].
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    kind: Literal["sum"]
    parts: tuple[Annotated[_Any, Discriminator("kind")], ...]

    def __post_init__(self) -> None:
        if not self.parts:
            raise ValueError('parts is empty; kind = "none" is no gas')

    def density(self, r: Array, z: Array) -> Array:
        """Per cm^3."""
        return np.sum([part.density(r, z) for part in self.parts], axis=0)

    def sheet(self, r: Array) -> Array:
        """Column density of parts as thin as a δ(z), cm^-3 kpc."""
        return np.sum([part.sheet(r) for part in self.parts], axis=0)

    def knots(self) -> tuple[list[float], list[float]]:
        """Places r, z of kinks, kpc."""
        parts = [part.knots() for part in self.parts]
        return [r for part in parts for r in part[0]], [z for part in parts for z in part[1]]

    def bends(self) -> list[float]:
        """Places r of kinks that elements need not follow, kpc."""
        return [r for part in self.parts for r in part.bends()]

    def height(self) -> float:
        """Largest height, kpc."""
        return max(part.height() for part in self.parts)

    def scales(self) -> tuple[float, float]:
        """Shortest lengths along r and z over which a part changes by e, kpc."""
        r, z = zip(*(part.scales() for part in self.parts), strict=True)
        return min(r), min(z)


_Or = _Other | Sum
Factor = Annotated[float, Quantity(ge=0, le=100)]
PHASES = ("H2", "HI", "HII")


@dataclass(frozen=True, kw_only=True)
class Gas:
    """Hydrogen in its three phases, with helium.

        n = scale (H2_scale n_H2 + HI_scale n_HI + HII_scale n_HII)

    By default the tables of the surveys, as GALPROP 56 arranges them (Moskalenko et al. 2002, ApJ
    565, 280, and Wouterloot et al. 1990): 8.9e20 cm^-2 of hydrogen at the Sun, 2.14 mg/cm² with
    helium. McKee et al. 2015 (ApJ 814, 13) measure 2.86 ± 0.33 mg/cm².

    Attributes
    ----------
    H2 : table
        Molecular hydrogen, counted in atoms.
    HI : table
        Atomic hydrogen.
    HII : table
        Ionised hydrogen.
    helium : float
        Helium over hydrogen by number, the same everywhere.
    scale : float
        Factor on all gas. A fit may free it, with a prior: the column at the Sun is measured.
    H2_scale, HI_scale, HII_scale : float
        Factors on each phase.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    H2: Annotated[MolecularSurveys | Molecular | _Or, Discriminator("kind")] = field(
        default_factory=MolecularSurveys
    )
    HI: Annotated[AtomicSurvey | Atomic | _Or, Discriminator("kind")] = field(
        default_factory=AtomicSurvey
    )
    HII: Annotated[Ionised | _Or, Discriminator("kind")] = field(default_factory=Ionised)
    helium: Annotated[float, Quantity(ge=0, le=1)] = 0.11
    scale: Factor = 1.0
    H2_scale: Factor = 1.0
    HI_scale: Factor = 1.0
    HII_scale: Factor = 1.0

    def phase(self, name: str, r: Array, z: Array) -> Array:
        """Atoms of hydrogen in one phase, cm^-3, at r, z in kpc."""
        return np.asarray(self._factor(name) * getattr(self, name).density(r, z))

    def phase_sheet(self, name: str, r: Array) -> Array:
        """Hydrogen of one phase in disks as thin as a δ(z), cm^-3 kpc."""
        return np.asarray(self._factor(name) * getattr(self, name).sheet(r))

    def neutral(self, r: Array, z: Array) -> Array:
        """Atoms of neutral hydrogen, cm^-3, at r, z in kpc."""
        return self.phase("H2", r, z) + self.phase("HI", r, z)

    def ionised(self, r: Array, z: Array) -> Array:
        """Free electrons, cm^-3."""
        return self.phase("HII", r, z)

    def neutral_sheet(self, r: Array) -> Array:
        """Neutral hydrogen in disks as thin as a δ(z), cm^-3 kpc."""
        return self.phase_sheet("H2", r) + self.phase_sheet("HI", r)

    def ionised_sheet(self, r: Array) -> Array:
        """Electrons in disks as thin as a δ(z), cm^-3 kpc."""
        return self.phase_sheet("HII", r)

    def mass_per_atom(self) -> float:
        """Mass of the gas for each atom of hydrogen, g: with its helium."""
        return HYDROGEN_MASS * (1 + HELIUM_WEIGHT * self.helium)

    def kinks(self) -> tuple[list[float], list[float]]:
        """Places r, z at which a density has kinks, kpc."""
        parts = [part.knots() for part in self._present()]
        return [r for part in parts for r in part[0]], [z for part in parts for z in part[1]]

    def bends(self) -> list[float]:
        """Places r of kinks that elements need not follow, kpc."""
        return [r for part in self._present() for r in part.bends()]

    def scales(self) -> tuple[float, float]:
        """Shortest lengths along r and z over which a phase changes by e, kpc."""
        parts = [part.scales() for part in self._present()] or [_EVEN]
        return min(r for r, _ in parts), min(z for _, z in parts)

    def heights(self) -> dict[str, float]:
        """Scale height of each phase, kpc."""
        return {name: getattr(self, name).height() for name in PHASES}

    def tables(self) -> Iterator[tuple[str, Rings]]:
        """Key and table of each component that is one."""
        for name in PHASES:
            phase = getattr(self, name)
            parts = phase.parts if phase.kind == "sum" else (phase,)
            for i, part in enumerate(parts):
                if part.kind == "table":
                    yield f"gas.{name}.parts.{i}" if phase.kind == "sum" else f"gas.{name}", part

    def _factor(self, name: str) -> float:
        return float(self.scale * getattr(self, f"{name}_scale"))

    def _present(self) -> list[Any]:
        return [getattr(self, name) for name in PHASES if self._factor(name) > 0]
