"""What a class of sources sets free: where, at which momenta, and of which nuclides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Discriminator

from crtransport.nuclide_tables import INTERSTELLAR
from crtransport.nuclides import Nuclide, UnknownElement, nuclide
from crtransport.physics.breaks import SHARP, InjectionBreak, Smoothness, bend, check_order
from crtransport.physics.profiles import PROFILES, Profile, ProfileName
from crtransport.physics.tables import check_table, interpolate
from crtransport.units import Quantity

Array = NDArray[np.float64]
Slope = Annotated[float, Quantity(ge=-10, le=10)]
Rigidity = Annotated[float, Quantity(unit="GV", gt=0)]
Kpc = Annotated[float, Quantity(unit="kpc", ge=0)]
Height = Annotated[float, Quantity(unit="kpc", gt=0)]
Knots = tuple[list[float], list[float]]


@dataclass(frozen=True, kw_only=True)
class NamedProfile:
    """A published radial profile, 1 at the Sun.

    Attributes
    ----------
    kind : str
        "named".
    name : str
        Supernova remnants: "trotta2011" (ApJ 729, 106), "case1998" (ApJ 504, 761), "green2015"
        (MNRAS 454, 1517); pulsars: "yusifov2004" (A&A 422, 545), "lorimer2006" (MNRAS 372, 777).
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    kind: Literal["named"] = "named"
    name: ProfileName = "trotta2011"

    def at(self, r: Array, r_sun: float) -> Array:
        """At r in kpc."""
        return PROFILES[self.name].at(r, r_sun)

    def scale(self, r_sun: float) -> float:
        """Length over which it changes by e, kpc."""
        return PROFILES[self.name].scale(r_sun)

    def knots(self) -> list[float]:
        """Where it has kinks."""
        return []


@dataclass(frozen=True, kw_only=True)
class PowerExponential:
    """(r/r☉)^a exp[−b (r − r☉)/r☉].

    Attributes
    ----------
    kind : str
        "power-exponential".
    a, b : float
        The two exponents.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    kind: Literal["power-exponential"]
    a: Annotated[float, Quantity(ge=0, le=10)]
    b: Annotated[float, Quantity(ge=-10, le=50)]

    def at(self, r: Array, r_sun: float) -> Array:
        """At r in kpc."""
        return Profile(self.a, self.b).at(r, r_sun)

    def scale(self, r_sun: float) -> float:
        """Length over which it changes by e, kpc."""
        return Profile(self.a, self.b).scale(r_sun)

    def knots(self) -> list[float]:
        """Where it has kinks."""
        return []


@dataclass(frozen=True, kw_only=True)
class SourceRings:
    """A profile given by points, linear in between, none beyond them.

    Attributes
    ----------
    kind : str
        "table".
    r : tuple of float
        Distances from the axis, kpc, increasing.
    q : tuple of float
        Source density there, over that at the Sun.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    kind: Literal["table"]
    r: tuple[Kpc, ...]
    q: tuple[Annotated[float, Quantity(ge=0)], ...]

    def __post_init__(self) -> None:
        check_table("r", self.r, {"q": self.q})
        if not any(self.q):
            raise ValueError("q is zero everywhere: nothing is emitted")

    def at(self, r: Array, r_sun: float) -> Array:
        """At r in kpc."""
        inside = (r >= self.r[0]) & (r <= self.r[-1])
        return np.where(inside, interpolate(r, self.r, self.q), 0.0)

    def scale(self, r_sun: float) -> float:
        """None but the distances between its points."""
        return np.inf

    def knots(self) -> list[float]:
        """Where it has kinks."""
        return list(self.r)


@dataclass(frozen=True, kw_only=True)
class UniformProfile:
    """The same at all r.

    Attributes
    ----------
    kind : str
        "uniform".
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    kind: Literal["uniform"]

    def at(self, r: Array, r_sun: float) -> Array:
        """At r in kpc."""
        return np.ones_like(r)

    def scale(self, r_sun: float) -> float:
        """There is none."""
        return np.inf

    def knots(self) -> list[float]:
        """Where it has kinks."""
        return []


@dataclass(frozen=True, kw_only=True)
class ExponentialLayer:
    """exp(−|z|/scale).

    Attributes
    ----------
    kind : str
        "exponential".
    scale : float
        Scale height, kpc.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    kind: Literal["exponential"] = "exponential"
    scale: Height = 0.2

    def at(self, z: Array) -> Array:
        """At z in kpc."""
        return np.exp(-np.abs(z) / self.scale)


@dataclass(frozen=True, kw_only=True)
class UniformLayer:
    """1 for |z| below the half thickness, and everywhere without one.

    Attributes
    ----------
    kind : str
        "uniform".
    half_thickness : float
        kpc.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    kind: Literal["uniform"]
    half_thickness: Height | None = None

    def at(self, z: Array) -> Array:
        """At z in kpc."""
        if self.half_thickness is None:
            return np.ones_like(z)
        return np.where(np.abs(z) < self.half_thickness, 1.0, 0.0)


@dataclass(frozen=True, kw_only=True)
class ThinLayer:
    """A disk as thin as a δ(z): abundances count per area, the whole disk.

    Attributes
    ----------
    kind : str
        "thin-disk".
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    kind: Literal["thin-disk"]

    def at(self, z: Array) -> Array:
        """At z in kpc: none, but for the sheet."""
        return np.zeros_like(z)


@dataclass(frozen=True, kw_only=True)
class BrokenPowerLaw:
    """q(R) ∝ R^−γ₁ [1 + (R/R_br)^(1/s)]^(s(γ₁−γ₂)) with a cutoff (Yuan 2025, Eq. 5: s = ½).

    Attributes
    ----------
    kind : str
        "broken-power-law".
    gamma1, gamma2 : float
        Slopes below and above the break.
    R_br : float
        Rigidity of the break, GV.
    smoothness : float
        s: the slope changes over about s e-folds of R to either side; 0: at once.
    R_c : float
        Cutoff rigidity, GV.
    cutoff : str
        "squared": exp[−(R/R_c)²]; "exponential": exp(−R/R_c).
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}
    defaults_from: ClassVar[Any] = {"Yuan 2025": ("gamma1", "gamma2", "R_br", "R_c")}

    kind: Literal["broken-power-law"] = "broken-power-law"
    gamma1: Slope = 2.00
    gamma2: Slope = 2.44
    R_br: Rigidity = 11.0
    smoothness: Smoothness = 0.5
    R_c: Rigidity = 9e6
    cutoff: Literal["squared", "exponential"] = "squared"

    def sharp(self) -> list[float]:
        """R at which q has a kink, GV."""
        return [self.R_br] if self.smoothness < SHARP else []

    def log_shape(self, rigidity: Array) -> Array:
        """ln q up to a constant, at R in GV."""
        broken = bend(rigidity, self.R_br, self.gamma1 - self.gamma2, self.smoothness)
        over = rigidity / self.R_c
        fall = over**2 if self.cutoff == "squared" else over
        return np.asarray(-self.gamma1 * np.log(rigidity) + broken - fall)


@dataclass(frozen=True, kw_only=True)
class PowerLaw:
    """q(R) ∝ R^−γ at all rigidities, or up to the first of some breaks.

    Attributes
    ----------
    kind : str
        "power-law".
    gamma : float
        Slope, below the breaks.
    breaks : tuple of InjectionBreak
        Breaks in the order of their rigidities, [{ R = 10.0, gamma = 2.36 }].
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    kind: Literal["power-law"]
    gamma: Slope
    breaks: tuple[InjectionBreak, ...] = ()

    def __post_init__(self) -> None:
        check_order([(f"breaks.{i}.R", one.R) for i, one in enumerate(self.breaks)])

    def sharp(self) -> list[float]:
        """R at which q has kinks, GV."""
        return [one.R for one in self.breaks if one.smoothness < SHARP]

    def log_shape(self, rigidity: Array) -> Array:
        """ln q up to a constant, at R in GV."""
        found, gamma = -self.gamma * np.log(rigidity), self.gamma
        for one in self.breaks:
            found = found + bend(rigidity, one.R, gamma - one.gamma, one.smoothness)
            gamma = one.gamma
        return np.asarray(found)


@dataclass(frozen=True, kw_only=True)
class Line:
    """All particles at one energy: q ∝ δ(p − p₀), the source of a Green's function.

    Attributes
    ----------
    kind : str
        "line".
    T : float
        Kinetic energy per nucleon, GeV/n.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    kind: Literal["line"]
    T: Annotated[float, Quantity(unit="GeV/n", gt=0)]


Radial = Annotated[
    NamedProfile | PowerExponential | SourceRings | UniformProfile, Discriminator("kind")
]
Vertical = Annotated[ExponentialLayer | UniformLayer | ThinLayer, Discriminator("kind")]
Injection = Annotated[BrokenPowerLaw | PowerLaw | Line, Discriminator("kind")]


@dataclass(frozen=True, kw_only=True)
class Source:
    """One class of sources: q(R, r, z) = abundance × radial × vertical × spectrum.

    Attributes
    ----------
    name : str
        For tables and figures.
    abundances : table
        Of each nuclide, {H1 = 1.0, He4 = 0.1}, or element, {C = 0.003}, whose isotopes then have
        the interstellar composition (Lodders 2003): q at the reference energy and at the Sun, in
        cm^-3 Myr^-1 per GV or per GeV/n (a thin disk: times kpc; a line: without "per …"). With
        [normalisation] only their ratios matter.
    convention : str
        What abundances compare: "rigidity", q per GV at equal R; "kinetic-energy", q per GeV/n at
        equal T.
    reference : float
        R in GV, or T in GeV/n, at which they do.
    radial, vertical
        Dependence on r and z.
    injection
        Spectrum of all nuclides.
    injections : table
        Spectra of single nuclides or elements in its place, {He4 = {gamma1 = 2.15, …}}.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    name: str = "background"
    abundances: dict[str, Annotated[float, Quantity(ge=0)]]
    convention: Literal["rigidity", "kinetic-energy"] = "rigidity"
    reference: Annotated[float, Quantity(gt=0)] = 100.0
    radial: Radial = field(default_factory=NamedProfile)
    vertical: Vertical = field(default_factory=ExponentialLayer)
    injection: Injection = field(default_factory=BrokenPowerLaw)
    injections: dict[str, Injection] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in self.abundances:
            try:
                named = nuclide(name)
            except UnknownElement as error:
                raise ValueError(f"abundances: {error}") from None
            if name != named.element and named.element in self.abundances:
                raise ValueError(
                    f"abundances has both {named.element} and {name}; name the element or isotopes"
                )
        for name in self.injections:
            if name not in self.abundances and not self.abundance(name):
                raise ValueError(f"injections.{name}: abundances has no {name}")

    def abundance(self, name: str) -> float:
        """Of a nuclide: its own, or its part of its element's."""
        own = self.abundances.get(name)
        if own is not None:
            return own
        try:
            element = nuclide(name).element
        except UnknownElement:
            return 0.0
        return self.abundances.get(element, 0.0) * INTERSTELLAR[element].get(name, 0.0)

    def scaled(self, factors: Mapping[str, float], others: float = 1.0) -> Source:
        """The same with each abundance times the factor of its element, or of all ``others``."""
        abundances = {
            name: value * factors.get(nuclide(name).element, others)
            for name, value in self.abundances.items()
        }
        return replace(self, abundances=abundances)

    def emits(self, nucleus: Nuclide) -> bool:
        """Whether anything of a nuclide is set free."""
        return self.abundance(nucleus.name) > 0

    def density(self, r: Array, z: Array, r_sun: float) -> Array:
        """Source density over that at the Sun, at r, z in kpc."""
        return self.radial.at(r, r_sun) * self.vertical.at(z)

    def sheet(self, r: Array, r_sun: float) -> Array:
        """Part as thin as a δ(z), over that at the Sun."""
        thin = self.vertical.kind == "thin-disk"
        return self.radial.at(r, r_sun) if thin else np.zeros_like(r)

    def kinks(self) -> Knots:
        """Places r, z at which the density has kinks, kpc."""
        edge = getattr(self.vertical, "half_thickness", None)
        return self.radial.knots(), [] if edge is None else [edge]

    def scales(self, r_sun: float) -> tuple[float, float]:
        """Lengths along r and z over which the density changes by e, kpc; of a sheet none."""
        return self.radial.scale(r_sun), getattr(self.vertical, "scale", np.inf)

    def line(self, nucleus: Nuclide) -> float | None:
        """T of a source at one energy, GeV/n; None for a spectrum."""
        spectrum = self._spectrum(nucleus)
        return spectrum.T if isinstance(spectrum, Line) else None

    def sharp(self, nucleus: Nuclide) -> list[float]:
        """R at which the spectrum of a nuclide has kinks, GV."""
        spectrum = self._spectrum(nucleus)
        return [] if isinstance(spectrum, Line) else spectrum.sharp()

    def log_spectrum(self, nucleus: Nuclide, rigidity: Array) -> Array:
        """ln dq/dp at R in GV, cm^-3 Myr^-1 (GeV/n)^-1, p per nucleon; of a line ln q.

        q_p = q_R A/Z, and q_T = q_p/β.
        """
        spectrum = self._spectrum(nucleus)
        log_abundance = np.log(self.abundance(nucleus.name))
        if isinstance(spectrum, Line):
            return np.full_like(rigidity, log_abundance)
        per_rigidity = np.log(nucleus.mass_number / nucleus.charge)
        if self.convention == "rigidity":
            pivot = np.asarray(self.reference)
            log_q = log_abundance + per_rigidity
        else:
            pivot = nucleus.rigidity(np.asarray(self.reference))
            log_q = log_abundance + np.log(nucleus.beta(pivot))
        return np.asarray(log_q + spectrum.log_shape(rigidity) - spectrum.log_shape(pivot))

    def _spectrum(self, nucleus: Nuclide) -> BrokenPowerLaw | PowerLaw | Line:
        of_element = self.injections.get(nucleus.element, self.injection)
        return self.injections.get(nucleus.name, of_element)
