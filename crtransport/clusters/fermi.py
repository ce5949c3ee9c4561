"""The catalogues of Fermi's LAT as FITS files: the rows of globular clusters.

Columns as in Abdollahi et al. 2020, ApJS 247, 33, Table 12 (4FGL), tried on the files of 4FGL, its
DR2, DR3 and DR4 and the list of 16 years, gll_psc_v20, v27, v29, v35 and v41.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from crtransport.clusters.tables import astropy_table, words
from crtransport.measurements.table import MeasurementError

#: of a globular cluster; in capitals where the source is identified by more than its place
CLASS = "glc"
_BANDS = {"flux": "Flux_Band", "err_lo": "Unc_Flux_Band", "err_hi": "Unc_Flux_Band"}


def sources(path: Path) -> Any:
    """The sources that are globular clusters; None for a file that is no catalogue of sources.

    Returns
    -------
    astropy.table.Table
        The catalogue's own columns, with ``harris_name`` for its ASSOC1 and ``row`` in the file.
    """
    table = astropy_table(path, hdu=1)
    if not {"ASSOC1", "Source_Name"} <= set(table.colnames):
        return None
    column = "CLASS1" if "CLASS1" in table.colnames else "CLASS"
    if column not in table.colnames:
        raise MeasurementError(f"{path}: missing column CLASS1")
    chosen = np.flatnonzero([word.lower() == CLASS for word in words(table, column)])
    if not chosen.size:
        raise MeasurementError(f"{path}, column {column}: none of its sources is {CLASS!r}")
    found = table[chosen]
    found["row"] = chosen + 1
    found["harris_name"] = words(found, "ASSOC1")
    return found


def bands(path: Path) -> Any:
    """Their fluxes in bands, one row for each; None for a file that is no catalogue of sources.

    The bands are those of the file's table EnergyBounds, whose rows of one energy are parts of the
    data. A lower error that is NaN marks a flux that is an upper limit.
    """
    found = sources(path)
    if found is None:
        return None
    if missing := sorted(set(_BANDS.values()) - set(found.colnames)):
        why = "fluxes in bands are in one column since 4FGL"
        raise MeasurementError(f"{path}: missing column {', '.join(missing)}; {why}")
    bounds = astropy_table(path, hdu="EnergyBounds")
    edges = sorted({(row["LowerEnergy"], row["UpperEnergy"]) for row in bounds})
    count = found["Flux_Band"].shape[1]
    if len(edges) != count:
        why = f"{len(edges)} bands in EnergyBounds, {count} in Flux_Band"
        raise MeasurementError(f"{path}: {why}")
    n = len(found)
    table = type(found)()
    table["row"] = np.repeat(found["row"], count)
    table["harris_name"] = np.repeat(found["harris_name"], count)
    for i, name in enumerate(("LowerEnergy", "UpperEnergy")):
        column = ("e_lo_MeV", "e_hi_MeV")[i]
        table[column] = np.tile([edge[i] for edge in edges], n)
        table[column].unit = bounds[name].unit
    errors = np.asarray(found["Unc_Flux_Band"]).reshape(n, count, 2)
    values = np.asarray(found["Flux_Band"]), errors[..., 0], errors[..., 1]
    for (column, origin), value in zip(_BANDS.items(), values, strict=True):
        table[column] = value.ravel().astype(float)
        table[column].unit = found[origin].unit
    return table
