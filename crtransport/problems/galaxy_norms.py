"""Abundances of the classes of sources by least squares: the fluxes are linear in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.optimize import nnls

from crtransport.deck.galaxy import GalaxyDeck
from crtransport.measurements.table import Measurement, MeasurementError, per_nucleon
from crtransport.nuclides import nuclide
from crtransport.physics.injection import Source
from crtransport.problems.galaxy_answer import Answer, Flux, elements
from crtransport.problems.galaxy_local import class_flux, local_flux, species
from crtransport.problems.galaxy_transport import transport

Array = NDArray[np.float64]
#: T, flux and its error
Points = tuple[Array, Array, Array]

#: added to the errors of each point, as a part of its flux: no model is better
_FLOOR = 0.01


def fitted(deck: GalaxyDeck, tables: Sequence[Measurement]) -> tuple[GalaxyDeck, xr.DataArray]:
    """The deck with abundances that fit measured fluxes best, and the factors on its own.

        Φ(T) = Σ_c a_c Φ_c(T) + what is made on the way + local sources,   a_c ≥ 0

    of each element that has tables at the Earth, from ``compare.R_min`` on, with 1 % added to the
    errors. What is made on the way stands as it is without the fit. A class that fits best without
    anything is left out.

    Returns
    -------
    GalaxyDeck
    DataArray
        [class, element] factors; NaN where there is nothing to be fitted.

    Raises
    ------
    MeasurementError
        If no class is left.
    """
    answer = Answer(deck, transport(deck))
    names = [source.name for source in deck.source]
    found = {
        element: _factors(deck, answer, element, some)
        for element in elements(deck)
        if (some := _of(deck, element, tables))
        and any(_emits(source, element) for source in deck.source)
    }
    scaled = [
        source.scaled({element: float(a[i]) for element, a in found.items()})
        for i, source in enumerate(deck.source)
    ]
    kept = tuple(s for s in scaled if any(s.abundance(name) > 0 for name in deck.nuclides))
    if not kept:
        raise MeasurementError(
            "compare.fit_norms: what is measured leaves nothing for the sources of the deck; the "
            "local ones alone exceed it"
        )
    factors = [
        [
            found[element][i] if element in found and _emits(source, element) else np.nan
            for element in elements(deck)
        ]
        for i, source in enumerate(deck.source)
    ]
    coords = {
        "class": ("class", names, {"units": "1", "long_name": "class of sources"}),
        "element": ("element", list(elements(deck)), {"units": "1", "long_name": "element"}),
    }
    said = {"units": "1", "long_name": "fitted abundance over that of the deck"}
    fit = xr.DataArray(factors, coords=coords, dims=("class", "element"), attrs=said)
    return replace(deck, source=kept), fit


def _of(deck: GalaxyDeck, element: str, tables: Sequence[Measurement]) -> list[Points]:
    """The points of each table of an element at the Earth."""
    found: list[Points] = []
    for table in tables:
        if not table.is_flux or table.quantity != element or table.interstellar:
            continue
        points = per_nucleon(table)
        energy = points.kinetic_energy
        inside = (energy >= deck.output.T_min) & (energy <= deck.output.T_max)
        inside &= nuclide(element).rigidity(energy) >= deck.compare.R_min
        sigma = np.hypot((points.error_lo + points.error_hi) / 2, _FLOOR * points.flux)
        if inside.any():
            found.append((energy[inside], points.flux[inside], sigma[inside]))
    return found


def _factors(deck: GalaxyDeck, answer: Answer, element: str, tables: list[Points]) -> Array:
    energy, flux, sigma = (np.concatenate(x) for x in zip(*tables, strict=True))
    classes: list[Flux] = [class_flux(deck, answer, source.name) for source in deck.source]
    columns = np.stack([one(element, energy) for one in classes], axis=1)
    whole = np.zeros_like(energy)
    for name in elements(deck)[element]:
        whole += answer.at_earth(name, energy)
    rest = whole - columns.sum(axis=1)
    if deck.local_source and element in species(deck):
        for i in range(len(deck.local_source)):
            rest += local_flux(deck, i)(element, energy)
    return np.asarray(nnls(columns / sigma[:, None], (flux - rest) / sigma)[0])


def _emits(source: Source, element: str) -> bool:
    return any(nuclide(name).element == element and a > 0 for name, a in source.abundances.items())
