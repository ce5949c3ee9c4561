"""From a deck to a dataset: the bump fitted, profiled, put onto other elements, and compared."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr

from crtransport.deck.bump import BumpDeck
from crtransport.fits import DataSet
from crtransport.measurements import Measurement, MeasurementError, load_fluxes_and_ratios
from crtransport.spectra import bump_report
from crtransport.spectra.bump_dataset import comparison, curves, shown
from crtransport.spectra.bump_fit import BumpFit, Variant
from crtransport.spectra.bump_numbers import numbers, shocks
from crtransport.spectra.bump_predict import predictions, require_backgrounds
from crtransport.spectra.bump_profile import profiles, variants
from crtransport.spectra.quality import TOLERANCE, unrest
from crtransport.spectra.tables import data_sets, read_fluxes, require_folder, told

headline = bump_report.headline


@dataclass(frozen=True, kw_only=True)
class Tables:
    """What is fitted to, and what is predicted."""

    sets: list[DataSet]
    predicted: list[Measurement]


def read(deck: BumpDeck, data: str | Path | None) -> Tables:
    """The measured tables of a deck, checked for what is asked of them.

    Raises
    ------
    MeasurementError
        Naming file, line and column, the folder or the package that is missing.
    """
    folder = require_folder(data, deck.model)
    tables = read_fluxes([one.table for one in deck.data], folder)
    element = tables[0].quantity
    for table in tables:
        if table.quantity != element:
            why = f"is of {table.quantity}, {tables[0].name} of {element}; one element is fitted"
            raise MeasurementError(f"{table.name} {why}")
    predicted = load_fluxes_and_ratios(deck.prediction.tables, folder)
    require_backgrounds(deck.prediction, predicted, element)
    sets = data_sets(deck.data, tables, deck.residuals == "logarithmic")
    return Tables(sets=sets, predicted=predicted)


def solve(deck: BumpDeck, data: str | Path | None) -> xr.Dataset:
    """The fit of a deck and what follows from it.

    Returns
    -------
    xarray.Dataset
        ``flux``, ``background``, ``flux_error``(species, rigidity), the same of ratios,
        ``chi2_profile``(variant, a), the fitted numbers with ``_error``, χ² of each table.
    """
    tables = read(deck, data)
    variant = Variant(numbers=deck.parameters, losses=deck.losses)
    fit = BumpFit(tables.sets, variant)
    found = fit.minimum()
    bump = fit.bump(found.best)
    fluxes = [one for one in tables.predicted if one.quantity != fit.element]
    others = predictions(deck, fluxes, bump)
    parts = [
        numbers(deck, fit, found),
        shocks(deck, bump),
        curves(deck, _ratios(tables.predicted), fit, found, others),
        comparison(deck, tables.predicted, fit, found, others),
        told(shown(tables.sets, tables.predicted, found), [one.name for one in tables.sets]),
    ]
    problems = [one for one in found.problems if one not in found.at_bounds.values()]
    for part, wrong in _under_assumptions(deck, tables.sets):
        parts.append(part)
        problems += wrong
    merged = xr.merge(parts)
    merged.attrs = {
        "error_estimate": unrest(fit.objective, found) if not problems else np.inf,
        "error_tolerance": TOLERANCE,
        **bump_report.assumptions(deck, tables.sets),
        "remark": "\n".join(found.at_bounds.values()),
        "failures": "\n".join(problems),
    }
    return merged


def _under_assumptions(deck: BumpDeck, sets: list[DataSet]) -> list[tuple[xr.Dataset, list[str]]]:
    """Numbers and profiles of the four variants, with what did not converge; none without a."""
    return [variants(deck, sets), profiles(deck, sets)] if deck.profile.a else []


def _ratios(tables: list[Measurement]) -> list[str]:
    """Each ratio among the tables once, "B_C"."""
    return list(dict.fromkeys(one.quantity for one in tables if not one.is_flux))
