"""From what names a deck (a file, an output file, a shipped deck) to the tables it holds."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any, NamedTuple

from crtransport.deck.errors import DeckError, Problem, nearest

SHIPPED = Path(__file__).parent.parent / "input_decks"

_LARGEST = 1_000_000  # bytes
_HDF5 = b"\x89HDF\r\n\x1a\n"
# tomllib takes quadratic time over such a key
_DEEP_KEY = re.compile(r"(?:\.[ \t]*[^\s.,=\[\]{}]{1,64}[ \t]*){32}")


class Read(NamedTuple):
    """The tables of a deck, and whether they are of a run: these have all defaults written out."""

    tables: dict[str, Any]
    of_run: bool


def shipped() -> dict[str, Path]:
    """Name and file of each deck that comes with the package."""
    return {path.stem: path for path in sorted(SHIPPED.glob("*.toml"))}


def deck_name(source: str | Path) -> str:
    """The name of a deck, which its output files carry: the file's without its suffix."""
    return Path(source).stem if str(source) not in shipped() else str(source)


def read(source: str | Path) -> Read:
    """The tables of a deck file, of the deck in an output file, or of a shipped deck.

    Raises
    ------
    DeckError
        If there is no such file or it cannot be read.
    """
    name, path = str(source), Path(source)
    if name in shipped() and not path.is_file():
        path = shipped()[name]
    content = _content(name, path)
    if content.startswith(_HDF5):
        return Read(_from_output(name, path), of_run=True)
    return Read(_from_toml(name, content), of_run=False)


def _content(name: str, path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except IsADirectoryError:
        decks = sorted(p.name for p in path.glob("*.toml"))[:6]
        hint = f"; it holds {', '.join(decks)}" if decks else ""
        raise DeckError(name, [Problem("", f"is a folder; a deck is a file{hint}")]) from None
    except (FileNotFoundError, NotADirectoryError, ValueError):
        raise DeckError(name, [_missing(name, path)]) from None
    except OSError as error:
        raise DeckError(name, [Problem("", f"cannot be read: {error.strerror}")]) from None
    if len(content) > _LARGEST and not content.startswith(_HDF5):
        raise DeckError(name, [Problem("", "is over 1 MB; a deck is a short text in TOML")])
    return content


def _missing(name: str, path: Path) -> Problem:
    around = path.parent
    files = [str(around / p.name) for p in around.glob("*.toml")] if around.is_dir() else []
    close = nearest(path.name, [Path(p).name for p in files])
    if close:
        return Problem("", "no such file", nearest=str(around / close))
    close = path.stem if path.stem in shipped() else nearest(path.stem, shipped())
    hint = "" if close else "; `crtransport decks` lists the shipped decks"
    return Problem("", f"no such file or shipped deck{hint}", nearest=close)


def _from_output(name: str, path: Path) -> dict[str, Any]:
    import netCDF4

    try:
        with netCDF4.Dataset(str(path)) as file:
            deck = json.loads(file.getncattr("deck"))
    except (AttributeError, TypeError, ValueError, RecursionError):
        why = "is a netCDF file without a deck in it: only the output of a run can be repeated"
        raise DeckError(name, [Problem("", why)]) from None
    except (OSError, RuntimeError) as error:
        raise DeckError(name, [Problem("", f"is a damaged netCDF file: {error}")]) from None
    if not isinstance(deck, dict):
        raise DeckError(name, [Problem("", "its attribute `deck` holds no deck")])
    return deck


def _from_toml(name: str, content: bytes) -> dict[str, Any]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        why = "is not text in UTF-8"
        if b"\0" not in content[:1000]:
            line = content.count(b"\n", 0, error.start) + 1
            why += f" (line {line})"
        raise DeckError(name, [Problem("", f"{why}; a deck is a text in TOML")]) from None
    if _DEEP_KEY.search(text):
        raise DeckError(name, [Problem("", "is nested too deeply for a deck")])
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise DeckError(name, [Problem("", "is nested too deeply for a deck")]) from None
    except ValueError as error:
        raise DeckError(name, [_syntax(text, str(error))]) from None


def _syntax(text: str, message: str) -> Problem:
    """What TOML refuses, with the line in which it stands."""
    match = re.search(r" \(at line (\d+), column (\d+)\)$", message)
    if match is None:
        return Problem("", f"is not valid TOML: {message}")
    lines = text.splitlines()
    number = int(match[1])
    line = lines[number - 1].strip()[:60] if number <= len(lines) else ""
    why = message.removesuffix(match[0])
    return Problem(f"line {number}", f"is not valid TOML: {why}: {line}".rstrip(": "))
