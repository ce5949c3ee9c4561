"""Measured spectra and ratios: read from files, checked, found by name in a data folder."""

from crtransport.measurements.abundances import Factor, Parts, abundance_factors
from crtransport.measurements.checks import remarks
from crtransport.measurements.folders import cache_folder, data_folder
from crtransport.measurements.formats import read_file
from crtransport.measurements.read import (
    MeasurementWarning,
    load,
    load_fluxes,
    load_fluxes_and_ratios,
)
from crtransport.measurements.reading import Reading
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
    "MeasurementWarning",
    "Parts",
    "Reading",
    "Spectrum",
    "abundance_factors",
    "cache_folder",
    "data_folder",
    "load",
    "load_fluxes",
    "load_fluxes_and_ratios",
    "per_nucleon",
    "ratio_parts",
    "read_file",
    "remarks",
]
