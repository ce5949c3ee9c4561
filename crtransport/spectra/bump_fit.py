"""The bump formula fitted to tables of one element: numbers, their errors, χ² against a."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from crtransport.deck.bump import BumpNumbers
from crtransport.deck.fitted import FittedNumber, FittedRigidity
from crtransport.fits import Curve, DataSet, Fit, Likelihood, Objective, Parameter, minimise
from crtransport.fits.likelihood import Values
from crtransport.measurements.axes import on_axis
from crtransport.physics.bump import (
    Bump,
    compression,
    excess,
    index_of_excess,
    mach_number,
    shock_index,
)

Array = NDArray[np.float64]

#: how far the norm may move from where it starts
_NORM_RANGE = 30.0


@dataclass(frozen=True, kw_only=True)
class Variant:
    """Which numbers are free.

    Attributes
    ----------
    numbers : BumpNumbers
    losses : bool
        Whether R_L is finite.
    free : mapping
        Name -> whether it is fitted, where that is not as the deck has it.
    """

    numbers: BumpNumbers
    losses: bool
    free: Mapping[str, bool] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the numbers in the formula, without the norm."""
        return ("gamma", "K", "R0", *(("R_L",) if self.losses else ()), "a")

    @property
    def moving(self) -> tuple[str, ...]:
        """Of those that are fitted."""
        return tuple(
            name for name in self.names if self.free.get(name, not self.number(name).fixed)
        )

    def number(self, name: str) -> FittedNumber | FittedRigidity:
        """What the deck says of one."""
        found = getattr(self.numbers, name)
        assert isinstance(found, FittedNumber | FittedRigidity)
        return found


class BumpFit:
    """χ² of the formula with the numbers of a variant.

    Parameters
    ----------
    sets : sequence of DataSet
        Fluxes of one element.
    variant : Variant
    start : mapping, optional
        Where numbers begin, in place of the deck's.
    mach : bool
        Whether the Mach number M is what moves, in place of K.
    """

    def __init__(
        self,
        sets: Sequence[DataSet],
        variant: Variant,
        start: Values | None = None,
        mach: bool = False,
    ) -> None:
        self.likelihood = Likelihood(sets)
        self.variant = variant
        self.element = sets[0].table.quantity
        self.held = {name: variant.number(name).start for name in variant.names}
        moving = [variant.number(name).parameter(name) for name in variant.moving]
        moving = [self._norm(), *moving, *self.likelihood.nuisances]
        begun = [replace(one, start=(start or {}).get(one.name, one.start)) for one in moving]
        if mach:
            begun = [self._mach(one) if one.name == "K" else one for one in begun]
        # of M there are no derivatives: it is moved once, for its errors
        self.objective = Objective(begun, self.chi2, None if mach else self.gradient)

    def _norm(self) -> Parameter:
        """Of the background, from the ratio of what is measured to the formula of norm 1."""
        curves = self._curves({"A": 1.0})
        ratios = [
            one.table.y[one.some] / one.predicted(curves[one.name]) for one in self.likelihood.data
        ]
        start = float(np.median(np.concatenate(ratios)))
        low, high = start / _NORM_RANGE, start * _NORM_RANGE
        return Parameter(name="A", start=start, lower=low, upper=high, scale="log")

    def _mach(self, excess_: Parameter) -> Parameter:
        """M in place of K, with the bounds that those of K are at the deck's γ."""
        start, lower, upper = (
            float(mach_of(self.held["gamma"], k))
            for k in (excess_.start, excess_.lower, excess_.upper)
        )
        return Parameter(name="M", start=start, lower=lower, upper=upper)

    def bump(self, values: Values) -> Bump:
        """The formula with values for what moves, and for the rest those that are held."""
        known = {name: values.get(name, held) for name, held in self.held.items()}
        if "M" in values:
            known["K"] = float(excess(known["gamma"], shock_index(compression(values["M"]))))
        return Bump(A=values["A"], **known)

    def _curves(self, values: Values) -> dict[str, Curve]:
        fluxes = {self.element: self.bump(values).flux}
        return {one.name: on_axis(one.table, fluxes) for one in self.likelihood.data}

    def chi2(self, values: Values) -> float:
        """Sum over the data sets."""
        return self.likelihood.chi2(self._curves(values), values)

    def gradient(self, values: Values) -> dict[str, float]:
        """∂χ²/∂ each of what moves."""
        bump, curves = self.bump(values), self._curves(values)
        matches = self.likelihood.matches(curves, values)
        slopes = self.likelihood.by_nuisances(matches)
        for name in (one for one in values if one not in slopes):
            fluxes = {self.element: partial(bump.derivative, name)}
            slopes[name] = sum(
                float(
                    np.sum(matches[d.name].weights * on_axis(d.table, fluxes)(matches[d.name].at))
                )
                for d in self.likelihood.data
            )
        return slopes

    def minimum(self) -> Fit:
        """The least χ², with asymmetric errors of all but the scales."""
        scales = [one.name for one in self.likelihood.nuisances]
        names = [one.name for one in self.objective.parameters if one.name not in scales]
        return minimise(self.objective, minos=names)


def mach_of(gamma: float, height: float) -> Array:
    """M of the shock that makes the excess K on a background R^−γ."""
    return mach_number(shock_index(index_of_excess(gamma, height)))
