"""The deck of model = "components": measurements of some elements, and components with cutoffs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

from crtransport.deck.bump import SpectrumOutput
from crtransport.deck.fitted import FittedNumber, FittedRigidity, FittedTable, check_tables
from crtransport.deck.scan import Scan
from crtransport.units import Count


@dataclass(frozen=True, kw_only=True)
class Component:
    """A power law with a cutoff, N R^−α exp(−R/R_c), for each element.

    Attributes
    ----------
    name : str
        What it goes by in the results.
    alpha
        α of the first element of the deck's data.
    R_c
        Cutoff, which all elements share.
    difference
        Element -> α of it less that of the first, for each of the others.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    name: str
    alpha: FittedNumber
    R_c: FittedRigidity
    difference: dict[str, FittedNumber] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ComponentsDeck:
    """Spectra of elements as sums of power laws with cutoffs (Yuan 2025, Eq. 1).

        φ = Σ_j N_j R^−α_j exp(−R/R_c,j)

    Norms are fitted for each element, at least 0; no transport. Needs a data folder.

    Attributes
    ----------
    model : str
        "components".
    title : str
        One line, for lists and figures.
    residuals : str
        "linear": χ² of m − y; "logarithmic": of y ln(m/y), for errors in proportion to the flux.
    data
        Tables that are fitted to: fluxes of elements, the element of the first being the first.
    component
        One table for each.
    starts : int
        From how many places the fit begins: the first as the deck has it, the others at random
        within the bounds, against local minima.
    seed : int
        Of these.
    output
        At which rigidities fluxes are told.
    scan : Scan
        The keys that vary, of a deck that is run at many values of them.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    model: Literal["components"]
    title: str = ""
    residuals: Literal["linear", "logarithmic"] = "linear"
    data: tuple[FittedTable, ...]
    component: tuple[Component, ...]
    starts: Annotated[int, Count(ge=1, le=10_000)] = 20
    seed: Annotated[int, Count(ge=0, le=2**32 - 1)] = 1
    output: SpectrumOutput = field(default_factory=lambda: SpectrumOutput(R_min=30.0, R_max=1e8))
    scan: Scan | None = None

    def __post_init__(self) -> None:
        check_tables([one.table for one in self.data], "data")
        if not self.component:
            raise ValueError("component is missing: give at least one table [[component]]")
        names = [one.name for one in self.component]
        if len(set(names)) < len(names):
            raise ValueError("two components have one name")
        elements = [sorted(one.difference) for one in self.component]
        if any(other != elements[0] for other in elements):
            raise ValueError("difference needs the same elements in each component")
