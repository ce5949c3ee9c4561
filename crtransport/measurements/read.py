"""Read tidy tables: comment lines with the provenance, a line of column names, numbers."""

from __future__ import annotations

import csv
import difflib
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from crtransport.measurements.table import MeasurementError, Table, per_nucleon

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


def load(names: Iterable[str], folder: str | Path) -> list[Table]:
    """Read tables by name, ``AMS-02_H_rigidity``, from the data folder.

    Raises
    ------
    MeasurementError
        If the folder or a table is missing, or a table cannot be read.
    """
    points = Path(folder) / POINTS
    if not points.is_dir():
        why = f"there is no folder {POINTS} in it" if Path(folder).is_dir() else "no such folder"
        raise MeasurementError(f"data folder {folder}: {why} (--data, or {VARIABLE})")
    return [_read(name, points) for name in names]


def load_fluxes(names: Iterable[str], folder: str | Path) -> list[Table]:
    """Like `load`, and refuse a table that is no flux of one element.

    Raises
    ------
    MeasurementError
    """
    tables = load(names, folder)
    for table in tables:
        per_nucleon(table)
    return tables


def _read(name: str, points: Path) -> Table:
    path = points / f"{name}.csv"
    known = {p.stem.lower(): p.stem for p in points.glob("*.csv")}
    # not path.is_file(): a name such as ../x must not lead out of the folder
    if name not in known.values():
        close = difflib.get_close_matches(name[:100].lower(), known, n=3, cutoff=0.5)
        nearest = ", ".join(known[key] for key in close)
        hint = f"; nearest: {nearest}" if nearest else ""
        raise MeasurementError(f"there is no table {name[:100]!r} in {points}{hint}")
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise MeasurementError(f"{path} cannot be read: {error}") from None
    comments = [line for line in lines if line.startswith("#")]
    return Table(name=name, **_header(path, comments), **_numbers(path, lines))


def _header(path: Path, comments: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for pattern in (_TITLE, _AXES, _REFERENCE):
        matches = [m for m in map(pattern.match, comments) if m]
        if not matches:
            raise MeasurementError(f"{path}: no comment line of the form {pattern.pattern!r}")
        found |= matches[0].groupdict()
    return found


def _numbers(path: Path, lines: list[str]) -> dict[str, Any]:
    rows = [
        (number, next(csv.reader([line])))
        for number, line in enumerate(lines, 1)
        if line.strip() and not line.startswith("#")
    ]
    header = rows[0][1] if rows else []
    missing = [column for column in _COLUMNS if column not in header]
    if missing:
        raise MeasurementError(f"{path}: missing column {', '.join(missing)}")
    if len(rows) < 2:
        raise MeasurementError(f"{path}: no rows of numbers")
    return {
        column: np.array([_number(path, row, header, column) for row in rows[1:]])
        for column in _COLUMNS
    }


def _number(path: Path, row: tuple[int, list[str]], header: list[str], column: str) -> float:
    line, cells = row
    if len(cells) != len(header):
        why = f"{len(cells)} columns where the header has {len(header)}"
        raise MeasurementError(f"{path}, line {line}: {why}")
    text = cells[header.index(column)]
    try:
        value = float(text)
    except ValueError:
        value = np.nan
    if not np.isfinite(value):
        raise MeasurementError(f"{path}, line {line}, column {column}: {text!r} is no number")
    return value
