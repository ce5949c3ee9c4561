"""Flux points of gamma rays in ECSV, as the Data Formats for Gamma-ray Astronomy define them.

Columns, units and header keywords: section "SED" of the specification, version 0.2 and later
(gamma-astro-data-formats.readthedocs.io, spectra/flux_points): ``e_ref`` with ``dnde`` or
``e2dnde``, ``_err`` or ``_errn`` and ``_errp``, ``_ul`` at the confidence level ``UL_CONF``,
``is_ul``, ``e_min`` and ``e_max``. Rows with neither value nor limit, as the specification allows,
are left out. ECSV: the Astropy Proposal for Enhancement 6; only the names and units of the columns
and the one keyword are looked for, so that no YAML needs to be read.

A photon's energy is its total energy; fluxes of sources are not per sr.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from crtransport.measurements.reading import (
    Reading,
    confidence_level,
    edges,
    table_name,
    upper_limits,
)
from crtransport.measurements.rows import Array, Rows, comma, read_rows
from crtransport.measurements.table import Measurement, MeasurementError
from crtransport.units import UnitError, parse_unit

MARK = "# %ECSV"
UNIT = "m-2 s-1 GeV-1"
_X_KIND = "total_energy_GeV"
_SUFFIXES = ("", "_err", "_errn", "_errp", "_ul")
_ENERGIES = ("e_ref", "e_min", "e_max")
_COLUMN = re.compile(r"-\s*\{?\s*name:\s*([\w.]+)(.*?)(?=-\s*\{?\s*name:|meta:|\Z)", re.DOTALL)
_UNIT = re.compile(r"unit:\s*([^,}\n]+)")
_LEVEL = re.compile(r"UL_CONF:\s*([^,}\s]+)", re.IGNORECASE)


def read(path: Path, limit_level: float | None = None) -> list[Reading]:
    """The one spectrum of a file; its experiment and source are what the file is called.

    Raises
    ------
    MeasurementError
        Naming the line and the column.
    """
    quantities = [kind + suffix for kind in ("dnde", "e2dnde") for suffix in _SUFFIXES]
    rows = read_rows(
        path,
        numbers=["e_ref"],
        optional=[*_ENERGIES[1:], *quantities],
        texts=["is_ul"],
        split=_cells,
    )
    kind = next((name for name in ("dnde", "e2dnde") if rows.has(name, "e_ref")), None)
    if kind is None:
        why = "flux points need the columns e_ref and dnde, or e_ref and e2dnde"
        raise MeasurementError(f"{path}, line {rows.lines[0]}: {why}")
    is_limit = _is_limit(rows, kind)
    value = np.where(is_limit, _or_nan(rows, f"{kind}_ul"), rows.column(kind))
    rows, is_limit = _there(rows, value), is_limit[np.isfinite(value)]
    one = _measurement(rows, kind, is_limit, value[np.isfinite(value)], limit_level)
    columns = {"x": "e_ref", "x_lo": "e_min", "x_hi": "e_max", "y": kind}
    columns |= {"stat_lo": _error(rows, kind, "n"), "stat_hi": _error(rows, kind, "p")}
    return [Reading(measurement=one, rows=rows, columns=columns, kind="flux points (GADF)")]


def _cells(line: str) -> list[str]:
    if "," in line:
        return comma(line)
    return next(csv.reader([line], delimiter=" ", skipinitialspace=True))


def _is_limit(rows: Rows, kind: str) -> np.ndarray:
    """As ``is_ul`` says; without it, the rows that have a limit and no value."""
    if "is_ul" not in rows.texts:
        return np.isfinite(_or_nan(rows, f"{kind}_ul")) & np.isnan(rows.column(kind))
    flags = rows.texts["is_ul"]
    for i, word in enumerate(flags):
        if word.lower() not in ("true", "false"):
            raise MeasurementError(f"{rows.place(i, 'is_ul')}: is {word!r}, must be True or False")
    return np.array([word.lower() == "true" for word in flags])


def _there(rows: Rows, value: Array) -> Rows:
    chosen = np.flatnonzero(np.isfinite(value))
    if not chosen.size:
        why = "no row has a value or an upper limit"
        raise MeasurementError(f"{rows.path}, from line {rows.lines[0]} on: {why}")
    return rows.take(chosen)


def _measurement(
    rows: Rows, kind: str, is_limit: np.ndarray, value: Array, limit_level: float | None
) -> Measurement:
    head = "\n".join(comment.removeprefix("#") for comment in rows.comments)
    units = _units(head)
    x = rows.column("e_ref") * _scale(rows, units, "e_ref", "GeV")
    if kind == "dnde":
        scale = np.full_like(x, _scale(rows, units, kind, UNIT))
    else:
        scale = _scale(rows, units, kind, "GeV m-2 s-1") / x**2
    errors: dict[str, Any] = {
        f"stat_{side}": np.where(is_limit, 0.0, _known(rows, _error(rows, kind, sign)) * scale)
        for side, sign in (("lo", "n"), ("hi", "p"))
    }
    flags = is_limit.astype(float)
    return Measurement(
        name=table_name(rows.path.stem, "gamma", _X_KIND),
        experiment=rows.path.stem,
        quantity="gamma",
        reference="",
        x_kind=_X_KIND,
        unit=UNIT,
        x=x,
        y=value * scale,
        **errors,
        sys_lo=np.zeros_like(x),
        sys_hi=np.zeros_like(x),
        **_edges(rows, units),
        **upper_limits(rows, f"{kind}_ul", flags, _level(rows, head) or limit_level),
    )


def _level(rows: Rows, head: str) -> float | None:
    match = _LEVEL.search(head)
    try:
        return confidence_level(match[1]) if match else None
    except MeasurementError as error:
        raise MeasurementError(f"{rows.path}, UL_CONF: {error}") from None


def _units(head: str) -> dict[str, str]:
    """Column -> its unit, of those that have one."""
    found = {name: _UNIT.search(rest) for name, rest in _COLUMN.findall(head)}
    return {name: match[1].strip(" '\"") for name, match in found.items() if match}


def _scale(rows: Rows, units: Mapping[str, str], column: str, wanted: str) -> float:
    """Size of a column's unit in the one wanted."""
    text = units.get(column, "")
    try:
        # "1 / (cm2 s TeV)": what follows the stroke is divided by, with brackets or without
        size, dimension = parse_unit(text.replace("(", " ").replace(")", " "))
    except UnitError as error:
        raise MeasurementError(f"{rows.path}, unit of column {column}: {error}") from None
    target, needed = parse_unit(wanted)
    if dimension != needed:
        why = f"{text!r} is no unit like {wanted}"
        raise MeasurementError(f"{rows.path}, unit of column {column}: {why}")
    return size / target


def _error(rows: Rows, kind: str, sign: str) -> str:
    """The column of an error downwards ("n") or upwards ("p")."""
    return f"{kind}_err{sign}" if rows.has(f"{kind}_err{sign}") else f"{kind}_err"


def _known(rows: Rows, column: str) -> Array:
    """Errors, 0 where they are not known: below 0 says so of one downwards."""
    values = np.nan_to_num(_or_nan(rows, column))
    return np.maximum(values, 0.0) if column.endswith("errn") else values


def _or_nan(rows: Rows, column: str) -> Array:
    return rows.column(column) if rows.has(column) else np.full(rows.lines.size, np.nan)


def _edges(rows: Rows, units: Mapping[str, str]) -> dict[str, Any]:
    found = edges(rows, "e_min", "e_max")
    names = {"x_lo": "e_min", "x_hi": "e_max"}
    return {f: values * _scale(rows, units, names[f], "GeV") for f, values in found.items()}
