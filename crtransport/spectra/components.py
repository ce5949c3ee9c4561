"""From a deck to a dataset: components fitted from several starts, beside published ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from crtransport.deck.components import ComponentsDeck
from crtransport.fits import DataSet, Fit, minimise, profile
from crtransport.measurements import MeasurementError
from crtransport.measurements.axes import over_rigidity
from crtransport.spectra import components_report
from crtransport.spectra.components_dataset import compared, curves, numbers
from crtransport.spectra.components_fit import ComponentsFit, minima
from crtransport.spectra.quality import TOLERANCE, unrest
from crtransport.spectra.tables import data_sets, put_right, read_fluxes, require_folder, told

headline = components_report.headline


def read(deck: ComponentsDeck, data: str | Path | None) -> list[DataSet]:
    """The measured tables of a deck, checked for what is asked of them.

    Raises
    ------
    MeasurementError
        Naming file, line and column, the folder or the package that is missing.
    """
    folder = require_folder(data, deck.model)
    tables = read_fluxes([one.table for one in deck.data], folder)
    elements = list(dict.fromkeys(one.quantity for one in tables))
    for component in deck.component:
        wrong = set(component.difference) ^ set(elements[1:])
        if wrong:
            others = ", ".join(elements[1:]) or "none"
            why = f"must name each element after the first ({elements[0]}) of the data: {others}"
            given = ", ".join(component.difference) or "none"
            raise MeasurementError(f"component {component.name}: difference {why}; has {given}")
    sets = data_sets(deck.data, tables, deck.residuals == "logarithmic")
    free = len(ComponentsFit(sets, deck.component).objective.parameters)
    points = sum(int(one.some.sum()) for one in sets)
    if points <= free:
        raise MeasurementError(f"{points} points cannot tell {free} numbers: fewer components")
    return sets


def solve(deck: ComponentsDeck, data: str | Path | None) -> xr.Dataset:
    """The fit of a deck.

    Returns
    -------
    xarray.Dataset
        ``flux``(species, component, rigidity); ``alpha``, ``R_c``, ``alpha_difference``, ``norm``
        with ``_error_lo`` and ``_error_hi``; χ² of each element, also with the published shapes.
    """
    sets = read(deck, data)
    fit = ComponentsFit(sets, deck.component)
    found = minima(fit, deck.starts, deck.seed)
    best = minimise(
        fit.begun(fit.held | found[0].best), minos=[one.name for one in fit.shapes], tolerance=1e-2
    )
    shown = {one.name: over_rigidity(put_right(one, best.best)) for one in sets}
    dataset = xr.merge(
        [
            numbers(fit, best, _rises(fit, best)),
            curves(deck, fit, best),
            compared(fit, best, found),
            told(shown, list(shown)),
        ]
    )
    problems = [one for one in best.problems if one not in best.at_bounds.values()]
    dataset.attrs = {
        "error_estimate": unrest(fit.objective, best) if not problems else np.inf,
        "error_tolerance": TOLERANCE,
        "seed": deck.seed,
        "remark": "\n".join(best.at_bounds.values()),
        "failures": "\n".join(problems),
    }
    return dataset


def _rises(fit: ComponentsFit, best: Fit) -> dict[str, Any]:
    """How far χ² rises where one number is as published and all others are fitted."""
    objective = fit.begun(fit.held | best.best)
    names = [one.name for one in fit.shapes if fit.numbers[one.name].published]
    published = {name: fit.numbers[name].published[0] for name in names}
    return {
        name: float(profile(objective, best, name, np.array([value])).chi2[0]) - best.chi2
        for name, value in published.items()
    }
