"""Measured spectra and ratios: tables read from a data folder that the user gives."""

from crtransport.measurements.read import data_folder, load, load_fluxes
from crtransport.measurements.table import MeasurementError, Spectrum, Table, per_nucleon

__all__ = [
    "MeasurementError",
    "Spectrum",
    "Table",
    "data_folder",
    "load",
    "load_fluxes",
    "per_nucleon",
]
