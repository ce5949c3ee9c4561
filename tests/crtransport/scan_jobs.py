"""Jobs for processes: each leaves a line in a file, so that a test can count its runs."""

import os
import signal
import time
from pathlib import Path
from typing import NamedTuple

from crtransport.fits import FitError


class Job(NamedTuple):
    """What a job does: ``deadly``, how many times it kills its process before it ends well."""

    log: str
    number: int
    deadly: int = 0


def square(job: Job) -> int:
    """The square of the job's number."""
    with Path(job.log).open("a") as file:
        file.write(f"{job.number}\n")
    if runs(job.log).count(job.number) <= job.deadly:
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0.002)
    return job.number**2


def runs(log: str | Path) -> list[int]:
    """The numbers of the jobs that were begun, in their order."""
    return [int(line) for line in Path(log).read_text().split()]


def threads(name: str) -> str | None:
    """A variable of the environment of the process."""
    return os.environ.get(name)


def process(_: object) -> int:
    """Which process it is."""
    return os.getpid()


def refuse(_: object) -> None:
    """Find that nothing can be made of it."""
    raise FitError("of no use")


class Unreadable:
    """A callable that a process cannot be sent: it ends when it reads it."""

    def __reduce__(self) -> tuple[object, tuple[int]]:
        return os._exit, (7,)

    def __call__(self, job: int) -> int:
        return job
