"""Measurements in the user's cache: tidy tables and catalogues, each file whole or not there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from crtransport.measurements import Measurement, MeasurementError, Reading, remarks, tidy
from crtransport.measurements.folders import IMPORTED, cache_folder, plain
from crtransport.output import write_atomic


@dataclass(frozen=True, kw_only=True)
class Stored:
    """What the user is told of one table.

    Attributes
    ----------
    name : str
        By which decks name it.
    understood : list of (str, str)
        What was read, in words.
    remarks : list of str
        What is odd about it.
    """

    name: str
    understood: list[tuple[str, str]]
    remarks: list[str]


def store(readings: Sequence[Reading], force: bool, name: str = "") -> list[Stored]:
    """Write readings as tidy tables into the cache: all of them, or none.

    Parameters
    ----------
    readings : sequence of Reading
    force : bool
        Replace other tables of the same name.
    name : str, optional
        Of the table, in place of its own.

    Raises
    ------
    MeasurementError
        If two have one name, a table of the name differs, or a file cannot be written.
    """
    given = [replace(r.measurement, name=plain(name) or r.measurement.name) for r in readings]
    tables = _distinct(given)
    texts: dict[Path, str] = {}
    for reading, table in zip(readings, tables, strict=True):
        target = cache_folder() / IMPORTED / f"{table.name}.csv"
        if target in texts:
            why = f"{reading.place(0, 'x')}: begins a second table {table.name} of the same paper"
            raise MeasurementError(f"{why} and dates; split the file")
        texts[target] = tidy.text(table, f"{reading.kind} {reading.rows.path.name}")
        if target.exists() and target.read_text("utf-8") != texts[target] and not force:
            raise MeasurementError(f"{target} exists already and differs; --force replaces it")
    for target, text in texts.items():
        write(target, text)
    return [
        Stored(name=one.name, understood=_understood(r, one, file), remarks=remarks(r))
        for r, one, file in zip(readings, tables, texts, strict=True)
    ]


def _distinct(tables: list[Measurement]) -> list[Measurement]:
    """Tables of one name told apart by their dates, and else by their papers."""
    for said in (_months, lambda table: plain(table.reference)):
        count = Counter(table.name for table in tables)
        tables = [
            replace(table, name=f"{table.name}_{said(table)}") if count[table.name] > 1 else table
            for table in tables
        ]
    return tables


def _months(table: Measurement) -> str:
    return "_".join(f"{day:%Y-%m}" for day in table.epoch or ()) or "undated"


def _understood(reading: Reading, table: Measurement, target: Path) -> list[tuple[str, str]]:
    axis, _, unit = table.x_kind.rpartition("_")
    count = f"{table.y.size}"
    if not table.measured.all():
        count += f", {(~table.measured).sum()} of them upper limits at {table.limit_level:.4g}"
    return [
        ("read as", reading.kind),
        ("experiment", table.experiment),
        ("quantity", table.quantity.replace("_", "/")),
        ("axis", f"{axis.replace('_', ' ')} [{unit}]"),
        ("unit", table.unit),
        ("points", count),
        ("range", f"{table.x.min():.4g} to {table.x.max():.4g} {unit}"),
        ("bin edges", "no" if table.x_lo is None else "yes"),
        ("epoch", " to ".join(map(str, table.epoch or ())) or "not known"),
        ("place", "interstellar" if table.interstellar else "at the Earth"),
        ("reference", table.reference or "none given"),
        ("written", str(target)),
    ]


def write(target: Path, text: str) -> None:
    """Write a file into the cache under a temporary name, and rename it.

    Raises
    ------
    MeasurementError
        If it cannot be written.
    """
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(target, text.encode())
    except OSError as error:
        raise MeasurementError(f"cannot write {target}: {error.strerror}") from None
