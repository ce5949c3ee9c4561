"""One point of a scan, where it is run: a deck with other values in, the numbers to keep out."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import numpy as np
import xarray as xr

from crtransport.deck.errors import DeckError, nearest
from crtransport.deck.load import load_deck
from crtransport.deck.schema import Deck
from crtransport.fits.parameters import FitError
from crtransport.measurements.table import MeasurementError
from crtransport.run import measured, solved
from crtransport.solvers.errors import ConvergenceError, SingularOperatorError

#: numbers of a variable that is kept without being named
_FEW = 1000
#: kept in any case, of a deck that compares
_COMPARED = ("chi2", "chi2_points")


@dataclass(frozen=True)
class Setup:
    """What all points have in common; hashable, and small enough to be sent with each.

    Attributes
    ----------
    deck : str
        The tables of the deck without its scan, as JSON.
    keep : tuple of str
        Variables to keep; those that are small where it is empty.
    data : str or None
        Folder of measured tables.
    """

    deck: str
    keep: tuple[str, ...]
    data: str | None


class Point(NamedTuple):
    """What is kept of one point.

    Attributes
    ----------
    status : str
        "done"; "inaccurate", where the error estimate exceeds the tolerance, or a flux or a fit is
        not to be trusted; "failed"; "lacking", where a variable to be kept is not in the output.
    reason : str
        Why there are no numbers, or why they are inaccurate.
    cpu_seconds : float
        Of the process.
    error_estimate, error_tolerance : float
        Of the run.
    layout : str
        Names, dimensions and coordinates of what is kept, as JSON.
    values : bytes
        The numbers, float64, variable after variable in the order of the layout.
    """

    status: Literal["done", "inaccurate", "failed", "lacking"]
    reason: str = ""
    cpu_seconds: float = np.nan
    error_estimate: float = np.nan
    error_tolerance: float = np.nan
    layout: str = ""
    values: bytes = b""


class _Lacking(LookupError):
    """A variable to be kept is not in the output."""


def compute(setup: Setup, overrides: Mapping[str, Any]) -> Point:
    """Run one point; an error that it ends with is its result."""
    start = time.process_time()
    try:
        point = _solved(setup, overrides)
    except _Lacking as error:
        point = Point("lacking", str(error))
    except DeckError as error:
        point = Point("failed", "; ".join(str(p).removeprefix("--set ") for p in error.problems))
    except (ConvergenceError, SingularOperatorError, FitError, MeasurementError) as error:
        point = Point("failed", str(error))
    except MemoryError:
        point = Point("failed", "not enough memory")
    except Exception as error:  # a bug met by one set of values must not take the others with it
        point = Point("failed", f"internal error, {type(error).__name__}: {error}")
    return point._replace(cpu_seconds=time.process_time() - start)


def _solved(setup: Setup, overrides: Mapping[str, Any]) -> Point:
    base, tables = _prepared(setup)
    dataset = solved(load_deck(base, overrides), tables, setup.data)
    error, tolerance = (float(dataset.attrs[f"error_{what}"]) for what in ("estimate", "tolerance"))
    layout, values = _kept(dataset, setup.keep)
    numbers = error, tolerance, layout, values
    wrong = str(dataset.attrs.get("failures", "")).splitlines()
    if error <= tolerance and not wrong:
        return Point("done", "", np.nan, *numbers)
    if wrong:
        return Point("inaccurate", "; ".join(wrong), np.nan, *numbers)
    reason = f"the error estimate {error:.2g} exceeds the tolerance {tolerance:.2g}"
    return Point("inaccurate", reason, np.nan, *numbers)


@lru_cache(maxsize=1)
def _prepared(setup: Setup) -> tuple[Deck, list[Any]]:
    """The deck, and the measured tables that it names: read once in each process."""
    base = load_deck(json.loads(setup.deck))
    return base, measured(base, setup.data)


def _kept(dataset: xr.Dataset, keep: Sequence[str]) -> tuple[str, bytes]:
    """Layout and numbers of what is kept of a dataset."""
    numbers = {str(name): v for name, v in dataset.data_vars.items() if v.dtype.kind in "fiub"}
    names = list(keep) or [name for name, v in numbers.items() if v.size <= _FEW]
    names += [name for name in _COMPARED if name in numbers and name not in names]
    for name in names:
        if name not in numbers:
            close = nearest(name, numbers)
            hint = f'; did you mean "{close}"?' if close else ""
            raise _Lacking(f'no variable "{name}"{hint} (there are: {", ".join(numbers)})')
    if not names:
        raise _Lacking(f"each variable has more than {_FEW} numbers: name some under keep")
    some = [numbers[name] for name in names]
    dims = dict.fromkeys(str(dim) for v in some for dim in v.dims)
    layout = {
        "variables": {v.name: {"dims": v.dims, "attrs": v.attrs} for v in some},
        "sizes": {dim: dataset.sizes[dim] for dim in dims},
        "axes": {
            dim: {"values": dataset[dim].values.tolist(), "attrs": dataset[dim].attrs}
            for dim in dims
            if dim in dataset.coords
        },
    }
    text = json.dumps(layout, default=_plain)
    return text, b"".join(np.ascontiguousarray(v.values, dtype="<f8").tobytes() for v in some)


def _plain(value: Any) -> Any:
    return value.tolist()  # numbers of NumPy among the attributes
