"""The deck of model = "burst": local sources, the medium around them, and what is compared."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from crtransport.deck.compare import Compare
from crtransport.deck.fit import FitTable
from crtransport.deck.scan import Scan
from crtransport.nuclides import nuclide
from crtransport.physics.burst import Bubble, LocalSource, Way
from crtransport.physics.catalogue import Catalogue
from crtransport.physics.diffusion import TwoHalo
from crtransport.physics.population import Population
from crtransport.units import Count, Quantity

Array = NDArray[np.float64]
Energy = Annotated[float, Quantity(unit="GeV/n", gt=0, le=1e15)]


@dataclass(frozen=True, kw_only=True)
class BurstOutput:
    """Which fluxes are wanted, and at which energies.

    Attributes
    ----------
    species : tuple of str
        Elements; by default all that the sources emit.
    T_min, T_max : float
        Range of kinetic energy per nucleon, GeV/n.
    per_decade : int
        Points per decade of energy.
    brightest : int
        How many sources of a catalogue or population are told by themselves; the others are summed.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    species: tuple[str, ...] = ()
    T_min: Energy = 10.0
    T_max: Energy = 1e6
    per_decade: Annotated[int, Count(ge=1, le=1000)] = 20
    brightest: Annotated[int, Count(ge=0, le=1000)] = 5

    def __post_init__(self) -> None:
        if self.T_max <= self.T_min:
            raise ValueError(f"T_max = {self.T_max:g} GeV/n is not above T_min = {self.T_min:g}")
        for element in self.species:
            nuclide(element)
        if len(set(self.species)) < len(self.species):
            raise ValueError("species names an element twice")


@dataclass(frozen=True, kw_only=True)
class BurstDeck:
    """Bursts of local sources in a diffusive medium (Yuan 2025, arXiv:2511.06733, Eq. 4).

        n(R) = q(R) (√(2π) σ)^−3 exp(−r²/2σ²),   σ² = 2 D(R) t

    Attributes
    ----------
    model : str
        "burst".
    title : str
        One line, for lists and figures.
    medium : str
        "uniform": the disk's D everywhere, the approximation of Eq. 4; "slab": the same between
        z = ±z_h, by mirror sources; "two-halo": D(R, z) solved between z = ±z_h, with the Sun at
        z = 0 and no edge in r; "two-zone": the uniform one with a bubble of slow diffusion around
        each source.
    z_h : float
        Half-height of the slab and of the two-halo medium, kpc (4).
    bubble : Bubble
        Of "two-zone".
    gas : Way
        What particles collide with on the way; by default nothing.
    diffusion : TwoHalo
        D(R, z); the uniform medium takes its value at z = 0.
    local_source : tuple of LocalSource
        One table each.
    catalogue : Catalogue
        Bursts of a file.
    population : Population
        Random bursts; the fluxes are those of the first realisation, with what all vary by.
    output, compare
        The other tables of the deck.
    fit : FitTable
        Keys that are fitted to measurements.
    scan : Scan
        The keys that vary, of a deck that is run at many values of them.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    model: Literal["burst"]
    title: str = ""
    medium: Literal["uniform", "slab", "two-halo", "two-zone"] = "uniform"
    z_h: Annotated[float, Quantity(unit="kpc", gt=0, le=100)] | None = None
    bubble: Bubble | None = None
    gas: Way | None = None
    diffusion: TwoHalo = field(default_factory=TwoHalo)
    local_source: tuple[LocalSource, ...] = ()
    catalogue: Catalogue | None = None
    population: Population | None = None
    output: BurstOutput = field(default_factory=BurstOutput)
    compare: Compare = field(default_factory=Compare)
    fit: FitTable | None = None
    scan: Scan | None = None

    def __post_init__(self) -> None:
        if not self.local_source and self.catalogue is None and self.population is None:
            raise ValueError("no sources: give a [[local_source]], a [catalogue] or a [population]")
        names = Counter(source.name for source in self.local_source)
        twice = [name for name, count in names.items() if count > 1]
        if twice:
            raise ValueError(f'local_source.name = "{twice[0]}" is given twice')
        self._check_medium()
        for key, found in (
            ("anisotropy", self.diffusion.anisotropy != 1),
            ("radial", self.diffusion.radial),
        ):
            if found:
                raise ValueError(f"diffusion.{key} has no effect on bursts; leave it out")
        silent = [name for name in self.output.species if name not in self.emitted()]
        if silent:
            emitted = ", ".join(self.emitted())
            raise ValueError(f"output.species: no source emits {silent[0]} (W has {emitted})")

    def _check_medium(self) -> None:
        edges = self.medium in ("slab", "two-halo")
        if not edges and self.z_h is not None:
            raise ValueError(f'z_h has no effect with medium = "{self.medium}"; leave it out')
        if (self.medium == "two-zone") != (self.bubble is not None):
            raise ValueError('medium = "two-zone" and a table [bubble] go together')
        layer = None if self.gas is None else self.gas.half_thickness
        if layer is not None and self.medium != "two-halo":
            raise ValueError(
                'gas.half_thickness needs medium = "two-halo"; elsewhere gas is all over'
            )
        if layer is not None and layer >= self.half_height():
            raise ValueError(f"gas.half_thickness = {layer:g} kpc fills the halo; leave it out")
        many = [n for n in ("catalogue", "population") if getattr(self, n) is not None]
        if many and self.medium == "two-zone":
            raise ValueError(f'{many[0]} and medium = "two-zone": name such sources one by one')
        if many and layer is not None:
            raise ValueError(f"gas.half_thickness and {many[0]}: leave it out, for gas all over")
        if self.catalogue is not None and edges:
            extent = self.catalogue.extent
            if extent.highest >= self.half_height():
                raise ValueError(
                    f'catalogue.file "{self.catalogue.file}", line {extent.highest_line}: lies at '
                    f"|z| = {extent.highest:.3g} kpc, outside the halo of z_h = "
                    f"{self.half_height():g} kpc"
                )
        for source in self.local_source if edges else ():
            if abs(source.height()) >= self.half_height():
                raise ValueError(
                    f'local_source "{source.name}" lies at z = {source.height():.3g} kpc, '
                    f"outside the halo of z_h = {self.half_height():g} kpc"
                )

    def half_height(self) -> float:
        """z_h of the slab and of the two-halo medium, kpc."""
        return 4.0 if self.z_h is None else self.z_h

    def gas_edges(self) -> list[float]:
        """Heights at which the gas ends, kpc."""
        layer = None if self.gas is None else self.gas.half_thickness
        return [] if layer is None else [layer]

    def gas_shape(self, z: Array) -> Array:
        """1 where there is gas, at heights z ≥ 0."""
        return np.where(z < (self.gas_edges() or [np.inf])[0], 1.0, 0.0)

    def emitted(self) -> tuple[str, ...]:
        """The elements that some source gives energy to, by charge."""
        found = {e for s in self.local_source for e, energy in s.W.items() if energy > 0}
        for many in (self.catalogue, self.population):
            found |= set() if many is None else set(many.elements())
        return tuple(sorted(found, key=lambda element: nuclide(element).charge))

    def species(self) -> tuple[str, ...]:
        """The elements of the output."""
        return self.output.species or self.emitted()
