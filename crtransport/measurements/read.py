"""Measurements by name, as decks name them: the tables of a data folder or of the user's cache."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from pathlib import Path

from crtransport.measurements.checks import remarks
from crtransport.measurements.folders import read_table
from crtransport.measurements.table import Measurement, per_nucleon, ratio_parts


class MeasurementWarning(UserWarning):
    """Something odd about a measurement, which may be right; it names the file and the line."""


def load(names: Iterable[str], folder: str | Path) -> list[Measurement]:
    """Read tables by name, ``AMS-02_H_rigidity`` or ``voyager1_He_2016``.

    They are looked for in the data folder, and then among those that were imported. What is odd
    about one becomes a `MeasurementWarning`.

    Raises
    ------
    MeasurementError
        If the folder or a table is missing, or a table cannot be read or cannot be right.
    """
    readings = [read_table(name, Path(folder)) for name in names]
    for reading in readings:
        for remark in remarks(reading):
            warnings.warn(remark, MeasurementWarning, stacklevel=2)
    return [reading.measurement for reading in readings]


def load_fluxes(names: Iterable[str], folder: str | Path) -> list[Measurement]:
    """Like `load`, and refuse a table that is no flux of one element.

    Raises
    ------
    MeasurementError
    """
    tables = load(names, folder)
    for table in tables:
        per_nucleon(table)
    return tables


def load_fluxes_and_ratios(names: Iterable[str], folder: str | Path) -> list[Measurement]:
    """Like `load`, and refuse what is neither a flux of one element nor a ratio of two.

    Raises
    ------
    MeasurementError
    """
    tables = load(names, folder)
    for table in tables:
        if table.is_flux:
            per_nucleon(table)
        else:
            ratio_parts(table)
    return tables
