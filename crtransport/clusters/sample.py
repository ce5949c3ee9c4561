"""Luminosities of a catalogue's clusters; limits where nothing was seen."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from crtransport.clusters.catalogue import Catalogue, unmatched
from crtransport.clusters.fluxes import Luminosities, read_luminosities
from crtransport.clusters.names import positions
from crtransport.constants import KPC
from crtransport.measurements.table import MeasurementError

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Luminosities of a catalogue's clusters, in its order.

    Attributes
    ----------
    luminosity : [cluster]
        erg/s; upper limits where ``limit``.
    limit : [cluster] of bool
    listed : [cluster] of bool
        Which have a row in the table.
    threshold : [cluster]
        From which luminosity on the cluster would be detected, erg/s.
    law : [2]
        log₁₀ F = law₀ + law₁ log₁₀(sin |b| + sin 1°) of the flux at the threshold, erg cm⁻² s⁻¹.
    unmatched : list of str
        Rows of the table that belong to no cluster.
    """

    luminosity: Array
    limit: Flags
    listed: Flags
    threshold: Array
    law: Array
    unmatched: list[str]


def read_sample(path: Path, catalogue: Catalogue, factor: float = 1.0) -> Sample:
    """The luminosity of each cluster; for those without a row, a limit at the threshold.

    The threshold against latitude is taken from the table itself: from the flux at which each of
    its sources would just be detected, or else from its own limits. A limit of the table is the
    threshold of its cluster.

    Parameters
    ----------
    path : Path
        See `crtransport.clusters.fluxes.read_luminosities`.
    factor : float
        On the thresholds that come from the law.

    Raises
    ------
    MeasurementError
        Without a detection, or without a cluster that is none.
    """
    table = read_luminosities(path)
    own = positions(table.names, catalogue.names, catalogue.alternatives)
    _require_different_clusters(path, table, catalogue, own)
    # in the catalogue's order, so that sums do not depend on that of the table, to the last digit
    rows = np.argsort(own, kind="stable")[np.count_nonzero(own < 0) :]
    own_rows = own[rows]
    area = 4 * np.pi * (catalogue.distance * KPC) ** 2
    value = np.where(
        np.isnan(table.luminosity[rows]), table.flux[rows] * area[own_rows], table.luminosity[rows]
    )
    limit = np.ones(len(area), bool)
    limit[own_rows] = table.limit[rows]
    _require_both(path, catalogue, limit)
    at_threshold = np.where(table.limit[rows], value / area[own_rows], table.at_threshold[rows])
    known = np.isfinite(at_threshold)
    law = threshold_law(path, catalogue.latitude[own_rows[known]], at_threshold[known])
    threshold = factor * area * law_flux(law, catalogue.latitude)
    threshold[own_rows] = np.where(table.limit[rows], value, threshold[own_rows])
    luminosity = threshold.copy()
    luminosity[own_rows] = value
    return Sample(
        luminosity=luminosity,
        limit=limit,
        listed=np.isin(np.arange(len(limit)), own_rows),
        threshold=threshold,
        law=law,
        unmatched=unmatched(path, table.names, own),
    )


def threshold_law(path: Path, latitude: Array, flux: Array) -> Array:
    """[2] least squares of log₁₀ F = c₀ + c₁ log₁₀(sin |b| + sin 1°), F at the threshold."""
    if len(flux) < 3:
        found = f"{len(flux)} rows tell from which flux on a source is seen at their latitude"
        why = f"{found}; the law that clusters without a row get their limits from needs 3"
        raise MeasurementError(f"{path}: {why}")
    return np.asarray(np.polynomial.polynomial.polyfit(_height(latitude), np.log10(flux), 1))


def law_flux(law: Array, latitude: Array) -> Array:
    """Flux at the threshold, erg cm⁻² s⁻¹."""
    return np.asarray(10 ** (law[0] + law[1] * _height(latitude)))


def _height(latitude: Array) -> Array:
    return np.asarray(np.log10(np.sin(np.abs(np.radians(latitude))) + np.sin(np.radians(1.0))))


def _require_both(path: Path, catalogue: Catalogue, limit: Flags) -> None:
    if limit.all():
        raise MeasurementError(f"{path}: no detection of a cluster of {catalogue.path}")
    if not limit.any():
        why = "without those that were not detected a correlation would be biased"
        raise MeasurementError(f"{path}: every cluster of {catalogue.path} is a detection; {why}")


def _require_different_clusters(
    path: Path, table: Luminosities, catalogue: Catalogue, own: NDArray[np.intp]
) -> None:
    for k in set(own[own >= 0]):
        twins = [table.names[i] for i in np.flatnonzero(own == k)]
        if len(twins) > 1:
            why = f"{' and '.join(twins)} are both {catalogue.names[k]}"
            raise MeasurementError(f"{path}: {why}; each cluster may stand there once")
