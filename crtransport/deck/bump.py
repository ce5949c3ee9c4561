"""The deck of model = "bump": measurements, the numbers of the formula, what is predicted."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Literal

from crtransport.deck.fitted import (
    FittedNumber,
    FittedRigidity,
    FittedTable,
    Volts,
    check_tables,
)
from crtransport.deck.scan import Scan
from crtransport.physics.bump import Candidate, ShockRelation, Smearing
from crtransport.units import Count, Quantity


@dataclass(frozen=True, kw_only=True)
class BumpNumbers:
    """The numbers of the formula. The norm of the background is always fitted.

    Attributes
    ----------
    gamma
        γ of the background.
    K
        Excess over the background far above R₀.
    R0
        R₀.
    R_L
        Of the losses, where ``losses`` is true; without them, only for their profile.
    a
        The exponent 2 − q of a turbulence spectrum k^−q: ½ for Iroshnikov-Kraichnan, ⅓ for
        Kolmogorov, 1 for Bohm.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    gamma: FittedNumber = field(
        default_factory=lambda: FittedNumber(start=2.85, lower=2.0, upper=4.0, fixed=True)
    )
    K: FittedNumber = field(default_factory=lambda: FittedNumber(start=2.4, lower=0.01, upper=1e3))
    R0: FittedRigidity = field(
        default_factory=lambda: FittedRigidity(start=4400.0, lower=10.0, upper=1e8)
    )
    R_L: FittedRigidity = field(
        default_factory=lambda: FittedRigidity(start=2e5, lower=1e2, upper=1e9)
    )
    a: FittedNumber = field(
        default_factory=lambda: FittedNumber(start=0.5, lower=0.05, upper=2.0, fixed=True)
    )


@dataclass(frozen=True, kw_only=True)
class BumpProfile:
    """χ² against a, everything else fitted: γ fixed and free, without losses and with them.

    Each of the four variants is told twice: with the errors as the data tables have it, and with
    systematic errors that neighbours share. The numbers of each variant at the deck's a are told
    as well.

    Attributes
    ----------
    a : tuple of float
        At which a; none: no profile, and no variants.
    correlation_length : float
        Of the systematic errors in the second case, decades of each table's axis.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    a: tuple[Annotated[float, Quantity(ge=0.05, le=2)], ...] = ()
    correlation_length: Annotated[float, Quantity(gt=0, le=1e3)] = 1.0

    def __post_init__(self) -> None:
        if len(set(self.a)) < len(self.a):
            raise ValueError("a has a value twice")


@dataclass(frozen=True, kw_only=True)
class BumpPrediction:
    """Other elements, with nothing free: the shock is that of the fit.

    Attributes
    ----------
    tables : tuple of str
        Measured fluxes and ratios to predict. The first flux of an element tells its background.
    R_min, R_max : float
        Between these rigidities A and γ of an element's background are fitted, GV.
    R_end : float
        χ² counts points from R_max to this rigidity, GV.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    tables: tuple[str, ...] = ()
    R_min: Volts = 60.0
    R_max: Volts = 200.0
    R_end: Volts = 6e4

    def __post_init__(self) -> None:
        if self.tables:
            check_tables(self.tables, "tables")
        if not self.R_min < self.R_max < self.R_end:
            raise ValueError("must be R_min < R_max < R_end")


@dataclass(frozen=True, kw_only=True)
class Wake:
    """Where along the tube, between the shock and the Sun, spectra are told.

    Attributes
    ----------
    places : tuple of float
        Distances from the shock over that of the Sun: 0 at the shock, 1 at the Sun; none: no
        spectra. R₀ goes with the distance to the power 1/a, R_L with its power −2.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    places: tuple[Annotated[float, Quantity(ge=0, le=100)], ...] = ()

    def __post_init__(self) -> None:
        if list(self.places) != sorted(set(self.places)):
            raise ValueError("places must be in increasing order, each once")


@dataclass(frozen=True, kw_only=True)
class SpectrumOutput:
    """At which rigidities fluxes are told.

    Attributes
    ----------
    R_min, R_max : float
        GV.
    per_decade : int
        Points per decade.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    R_min: Volts = 30.0
    R_max: Volts = 2e5
    per_decade: Annotated[int, Count(ge=2, le=1000)] = 20

    def __post_init__(self) -> None:
        if self.R_max <= self.R_min:
            raise ValueError(f"R_max = {self.R_max:g} GV is not above R_min = {self.R_min:g}")


@dataclass(frozen=True, kw_only=True)
class BumpDeck:
    """The bump of one element fitted, those of others predicted (Malkov et al. 2023, Eq. 1).

        f(R) = A R^−γ {1 + K exp[−(R₀/R)^a − √(R/R_L)]},   K = (γ + 2)/(q_s − γ)

    with q_s = (r + 2)/(r − 1) of a shock with compression r = 4M²/(M² + 3). Needs a data folder.

    Attributes
    ----------
    model : str
        "bump".
    title : str
        One line, for lists and figures.
    losses : bool
        Whether √(R/R_L) is in the formula.
    residuals : str
        "linear": χ² of m − y; "logarithmic": of y ln(m/y), for errors in proportion to the flux.
    data
        Tables that are fitted to, of one element.
    parameters
        Start, bounds and more of each number.
    profile
        χ² against a.
    prediction
        Other elements.
    relation, candidate
        What the fitted R₀ says of the shock: the relation, and shocks to be put into it.
    smearing
        How far away the bump may be made.
    wake
        Spectra at other places of the tube.
    output
        At which rigidities fluxes are told.
    scan : Scan
        The keys that vary, of a deck that is run at many values of them.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    model: Literal["bump"]
    title: str = ""
    losses: bool = False
    residuals: Literal["linear", "logarithmic"] = "linear"
    data: tuple[FittedTable, ...]
    parameters: BumpNumbers = field(default_factory=BumpNumbers)
    profile: BumpProfile = field(default_factory=BumpProfile)
    prediction: BumpPrediction = field(default_factory=BumpPrediction)
    relation: ShockRelation = field(default_factory=ShockRelation)
    candidate: tuple[Candidate, ...] = ()
    smearing: Smearing = field(default_factory=Smearing)
    wake: Wake = field(default_factory=Wake)
    output: SpectrumOutput = field(default_factory=SpectrumOutput)
    scan: Scan | None = None

    def __post_init__(self) -> None:
        check_tables([one.table for one in self.data], "data")
        for one in self.data:
            if one.table in self.prediction.tables:
                raise ValueError(f"{one.table} is fitted to, and cannot be predicted as well")
        names = [one.name for one in self.candidate]
        if len(set(names)) < len(names):
            raise ValueError("two candidates have one name")
