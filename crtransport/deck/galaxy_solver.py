"""How the galaxy is solved: the grid in momentum, the grid in space, the method."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np

from crtransport.units import Count, Quantity

Energy = Annotated[float, Quantity(unit="GeV/n", gt=0, le=1e12)]
Tolerance = Annotated[float, Quantity(gt=0, le=1)]
Residual = Annotated[float, Quantity(ge=1e-11, le=1e-3)]
Year = Annotated[float, Quantity(unit="yr", gt=0, le=1e12)]

#: levels per decade and lowest energy, GeV/n, to begin with, where a deck leaves them open
PER_DECADE, T_MIN = 16.0, 1e-2
#: functions of a reduced basis: with more, all of space costs less
MOST_FUNCTIONS = 400
_FEWEST = 12  # levels that the differences in momentum need


@dataclass(frozen=True, kw_only=True)
class Momentum:
    """The grid in momentum per nucleon, one for all nuclides.

    Attributes
    ----------
    T_min, T_max : float
        Kinetic energies that it covers for every nuclide, GeV/n. By default from 0.01, or lower
        where the tolerance of the error estimate asks for that, to 1e7.
    per_decade : float
        Levels per decade, in the mean. By default 16, and more where the tolerance of the error
        estimate asks for more.
    refinement : float
        Levels per decade far below ``p_refined`` over those far above it; 1 for equal spacing.
    p_refined : float
        Momentum per nucleon, GeV.
    order : int
        Order of the differences: 5 or 3; 2 or 1 by finite volumes (1: positive whatever happens).
        By default 5 on spectral elements, 2 on finite volumes and 1 for "split-cn".
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    T_min: Energy | None = None
    T_max: Energy = 1e7
    per_decade: Annotated[float, Quantity(ge=2, le=1000)] | None = None
    refinement: Annotated[float, Quantity(ge=1, le=20)] = 2.0
    p_refined: Annotated[float, Quantity(unit="GeV", gt=0, le=1e12)] = 3.0
    order: Literal[1, 2, 3, 5] | None = None

    def __post_init__(self) -> None:
        low, high = self.ends()
        if high <= low:
            raise ValueError(f"T_max = {high:g} GeV/n is not above T_min = {low:g}")
        levels = (self.per_decade or PER_DECADE) * np.log10(high / low)
        if levels < _FEWEST:
            raise ValueError(
                f"T_min, T_max and per_decade give {int(levels) + 1} levels; "
                f"at least {_FEWEST} are needed"
            )

    def ends(self) -> tuple[float, float]:
        """T_min and T_max, GeV/n."""
        return self.T_min or T_MIN, self.T_max


@dataclass(frozen=True, kw_only=True)
class Space:
    """The grid in space, of whichever method."""

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    discretisation: Literal["spectral", "finite-volume"] = "spectral"
    rtol: Tolerance = 1e-4
    order_r: Annotated[int, Count(ge=3, le=20)] | None = None
    order_z: Annotated[int, Count(ge=3, le=20)] | None = None
    elements_r: Annotated[int, Count(ge=2, le=200)] | None = None
    cells_r: Annotated[int, Count(ge=4, le=2000)] | None = None
    cells_z: Annotated[int, Count(ge=4, le=2000)] | None = None

    def __post_init__(self) -> None:
        spectral = self.discretisation == "spectral"
        strange = ("cells_r", "cells_z") if spectral else ("order_r", "order_z", "elements_r")
        for key in strange:
            if getattr(self, key) is not None:
                raise ValueError(
                    f'{key} has no effect with discretisation = "{self.discretisation}"'
                )

    def orders(self) -> tuple[int, int, int]:
        """Order in r, order in z and number of elements in r of a spectral grid."""
        return self.order_r or 5, self.order_z or 6, self.elements_r or 8

    def cells(self) -> tuple[int, int]:
        """Cells in r and z of a finite-volume grid."""
        return self.cells_r or 40, self.cells_z or 40


@dataclass(frozen=True, kw_only=True)
class Sweep(Space):
    """GMRES preconditioned by sweeps over the momenta: the full-order solver.

    Attributes
    ----------
    kind : str
        "sweep-gmres".
    discretisation : str
        "spectral" elements, or "finite-volume" of second order, the independent check.
    rtol : float
        Tolerance of the numerical error estimate of the fluxes.
    linear_rtol : float
        Residual to which the equations are solved.
    order_r, order_z : int
        Polynomial orders of the spectral elements. By default 5 and 6, and more where the
        tolerance asks for more and neither these nor ``elements_r`` are written.
    elements_r : int
        About how many elements in r (8); those in z follow from z_h.
    cells_r, cells_z : int
        Finite volumes in r and z (40 each).
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    kind: Literal["sweep-gmres"]
    linear_rtol: Residual = 1e-9


@dataclass(frozen=True, kw_only=True)
class ReducedBasis(Space):
    """Galerkin's method on few functions in space: the fast solver.

    Attributes
    ----------
    kind : str
        "reduced-basis".
    discretisation : str
        "spectral" elements, or "finite-volume" of second order, the independent check.
    rtol : float
        Tolerance of the numerical error estimate of the fluxes.
    functions : int
        Functions in space to begin with; more, and in the end all of space, where the tolerance
        asks for it.
    order_r, order_z : int
        Polynomial orders of the spectral elements. By default 5 and 6, and more where the
        tolerance asks for more and neither these nor ``elements_r`` are written.
    elements_r : int
        About how many elements in r (8); those in z follow from z_h.
    cells_r, cells_z : int
        Finite volumes in r and z (40 each).
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    kind: Literal["reduced-basis"] = "reduced-basis"
    functions: Annotated[int, Count(ge=4, le=MOST_FUNCTIONS)] = 40


@dataclass(frozen=True, kw_only=True)
class Direct(Space):
    """One sparse LU of the whole system: for small problems.

    Attributes
    ----------
    kind : str
        "direct".
    discretisation : str
        "spectral" elements, or "finite-volume" of second order, the independent check.
    rtol : float
        Tolerance of the numerical error estimate of the fluxes.
    order_r, order_z : int
        Polynomial orders of the spectral elements. By default 5 and 6, and more where the
        tolerance asks for more and neither these nor ``elements_r`` are written.
    elements_r : int
        About how many elements in r (8); those in z follow from z_h.
    cells_r, cells_z : int
        Finite volumes in r and z (40 each).
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    kind: Literal["direct"]


@dataclass(frozen=True, kw_only=True)
class SplitCrankNicolson(Space):
    """Operator-split Crank-Nicolson with falling time steps, the method of the programs in use.

    Attributes
    ----------
    kind : str
        "split-cn".
    discretisation : str
        "finite-volume".
    rtol : float
        Tolerance of the numerical error estimate of the fluxes.
    start, end : float
        First and last time step, yr.
    factor : float
        Each step length is this times the one before.
    repeats : int
        Steps of each length.
    cells_r, cells_z : int
        Finite volumes in r and z (40 each).
    order_r, order_z, elements_r : int
        Of spectral elements: not here.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    kind: Literal["split-cn"]
    discretisation: Literal["spectral", "finite-volume"] = "finite-volume"
    rtol: Tolerance = 0.2
    start: Year = 1e9
    end: Year = 1e2
    factor: Annotated[float, Quantity(gt=0, lt=1)] = 0.25
    repeats: Annotated[int, Count(ge=2, le=100000)] = 20

    def __post_init__(self) -> None:
        if self.discretisation == "spectral":
            raise ValueError('kind = "split-cn" needs discretisation = "finite-volume"')
        if self.end > self.start:
            raise ValueError(f"end = {self.end:g} yr is above start = {self.start:g} yr")
        super().__post_init__()
