"""Read tidy tables: comment lines with the provenance, a line of column names, numbers."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from crtransport.measurements import voyager
from crtransport.measurements.rows import Rows, read_rows
from crtransport.measurements.table import Measurement, MeasurementError, per_nucleon, ratio_parts

#: where the tables lie below the data folder
POINTS = Path("cr-kiss") / "points"
VARIABLE = "CRTRANSPORT_DATA"

_COLUMNS = ("x", "y", "stat_lo", "stat_hi", "sys_lo", "sys_hi")
_TITLE = re.compile(r"# (?P<experiment>.+) (?P<quantity>\S+) vs \S+$")
_AXES = re.compile(r"# y: .*\[(?P<unit>.+)\]; x: (?P<x_kind>\S+)$")
_REFERENCE = re.compile(r"# reference: (?P<reference>.+)$")


def data_folder(option: str | Path | None = None) -> Path | None:
    """The data folder: the option if it is given, else CRTRANSPORT_DATA, else None."""
    given = option or os.environ.get(VARIABLE)
    return Path(given).expanduser() if given else None


def load(names: Iterable[str], folder: str | Path) -> list[Measurement]:
    """Read tables by name, ``AMS-02_H_rigidity`` or ``voyager1_He_2016``, from the data folder.

    Raises
    ------
    MeasurementError
        If the folder or a table is missing, or a table cannot be read.
    """
    return [_read(name, Path(folder)) for name in names]


def load_fluxes(names: Iterable[str], folder: str | Path) -> list[Measurement]:
    """Like `load`, and refuse a table that is no flux of one element.

    Raises
    ------
    MeasurementError
    """
    tables = load(names, folder)
    for table in tables:
        per_nucleon(table)
    return tables


def load_fluxes_and_ratios(names: Iterable[str], folder: str | Path) -> list[Measurement]:
    """Like `load`, and refuse what is neither a flux of one element nor a ratio of two.

    Raises
    ------
    MeasurementError
    """
    tables = load(names, folder)
    for table in tables:
        if table.is_flux:
            per_nucleon(table)
        else:
            ratio_parts(table)
    return tables


def _read(name: str, folder: Path) -> Measurement:
    of_voyager = voyager.is_voyager(name)
    below = folder / (voyager.FOLDER if of_voyager else POINTS)
    if not below.is_dir():
        part = below.relative_to(folder)
        why = f"there is no folder {part} in it" if folder.is_dir() else "no such folder"
        raise MeasurementError(f"data folder {folder}: {why} (--data, or {VARIABLE})")
    listed = voyager.names(folder) if of_voyager else [p.stem for p in below.glob("*.csv")]
    # not path.is_file(): a name such as ../x must not lead out of the folder
    if name not in listed:
        known = {one.lower(): one for one in listed}
        close = difflib.get_close_matches(name[:100].lower(), known, n=3, cutoff=0.5)
        nearest = ", ".join(known[key] for key in close)
        hint = f"; nearest: {nearest}" if nearest else ""
        raise MeasurementError(f"there is no table {name[:100]!r} in {below}{hint}")
    if of_voyager:
        return voyager.read(name, folder)
    rows = read_rows(below / f"{name}.csv")
    return Measurement(name=name, **_header(rows), **_numbers(rows))


def _header(rows: Rows) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for pattern in (_TITLE, _AXES, _REFERENCE):
        matches = [m for m in map(pattern.match, rows.comments) if m]
        if not matches:
            raise MeasurementError(f"{rows.path}: no comment line of the form {pattern.pattern!r}")
        found |= matches[0].groupdict()
    return found


def _numbers(rows: Rows) -> dict[str, Any]:
    missing = [column for column in _COLUMNS if not rows.has(column)]
    if missing:
        raise MeasurementError(f"{rows.path}: missing column {', '.join(missing)}")
    return {column: rows.column(column) for column in _COLUMNS}
