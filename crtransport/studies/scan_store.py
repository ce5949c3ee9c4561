"""Where the points of a scan land as they come: a database that a kill at any instant leaves whole.

SQLite with a write-ahead log. A point is one row of one transaction: it is wholly there or absent,
and there once. Its number is the key; a later one of the same number takes the place of the first.
While a run has the file open no other can, and a lock ends with the process that holds it.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import math
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from crtransport.console import InputError
from crtransport.deck.explain import show
from crtransport.studies.scan_point import Point

_TABLES = """
CREATE TABLE IF NOT EXISTS about (what TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS layout (digest TEXT PRIMARY KEY, text TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS point (
    number INTEGER PRIMARY KEY, status TEXT NOT NULL, reason TEXT NOT NULL, cpu_seconds REAL,
    error_estimate REAL, error_tolerance REAL, layout TEXT NOT NULL, numbers BLOB NOT NULL
);
"""
_MOST_TOLD = 6  # differences between two decks


class Store:
    """The points of one scan.

    Parameters
    ----------
    path : path or None
        The file; None keeps the points in memory.
    about : mapping
        What the points belong to, as JSON-able tables: a file that was made for anything else is
        refused.

    Raises
    ------
    InputError
        If another run has the file open, or it is of another scan, or no such file.
    """

    def __init__(self, path: Path | None, about: Mapping[str, Any]) -> None:
        self.path = path
        try:
            self._database = sqlite3.connect(path or ":memory:", timeout=0, isolation_level=None)
        except sqlite3.Error as error:
            raise InputError(f"cannot write {path}: {error}") from None
        try:
            self._open(json.loads(json.dumps(about)))
        except BaseException as error:
            self._database.close()
            if isinstance(error, sqlite3.DatabaseError):
                raise InputError(self._refusal(error)) from None
            raise

    def _refusal(self, error: sqlite3.DatabaseError) -> str:
        if not isinstance(error, sqlite3.OperationalError):
            why = f"{self.path} is damaged, or not of a scan ({error})"
            return f"{why}; remove it to start anew"
        if "locked" in str(error):
            why = f"another run has {self.path} open"
            return f"{why}: wait until it ends, or give another folder with -o DIR"
        return f"cannot write {self.path}: {error}"

    def _open(self, about: Any) -> None:
        # exclusive before the first access, so that the log needs no memory shared by processes,
        # which network folders lack; a commit is then one write, in order, without waiting for
        # the disk: a kill loses nothing, a power failure at most the last points
        self._database.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.execute("BEGIN IMMEDIATE")
        for statement in _TABLES.split(";"):
            self._database.execute(statement)
        row = self._database.execute("SELECT what FROM about").fetchone()
        empty = self._database.execute("SELECT 1 FROM point").fetchone() is None
        if empty:  # whatever it was begun for
            self._database.execute("DELETE FROM about")
            self._database.execute("INSERT INTO about VALUES (?)", (json.dumps(about),))
        self._database.execute("COMMIT")
        if not empty and (changes := differences(about, json.loads(row[0]))):
            raise InputError(
                f"{self.path} has points of another scan:\n"
                + "\n".join(f"  {change}" for change in changes)
                + f"\n  Remove it to start anew (rm {self.path}), or give another folder with -o."
            )

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def add(self, points: Sequence[tuple[int, Point]]) -> None:
        """Put points in, all in one transaction.

        Raises
        ------
        OSError
            If they cannot be written; none of them is there then.
        """
        self._database.execute("BEGIN IMMEDIATE")
        try:
            for number, point in points:
                digest = hashlib.sha256(point.layout.encode()).hexdigest()[:32]
                self._database.execute(
                    "INSERT OR IGNORE INTO layout VALUES (?, ?)", (digest, point.layout)
                )
                self._database.execute(
                    "INSERT OR REPLACE INTO point VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    (number, *point[:5], digest, point.values),
                )
            self._database.execute("COMMIT")
        except BaseException as error:
            with contextlib.suppress(sqlite3.Error):  # one that ended the transaction already
                self._database.execute("ROLLBACK")
            if isinstance(error, sqlite3.Error):
                raise OSError(errno.EIO, str(error), str(self.path)) from None
            raise

    def status(self) -> dict[int, str]:
        """Number and status of each point that is there."""
        return dict(self._database.execute("SELECT number, status FROM point ORDER BY number"))

    def points(self) -> Iterator[tuple[int, Point]]:
        """All points that are there, in the order of their numbers."""
        layouts = dict(self._database.execute("SELECT digest, text FROM layout"))
        rows = self._database.execute("SELECT * FROM point ORDER BY number")
        for number, status, reason, *numbers, layout, values in rows:
            # SQLite knows no NaN
            cpu, error, tolerance = (math.nan if x is None else x for x in numbers)
            yield number, Point(status, reason, cpu, error, tolerance, layouts[layout], values)

    def drop_failed(self) -> None:
        """Forget the points that failed, so that they are run again."""
        self._database.execute("DELETE FROM point WHERE status = 'failed'")


def differences(now: Any, before: Any) -> list[str]:
    """What differs between two sets of tables, ``table.key = now, was before``; some of it."""
    a, b = dict(_leaves(now)), dict(_leaves(before))
    keys = [key for key in {**a, **b} if a.get(key) != b.get(key)]
    told = [
        f"{key.removeprefix('deck.')} = {_said(a, key)}, was {_said(b, key)}"
        for key in keys[:_MOST_TOLD]
    ]
    return told + ([f"and {len(keys) - _MOST_TOLD} more"] if len(keys) > _MOST_TOLD else [])


def _said(leaves: Mapping[str, Any], key: str) -> str:
    return show(leaves[key]) if key in leaves else "not there"


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict | list) and value:
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _leaves(item, f"{path}.{key}".lstrip("."))
    else:
        yield path, value
