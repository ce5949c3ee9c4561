"""A catalogue of globular clusters: tables of a data folder joined by the clusters' names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crtransport.clusters.names import different_names, normalised, positions
from crtransport.clusters.tables import read_table
from crtransport.constants import ERG, KPC, SPEED_OF_LIGHT
from crtransport.measurements.table import MeasurementError

Array = NDArray[np.float64]

SUN = 3.828e33  # erg/s, IAU 2015
SUN_M_V = 4.83  # absolute V magnitude of the Sun
ARCMIN = np.pi / 10800
_ERG_IN_EV = ERG * 1e9

_TEXTS = ("name", "alt_name")
_KNOWN = ("d_sun_kpc", "b_deg")
_GAPS = ("m_v", "rh_arcmin", "gamma_integrated", "fe_h")
_FIELDS = ("u_mw", "u_cmb")
_UNITS = {"d_sun_kpc": "kpc", "b_deg": "deg", "rh_arcmin": "arcmin", "m_v": "mag", "fe_h": "dex"}
_UNITS |= {"gamma_integrated": ""} | dict.fromkeys(_FIELDS, "eV / cm3")
_ABOVE_ZERO = {
    "d_sun_kpc": "a distance must be above zero",
    "rh_arcmin": "must be above zero, or empty",
    "gamma_integrated": "must be above zero, or empty",
}


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """Clusters in the order of their normalised names; NaN where something is not known.

    Attributes
    ----------
    path : Path
        The table of the clusters.
    names, alternatives : [cluster] of str
        What each is called, and what else or "".
    latitude : [cluster]
        Galactic, degrees.
    distance : [cluster]
        kpc.
    observables : dict of [cluster]
        "encounter_rate" (47 Tuc = 1000), "u_total", "u_mw", "u_gc" (eV cm⁻³) and "metallicity"
        ([Fe/H]).
    unmatched : list of str
        "table: names" of rows that belong to no cluster.
    outside : list of str
        Clusters for which u_mw is not known: in u_total, the microwave background stands for it.
    """

    path: Path
    names: list[str]
    alternatives: list[str]
    latitude: Array
    distance: Array
    observables: dict[str, Array]
    unmatched: list[str]
    outside: list[str]


def photon_density(luminosity: ArrayLike, radius: ArrayLike) -> Array:
    """u_GC = L⋆/(4π c r_h²), eV cm⁻³, of starlight at the half-light radius.

    ``luminosity`` in solar units, ``radius`` in kpc (Song et al. 2021, MNRAS 507, 5161, Sec. 2).
    """
    flux = np.asarray(luminosity) * SUN / (4 * np.pi * (np.asarray(radius) * KPC) ** 2)
    return np.asarray(flux * _ERG_IN_EV / SPEED_OF_LIGHT)


def read_catalogue(clusters: Path, photon_fields: Path) -> Catalogue:
    """The clusters of one table with the Milky Way's photon fields of another.

    Parameters
    ----------
    clusters : Path
        Columns ``name``, ``alt_name``, ``b_deg``, ``d_sun_kpc``, ``fe_h``, ``m_v``,
        ``rh_arcmin``, ``gamma_integrated``. L⋆ is taken from M_V with the Sun's colour, without
        a bolometric correction.
    photon_fields : Path
        Columns ``name``, ``u_cmb`` and ``u_mw``, eV cm⁻³.

    Raises
    ------
    MeasurementError
        Naming file, line and column.
    """
    rows = read_table(
        clusters,
        numbers=_KNOWN,
        required=(*_TEXTS, *_KNOWN, *_GAPS),
        optional=_GAPS,
        texts=_TEXTS,
        units=_UNITS,
    )
    fields = read_table(
        photon_fields,
        numbers=(),
        required=("name", *_FIELDS),
        optional=_FIELDS,
        texts=("name",),
        units=_UNITS,
    )
    field_names = different_names(fields, "name")
    order = np.argsort([normalised(name) for name in different_names(rows, "name")], kind="stable")
    for column, why in _ABOVE_ZERO.items():
        if np.any(bad := rows.column(column) <= 0):
            raise MeasurementError(f"{rows.place(int(np.argmax(bad)), column)}: {why}")
    rows = rows.take(order)
    names, alternatives = (rows.texts[c] for c in _TEXTS)
    distance, latitude = (rows.column(c) for c in _KNOWN)
    m_v, angle, rate, metals = (rows.column(c) for c in _GAPS)
    where = positions(names, field_names)
    u_mw, u_cmb = (_taken(fields.column(c), where) for c in _FIELDS)
    u_gc = photon_density(10 ** (-0.4 * (m_v - SUN_M_V)), angle * ARCMIN * distance)
    return Catalogue(
        path=clusters,
        names=names,
        alternatives=alternatives,
        latitude=latitude,
        distance=distance,
        observables={
            "encounter_rate": rate,
            "u_total": u_gc + np.where(np.isnan(u_mw), u_cmb, u_mw),
            "u_mw": u_mw,
            "u_gc": u_gc,
            "metallicity": metals,
        },
        unmatched=unmatched(
            photon_fields, field_names, positions(field_names, names, alternatives)
        ),
        outside=[name for name, u in zip(names, u_mw, strict=True) if np.isnan(u)],
    )


def _taken(values: Array, where: NDArray[np.intp]) -> Array:
    return np.where(where >= 0, values[where], np.nan)


def unmatched(path: Path, names: list[str], where: NDArray[np.intp]) -> list[str]:
    """The file and the names that were found nowhere, as one line; none where all were found."""
    lost = sorted(name for name, k in zip(names, where, strict=True) if k < 0)
    return [f"{path.name}: {', '.join(lost)}"] if lost else []
