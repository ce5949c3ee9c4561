"""Print what a scan costs beside its points: how busy two processes are, and what a point adds.

    python benchmarks/scan.py [POINTS]

Parallel efficiency is the wall time of one process over twice that of two, where the machine does
nothing else; a busy one spoils it. The part of their time in which processes are at a point, and
not waiting for one, does not depend on that: it is given from the first point on, and with the
start of the processes, beside the CPU time of a point with one process over that with two.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from crtransport.console import one_blas_thread
from crtransport.deck.load import load_deck
from crtransport.deck.read import read
from crtransport.deck.schema import Deck, resolve
from crtransport.studies import scan_pool
from crtransport.studies.scan_plan import plan
from crtransport.studies.scan_point import Point, Setup, compute
from crtransport.studies.scan_store import Store

SCANS: Mapping[str, tuple[str, str, float, float]] = {
    "burst": ("burst_geminga", "local_source.0.age", 1e5, 1e6),
    "leaky box": ("leaky_box_losses", "geometry.escape_time", 10.0, 100.0),
}


class Span(NamedTuple):
    """When a process was at a point: clock and CPU time, before and after."""

    process: int
    clock: tuple[float, float]
    cpu: tuple[float, float]


class Cost(NamedTuple):
    """Wall and CPU seconds of a scan; parts of the time in which processes are at a point."""

    wall: float
    busy: float
    busy_from_start: float
    cpu_per_point: float
    overhead: float


def deck(name: str, count: int) -> Deck:
    """A shipped deck over so many values of one key."""
    base, key, low, high = SCANS[name]
    parameter = {"key": key, "min": low, "max": high, "number": count, "spacing": "log"}
    tables = {k: v for k, v in read(base).tables.items() if k != "compare"}
    return load_deck(tables | {"scan": {"parameter": [parameter]}})


def timed(setup: Setup, overrides: dict[str, Any]) -> tuple[Point, Span]:
    """A point, and when it was computed."""
    clock, cpu = time.monotonic(), time.process_time()
    point = compute(setup, overrides)
    return point, Span(os.getpid(), (clock, time.monotonic()), (cpu, time.process_time()))


def measured(what: Deck, processes: int) -> Cost:
    """The cost of a scan, its points stored as `crtransport run` stores them."""
    tables = {k: v for k, v in resolve(what).items() if k != "scan"}
    setup, points = Setup(json.dumps(tables), (), None), plan(what)
    jobs = ((n, points.overrides(n)) for n in range(len(points)))
    spans: list[Span] = []
    start, parent = time.monotonic(), time.process_time()
    with tempfile.TemporaryDirectory() as folder, Store(Path(folder) / "x.scan", {}) as store:
        for batch in scan_pool.results(partial(timed, setup), jobs, processes):
            store.add([(n, result[0]) for n, result in batch if isinstance(result, tuple)])
            spans += [result[1] for _, result in batch]
        assert len(store.status()) == len(points)
    parent = time.process_time() - parent
    end = max(span.clock[1] for span in spans)
    at = sum(span.clock[1] - span.clock[0] for span in spans)
    first = min(span.clock[0] for span in spans)
    cpu = sum(span.cpu[1] - span.cpu[0] for span in spans)
    return Cost(
        time.monotonic() - start,
        at / (processes * (end - first)),
        at / (processes * (end - start)),
        cpu / len(spans),
        (parent + between(spans)) / len(spans),
    )


def between(spans: list[Span]) -> float:
    """CPU seconds of processes between one point and the next."""
    found: dict[int, list[Span]] = defaultdict(list)
    for span in spans:
        found[span.process].append(span)
    ordered = (sorted(each, key=lambda span: span.clock) for each in found.values())
    pairs = [pair for each in ordered for pair in pairwise(each)]
    return sum(later.cpu[0] - former.cpu[1] for former, later in pairs)


def main() -> None:
    """Print a table."""
    one_blas_thread()
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    head = ("points", "wall 1", "wall 2", "W1/(2 W2)", "busy", "with start", "CPU 1/CPU 2")
    head += ("ms/point", "ms beside")
    print("  ".join(f"{word:>11}" for word in ("model", *head)))
    for name in SCANS:
        one, two = (measured(deck(name, count), processes) for processes in (1, 2))
        numbers = (
            one.wall,
            two.wall,
            one.wall / (2 * two.wall),
            two.busy,
            two.busy_from_start,
            one.cpu_per_point / two.cpu_per_point,
            1e3 * two.cpu_per_point,
            1e3 * two.overhead,
        )
        words = (f"{x:11.3g}" for x in numbers)
        print("  ".join([f"{name:>11}", f"{count:11d}", *words]))


if __name__ == "__main__":
    main()
