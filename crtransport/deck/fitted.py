"""What decks that fit formulae to measurements share: tables of data, numbers to be fitted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

import numpy as np

from crtransport.deck.fit import AnySystematics
from crtransport.fits.parameters import FitError, Parameter
from crtransport.fits.treatments import Quadrature
from crtransport.units import Positive, Quantity

Number = Annotated[float, Quantity(ge=-1e12, le=1e12)]
Volts = Annotated[float, Quantity(unit="GV", gt=0, le=1e12)]
Share = Annotated[float, Quantity(ge=0, le=1)]


@dataclass(frozen=True, kw_only=True)
class FittedTable:
    """A measured table that is fitted to, and how its errors count.

    Attributes
    ----------
    table : str
        Name in the data folder, "AMS-02_H_rigidity": flux of an element over rigidity or energy.
    R_min, R_max : float
        Points between these rigidities count, GV; left out, all on that side.
    factor : float
        What fluxes and errors are multiplied by.
    systematic_factor : float
        What systematic errors are multiplied by besides, to leave some of them out.
    energy_error, norm_error : float
        Relative 1σ of the energy scale and of the norm of its experiment, fitted along and shared
        by the experiment's tables; 0: exact, 1: as good as free.
    systematics
        How its systematic errors count: ``kind = "quadrature"``, as if they were statistical,
        "correlated" over a ``length`` in decades, or "covariance" of a ``file``.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    table: str
    R_min: Volts | None = None
    R_max: Volts | None = None
    factor: Positive = 1.0
    systematic_factor: Annotated[float, Quantity(ge=0)] = 1.0
    energy_error: Share = 0.0
    norm_error: Share = 0.0
    systematics: AnySystematics = field(default_factory=Quadrature)

    def __post_init__(self) -> None:
        if self.R_min is not None and self.R_max is not None and not self.R_min < self.R_max:
            raise ValueError(f"R_max = {self.R_max:g} GV is not above R_min = {self.R_min:g}")

    @property
    def span(self) -> tuple[float, float]:
        """R_min and R_max, GV."""
        return self.R_min or 0.0, np.inf if self.R_max is None else self.R_max


@dataclass(frozen=True, kw_only=True)
class FittedNumber:
    """A pure number that a fit moves.

    Attributes
    ----------
    start : float
        Where the fit begins.
    lower, upper : float
        Bounds.
    fixed : bool
        Whether it stays at its start.
    published : tuple of float
        A value to compare with, or value, error downwards, error upwards.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    start: Number
    lower: Number
    upper: Number
    fixed: bool = False
    published: tuple[Number, ...] = ()

    def __post_init__(self) -> None:
        _check(self)

    def parameter(self, name: str) -> Parameter:
        """As a fit takes it."""
        return Parameter(name=name, start=self.start, lower=self.lower, upper=self.upper)


@dataclass(frozen=True, kw_only=True)
class FittedRigidity:
    """A rigidity that a fit moves, by its logarithm.

    Attributes
    ----------
    start : float
        Where the fit begins, GV.
    lower, upper : float
        Bounds, GV.
    fixed : bool
        Whether it stays at its start.
    published : tuple of float
        A value to compare with, or value, error downwards, error upwards, GV.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    start: Volts
    lower: Volts
    upper: Volts
    fixed: bool = False
    published: tuple[Volts, ...] = ()

    def __post_init__(self) -> None:
        _check(self)

    def parameter(self, name: str) -> Parameter:
        """As a fit takes it."""
        return Parameter(
            name=name, start=self.start, lower=self.lower, upper=self.upper, scale="log"
        )


def _check(one: FittedNumber | FittedRigidity) -> None:
    try:
        one.parameter("start")
    except FitError as error:
        raise ValueError(str(error)) from None
    if len(one.published) not in (0, 1, 3):
        raise ValueError("published needs a value, or value, error downwards, error upwards")


def check_tables(tables: Sequence[str], what: str) -> None:
    """Refuse a table that is named twice, and an empty list.

    Raises
    ------
    ValueError
    """
    if not tables:
        raise ValueError(f"{what} is empty: name at least one measured table")
    for name in tables:
        if list(tables).count(name) > 1:
            raise ValueError(f"{what} names {name} twice, and it would count twice")
