"""Interrupts of commands that tests start."""

import signal


def heeded() -> None:
    """For ``preexec_fn``: a shell that starts jobs in the background has them ignore interrupts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
