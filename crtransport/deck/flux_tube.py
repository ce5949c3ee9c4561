"""The deck of model = "flux-tube": which tables it has, and what is asked of the solver."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Discriminator

from crtransport.deck.scan import Scan
from crtransport.physics.flux_tube import Emission, Loss, Parsec, Pulse, Tube
from crtransport.physics.scattering import Scattering
from crtransport.physics.tube_arrival import Arrival, TubeShock
from crtransport.units import Count, Quantity


@dataclass(frozen=True, kw_only=True)
class Spectral:
    """Polynomials in χ, split at the magnetic equator, and the decay modes of the tube.

    Attributes
    ----------
    kind : str
        "spectral".
    rtol : float
        Tolerance of the numerical error estimate: functions are added until it is met.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    kind: Literal["spectral"] = "spectral"
    rtol: Annotated[float, Quantity(gt=0, le=0.1)] = 1e-9


@dataclass(frozen=True, kw_only=True)
class FiniteDifference:
    """Second-order cells in χ, the independent check of the spectral method.

    Attributes
    ----------
    kind : str
        "finite-difference".
    cells : int
        Cells across −1 ≤ χ ≤ 1, an even number (the equator is a face).
    steps : int
        Steps along ζ in each part of the tube (boundary-value problem), or across the domain in
        the time-dependent problem.
    rtol : float
        Tolerance of the numerical error estimate (the difference from half the resolution).
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    kind: Literal["finite-difference"]
    cells: Annotated[int, Count(ge=8, le=20000)] = 400
    steps: Annotated[int, Count(ge=4, le=20000)] = 200
    rtol: Annotated[float, Quantity(gt=0, le=0.1)] = 1e-2

    def __post_init__(self) -> None:
        if self.cells % 2:
            raise ValueError(f"cells must be even, so that the equator is a face: {self.cells}")


@dataclass(frozen=True, kw_only=True)
class FluxTubeOutput:
    """Where the answer is wanted.

    Attributes
    ----------
    zeta : tuple of float
        Distances from the source along the tube, pc (negative: behind it).
    rigidity : tuple of float
        Rigidities, GV; needs scattering.mean_free_path.
    slopes : tuple of float
        Further turbulence slopes q, solved and drawn beside scattering.slope.
    chi_points : int
        Points of the χ grid, −1 … 1.
    modes : int
        Eigenvalues and eigenfunctions written, from the slowest decay on.
    ell_max : int
        Highest multipole.
    step_mu : float
        The step across the magnetic equator is f(μ) − f(−μ) over the mean, at this μ.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    zeta: tuple[Parsec, ...]
    rigidity: tuple[Annotated[float, Quantity(unit="GV", gt=0)], ...] = ()
    slopes: tuple[Annotated[float, Quantity(ge=1, lt=2)], ...] = ()
    chi_points: Annotated[int, Count(ge=5, le=100001)] = 201
    modes: Annotated[int, Count(ge=1, le=30)] = 5
    ell_max: Annotated[int, Count(ge=1, le=50)] = 4
    step_mu: Annotated[float, Quantity(gt=0, le=1)] = 0.1

    def __post_init__(self) -> None:
        if not self.zeta:
            raise ValueError("zeta is empty: give at least one distance")
        for name in ("zeta", "rigidity"):
            if any(np.diff(getattr(self, name)) <= 0):
                raise ValueError(f"{name} must be in increasing order")


@dataclass(frozen=True, kw_only=True)
class CompareTube:
    """What is drawn beside the result.

    Attributes
    ----------
    anisotropy : tuple of str
        Names of measured first harmonics in right ascension, "Tibet_2017"; drawn where a data
        folder is given, at R = E/e of a particle.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    anisotropy: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if len(set(self.anisotropy)) < len(self.anisotropy):
            raise ValueError("anisotropy names a table twice")


@dataclass(frozen=True, kw_only=True)
class FluxTubeDeck:
    """The pitch-angle Fokker-Planck equation in a magnetic flux tube.

        c μ ∂f/∂ζ + v⊥' f + (1−μ²)/(2 L_B) ∂f/∂μ − ∂/∂μ[(1−μ²) D(μ) ∂f/∂μ] = Q δ(ζ)

    Malkov, Diamond, Cao & Moskalenko 2023 (ICRC), Eq. 2; Malkov & Moskalenko 2022 ApJ 933 78.

    Attributes
    ----------
    model : str
        "flux-tube".
    title : str
        One line, for lists and figures.
    scattering, loss, source, tube, pulse, solver, output
        The tables of the deck.
    shock : TubeShock, optional
        A shock whose spectrum is told.
    arrival : Arrival, optional
        How the anisotropy is seen at the Sun; needs output.rigidity.
    compare
        Measured anisotropies to draw; needs ``arrival``.
    scan : Scan
        The keys that vary, of a deck that is run at many values of them.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    model: Literal["flux-tube"]
    title: str = ""
    scattering: Scattering = field(default_factory=Scattering)
    loss: Loss = field(default_factory=Loss)
    source: Emission = field(default_factory=Emission)
    tube: Tube = field(default_factory=Tube)
    pulse: Pulse | None = None
    solver: Annotated[Spectral | FiniteDifference, Discriminator("kind")] = field(
        default_factory=Spectral
    )
    shock: TubeShock | None = None
    arrival: Arrival | None = None
    compare: CompareTube = field(default_factory=CompareTube)
    output: FluxTubeOutput
    scan: Scan | None = None

    def __post_init__(self) -> None:
        if self.output.rigidity and self.scattering.mean_free_path is None:
            raise ValueError("output.rigidity needs scattering.mean_free_path")
        if self.arrival is not None and (not self.output.rigidity or self.pulse is not None):
            raise ValueError("arrival needs output.rigidity, and a steady tube")
        if self.compare.anisotropy and self.arrival is None:
            raise ValueError("compare.anisotropy needs the table [arrival]")
        half_range = self.source.kind == "half-range"
        if self.tube.length is not None and not half_range:
            raise ValueError('tube.length needs source.kind = "half-range"')
        if half_range and self.output.zeta[0] < 0:
            raise ValueError('output.zeta must not be negative with source.kind = "half-range"')
        if self.tube.length is not None and self.output.zeta[-1] > self.tube.length:
            raise ValueError("output.zeta lies beyond tube.length")
        if self.pulse is not None and (self.tube.variation or self.tube.length):
            raise ValueError("pulse needs a uniform tube without end")
        if self.pulse is not None:
            m = self.scattering.m
            mean = sum(value * m / (m + k) for k, value in enumerate(self.source.even))
            if mean <= 0:
                raise ValueError(
                    f"pulse needs particles: source.even has a mean over μ of {mean:g}, "
                    "which must be above 0"
                )
        if self.output.slopes and (self.pulse is not None or self.output.rigidity):
            raise ValueError("output.slopes needs a steady tube, and no output.rigidity")
        if self.loss.rate == 0 and not half_range and self.pulse is None:
            raise ValueError(
                "loss.rate = 0: a tube without losses and without end has no steady state; "
                'set loss.rate, or use source.kind = "half-range"'
            )
