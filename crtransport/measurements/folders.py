"""Where measurements lie: a data folder that the user names, and a cache of what was imported."""

from __future__ import annotations

import difflib
import os
import re
import sys
from pathlib import Path

from crtransport.measurements import tidy, voyager
from crtransport.measurements.checks import check
from crtransport.measurements.reading import Reading
from crtransport.measurements.table import MeasurementError

#: where the tables lie below a data folder, and where those lie that were imported
POINTS = Path("cr-kiss") / "points"
IMPORTED = Path("points")
#: catalogues, below the cache: kept as they came
CATALOGUES = Path("catalogues")
VARIABLE = "CRTRANSPORT_DATA"


def data_folder(option: str | Path | None = None) -> Path | None:
    """The data folder: the option if it is given, else CRTRANSPORT_DATA, else None."""
    given = option or os.environ.get(VARIABLE)
    return Path(given).expanduser() if given else None


def cache_folder() -> Path:
    """The folder of imported measurements, in the user's cache; it need not exist."""
    if sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    elif sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", str(Path.home())))
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "crtransport" / "data"


def plain(name: str) -> str:
    """A name fit for a file."""
    return re.sub(r"[^\w.+-]+", "_", name).strip("._")


def catalogue_folder(name: str) -> Path:
    """Where the tables of a catalogue of VizieR lie in the cache, or will lie."""
    return cache_folder() / CATALOGUES / plain(name)


def catalogue(name: str, folder: Path | None) -> Path | None:
    """The folder of a catalogue of VizieR, below a data folder or in the cache; None without it."""
    places = [catalogue_folder(name)]
    if folder is not None:
        places.insert(0, folder / CATALOGUES / plain(name))
    return next((place for place in places if place.is_dir()), None)


def names(folder: Path) -> list[str]:
    """The tables in a data folder, sorted."""
    return sorted([*_files(folder), *voyager.names(folder)])


def file_of(name: str, folder: Path) -> Path | None:
    """The file of a table in a data folder; None where it is not there."""
    # not path.is_file(): a name such as ../x must not lead out of the folder
    if name in (files := _files(folder)):
        return files[name]
    of_voyager = voyager.is_voyager(name) and name in voyager.names(folder)
    return voyager.file_of(name, folder) if of_voyager else None


def _files(folder: Path) -> dict[str, Path]:
    found = [path for below in (IMPORTED, POINTS) for path in (folder / below).glob("*.csv")]
    return {path.stem: path for path in found}


def read_table(name: str, folder: Path) -> Reading:
    """A table by name, from the data folder or else from the user's cache, checked.

    Raises
    ------
    MeasurementError
        If the folder or the table is missing, or the table cannot be read.
    """
    for place in (folder, cache_folder()) if folder.is_dir() else ():
        if path := file_of(name, place):
            own = path.parent == place / voyager.FOLDER
            reading = voyager.read(name, place) if own else tidy.read(path)[0]
            check(reading)
            return reading
    raise MeasurementError(not_found(name, folder))


def not_found(name: str, folder: Path) -> str:
    """Why there is no table of that name in a data folder, nor in the cache."""
    alone = folder == cache_folder()
    part = voyager.FOLDER if voyager.is_voyager(name) else POINTS
    below = folder / part
    if not alone and not below.is_dir() and not (folder / IMPORTED).is_dir():
        why = f"there is no folder {part} in it" if folder.is_dir() else "no such folder"
        return f"data folder {folder}: {why} (--data, or {VARIABLE})"
    known = {one.lower(): one for place in (folder, cache_folder()) for one in names(place)}
    close = difflib.get_close_matches(name[:100].lower(), known, n=3, cutoff=0.5)
    nearest = ", ".join(known[key] for key in close)
    hint = f"; nearest: {nearest}" if nearest else ""
    where = f"in {folder}, and none was imported"
    if alone:
        where = f"among the imported ones, and no data folder is named (--data, or {VARIABLE})"
    return f"there is no table {name[:100]!r} {where}{hint}"
