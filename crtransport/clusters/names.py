"""Rows of different tables that speak of the same cluster."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from crtransport.measurements.rows import Rows
from crtransport.measurements.table import MeasurementError

#: what catalogues write in full, and its usual short form
_SHORT = (
    ("terzan", "ter"),
    ("palomar", "pal"),
    ("tonantzintla", "ton"),
    ("2mass", "2ms"),
    ("glimpsec", "glimpse"),
    ("djorgovski", "djorg"),
    ("centauri", "cen"),
    ("tucanae", "tuc"),
    ("messier", "m"),
)


def normalised(name: str) -> str:
    """A name without spaces, signs, capitals and leading zeros: "NGC_104", "Glimpse 02"."""
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    for full, short in _SHORT:
        plain = plain.replace(full, short)
    return re.sub(r"(?<=[a-z])0+(?=\d)", "", plain)


def names_in(rows: Rows, column: str) -> list[str]:
    """The names in a column.

    Raises
    ------
    MeasurementError
        If there is no such column, or no name in one of its cells.
    """
    if column not in rows.texts:
        raise MeasurementError(f"{rows.path}: missing column {column}")
    names = rows.texts[column]
    for i, name in enumerate(names):
        if not normalised(name):
            raise MeasurementError(f"{rows.place(i, column)}: no name")
    return names


def different_names(rows: Rows, column: str) -> list[str]:
    """The names in a column of which no cluster may have two.

    Raises
    ------
    MeasurementError
        Naming both lines.
    """
    names = names_in(rows, column)
    seen: dict[str, int] = {}
    for i, name in enumerate(names):
        first = seen.setdefault(normalised(name), i)
        if first < i:
            why = f"{name!r} is the cluster of {rows.counted} {rows.lines[first]} again"
            raise MeasurementError(f"{rows.place(i, column)}: {why}; each may stand there once")
    return names


def positions(
    wanted: Sequence[str], names: Sequence[str], others: Sequence[str] | None = None
) -> NDArray[np.intp]:
    """Where each of ``wanted`` stands among ``names``, or by its ``others``; −1 where nowhere."""
    found = {normalised(other): i for i, other in enumerate(others or ())}
    found |= {normalised(name): i for i, name in enumerate(names)}
    return np.array([found.get(normalised(name), -1) for name in wanted], dtype=np.intp)
