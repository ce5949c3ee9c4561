"""What a deck draws beside its result, and compares with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from crtransport.measurements.anisotropy import Anisotropy, read_anisotropy
from crtransport.units import Quantity


@dataclass(frozen=True, kw_only=True)
class Compare:
    """What is drawn beside the result.

    Attributes
    ----------
    measurements : tuple of str
        Names of measured tables, "AMS-02_H_rigidity"; drawn where a data folder is given.
    anisotropy : tuple of str
        Files of measured dipoles, drawn: columns energy (of a particle, GeV), amplitude,
        amplitude_error, phase (right ascension, deg), phase_error.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    measurements: tuple[str, ...] = ()
    anisotropy: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.dipoles()  # refuses a wrong one

    def dipoles(self) -> list[Anisotropy]:
        """The tables of ``anisotropy``."""
        return [read_anisotropy(path) for path in self.anisotropy]


@dataclass(frozen=True, kw_only=True)
class CompareGalaxy(Compare):
    """What is drawn beside the result, and how far from it the result is.

    Attributes
    ----------
    measurements : tuple of str
        Names of measured fluxes and ratios, "AMS-02_B_C_rigidity", "voyager1_B_2016"; drawn, and
        χ² told, where a data folder is given.
    anisotropy : tuple of str
        Files of measured dipoles, drawn beside those of local sources and background: columns
        energy (of a particle, GeV), amplitude, amplitude_error, phase (right ascension, deg),
        phase_error.
    R_min : float
        Rigidity, GV, from which on χ² counts what is measured at the Earth: below, one force field
        does not describe the modulation well. Of a table over energy, the rigidity is that of the
        main isotope, of a ratio's numerator. What is measured beyond the heliosphere counts in
        full.
    fit_norms : bool
        Whether the abundances of the sources, per element, are fitted to the measured fluxes at the
        Earth by least squares, in place of the deck's, which may be relative: elements that are
        not measured take the median of the factors. Needs a data folder.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    R_min: Annotated[float, Quantity(unit="GV", ge=0)] = 2.0
    fit_norms: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.fit_norms and not self.measurements:
            raise ValueError("fit_norms needs measured fluxes: name tables under measurements")
