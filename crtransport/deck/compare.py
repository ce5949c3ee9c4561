"""What a deck draws beside its result, and compares with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from crtransport.units import Quantity


@dataclass(frozen=True, kw_only=True)
class Compare:
    """What is drawn beside the result.

    Attributes
    ----------
    measurements : tuple of str
        Names of measured tables, "AMS-02_H_rigidity"; drawn where a data folder is given.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    measurements: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class CompareGalaxy:
    """What is drawn beside the result, and how far from it the result is.

    Attributes
    ----------
    measurements : tuple of str
        Names of measured fluxes and ratios, "AMS-02_B_C_rigidity", "voyager1_B_2016"; drawn, and
        χ² told, where a data folder is given.
    R_min : float
        Rigidity, GV, from which on χ² counts what is measured at the Earth: below, one force field
        does not describe the modulation well. Of a table over energy, the rigidity is that of the
        main isotope, of a ratio's numerator. What is measured beyond the heliosphere counts in
        full.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    measurements: tuple[str, ...] = ()
    R_min: Annotated[float, Quantity(unit="GV", ge=0)] = 2.0
