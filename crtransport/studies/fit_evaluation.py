"""How a sampler of a [fit] has its posterior evaluated: here at first, then side by side."""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crtransport.deck.load import load_deck
from crtransport.deck.schema import Deck, resolve
from crtransport.errors import WorkerError
from crtransport.fits import Evaluation, FitError, Objective
from crtransport.problems.threads import processors
from crtransport.studies.fit_model import read
from crtransport.studies.means import Means, Results, Tell
from crtransport.studies.scan_pool import Lost

Array = NDArray[np.float64]

#: seconds of work that are done before processes are begun, which takes them about as long
_ALONE = 4.0
#: seconds of an evaluation that is worth being sent to another process
_WORTH = 2e-3


@contextmanager
def evaluation(
    deck: Deck, data: str | Path | None, means: Means, tell: Tell
) -> Iterator[Evaluation]:
    """What a sampler asks, and what is told of its progress.

    Left to choose (``means.workers`` None), the first seconds of evaluations are done here; then
    processes begin, one per core, if there is more than one and an evaluation takes longer than it
    takes to send it. No more than twice the best time is spent so, however many there will be.

    Parameters
    ----------
    deck : Deck
        With ``fit``.
    data : path or None
        Folder of measured tables, which all workers can read.
    means : Means
        What evaluates.
    tell : callable
        Told (steps that are done, 0, of how many, 0).
    """
    folder = None if data is None else str(Path(data).resolve())
    with ExitStack() as stack:
        yield Evaluation(
            Posterior(json.dumps(resolve(deck)), folder),
            _Each(means, stack),
            lambda done, count: tell(done, 0, count, 0),
        )


@dataclass(frozen=True)
class Posterior:
    """ln of the posterior of a fit, as other processes can be told of it.

    Attributes
    ----------
    deck : str
        Its tables, as JSON.
    data : str or None
        Folder of measured tables.
    """

    deck: str
    data: str | None

    def __call__(self, coordinates: Array) -> float:
        """At the coordinates of the parameters."""
        return _objective(self).log_probability(coordinates)


@lru_cache(maxsize=1)
def _objective(posterior: Posterior) -> Objective:
    """Read once in each process."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # told when the fit began
        return read(load_deck(json.loads(posterior.deck)), posterior.data).objective()


class _Each:
    """Values of a function for many arguments."""

    def __init__(self, means: Means, stack: ExitStack) -> None:
        self._means, self._stack = means, stack
        self._results: Results | None = None
        if means.scheduler:
            self._begin()
        self._count, self._seconds = 0, 0.0

    def __call__(self, function: Callable[[Any], Any], arguments: Iterable[Any]) -> list[Any]:
        found, rest = [], list(arguments)
        while rest and not self._elsewhere():
            start = time.perf_counter()
            found.append(function(rest.pop(0)))
            self._seconds += time.perf_counter() - start
            self._count += 1
        return found + (self._sent(function, rest) if rest else [])

    def _elsewhere(self) -> bool:
        means = self._means
        if means.workers is not None or means.scheduler:
            return means.workers != 0
        return processors() > 1 and self._seconds > _ALONE and self._seconds > _WORTH * self._count

    def _begin(self) -> Results:
        self._results = self._stack.enter_context(self._means.pool(_value))
        return self._results

    def _sent(self, function: Callable[[Any], Any], arguments: list[Any]) -> list[Any]:
        results = self._results or self._begin()
        jobs = enumerate((function, argument) for argument in arguments)
        found = dict(item for some in results(jobs) for item in some)
        for one in found.values():
            if isinstance(one, Lost):
                raise WorkerError(f"the samples cannot go on, nothing is written: {one.reason}")
            if isinstance(one, Exception):
                raise one
        return [found[number] for number in range(len(arguments))]


def _value(job: tuple[Callable[[Any], Any], Any]) -> Any:
    """A value, or the error in its place; one that may not bear being sent, by its words."""
    function, argument = job
    try:
        return function(argument)
    except (FitError, MemoryError) as error:
        return error
    except Exception as error:
        return RuntimeError(f"{type(error).__name__}: {error}")
