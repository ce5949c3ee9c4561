"""A deck and its measurements as an objective: parameters in, −2 ln L and derivatives out."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crtransport.deck.errors import DeckError
from crtransport.deck.fit import POTENTIAL, FitTable
from crtransport.deck.fit_keys import Free, free
from crtransport.deck.load import load_deck
from crtransport.deck.schema import DECKS, Deck, resolve
from crtransport.fits import (
    Curve,
    DataSet,
    FitError,
    Likelihood,
    Match,
    Objective,
    Unpredictable,
)
from crtransport.fits.parameters import needed
from crtransport.measurements import Measurement, MeasurementError, folders, load_fluxes_and_ratios
from crtransport.problems.galaxy_prediction import Weighed
from crtransport.problems.threads import processors
from crtransport.solvers.errors import ConvergenceError, SingularOperatorError

Array = NDArray[np.float64]
Values = Mapping[str, float]

#: model -> module with ``Prediction``, ``check`` and ``why_no_gradient``
PREDICTIONS = {
    "galaxy": "crtransport.problems.galaxy_prediction",
    "burst": "crtransport.problems.burst_prediction",
}
#: MV; for the derivative by a potential
_STEP = 0.5
#: of the first steps of parameters; for second derivatives
_SMALL = 0.02
#: of the largest scale of an energy axis that predictions must reach, in σ
_FAR = 5.0


class FittedDeck:
    """A deck with [fit] and the measurements that it is fitted to.

    Parameters
    ----------
    deck : Deck
    tables : sequence of Measurement
        Those under ``fit.data``, in that order.

    Attributes
    ----------
    free : list of Free
        What is fitted, without the nuisances of experiments.
    likelihood : Likelihood
    parameters : tuple of Parameter
        All of them.
    why_no_gradient : str
        Why differences stand in place of the adjoint; "" where they do not.

    Raises
    ------
    FitError, MeasurementError
        If a table cannot be fitted.
    DeckError
        If the deck is wrong with the parameters at their starts.
    """

    def __init__(self, deck: Deck, tables: Sequence[Measurement]) -> None:
        self.fit = fit_table(deck)
        self._model: Any = importlib.import_module(PREDICTIONS[deck.model])
        self._base = {name: table for name, table in resolve(deck).items() if name != "fit"}
        self.free, _ = free(DECKS[deck.model], resolve(deck))
        self.likelihood = Likelihood(
            [
                DataSet(
                    table=table,
                    systematics=one.systematics,
                    x_min=one.span[0],
                    x_max=one.span[1],
                    norm_error=one.norm_error,
                    energy_error=one.energy_error,
                    group=one.group,
                    bins=one.bins,
                )
                for one, table in zip(self.fit.data, tables, strict=True)
            ]
        )
        self._epochs = {one.table: one.epoch for one in self.fit.data}
        self.parameters = (*(f.parameter for f in self.free), *self.likelihood.nuisances)
        least, walkers = 2 * len(self.parameters), getattr(self.fit.sampler, "walkers", None)
        if walkers is not None and walkers < least:
            raise FitError(f"sampler.walkers = {walkers}: these parameters need at least {least}")
        start = self.deck_at({p.name: p.start for p in self.parameters})
        for one in self.likelihood.data:
            reach = 1 + _FAR * one.energy_error
            x = one.places[0]
            self._model.check(start, one.table, (float(x.min() / reach), float(x.max() * reach)))
        self.why_no_gradient = (
            self._model.why_no_gradient(start) if self.fit.gradient else "fit.gradient = false"
        )
        self._latest: tuple[dict[str, float], Any] | None = None

    def deck_at(self, values: Values) -> Deck:
        """The deck with other values of its parameters."""
        return load_deck(self._base, self._overrides(values))

    def _overrides(self, values: Values) -> dict[str, float]:
        """What the deck itself is told; the potential of an epoch is not its."""
        return {
            key: values[one.parameter.name]
            for one in self.free
            if not one.epoch
            for key in one.keys
        }

    def objective(self) -> Objective:
        """−2 ln L, with its gradient where the model has one."""
        if self.why_no_gradient:
            return Objective(self.parameters, self.chi2)
        return Objective(self.parameters, self.chi2, self.gradient, self.hessian)

    def chi2(self, values: Values) -> float:
        """−2 ln L, without priors."""
        return self.likelihood.chi2(self.curves(values), values)

    def matches(self, values: Values) -> dict[str, Match]:
        """Of each table."""
        return self.likelihood.matches(self.curves(values), values)

    def curves(self, values: Values) -> dict[str, Curve]:
        """Name of a table -> its prediction."""
        prediction = self._prediction(values)
        return {
            one.name: partial(self._at, prediction, one.table, self.potential(one.name, values))
            for one in self.likelihood.data
        }

    @staticmethod
    def _at(prediction: Any, table: Measurement, phi: float, x: Array) -> Array:
        try:
            return np.asarray(prediction.at(table, x, phi))
        except ConvergenceError as error:
            raise Unpredictable(str(error)) from None

    def potential(self, table: str, values: Values) -> float:
        """φ of a table, MV: that of its epoch, or that of the deck."""
        own = [f for f in self.free if f.epoch and f.epoch == self._epochs[table]]
        common = [f for f in self.free if POTENTIAL in f.keys and not f.epoch]
        for one in (*own, *common):
            return values[one.parameter.name]
        return float(self._base.get("modulation", {}).get("phi", 0.0))

    def _prediction(self, values: Values) -> Any:
        """The run of the deck; the latest is kept, as derivatives follow their χ²."""
        key = self._solved_by(values)
        if self._latest is None or self._latest[0] != key:
            self._latest = key, self._solve(values, not self.why_no_gradient)
        return self._latest[1]

    def _solve(self, values: Values, gradient: bool) -> Any:
        try:
            return self._model.Prediction.of(self.deck_at(values), gradient)
        except (ConvergenceError, SingularOperatorError) as error:
            raise Unpredictable(str(error)) from None
        except DeckError as error:
            # bounds that the deck allows one by one may not go together
            raise Unpredictable("; ".join(map(str, error.problems))) from None

    def _solved_by(self, values: Values) -> dict[str, float]:
        """What a run depends on: not the potential, which changes nothing outside."""
        return {k: value for k, value in self._overrides(values).items() if k != POTENTIAL}

    def gradient(self, values: Values) -> dict[str, float]:
        """∂(−2 ln L)/∂ each parameter."""
        matches = self.matches(values)
        found = self.likelihood.by_nuisances(matches)
        prediction = self._prediction(values)
        weighed = [
            Weighed(
                one.table,
                self.potential(one.name, values),
                matches[one.name].at.ravel(),
                matches[one.name].weights.ravel(),
            )
            for one in self.likelihood.data
        ]
        keys = [key for f in self.free for key in f.keys if key != POTENTIAL]
        by_key = prediction.gradient(weighed, keys)
        for one in self.free:
            found[one.parameter.name] = (
                self._by_potential(one, prediction, weighed)
                if POTENTIAL in one.keys
                else sum(by_key[key] for key in one.keys)
            )
        return found

    def hessian(self, values: Values) -> Array:
        """Second derivatives of −2 ln L by the coordinates, of the predictions linear in them.

        2 Σ (∂m/∂u)ᵀ C⁻¹ (∂m/∂u) of all tables m (Gauss–Newton), by forward differences, side by
        side.
        """
        before = self._predicted(self._prediction(values), values)
        moved, steps = [], []
        for one in self.parameters:
            u, step = one.inside(values[one.name]), _SMALL * one.step
            step = step if u + step < one.limits[1] else -step
            moved.append({**values, one.name: one.outside(u + step)})
            steps.append(step)
        columns = [
            [(b - a) / step for a, b in zip(before, after, strict=True)]
            for step, after in zip(steps, self.predictions(moved), strict=True)
        ]
        total = np.zeros((len(columns), len(columns)))
        for i, (data, m) in enumerate(zip(self.likelihood.data, before, strict=True)):
            slopes = np.stack([each[i] for each in columns], axis=1)
            total += slopes.T @ data.curvature(m) @ slopes
        return total

    def predictions(self, many: Sequence[Values]) -> list[list[Array]]:
        """m of each table at each of several values, side by side; the latest run is used again.

        Raises
        ------
        Unpredictable
            If the deck has no answer somewhere.
        """

        def one(values: Values) -> list[Array]:
            latest = self._latest
            same = latest is not None and latest[0] == self._solved_by(values)
            prediction = latest[1] if latest is not None and same else self._solve(values, False)
            return self._predicted(prediction, values)

        with ThreadPoolExecutor(max_workers=processors()) as pool:
            return list(pool.map(one, many))

    def _predicted(self, prediction: Any, values: Values) -> list[Array]:
        """m of each table."""
        return [
            one.predicted(
                partial(self._at, prediction, one.table, self.potential(one.name, values)),
                *self.likelihood.shifts(one, values),
            )
            for one in self.likelihood.data
        ]

    def _by_potential(self, one: Free, prediction: Any, weighed: Sequence[Weighed]) -> float:
        total = 0.0
        own = {f.epoch for f in self.free if f.epoch}
        for table, phi, x, weights in weighed:
            epoch = self._epochs[table.name]
            if table.interstellar or one.epoch != (epoch if epoch in own else ""):
                continue
            up, down = (prediction.at(table, x, phi + s * _STEP) for s in (1, -1))
            total += float(weights @ (up - down)) / (2 * _STEP)
        return total


def fit_table(deck: Deck) -> FitTable:
    """The [fit] of a deck."""
    fit: FitTable | None = getattr(deck, "fit", None)
    assert fit is not None
    return fit


def read(deck: Deck, data: str | Path | None) -> FittedDeck:
    """A deck with the measurements that it is fitted to, of the data folder or imported.

    Raises
    ------
    MeasurementError
        If one is missing or wrong, or cannot be fitted, or the starts make no right deck.
    """
    names = [one.table for one in fit_table(deck).data]
    folder = folders.cache_folder() if data is None else Path(data)
    missing = [n for n in names if data is None and folders.file_of(n, folder) is None]
    if missing:
        some = ", ".join(missing)
        raise MeasurementError(f"fit: {some}: give their folder by --data or CRTRANSPORT_DATA")
    try:
        needed("iminuit")
        if (sampler := fit_table(deck).sampler) is not None:
            needed(sampler.kind)
        return FittedDeck(deck, load_fluxes_and_ratios(names, folder))
    except (FitError, MeasurementError) as error:
        raise MeasurementError(f"fit: {error}") from None
    except DeckError as error:
        why = "; ".join(str(problem).removeprefix("--set ") for problem in error.problems)
        raise MeasurementError(f"fit: with the parameters at their starts: {why}") from None
