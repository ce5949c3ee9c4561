"""From a deck to a dataset: tables read, the analysis done, and what the user is told of it."""

from __future__ import annotations

from pathlib import Path

import xarray as xr

from crtransport.clusters import correlations, report, universal
from crtransport.clusters.bands import BandTable, read_bands
from crtransport.clusters.catalogue import Catalogue, read_catalogue
from crtransport.clusters.inverse_compton import Seeds, read_seeds
from crtransport.clusters.sample import Sample, read_sample
from crtransport.clusters.tables import locate
from crtransport.deck.clusters import ClustersDeck, Correlations, Spectra
from crtransport.measurements import folders
from crtransport.measurements.table import MeasurementError


def read(
    deck: ClustersDeck, data: str | Path | None
) -> tuple[Catalogue, Sample] | tuple[BandTable, list[Seeds]]:
    """The tables of a deck from a data folder, checked for what its analysis needs.

    Raises
    ------
    MeasurementError
        Naming file, line and column, or the folder that is missing.
    """
    folder = _folder(deck, data)
    if deck.spectra is not None:
        return _read_spectra(deck.spectra, folder)
    assert deck.correlations is not None
    return _read_correlations(deck.correlations, folder)


def _folder(deck: ClustersDeck, data: str | Path | None) -> Path:
    if data is None:
        why = "needs tables of clusters: give their folder by --data or CRTRANSPORT_DATA"
        raise MeasurementError(f'analysis = "{deck.analysis}" {why}')
    return Path(data)


def _read_spectra(chosen: Spectra, folder: Path) -> tuple[BandTable, list[Seeds]]:
    table = read_bands(locate(folder, chosen.bands))
    for energy in chosen.E_min:
        table.above(energy)
    physics = chosen.inverse_compton
    return table, [] if physics is None else read_seeds(physics, folder, table.names)


def _read_correlations(chosen: Correlations, folder: Path) -> tuple[Catalogue, Sample]:
    clusters, fields = (locate(folder, name) for name in (chosen.clusters, chosen.photon_fields))
    catalogue = read_catalogue(clusters, fields)
    path = _luminosities(chosen, folder)
    sample = read_sample(path, catalogue, chosen.threshold_factor)
    for name in chosen.observables:
        correlations.require_line(path, catalogue, sample, name)
    return catalogue, sample


def _luminosities(chosen: Correlations, folder: Path) -> Path:
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
    folder = _folder(deck, data)
    if deck.spectra is not None:
        return universal.analyse(deck.spectra, *_read_spectra(deck.spectra, folder))
    assert deck.correlations is not None
    path = _luminosities(deck.correlations, folder)
    tables = _read_correlations(deck.correlations, folder)
    return correlations.analyse(deck.correlations, path, *tables)


def headline(dataset: xr.Dataset) -> list[tuple[str, str]]:
    """The results beside those of the paper, and why they differ."""
    if "observable" in dataset.coords:
        return report.correlations(dataset)
    return report.spectra(dataset)
