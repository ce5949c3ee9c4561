"""Bumps of other elements, with nothing free: the shock from the fit, their own backgrounds.

    q_s, R₀, R_L, a from the fit;   A_i, γ_i below the bump;   K_i = (γ_i + 2)/(q_s − γ_i)

A steeper element has the larger bump. Errors are of first order: of A_i and γ_i, and of the fit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from crtransport.deck.bump import BumpDeck, BumpPrediction
from crtransport.fits import DataSet, Fit, FitError, Likelihood, Objective, Parameter, minimise
from crtransport.fits.likelihood import Values
from crtransport.measurements import Measurement, MeasurementError
from crtransport.measurements.axes import elements, on_axis
from crtransport.physics.bump import LABELS, Bump, excess, index_of_excess
from crtransport.spectra.tables import span

Array = NDArray[np.float64]

#: relative step for derivatives by the numbers of a bump
_STEP = 1e-4
_LEAST_INDEX = 1.5  # of a background, far beyond that of any element
_SHORT_OF_SHOCK = 0.01


@dataclass(frozen=True, kw_only=True)
class Predicted:
    """An element with its background and its bump.

    Attributes
    ----------
    bump : Bump
    background : Fit
        Of A and γ.
    """

    bump: Bump
    background: Fit


Others = Mapping[str, Predicted]


def require_backgrounds(deck: BumpPrediction, tables: Sequence[Measurement], fitted: str) -> None:
    """See that each element but the fitted one has a flux below the bump.

    Raises
    ------
    MeasurementError
        If one has none, or its points cannot be fitted to.
    """
    for table in tables:
        for element in set(elements(table)) - {fitted}:
            teller = _teller(tables, element)
            if teller is None:
                why = f"needs a flux of {element} among prediction.tables for its background"
                raise MeasurementError(f"{table.name} {why}")
            _background_set(deck, teller)


def _teller(tables: Sequence[Measurement], element: str) -> Measurement | None:
    return next((t for t in tables if t.is_flux and t.quantity == element), None)


def _background_set(deck: BumpPrediction, table: Measurement, logarithmic: bool = False) -> DataSet:
    low, high = span(table, deck.R_min, deck.R_max)
    try:
        one = DataSet(table=table, logarithmic=logarithmic, x_min=low, x_max=high)
    except FitError as error:
        raise MeasurementError(str(error)) from None
    if (count := int(one.some.sum())) < 3:
        why = f"{count} points from {deck.R_min:g} to {deck.R_max:g} GV; a background needs 3"
        raise MeasurementError(f"{table.name} has {why}")
    return one


def predictions(deck: BumpDeck, tables: Sequence[Measurement], fitted: Bump) -> Others:
    """Each element of which a flux is among the tables, by the first of these."""
    found: dict[str, Predicted] = {}
    for table in tables:
        if table.is_flux and table.quantity not in found:
            one = _background_set(deck.prediction, table, deck.residuals == "logarithmic")
            found[table.quantity] = _predicted(one, fitted)
    return found


def _predicted(one: DataSet, fitted: Bump) -> Predicted:
    element = one.table.quantity

    def bump(values: Values) -> Bump:
        return of_background(fitted, values["A"], values["gamma"])

    def chi2(values: Values) -> float:
        curve = on_axis(one.table, {element: bump(values).flux})
        return Likelihood([one]).chi2({one.name: curve}, values)

    # of norm 1 at the pivot with the fitted γ
    unit = on_axis(one.table, {element: replace(fitted, A=1.0).flux})
    start = float(np.median(one.table.y[one.some] / one.predicted(unit)))
    norm = Parameter(name="A", start=start, lower=start / 100, upper=start * 100, scale="log")
    # as steep as what the shock makes, a background would have a bump without end
    steepest = float(index_of_excess(fitted.gamma, fitted.K)) - _SHORT_OF_SHOCK
    index = Parameter(name="gamma", start=fitted.gamma, lower=_LEAST_INDEX, upper=steepest)
    fit = minimise(Objective((norm, index), chi2))
    return Predicted(bump=bump(fit.best), background=fit)


def of_background(fitted: Bump, norm: float, gamma: float) -> Bump:
    """The bump that the same shock makes on another background."""
    height = excess(gamma, index_of_excess(fitted.gamma, fitted.K))
    return replace(fitted, A=norm, gamma=gamma, K=float(height))


@dataclass(frozen=True, kw_only=True)
class Spread:
    """How well a predicted flux is known, at n rigidities.

    Attributes
    ----------
    own : array (n, n)
        Covariance of ln f from A and γ of its own background.
    shock : array (k, n)
        Derivatives of ln f by the numbers of the fit, which all elements share.
    """

    own: Array
    shock: Array


def spread_of(one: Predicted, fitted: Bump, fit: Fit, rigidity: Array) -> Spread:
    """Of a predicted element at R in GV."""
    own = one.background.best

    def log_flux(shock: Bump, values: Values) -> Array:
        return np.log(of_background(shock, values["A"], values["gamma"]).flux(rigidity))

    by_own = _slopes(lambda values: log_flux(fitted, values), own)
    shared = {name: fit.best[name] for name in _of_formula(fit)}
    by_shock = _slopes(lambda values: log_flux(replace(fitted, **values), own), shared)
    return Spread(own=by_own.T @ one.background.covariance @ by_own, shock=by_shock)


def spread_of_fitted(bump: Bump, fit: Fit, rigidity: Array) -> Spread:
    """Of the fitted element at R in GV: all that is known of it comes from the fit."""
    slopes = [bump.derivative(name, rigidity) / bump.flux(rigidity) for name in _of_formula(fit)]
    return Spread(own=np.zeros((rigidity.size, rigidity.size)), shock=np.array(slopes))


def _of_formula(fit: Fit) -> list[str]:
    return [name for name in fit.names if name in LABELS]


def relative_covariance(fit: Fit, above: Spread, below: Spread | None = None) -> Array:
    """(n, n) covariance of ln f, or of ln of the ratio of two, which share the shock."""
    places = [fit.names.index(name) for name in _of_formula(fit)]
    covariance = fit.covariance[np.ix_(places, places)]
    slopes = above.shock if below is None else above.shock - below.shock
    own = above.own + (0 if below is None else below.own)
    return np.asarray(own + slopes.T @ covariance @ slopes)


def relative_error(fit: Fit, above: Spread, below: Spread | None = None) -> Array:
    """(n,) 1σ of the same."""
    return np.sqrt(np.diag(relative_covariance(fit, above, below)))


def _slopes(function: Callable[[Values], Array], at: Values) -> Array:
    """[name, x] central differences by each of the values."""
    found = []
    for name, value in at.items():
        step = _STEP * abs(value)
        up, down = (function({**at, name: value + s}) for s in (step, -step))
        found.append((up - down) / (2 * step))
    return np.array(found)
