"""Fitted components as a dataset tells them: numbers, curves, and how good the fit is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from crtransport.deck.components import ComponentsDeck
from crtransport.fits import Fit
from crtransport.spectra.bump_dataset import rigidities
from crtransport.spectra.components_fit import ComponentsFit
from crtransport.spectra.quality import number_names, summary, with_errors
from crtransport.spectra.tables import variable

Array = NDArray[np.float64]

_FLUX = "m-2 s-1 sr-1 GV-1"


def numbers(fit: ComponentsFit, best: Fit, rises: Mapping[str, float]) -> xr.Dataset:
    """Indices, cutoffs and norms with their errors, beside what was published.

    Parameters
    ----------
    rises : mapping
        Name of a number -> Δχ² where it is held at its published value.
    """
    names = [one.name for one in fit.components]
    others = fit.elements[1:]
    first = fit.elements[0]
    variables = _numbers(fit, best, rises, "alpha", ("1", f"index of {first}"), "component")
    variables |= _numbers(fit, best, rises, "R_c", ("GV", "cutoff"), "component")
    if others:
        label = ("1", f"index less that of {first}")
        dims = ("other", "component")
        variables |= _numbers(fit, best, rises, "alpha_difference", label, *dims)
    variables |= _norms(fit, best)
    variables |= summary(best, fit.likelihood.points, "numbers fitted")
    coords = {
        "component": variable(names, "1", "component", "component"),
        "pivot": variable(fit.pivots, "GV", "where the norm of a component is told", "component"),
        "other": variable(list(others), "1", "element other than the first", "other"),
    }
    return xr.Dataset(variables, coords | number_names(best))


def _numbers(
    fit: ComponentsFit,
    best: Fit,
    rises: Mapping[str, float],
    what: str,
    label: tuple[str, str],
    *dims: str,
) -> dict[str, Any]:
    """One kind of number over its dimensions, beside what was published."""
    keys = _keys(fit, what)
    known = fit.held | best.best

    def each(of: Callable[[str], float]) -> Array:
        return np.vectorize(of, otypes=[float])(keys)

    def end(name: str, ends: Array) -> float:
        return float(ends[best.names.index(name)]) if name in best.names else 0.0

    def published(name: str, k: int) -> float:
        values = fit.numbers[name].published
        return values[k] if len(values) > k else np.nan

    unit, text = label
    lower, upper = each(lambda n: end(n, best.lower)), each(lambda n: end(n, best.upper))
    variables = with_errors(what, each(lambda n: known[n]), (lower, upper), label, *dims)
    if not any(fit.numbers[name].published for name in keys.flat):
        return variables
    ends = (each(lambda n: published(n, 1)), each(lambda n: published(n, 2)))
    values = each(lambda n: published(n, 0))
    variables |= with_errors(f"{what}_published", values, ends, (unit, f"published {text}"), *dims)
    rise = each(lambda n: rises.get(n, np.nan))
    said = "rise of chi-squared where it is as published and all else is fitted"
    return variables | {f"{what}_rise": variable(rise, "1", said, *dims)}


def _keys(fit: ComponentsFit, what: str) -> NDArray[np.str_]:
    names = [one.name for one in fit.components]
    if what == "alpha_difference":
        return np.array([[f"difference.{e}.{n}" for n in names] for e in fit.elements[1:]])
    return np.array([f"{what}.{name}" for name in names])


def _norms(fit: ComponentsFit, best: Fit) -> dict[str, Any]:
    """At the pivots, cutoffs aside."""
    places = np.array(
        [
            [best.names.index(fit.norm_name(i, j)) for j in range(len(fit.components))]
            for i in range(len(fit.elements))
        ]
    )
    dims = ("species", "component")
    text = "norm of a component at its pivot, without the cutoff"
    value, error = (of[places] * fit.units for of in (best.values, best.errors))
    return {
        "norm": variable(value, _FLUX, text, *dims),
        "norm_error": variable(error, _FLUX, f"1 sigma of the {text}", *dims),
    }


def curves(deck: ComponentsDeck, fit: ComponentsFit, best: Fit) -> xr.Dataset:
    """``flux`` of each component and ``flux_total``."""
    rigidity = rigidities(deck.output)
    flux = np.array(
        [
            [fit.part(i, j, best.best)(rigidity) for j in range(len(fit.components))]
            for i in range(len(fit.elements))
        ]
    )
    total = flux.sum(axis=1)
    dims = ("species", "component", "rigidity")
    return xr.Dataset(
        {
            "flux": variable(flux, _FLUX, "flux of a component", *dims),
            "flux_total": variable(total, _FLUX, "flux of all components", "species", "rigidity"),
        },
        {
            "species": variable(list(fit.elements), "1", "element", "species"),
            "rigidity": variable(rigidity, "GV", "rigidity", "rigidity"),
        },
    )


def compared(fit: ComponentsFit, best: Fit, found: Sequence[Fit]) -> xr.Dataset:
    """χ² of each element, also with the published shapes and free norms; the other minima."""
    chi2, points = fit.by_element(best.best)
    variables = {
        "species_chi2": variable(chi2, "1", "chi-squared of an element", "species"),
        "species_points": variable(points, "1", "fitted points of an element", "species"),
        "minimum": variable(
            np.array([one.chi2 for one in found]), "1", "chi-squared where a start led", "start"
        ),
        "minimum_found": variable(
            np.array([int(one.converged) for one in found]), "1", "whether it converged", "start"
        ),
    }
    if all(one.published for one in fit.numbers.values()):
        shapes = {name: one.published[0] for name, one in fit.numbers.items()}
        held = fit.held_at(shapes)
        chi2 = fit.by_element(shapes | held.best)[0]
        text = "chi-squared of an element with the published shapes and free norms"
        variables["species_chi2_published"] = variable(chi2, "1", text, "species")
    coords = {
        "species": variable(list(fit.elements), "1", "element", "species"),
        "start": variable(np.arange(len(found)), "1", "start of the fit, the best first", "start"),
    }
    return xr.Dataset(variables, coords)
