"""The deck of model = "galaxy": the medium, the sources, the nuclides, and how it is solved."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Discriminator

from crtransport.deck.burst import BurstDeck
from crtransport.deck.compare import CompareGalaxy
from crtransport.deck.errors import check_all
from crtransport.deck.fit import FitTable
from crtransport.deck.galaxy_medium import check_medium, check_place, check_wind
from crtransport.deck.galaxy_solver import (
    Direct,
    Momentum,
    ReducedBasis,
    SplitCrankNicolson,
    Sweep,
)
from crtransport.deck.scan import Scan
from crtransport.deck.sensitivity import Sensitivity, number_at
from crtransport.nuclide_tables import DAUGHTERS
from crtransport.nuclides import UnknownElement, isotope, nuclide
from crtransport.physics.burst import LocalSource
from crtransport.physics.diffusion import AnyDiffusion, TwoHalo
from crtransport.physics.gas import Gas
from crtransport.physics.geometry import Cylinder, Geometry, LeakyBox
from crtransport.physics.injection import BrokenPowerLaw, Source
from crtransport.physics.losses import LOWEST, Losses
from crtransport.physics.modulation import Modulation
from crtransport.physics.network import NETWORKS, followed
from crtransport.physics.nuclear import Nuclear
from crtransport.physics.reacceleration import Alfven, Convection, Reacceleration
from crtransport.units import Count, Quantity

Energy = Annotated[float, Quantity(unit="GeV/n", gt=0, le=1e12)]
Flux = Annotated[float, Quantity(gt=0)]

AnySolver = Annotated[ReducedBasis | Sweep | Direct | SplitCrankNicolson, Discriminator("kind")]

_RATIO = re.compile(r"(\d*)([A-Z][a-z]?)")
_ISOTOPE = re.compile(r"([A-Z][a-z]?)(\d+)")
_RATIOS = '"B/C", "10Be/9Be" or "(Sc+Ti+V)/Fe"'


@dataclass(frozen=True, kw_only=True)
class Normalisation:
    """Fluxes that the sources are scaled to: of one nuclide, or of all that are emitted.

    Attributes
    ----------
    T : float
        Kinetic energy, GeV/n.
    flux : table
        Interstellar flux there of each nuclide, m^-2 s^-1 sr^-1 (GeV/n)^-1: {H1 = 0.044}. With one
        nuclide all sources are scaled together; with more, each emitted one must be named, and its
        own sources are scaled.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    T: Energy = 100.0
    flux: dict[str, Flux]

    def __post_init__(self) -> None:
        if not self.flux:
            raise ValueError("flux is empty: name a nuclide, {H1 = 0.044}")

    def common(self) -> tuple[str, float] | None:
        """The one nuclide that all are scaled by, with its flux."""
        return next(iter(self.flux.items())) if len(self.flux) == 1 else None

    def each(self, name: str) -> float | None:
        """Flux of a nuclide that is scaled by itself."""
        return self.flux.get(name) if len(self.flux) > 1 else None


@dataclass(frozen=True, kw_only=True)
class GalaxyOutput:
    """Which results are wanted.

    Attributes
    ----------
    T_min, T_max : float
        Range of kinetic energy, GeV/n.
    per_decade : int
        Points per decade of energy.
    ratios : tuple of str
        Ratios of elements, "B/C", of nuclides, "10Be/9Be", or of sums, "(Sc+Ti+V)/Fe".
    elements : tuple of str
        Elements whose spectra are drawn; all by default.
    channels : tuple of str
        Nuclides whose flux at the Sun is split by what they come from: sources, and each parent
        that makes at least a hundredth.
    maps : bool
        Whether the density is written at all r and z (cylinder only).
    map_r, map_z : int
        Points of the maps along r and z.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    T_min: Energy = 0.02
    T_max: Energy = 1e6
    per_decade: Annotated[int, Count(ge=1, le=1000)] = 20
    ratios: tuple[str, ...] = ()
    elements: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    maps: bool = False
    map_r: Annotated[int, Count(ge=2, le=1000)] = 41
    map_z: Annotated[int, Count(ge=2, le=1000)] = 41

    def __post_init__(self) -> None:
        if self.T_max <= self.T_min:
            raise ValueError(f"T_max = {self.T_max:g} GeV/n is not above T_min = {self.T_min:g}")


def _background() -> tuple[Source, ...]:
    """Protons and helium of Yuan 2025, Table 2."""
    helium = BrokenPowerLaw(gamma1=2.15, gamma2=2.42)
    return (Source(abundances={"H1": 1.0, "He4": 0.1}, injections={"He4": helium}),)


@dataclass(frozen=True, kw_only=True)
class GalaxyDeck:
    """Transport of cosmic-ray nuclei in the Galaxy, steady, by one equation for each nuclide.

        q + ∇·(D∇ψ − Vψ) + ∂/∂p [p² D_pp ∂/∂p (ψ/p²)] − ∂/∂p [(ṗ − (p/3)∇·V) ψ] − ψ/τ_f − ψ/τ_d = 0

    Strong & Moskalenko 1998, ApJ 509, 212; the two-halo medium of Yuan 2025, arXiv:2511.06733.

    Attributes
    ----------
    model : str
        "galaxy".
    title : str
        One line, for lists and figures.
    network : str or tuple of str
        Which nuclides are followed: named ones, ["C12", "B11"], or "full" (up to nickel) or
        "light" (up to silicon), of which those are that sources emit or others make.
    geometry, diffusion, reacceleration, convection, gas, losses, nuclear, source, normalisation
        The physics.
    local_source : tuple of LocalSource
        Bursts near the Sun, added to the background of the sources.
    local_medium : str
        What they spread in: "uniform", the disk's D everywhere (Yuan 2025, Eq. 4), or "two-halo",
        D(R, z) between z = ±z_h.
    sensitivity : Sensitivity
        Derivatives of what is seen by numbers of the deck.
    modulation, momentum, solver, output, compare
        The other tables of the deck.
    fit : FitTable
        Keys that are fitted to measurements.
    scan : Scan
        The keys that vary, of a deck that is run at many values of them.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    model: Literal["galaxy"]
    title: str = ""
    network: Literal["full", "light"] | tuple[str, ...] = ("H1", "He4")
    geometry: Geometry = field(default_factory=Cylinder)
    diffusion: AnyDiffusion = field(default_factory=TwoHalo)
    reacceleration: Reacceleration = field(default_factory=Alfven)
    convection: Convection = field(default_factory=Convection)
    gas: Gas = field(default_factory=Gas)
    losses: Losses = field(default_factory=Losses)
    nuclear: Nuclear = field(default_factory=Nuclear)
    source: tuple[Source, ...] = field(default_factory=_background)
    normalisation: Normalisation | None = None
    local_source: tuple[LocalSource, ...] = ()
    local_medium: Literal["uniform", "two-halo"] | None = None
    modulation: Modulation = field(default_factory=Modulation)
    momentum: Momentum = field(default_factory=Momentum)
    solver: AnySolver = field(default_factory=ReducedBasis)
    output: GalaxyOutput = field(default_factory=GalaxyOutput)
    compare: CompareGalaxy = field(default_factory=CompareGalaxy)
    sensitivity: Sensitivity | None = None
    fit: FitTable | None = None
    scan: Scan | None = None

    def __post_init__(self) -> None:
        self._check_nuclides()
        if not self.nuclides:  # as no source emits any
            self._check_sources()
        check_all(
            (
                self._check_sources,
                self._check_normalisation,
                self._check_medium,
                self._check_grid,
                self._check_output,
                self._check_local,
                self._check_sensitivity,
            )
        )

    @cached_property
    def nuclides(self) -> tuple[str, ...]:
        """The nuclides that are followed."""
        if not isinstance(self.network, str):
            return self.network
        makes = self.nuclear.makes if self.nuclear.secondaries else lambda parent, child: False
        return followed(NETWORKS[self.network], self._emits, makes)

    def _emits(self, name: str) -> bool:
        return any(source.abundance(name) > 0 for source in self.source)

    def _check_nuclides(self) -> None:
        if not self.network:
            raise ValueError('network is empty: name at least one nuclide, or "full", or "light"')
        if isinstance(self.network, str):
            return
        for name in self.network:
            try:
                isotope(name)
            except UnknownElement as error:
                raise ValueError(f"network: {error}") from None
        if len(set(self.network)) < len(self.network):
            raise ValueError("network names one twice")

    def _check_sources(self) -> None:
        if not self.source:
            raise ValueError("source is empty: give at least one [[source]]")
        names = [source.name for source in self.source]
        if len(set(names)) < len(names):
            raise ValueError("source.name: two sources have the same name")
        emitted = self.emitted()
        for source in self.source:
            if not any(source.abundance(name) > 0 for name in self.nuclides):
                raise ValueError(f'source "{source.name}" emits none of the network')
            self._check_lines(source)
        for name in self.nuclides:
            if name not in emitted and not self._made(name):
                raise ValueError(f"network: {name} is neither emitted nor made by another one")

    def _check_lines(self, source: Source) -> None:
        for nucleus in filter(source.emits, map(nuclide, self.nuclides)):
            energy, (low, high) = source.line(nucleus), self.momentum.ends()
            if energy is not None and not low < energy < high:
                raise ValueError(
                    f'source "{source.name}" emits {nucleus.name} at T = {energy:g} GeV/n, beyond '
                    f"momentum.T_min … T_max = {low:g} … {high:g}"
                )

    def _made(self, name: str) -> bool:
        if not self.nuclear.secondaries:
            return False
        fed = any(self.nuclear.makes(parent, name) for parent in self.nuclides)
        return fed or any(DAUGHTERS.get(n) == name for n in self.nuclides)

    def _check_normalisation(self) -> None:
        if self.fit is not None and self.compare.fit_norms:
            raise ValueError("fit and compare.fit_norms: leave out one; [fit] can fit abundances")
        if self.normalisation is None:
            return
        if self.compare.fit_norms:
            raise ValueError("normalisation and compare.fit_norms: leave out one of them")
        for name in self.normalisation.flux:
            if name not in self.emitted():
                raise ValueError(
                    f"normalisation.flux: no source emits {name}, or the network lacks it"
                )
        missing = set(self.emitted()) - set(self.normalisation.flux)
        if missing and self.normalisation.common() is None:
            raise ValueError(
                f"normalisation.flux: {min(missing)} is missing; name one nuclide, or all emitted"
            )
        low, high = self.momentum.ends()
        if not low <= self.normalisation.T <= high:
            raise ValueError(
                f"normalisation.T = {self.normalisation.T:g} GeV/n lies beyond "
                f"momentum.T_min … T_max = {low:g} … {high:g} GeV/n"
            )

    def _check_medium(self) -> None:
        check_all(
            (
                partial(self.reacceleration.check, self.diffusion),
                partial(check_medium, self.geometry, self.diffusion, self.gas),
                partial(check_wind, self.geometry, self.convection),
                *(partial(check_place, self.geometry, source) for source in self.source),
            )
        )

    def _check_grid(self) -> None:
        lowest, losses = self.momentum.ends()[0], self.losses
        if lowest < LOWEST and (losses.ionisation or losses.coulomb):
            raise ValueError(
                f"momentum.T_min = {lowest:g} GeV/n: the formulae of ionisation and Coulomb losses "
                f"have no meaning below {LOWEST:g} GeV/n; raise it, or switch off "
                "losses.ionisation and losses.coulomb"
            )
        if self.solver.kind == "split-cn" and self.momentum.order not in (None, 1):
            raise ValueError(
                f"momentum.order = {self.momentum.order}: "
                'solver.kind = "split-cn" couples neighbours only, order 1'
            )
        flat = () if isinstance(self.geometry, Cylinder) else ("order_r", "elements_r", "cells_r")
        point = ("order_z", "cells_z") if isinstance(self.geometry, LeakyBox) else ()
        idle = [key for key in (*flat, *point) if getattr(self.solver, key) is not None]
        if idle:
            keys = ", solver.".join(idle)
            raise ValueError(
                f'solver.{keys} has no effect with geometry.kind = "{self.geometry.kind}"'
            )

    def _check_output(self) -> None:
        low, high = self.momentum.ends()
        if self.output.T_min < low or self.output.T_max > high:
            raise ValueError(
                f"output.T_min … T_max = {self.output.T_min:g} … {self.output.T_max:g} GeV/n lies "
                f"beyond momentum.T_min … T_max = {low:g} … {high:g} GeV/n"
            )
        lost = max(self.modulation.loss(nuclide(name)) for name in self.nuclides)
        if self.output.T_max + lost > high:
            raise ValueError(
                f"modulation.phi needs fluxes up to output.T_max + {lost:g} GeV/n, beyond "
                f"momentum.T_max = {high:g} GeV/n"
            )
        ends = np.array([self.output.T_min, self.output.T_max])
        first, last = np.transpose([nuclide(name).rigidity(ends) for name in self.nuclides])
        if first.max() >= last.min():
            begins, stops = (nuclide(self.nuclides[i]) for i in (first.argmax(), last.argmin()))
            # to three digits, on the side on which the rigidities overlap
            enough = 1.005 * float(stops.kinetic_energy(first.max()))
            low_enough = 0.995 * float(begins.kinetic_energy(last.min()))
            raise ValueError(
                f"output.T_min … T_max = {ends[0]:g} … {ends[1]:g} GeV/n is so narrow that the "
                f"nuclides have no rigidity in common: {stops.name} ends at {last.min():.4g} GV, "
                f"where {begins.name} begins at {first.max():.4g} GV; a T_max of {enough:.3g} "
                f"GeV/n or a T_min of {low_enough:.3g} GeV/n is enough"
            )
        if self.output.maps and not isinstance(self.geometry, Cylinder):
            raise ValueError('output.maps needs geometry.kind = "cylinder"')
        for ratio in self.output.ratios:
            self._named_by("output.ratios", self.parts, ratio)
        for element in self.output.elements:
            if element not in {nuclide(name).element for name in self.nuclides}:
                raise ValueError(f'output.elements: the network has no "{element}"')
        for name in self.output.channels:
            if name not in self.nuclides:
                raise ValueError(f'output.channels: the network has no "{name}"')

    @staticmethod
    def _named_by(key: str, of: Callable[[str], object], name: str) -> None:
        try:
            of(name)
        except ValueError as error:
            raise ValueError(f"{key}: {error}") from None

    def _check_local(self) -> None:
        if not self.local_source:
            if self.local_medium is not None:
                raise ValueError("local_medium has no effect without a [[local_source]]")
            if self.compare.anisotropy:
                raise ValueError("compare.anisotropy has no effect without a [[local_source]]")
            return
        if not isinstance(self.diffusion, TwoHalo) or self.geometry.kind != "cylinder":
            raise ValueError(
                'local_source needs geometry.kind = "cylinder" and diffusion.kind = "two-halo"'
            )
        followed_elements = {nuclide(name).element for name in self.nuclides}
        for element in self.bursts().species():
            if element not in followed_elements:
                raise ValueError(f"local_source emits {element}, which the network lacks")
        taken = {source.name for source in self.source}
        for source in self.local_source:
            if source.name in taken:
                raise ValueError(f'local_source "{source.name}" has the name of a [[source]]')

    def _check_sensitivity(self) -> None:
        if self.sensitivity is None or not self.sensitivity.of:
            return
        if self.solver.kind == "split-cn":
            raise ValueError('sensitivity: solver.kind = "split-cn" has no adjoint')
        if self.normalisation is not None and self.normalisation.common() is None:
            raise ValueError("sensitivity: normalisation.flux must name one nuclide, or none")
        for name in self.sensitivity.of:
            self._named_by("sensitivity.of", self.observed, name)
        for energy in self.sensitivity.at:
            if not self.output.T_min <= energy <= self.output.T_max:
                raise ValueError(
                    f"sensitivity.at: {energy:g} GeV/n lies beyond output.T_min … T_max = "
                    f"{self.output.T_min:g} … {self.output.T_max:g}"
                )
        for key in self.sensitivity.by:
            self._named_by("sensitivity.by", partial(number_at, self), key)
            if number_at(self, key) == 0:
                raise ValueError(f"sensitivity.by: {key} is 0, which has no logarithm")

    def bursts(self) -> BurstDeck:
        """The local sources in the medium of this deck."""
        assert isinstance(self.diffusion, TwoHalo)
        assert isinstance(self.geometry, Cylinder)
        medium = self.local_medium or "uniform"
        return BurstDeck(
            model="burst",
            medium=medium,
            z_h=None if medium == "uniform" else self.geometry.z_h,
            diffusion=self.diffusion,
            local_source=self.local_source,
        )

    def reaccelerated(self) -> bool:
        """Whether anything spreads in momentum; at whatever rigidity and β, here 1."""
        unit = np.ones(1)
        return bool(np.any(self.reacceleration.strength(unit, unit, self.diffusion) > 0))

    def emitted(self) -> tuple[str, ...]:
        """The nuclides that some source sets free."""
        return tuple(name for name in self.nuclides if self._emits(name))

    def parts(self, ratio: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The nuclides above and below the line of "B/C", "10Be/9Be" or "(Sc+Ti+V)/Fe".

        Raises
        ------
        ValueError
            If it is no such ratio, or nothing of it is followed.
        """
        above, line, below = ratio.partition("/")
        if not line:
            raise ValueError(f'"{ratio}" must be such as {_RATIOS}')
        return self._summed(ratio, above), self._summed(ratio, below)

    def observed(self, name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The same of a ratio, or of "B" or "10Be" alone, with nothing below."""
        return self.parts(name) if "/" in name else (self._summed(name, name), ())

    def _summed(self, ratio: str, text: str) -> tuple[str, ...]:
        if text.startswith("(") and text.endswith(")"):
            text = text[1:-1]
        each = [self._named(ratio, part.strip()) for part in text.split("+")]
        found = tuple(name for names in each for name in names)
        if len(set(found)) < len(found):
            raise ValueError(f'"{ratio}" counts {text} twice')
        return found

    def _named(self, ratio: str, text: str) -> tuple[str, ...]:
        match = _RATIO.fullmatch(text)
        if match is None:
            alone = "" if "/" in ratio else '"B", "12C", '
            turned = _ISOTOPE.sub(r"\2\1", ratio)
            hint = f'; did you mean "{turned}"?' if turned != ratio else ""
            raise ValueError(f'"{ratio}" must be such as {alone}{_RATIOS}{hint}')
        number, symbol = match.groups()
        found = tuple(
            name
            for name in self.nuclides
            if nuclide(name).element == symbol
            and (not number or nuclide(name).mass_number == int(number))
        )
        if not found:
            raise ValueError(f'"{ratio}": the network has no {text}')
        return found
