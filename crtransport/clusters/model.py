"""From a deck to a dataset: tables read, the analysis done, and what the user is told of it."""

from __future__ import annotations

from pathlib import Path

import xarray as xr

from crtransport.clusters import correlations, report, universal
from crtransport.clusters.bands import BandTable, read_bands
from crtransport.clusters.catalogue import Catalogue, read_catalogue
from crtransport.clusters.sample import Sample, read_sample
from crtransport.clusters.tables import locate
from crtransport.deck.clusters import ClustersDeck, Correlations
from crtransport.measurements import folders
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
        table = read_bands(locate(folder, deck.spectra.bands))
        for energy in deck.spectra.E_min:
            table.above(energy)
        return table
    assert deck.correlations is not None
    chosen = deck.correlations
    catalogue = read_catalogue(
        *(locate(folder, f) for f in (chosen.clusters, chosen.photon_fields))
    )
    path = luminosities(chosen, folder)
    sample = read_sample(path, catalogue, chosen.threshold_factor)
    for name in chosen.observables:
        correlations.require_line(path, catalogue, sample, name)
    return catalogue, sample


def luminosities(chosen: Correlations, folder: Path) -> Path:
    """The file of luminosities, or the folder of the catalogue that is taken in its place."""
    fetched = folders.catalogue(chosen.vizier, folder) if chosen.vizier else None
    return fetched or locate(folder, chosen.luminosities)


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
    path = luminosities(deck.correlations, Path(data))
    return correlations.analyse(deck.correlations, path, *tables)


def headline(dataset: xr.Dataset) -> list[tuple[str, str]]:
    """The results beside those of the paper, and why they differ."""
    if "observable" in dataset.coords:
        return report.correlations(dataset)
    return report.spectra(dataset)
