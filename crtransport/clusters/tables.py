"""Tables of clusters: text as it stands, or ECSV, FITS and VOTable with their units, by astropy."""

from __future__ import annotations

import importlib.util
import warnings
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crtransport.measurements.rows import Rows, read_rows
from crtransport.measurements.table import MeasurementError

Array = NDArray[np.float64]

FERMIPY = "fermipy:"
#: how files begin that astropy reads, and what it calls their formats
_MARKS = {b"# %ECSV": "ascii.ecsv", b"SIMPLE  =": "fits", b"\x1f\x8b": "fits", b"<": "votable"}


def locate(folder: Path, name: str) -> Path:
    """The file that a deck names: in the data folder, by its path, or one that fermipy ships.

    Raises
    ------
    MeasurementError
        For "fermipy:…" where that package is not installed.
    """
    if not name.startswith(FERMIPY):
        return folder / Path(name).expanduser()
    file = name.removeprefix(FERMIPY)
    # found, not imported: the file needs nothing of what the package needs
    spec = importlib.util.find_spec("fermipy")
    if spec is None or not spec.submodule_search_locations:
        why = f"the package fermipy, which ships {file}, is not installed"
        hint = f"put {file} into the data folder and name it without {FERMIPY!r}"
        raise MeasurementError(f"{name}: {why}; install it, or {hint}")
    return Path(spec.submodule_search_locations[0]) / "data" / "catalogs" / file


def read_table(
    path: Path,
    *,
    numbers: Iterable[str],
    units: Mapping[str, str],
    required: Iterable[str] = (),
    optional: Iterable[str] = (),
    texts: Iterable[str] = (),
    catalogue: Callable[[Path], Any] | None = None,
) -> Rows:
    """The rows of a table, in our units.

    Parameters
    ----------
    path : Path
        Text with commas, as `crtransport.measurements.rows.read_rows` takes it; or ECSV, FITS (its
        first table) or VOTable, which may state units.
    numbers, required, optional, texts : iterable of str
        As for `read_rows`.
    units : mapping
        Column -> the unit in which it is wanted. One that states another unit of the same
        dimension is converted, a logarithm too; one without a unit is taken to be in this one.
    catalogue : callable, optional
        From the path of a FITS file of another layout to an astropy table with these columns and
        a column "row" for messages; None for a file that is none such.

    Raises
    ------
    MeasurementError
        Naming file, line or row, and column.
    """
    numbers, optional, texts = list(numbers), list(optional), list(texts)
    kind = _kind(path)
    if kind is None:
        return read_rows(path, numbers=numbers, required=required, optional=optional, texts=texts)
    table = catalogue(path) if catalogue is not None and kind == "fits" else None
    if table is None:
        table = astropy_table(path)
    if missing := [name for name in required if name not in table.colnames]:
        found = ", ".join(table.colnames)[:100]
        raise MeasurementError(f"{path}: missing column {', '.join(missing)}; found: {found}")
    if not len(table):
        raise MeasurementError(f"{path}: no rows")
    lines = table["row"] if catalogue is not None and "row" in table.colnames else None
    rows = Rows(
        path=path,
        comments=[],
        lines=np.arange(1, len(table) + 1) if lines is None else np.asarray(lines, np.int64),
        numbers={},
        texts={name: words(table, name) for name in texts if name in table.colnames},
        counted="row",
    )
    for name in (*numbers, *optional):
        if name in table.colnames:
            rows.numbers[name] = converted(path, table, name, units.get(name))
            _require_finite(rows, name, name in optional)
    return rows


def astropy_table(path: Path, **options: Any) -> Any:
    """A table as astropy reads it, with its units.

    Raises
    ------
    MeasurementError
        If it cannot be read, or astropy is not installed.
    """
    try:
        from astropy.table import Table
        from astropy.utils.exceptions import AstropyWarning
    except ImportError:
        why = "astropy, which reads FITS, ECSV and VOTable, is not installed"
        hint = 'python -m pip install "crtransport[clusters]"'
        raise MeasurementError(f"{path}: {why}\n  install it: {hint}") from None
    try:
        with warnings.catch_warnings():
            # what matters of this is an error, and units are when their column is wanted
            warnings.simplefilter("ignore", AstropyWarning)
            return Table.read(path, format=_kind(path), **options)
    except (OSError, ValueError, KeyError, IndexError) as error:
        raise MeasurementError(f"{path} cannot be read: {_first_line(error)}") from None


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _kind(path: Path) -> str | None:
    """What astropy calls the format of a file; None for other text."""
    try:
        with path.open("rb") as file:
            head = file.read(16).removeprefix(b"\xef\xbb\xbf")
    except OSError as error:
        raise MeasurementError(f"{path} cannot be read: {error.strerror}") from None
    return next((kind for mark, kind in _MARKS.items() if head.startswith(mark)), None)


def words(table: Any, name: str) -> list[str]:
    """A column of words; "" where one is missing."""
    column = table[name]
    filled = column.filled("") if hasattr(column, "filled") else column
    return [str(word).strip() for word in np.asarray(filled).astype(str)]


def converted(path: Path, table: Any, name: str, wanted: str | None) -> Array:
    """A column of numbers in the unit ``wanted``, NaN where one is missing.

    Raises
    ------
    MeasurementError
        If its unit is of another dimension, or it has no numbers.
    """
    from astropy import units

    column = table[name]
    place = f"{path}, column {name}"
    if column.dtype.kind not in "fiu":
        raise MeasurementError(f"{place}: has words, must have numbers")
    values = np.asarray(column.astype(float))
    values = np.where(getattr(column, "mask", False), np.nan, values)
    if column.unit is None or wanted is None:
        return values
    unit = column.unit
    if isinstance(unit, units.function.FunctionUnitBase):
        values, unit = 10 ** (values * unit.function_unit.to(units.dex)), unit.physical_unit
    # counts of photons may have a unit of their own
    for target in (units.Unit(wanted), units.Unit(wanted) * units.photon):
        if unit.is_equivalent(target):
            return np.asarray(values * unit.to(target))
    needed = f"be one like {wanted}" if wanted else "be none"
    raise MeasurementError(f"{place}: its unit is {column.unit}, must {needed}")


def _require_finite(rows: Rows, name: str, may_miss: bool) -> None:
    values = rows.numbers[name]
    bad = np.isinf(values) | (np.isnan(values) & (not may_miss))
    if bad.any():
        i = int(np.argmax(bad))
        raise MeasurementError(f"{rows.place(i, name)}: {values[i]} is no number")
