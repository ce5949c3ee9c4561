"""Any file of measurements: which of the formats it is in is told by what stands in it."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import islice
from pathlib import Path

from crtransport.measurements import crdb, gadf, galprop, tidy
from crtransport.measurements.checks import check
from crtransport.measurements.reading import Reading
from crtransport.measurements.rows import comma
from crtransport.measurements.table import MeasurementError

Reader = Callable[[Path, float | None], list[Reading]]

KNOWN = (
    "a tidy table, an export of CRDB (usine, csv, csv-asimport or galprop), "
    "flux points of gamma rays (GADF, as ECSV)"
)
_HEAD = 200  # lines in which the first row must be
_PAIR = re.compile(r"\d+\.\d+$")


def read_file(path: str | Path, limit_level: float | None = None) -> list[Reading]:
    """Read and check the measurements of a file.

    Parameters
    ----------
    path : path
        A tidy table, an export of CRDB or flux points of gamma rays.
    limit_level : float, optional
        Confidence level of upper limits for which the file states none.

    Returns
    -------
    list of Reading
        One for each measurement; `crtransport.measurements.remarks` says what is odd about one.

    Raises
    ------
    MeasurementError
        In one sentence, with the line and the column where there is one.
    """
    path = Path(path).expanduser()
    readings = _reader(path)(path, limit_level)
    for reading in readings:
        check(reading)
    return readings


def _reader(path: Path) -> Reader:
    try:
        with path.open(encoding="utf-8-sig") as file:
            head = [line.rstrip() for line in islice(file, _HEAD)]
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or error
        raise MeasurementError(f"{path} cannot be read: {why}") from None
    if head and head[0].startswith(gadf.MARK):
        return gadf.read
    if any(tidy.MARK.match(line) for line in head):
        return tidy.read
    rows = ((i, line) for i, line in enumerate(head, 1) if line.strip() and line[0] != "#")
    number, row = next(rows, (0, ""))
    if not number:
        why = f"no rows of numbers in its first {len(head)} lines" if head else "is empty"
        raise MeasurementError(f"{path}: {why}")
    reader = tidy.read if row.startswith("x,") else _by_cells(row)
    if reader is None:
        why = f"{len(comma(row))} cells between commas and {len(row.split())} between blanks"
        raise MeasurementError(f"{path}, line {number}: in no known format ({why}); known: {KNOWN}")
    return reader


def _by_cells(row: str) -> Reader | None:
    """The reader of a format without column names, by the number and shape of its cells."""
    if "|" in row and all(map(_PAIR.match, galprop.cells(row)[-1].split())):
        return galprop.read
    between_commas = len(comma(row))
    if between_commas in (len(crdb.AS_IMPORT), len(crdb.AS_IMPORT) + 1):
        return crdb.read_as_import
    if between_commas == len(crdb.COLUMNS):
        return crdb.read_csv
    return crdb.read_usine if len(crdb.blanks(row)) == len(crdb.COLUMNS) else None
