"""The table [scan] of a deck: which keys take which values, and what is kept of each run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

from crtransport.units import Count

#: points of one scan: their store and their dataset stay of a size that a laptop can hold
MOST_POINTS = 1_000_000
#: how headlines and figures call χ² of all tables together
CHI2 = "χ²"


@dataclass(frozen=True, kw_only=True)
class ScanParameter:
    """One key of the deck, and the values that it takes.

    Attributes
    ----------
    key : str
        Dotted, as ``--set`` takes it: "diffusion.D0", "source.0.injection.gamma2".
    values : tuple
        The values, each as the key takes it, 2 or "2 kpc"; or else a range:
    min, max : number or str
        Its ends, as the key takes them.
    number : int
        How many values a grid has between the ends, both counted. A sample has none.
    spacing : str
        "linear" or "log", of the grid or of the density of the sample.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    key: str
    values: tuple[Any, ...] = ()
    min: Any = None
    max: Any = None
    number: Annotated[int, Count(ge=2, le=MOST_POINTS)] | None = None
    spacing: Literal["linear", "log"] = "linear"

    def __post_init__(self) -> None:
        ends = (self.min is not None) + (self.max is not None)
        if bool(self.values) == bool(ends) or ends == 1:
            raise ValueError(f"{self.key} needs either values, at least one, or min and max")
        if self.values and self.number is not None:
            raise ValueError(f"{self.key}: number goes with min and max, not with values")
        if self.values and self.spacing != "linear":
            raise ValueError(f"{self.key}: spacing goes with min and max, not with values")


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Points that fill the ranges of all parameters, in place of a grid.

    Attributes
    ----------
    kind : str
        "latin-hypercube" (McKay, Beckman & Conover 1979, Technometrics 21, 239) or "sobol"
        (scrambled; Owen 1998, J. Complexity 14, 466).
    number : int
        Of points; for "sobol" a power of two, with which the sequence is balanced.
    seed : int
        Of the random numbers.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    kind: Literal["latin-hypercube", "sobol"] = "latin-hypercube"
    number: Annotated[int, Count(ge=1, le=MOST_POINTS)]
    seed: Annotated[int, Count(ge=0, le=2**32 - 1)] = 1

    def __post_init__(self) -> None:
        if self.kind == "sobol" and self.number & (self.number - 1):
            below = 2 ** (self.number.bit_length() - 1)
            raise ValueError(
                f'number = {self.number}: kind = "sobol" needs a power of two, such as '
                f"{below} or {2 * below}"
            )


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A number of each point that is told at the end, and drawn where there is no χ².

    Attributes
    ----------
    variable : str
        One that is kept.
    at : table
        Where along its dimensions: {ratio_name = "B/C", kinetic_energy = 10.0}; numbers mean the
        nearest coordinate. Left out: the first name, and the middle of an axis of numbers.
    label : str
        How it is called in figures; the variable and its place by default.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    variable: str
    at: dict[str, int | float | str] = field(default_factory=dict)
    label: str = ""


@dataclass(frozen=True, kw_only=True)
class Scan:
    """The deck run at many values of some of its keys: all combinations of a grid, or a sample.

    Attributes
    ----------
    parameter : tuple of ScanParameter
        The keys that vary.
    sample : Sample
        Points at random in place of the grid; each parameter then has min and max.
    keep : tuple of str
        Variables of the output that are kept of each point. Left out: those of at most 1000
        numbers. χ² is kept in any case where the deck compares.
    show : tuple of Shown
        The headline; the first variable that is kept, if left out.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    parameter: tuple[ScanParameter, ...]
    sample: Sample | None = None
    keep: tuple[str, ...] = ()
    show: tuple[Shown, ...] = ()

    def __post_init__(self) -> None:
        if not self.parameter:
            raise ValueError("parameter is empty: give at least one [[scan.parameter]]")
        if len(set(self.keep)) < len(self.keep):
            raise ValueError("keep names a variable twice")
        for shown in self.show:
            if self.keep and shown.variable not in self.keep:
                raise ValueError(f'show: "{shown.variable}" is not among those that keep names')
