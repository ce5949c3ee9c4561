"""A deck with [fit]: its keys fitted to measurements, then run once more at the best of them."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import xarray as xr
from scipy.stats import chi2 as _chi2

from crtransport.deck.fit import EnsembleSampler, FitTable
from crtransport.deck.schema import Deck
from crtransport.fits import (
    Evaluation,
    Fit,
    Objective,
    Samples,
    contour,
    minimise,
    sample_ensemble,
    sample_nested,
)
from crtransport.provenance import attributes
from crtransport.run import measured, solved
from crtransport.studies.fit_band import with_band
from crtransport.studies.fit_evaluation import evaluation
from crtransport.studies.fit_model import FittedDeck, read
from crtransport.studies.fit_result import with_contours, with_fit
from crtransport.studies.fit_samples import with_samples
from crtransport.studies.means import Means, Tell, untold

__all__ = ["draw_samples", "failures", "headline", "minimum", "read", "run", "solve"]

#: of MIGRAD: within 0.002 of the minimum of χ², 0.05σ, which the errors of solvers allow
_TOLERANCE = 1.0
_CONTOUR_POINTS = 16


def solve(deck: Deck, data: str | Path | None) -> xr.Dataset:
    """Fit a deck, all in this process."""
    return run(deck, data, Means(workers=0))


def run(deck: Deck, data: str | Path | None, means: Means, tell: Tell = untold) -> xr.Dataset:
    """Fit a deck.

    Parameters
    ----------
    deck : Deck
        With ``fit``.
    data : path or None
        Folder of measured tables, which all workers can read.
    means : Means
        What evaluates for a sampler. The numbers do not depend on it.
    tell : callable
        Told of the steps of a sampler.

    Returns
    -------
    xarray.Dataset
        Of the deck at its best values, with what `with_fit` adds.

    Raises
    ------
    MeasurementError
        If a measured table is missing or wrong, or the extra ``fit`` is.
    FitError
        If −2 ln L is not finite, or the deck has no answer at the starts.
    WorkerError
        If processes or workers cannot be had.
    """
    fitted = read(deck, data)
    sampled = fitted.fit.sampler is not None
    # first of all, so that a cluster that is not there is told at once
    with evaluation(deck, data, means, tell) if sampled else nullcontext() as by:
        objective = fitted.objective()
        fit = minimum(objective, fitted.fit)
        best = fitted.deck_at(fit.best)
        dataset = with_fit(solved(best, measured(best, data), data), fitted, fit)
        dataset.attrs["fit_unanswered"] = len(objective.unanswered)
        dataset = _contoured(dataset, objective, fitted, fit)
        samples = draw_samples(objective, fitted.fit, fit, by) if sampled else None
        if samples is not None:
            dataset = with_samples(dataset, samples)
        dataset = with_band(dataset, fitted, fit, samples)
    return dataset.assign_attrs(attributes(deck))


def minimum(objective: Objective, table: FitTable) -> Fit:
    """The best fit, as [fit] asks for it."""
    return minimise(
        objective,
        starts=table.starts,
        seed=table.seed,
        minos=table.minos,
        # more is spent on derivatives where MIGRAD has to make them itself
        strategy="fast" if objective.has_gradient else "normal",
        tolerance=_TOLERANCE,
    )


def _contoured(
    dataset: xr.Dataset, objective: Objective, fitted: FittedDeck, fit: Fit
) -> xr.Dataset:
    pairs = fitted.fit.contours if fit.valid else ()
    found = [contour(objective, fit, pair, points=_CONTOUR_POINTS) for pair in pairs]
    return with_contours(dataset, pairs, found)


def draw_samples(
    objective: Objective, table: FitTable, fit: Fit, by: Evaluation | None = None
) -> Samples:
    """What the sampler of [fit] draws."""
    sampler = table.sampler
    if isinstance(sampler, EnsembleSampler):
        steps, walkers = sampler.steps, sampler.walkers
        return sample_ensemble(objective, fit, steps=steps, walkers=walkers, seed=table.seed, by=by)
    assert sampler is not None
    live, tolerance = sampler.live, sampler.tolerance
    return sample_nested(objective, live=live, tolerance=tolerance, seed=table.seed, by=by)


def headline(dataset: xr.Dataset) -> list[tuple[str, str]]:
    """Best values with errors, χ² of each table, what the fit took."""
    rows = []
    for name, unit in zip(dataset.parameter.values, dataset.parameter_unit.values, strict=True):
        rows.append((str(name), _said(dataset.sel(parameter=name), "" if unit == "1" else unit)))
    for name, chi2, n in zip(
        dataset.fit_table.values, dataset.fit_chi2.values, dataset.fit_points.values, strict=True
    ):
        rows.append((f"fit: {name}", f"χ² {chi2:.1f} of {n} points"))
    rows += _published(dataset)
    attrs = dataset.attrs
    total = f"{attrs['fit_minus_2_ln_likelihood']:.2f} of {int(dataset.fit_points.sum())} points"
    rows.append(("fit: −2 ln L with priors", total))
    count = f"{attrs['fit_evaluations']} of −2 ln L, {attrs['fit_gradients']} of its gradient"
    rows.append(("fit: evaluations", f"{count} ({attrs['fit_derivatives']})"))
    if attrs["fit_unanswered"]:
        rows.append(("fit: no answer", f"at {attrs['fit_unanswered']} of them, taken for far off"))
    if "r_hat" in dataset:
        least = f"{float(dataset.effective_samples.min()):.0f} effective samples at least"
        worst = f"R̂ at most {float(dataset.r_hat.max()):.4f}"
        rows.append((f"fit: {attrs['fit_sampler']}", f"{worst}, {least}"))
    return rows


def _said(one: xr.Dataset, unit: str) -> str:
    """Value and errors; the pull of a nuisance, the distance from a published value."""
    value, error = float(one.best), float(one.best_error)
    text = f"{value:.4g} ± {error:.2g}"
    if np.isfinite(one.best_error_lo) and np.isfinite(one.best_error_hi):
        text = f"{value:.4g} +{float(one.best_error_hi):.2g} −{float(one.best_error_lo):.2g}"
    text = f"{text} {unit}".rstrip()
    if np.isfinite(one.published):
        away = (value - float(one.published)) / error
        text += f"; published {float(one.published):.4g}, {away:+.1f}σ"
    return text + (f"; pull {float(one.pull):+.2f}" if np.isfinite(one.pull) else "")


def _published(dataset: xr.Dataset) -> list[tuple[str, str]]:
    """How far all published values together are from the best, with their correlations."""
    some = np.isfinite(dataset.published.values) & np.isfinite(dataset.best_error.values)
    if some.sum() < 2:
        return []
    log = dataset.log_scale.values[some] == 1
    best, published = dataset.best.values[some], dataset.published.values[some]
    slopes = np.where(log, best, 1.0)
    away = np.where(log, np.log(published / best), published - best)
    covariance = dataset.covariance.values[np.ix_(some, some)] / np.outer(slopes, slopes)
    chi2 = float(away @ np.linalg.solve(covariance, away))
    chance = _chi2.sf(chi2, some.sum())
    text = f"Δχ² {chi2:.1f} of {some.sum()} parameters together, p = {chance:.2g}"
    return [("fit: published values", text)]


def failures(dataset: xr.Dataset) -> list[str]:
    """What went wrong, in words."""
    return [str(problem) for problem in json.loads(dataset.attrs["fit_problems"])]
