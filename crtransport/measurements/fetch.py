"""Measurements from CRDB, and catalogues from VizieR, through their Python packages.

Both packages are optional (the extra ``data``) and imported here only. What they give is text: an
export of CRDB as `crtransport.measurements.crdb` reads it, and ECSV.
"""

from __future__ import annotations

import contextlib
import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

from crtransport.measurements.table import AXIS_NAMES, MeasurementError
from crtransport.nuclides import ELEMENTS

CITE_CRDB = "Maurin et al. 2023, EPJC 83 971 (CRDB)"
CITE_VIZIER = "Ochsenbein et al. 2000, A&AS 143 23 (VizieR, doi:10.26093/cds/vizier)"

_SERVER = "https://lpsc.in2p3.fr/crdb/rest.php"
_ENERGY_TYPES = dict(zip(AXIS_NAMES.values(), ("R", "EKN", "EK", "ETOT"), strict=True))
_NUCLIDE = re.compile(r"([A-Z][a-z]?)(\d*)$")
_CATALOGUE = re.compile(r"(?:J|[IVX]+)/[\w+./-]+$")


@dataclass(frozen=True, kw_only=True)
class Query:
    """What is asked of CRDB: data as they were measured, neither combined nor converted.

    Attributes
    ----------
    experiment, quantity, energy_type : str
        As CRDB calls them: "AMS02", "B/C", "R".
    """

    experiment: str
    quantity: str
    energy_type: str

    def url(self) -> str:
        """The address that answers it in a browser, as a ``usine`` export."""
        above, _, below = self.quantity.partition("/")
        given = {"num": above} | ({"den": below} if below else {})
        given |= {"energy_type": self.energy_type, "combo_level": "0"}
        given |= {"energy_convert_level": "0", "exp_dates": self.experiment, "format": "usine"}
        return f"{_SERVER}?{urlencode(given)}"


def is_catalogue(name: str) -> bool:
    """Whether a name is that of a catalogue of VizieR, "J/MNRAS/507/5161"."""
    return _CATALOGUE.match(name) is not None


def query_of(name: str) -> Query:
    """The query for the table of a name, "AMS02_B_C_rigidity".

    Raises
    ------
    MeasurementError
        If the name is not of the form EXPERIMENT_QUANTITY_AXIS.
    """
    *experiment, last, axis = ["", *name.split("_")][-99:] if "_" in name else ["", "", ""]
    parts = [last]
    if len(experiment) > 2 and all(map(_is_nuclide, (experiment[-1], last))):
        parts = [experiment.pop(), last]
    label = "_".join(experiment[1:])
    if axis not in _ENERGY_TYPES or not label or not last:
        raise MeasurementError(
            f"{name[:100]!r} is neither EXPERIMENT_QUANTITY_AXIS, such as AMS02_B_C_rigidity with "
            f"an axis of {', '.join(_ENERGY_TYPES)}, nor a catalogue of VizieR, such as "
            "J/MNRAS/507/5161"
        )
    # the one experiment that CRDB writes otherwise than its papers do
    experiment_name = label.replace("AMS-02", "AMS02")
    quantity = "/".join(_NUCLIDE.sub(r"\2\1", part) for part in parts)
    return Query(experiment=experiment_name, quantity=quantity, energy_type=_ENERGY_TYPES[axis])


def _is_nuclide(text: str) -> bool:
    match = _NUCLIDE.match(text)
    return match is not None and match[1] in ELEMENTS


def crdb_export(query: Query) -> str:
    """CRDB's answer as a ``csv`` export.

    Raises
    ------
    ImportError
        If the package ``crdb`` is not installed.
    OSError
        If CRDB cannot be reached.
    MeasurementError
        If it has no such data.
    """
    import crdb

    with _quiet():
        try:
            table = crdb.query(
                query.quantity,
                energy_type=query.energy_type,
                combo_level=0,
                energy_convert_level=0,
                exp_dates=query.experiment,
            )
        except ValueError as error:
            raise MeasurementError(f"CRDB has no data for {query}: {error}") from None
    if not len(table):
        raise MeasurementError(f"CRDB has no data for {query}")
    text = io.StringIO()
    text.write(f"# {CITE_CRDB}; asked for: {query.url()}\n# Format: CSV\n")
    writer = csv.writer(text, lineterminator="\n")
    for row in table:
        head = (row["quantity"], row["sub_exp"], row["e_type"], row["e"], *row["e_bin"])
        values = (row["value"], *row["err_sta"], *row["err_sys"])
        tail = (row["ads"], row["phi"], row["distance"], row["datetime"])
        writer.writerow([*head, *values, *tail, int(row["is_upper_limit"])])
    return text.getvalue()


def vizier_export(catalogue: str) -> dict[str, str]:
    """The tables of a catalogue of VizieR, by name, as ECSV with units and descriptions.

    Raises
    ------
    ImportError
        If the package ``astroquery`` is not installed.
    OSError
        If VizieR cannot be reached.
    MeasurementError
        If it has no such catalogue, or a table of it is empty.
    """
    from astroquery.vizier import Vizier

    with _quiet():
        tables = Vizier(columns=["**"], row_limit=-1).get_catalogs(catalogue)
    if not len(tables):
        raise MeasurementError(f"VizieR has no catalogue {catalogue}")
    found = {}
    for name, table in zip(tables.keys(), tables.values(), strict=True):
        if not len(table):
            raise MeasurementError(f"VizieR gave no rows of table {name}")
        text = io.StringIO()
        table.write(text, format="ascii.ecsv")
        found[name.removeprefix(catalogue).strip("/") or "table"] = text.getvalue()
    return found


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep the packages from printing progress and tracebacks; their errors come as exceptions."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        yield
