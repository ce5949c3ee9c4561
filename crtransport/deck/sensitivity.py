"""The table [sensitivity] of a galaxy: what its answers change with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, ClassVar

from crtransport.deck.galaxy_solver import Energy

#: tables whose numbers interstellar fluxes depend on smoothly
SMOOTH = (
    "convection",
    "diffusion",
    "gas",
    "geometry",
    "losses",
    "normalisation",
    "nuclear",
    "reacceleration",
    "source",
)


@dataclass(frozen=True, kw_only=True)
class Sensitivity:
    """Derivatives ∂ln J/∂ln θ of fluxes and ratios at the Sun by numbers of the deck.

    Interstellar ones, by the adjoint of the whole network: what a change of θ by one per cent
    changes, in per cent.

    Attributes
    ----------
    of : tuple of str
        Elements, "B", nuclides, "10Be", or ratios, as in output.ratios. None: nothing is done.
    at : tuple of float
        Kinetic energies, GeV/n.
    by : tuple of str
        Dotted keys of numbers other than 0: "diffusion.D0", "source.0.injection.gamma2".
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    of: tuple[str, ...]
    at: tuple[Energy, ...] = (1.0, 10.0, 100.0)
    by: tuple[str, ...]

    def __post_init__(self) -> None:
        for key in ("of", "at", "by"):
            if not getattr(self, key) and key != "of":
                raise ValueError(f"{key} is empty")
            if len(set(getattr(self, key))) < len(getattr(self, key)):
                raise ValueError(f"{key} names one twice")


def number_at(deck: Any, key: str) -> float:
    """The number at a dotted key, by which fluxes have derivatives.

    Raises
    ------
    ValueError
        If there is none.
    """
    if key.partition(".")[0] not in SMOOTH:
        raise ValueError(f"{key}: fluxes have derivatives by numbers of {', '.join(SMOOTH)} only")
    place = deck
    for step in key.split("."):
        if isinstance(place, list | tuple) and step.isdigit() and int(step) < len(place):
            place = place[int(step)]
        elif isinstance(place, Mapping) and step in place:
            place = place[step]
        elif is_dataclass(place) and step in {field.name for field in fields(place)}:
            place = getattr(place, step)
        else:
            raise ValueError(f"{key}: the deck has nothing there")
    if isinstance(place, bool) or not isinstance(place, int | float):
        raise ValueError(f"{key} = {place!r} is no number to be differentiated by")
    return float(place)
