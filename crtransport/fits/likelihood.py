"""Several data sets with the scales that they share, and the objective that a fit minimises."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from crtransport.fits.dataset import Curve, DataSet, Match
from crtransport.fits.parameters import (
    FitError,
    Parameter,
    Unpredictable,
    as_mapping,
    check_names,
)

Array = NDArray[np.float64]
Values = Mapping[str, float]

#: bounds of norms and energy scales, in σ
_FAR = 5.0


class Likelihood:
    """χ² of data sets, with norms and energy scales shared by what measured them.

    Parameters
    ----------
    data : sequence of DataSet
        Of different names.
    """

    def __init__(self, data: Sequence[DataSet]) -> None:
        self.data = tuple(data)
        if not self.data:
            raise FitError("a fit needs at least one data set")
        names = [one.name for one in self.data]
        for name in names:
            if names.count(name) > 1:
                raise FitError(f"{name} is fitted to twice, and would count twice")
        self.nuisances = tuple(self._shared("norm") + self._shared("energy_scale"))

    def _shared(self, what: str) -> list[Parameter]:
        """``norm.AMS-02`` or ``energy_scale.AMS-02``: relative shifts with their 1σ as prior."""
        found: dict[str, float] = {}
        for one in self.data:
            sigma = one.norm_error if what == "norm" else one.energy_error
            if sigma and found.setdefault(one.scales, sigma) != sigma:
                both = f"{found[one.scales]:g} and {sigma:g}"
                raise FitError(f"{one.name}: {what} of {one.scales} has two errors, {both}")
        return [
            Parameter(
                name=f"{what}.{group}",
                start=0.0,
                lower=max(-_FAR * sigma, -0.9),
                upper=_FAR * sigma,
                prior=(0.0, sigma),
            )
            for group, sigma in found.items()
        ]

    @property
    def points(self) -> int:
        """How many points count, limits included."""
        return sum(int(one.some.sum()) for one in self.data)

    @staticmethod
    def shifts(one: DataSet, values: Values) -> tuple[float, float]:
        """Norm and energy scale of a data set among the values of the nuisances."""
        norm = values[f"norm.{one.scales}"] if one.norm_error else 0.0
        scale = values[f"energy_scale.{one.scales}"] if one.energy_error else 0.0
        return norm, scale

    def matches(self, curves: Mapping[str, Curve], values: Values) -> dict[str, Match]:
        """Of each data set, by name.

        Parameters
        ----------
        curves : mapping
            Name of a data set -> its prediction as a function of x, in its units.
        values : mapping
            At least those of the nuisances.
        """
        return {d.name: d.match(curves[d.name], *self.shifts(d, values)) for d in self.data}

    def chi2(self, curves: Mapping[str, Curve], values: Values) -> float:
        """Sum over the data sets; priors do not count."""
        total = 0.0
        for one in self.data:
            total += one.chi2_of(one.predicted(curves[one.name], *self.shifts(one, values)))[0]
        return total

    def by_nuisances(self, matches: Mapping[str, Match]) -> dict[str, float]:
        """∂χ²/∂ each nuisance."""
        found = {one.name: 0.0 for one in self.nuisances}
        for one in self.data:
            if one.norm_error:
                found[f"norm.{one.scales}"] += matches[one.name].by_norm
            if one.energy_error:
                found[f"energy_scale.{one.scales}"] += matches[one.name].by_scale
        return found


class Objective:
    """−2 ln(L × priors) over the coordinates of the parameters, with its gradient.

    Parameters
    ----------
    parameters : sequence of Parameter
        Nuisances included.
    chi2 : callable
        −2 ln L of the values by name.
    gradient : callable, optional
        Its derivatives by name, of the values by name.
    hessian : callable, optional
        Its second derivatives [parameter, parameter] by the coordinates, of the values by name;
        only with a gradient.

    Attributes
    ----------
    evaluations, gradients : int
        How often each was asked for.
    unanswered : list of str
        Why the model had no answer, each time; a wall of twice the largest χ² stands there.
    """

    def __init__(
        self,
        parameters: Sequence[Parameter],
        chi2: Callable[[Values], float],
        gradient: Callable[[Values], Mapping[str, float]] | None = None,
        hessian: Callable[[Values], Array] | None = None,
    ) -> None:
        check_names(parameters)
        self.parameters = tuple(parameters)
        self._chi2, self._gradient, self._hessian = chi2, gradient, hessian
        self.evaluations = self.gradients = 0
        self.unanswered: list[str] = []
        self._largest = 0.0

    def with_parameters(self, parameters: Sequence[Parameter]) -> Objective:
        """The same function of other starts, bounds or priors."""
        return Objective(parameters, self._chi2, self._gradient)

    @property
    def has_gradient(self) -> bool:
        """Whether the model gives derivatives."""
        return self._gradient is not None

    @property
    def has_hessian(self) -> bool:
        """Whether the model gives second derivatives."""
        return self._hessian is not None

    def values(self, coordinates: Array) -> Values:
        """Name -> value."""
        return as_mapping(self.parameters, coordinates)

    def penalty(self, values: Values) -> float:
        """−2 ln of the priors."""
        return sum(one.penalty(values[one.name]) for one in self.parameters)

    def __call__(self, coordinates: Array) -> float:
        """−2 ln(L × priors).

        Raises
        ------
        FitError
            If it is not finite, or the model has no answer at the first values already.
        """
        self.evaluations += 1
        values = self.values(coordinates)
        try:
            if not np.all(np.isfinite(coordinates)):
                raise Unpredictable("the minimiser asks for what is no number")
            total = self._total(values)
        except Unpredictable as error:
            if not self._largest:
                raise FitError(f"at {_said(values)}: {error}") from None
            self.unanswered.append(f"at {_said(values)}: {error}")
            return 2 * self._largest
        self._largest = max(self._largest, total)
        return total

    def log_probability(self, coordinates: Array) -> float:
        """ln(L × priors); −∞ beyond the bounds, and where the model has no answer.

        It depends on nothing that was asked before.

        Raises
        ------
        FitError
            If χ² is not finite.
        """
        low, high = np.array([one.limits for one in self.parameters]).T
        if np.any((coordinates < low) | (coordinates > high)):
            return -np.inf
        try:
            return -self._total(self.values(coordinates)) / 2
        except Unpredictable:
            return -np.inf

    def _total(self, values: Values) -> float:
        total = self._chi2(values) + self.penalty(values)
        if not np.isfinite(total):
            raise FitError(f"χ² is {total} at {_said(values)}")
        return total

    def gradient(self, coordinates: Array) -> Array:
        """d(−2 ln(L × priors))/d coordinate."""
        assert self._gradient is not None
        self.gradients += 1
        values = self.values(coordinates)
        slopes = self._gradient(values)
        found = []
        for one in self.parameters:
            value = values[one.name]
            slope = slopes[one.name] + one.penalty_slope(value)
            found.append(slope * one.slope(value))
        return np.array(found)

    def hessian(self, coordinates: Array) -> Array:
        """Second derivatives of −2 ln(L × priors) by the coordinates."""
        assert self._hessian is not None
        values = self.values(coordinates)
        found = self._hessian(values).copy()
        for i, one in enumerate(self.parameters):
            if one.prior is not None:
                found[i, i] += 2 * (one.slope(values[one.name]) / one.prior[1]) ** 2
        return found


def _said(values: Values) -> str:
    return ", ".join(f"{name} = {value:.6g}" for name, value in values.items())
