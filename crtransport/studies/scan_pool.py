"""Work done side by side in processes of this machine; a killed process costs what it was at.

Each process has a pipe of its own, so that the end of one is no matter of the others.
"""

# light at the top: a process sets up its threads before anything heavy is imported
from __future__ import annotations

import contextlib
import math
import multiprocessing
import os
import signal
import threading
import time
import warnings
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice
from multiprocessing.connection import Connection, wait
from typing import Any, NamedTuple, TypeVar

from crtransport.errors import WorkerError

J = TypeVar("J")
R = TypeVar("R")
Jobs = Iterable[tuple[int, J]]

#: how often a job is begun whose process does not live to its end
TRIES = 3
#: seconds of work that a process has before it, so that it never waits for the next job
_AHEAD = 0.1
_MOST_AHEAD = 64  # jobs: their messages fit into the buffer of a pipe
_THREADS = (
    "CRTRANSPORT_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "OMP_NUM_THREADS",
    "NUMBA_NUM_THREADS",
)


class Lost(NamedTuple):
    """What came of a job whose process ended each time that it was tried."""

    reason: str


def results(
    work: Callable[[J], R], jobs: Jobs[J], processes: int
) -> Iterator[list[tuple[int, R | Lost]]]:
    """Results of numbered jobs as they come, some at a time.

    Parameters
    ----------
    work : callable
        Of a module, or a partial of one: it is sent to the processes.
    jobs : iterable of (int, job)
    processes : int

    Raises
    ------
    WorkerError
    """
    with pool(work, processes) as done:
        yield from done(jobs)


@contextlib.contextmanager
def pool(
    work: Callable[[J], R], processes: int
) -> Iterator[Callable[[Jobs[J]], Iterator[list[tuple[int, R | Lost]]]]]:
    """`results` of one lot of jobs after the other, by processes that stay until the end."""
    workers: list[_Worker] = []
    try:
        yield partial(_results, work, processes, workers, _Pace())
    finally:
        for worker in workers:
            worker.end()


def _results(
    work: Callable[[J], R], processes: int, workers: list[_Worker], pace: _Pace, jobs: Jobs[J]
) -> Iterator[list[tuple[int, R | Lost]]]:
    coming = iter(jobs)
    waiting: deque[tuple[int, J]] = deque()
    tries: Counter[int] = Counter()
    stillborn = 0
    while True:
        waiting.extend(islice(coming, max(0, processes * _MOST_AHEAD - len(waiting))))
        if not waiting and not any(worker.given for worker in workers):
            return
        while len(workers) < processes and len(waiting) > sum(not w.given for w in workers):
            workers.append(_Worker(work))
        # of few jobs each process has its share, so that none goes without
        left = len(waiting) + sum(len(worker.given) for worker in workers)
        for worker in workers:
            worker.feed(waiting, min(pace.ahead, math.ceil(left / processes)))
        found: list[tuple[int, R | Lost]] = []
        for worker in _ready(workers):
            if worker.collect(found, pace):
                continue
            workers.remove(worker)
            how = worker.end(patience=5.0)
            stillborn = 0 if worker.alive else stillborn + 1
            if stillborn == TRIES:
                raise WorkerError(f"processes end as they begin ({how})")
            found += _returned(worker, waiting, tries, how)
        if found:
            yield found


class _Pace:
    """How long jobs take, from which follows how many a process needs before it."""

    def __init__(self) -> None:
        self._seconds = 0.0

    def add(self, seconds: float) -> None:
        self._seconds = 0.9 * self._seconds + 0.1 * seconds if self._seconds else seconds

    @property
    def ahead(self) -> int:
        return max(1, min(_MOST_AHEAD, int(_AHEAD / self._seconds))) if self._seconds else 1


class _Worker:
    """A process, the pipe to it, and the jobs that it has, the one that it is at first."""

    def __init__(self, work: Callable[[Any], Any]) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, work), daemon=True)
        with _one_thread(), _no_interrupt():
            self.process.start()
        theirs.close()
        self.given: deque[tuple[int, Any]] = deque()
        self.alive = False

    def feed(self, waiting: deque[tuple[int, Any]], ahead: int) -> None:
        """Give it jobs until it has enough of them."""
        with contextlib.suppress(OSError):  # it has ended: its pipe says so when it is read
            while waiting and len(self.given) < ahead:
                self.given.append(waiting.popleft())
                self.pipe.send(self.given[-1])

    def collect(self, found: list[tuple[int, Any]], pace: _Pace) -> bool:
        """Take what has come from it; whether it still lives."""
        try:
            while self.pipe.poll():
                message = self.pipe.recv()
                if not self.alive:
                    self.alive = True
                    continue
                number, seconds, result = message
                self.given.popleft()
                pace.add(seconds)
                found.append((number, result))
        except (EOFError, OSError):
            return False
        return True

    def end(self, patience: float = 0.0) -> str:
        """End it, if it does not end by itself within some seconds; how it did."""
        self.pipe.close()
        self.process.join(patience)
        self.process.kill()
        self.process.join()
        code = self.process.exitcode or 0
        with contextlib.suppress(ValueError):
            return f"killed by {signal.Signals(-code).name}"
        return f"exit code {code}"


def _returned(
    worker: _Worker, waiting: deque[tuple[int, Any]], tries: Counter[int], how: str
) -> list[tuple[int, Lost]]:
    """Put back what a process had when it ended; what it was at counts a try."""
    lost = []
    if worker.given and worker.alive:
        number, _ = worker.given[0]
        tries[number] += 1
        if tries[number] == TRIES:
            worker.given.popleft()
            lost.append((number, Lost(f"its process ended {TRIES} times ({how})")))
    waiting.extendleft(reversed(worker.given))
    return lost


def _ready(workers: list[_Worker]) -> list[_Worker]:
    some = wait([worker.pipe for worker in workers])
    return [worker for worker in workers if worker.pipe in some]


@contextlib.contextmanager
def _one_thread() -> Iterator[None]:
    """The environment of a process that computes on one thread, while it is started."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextlib.contextmanager
def _no_interrupt() -> Iterator[None]:
    """Start processes that know of no interrupt: a terminal sends it to all, the parent ends them.

    Not from other threads than the main one, which cannot change it.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _serve(pipe: Connection, work: Callable[[Any], Any]) -> None:
    """Do jobs as they come until the pipe closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    warnings.simplefilter("ignore")  # told once, by whoever started this
    with contextlib.suppress(EOFError, OSError):
        pipe.send(None)
        while True:
            number, job = pipe.recv()
            start = time.perf_counter()
            result = work(job)
            pipe.send((number, time.perf_counter() - start, result))


def _end_with_parent() -> None:
    """A killed parent closes no pipe of a process that is busy; without it there is no one left."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)
