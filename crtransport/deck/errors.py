"""What is wrong with a deck: all of it at once, in words."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

#: letters in common that make two words one with a slip: "kind" and "index" have 0.67
_CLOSE = 0.7
#: what the field calls keys of the decks, the likeliest first
_SLOPES = "gamma", "gamma1", "alpha", "delta1"
OTHER_WORDS = {
    "slope": _SLOPES,
    "index": _SLOPES,
    "spectral_index": _SLOPES,
    "gamma": _SLOPES,
    "alpha": _SLOPES,
    "delta": ("delta1",),
    "energy": ("T", "W"),
    "rigidity": ("R_br", "R_c", "R0"),
    "cutoff": ("R_c",),
}


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


class Several(ValueError):
    """More than one thing that is wrong with a table.

    Attributes
    ----------
    each : tuple of str
    """

    def __init__(self, each: Iterable[str]) -> None:
        self.each = tuple(each)
        super().__init__("; ".join(self.each))

    def __reduce__(self) -> tuple[type[Several], tuple[tuple[str, ...]]]:
        return Several, (self.each,)


def check_all(checks: Iterable[Callable[[], None]]) -> None:
    """Run checks that do not need each other.

    Raises
    ------
    Several
        With what all of them refuse.
    """
    found: list[str] = []
    for check in checks:
        try:
            check()
        except Several as errors:
            found += errors.each
        except ValueError as error:
            found.append(str(error))
    if found:
        raise Several(dict.fromkeys(found))


class DeckWarning(UserWarning):
    """Something of a deck that has no effect on its run, and why; it names the key."""


def nearest(word: str, known: Iterable[str]) -> str:
    """The name among ``known`` that ``word`` was probably meant to be, or "".

    One that is written nearly like it; what merely shares letters ("model" for "delta") misleads.
    """
    folded = {name.lower().replace("_", "-"): name for name in known}
    word = word[:80].lower().replace("_", "-")
    close = difflib.get_close_matches(word, folded, n=3, cutoff=0.6)
    return next((folded[name] for name in close if _alike(word, name)), "")


def _alike(word: str, name: str) -> bool:
    if word in name or name in word or sorted(word) == sorted(name):
        return True
    if len(word) == len(name) and sum(a != b for a, b in zip(word, name, strict=True)) == 1:
        return True
    return difflib.SequenceMatcher(a=word, b=name).ratio() >= _CLOSE


def other_word(word: str, known: Collection[str]) -> str:
    """The key among ``known`` for which the field says ``word`` too, or ""."""
    return next((key for key in OTHER_WORDS.get(word.lower(), ()) if key in known), "")
