"""Random sources of the Galaxy: where, when and how strong, by a seed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from crtransport.nuclides import nuclide
from crtransport.physics.burst import Erg, Sources, threshold_rigidity
from crtransport.physics.injection import NamedProfile, Radial
from crtransport.units import Count, Quantity

Array = NDArray[np.float64]

#: points of the radial distribution, and sources drawn at once
_POINTS, _DRAWN = 4001, 200_000
#: sources that all realisations together may draw
_MOST = 1e10


@dataclass(frozen=True, kw_only=True)
class Population:
    """Bursts all over the Galaxy, at a steady rate, whose places and times are random.

        dN/(dt d²r dz) ∝ rate p(r) exp(−|z|/z_scale)

    α and the logarithms of R_c and W are normal around their values (Blasi & Amato 2012, JCAP 01,
    010, and Mertsch 2011, JCAP 02, 031, on the spread of the fluxes that follows).

    Attributes
    ----------
    seed : int
        Of the random numbers; the same seed gives the same sources.
    realisations : int
        Galaxies drawn.
    rate : float
        Bursts in the whole Galaxy a year.
    age_min, age_max : float
        Time since the youngest and the oldest burst, yr: by the latter, what is left of it is
        negligible at the energies asked for.
    distance_max : float
        Distance from the Sun within which bursts are followed, kpc.
    radial : Profile
        p(r), bursts per area of the disk.
    z_scale : float
        Scale height over the mid-plane, kpc.
    r_sun, r_h : float
        The Sun's distance from the axis, and the radius of the disk, kpc.
    alpha, alpha_scatter : float
        Slope of the injection, and its standard deviation among the sources.
    R_c, R_c_scatter : float
        Cutoff rigidity, GV, and the standard deviation of its decimal logarithm; none is drawn
        below the threshold of W.
    W : table
        Energy in each element above the threshold, erg.
    W_scatter : float
        Standard deviation of the decimal logarithm of W, the same factor for all elements.
    threshold : float
        Lowest kinetic energy that counts in W, GeV (GeV per nucleon where energy says so).
    energy : str
        T in W and in its threshold: "total", of the particle, or "per-nucleon".
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    seed: Annotated[int, Count(ge=0, le=2**31 - 1)]
    realisations: Annotated[int, Count(ge=1, le=100_000)] = 100
    rate: Annotated[float, Quantity(unit="yr-1", gt=0)] = 0.02
    age_min: Annotated[float, Quantity(unit="yr", gt=0)] = 1e3
    age_max: Annotated[float, Quantity(unit="yr", gt=0)] = 1e7
    distance_max: Annotated[float, Quantity(unit="kpc", gt=0)] = 5.0
    radial: Radial = field(default_factory=NamedProfile)
    z_scale: Annotated[float, Quantity(unit="kpc", gt=0)] = 0.1
    r_sun: Annotated[float, Quantity(unit="kpc", gt=0)] = 8.5
    r_h: Annotated[float, Quantity(unit="kpc", gt=0)] = 20.0
    alpha: Annotated[float, Quantity(ge=0, le=10)] = 2.3
    alpha_scatter: Annotated[float, Quantity(ge=0, le=1)] = 0.0
    R_c: Annotated[float, Quantity(unit="GV", gt=0, le=1e15)] = 1e6
    R_c_scatter: Annotated[float, Quantity(ge=0, le=2)] = 0.0
    W: dict[str, Erg] = field(default_factory=lambda: {"H": 1e50})
    W_scatter: Annotated[float, Quantity(ge=0, le=2)] = 0.0
    threshold: Annotated[float, Quantity(unit="GeV", gt=0)] = 1.0
    energy: Literal["total", "per-nucleon"] = "total"

    def __post_init__(self) -> None:
        if self.age_max <= self.age_min:
            raise ValueError(
                f"age_max = {self.age_max:g} yr is not above age_min = {self.age_min:g}"
            )
        if self.r_sun >= self.r_h:
            raise ValueError(f"r_sun = {self.r_sun:g} kpc is beyond r_h = {self.r_h:g}")
        if not any(self.W.values()):
            raise ValueError("W gives no energy to any element, so nothing is emitted")
        drawn = self.expected() * self.realisations
        if drawn > _MOST:
            raise ValueError(
                f"rate × (age_max − age_min) × realisations = {drawn:.2g} sources; "
                f"at most {_MOST:g} are drawn"
            )
        if self.R_c <= self._lowest():
            raise ValueError(
                f"R_c = {self.R_c:g} GV is below the threshold of W: T = {self.threshold:g} GeV "
                f"({self.energy}) has {self._lowest():.4g} GV"
            )

    def _lowest(self) -> float:
        """Least cutoff, GV: the highest rigidity of the threshold."""
        return max(threshold_rigidity(self, nuclide(element)) for element in self.elements())

    def expected(self) -> float:
        """Mean number of bursts in one Galaxy."""
        return self.rate * (self.age_max - self.age_min)

    def elements(self) -> tuple[str, ...]:
        """What the sources emit, by charge."""
        found = (element for element, energy in self.W.items() if energy > 0)
        return tuple(sorted(found, key=lambda element: nuclide(element).charge))

    def galaxy(self, number: int) -> Iterator[Sources]:
        """The bursts of one realisation within distance_max, some at a time."""
        random = np.random.default_rng([self.seed, number])
        left = int(random.poisson(self.expected()))
        while left > 0:
            count = min(left, _DRAWN)
            yield self._drawn(random, count)
            left -= count

    def _drawn(self, random: np.random.Generator, count: int) -> Sources:
        r = np.linspace(0, self.r_h, _POINTS)
        density = r * self.radial.at(r, self.r_sun)
        below = np.concatenate([[0.0], np.cumsum(density[1:] + density[:-1])])
        radius = np.interp(random.random(count), below / below[-1], r)
        angle = 2 * np.pi * random.random(count)
        # towards the axis, towards l = 90°, and up
        x, y = self.r_sun - radius * np.cos(angle), radius * np.sin(angle)
        z = random.laplace(scale=self.z_scale, size=count)
        age = random.uniform(self.age_min, self.age_max, count)
        alpha, cutoff, energy = (
            centre + scatter * random.standard_normal(count)
            for centre, scatter in (
                (self.alpha, self.alpha_scatter),
                (np.log(self.R_c), np.log(10) * self.R_c_scatter),
                (0.0, np.log(10) * self.W_scatter),
            )
        )
        distance = np.sqrt(x**2 + y**2 + z**2)
        near = distance < self.distance_max
        column = (slice(None), None)
        return Sources(
            distance=distance[near][column],
            age=age[near][column],
            l=np.degrees(np.arctan2(y, x))[near][column],
            b=np.degrees(np.arcsin(z / distance))[near][column],
            alpha=alpha[near][column],
            R_c=np.maximum(np.exp(cutoff[near][column]), self._lowest()),
            W={e: w * np.exp(energy[near][column]) for e, w in self.W.items()},
            threshold=self.threshold,
            energy=self.energy,
        )
