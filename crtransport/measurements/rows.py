"""A text file of comment lines, a line of column names, and rows: read once, line by line.

Of each row only the columns asked for are kept, eight bytes for each number: a tidy table of a
million rows takes four seconds and 150 megabytes.
"""

from __future__ import annotations

import csv
import math
import sys
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from crtransport.measurements.table import MeasurementError

Array = NDArray[np.float64]
Split = Callable[[str], list[str]]


@dataclass(frozen=True, kw_only=True)
class Rows:
    """What is in one file, or a part of it: n rows.

    Attributes
    ----------
    path : Path
        The file, for messages.
    comments : list of str
        Lines above the first row that begin with "#".
    lines : array of int (n,)
        Number of each row's line.
    numbers : dict of str to array (n,)
        Columns of numbers by name; NaN where an optional one is empty.
    texts : dict of str to list of str
        Columns of words by name.
    counted : str
        What ``lines`` count, for messages: "line", or "row" in a file without lines.
    """

    path: Path
    comments: list[str]
    lines: NDArray[np.int64]
    numbers: dict[str, Array]
    texts: dict[str, list[str]]
    counted: str = "line"

    def has(self, *columns: str) -> bool:
        """Whether there are columns of numbers of these names."""
        return set(columns) <= set(self.numbers)

    def column(self, name: str) -> Array:
        """The numbers of one column.

        Raises
        ------
        MeasurementError
            If there is no such column.
        """
        if name not in self.numbers:
            raise MeasurementError(f"{self.path}: missing column {name}")
        return self.numbers[name]

    def take(self, chosen: NDArray[np.int64]) -> Rows:
        """Some of the rows, by their indices."""
        return replace(
            self,
            lines=self.lines[chosen],
            numbers={name: values[chosen] for name, values in self.numbers.items()},
            texts={name: [words[i] for i in chosen] for name, words in self.texts.items()},
        )

    def where(self, name: str, value: float) -> Rows:
        """The rows with this value in a column."""
        chosen = np.flatnonzero(self.column(name) == value)
        if not chosen.size:
            raise MeasurementError(f"{self.path}: no rows with {name} = {value:g}")
        return self.take(chosen)

    def place(self, i: int, column: str) -> str:
        """File, line and column of a number, for messages."""
        return f"{self.path}, {self.counted} {self.lines[i]}, column {column}"


def comma(line: str) -> list[str]:
    """Cells between commas, some of them perhaps in quotes."""
    return next(csv.reader([line])) if '"' in line else line.split(",")


def read_rows(
    path: Path,
    *,
    numbers: Iterable[str],
    required: Iterable[str] = (),
    optional: Iterable[str] = (),
    texts: Iterable[str] = (),
    header: Sequence[str] | None = None,
    split: Split = comma,
) -> Rows:
    """Read a file.

    Parameters
    ----------
    path : Path
        Text in UTF-8.
    numbers, optional, texts : iterable of str
        Columns to keep where the file has them: finite numbers, numbers that may be empty or
        "nan", and words. All others are passed over.
    required : iterable of str
        Columns that must be there.
    header : sequence of str, optional
        Names of the columns; left out, the first line that is no comment has them.
    split : callable
        From a line to its cells.

    Raises
    ------
    MeasurementError
        Naming the line, and the column where there is one.
    """
    comments: list[str] = []
    body = _lines(path, comments)
    try:
        if header is None:
            header = split(next(body, (0, ""))[1])
        if missing := [name for name in required if name not in header]:
            found = ", ".join(header)[:100] or "none"
            raise MeasurementError(f"{path}: missing column {', '.join(missing)}; found: {found}")
        wanted = {*numbers}, {*optional}, {*texts}
        kept, words, lines = _collected(path, body, header, split, wanted)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        why = getattr(error, "strerror", None) or error
        raise MeasurementError(f"{path} cannot be read: {why}") from None
    if not lines:
        raise MeasurementError(f"{path}: no rows of numbers in its {_count(path)} lines")
    return Rows(
        path=path,
        comments=comments,
        lines=np.array(lines, dtype=np.int64),
        numbers={name: np.array(values) for name, values in kept.items()},
        texts=words,
    )


def _count(path: Path) -> int:
    with path.open("rb") as file:
        return sum(1 for _ in file)


def _lines(path: Path, comments: list[str]) -> Iterator[tuple[int, str]]:
    """Lines with their numbers; those that begin with "#" are put aside."""
    first = True
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, 1):
            if line.startswith("#"):
                if first:
                    comments.append(line.rstrip())
            elif line.strip():
                yield number, line.rstrip()
                first = False


def _collected(
    path: Path,
    body: Iterator[tuple[int, str]],
    header: Sequence[str],
    split: Split,
    wanted: tuple[set[str], set[str], set[str]],
) -> tuple[dict[str, array[float]], dict[str, list[str]], array[int]]:
    numbers, optional, texts = wanted
    kept = {name: array("d") for name in header if name in numbers | optional}
    words: dict[str, list[str]] = {name: [] for name in header if name in texts}
    places = [(header.index(name), name, name in optional, kept[name]) for name in kept]
    word_places = [(header.index(name), words[name]) for name in words]
    lines = array("q")
    for line, text in body:
        cells = split(text)
        if len(cells) != len(header):
            why = f"{len(cells)} columns where the header has {len(header)}"
            raise MeasurementError(f"{path}, line {line}: {why}")
        for i, name, may_miss, values in places:
            value = _number(cells[i], may_miss)
            if value is None:
                why = f"{cells[i][:40]!r} is no number"
                raise MeasurementError(f"{path}, line {line}, column {name}: {why}")
            values.append(value)
        for i, column in word_places:
            # the same few words stand in every row: kept once
            column.append(sys.intern(cells[i].strip()))
        lines.append(line)
    return kept, words, lines


def _number(text: str, may_miss: bool) -> float | None:
    """The number, NaN for one that is allowed to miss, None for what is none."""
    try:
        value = float(text)
    except ValueError:
        return math.nan if may_miss and not text.strip(' "') else None
    if math.isfinite(value) and "_" not in text:
        return value
    return math.nan if may_miss and math.isnan(value) else None
