"""A deck with [scan]: run at all its points, side by side, each stored as it comes."""

from __future__ import annotations

import hashlib
import json
import shutil
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

from crtransport.console import InputError, Terminated
from crtransport.deck.scan import CHI2, Scan
from crtransport.deck.schema import Deck, resolve
from crtransport.errors import WorkerError
from crtransport.provenance import attributes
from crtransport.run import measured
from crtransport.studies.means import Means, Tell, untold
from crtransport.studies.scan_dataset import chi2, dataset, shown
from crtransport.studies.scan_plan import Plan, plan
from crtransport.studies.scan_point import Point, Setup, compute
from crtransport.studies.scan_pool import Lost
from crtransport.studies.scan_store import Store
from crtransport.version import __version__

#: bytes of what is kept of all points: it is written from memory
LARGEST = 2**30
_MOST_TOLD = 10  # points that failed


def solve(deck: Deck, data: str | Path | None) -> xr.Dataset:
    """All points of a deck's scan, one after the other in this process, with nothing on disk."""
    return scan(deck, data, None, Means(workers=0))


def scan(
    deck: Deck,
    data: str | Path | None,
    path: Path | None,
    means: Means,
    tell: Tell = untold,
) -> xr.Dataset:
    """All points of a deck's scan; those that the store has are not run again.

    Parameters
    ----------
    deck : Deck
        With ``scan``.
    data : path or None
        Folder of measured tables, which all workers can read.
    path : path or None
        The store; None for one in memory.
    means : Means
        What runs them. The numbers do not depend on it.
    tell : callable
        Told (finished, failed, of how many, finished by an earlier run) as points come.

    Returns
    -------
    xarray.Dataset
        Over one dimension per parameter, or ``point`` for a sample: what is kept of each point,
        its ``status``, ``reason``, ``cpu_seconds``, ``error_estimate`` and ``error_tolerance``.

    Raises
    ------
    InputError
        If nothing that is asked for can be kept, or not all of it, or the store is another scan's.
    WorkerError
        If processes or workers cannot be had.
    """
    points = plan(deck)
    with Store(path, _about(deck, data)) as store:
        if means.retry:
            store.drop_failed()
        try:
            _run(deck, points, store, means, tell, data)
        except (KeyboardInterrupt, Terminated) as stop:
            raise type(stop)(_resumable(store, points)) from None
        except WorkerError as error:
            raise WorkerError(f"{error}; {_resumable(store, points)}") from None
        return dataset(points, dict(store.points())).assign_attrs(attributes(deck))


def _run(
    deck: Deck, points: Plan, store: Store, means: Means, tell: Tell, data: str | Path | None
) -> None:
    """Run the points that the store lacks."""
    assert deck.scan is not None
    before = store.status()
    failed = sum(status == "failed" for status in before.values())
    there, jobs = len(before), [n for n in range(len(points)) if n not in before]
    tell(there, failed, len(points), len(before))
    tables = {name: t for name, t in resolve(deck).items() if name != "scan"}
    setup = Setup(
        json.dumps(tables), deck.scan.keep, None if data is None else str(Path(data).resolve())
    )
    good = there > failed
    with means.pool(partial(compute, setup)) as results:
        for batch in results((n, points.overrides(n)) for n in jobs):
            batch = [(n, _point(result, good)) for n, result in batch]
            for _, point in batch:
                if not good and point.layout:
                    _check(deck, points, point, store)
                    good = True
            store.add(batch)
            there += len(batch)
            failed += sum(point.status == "failed" for _, point in batch)
            tell(there, failed, len(points), len(before))


def _point(result: Point | Lost, good: bool) -> Point:
    """What is stored of a result; a variable that no point has had yet is taken for a mistake."""
    if isinstance(result, Lost):
        return Point("failed", result.reason)
    if result.status != "lacking":
        return result
    if not good:
        raise InputError(f"scan.keep: {result.reason}")
    return result._replace(status="failed")


def _check(deck: Deck, points: Plan, point: Point, store: Store) -> None:
    """See from the first point whether all can be kept, and what is to be shown be shown."""
    assert deck.scan is not None
    shown(deck.scan, dataset(points.first(), {0: point}))
    size = len(points) * len(point.values)
    room = (
        LARGEST if store.path is None else min(LARGEST, shutil.disk_usage(store.path.parent).free)
    )
    if 2 * size > room:
        raise InputError(
            f"scan: {len(points)} points of {len(point.values) / 1e3:.3g} kB each make "
            f"{size / 1e9:.3g} GB, twice while they are written; there is room for "
            f"{room / 1e9:.3g} GB: keep fewer variables (scan.keep), or take fewer points"
        )


def _about(deck: Deck, data: str | Path | None) -> dict[str, Any]:
    """What a store belongs to: the deck, the program, and the measured tables that it compares."""
    tables = {}
    for table in measured(deck, data):
        digest = hashlib.sha256(np.concatenate([table.x, table.y]).tobytes())
        tables[table.name] = digest.hexdigest()[:12]
    return {"crtransport": __version__, "measured": tables, "deck": resolve(deck)}


def _resumable(store: Store, points: Plan) -> str:
    there = len(store.status())
    return (
        f"{there} of {len(points)} points are in {store.path}; the same command goes on with the "
        "others"
    )


def drawn(found: xr.Dataset, asked: Scan) -> dict[str, xr.DataArray]:
    """The numbers of each point that figures show: χ² and what the deck asks for."""
    total = chi2(found)
    numbers = {} if total is None else {CHI2: total}
    return numbers | dict(shown(asked, found) if np.any(found.status != "failed") else ())


def headline(found: xr.Dataset, asked: Scan) -> list[tuple[str, str]]:
    """How many points there are, the least χ², the range of each number that is shown."""
    status = found.status.values
    counts = [f"{np.sum(status == name)} {name}" for name in ("done", "inaccurate", "failed")]
    told = [count for count in counts if not count.startswith("0 ")]
    rows = [("points", f"{status.size}: {', '.join(told)}")]
    for name, values in drawn(found, asked).items():
        seen = values.values[np.isfinite(values.values)]
        if not seen.size:
            rows.append((name, "at no point a number"))
        elif name == CHI2:
            best = found.isel(values.argmin(...))
            rows.append((f"least {name}", f"{seen.min():.1f} at {place(best)}"))
        else:
            unit = "" if values.units == "1" else f" {values.units}"
            rows.append((name, f"{seen.min():.4g} to {seen.max():.4g}{unit}"))
    seconds = found.cpu_seconds.values[np.isfinite(found.cpu_seconds.values)]
    if seconds.size:
        text = f"{np.median(seconds):.2g} s of CPU each, {seconds.sum():.3g} s altogether"
        rows.append(("cost", text))
    return rows


def failures(found: xr.Dataset) -> list[str]:
    """Each point that failed with its values and its reason; the first of them, if many."""
    bad = np.flatnonzero(found.status.values == "failed")
    told = []
    for number in bad[:_MOST_TOLD]:
        indices = np.unravel_index(number, found.status.shape)
        one = found.isel(dict(zip(found.status.dims, indices, strict=True)))
        told.append(f"{place(one)}: {one.reason.item()}")
    rest = len(bad) - _MOST_TOLD
    return told + ([f"and {rest} more: see `reason` in the file"] if rest > 0 else [])


def place(one: xr.Dataset) -> str:
    """The values of a point: "D0 = 4.5e+28 cm2/s, z_h = 4 kpc"."""
    words = []
    for name in json.loads(one.attrs["scanned"]):
        value = one[name].item()
        unit = "" if one[name].units == "1" else f" {one[name].units}"
        words.append(f"{name} = {value if isinstance(value, str) else f'{value:.4g}'}{unit}")
    return ", ".join(words)
