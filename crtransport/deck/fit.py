"""The table [fit] of a deck: which keys are fitted to which measurements, and how."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import chain
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Discriminator

from crtransport.fits.treatments import Correlated, Given, Quadrature
from crtransport.units import Count, Quantity

Place = Annotated[float, Quantity(gt=0)]
Share = Annotated[float, Quantity(ge=0, le=1)]
AnySystematics = Annotated[Quadrature | Correlated | Given, Discriminator("kind")]

#: the key whose value may differ from epoch to epoch
POTENTIAL = "modulation.phi"


@dataclass(frozen=True, kw_only=True)
class FitParameter:
    """One key of the deck that is fitted.

    Attributes
    ----------
    key : str
        Dotted, as ``--set`` takes it: "diffusion.D0", "source.0.abundances.O".
    also : tuple of str
        Other keys that take the same value: the factors on several cross sections.
    name : str
        What it is called; the last part of the key if left out.
    epoch : str
        Of "modulation.phi": the potential is that of the data of this epoch only.
    start : number or str
        Where the fit begins, as the key takes it.
    lower, upper : number or str
        Bounds.
    scale : str
        "log": its logarithm is what moves; "linear".
    prior : tuple
        Mean and 1σ of a Gaussian prior, as the key takes them: a nuisance.
    published : number or str
        A value to compare with.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    key: str
    also: tuple[str, ...] = ()
    name: str = ""
    epoch: str = ""
    start: Any
    lower: Any
    upper: Any
    scale: Literal["linear", "log"] = "linear"
    prior: tuple[Any, ...] = ()
    published: Any = None

    def __post_init__(self) -> None:
        if len(self.prior) not in (0, 2):
            raise ValueError(f"{self.label}: prior needs a mean and its 1σ")
        if self.epoch and self.key != POTENTIAL:
            raise ValueError(f'{self.label}: epoch goes with key = "{POTENTIAL}" only')

    @property
    def label(self) -> str:
        """Its name, or what stands in its place."""
        epoch = f".{self.epoch}" if self.epoch else ""
        return self.name or self.key.rpartition(".")[2] + epoch


@dataclass(frozen=True, kw_only=True)
class FitData:
    """A measured table that is fitted to, and how its errors count.

    Attributes
    ----------
    table : str
        Name in the data folder, "AMS-02_B_C_rigidity".
    x_min, x_max : float
        Points between these count, in the unit of the table's x; left out, all on that side.
    systematics
        How its systematic errors count: ``kind = "quadrature"``, as if they were statistical,
        "correlated" over a ``length`` in decades, or "covariance" of a ``file``.
    norm_error, energy_error : float
        Relative 1σ of the norm and of the energy scale, fitted along and shared by ``group``; 0:
        exact.
    group : str
        What shares norm and energy scale; the experiment if left out.
    epoch : str
        Whose modulation potential it has; that of the deck if left out.
    bins : bool
        Whether the prediction is averaged over the bins of the table, where these are known.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    table: str
    x_min: Place | None = None
    x_max: Place | None = None
    systematics: AnySystematics = field(default_factory=Quadrature)
    norm_error: Share = 0.0
    energy_error: Share = 0.0
    group: str = ""
    epoch: str = ""
    bins: bool = True

    @property
    def span(self) -> tuple[float, float]:
        """x_min and x_max."""
        return self.x_min or 0.0, np.inf if self.x_max is None else self.x_max


@dataclass(frozen=True, kw_only=True)
class EnsembleSampler:
    """Two ensembles of walkers around the best fit (emcee).

    Attributes
    ----------
    kind : str
        "emcee".
    steps : int
        Of each walker; the first third is burnt in.
    walkers : int
        In each ensemble; four for each parameter if left out.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    kind: Literal["emcee"] = "emcee"
    steps: Annotated[int, Count(ge=10, le=10**7)] = 1000
    walkers: Annotated[int, Count(ge=4, le=10**5)] | None = None


@dataclass(frozen=True, kw_only=True)
class NestedSampler:
    """Two runs of nested sampling between the bounds (dynesty).

    Attributes
    ----------
    kind : str
        "dynesty".
    live : int
        Points that shrink upon the maximum.
    tolerance : float
        A run ends where what is left adds less to ln of the evidence.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    kind: Literal["dynesty"]
    live: Annotated[int, Count(ge=10, le=10**6)] = 400
    tolerance: Annotated[float, Quantity(gt=0, le=10)] = 0.05


AnySampler = Annotated[EnsembleSampler | NestedSampler, Discriminator("kind")]


@dataclass(frozen=True, kw_only=True)
class FitTable:
    """Keys of the deck fitted to measurements: the minimum of −2 ln L, and samples around it.

    Attributes
    ----------
    parameter : tuple of FitParameter
        What is fitted.
    data : tuple of FitData
        What it is fitted to.
    gradient : bool
        Whether the adjoint gives the derivatives, where the model has one; else differences do.
    starts : int
        How many times the fit begins: first at the starts, then at random between the bounds.
    minos : tuple of str
        Names of parameters whose asymmetric errors are wanted.
    contours : tuple of (str, str)
        Pairs of names around which the 68 % contour is followed; ellipses are drawn for all.
    sampler
        ``kind = "emcee"`` or "dynesty": samples of the posterior; none if left out.
    seed : int
        Of all random numbers.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    parameter: tuple[FitParameter, ...]
    data: tuple[FitData, ...]
    gradient: bool = True
    starts: Annotated[int, Count(ge=1, le=1000)] = 1
    minos: tuple[str, ...] = ()
    contours: tuple[tuple[str, str], ...] = ()
    sampler: AnySampler | None = None
    seed: Annotated[int, Count(ge=0, le=2**32 - 1)] = 1

    def __post_init__(self) -> None:
        if not self.parameter:
            raise ValueError("parameter is empty: give at least one [[fit.parameter]]")
        if not self.data:
            raise ValueError("data is empty: give at least one [[fit.data]]")
        for what, some in (
            ("parameter", [one.label for one in self.parameter]),
            ("data", [one.table for one in self.data]),
        ):
            double = next((name for name in some if some.count(name) > 1), None)
            if double is not None:
                raise ValueError(f"{what}: {double} is there twice")
        names = [one.label for one in self.parameter]
        for name in chain(self.minos, *self.contours):
            if name not in names:
                raise ValueError(f"{name} is no parameter of the fit ({', '.join(names)})")
        epochs = {one.epoch for one in self.data}
        for one in self.parameter:
            if one.epoch and one.epoch not in epochs:
                raise ValueError(f'{one.label}: no data are of the epoch "{one.epoch}"')
