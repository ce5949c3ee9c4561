"""A measurement with the place in its file of each of its numbers; what all readers share."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from crtransport.measurements.rows import Array, Rows
from crtransport.measurements.table import AXIS_NAMES, Measurement, MeasurementError

_ISOTOPE = re.compile(r"(\d+)([A-Z][a-z]?)$")


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A measurement as it was read.

    Attributes
    ----------
    measurement : Measurement
    rows : Rows
        The rows of the file that it was made of, in their order.
    columns : mapping
        Field of the measurement -> what the file calls that column; left out, the same.
    kind : str
        Of the file, in words.
    """

    measurement: Measurement
    rows: Rows
    columns: Mapping[str, str]
    kind: str

    def place(self, i: int, field: str) -> str:
        """File, line and column of the i-th number of a field."""
        return self.rows.place(i, self.columns.get(field, field))


def edges(rows: Rows, low: str, high: str) -> dict[str, Any]:
    """``x_lo`` and ``x_hi`` of bins; nothing where the columns are not there or all empty.

    Raises
    ------
    MeasurementError
        If only some are empty.
    """
    if not rows.has(low, high):
        return {}
    empty = {name: np.isnan(rows.column(name)) for name in (low, high)}
    if all(mask.all() for mask in empty.values()):
        return {}
    for name, mask in empty.items():
        if mask.any():
            place = rows.place(int(np.argmax(mask)), name)
            raise MeasurementError(f"{place}: is empty, while other bins have edges")
    return {"x_lo": rows.column(low), "x_hi": rows.column(high)}


def upper_limits(rows: Rows, column: str, flags: Array, level: float | None) -> dict[str, Any]:
    """``limits`` and ``limit_level`` of flags that are 1 where y is an upper limit, else 0.

    Raises
    ------
    MeasurementError
        If there is another number among the flags, or no level for an upper limit.
    """
    wrong = np.flatnonzero((flags != 0) & (flags != 1))
    if wrong.size:
        place = rows.place(int(wrong[0]), column)
        raise MeasurementError(f"{place}: is {flags[wrong[0]]:g}, must be 0 or 1 (an upper limit)")
    if not flags.any():
        return {}
    if level is None:
        place = rows.place(int(np.argmax(flags)), column)
        raise MeasurementError(
            f"{place}: an upper limit without its confidence level; state it by "
            "--limit-level 0.95, or in a tidy table by a line '# upper_limit_level: 0.95'"
        )
    return {"limits": flags == 1, "limit_level": level}


def confidence_level(text: str) -> float:
    """A number between 0 and 1.

    Raises
    ------
    MeasurementError
    """
    try:
        level = float(text)
    except ValueError:
        level = 0.0
    if not 0 < level < 1:
        raise MeasurementError(f"{text[:40]!r} is no confidence level: a number between 0 and 1")
    return level


def quantity_name(text: str) -> str:
    """What databases write "B/C" and "10Be/9Be" as we do: "B_C", "Be10_Be9"."""
    parts = text.replace(" ", "").split("/")
    return "_".join(_ISOTOPE.sub(r"\2\1", part) for part in parts)


def table_name(experiment: str, quantity: str, x_kind: str) -> str:
    """The name that a table goes by, fit for a file: "AMS02_B_C_rigidity"."""
    words = (experiment, quantity, AXIS_NAMES[x_kind])
    return "_".join(re.sub(r"[^\w.+-]+", "-", word).strip("-") for word in words)
