"""Rows of different tables that speak of the same cluster."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from crtransport.measurements.rows import Rows
from crtransport.measurements.table import MeasurementError

#: what catalogues write in full, and its usual short form
_SHORT = (("terzan", "ter"), ("palomar", "pal"), ("tonantzintla", "ton"), ("2mass", "2ms"))


def normalised(name: str) -> str:
    """A name without spaces, signs, capitals and leading zeros: "NGC_104", "Glimpse 02"."""
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    for full, short in _SHORT:
        plain = plain.replace(full, short)
    return re.sub(r"(?<=[a-z])0+(?=\d)", "", plain)


def require_different(rows: Rows, names: Sequence[str], column: str) -> None:
    """See that no cluster has two rows.

    Raises
    ------
    MeasurementError
        Naming both lines.
    """
    seen: dict[str, int] = {}
    for line, name in zip(rows.lines, names, strict=True):
        key = normalised(name)
        if not key:
            raise MeasurementError(f"{rows.path}, line {line}, column {column}: no name")
        if key in seen:
            why = f"{name!r} is the cluster of line {seen[key]} again; each may stand there once"
            raise MeasurementError(f"{rows.path}, line {line}, column {column}: {why}")
        seen[key] = line


def positions(
    wanted: Sequence[str], names: Sequence[str], others: Sequence[str] | None = None
) -> NDArray[np.intp]:
    """Where each of ``wanted`` stands among ``names``, or by its ``others``; −1 where nowhere."""
    found = {normalised(other): i for i, other in enumerate(others or ())}
    found |= {normalised(name): i for i, name in enumerate(names)}
    return np.array([found.get(normalised(name), -1) for name in wanted], dtype=np.intp)
