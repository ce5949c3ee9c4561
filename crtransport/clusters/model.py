"""From a deck to a dataset: tables read, the analysis done, and what the user is told of it."""

from __future__ import annotations

from pathlib import Path

import xarray as xr

from crtransport.clusters import correlations, report, universal
from crtransport.clusters.bands import BandTable, read_bands
from crtransport.clusters.catalogue import Catalogue, read_catalogue
from crtransport.clusters.sample import Sample, read_sample
from crtransport.deck.clusters import ClustersDeck
from crtransport.measurements.table import MeasurementError


def read(deck: ClustersDeck, data: str | Path | None) -> tuple[Catalogue, Sample] | BandTable:
    """The tables of a deck from a data folder, checked for what its analysis needs.

    Raises
    ------
    MeasurementError
        Naming file, line and column, or the folder that is missing.
    """
    if data is None:
        why = "needs tables of clusters: give their folder by --data or CRTRANSPORT_DATA"
        raise MeasurementError(f'analysis = "{deck.analysis}" {why}')
    folder = Path(data)
    if deck.spectra is not None:
        table = read_bands(folder / deck.spectra.bands)
        for energy in deck.spectra.E_min:
            table.above(energy)
        return table
    assert deck.correlations is not None
    chosen = deck.correlations
    catalogue = read_catalogue(folder / chosen.clusters, folder / chosen.photon_fields)
    sample = read_sample(folder / chosen.luminosities, catalogue, chosen.threshold_factor)
    for name in chosen.observables:
        correlations.require_line(folder / chosen.luminosities, catalogue, sample, name)
    return catalogue, sample


def solve(deck: ClustersDeck, data: str | Path | None) -> xr.Dataset:
    """The analysis of a deck.

    Returns
    -------
    xarray.Dataset
        For "correlations", over (observable): ``slope``, ``intercept``, ``scatter`` with their
        ``_error``, ``kendall_tau``, ``significance``. For "spectra": ``spectral_index_cr``,
        ``log10_cutoff``, ``spectral_index_ic`` with their ``_error``, ``delta_chi2``,
        ``norm`` over (cluster, component), ``efficiency_ratio`` over (cluster).
    """
    tables = read(deck, data)
    if isinstance(tables, BandTable):
        assert deck.spectra is not None
        return universal.analyse(deck.spectra, tables)
    assert deck.correlations is not None
    assert data is not None
    source = Path(data) / deck.correlations.luminosities
    return correlations.analyse(deck.correlations, source, *tables)


def headline(dataset: xr.Dataset) -> list[tuple[str, str]]:
    """The results beside those of the paper, and why they differ."""
    if "observable" in dataset.coords:
        return report.correlations(dataset)
    return report.spectra(dataset)
