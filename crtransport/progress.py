"""How far long work is: a bar on a terminal, plain lines elsewhere. Used by `crtransport.cli`."""

from __future__ import annotations

import sys
import time

import click

_WIDTH = 24  # of the bar
_REDRAWN = 0.1  # seconds between two drawings of it
_LINES = 10.0  # seconds between two plain lines


class Progress:
    """Told of what is being worked on, until it is done.

        with Progress("deck.toml (1 of 2)", show=True) as tell:
            tell(finished, failed, total, before)

    Parameters
    ----------
    text : str
        What is worked on.
    show : bool
        Whether anything is said at all.
    """

    def __init__(self, text: str, show: bool) -> None:
        self._text, self._show = text, show
        self._terminal = sys.stderr.isatty()
        self._last = time.monotonic()
        self._first: tuple[int, float] | None = None

    def __enter__(self) -> Progress:
        if self._show and self._terminal:
            click.echo(f"running {self._text} …", nl=False, err=True)
        return self

    def __exit__(self, *_: object) -> None:
        if self._show and self._terminal:
            click.echo("\r\033[K", nl=False, err=True)

    def __call__(self, finished: int, failed: int, total: int, before: int) -> None:
        """Points that are finished, how many of them failed, all, and those of earlier runs."""
        now = time.monotonic()
        if self._first is None and finished > before:
            self._first = finished, now  # what came before it is the start of the processes
        since, start = self._first or (finished, now)
        waited = now - self._last
        first = finished == before
        if not self._show or not (first or waited > (_REDRAWN if self._terminal else _LINES)):
            return
        self._last = now
        if self._terminal:
            bar = ("#" * (_WIDTH * finished // total)).ljust(_WIDTH, "-")
            said = f"[{bar}] {rates(finished, failed, total, since, now - start)}"
            click.echo(f"\r\033[K{self._text} {said}", nl=False, err=True)
        elif before or not first:
            said = rates(finished, failed, total, since, now - start)
            click.echo(f"{self._text}: {said}", err=True)


def rates(finished: int, failed: int, total: int, since: int, seconds: float) -> str:
    """ "412 of 1000, 35 per second, 17 s left, 2 failed", so long after ``since`` were finished."""
    words = [f"{finished} of {total}"]
    if finished > since and seconds > 0:
        rate = (finished - since) / seconds
        many = f"{rate:.3g} per second" if rate >= 1 else f"{1 / rate:.3g} s each"
        words += [many, f"{duration((total - finished) / rate)} left"]
    return ", ".join(words + ([f"{failed} failed"] if failed else []))


def duration(seconds: float) -> str:
    """ "17 s", "3 min 05 s", "2 h 10 min"."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} min"
