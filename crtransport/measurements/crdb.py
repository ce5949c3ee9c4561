"""Exports of the cosmic-ray database CRDB (https://lpsc.in2p3.fr/crdb), of its three formats:

``usine``, 16 columns between blanks; ``csv``, the same between commas; ``csv-asimport``, 24 columns
between commas, or 23 without the modulation. (``galprop`` is read by
`crtransport.measurements.galprop`.) The columns are those that the header of each export lists,
``#   Col.1  -  QUANTITY NAME``, as printed in CRDB's tutorials (github.com/crdb-project/tutorial),
and as version 0.12 of its package ``crdb`` takes them apart (``_CSV_FIELDS`` and
``_CSV_ASIMPORT_FIELDS``); Maurin et al. 2020, Universe 6 102, and 2023, EPJC 83 971, describe
them. Lower errors stand there with a minus sign, or without one: their size is taken.

CRDB says which values are upper limits and not at what level. A bin without known edges has its
mean energy in their place; edges are kept where all bins of a table have them.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import numpy as np

from crtransport.measurements.reading import Reading, quantity_name, table_name, upper_limits
from crtransport.measurements.rows import Rows, comma, read_rows
from crtransport.measurements.table import FLUX_UNITS, Measurement, MeasurementError

QUANTITY, EXPERIMENT, AXIS = "QUANTITY NAME", "SUB-EXP NAME", "EAXIS TYPE"
MEAN, LOW, HIGH, VALUE = "<E>", "EBIN_LOW", "EBIN_HIGH", "QUANTITY VALUE"
STAT_LO, STAT_HI, SYS_LO, SYS_HI = "ERR_STAT-", "ERR_STAT+", "ERR_SYST-", "ERR_SYST+"
REFERENCE, PHI, DISTANCE, DATES, LIMIT = "ADS URL", "phi", "DISTANCE", "DATIMES", "IS UPPER LIMIT"

#: the 16 columns of ``usine`` and ``csv``
COLUMNS = (
    *(QUANTITY, EXPERIMENT, AXIS, MEAN, LOW, HIGH, VALUE, STAT_LO, STAT_HI, SYS_LO, SYS_HI),
    *(REFERENCE, PHI, DISTANCE, DATES, LIMIT),
)
#: the 23 columns of ``csv-asimport``; the modulation may follow as the 24th
AS_IMPORT = (
    *("EXP-NAME", "EXP-TYPE", "EXP-HTML", "EXP-STARTYEAR", EXPERIMENT, "SUBEXP-DESCRIPTION"),
    *("SUBEXP-ESCALE_RELERR", "SUBEXP-INFO", DISTANCE, DATES, REFERENCE, "PUBLI-DATAORIGIN"),
    *(QUANTITY, AXIS, MEAN, LOW, HIGH, VALUE, STAT_LO, STAT_HI, SYS_LO, SYS_HI, LIMIT),
)
AXES = {
    "R": "rigidity_GV",
    "EKN": "kinetic_energy_per_nucleon_GeV",
    "EK": "kinetic_energy_GeV",
    "ETOT": "total_energy_GeV",
}
#: au; Voyager 1 left the heliosphere at 121.6, Voyager 2 at 119.0
HELIOPAUSE = 119.0

_NUMBERS = (MEAN, LOW, HIGH, VALUE, STAT_LO, STAT_HI, SYS_LO, SYS_HI, LIMIT)
_WORDS = (QUANTITY, EXPERIMENT, AXIS, REFERENCE, DATES)
_FIELDS = dict(
    zip(
        ("x", "x_lo", "x_hi", "y", "stat_lo", "stat_hi", "sys_lo", "sys_hi", "limits"),
        (MEAN, LOW, HIGH, VALUE, STAT_LO, STAT_HI, SYS_LO, SYS_HI, LIMIT),
        strict=True,
    )
)


def read_usine(path: Path, limit_level: float | None = None) -> list[Reading]:
    """The measurements of a ``usine`` export, one for each quantity, data taking and paper.

    Parameters
    ----------
    path : Path
    limit_level : float, optional
        Confidence level of the upper limits.

    Raises
    ------
    MeasurementError
        Naming the line and the column.
    """
    return _measurements(path, COLUMNS, blanks, "CRDB export (usine)", limit_level)


def read_csv(path: Path, limit_level: float | None = None) -> list[Reading]:
    """The same of a ``csv`` export."""
    return _measurements(path, COLUMNS, comma, "CRDB export (csv)", limit_level)


def read_as_import(path: Path, limit_level: float | None = None) -> list[Reading]:
    """The same of a ``csv-asimport`` export, with the modulation or without."""
    with_phi = _cells_of_first_row(path) > len(AS_IMPORT)
    header = (*AS_IMPORT, PHI) if with_phi else AS_IMPORT
    return _measurements(path, header, comma, "CRDB export (csv-asimport)", limit_level)


def blanks(line: str) -> list[str]:
    """Cells between blanks; "AMS02 (2011/05-2018/05)", written with one, is a single cell."""
    cells = line.split()
    if len(cells) == len(COLUMNS) + 1 and cells[2].startswith("("):
        cells[1:3] = ["".join(cells[1:3])]
    return cells


def _cells_of_first_row(path: Path) -> int:
    with path.open(encoding="utf-8-sig") as file:
        return next(len(comma(line)) for line in file if line.strip() and line[0] != "#")


def _measurements(
    path: Path,
    header: tuple[str, ...],
    split: Callable[[str], list[str]],
    kind: str,
    limit_level: float | None,
) -> list[Reading]:
    columns: dict[str, Any] = {"numbers": _NUMBERS, "optional": [DISTANCE], "texts": _WORDS}
    everything = read_rows(path, **columns, header=header, split=split)
    groups: dict[tuple[str, ...], list[int]] = {}
    keys = zip(*(everything.texts[name] for name in _WORDS[:4]), strict=True)
    for i, key in enumerate(keys):
        groups.setdefault(key, []).append(i)
    found = []
    for chosen in groups.values():
        rows = everything.take(np.array(chosen))
        measurement = _measurement(rows, limit_level)
        found.append(Reading(measurement=measurement, rows=rows, columns=_FIELDS, kind=kind))
    return found


def _measurement(rows: Rows, limit_level: float | None) -> Measurement:
    words = {name: rows.texts[name][0] for name in _WORDS}
    if words[AXIS].upper() not in AXES:
        why = f"{words[AXIS]!r} is no axis that can be used; these can: {', '.join(AXES)}"
        raise MeasurementError(f"{rows.place(0, AXIS)}: {why}")
    words[EXPERIMENT] = words[EXPERIMENT].partition("(")[0].strip()
    for name in (QUANTITY, EXPERIMENT, REFERENCE):
        if not words[name]:
            raise MeasurementError(f"{rows.place(0, name)}: is empty")
    x_kind = AXES[words[AXIS].upper()]
    quantity = quantity_name(words[QUANTITY])
    return Measurement(
        name=table_name(words[EXPERIMENT], quantity, x_kind),
        experiment=words[EXPERIMENT],
        quantity=quantity,
        reference=words[REFERENCE],
        x_kind=x_kind,
        unit="1" if _is_pure_number(words[QUANTITY]) else FLUX_UNITS[x_kind],
        x=rows.column(MEAN),
        y=rows.column(VALUE),
        stat_lo=np.abs(rows.column(STAT_LO)),
        stat_hi=rows.column(STAT_HI),
        sys_lo=np.abs(rows.column(SYS_LO)),
        sys_hi=rows.column(SYS_HI),
        **_edges(rows),
        **upper_limits(rows, LIMIT, rows.column(LIMIT), limit_level),
        epoch=_epoch(rows),
        interstellar=bool(np.all(rows.column(DISTANCE) >= HELIOPAUSE)),
    )


def _is_pure_number(quantity: str) -> bool:
    """Whether a quantity of CRDB is a ratio, a mean such as <LnA>, or a dipole, and no flux."""
    return "/" in quantity or quantity.startswith(("<", "Dipole"))


def _edges(rows: Rows) -> dict[str, Any]:
    low, high = rows.column(LOW), rows.column(HIGH)
    return {"x_lo": low, "x_hi": high} if np.all(low != high) else {}


def _epoch(rows: Rows) -> tuple[date, date] | None:
    """First and last day of yyyy/mm/dd-hhmmss:yyyy/mm/dd-hhmmss;…, None where it is not given."""
    days = []
    for i, text in enumerate(rows.texts[DATES]):
        if i and text == rows.texts[DATES][i - 1]:
            continue
        for stamp in filter(None, re.split("[:;]", text)):
            try:
                days.append(datetime.strptime(stamp.partition("-")[0], "%Y/%m/%d").date())
            except ValueError:
                why = f"{stamp!r} is no yyyy/mm/dd-hhmmss"
                raise MeasurementError(f"{rows.place(i, DATES)}: {why}") from None
    return (min(days), max(days)) if days else None
