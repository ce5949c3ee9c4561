"""Tables of gamma-ray fluxes in bands of energy, read and checked."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from crtransport.clusters import fermi
from crtransport.clusters.fluxes import VALUES, not_negative, positive, values_and_limits, wrong
from crtransport.clusters.names import names_in, normalised
from crtransport.clusters.norms import Bands
from crtransport.clusters.tables import read_table
from crtransport.measurements.rows import Rows
from crtransport.measurements.table import MeasurementError

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

#: two norms need as many bands
FEWEST = 2
_EDGES = ("e_lo_MeV", "e_hi_MeV")
_FLUXES = ("flux", "err_lo", "err_hi", "error", "limit")
_UNITS = dict.fromkeys(_EDGES, "MeV") | dict.fromkeys(_FLUXES, "cm-2 s-1") | {"level": ""}


@dataclass(frozen=True, kw_only=True)
class BandTable:
    """Clusters in the order of their normalised names, with their bands by energy.

    Attributes
    ----------
    path : Path
    names : [cluster] of str
    lines : [cluster] of int
        Where each begins in the file.
    bands : Bands
    counted : str
        What ``lines`` count: "line" or "row".
    """

    path: Path
    names: list[str]
    lines: list[int]
    bands: Bands
    counted: str

    def above(self, energy: float) -> Bands:
        """The bands that begin at or above an energy, MeV.

        Raises
        ------
        MeasurementError
            If a cluster has too few of them for two norms, or none of all is a detection.
        """
        used = self.bands.used & (self.bands.low >= energy * (1 - 1e-9))
        for name, line, count in zip(self.names, self.lines, used.sum(axis=1), strict=True):
            if count < FEWEST:
                found = (
                    f"{name} has {count} {'band' if count == 1 else 'bands'} above {energy:g} MeV"
                )
                why = f"{found}; two components need at least {FEWEST}"
                place = f"{self.path}, {self.counted} {line}, column e_lo_MeV"
                raise MeasurementError(f"{place}: {why}")
        if not np.any(used & ~self.bands.limit):
            raise MeasurementError(f"{self.path}: no detection in any band above {energy:g} MeV")
        return replace(self.bands, used=used)


def read_bands(path: Path) -> BandTable:
    """Fluxes and upper limits in bands.

    4FGL, as it comes (FITS) or as text: ``harris_name`` (there ASSOC1), ``e_lo_MeV``,
    ``e_hi_MeV``, ``flux``, ``err_lo`` (negative; empty for an upper limit) and ``err_hi``: the
    catalogue's limit at 95 % is flux + 2 err_hi. σ of a detection is the mean of both errors. Else
    ``name``, edges, ``flux`` and ``error``, or ``limit`` and ``level`` (its confidence, 0.95) of a
    band in which nothing was seen.

    Raises
    ------
    MeasurementError
        Naming file, line and column.
    """
    rows = read_table(
        path,
        numbers=(*_EDGES, "err_hi"),
        optional=("flux", "err_lo", *VALUES),
        texts=("harris_name", "name"),
        units=_UNITS,
        catalogue=fermi.bands,
    )
    catalogue = rows.has("err_hi")
    names = names_in(rows, "harris_name" if catalogue else "name")
    keys = np.array([normalised(name) for name in names])
    low, high = (positive(rows, edge) for edge in _EDGES)
    for i, (one, other) in enumerate(zip(low, high, strict=True)):
        if not other > one:
            raise wrong(rows, i, "e_hi_MeV", f"{other:g} is not above e_lo_MeV = {one:g}")
    order = np.lexsort((high, low, keys))
    own = [order[keys[order] == key] for key in sorted(set(keys))]
    for cluster in own:
        _require_separate(rows, names, low, high, cluster)
    flux, sigma, limit, level = _catalogue(rows) if catalogue else _general(rows)
    return BandTable(
        path=path,
        names=[names[cluster[0]] for cluster in own],
        lines=[int(rows.lines[cluster].min()) for cluster in own],
        bands=Bands(
            low=_table(low, own, 1.0),
            high=_table(high, own, 2.0),
            flux=_table(flux, own, 0.0),
            sigma=_table(sigma, own, 1.0),
            limit=_table(limit, own, 0.0) > 0,
            level=_table(level, own, 0.0),
            used=_table(np.ones_like(flux), own, 0.0) > 0,
        ),
        counted=rows.counted,
    )


def _table(values: NDArray[np.generic], own: list[NDArray[np.intp]], blank: float) -> Array:
    """[cluster, band] of a column, each row filled up to the longest."""
    result = np.full((len(own), max(map(len, own))), blank)
    for row, cluster in zip(result, own, strict=True):
        row[: len(cluster)] = values[cluster]
    return result


def _catalogue(rows: Rows) -> tuple[Array, Array, Flags, Array]:
    flux = not_negative(rows, "flux")
    down, up = rows.column("err_lo"), positive(rows, "err_hi")
    for i, error in enumerate(down):
        if error >= 0:
            why = f"{error:g}; in this catalogue lower errors are negative, or empty for a limit"
            raise wrong(rows, i, "err_lo", why)
    limit = np.isnan(down)
    return flux, np.where(limit, up, (up - down) / 2), limit, flux + 2 * up


def _general(rows: Rows) -> tuple[Array, Array, Flags, Array]:
    value, confidence, limit = values_and_limits(rows, "flux")
    # nothing was seen: a best flux of zero, and the limit as many σ above it as its level says
    sigma = np.where(limit, value / ndtri(confidence), rows.column("error"))
    return np.where(limit, 0.0, value), sigma, limit, value


def _require_separate(
    rows: Rows, names: list[str], low: Array, high: Array, cluster: NDArray[np.intp]
) -> None:
    """See that no band covers another one's energies: a row, or a cluster, given twice."""
    for before, here in itertools.pairwise(cluster):
        if low[here] < high[before] * (1 - 1e-6):
            why = f"{names[here]} has a band at these energies already, in {rows.counted}"
            raise wrong(rows, int(here), "e_lo_MeV", f"{why} {rows.lines[before]}")
