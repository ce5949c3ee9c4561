"""Tables of gamma-ray luminosities, detections and upper limits, read and checked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from crtransport.clusters import fermi
from crtransport.clusters.names import different_names
from crtransport.clusters.tables import read_table
from crtransport.clusters.vizier import read_entries
from crtransport.measurements.rows import Rows
from crtransport.measurements.table import MeasurementError

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

#: of a table of luminosities and limits, or of bands
VALUES = ("error", "limit", "level")
_SOURCES = ("Energy_Flux100", "Unc_Energy_Flux100", "Signif_Avg")
_UNITS = dict.fromkeys(_SOURCES[:2], "erg / (cm2 s)")
_UNITS |= dict.fromkeys(("luminosity", "error", "limit"), "erg / s") | {"level": ""}

#: Signif_Avg of a source at the threshold of 4FGL, TS = 25 with four free parameters
AT_THRESHOLD = 4.1


@dataclass(frozen=True, kw_only=True)
class Luminosities:
    """What is known of the gamma rays of some clusters.

    Attributes
    ----------
    names : [row] of str
    flux : [row]
        Energy flux, erg cm⁻² s⁻¹, or NaN where `luminosity` is given.
    luminosity : [row]
        erg/s, or NaN where `flux` is given.
    limit : [row] of bool
        Which are upper limits.
    at_threshold : [row]
        Flux of a source just detected at that place, erg cm⁻² s⁻¹; NaN where it is not known.
    """

    names: list[str]
    flux: Array
    luminosity: Array
    limit: Flags
    at_threshold: Array


def read_luminosities(path: Path) -> Luminosities:
    """Of a 4FGL table of sources, or of a table of luminosities and limits.

    4FGL, as it comes (FITS) or as text: ``harris_name`` (there ASSOC1), ``Energy_Flux100``,
    ``Unc_Energy_Flux100``, ``Signif_Avg``; a source of significance S has the flux F × 4.1/S where
    it would just be detected, background permitting. Else ``name``, ``luminosity`` [erg/s],
    ``error``, and for upper limits ``limit`` [erg/s] and ``level`` (its confidence, 0.95) in place
    of the two. A folder is a catalogue of VizieR: see `crtransport.clusters.vizier`.

    Raises
    ------
    MeasurementError
        Naming file, line and column.
    """
    if path.is_dir():
        return _of_vizier(path)
    rows = read_table(
        path,
        numbers=_SOURCES,
        optional=("luminosity", *VALUES),
        texts=("harris_name", "name"),
        units=_UNITS,
        catalogue=fermi.sources,
    )
    if not rows.has("Energy_Flux100"):
        return _general(rows)
    names = different_names(rows, "harris_name")
    flux, significance = (positive(rows, c) for c in ("Energy_Flux100", "Signif_Avg"))
    not_negative(rows, "Unc_Energy_Flux100")
    return Luminosities(
        names=names,
        flux=flux,
        luminosity=np.full_like(flux, np.nan),
        limit=np.zeros(len(names), bool),
        at_threshold=flux * AT_THRESHOLD / significance,
    )


def _of_vizier(folder: Path) -> Luminosities:
    names, luminosity, limit = read_entries(folder)
    unknown = np.full_like(luminosity, np.nan)
    return Luminosities(
        names=names, flux=unknown, luminosity=luminosity, limit=limit, at_threshold=unknown
    )


def _general(rows: Rows) -> Luminosities:
    names = different_names(rows, "name")
    value, level, limit = values_and_limits(rows, "luminosity")
    for i, one in enumerate(value):
        if one <= 0:
            raise wrong(rows, i, "luminosity", f"{one:g} is not above zero")
    levels = np.unique(level[limit])
    if len(levels) > 1:
        i = int(np.flatnonzero(limit & (level != levels[-1]))[0])
        why = f"a limit at {levels[0]:g} beside others at {levels[-1]:g}; all must be alike"
        raise wrong(rows, i, "level", why)
    unknown = np.full_like(value, np.nan)
    return Luminosities(
        names=names, flux=unknown, luminosity=value, limit=limit, at_threshold=unknown
    )


def values_and_limits(rows: Rows, column: str) -> tuple[Array, Array, Flags]:
    """Value, or limit, of each row; the confidence of limits, else NaN; which are limits."""
    value, error, limit, level = (rows.column(name) for name in (column, *VALUES))
    is_limit = np.isfinite(limit)
    for k in range(len(value)):
        if is_limit[k] == np.isfinite(value[k]):
            why = "both it and limit are given" if is_limit[k] else "neither it nor limit is given"
            raise wrong(rows, k, column, f"{why}; one of them must be")
        if is_limit[k] and not 0.5 < level[k] < 1:
            found = "no level" if np.isnan(level[k]) else f"a level of {level[k]:g}"
            why = f"a limit with {found}; it needs its confidence, such as 0.95"
            raise wrong(rows, k, "level", why)
        if not is_limit[k] and not error[k] > 0:
            found = "no error" if np.isnan(error[k]) else f"{error[k]:g}"
            raise wrong(rows, k, "error", f"{found}; an error above zero is needed")
        if is_limit[k] and limit[k] <= 0:
            raise wrong(rows, k, "limit", f"{limit[k]:g} is not above zero")
    return np.where(is_limit, limit, value), np.where(is_limit, level, np.nan), is_limit


def positive(rows: Rows, column: str) -> Array:
    """A column of numbers above zero."""
    values = rows.column(column)
    for i, value in enumerate(values):
        if not value > 0:
            raise wrong(rows, i, column, f"{value:g} is not above zero")
    return values


def not_negative(rows: Rows, column: str) -> Array:
    """A column of numbers that are not below zero."""
    values = rows.column(column)
    for i, value in enumerate(values):
        if not value >= 0:
            why = "no number" if np.isnan(value) else f"{value:g} is negative"
            raise wrong(rows, i, column, why)
    return values


def wrong(rows: Rows, i: int, column: str, why: str) -> MeasurementError:
    """The error of one cell of the i-th row."""
    return MeasurementError(f"{rows.place(i, column)}: {why}")
