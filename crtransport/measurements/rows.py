"""A text file of comment lines, one line of column names, and rows of numbers."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from crtransport.measurements.table import MeasurementError

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Rows:
    """What is in one file.

    Attributes
    ----------
    path : Path
        The file, for messages.
    comments, header : list of str
        Lines that begin with "#", and the names of the columns.
    cells : list of (int, list of str)
        Number of the line, and its cells.
    """

    path: Path
    comments: list[str]
    header: list[str]
    cells: list[tuple[int, list[str]]]

    def has(self, *columns: str) -> bool:
        """Whether there are columns of these names."""
        return set(columns) <= set(self.header)

    def column(self, name: str) -> Array:
        """The numbers of one column.

        Raises
        ------
        MeasurementError
            If there is no such column, or something in it is no finite number.
        """
        if not self.has(name):
            raise MeasurementError(f"{self.path}: missing column {name}")
        return np.array([self._number(line, cells, name) for line, cells in self.cells])

    def column_with_gaps(self, name: str) -> Array:
        """The numbers of one column, NaN where a cell is empty."""
        texts = zip(self.cells, self.texts(name), strict=True)
        return np.array([self._number(*row, name) if text else np.nan for row, text in texts])

    def texts(self, name: str) -> list[str]:
        """The cells of one column, without spaces around them."""
        if not self.has(name):
            raise MeasurementError(f"{self.path}: missing column {name}")
        return [self._cell(line, cells, name).strip() for line, cells in self.cells]

    @property
    def lines(self) -> list[int]:
        """The number of each row's line."""
        return [line for line, _ in self.cells]

    def where(self, name: str, value: float) -> Rows:
        """The rows with this value in a column."""
        chosen = self.column(name) == value
        if not chosen.any():
            raise MeasurementError(f"{self.path}: no rows with {name} = {value:g}")
        cells = [row for row, take in zip(self.cells, chosen, strict=True) if take]
        return Rows(path=self.path, comments=self.comments, header=self.header, cells=cells)

    def _cell(self, line: int, cells: list[str], column: str) -> str:
        if len(cells) != len(self.header):
            why = f"{len(cells)} columns where the header has {len(self.header)}"
            raise MeasurementError(f"{self.path}, line {line}: {why}")
        return cells[self.header.index(column)]

    def _number(self, line: int, cells: list[str], column: str) -> float:
        text = self._cell(line, cells, column)
        try:
            value = float(text)
        except ValueError:
            value = np.nan
        if not np.isfinite(value):
            why = f"{text!r} is no number"
            raise MeasurementError(f"{self.path}, line {line}, column {column}: {why}")
        return value


def read_rows(path: Path) -> Rows:
    """Read a file.

    Raises
    ------
    MeasurementError
        If it cannot be read, or has no rows of numbers.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise MeasurementError(f"{path} cannot be read: {error}") from None
    rows = [
        (number, next(csv.reader([line])))
        for number, line in enumerate(lines, 1)
        if line.strip() and not line.startswith("#")
    ]
    if len(rows) < 2:
        raise MeasurementError(f"{path}: no rows of numbers")
    comments = [line for line in lines if line.startswith("#")]
    return Rows(path=path, comments=comments, header=rows[0][1], cells=rows[1:])
