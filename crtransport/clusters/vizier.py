"""Luminosities of clusters from a catalogue of VizieR, as `crtransport data fetch` keeps it.

VizieR's columns have units, and names by which their kind is told (CDS, Standards for Astronomical
Catalogues, version 2.0, Sec. 3.2.3): ``l_X`` holds "<" where X is an upper limit, ``e_X`` is the
error of X. So the column of luminosities is the one whose unit is a power; the confidence of limits
is not asked for, and taken to be the same for all. The tables of Song et al. 2021
(J/MNRAS/507/5161) themselves could not be had: this has been tried on tables made by hand after
those rules only.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crtransport.clusters.tables import astropy_table, converted, words
from crtransport.measurements.table import MeasurementError

Array = NDArray[np.float64]

SUFFIXES = (".ecsv", ".fits", ".fit", ".vot", ".xml")
_NAMES = ("name", "gc", "cluster", "id", "gcl", "ggc")
#: error, errors upwards and downwards, limit flag, its upper partner, and notes
_ABOUT_OTHERS = ("e_", "E_", "l_", "u_", "n_", "f_", "q_", "r_")


class Entries(NamedTuple):
    """Rows of all tables of a catalogue.

    Attributes
    ----------
    names : [row] of str
    luminosity : [row]
        erg/s.
    limit : [row] of bool
    """

    names: list[str]
    luminosity: Array
    limit: NDArray[np.bool_]


def read_entries(folder: Path) -> Entries:
    """The clusters and luminosities of the tables in a folder.

    Raises
    ------
    MeasurementError
        If no table has a column of names and one of luminosities, or one has several.
    """
    paths = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    found = [entries for path in paths if (entries := _entries(path)) is not None]
    if not found:
        why = "a column of names and one of luminosities, whose unit is a power such as erg/s"
        files = ", ".join(path.name for path in paths) or f"files {', '.join(SUFFIXES)}"
        raise MeasurementError(f"{folder}: no table with {why}, among {files}")
    return Entries(
        names=[name for one in found for name in one.names],
        luminosity=np.concatenate([one.luminosity for one in found]),
        limit=np.concatenate([one.limit for one in found]),
    )


def _entries(path: Path) -> Entries | None:
    table = astropy_table(path)
    name = next((c for c in table.colnames if c.lower() in _NAMES), None)
    powers = list(_powers(table))
    if name is None or not powers:
        return None
    if len(powers) > 1:
        why = f"the columns {', '.join(powers)} are luminosities all; keep one in the file"
        raise MeasurementError(f"{path}: {why}")
    luminosity = converted(path, table, powers[0], "erg / s")
    limit = _limits(path, table, powers[0])
    given = np.isfinite(luminosity)
    for i in np.flatnonzero(given & ~(luminosity > 0)):
        why = f"{luminosity[i]:g} erg/s is not above zero"
        raise MeasurementError(f"{path}, row {i + 1}, column {powers[0]}: {why}")
    names = [word for word, known in zip(words(table, name), given, strict=True) if known]
    return Entries(names, luminosity[given], limit[given])


def _powers(table: Any) -> Iterator[str]:
    """The columns whose unit is a power, or its logarithm."""
    from astropy import units

    for name in table.colnames:
        unit = table[name].unit
        if unit is None or name.startswith(_ABOUT_OTHERS):
            continue
        unit = getattr(unit, "physical_unit", unit)
        # in solar units a luminosity is that of the stars
        if unit.is_equivalent(units.Unit("erg / s")) and units.L_sun not in unit.bases:
            yield name


def _limits(path: Path, table: Any, column: str) -> NDArray[np.bool_]:
    """As the column's flags say; without them, all or none, as its description says."""
    flag = f"l_{column}"
    if flag not in table.colnames:
        described = str(table[column].description or "").lower()
        return np.full(len(table), "upper limit" in described)
    flags = words(table, flag)
    for i, word in enumerate(flags):
        if word not in ("", "<"):
            why = f"is {word!r}, must be '<' for an upper limit, or empty"
            raise MeasurementError(f"{path}, row {i + 1}, column {flag}: {why}")
    return np.array([word == "<" for word in flags])
