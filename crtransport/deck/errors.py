"""What is wrong with a deck: all of it at once, in words."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a deck.

    Attributes
    ----------
    where : str
        Table and key, ``loss.rate``; "" for the file as a whole.
    why : str
        What is allowed there, or what to do.
    found : str
        What stands there, as TOML; "" where nothing does.
    nearest : str
        The valid name nearest to what was found, or "".
    """

    where: str
    why: str
    found: str = ""
    nearest: str = ""

    def __str__(self) -> str:
        head = f"{self.where} = {self.found}" if self.found else self.where
        why = self.why + (f'; did you mean "{self.nearest}"?' if self.nearest else "")
        return f"{head}: {why}" if head else why


class DeckError(ValueError):
    """A deck that cannot be run.

    Attributes
    ----------
    name : str
        The file, or what stands for one.
    problems : tuple of Problem
        Everything that is wrong with it.
    """

    def __init__(self, name: str, problems: Iterable[Problem]) -> None:
        self.name = name
        self.problems = tuple(problems)
        super().__init__(self._text())

    def __reduce__(self) -> tuple[type[DeckError], tuple[str, tuple[Problem, ...]]]:
        return DeckError, (self.name, self.problems)

    def _text(self) -> str:
        if len(self.problems) == 1:
            return f"{self.name}: {self.problems[0]}"
        head = f"{self.name}: {len(self.problems)} errors"
        return "\n".join([head, *(f"  {problem}" for problem in self.problems)])


class DeckWarning(UserWarning):
    """Something of a deck that has no effect on its run, and why; it names the key."""


def nearest(word: str, known: Iterable[str]) -> str:
    """The name among ``known`` that ``word`` was probably meant to be, or ""."""
    folded = {name.lower().replace("_", "-"): name for name in known}
    close = difflib.get_close_matches(word[:80].lower().replace("_", "-"), folded, n=1, cutoff=0.6)
    return folded[close[0]] if close else ""
