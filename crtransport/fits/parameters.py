"""What a fit moves: parameters with bounds, priors and scales."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


class FitError(ValueError):
    """A fit that cannot be made; the message names what is wrong and says why."""


class Unpredictable(FitError):
    """Values for which the model has no answer; the message says why."""


def needed(package: str) -> ModuleType:
    """An optional package of the extra ``fit``.

    Raises
    ------
    FitError
        If it is not installed.
    """
    try:
        return importlib.import_module(package)
    except ImportError:
        why = f'needs the package {package}: python -m pip install "crtransport[fit]"'
        raise FitError(why) from None


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A number to be fitted, or a nuisance.

    Attributes
    ----------
    name : str
    start : float
    lower, upper : float
        Bounds; the start lies between them.
    scale : str
        "log": its logarithm is what moves; "linear".
    prior : (float, float), optional
        Mean and 1σ of a Gaussian prior, both in the unit of the parameter.
    """

    name: str
    start: float
    lower: float = -np.inf
    upper: float = np.inf
    scale: Literal["linear", "log"] = "linear"
    prior: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if not self.lower < self.upper:
            raise FitError(f"{self.name}: lower = {self.lower:g} is not below {self.upper:g}")
        if not self.lower <= self.start <= self.upper:
            bounds = f"{self.lower:g} … {self.upper:g}"
            raise FitError(f"{self.name}: start = {self.start:g} lies beyond the bounds {bounds}")
        if self.scale == "log" and not (self.start > 0 and (self.lower > 0 or self.unbounded)):
            raise FitError(f'{self.name}: scale = "log" needs a start and bounds above 0')
        if self.prior is not None and not self.prior[1] > 0:
            raise FitError(
                f"{self.name}: the 1σ of its prior is {self.prior[1]:g}, must be above 0"
            )

    @property
    def unbounded(self) -> bool:
        """Whether nothing bounds it from below."""
        return self.lower == -np.inf

    def inside(self, value: float) -> float:
        """The coordinate that moves, x or ln x."""
        return float(np.log(value)) if self.scale == "log" else value

    def outside(self, coordinate: float) -> float:
        """The value of a coordinate."""
        return float(np.exp(coordinate)) if self.scale == "log" else coordinate

    def slope(self, value: float) -> float:
        """dvalue/dcoordinate."""
        return value if self.scale == "log" else 1.0

    @property
    def limits(self) -> tuple[float, float]:
        """Bounds of the coordinate."""
        low = -np.inf if self.unbounded else self.inside(self.lower)
        return low, self.inside(self.upper)

    @property
    def step(self) -> float:
        """How far a first step may go, in the coordinate."""
        low, high = self.limits
        width = 0.05 * (high - low)
        if self.prior is not None:
            return min(width, self.prior[1] / self.slope(self.start))
        if np.isfinite(width):
            return width
        return 0.1 if self.scale == "log" or self.start == 0 else 0.1 * abs(self.start)

    def penalty(self, value: float) -> float:
        """−2 ln of the prior, ((x − mean)/σ)²."""
        return 0.0 if self.prior is None else ((value - self.prior[0]) / self.prior[1]) ** 2

    def penalty_slope(self, value: float) -> float:
        """dpenalty/dvalue."""
        return 0.0 if self.prior is None else 2 * (value - self.prior[0]) / self.prior[1] ** 2


def check_names(parameters: Sequence[Parameter]) -> None:
    """Refuse two parameters of one name, and none.

    Raises
    ------
    FitError
    """
    names = [one.name for one in parameters]
    if not names:
        raise FitError("a fit needs at least one parameter")
    for name in names:
        if names.count(name) > 1:
            raise FitError(f"{name} is fitted twice")


def as_mapping(parameters: Sequence[Parameter], coordinates: Array) -> Mapping[str, float]:
    """Name -> value."""
    return {one.name: one.outside(float(u)) for one, u in zip(parameters, coordinates, strict=True)}
