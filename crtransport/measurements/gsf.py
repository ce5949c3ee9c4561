"""The Global Spline Fit to the world's data, where no measurements are at hand.

A reference curve with its error, no measurement: splines in rigidity through direct and air-shower
data (Dembinski et al. 2017, PoS(ICRC2017) 533), of the package ``globalsplinefit`` (the extra
``data``), modulated as on average from December 2008 to December 2019. Elements other than H, He,
O and Fe have the relative error of the one of these in whose group they are. Of ratios nothing is
drawn: within a group their errors cancel.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Iterable, Sequence
from datetime import date

import numpy as np

from crtransport.measurements.table import FLUX_UNITS, Measurement
from crtransport.nuclides import ELEMENTS

EXTRA = 'python -m pip install "crtransport[data]"'
#: GV; below, the average over a solar cycle says little
RANGE = (1.0, 1e8)
_PER_DECADE = 20
_EPOCH = (date(2008, 12, 1), date(2019, 11, 30))


def installed() -> bool:
    """Whether the package can be had; found, not imported, which takes half a second."""
    return importlib.util.find_spec("globalsplinefit") is not None


def elements(names: Iterable[str], at_hand: Sequence[Measurement] = ()) -> list[str]:
    """Elements whose flux at the Earth is in tables of these names and in none that is at hand.

    Names are EXPERIMENT_ELEMENT_AXIS, as decks name tables; those of ratios and of Voyager's are
    passed over.
    """
    seen = {table.quantity for table in at_hand}
    parts = [name.split("_") for name in names]
    found = [p[-2] for p in parts if len(p) > 2 and not _is_element(p[-3]) and _is_element(p[-2])]
    return [element for element in dict.fromkeys(found) if element not in seen]


def _is_element(text: str) -> bool:
    return text in ELEMENTS


def curves(wanted: Sequence[str]) -> list[Measurement]:
    """Flux over rigidity of some elements and its error, as `Measurement` with ``curve`` set.

    Parameters
    ----------
    wanted : sequence of str
        Elements, to Ni.

    Raises
    ------
    ImportError
        If the package is not installed.
    """
    from globalsplinefit import DEFAULT_VERSION, GSFRigidity

    model = GSFRigidity(version=DEFAULT_VERSION)
    decades = np.log10(RANGE[1] / RANGE[0])
    rigidity = np.geomspace(*RANGE, int(decades * _PER_DECADE) + 1)
    found = []
    for element in wanted:
        charge = ELEMENTS.index(element) + 1
        error = np.asarray(model.error(rigidity, charge))
        found.append(
            Measurement(
                name=f"GSF_{element}_rigidity",
                experiment=label(DEFAULT_VERSION),
                quantity=element,
                reference="Dembinski et al. 2017, PoS(ICRC2017) 533",
                x_kind="rigidity_GV",
                unit=FLUX_UNITS["rigidity_GV"],
                x=rigidity,
                y=np.asarray(model.flux(rigidity, charge)),
                stat_lo=error,
                stat_hi=error,
                sys_lo=np.zeros_like(error),
                sys_hi=np.zeros_like(error),
                epoch=_EPOCH,
                curve=True,
            )
        )
    return found


def label(version: str) -> str:
    """What the curve is, for figures and headlines."""
    return f"Global Spline Fit {version} (Dembinski et al. 2017), reference curve, no measurements"
