"""Abundances at the sources that fit measured fluxes best: least squares for each element.

The transport is linear in the sources: an element's flux is Φ = a e + s, with e what the sources
emit at the abundances of the run and s what heavier nuclei make on their way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crtransport.measurements.table import Measurement, MeasurementError

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The two parts of an element's flux, where one table has its points.

    Attributes
    ----------
    emitted : array
        Flux e of what the sources emit, at the table's x and in its unit.
    produced : array
        Flux s of what is made of other nuclei.
    """

    emitted: Array
    produced: Array


@dataclass(frozen=True, kw_only=True)
class Factor:
    """What to multiply an element's abundance by.

    Attributes
    ----------
    factor : float
        a, at least 0.
    error : float
        1/√Σ(e/σ)², the one-sigma error of a without the bound.
    chi2 : float
        Σ((d − a e − s)/σ)².
    points : int
        How many points were fitted.
    """

    factor: float
    error: float
    chi2: float
    points: int


def abundance_factors(
    answer_parts: Mapping[str, Parts], tables: Sequence[Measurement]
) -> dict[str, Factor]:
    """The factor of each element, of all its tables together.

        a = max(0, Σ e (d − s)/σ² / Σ e²/σ²),   the minimum of Σ((d − a e − s)/σ)² over a ≥ 0

    σ is the mean of the errors downwards and upwards, each statistical and systematic in
    quadrature, as if the points were independent. A point counts where it is no upper limit, where
    σ > 0 and where both parts are finite: NaN leaves out what lies beyond the model's range.

    Parameters
    ----------
    answer_parts : mapping
        By the name of the table.
    tables : sequence of Measurement
        Fluxes of single elements; those without parts are passed over.

    Returns
    -------
    dict
        By element, in the order of the tables.

    Raises
    ------
    MeasurementError
        If a table is no flux, its parts have another length, or nothing emitted is measured.
    """
    by_element: dict[str, list[Array]] = {}
    for table in tables:
        if table.name in answer_parts:
            points = _points(table, answer_parts[table.name])
            by_element.setdefault(table.quantity, []).append(points)
    return {name: _fitted(name, np.hstack(rows)) for name, rows in by_element.items()}


def _points(table: Measurement, parts: Parts) -> Array:
    """Rows e/σ and (d − s)/σ of the points that count."""
    if not table.is_flux:
        raise MeasurementError(f"{table.name} is no flux: {table.unit} over {table.x_kind}")
    emitted, produced = np.asarray(parts.emitted), np.asarray(parts.produced)
    if not emitted.shape == produced.shape == table.x.shape:
        shapes = f"{emitted.shape} and {produced.shape}"
        raise MeasurementError(f"{table.name} has {len(table.x)} points, its parts have {shapes}")
    sigma = (table.error_lo + table.error_hi) / 2
    counts = table.measured & (sigma > 0) & np.isfinite(emitted) & np.isfinite(produced)
    scaled = np.stack([emitted, table.y - produced])[:, counts]
    return np.asarray(scaled / sigma[counts])


def _fitted(element: str, points: Array) -> Factor:
    emitted, wanted = points
    weight = float(emitted @ emitted)
    if not weight > 0:
        raise MeasurementError(f"no source emits {element} where its flux is measured")
    factor = max(0.0, float(emitted @ wanted) / weight)
    return Factor(
        factor=factor,
        error=weight**-0.5,
        chi2=float(np.sum((wanted - factor * emitted) ** 2)),
        points=len(wanted),
    )
