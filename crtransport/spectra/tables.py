"""Measured tables as a fit takes them, and as a dataset tells of them."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from crtransport.deck.fitted import FittedTable
from crtransport.fits import Correlated, DataSet, FitError, Likelihood
from crtransport.fits.likelihood import Values
from crtransport.measurements import Measurement, MeasurementError, load_fluxes_and_ratios
from crtransport.measurements.axes import abscissa

Array = NDArray[np.float64]

_SCALED = ("y", "stat_lo", "stat_hi", "sys_lo", "sys_hi")


def require_folder(data: str | Path | None, model: str) -> Path:
    """The data folder, where one is given and fits can be made.

    Raises
    ------
    MeasurementError
    """
    if importlib.util.find_spec("iminuit") is None:
        why = 'needs the package iminuit: python -m pip install "crtransport[fit]"'
        raise MeasurementError(f'model = "{model}" {why}')
    if data is None:
        why = "is fitted to measured tables: give their folder by --data or CRTRANSPORT_DATA"
        raise MeasurementError(f'model = "{model}" {why}')
    return Path(data)


def read_fluxes(names: Sequence[str], folder: Path) -> list[Measurement]:
    """Tables of fluxes to be fitted to.

    Raises
    ------
    MeasurementError
        If one is missing, wrong, or no flux of an element.
    """
    tables = load_fluxes_and_ratios(names, folder)
    for table in tables:
        if not table.is_flux:
            raise MeasurementError(f"{table.name} is a ratio; what is fitted are fluxes")
    return tables


def data_sets(
    entries: Sequence[FittedTable], tables: Sequence[Measurement], logarithmic: bool
) -> list[DataSet]:
    """The tables of a deck with the treatment that it names.

    Raises
    ------
    MeasurementError
        If one cannot be fitted to.
    """
    both = zip(entries, tables, strict=True)
    return [_data_set(entry, table, logarithmic) for entry, table in both]


def _data_set(entry: FittedTable, table: Measurement, logarithmic: bool) -> DataSet:
    scaled = {name: getattr(table, name) * entry.factor for name in _SCALED}
    for name in ("sys_lo", "sys_hi"):
        scaled[name] = scaled[name] * entry.systematic_factor
    low, high = span(table, *entry.span)
    try:
        return DataSet(
            table=replace(table, **scaled),
            systematics=entry.systematics,
            x_min=low,
            x_max=high,
            norm_error=entry.norm_error,
            energy_error=entry.energy_error,
            logarithmic=logarithmic,
        )
    except FitError as error:
        raise MeasurementError(str(error)) from None


def span(table: Measurement, low: float, high: float) -> tuple[float, float]:
    """x of a table between two rigidities, GV; 0 and ∞ are no bounds."""
    return abscissa(table, low) if low else 0.0, abscissa(table, high)


def put_right(one: DataSet, values: Values) -> Measurement:
    """The table of a data set with the fitted norm and energy scale of its experiment."""
    norm, scale = Likelihood.shifts(one, values)
    per = (1 + norm) * (1 + scale if one.table.is_flux else 1.0)
    changed = {name: getattr(one.table, name) / per for name in _SCALED}
    for name in ("x", "x_lo", "x_hi"):
        if (edge := getattr(one.table, name)) is not None:
            changed[name] = edge * (1 + scale)
    return replace(one.table, **changed)


def correlated(sets: Sequence[DataSet], length: float) -> list[DataSet]:
    """The same with systematic errors that neighbours share, over a length in decades."""
    return [replace(one, systematics=Correlated(length=length)) for one in sets]


def variable(
    value: object, unit: str, name: str, *dims: str
) -> tuple[tuple[str, ...], object, dict[str, str]]:
    """A variable of a dataset with what it must say of itself."""
    return dims, value, {"units": unit, "long_name": name}


def told(shown: Mapping[str, Measurement], fitted: Sequence[str]) -> xr.Dataset:
    """Every measured point over rigidity, ``measured_…``(point), with the table it is of.

    Parameters
    ----------
    shown : mapping
        Name -> table over rigidity, as it is to be drawn.
    fitted : sequence of str
        Names of those that were fitted to.
    """
    tables = list(shown.values())
    lengths = [t.x.size for t in tables]
    columns = {
        "rigidity": ("GV", "rigidity of a measured point", "x"),
        "value": ("see table_unit", "measured flux, or ratio", "y"),
        "error_lo": ("see table_unit", "error of it downwards", "error_lo"),
        "error_hi": ("see table_unit", "error of it upwards", "error_hi"),
    }
    variables = {
        f"measured_{name}": variable(
            np.concatenate([getattr(t, key) for t in tables]), unit, text, "point"
        )
        for name, (unit, text, key) in columns.items()
    }
    limits = np.concatenate([~t.measured for t in tables]).astype(np.int8)
    variables["measured_limit"] = variable(limits, "1", "whether it is an upper limit", "point")
    owners = np.repeat(np.arange(len(tables), dtype=np.int32), lengths)
    variables["measured_table"] = variable(owners, "1", "place of its table", "point")
    said = {
        "table_label": ([t.experiment for t in tables], "experiment"),
        "table_quantity": ([t.quantity for t in tables], "element, or ratio of two"),
        "table_unit": ([t.unit for t in tables], "unit of the measured values"),
        "table_fitted": ([int(name in fitted) for name in shown], "whether it was fitted to"),
    }
    coords = {name: variable(value, "1", text, "table") for name, (value, text) in said.items()}
    coords["table"] = variable(list(shown), "1", "measured table", "table")
    return xr.Dataset(variables, coords)
