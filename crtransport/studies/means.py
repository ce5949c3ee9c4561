"""What the many runs of a deck are done by: this process, others beside it, or a Dask cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any

from crtransport.problems.threads import processors
from crtransport.studies import scan_cluster, scan_pool

#: told (finished, failed, of how many, finished by an earlier run)
Tell = Callable[[int, int, int, int], None]
#: numbered jobs -> their results as they come, some at a time
Results = Callable[[Iterable[tuple[int, Any]]], Iterator[list[tuple[int, Any]]]]


def untold(*_: int) -> None:
    """Nobody is told of progress."""


@dataclass(frozen=True, kw_only=True)
class Means:
    """What scans and samplers run on.

    Attributes
    ----------
    workers : int
        Processes of this machine; 0: none but this one. By default one per core.
    scheduler : str
        Address of a Dask scheduler, whose workers are used in their place.
    retry : bool
        Whether points of a scan that failed before are run again.
    """

    workers: int | None = None
    scheduler: str = ""
    retry: bool = False

    def pool(self, work: Callable[[Any], Any]) -> AbstractContextManager[Results]:
        """What does a work for one lot of jobs after the other."""
        if self.scheduler:
            return scan_cluster.pool(work, self.scheduler)
        if self.workers == 0:
            return nullcontext(partial(_here, work))
        return scan_pool.pool(work, self.workers or processors())


def _here(
    work: Callable[[Any], Any], jobs: Iterable[tuple[int, Any]]
) -> Iterator[list[tuple[int, Any]]]:
    return ([(number, work(job))] for number, job in jobs)
