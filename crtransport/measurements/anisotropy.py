"""A user's table of measured dipole anisotropies, to be drawn beside a run's.

    # comment lines
    energy,amplitude,amplitude_error,phase,phase_error
    1e4,8.0e-4,0.5e-4,40,5

Energy per particle in GeV, phase (right ascension) in deg; other columns are passed over.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from crtransport.measurements.rows import read_rows
from crtransport.measurements.table import MeasurementError

Array = NDArray[np.float64]

#: where tables lie below a data folder
POINTS = Path("cr-anisotropy") / "points"

_COLUMNS = ("energy", "amplitude", "amplitude_error", "phase", "phase_error")


@dataclass(frozen=True, kw_only=True)
class Anisotropy:
    """Measured dipoles.

    Attributes
    ----------
    label : str
        Name of the file, without its suffix.
    energy : array
        Of a particle, GeV.
    amplitude, amplitude_error : array
    phase, phase_error : array
        Right ascension, deg.
    """

    label: str
    energy: Array
    amplitude: Array
    amplitude_error: Array
    phase: Array
    phase_error: Array


def read_anisotropy(path: str) -> Anisotropy:
    """Read a table.

    Raises
    ------
    MeasurementError
        If it cannot be read, naming line and column.
    """
    rows = read_rows(Path(path), numbers=_COLUMNS, required=_COLUMNS)
    for name in ("energy", "amplitude"):
        wrong = rows.column(name) <= 0
        if wrong.any():
            place = rows.place(int(np.argmax(wrong)), name)
            raise MeasurementError(f"{place}: must be greater than 0")
    return Anisotropy(label=Path(path).stem, **{name: rows.column(name) for name in _COLUMNS})


def load_anisotropy(names: Sequence[str], folder: Path) -> list[Anisotropy]:
    """Tables by name, "Tibet_2017", of a data folder.

    Raises
    ------
    MeasurementError
        If one is not there, with the nearest names, or cannot be read.
    """
    known = {path.stem: path for path in (folder / POINTS).glob("*.csv")}
    for name in names:
        if name not in known:
            close = ", ".join(difflib.get_close_matches(name[:100], known, n=3, cutoff=0.4))
            hint = f"; nearest: {close}" if close else ""
            why = f"there is no table {name[:100]!r} of anisotropy in {folder / POINTS}"
            raise MeasurementError(f"{why}{hint}")
    return [read_anisotropy(str(known[name])) for name in names]
