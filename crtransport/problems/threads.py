"""How many processors there are."""

from __future__ import annotations

import os

#: environment variable that bounds the threads of one run; a scan sets it to 1 in its processes
THREADS = "CRTRANSPORT_THREADS"


def processors() -> int:
    """How many processors this process may use, at most CRTRANSPORT_THREADS."""
    try:
        found = len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        found = os.cpu_count() or 1
    bound = os.environ.get(THREADS, "")
    return min(found, int(bound)) if bound.isdigit() and int(bound) > 0 else found
