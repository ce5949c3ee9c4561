"""Measured spectra and ratios: tables read from a data folder that the user gives."""

from crtransport.measurements.abundances import Factor, Parts, abundance_factors
from crtransport.measurements.read import data_folder, load, load_fluxes, load_fluxes_and_ratios
from crtransport.measurements.table import (
    Measurement,
    MeasurementError,
    Spectrum,
    per_nucleon,
    ratio_parts,
)

__all__ = [
    "Factor",
    "Measurement",
    "MeasurementError",
    "Parts",
    "Spectrum",
    "abundance_factors",
    "data_folder",
    "load",
    "load_fluxes",
    "load_fluxes_and_ratios",
    "per_nucleon",
    "ratio_parts",
]
