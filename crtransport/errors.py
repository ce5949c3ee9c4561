"""What goes wrong with what a caller asks for, outside of decks."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Sequence


class UnknownNameError(ValueError):
    """A name that nothing has; the message names the nearest."""


class WorkerError(RuntimeError):
    """Processes or workers of a cluster cannot be had, or do not live to their first job."""


def require_known(names: Sequence[str], known: Collection[str], what: str) -> None:
    """See that each of ``names`` is the beginning of a ``known`` name, made of parts/like/this.

    Raises
    ------
    UnknownNameError
        Naming the nearest beginnings.
    """
    for name in names:
        if not any(full.startswith(name) for full in known):
            heads = sorted({"/".join(full.split("/")[:k]) for full in known for k in (1, 2, 3)})
            close = difflib.get_close_matches(name, heads, n=3, cutoff=0.3)
            hint = f"; nearest: {', '.join(close)}" if close else ""
            raise UnknownNameError(f"no {what} begins with {name!r}{hint}")
