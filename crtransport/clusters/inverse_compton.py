"""Inverse Compton of a cluster's electrons on the photon fields there, computed by naima.

The index of the power law that is fitted to the gamma rays gives that of the electrons,
p = 2 Γ₂ − 1, as long as photons are scattered without recoil (Thomson). On starlight that ends
below 1 GeV: the full spectrum, of electrons with this p, shows how far.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crtransport.clusters.catalogue import read_catalogue
from crtransport.clusters.names import different_names, positions
from crtransport.clusters.tables import locate, read_table
from crtransport.constants import KPC
from crtransport.deck.clusters import InverseCompton
from crtransport.measurements.table import MeasurementError

Array = NDArray[np.float64]

T_CMB = 2.72548  # K; Fixsen 2009, ApJ 707, 916
#: GeV; half or twice of either changes nothing above 50 MeV
ELECTRONS = (0.1, 1e6)
#: GeV, above which the energy of the electrons is told: that of the softest ones that are seen
ELECTRONS_TOLD = 1.0
_DENSITIES = ("u_cmb", "u_ir", "u_opt")


class Field(NamedTuple):
    """Photons of a diluted black body: temperature in K, energy density in eV cm⁻³."""

    name: str
    temperature: float
    density: float


class Seeds(NamedTuple):
    """What is scattered in one cluster, and how far away it is (kpc)."""

    cluster: str
    distance: float
    fields: tuple[Field, ...]


def installed() -> bool:
    """Whether naima can be had; found, not imported, which takes a second."""
    return importlib.util.find_spec("naima") is not None


def read_seeds(deck: InverseCompton, folder: Path, names: Sequence[str]) -> list[Seeds]:
    """The photon fields at the clusters of a deck.

    Parameters
    ----------
    deck : InverseCompton
    folder : Path
        The data folder.
    names : sequence of str
        Clusters of which there are spectra.

    Raises
    ------
    MeasurementError
        If a cluster has no spectrum, or is not in the tables.
    """
    clusters, fields = (locate(folder, name) for name in (deck.clusters, deck.photon_fields))
    catalogue = read_catalogue(clusters, fields)
    rows = read_table(
        fields,
        numbers=(),
        required=("name", *_DENSITIES),
        optional=_DENSITIES,
        texts=("name",),
        units=dict.fromkeys(_DENSITIES, "eV / cm3"),
    )
    temperatures = (T_CMB, deck.T_dust, deck.T_stars)
    spectra = list(positions(names, catalogue.names, catalogue.alternatives))
    found = []
    for name, k in zip(
        deck.names, positions(deck.names, catalogue.names, catalogue.alternatives), strict=True
    ):
        if k < 0:
            raise MeasurementError(f"inverse_compton.names: {name!r} is not in {clusters}")
        if k not in spectra:
            raise MeasurementError(f"inverse_compton.names: {name!r} has no spectrum in the bands")
        row = int(positions([catalogue.names[k]], different_names(rows, "name"))[0])
        density = [rows.column(c)[row] if row >= 0 else np.nan for c in _DENSITIES]
        density.append(catalogue.observables["u_gc"][k])
        given = zip((*_DENSITIES, "u_gc"), (*temperatures, deck.T_cluster), density, strict=True)
        known = tuple(Field(*one) for one in given if one[-1] > 0)
        if not known:
            raise MeasurementError(f"inverse_compton.names: no photons are known at {name!r}")
        found.append(Seeds(names[spectra.index(k)], float(catalogue.distance[k]), known))
    return found


def luminosity(index: float, fields: Sequence[Field], energy: Array) -> tuple[Array, float]:
    """E² dN/dE of a power law of electrons, erg/s, and the energy of these electrons, erg.

    dN/dE_e = (E_e/10 GeV)^−p eV⁻¹ within `ELECTRONS`, isotropic among isotropic photons, with the
    Klein-Nishina cross section (Khangulyan et al. 2014, ApJ 783, 100, good to a percent).

    Parameters
    ----------
    index : float
        p.
    fields : sequence of Field
    energy : [energy]
        Of the gamma rays, MeV.
    """
    import astropy.units as u
    from naima.models import InverseCompton as Radiation
    from naima.models import PowerLaw

    density = u.eV / u.cm**3
    radiation = Radiation(
        PowerLaw(1 / u.eV, 10 * u.GeV, index),
        seed_photon_fields=[[f.name, f.temperature * u.K, f.density * density] for f in fields],
        Eemin=ELECTRONS[0] * u.GeV,
        Eemax=ELECTRONS[1] * u.GeV,
    )
    spectrum = radiation.sed(energy * u.MeV, distance=0).to_value("erg / s")
    total = radiation.compute_We(Eemin=ELECTRONS_TOLD * u.GeV).to_value("erg")
    return np.asarray(spectrum), float(total)


def photon_index(energy: Array, spectrum: Array) -> Array:
    """Local index −dlnN/dlnE of E² dN/dE."""
    return np.asarray(2 - np.gradient(np.log(spectrum), np.log(energy)))


def variables(
    seeds: Sequence[Seeds], index: float, energy: Array, fitted: dict[str, Array]
) -> dict[str, Any]:
    """What a dataset has of these spectra, over (scattering, energy); nothing without naima.

    Parameters
    ----------
    seeds : sequence of Seeds
    index : float
        p.
    energy : [energy]
        MeV.
    fitted : dict of [energy]
        Cluster -> fitted E² dN/dE, erg cm⁻² s⁻¹, to whose integral over ln E a spectrum is scaled.
    """
    if not seeds or not installed():
        return {}
    curves, slopes, energies = [], [], []
    for one in seeds:
        spectrum, total = luminosity(index, one.fields, energy)
        scale = np.trapezoid(fitted[one.cluster], np.log(energy)) / np.trapezoid(
            spectrum, np.log(energy)
        )
        curves.append(scale * spectrum)
        slopes.append(photon_index(energy, spectrum))
        energies.append(scale * total * 4 * np.pi * (one.distance * KPC) ** 2)
    names = [one.cluster for one in seeds]
    return {
        "scattering": ("scattering", names, _label("1", "cluster whose photons are scattered")),
        "scattered_spectrum": (
            ("scattering", "energy"),
            np.array(curves),
            _label("erg cm-2 s-1", "E² dN/dE of inverse Compton with recoil, scaled to the fit"),
        ),
        "scattered_index": (
            ("scattering", "energy"), np.array(slopes), _label("1", "its local photon index")
        ),
        "electron_energy": (
            "scattering",
            np.array(energies),
            _label("erg", f"energy of the electrons above {ELECTRONS_TOLD:g} GeV"),
        ),
        "photon_density": (
            "scattering",
            np.array([sum(f.density for f in one.fields) for one in seeds]),
            _label("eV cm-3", "energy density of the photons that are scattered"),
        ),
    }  # fmt: skip


def _label(units: str, long_name: str) -> dict[str, str]:
    return {"units": units, "long_name": long_name}
