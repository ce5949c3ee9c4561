"""Work done on the workers of a Dask cluster; a killed worker costs what it was at.

The scheduler gives what a lost worker had to others by itself, and gives up on a task that lost it
several of them (its setting ``distributed.scheduler.allowed-failures``).
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from crtransport.console import InputError
from crtransport.errors import WorkerError
from crtransport.problems.threads import THREADS
from crtransport.studies.scan_pool import Lost

if TYPE_CHECKING:
    from distributed import Client, Future

J = TypeVar("J")
R = TypeVar("R")
Chunk = list[tuple[int, J]]
Jobs = Iterable[tuple[int, J]]

#: seconds of work in one task, where a job is shorter: a task costs the scheduler milliseconds
_TASK = 0.1
_LONGEST = 1000  # jobs of one task
#: tasks that a thread of the cluster has before it
_AHEAD = 3
_GONE = "the scheduler went away"
_PATIENCE = 30.0  # seconds, for the scheduler and the first worker


def results(
    work: Callable[[J], R], jobs: Jobs[J], scheduler: str
) -> Iterator[list[tuple[int, R | Lost]]]:
    """Results of numbered jobs as they come, some at a time.

    Parameters
    ----------
    work : callable
        Of a module that the workers have too, or a partial of one.
    jobs : iterable of (int, job)
    scheduler : str
        Its address, "tcp://host:8786".

    Raises
    ------
    InputError
        If the package is missing here, or there is no scheduler, or it has no worker.
    WorkerError
        If the scheduler goes away, or its workers cannot do the work.
    """
    with pool(work, scheduler) as done:
        yield from done(jobs)


@contextlib.contextmanager
def pool(
    work: Callable[[J], R], scheduler: str
) -> Iterator[Callable[[Jobs[J]], Iterator[list[tuple[int, R | Lost]]]]]:
    """`results` of one lot of jobs after the other, by one connection."""
    with _client(scheduler) as client:
        yield partial(_connected, work, client)


def _connected(
    work: Callable[[J], R], client: Client, jobs: Jobs[J]
) -> Iterator[list[tuple[int, R | Lost]]]:
    try:
        yield from _results(work, client, jobs)
    except OSError:  # what a lost connection is to it
        raise WorkerError(_GONE) from None


def _results(
    work: Callable[[J], R], client: Client, jobs: Jobs[J]
) -> Iterator[list[tuple[int, R | Lost]]]:
    from distributed import as_completed

    coming = iter(jobs)
    waiting: deque[tuple[int, J]] = deque()
    seconds = math.inf  # of a job: the first tasks have one each
    alone: set[int] = set()  # jobs of tasks that lost their workers
    running: dict[Any, Chunk[J]] = {}
    finished = as_completed(loop=client.loop)
    while True:
        threads = max(1, sum(client.nthreads().values()))
        ready = _AHEAD * threads
        size = max(1, min(_LONGEST, int(_TASK / seconds)))
        waiting.extend(islice(coming, max(0, ready * size - len(waiting))))
        if not waiting and not running:
            return
        while waiting and len(running) < ready:
            count = 1 if waiting[0][0] in alone else min(size, math.ceil(len(waiting) / threads))
            chunk = [waiting.popleft() for _ in range(count)]
            future = client.submit(_done, work, chunk, pure=False)
            running[future] = chunk
            finished.add(future)
        for future in finished.next_batch():
            if future.status in ("lost", "pending"):  # its worker was lost before it was asked
                finished.add(future)
                continue
            chunk = running.pop(future)
            found, taken = _result(future, chunk)
            if found is None:
                alone.update(number for number, _ in chunk)
                waiting.extendleft(reversed(chunk))
                continue
            if taken:
                seconds = taken / len(found)
            yield found


def _done(work: Callable[[J], R], chunk: Chunk[J]) -> tuple[list[tuple[int, R]], float]:
    """Results of some jobs, and the seconds that they took."""
    os.environ.setdefault(THREADS, "1")  # the workers of a cluster are as many as its cores
    start = time.perf_counter()
    return [(number, work(job)) for number, job in chunk], time.perf_counter() - start


def _result(future: Future, chunk: Chunk[J]) -> tuple[list[tuple[int, Any]] | None, float]:
    """What came of a task, and its seconds; None of one of several jobs that lost its workers."""
    from distributed import KilledWorker

    if future.status == "finished":
        found: tuple[list[tuple[int, Any]], float] = future.result()
        return found
    if future.status != "error":
        raise WorkerError(_GONE)
    error = future.exception()
    if not isinstance(error, KilledWorker):
        raise WorkerError(f"the workers cannot do it: {type(error).__name__}: {error}")
    if len(chunk) > 1:
        return None, 0.0
    return [(chunk[0][0], Lost("its worker was lost each time that it was tried"))], 0.0


@contextlib.contextmanager
def _client(scheduler: str) -> Iterator[Client]:
    try:
        from distributed import Client
    except ImportError:
        raise InputError(
            "--scheduler needs Dask: pip install 'crtransport[dask]', here and on the workers"
        ) from None
    # a lost worker is no news: its jobs are done elsewhere
    for name in ("distributed", "distributed.client"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        client = Client(scheduler, timeout=_PATIENCE, set_as_default=False)
        client.wait_for_workers(1, timeout=_PATIENCE)
    except TimeoutError:
        raise InputError(
            f"--scheduler {scheduler}: no scheduler or no worker answered in {_PATIENCE:g} s"
        ) from None
    except (OSError, ValueError) as error:
        raise InputError(f"--scheduler {scheduler}: {error}") from None
    try:
        yield client
    finally:
        client.close(timeout=_PATIENCE)
