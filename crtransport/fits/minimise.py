"""Minima of an objective by iminuit (MIGRAD, HESSE, MINOS; James & Roos 1975, CPC 10, 343)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crtransport.fits.likelihood import Objective
from crtransport.fits.parameters import FitError, Parameter, needed

Array = NDArray[np.float64]

#: of a bound, in units of the error, within which a parameter lies at it
_AT_BOUND = 0.01
#: factor on the tolerance of a first approach
_ROUGH = 1e4
_STRATEGIES = {"fast": 0, "normal": 1, "careful": 2}


@dataclass(frozen=True, kw_only=True)
class Fit:
    """Where an objective is least, and how well that is known: k parameters.

    Attributes
    ----------
    parameters : tuple of Parameter
    values, errors : array (k,)
        Of the parameters, with 1σ from the second derivatives.
    lower, upper : array (k,)
        How far down and up −2 ln L rises by 1, the others following (MINOS); NaN where that was
        not asked for, or not found.
    covariance : array (k, k)
        Of the values; of log-scaled ones to first order.
    chi2 : float
        −2 ln(L × priors).
    evaluations, gradients : int
        Of the objective, for all this.
    problems : tuple of str
        What went wrong, in words; empty if nothing did.
    at_bounds : mapping
        Those of them that say that a parameter, or its error, ends at a bound, by its name.
    """

    parameters: tuple[Parameter, ...]
    values: Array
    errors: Array
    lower: Array
    upper: Array
    covariance: Array
    chi2: float
    evaluations: int
    gradients: int
    problems: tuple[str, ...]
    at_bounds: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """Of the parameters."""
        return tuple(one.name for one in self.parameters)

    @property
    def best(self) -> dict[str, float]:
        """Name -> value."""
        return {name: float(value) for name, value in zip(self.names, self.values, strict=True)}

    @property
    def correlation(self) -> Array:
        """[parameter, parameter]."""
        sigma = np.sqrt(np.diag(self.covariance))
        return np.asarray(self.covariance / np.outer(sigma, sigma))

    @property
    def valid(self) -> bool:
        """Whether nothing went wrong."""
        return not self.problems

    @property
    def converged(self) -> bool:
        """Whether nothing went wrong but that bounds are met."""
        return set(self.problems) <= set(self.at_bounds.values())


def minimise(
    objective: Objective,
    *,
    starts: int = 1,
    seed: int = 0,
    minos: Sequence[str] = (),
    strategy: str = "normal",
    tolerance: float = 0.1,
) -> Fit:
    """The minimum of an objective.

    Parameters
    ----------
    objective : Objective
    starts : int
        How many times to begin: first at the starts of the parameters, then at random between
        their bounds (those without stay where they start). The least minimum counts.
    seed : int
        Of the random starts.
    minos : sequence of str
        Parameters whose asymmetric errors are wanted.
    strategy : str
        "fast", "normal" or "careful": how much MIGRAD spends on derivatives.
    tolerance : float
        MIGRAD stops within 0.002 × this of the minimum, as it estimates.

    Returns
    -------
    Fit
        With its ``problems``; only what makes a fit impossible raises.

    Raises
    ------
    FitError
        If iminuit is not installed, or the objective is not finite somewhere.
    """
    before = objective.evaluations, objective.gradients
    found = []
    for start in _starts(objective.parameters, starts, seed):
        found.append(_minimum(objective, start, strategy, tolerance))
    best = min(found, key=lambda m: (not m.valid, m.fval))
    best.hesse()
    problems, at_bounds = _problems(best), _at_bounds(best, objective.parameters)
    lower, upper = np.full((2, len(objective.parameters)), np.nan)
    for name in minos:
        place = _place(objective.parameters, name)
        problem, bound = _minos(best, place, objective.parameters[place], (lower, upper))
        problems += [problem] if problem else []
        if bound:
            at_bounds.setdefault(name, bound)
    return _fit(objective, best, (lower, upper), before, (problems, at_bounds))


def _minimum(objective: Objective, start: Array, strategy: str, tolerance: float) -> Any:
    """MIGRAD; with second derivatives only near the minimum, as far away they lead astray."""
    if objective.has_hessian:
        first = prepared(objective, start, "fast", _ROUGH * tolerance, hessian=False)
        first.migrad(iterate=1, use_simplex=False)
        start = np.array(first.values)
    one = prepared(objective, start, strategy, tolerance)
    one.migrad()
    return one


def prepared(
    objective: Objective,
    start: Array,
    strategy: str = "normal",
    tolerance: float = 0.1,
    hessian: bool = True,
) -> Any:
    """An ``iminuit.Minuit`` over the coordinates, ready to go."""
    iminuit = needed("iminuit")
    names = [one.name for one in objective.parameters]
    gradient = objective.gradient if objective.has_gradient else None
    second = objective.hessian if objective.has_hessian and hessian else None
    minuit = iminuit.Minuit(objective, start, grad=gradient, hessian=second, name=names)
    minuit.errordef = iminuit.Minuit.LEAST_SQUARES
    minuit.strategy = _STRATEGIES[strategy]
    minuit.tol = tolerance
    minuit.limits = [one.limits for one in objective.parameters]
    minuit.errors = [one.step for one in objective.parameters]
    return minuit


def _starts(parameters: Sequence[Parameter], count: int, seed: int) -> list[Array]:
    first = np.array([one.inside(one.start) for one in parameters])
    random = np.random.default_rng(seed)
    limits = np.array([one.limits for one in parameters])
    bounded = np.all(np.isfinite(limits), axis=1)
    low, high = np.where(bounded[:, None], limits, first[:, None]).T
    return [first, *(random.uniform(low, high) for _ in range(count - 1))]


def _place(parameters: Sequence[Parameter], name: str) -> int:
    names = [one.name for one in parameters]
    if name not in names:
        raise FitError(f"{name} is no parameter of the fit: {', '.join(names)}")
    return names.index(name)


def _problems(minuit: Any) -> list[str]:
    state = minuit.fmin
    found = []
    if state.has_reached_call_limit:
        found.append(f"MIGRAD did not converge within {state.nfcn} evaluations")
    elif state.is_above_max_edm:
        found.append(f"MIGRAD did not converge: about {state.edm:.2g} above the minimum")
    elif not minuit.valid:
        found.append("MIGRAD found no valid minimum")
    if state.hesse_failed or not state.has_covariance:
        found.append("HESSE found no second derivatives")
    elif state.has_made_posdef_covar or not state.has_posdef_covar:
        found.append("the second derivatives are not positive: this is no minimum")
    return found


def _at_bounds(minuit: Any, parameters: Sequence[Parameter]) -> dict[str, str]:
    return {
        one.name: f"{one.name} lies at its {side} bound {one.outside(bound):g}"
        for place, one in enumerate(parameters)
        for bound, side in zip(one.limits, ("lower", "upper"), strict=True)
        if _at(minuit, place, bound)
    }


def _at(minuit: Any, place: int, bound: float) -> bool:
    return bool(abs(minuit.values[place] - bound) < _AT_BOUND * minuit.errors[place])


def _minos(minuit: Any, place: int, one: Parameter, ends: tuple[Array, Array]) -> tuple[str, str]:
    """Fill in the distances down and up; what was wrong and which end is a bound, or ""."""
    if not minuit.valid:
        return "", ""
    minuit.minos(one.name)
    found = minuit.merrors[one.name]
    value = one.outside(minuit.values[place])
    if found.lower_new_min or found.upper_new_min:
        return f"MINOS found a lower minimum along {one.name}", ""
    missing, bounds = [], []
    for k, (side, word) in enumerate((("lower", "down"), ("upper", "up"))):
        # where a bound is met, its end may be told as a valid one
        if getattr(found, f"at_{side}_limit") or _at(minuit, place, one.limits[k]):
            end = one.outside(one.limits[k])
            bounds.append(f"{side} bound {end:g}")
        elif getattr(found, f"{side}_valid"):
            end = one.outside(minuit.values[place] + getattr(found, side))
        else:
            missing.append(f"{word}wards")
            continue
        ends[k][place] = abs(end - value)
    why = f"MINOS found no end {' or '.join(missing)} of {one.name}" if missing else ""
    return why, f"the error of {one.name} ends at its {' and '.join(bounds)}" if bounds else ""


def _fit(
    objective: Objective,
    minuit: Any,
    ends: tuple[Array, Array],
    before: tuple[int, int],
    wrong: tuple[list[str], dict[str, str]],
) -> Fit:
    parameters = objective.parameters
    size = len(parameters)
    values = np.array([one.outside(u) for one, u in zip(parameters, minuit.values, strict=True)])
    slopes = np.array([one.slope(value) for one, value in zip(parameters, values, strict=True)])
    inner = np.full((size, size), np.nan)
    if minuit.covariance is not None:
        inner = np.array(minuit.covariance)
    covariance = inner * np.outer(slopes, slopes)
    return Fit(
        parameters=parameters,
        values=values,
        errors=np.sqrt(np.diag(covariance)),
        lower=ends[0],
        upper=ends[1],
        covariance=covariance,
        chi2=float(minuit.fval),
        evaluations=objective.evaluations - before[0],
        gradients=objective.gradients - before[1],
        problems=(*wrong[0], *wrong[1].values()),
        at_bounds=wrong[1],
    )
