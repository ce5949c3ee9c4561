"""Voyager 1 beyond the heliopause: spectra of the elements that no solar wind has changed."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from crtransport.measurements.reading import Reading, edges
from crtransport.measurements.rows import Rows, read_rows
from crtransport.measurements.table import FLUX_UNITS, Measurement, MeasurementError
from crtransport.nuclides import ELEMENTS

FOLDER = Path("cr-voyager")
EXPERIMENT = "Voyager 1"

_NAME = re.compile(r"voyager1_(?P<element>[A-Z][a-z]?)_(?P<year>\d{4})")
_NUCLEI = "voyager1_nuclei_"
_COLUMNS = ("Z", "e", "e_lo", "e_hi", "flux", "stat", "sys", "err_lo", "err_hi")
_X_KIND = "kinetic_energy_per_nucleon_GeV"


def is_voyager(name: str) -> bool:
    """Whether a table's name says that it is one of Voyager's, "voyager1_B_2016"."""
    return name.startswith("voyager1_")


def names(folder: Path) -> list[str]:
    """The tables in a data folder, one for each element and publication."""
    found = []
    for path in sorted((folder / FOLDER).glob("voyager1_*.csv")):
        if path.stem.startswith(_NUCLEI):
            year = path.stem.removeprefix(_NUCLEI)
            found += [f"voyager1_{element}_{year}" for element in _elements(_rows(path))]
        else:
            found.append(path.stem)
    return found


def file_of(name: str, folder: Path) -> Path:
    """The file in which a table lies; heavier elements lie in one together."""
    path = folder / FOLDER / f"{name}.csv"
    return path if path.is_file() else path.with_name(f"{_NUCLEI}{name.rpartition('_')[2]}.csv")


def read(name: str, folder: Path) -> Reading:
    """The table of one element, ``voyager1_He_2016``.

    Raises
    ------
    MeasurementError
        If the file cannot be read; the name must be one of `names`.
    """
    match = _NAME.fullmatch(name)
    if not match:
        raise MeasurementError(f"{name} is not of the form voyager1_He_2016")
    rows = _rows(file_of(name, folder))
    if rows.has("Z"):
        rows = rows.where("Z", 1 + ELEMENTS.index(match["element"]))
    both = ("stat", "sys") if rows.has("stat", "sys") else ()
    stat_lo, stat_hi = both[:1] * 2 or ("err_lo", "err_hi")
    flux = rows.column("flux")
    systematic = rows.column("sys") if both else np.zeros_like(flux)
    measurement = Measurement(
        name=name,
        experiment=EXPERIMENT,
        quantity=match["element"],
        reference=_reference(rows),
        x_kind=_X_KIND,
        unit=FLUX_UNITS[_X_KIND],
        x=_middle(rows),
        y=flux,
        stat_lo=rows.column(stat_lo),
        stat_hi=rows.column(stat_hi),
        sys_lo=systematic,
        sys_hi=systematic,
        **edges(rows, "e_lo", "e_hi"),
        interstellar=True,
    )
    point = "e" if rows.has("e") else "e_lo"
    columns = {"x": point, "x_lo": "e_lo", "x_hi": "e_hi", "y": "flux"}
    columns |= {"stat_lo": stat_lo, "stat_hi": stat_hi, "sys_lo": "sys", "sys_hi": "sys"}
    return Reading(measurement=measurement, rows=rows, columns=columns, kind="table of Voyager 1")


def _rows(path: Path) -> Rows:
    return read_rows(path, numbers=_COLUMNS)


def _middle(rows: Rows) -> np.ndarray:
    """The published energy, else the geometric mean of the bin's edges."""
    if rows.has("e"):
        return rows.column("e")
    return np.asarray(np.sqrt(rows.column("e_lo") * rows.column("e_hi")))


def _elements(rows: Rows) -> list[str]:
    charges = sorted({int(z) for z in rows.column("Z")})
    return [ELEMENTS[z - 1] for z in charges if 1 <= z <= len(ELEMENTS)]


def _reference(rows: Rows) -> str:
    """What the first comment line has in its last brackets."""
    brackets = re.findall(r"\(([^()]*)\)", rows.comments[0]) if rows.comments else []
    return brackets[-1] if brackets else ""
