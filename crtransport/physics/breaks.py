"""Breaks of power laws in rigidity, sharp or smooth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from crtransport.units import Quantity

Array = NDArray[np.float64]
Rigidity = Annotated[float, Quantity(unit="GV", gt=0)]
Smoothness = Annotated[float, Quantity(ge=0, le=10)]

#: a smoother break has no kink on levels of momentum, which stand 0.14 apart in ln R
SHARP = 0.1


@dataclass(frozen=True, kw_only=True)
class InjectionBreak:
    """A break of an injection: q(R) ∝ R^−γ above it.

    Attributes
    ----------
    R : float
        Its rigidity, GV.
    gamma : float
        Slope above it.
    smoothness : float
        s: the slope changes over about s e-folds of R to either side; 0: at once.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    R: Rigidity
    gamma: Annotated[float, Quantity(ge=-10, le=10)]
    smoothness: Smoothness = 0.0


@dataclass(frozen=True, kw_only=True)
class DiffusionBreak:
    """A break of D(R), which has the slope δ above it.

    Attributes
    ----------
    R : float
        Its rigidity, GV.
    delta : float
        Slope above it.
    smoothness : float
        s: the slope changes over about s e-folds of R to either side; 0: at once.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    R: Rigidity
    delta: Annotated[float, Quantity(ge=-5, le=5)]
    smoothness: Smoothness = 0.0


def bend(rigidity: Array, at: float, change: float, smoothness: float) -> Array:
    """ln of what a break adds to a power law whose slope grows by ``change``.

        [1 + (R/R_b)^(1/s)]^(s Δ),    s → 0: max(1, R/R_b)^Δ

    s = ½ is the break of Yuan 2025 (arXiv:2511.06733, Eqs. 3 and 5), s = 0 that of GALPROP.
    """
    over = np.log(rigidity / at)
    # even in s, so that a derivative at s = 0 is the right one
    s = abs(smoothness)
    part = np.maximum(over, 0.0) if s == 0 else s * np.logaddexp(0.0, over / s)
    return np.asarray(change * part)


def risen(rigidity: Array, at: float, smoothness: float) -> Array:
    """Part of the change of slope that has happened at R: d ln bend/d ln R over Δ."""
    over = np.log(rigidity / at)
    s = abs(smoothness)
    return np.heaviside(over, 0.5) if s == 0 else np.asarray((1 + np.tanh(over / (2 * s))) / 2)


def check_order(places: Sequence[tuple[str, float]]) -> None:
    """Refuse breaks that do not follow each other in rigidity.

    Raises
    ------
    ValueError
        Naming the two keys.
    """
    for (before, low), (after, high) in pairwise(places):
        if not high > low:
            raise ValueError(
                f"{after} = {high:g} GV does not lie above {before} = {low:g} GV: "
                "breaks stand in the order of their rigidities"
            )
