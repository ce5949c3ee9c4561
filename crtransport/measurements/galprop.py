"""Tables in the format of GALPROP's cosmic-ray database, which CRDB exports as ``galprop``.

The columns are those that GALPROP's own reader takes (``GCR_data::read`` in its GCR_data.cc,
version 54; Strong & Moskalenko 2009, arXiv:0907.0565):

    reference experiment X_units Y_units Y_name E_mean E_low E_high value err- err+ a
    Z.A Z.A Z.A | Z.A Z.A Z.A comment

with "a" for absolute errors and "r" for relative ones, the nuclides of the numerator and of the
denominator, 0.0 for none. Energies in MeV or GeV are kinetic ones per nucleon, as everywhere in
GALPROP; in GV or MV they are rigidities. One error of 0 stands for the other, as in GALPROP. All
errors are taken as statistical: the format has no other kind, no dates and no upper limits. Not
checked against an export of CRDB, of which none was at hand.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from crtransport.measurements.reading import Reading, table_name
from crtransport.measurements.rows import Array, Rows, read_rows
from crtransport.measurements.table import FLUX_UNITS, Measurement, MeasurementError
from crtransport.nuclides import ELEMENTS, nuclide

COLUMNS = (
    *("reference", "experiment", "X_units", "Y_units", "Y_name", "E_mean", "E_low", "E_high"),
    *("value", "err_minus", "err_plus", "err_type", "numerator", "denominator"),
)
_NUMBERS = COLUMNS[5:11]
_WORDS = (*COLUMNS[:5], *COLUMNS[11:])
_FIELDS = {"x": "E_mean", "x_lo": "E_low", "x_hi": "E_high", "y": "value"}
_FIELDS |= {"stat_lo": "err_minus", "stat_hi": "err_plus"}
#: energy or rigidity: its kind, and its size in GeV or GV
_SCALES = {
    "GeV": ("kinetic_energy_per_nucleon_GeV", 1.0),
    "MeV": ("kinetic_energy_per_nucleon_GeV", 1e-3),
    "GV": ("rigidity_GV", 1.0),
    "MV": ("rigidity_GV", 1e-3),
}


def read(path: Path, limit_level: float | None = None) -> list[Reading]:
    """The measurements of a file, one for each quantity, experiment and paper.

    Raises
    ------
    MeasurementError
        Naming the line and the column.
    """
    everything = read_rows(path, numbers=_NUMBERS, texts=_WORDS, header=COLUMNS, split=cells)
    groups: dict[tuple[str, ...], list[int]] = {}
    for i, key in enumerate(zip(*(everything.texts[name] for name in _WORDS), strict=True)):
        groups.setdefault(key, []).append(i)
    found = []
    for chosen in groups.values():
        rows = everything.take(np.array(chosen))
        one = _measurement(rows)
        found.append(Reading(measurement=one, rows=rows, columns=_FIELDS, kind="GALPROP table"))
    return found


def cells(line: str) -> list[str]:
    """Cells between blanks, three nuclides in one, three in the next; the comment is cut."""
    above, _, below = line.partition("|")
    head = above.split()
    return [*head[:12], " ".join(head[12:]), " ".join(below.split()[:3])]


def _measurement(rows: Rows) -> Measurement:
    word = {name: rows.texts[name][0] for name in _WORDS}
    x_kind, x_scale = _x_units(rows, word["X_units"])
    unit, y_scale = _y_units(rows, word["Y_units"], x_kind)
    quantity = _quantity(rows)
    low, high = rows.column("E_low") * x_scale, rows.column("E_high") * x_scale
    known = bool(np.all(low != high))
    y = rows.column("value") * y_scale
    down, up = _errors(rows, y, y_scale)
    return Measurement(
        name=table_name(word["experiment"], quantity, x_kind),
        experiment=word["experiment"],
        quantity=quantity,
        reference=word["reference"],
        x_kind=x_kind,
        unit=unit,
        x=rows.column("E_mean") * x_scale,
        y=y,
        stat_lo=down,
        stat_hi=up,
        sys_lo=np.zeros_like(y),
        sys_hi=np.zeros_like(y),
        x_lo=low if known else None,
        x_hi=high if known else None,
    )


def _x_units(rows: Rows, text: str) -> tuple[str, float]:
    for unit, found in _SCALES.items():
        if text.startswith(unit):
            return found
    allowed = ", ".join(_SCALES)
    raise MeasurementError(f"{rows.place(0, 'X_units')}: is {text!r}, must begin with {allowed}")


def _y_units(rows: Rows, text: str, x_kind: str) -> tuple[str, float]:
    """Unit, and its size in that unit; looked for piece by piece, as GALPROP does."""
    if "none" in text:
        return "1", 1.0
    for unit, (kind, scale) in _SCALES.items():
        if f"/{unit}" in text and "m2" in text and kind == x_kind:
            return FLUX_UNITS[x_kind], (1e4 if "cm2" in text else 1.0) / scale
    why = f"is {text!r}, must be none, or a flux with m2 or cm2 and per unit of the energy, /GeV"
    raise MeasurementError(f"{rows.place(0, 'Y_units')}: {why}")


def _errors(rows: Rows, y: Array, y_scale: float) -> tuple[Array, Array]:
    kind = rows.texts["err_type"][0]
    if kind not in ("a", "r"):
        why = f"is {kind!r}, must be a (absolute) or r (relative)"
        raise MeasurementError(f"{rows.place(0, 'err_type')}: {why}")
    scale = y if kind == "r" else y_scale
    down, up = rows.column("err_minus") * scale, rows.column("err_plus") * scale
    return np.where(down == 0, up, down), np.where(up == 0, down, up)


def _quantity(rows: Rows) -> str:
    """ "H", "B_C", and "Be10_Be9": isotopes of one element are told apart."""
    above, below = (_particle(rows, name) for name in ("numerator", "denominator"))
    if not above:
        raise MeasurementError(f"{rows.place(0, 'numerator')}: names no nuclide")
    isotopes = above[:1] == below[:1]
    names = []
    for element, *mass_number in filter(None, (above, below)):
        main = nuclide(element).mass_number
        only = mass_number or ([main] if isotopes else [])
        names.append(element if only in ([], [main]) and not isotopes else f"{element}{only[0]}")
    return "_".join(names)


def _particle(rows: Rows, column: str) -> tuple[Any, ...]:
    """Element of "5.10 5.11 0.0", and the mass number where there is only one; () of none."""
    text = rows.texts[column][0]
    try:
        pairs = {tuple(map(int, word.split("."))) for word in text.split()} - {(0, 0)}
        charges = {z for z, _ in pairs}
        if not pairs:
            return ()
        if len(charges) > 1 or min(charges) < 1:
            raise ValueError
        element = ELEMENTS[min(charges) - 1]
    except (ValueError, IndexError):
        why = f"{text[:40]!r} is no element: its nuclides as Z.A, up to nickel"
        raise MeasurementError(f"{rows.place(0, column)}: {why}") from None
    only = [a for _, a in pairs if a > 0]
    return (element, *only) if len(pairs) == 1 else (element,)
