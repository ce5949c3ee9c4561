"""A catalogue of sources in a file, one burst a row, read in blocks however long it is.

    # comment lines
    name,distance [pc],age [kyr],l,b,alpha,R_c [TV],W_H,W_He
    Geminga,250,340,195.1,4.3,2.1,120,1e50,1.8e50

A column may carry a unit; without one it is that of the key of `LocalSource`. Other columns are
passed over.
"""

from __future__ import annotations

import csv
import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, get_args, get_type_hints

import numpy as np
from numpy.typing import NDArray

from crtransport.nuclides import UnknownElement, nuclide
from crtransport.physics.burst import Erg, LocalSource, Sources, threshold_rigidity
from crtransport.units import Quantity, UnitError, to_float

Array = NDArray[np.float64]
Line = tuple[int, str]

_PLACE, _SPECTRUM = ("distance", "age", "l", "b"), ("alpha", "R_c")
_HINTS = get_type_hints(LocalSource, include_extras=True)
_LIMITS: dict[str, Quantity] = {n: get_args(_HINTS[n])[1] for n in (*_PLACE, *_SPECTRUM)}
_ENERGY: Quantity = get_args(Erg)[1]
_HEAD = re.compile(r"\s*(\w+)\s*(?:\[(.*)\])?\s*$")
#: rows that are read at once
_BLOCK = 1000


class Column(NamedTuple):
    """Where a number stands in a row, what it is multiplied by, and its limits."""

    place: int
    name: str
    factor: float
    limits: Quantity


class Extent(NamedTuple):
    """How many sources there are, and their extremes; distance in kpc, age in yr."""

    rows: int
    nearest: float
    youngest: float
    oldest: float
    highest: float
    highest_line: int


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """Bursts of a table in a file: columns distance, age, l, b, alpha, R_c, W_H, W_He, … and name.

    Attributes
    ----------
    file : str
        A table of comma-separated values with a line of names.
    alpha : float
        Slope of the injection of all sources, where the file has no such column.
    R_c : float
        Cutoff rigidity of all, GV, where the file has no such column.
    W : table
        Energy in each element of all, erg, where the file has no column W_… at all.
    threshold : float
        Lowest kinetic energy that counts in W, GeV (GeV per nucleon where energy says so).
    energy : str
        T in W and in its threshold: "total", of the particle, or "per-nucleon".
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    file: str
    alpha: Annotated[float, Quantity(ge=0, le=10)] | None = None
    R_c: Annotated[float, Quantity(unit="GV", gt=0, le=1e15)] | None = None
    W: dict[str, Erg] = field(default_factory=dict)
    threshold: Annotated[float, Quantity(unit="GeV", gt=0)] = 1.0
    energy: Literal["total", "per-nucleon"] = "total"

    def __post_init__(self) -> None:
        if not self.extent.rows:
            raise self._wrong("has no rows")

    @cached_property
    def extent(self) -> Extent:
        """Of all rows, each of which is checked."""
        found = Extent(0, np.inf, np.inf, 0.0, -1.0, 0)
        for lines in self._chunks():
            values = self._numbers(lines)
            height = np.abs(values["distance"] * np.sin(np.radians(values["b"])))
            top = int(np.argmax(height))
            higher = height[top] > found.highest
            found = Extent(
                found.rows + len(lines),
                min(found.nearest, float(values["distance"].min())),
                min(found.youngest, float(values["age"].min())),
                max(found.oldest, float(values["age"].max())),
                float(height[top]) if higher else found.highest,
                lines[top][0] if higher else found.highest_line,
            )
        return found

    def elements(self) -> tuple[str, ...]:
        """What the sources emit, by charge."""
        found = [c.name[2:] for c in self._columns if c.name.startswith("W_")] or list(self.W)
        return tuple(sorted(found, key=lambda element: nuclide(element).charge))

    def blocks(self) -> Iterator[Sources]:
        """All rows, a few at a time."""
        column = self._header[1].get("name")
        for lines in self._chunks():
            names = [f"line {number}" for number, _ in lines]
            if column is not None:
                names = [row[column] for row in csv.reader(text for _, text in lines)]
            sources = self._sources(self._numbers(lines))
            yield replace(sources, names=np.array(names, dtype=object))

    def _sources(self, values: dict[str, Array]) -> Sources:
        n = len(values["distance"])
        given = {name: np.full(n, getattr(self, name)) for name in _SPECTRUM if name not in values}
        values = {name: value[:, None] for name, value in (values | given).items()}
        constant = {element: np.full((n, 1), w) for element, w in self.W.items()}
        energies = {k[2:]: v for k, v in values.items() if k.startswith("W_")} or constant
        return Sources(
            distance=values["distance"],
            age=values["age"],
            l=values["l"],
            b=values["b"],
            alpha=values["alpha"],
            R_c=values["R_c"],
            W=energies,
            threshold=self.threshold,
            energy=self.energy,
        )

    @cached_property
    def _header(self) -> tuple[int, dict[str, int]]:
        """Number of the columns, and where the named ones are."""
        number, text = next(self._lines(), (0, ""))
        if not number:
            raise self._wrong("has no line of column names")
        cells = next(csv.reader([text]))
        return len(cells), {cell.partition("[")[0].strip(): i for i, cell in enumerate(cells)}

    @cached_property
    def _columns(self) -> list[Column]:
        number, text = next(self._lines(), (0, ""))
        found = []
        for i, cell in enumerate(next(csv.reader([text]))):
            match = _HEAD.match(cell)
            if match is None:
                continue
            name, unit = match.groups()
            limits = _ENERGY if name.startswith("W_") else _LIMITS.get(name)
            if limits is None:
                continue
            try:
                if name.startswith("W_"):
                    nuclide(name[2:])
                factor = 1.0 if unit is None else to_float(f"1 {unit}", limits.unit)
            except (UnitError, UnknownElement) as error:
                raise self._wrong(f"line {number}, column {cell}: {error}") from None
            found.append(Column(i, name, factor, limits))
        self._check(found)
        return found

    def _check(self, columns: list[Column]) -> None:
        """Each quantity is in the file or in the deck, not in both."""
        names = [column.name for column in columns]
        there = ", ".join(self._header[1])
        for name in (*_PLACE, *_SPECTRUM):
            given = name in _SPECTRUM and getattr(self, name) is not None
            if names.count(name) > 1 or (given and name in names):
                raise self._wrong(f"{name} is given twice: a column, and another or the deck's key")
            if name not in names and not given:
                key = f", and the deck no catalogue.{name}" if name in _SPECTRUM else ""
                close = difflib.get_close_matches(name, self._header[1], n=1, cutoff=0.5)
                hint = f"; nearest: {close[0]}" if close else ""
                raise self._wrong(f"has no column {name}{key}{hint} (columns: {there})")
        energies = [name for name in names if name.startswith("W_")]
        if bool(energies) == bool(self.W):
            why = "both columns W_… and the deck's W" if self.W else "no column W_H, W_He, …"
            raise self._wrong(f"has {why}; give one of them (columns: {there})")

    def _lines(self) -> Iterator[Line]:
        """Number and text of each line that is neither empty nor a comment."""
        try:
            with Path(self.file).open(encoding="utf-8", newline="") as stream:
                for number, text in enumerate(stream, 1):
                    if text.strip() and not text.startswith("#"):
                        yield number, text
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "is no text in UTF-8"
            raise self._wrong(str(reason)) from None

    def _chunks(self) -> Iterator[list[Line]]:
        """The rows below the names, some at a time."""
        lines, chunk = self._lines(), []
        next(lines, None)
        for line in lines:
            chunk.append(line)
            if len(chunk) == _BLOCK:
                yield chunk
                chunk = []
        if chunk:
            yield chunk

    def _numbers(self, lines: list[Line]) -> dict[str, Array]:
        """Each column in the unit of its key; the first wrong cell is named."""
        width, columns = self._header[0], self._columns
        try:
            table = np.loadtxt(
                [text for _, text in lines],
                delimiter=",",
                usecols=[column.place for column in columns],
                quotechar='"',
                comments=None,
                ndmin=2,
            )
        except ValueError:
            table = np.full((1, len(columns)), np.nan)
        whole = all(text.count(",") == width - 1 or '"' in text for _, text in lines)
        values = {c.name: c.factor * table[:, j] for j, c in enumerate(columns)}
        if not whole or not all(_within(c.limits, values[c.name]) for c in columns):
            self._blame(lines)
        self._check_cutoffs(values, lines)
        return values

    def _blame(self, lines: list[Line]) -> None:
        """Raise for the first cell that is no number or beyond its limits."""
        width = self._header[0]
        for (number, _), row in zip(lines, csv.reader(text for _, text in lines), strict=True):
            if len(row) != width:
                raise self._wrong(f"line {number}: {len(row)} columns where the names are {width}")
            for column in self._columns:
                text = row[column.place].strip()
                where = f"line {number}, column {column.name}: {text!r}"
                try:
                    value = column.factor * float(text)
                except ValueError:
                    raise self._wrong(f"{where} is no number") from None
                try:
                    column.limits.read(value)
                except UnitError as error:
                    raise self._wrong(f"{where} {error}") from None

    def _check_cutoffs(self, values: dict[str, Array], lines: list[Line]) -> None:
        sources = self._sources(values)
        for element, energy in sources.W.items():
            lowest = threshold_rigidity(sources, nuclide(element))
            below = (sources.R_c <= lowest) & (energy > 0)
            if below.any():
                i = int(np.flatnonzero(below)[0])
                raise self._wrong(
                    f"line {lines[i][0]}: R_c = {sources.R_c[i, 0]:g} GV is below the threshold of "
                    f"W: {element} with T = {self.threshold:g} GeV ({self.energy}) has "
                    f"{lowest:.4g} GV"
                )

    def _wrong(self, why: str) -> ValueError:
        return ValueError(f'file "{self.file}": {why}')


def _within(limits: Quantity, values: Array) -> bool:
    inside = np.isfinite(values)
    for bound, test in (
        (limits.gt, np.greater),
        (limits.ge, np.greater_equal),
        (limits.lt, np.less),
        (limits.le, np.less_equal),
    ):
        if bound is not None:
            inside &= test(values, bound)
    return bool(inside.all())
