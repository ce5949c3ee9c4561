"""Local sources: what they set free, and how much of each rigidity."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Annotated, Any, ClassVar, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from crtransport.constants import ERG, MYR, SPEED_OF_LIGHT
from crtransport.nuclides import Nuclide, nuclide
from crtransport.physics.nuclear import RATE, Nuclear
from crtransport.units import Quantity

Array = NDArray[np.float64]
Erg = Annotated[float, Quantity(unit="erg", ge=0)]
Slope = Annotated[float, Quantity(ge=0, le=10)]
Cutoff = Annotated[float, Quantity(unit="GV", gt=0, le=1e15)]

#: the integral over rigidity ends at this multiple of R_c, where e^−60 is below rounding
_LAST = 60.0
#: the attributes that each of many sources has
_EACH = ("distance", "age", "l", "b", "alpha", "R_c")
#: an emission shorter than this part of the age cannot be told from a burst
_BRIEF = 1e-6


@dataclass(frozen=True, kw_only=True)
class LocalSource:
    """One source that began to set its particles free ``age`` ago (Yuan 2025, Eq. 4).

        q(R) = q₀ R^−α exp(−R/R_c),   W = ∫ T q dR over T > threshold

    Attributes
    ----------
    name : str
        For tables and figures.
    distance : float
        From the Sun, kpc.
    age : float
        Time since it began, yr.
    duration : float
        How long it went on, evenly, yr: 0 for a burst, at most its age.
    l, b : float
        Galactic longitude and latitude, deg.
    alpha : float
        Slope of the injection in rigidity.
    R_c : float
        Cutoff rigidity, GV.
    alphas, cutoffs : table
        α and R_c of elements that have their own: {Fe = 2.2}, {Fe = "60 TV"}.
    W : table
        Energy in each element above the threshold, erg: {H = 1e50, He = "1.8e50 erg"}.
    threshold : float
        Lowest kinetic energy that counts in W, GeV (GeV per nucleon where energy says so).
    energy : str
        T in W and in its threshold: "total", of the particle, or "per-nucleon".
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    name: str
    distance: Annotated[float, Quantity(unit="kpc", gt=0, le=1e3)]
    age: Annotated[float, Quantity(unit="yr", gt=0, le=1e11)]
    duration: Annotated[float, Quantity(unit="yr", ge=0)] = 0.0
    l: Annotated[float, Quantity(unit="deg", ge=-360, le=360)]  # noqa: E741 the field's name
    b: Annotated[float, Quantity(unit="deg", ge=-90, le=90)]
    alpha: Slope
    R_c: Cutoff
    alphas: dict[str, Slope] = field(default_factory=dict)
    cutoffs: dict[str, Cutoff] = field(default_factory=dict)
    W: dict[str, Erg]
    threshold: Annotated[float, Quantity(unit="GeV", gt=0)] = 1.0
    energy: Literal["total", "per-nucleon"] = "total"

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise ValueError("name is empty")
        if self.duration > self.age:
            raise ValueError(
                f"duration = {self.duration:g} yr is longer than age = {self.age:g} yr; a source "
                "that still shines has duration = age"
            )
        if not any(self.W.values()):
            raise ValueError("W gives no energy to any element, so nothing is emitted")
        if 0 < self.duration < _BRIEF * self.age:
            raise ValueError(
                f"duration = {self.duration:g} yr is less than {_BRIEF:g} of age = {self.age:g} "
                "yr: give 0, a burst"
            )
        for key in ("alphas", "cutoffs"):
            for element in getattr(self, key):
                if not self.W.get(element):
                    raise ValueError(f"{key}: W gives no energy to {element}")
        for element in self.W:
            lowest = threshold_rigidity(self, nuclide(element))
            _, cutoff = self.shape(nuclide(element))
            if cutoff <= lowest:
                key = f"cutoffs.{element}" if element in self.cutoffs else "R_c"
                raise ValueError(
                    f"{key} = {cutoff:g} GV is below the threshold of W: {element} with "
                    f"T = {self.threshold:g} GeV ({self.energy}) has {lowest:.4g} GV"
                )

    def shape(self, nucleus: Nuclide) -> tuple[float, float]:
        """α and R_c (GV) of one element."""
        name = nucleus.name
        return self.alphas.get(name, self.alpha), self.cutoffs.get(name, self.R_c)

    def height(self) -> float:
        """z over the mid-plane, where the Sun is, kpc."""
        return self.distance * float(np.sin(np.radians(self.b)))


@dataclass(frozen=True, kw_only=True, eq=False)
class Sources:
    """Many bursts: the attributes of `LocalSource`, as [source, 1] arrays that broadcast.

    ``threshold`` and ``energy`` are those of all; sources without ``names`` are called by place and
    age.
    """

    distance: Array
    age: Array
    l: Array  # noqa: E741
    b: Array
    alpha: Array
    R_c: Array
    W: dict[str, Array]
    threshold: float
    energy: Literal["total", "per-nucleon"]
    names: NDArray[np.object_] | None = None

    def height(self) -> Array:
        """[source, 1] z over the mid-plane, kpc."""
        return np.asarray(self.distance * np.sin(np.radians(self.b)))

    def shape(self, nucleus: Nuclide) -> tuple[Array, Array]:
        """[source, 1] α and R_c (GV), the same for all elements."""
        return self.alpha, self.R_c

    def __len__(self) -> int:
        return len(self.age)

    def some(self, which: Any) -> Sources:
        """Those of a slice, or of a mask."""
        return replace(
            self,
            **{name: getattr(self, name)[which] for name in _EACH},
            W={element: energy[which] for element, energy in self.W.items()},
            names=None if self.names is None else self.names[which],
        )

    def one(self, i: int) -> LocalSource:
        """One of them by itself."""
        name = f"{self.distance[i, 0]:.2g} kpc, {self.age[i, 0] / 1e3:.3g} kyr"
        if self.names is not None:
            name = str(self.names[i])
        each: dict[str, Any] = {key: float(getattr(self, key)[i, 0]) for key in _EACH}
        return LocalSource(
            name=name,
            **each,
            W={element: float(energy[i, 0]) for element, energy in self.W.items()},
            threshold=self.threshold,
            energy=self.energy,
        )


class Counted(Protocol):
    """Whatever says how its energy is counted."""

    @property
    def threshold(self) -> float: ...

    @property
    def energy(self) -> str: ...


def counted_energy(source: Counted, nucleus: Nuclide, rigidity: Array) -> Array:
    """T of W at R (GV): of the particle, GeV, or per nucleon."""
    nucleons = nucleus.mass_number if source.energy == "total" else 1
    return np.asarray(nucleons * nucleus.kinetic_energy(rigidity))


def threshold_rigidity(source: Counted, nucleus: Nuclide) -> float:
    """R (GV) at which T is the threshold of W."""
    nucleons = nucleus.mass_number if source.energy == "total" else 1
    return float(nucleus.rigidity(np.array(source.threshold / nucleons)))


@dataclass(frozen=True, kw_only=True)
class Way:
    """Gas that nuclei collide with on the way.

    Attributes
    ----------
    density : float
        Hydrogen atoms, cm^-3.
    half_thickness : float
        Of the layer around the mid-plane, kpc; left out, the gas is everywhere.
    helium : float
        Helium atoms per hydrogen atom.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    density: Annotated[float, Quantity(unit="cm-3", ge=0, le=1e6)]
    half_thickness: Annotated[float, Quantity(unit="kpc", gt=0)] | None = None
    helium: Annotated[float, Quantity(ge=0, le=1)] = 0.11

    def loss(self, nucleus: Nuclide, rigidity: Array) -> Array:
        """Γ = n σ v, s^-1, at R in GV: inelastic collisions after Letaw et al. 1983."""
        energy = nucleus.kinetic_energy(rigidity)
        sigma = Nuclear().total(nucleus, energy, self.helium)
        return np.asarray(self.density * RATE / MYR * nucleus.beta(rigidity) * sigma)


@dataclass(frozen=True, kw_only=True)
class Bubble:
    """Slow diffusion around a source: D₁ = factor · D within ``radius``.

    Attributes
    ----------
    radius : float
        r₀, kpc.
    factor : float
        D₁ over the D of the disk beyond.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    radius: Annotated[float, Quantity(unit="kpc", gt=0, le=10)] = 0.05
    factor: Annotated[float, Quantity(gt=0, le=100)] = 0.01


def log_normalisation(source: LocalSource | Sources, nucleus: Nuclide, refine: int = 1) -> Array:
    """ln q₀ of one element, q₀ in GV^(α−1); −∞ where W is zero or not given.

    Gauss-Legendre panels in ln R, spectral in the order; the integrand is smooth and decays like
    exp(−R/R_c).

    Parameters
    ----------
    refine : int
        Factor on the number of panels, for the error estimate.

    Returns
    -------
    array
        As the attributes of the source: () or [source, 1].
    """
    budget = np.asarray(source.W.get(nucleus.name, 0.0))
    if not np.any(budget):
        return np.full(np.shape(source.R_c), -np.inf)
    first = float(np.log(threshold_rigidity(source, nucleus)))
    slope, highest = (np.asarray(v) for v in source.shape(nucleus))
    span = np.log(_LAST * highest) - first
    panels = refine * int(np.ceil(np.max(span) / 2))
    x, weight = np.polynomial.legendre.leggauss(16)
    part = ((np.arange(panels)[:, None] + (1 + x) / 2) / panels).ravel()
    weight = np.tile(weight / (2 * panels), panels)
    # R/R_c and α as powers of R over the threshold, so that no power leaves the range of a float
    over = span[..., None] * part
    rigidity = np.exp(first + over)
    log_shape = (1 - slope[..., None]) * over - rigidity / highest[..., None]
    integral = (counted_energy(source, nucleus, rigidity) * np.exp(log_shape)) @ weight * span
    return np.asarray(log_of(budget * ERG) - np.log(integral) - (1 - slope) * first)


def log_injection(
    source: LocalSource | Sources, nucleus: Nuclide, log_q0: Array, rigidity: Array
) -> Array:
    """ln q(R) of one element, q in GV^-1, at R in GV: [energy] or [source, energy]."""
    alpha, cutoff = source.shape(nucleus)
    return np.asarray(log_q0 - alpha * np.log(rigidity) - rigidity / cutoff)


def log_of(density: Array) -> Array:
    """Its logarithm; −∞ of zero."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(density))


def log_flux(log_n: Array, nucleus: Nuclide) -> Array:
    """ln Φ per GeV/n, m^-2 s^-1 sr^-1 (GeV/n)^-1, from ln n in cm^-3 GV^-1.

    Φ_R = β c n/4π,  dR/dT = A/(Z β)  →  Φ_T = c n A/(4π Z)
    """
    per_area = 1e4 * SPEED_OF_LIGHT / (4 * np.pi)
    return np.asarray(log_n + np.log(per_area * nucleus.mass_number / nucleus.charge))


def dipole_sum(log_parts: Array, vectors: Array) -> Array:
    """Σ Φₛ δₛ / Σ Φₛ, by logarithms so that the weights outlive fluxes too small for a float.

    Parameters
    ----------
    log_parts : [source, energy]
        ln of the sources' fluxes; −∞ for none. Zero where all are.
    vectors : [source, energy, 3]
        Dipole of each source alone, towards where the excess comes from.

    Returns
    -------
    [energy, 3]
    """
    top = np.max(log_parts, axis=0)
    weight = np.exp(log_parts - np.where(np.isfinite(top), top, 0.0))
    whole = np.sum(weight, axis=0)
    weight = np.divide(weight, whole, out=np.zeros_like(weight), where=whole > 0)
    return np.asarray(np.einsum("se,sek->ek", weight, vectors))
