"""Tidy tables: comment lines with the provenance, a line of column names, numbers.

    # AMS-02 B_C vs rigidity
    # reference: 10.1016/j.physrep.2020.09.003
    # y: ratio [1]; x: rigidity_GV
    # epoch: 2011-05-19/2018-05-26
    # upper_limit_level: 0.95
    x,x_lo,x_hi,y,stat_lo,stat_hi,sys_lo,sys_hi,upper_limit

The last two comment lines, "# interstellar: yes" and the columns x_lo, x_hi and upper_limit (1
where y is an upper limit, else 0) may be left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from crtransport.measurements.reading import Reading, confidence_level, edges, upper_limits
from crtransport.measurements.rows import Rows, read_rows
from crtransport.measurements.table import AXIS_NAMES, Measurement, MeasurementError

COLUMNS = ("x", "y", "stat_lo", "stat_hi", "sys_lo", "sys_hi")
EDGES = ("x_lo", "x_hi")
LIMIT = "upper_limit"
#: what a tidy table has and no other text
MARK = re.compile(r"# y: .*\[(?P<unit>.+)\]; x: (?P<x_kind>\S+)$")

_FORMS = ("# EXPERIMENT QUANTITY vs AXIS", "# y: WHAT [UNIT]; x: AXIS_UNIT", "# reference: …")
_TITLE = re.compile(r"# (?P<experiment>.+) (?P<quantity>\S+) vs \S+$")
_REFERENCE = re.compile(r"# reference: (?P<reference>.+)$")
_OPTIONAL = re.compile(r"# (?P<key>epoch|upper_limit_level|interstellar): (?P<value>.+)$")


def read(path: Path, limit_level: float | None = None) -> list[Reading]:
    """The one measurement of a file, under the name of the file.

    Raises
    ------
    MeasurementError
        Naming the line and the column.
    """
    rows = read_rows(path, numbers=(*COLUMNS, LIMIT), required=COLUMNS, optional=EDGES)
    header = _header(rows)
    level = header.pop("limit_level", limit_level)
    flags = rows.column(LIMIT) if rows.has(LIMIT) else np.zeros(rows.lines.size)
    header |= {column: rows.column(column) for column in COLUMNS}
    header |= edges(rows, *EDGES) | upper_limits(rows, LIMIT, flags, level)
    measurement = Measurement(name=path.stem, **header)
    return [Reading(measurement=measurement, rows=rows, columns={}, kind="tidy table")]


def _header(rows: Rows) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for pattern, form in zip((_TITLE, MARK, _REFERENCE), _FORMS, strict=True):
        matches = [m for m in map(pattern.match, rows.comments) if m]
        if not matches:
            raise MeasurementError(f"{rows.path}: no comment line of the form {form!r}")
        found |= matches[0].groupdict()
    if found["x_kind"] not in AXIS_NAMES:
        known = ", ".join(AXIS_NAMES)
        raise MeasurementError(f"{rows.path}: x is {found['x_kind']!r}, must be one of {known}")
    readers = {"epoch": _epoch, "upper_limit_level": _level, "interstellar": _interstellar}
    for comment in rows.comments:
        if match := _OPTIONAL.match(comment):
            try:
                found |= readers[match["key"]](match["value"])
            except ValueError as error:
                raise MeasurementError(f"{rows.path}, {comment!r}: {error}") from None
    return found


def _epoch(value: str) -> dict[str, Any]:
    first, _, last = value.partition("/")
    days = date.fromisoformat(first), date.fromisoformat(last)
    if days[0] > days[1]:
        raise ValueError("the first day is after the last")
    return {"epoch": days}


def _level(value: str) -> dict[str, Any]:
    return {"limit_level": confidence_level(value)}


def _interstellar(value: str) -> dict[str, Any]:
    if value not in ("yes", "no"):
        raise ValueError("must be yes or no")
    return {"interstellar": value == "yes"}


def text(measurement: Measurement, source: str) -> str:
    """A measurement as the content of a tidy table, every number to its last digit.

    Parameters
    ----------
    measurement : Measurement
    source : str
        Where it comes from, one line.
    """
    return "\n".join([*_head(measurement, source), *_body(measurement), ""])


def _head(one: Measurement, source: str) -> Iterator[str]:
    what = "flux" if one.is_flux else "ratio" if "_" in one.quantity else one.quantity
    yield f"# {one.experiment} {one.quantity} vs {AXIS_NAMES[one.x_kind]}"
    yield f"# reference: {one.reference or 'none given'}"
    yield f"# source: {source}"
    yield f"# y: {what} [{one.unit}]; x: {one.x_kind}"
    if one.epoch is not None:
        yield f"# epoch: {one.epoch[0]}/{one.epoch[1]}"
    if one.limit_level is not None:
        yield f"# upper_limit_level: {one.limit_level}"
    if one.interstellar:
        yield "# interstellar: yes"


def _body(one: Measurement) -> Iterator[str]:
    columns = {name: getattr(one, name) for name in ("x", *EDGES, *COLUMNS[1:])}
    present = {name: values.tolist() for name, values in columns.items() if values is not None}
    if one.limits is not None:
        present[LIMIT] = one.limits.astype(int).tolist()
    yield ",".join(present)
    for row in zip(*present.values(), strict=True):
        yield ",".join(map(repr, row))
