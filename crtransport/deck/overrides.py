"""Changes to a deck from outside it: ``--set table.key=value`` and ``overrides={...}``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import Any

from crtransport.deck.errors import Problem


def parse_setting(text: str) -> tuple[str, Any]:
    """``table.key=value`` as a dotted key and a value: TOML if it reads as such, else a text.

    Raises
    ------
    ValueError
        If there is no key or no ``=``.
    """
    key, equals, value = text.partition("=")
    key = key.strip()
    if not equals or not key:
        raise ValueError(f"{text!r} is not of the form table.key=value")
    try:
        read = tomllib.loads(f"value = {value}")
    except (ValueError, RecursionError):
        return key, value.strip()
    return key, read["value"] if read.keys() == {"value"} else value.strip()


def apply(tables: dict[str, Any], overrides: Mapping[str, Any]) -> list[Problem]:
    """Put each dotted key into ``tables``, in place; a number in a key indexes an array.

    Returns
    -------
    list of Problem
        The keys for which there is no place.
    """
    found = []
    for key, value in overrides.items():
        why = _put(tables, str(key).split("."), value)
        if why:
            found.append(Problem(f"--set {key}", why))
    return found


def _put(tables: dict[str, Any], path: list[str], value: Any) -> str:
    """Set one value; what prevents it, or ""."""
    if not all(path):
        return "needs names between the dots, table.key=value"
    place: Any = tables
    for i, step in enumerate(path):
        here = ".".join(path[:i])
        last = i == len(path) - 1
        if isinstance(place, list):
            if not (step.isascii() and step.isdigit()):
                return f"{here} is an array: needs a number from 0 to {len(place) - 1} after it"
            if len(step) > 6 or int(step) >= len(place):
                return f"{here} has {len(place)} entries, counted from 0"
            index: Any = int(step)
        elif isinstance(place, dict):
            index = step
        else:
            return f"{here} is a value, not a table"
        if last:
            place[index] = value
        else:
            place = place[index] if isinstance(place, list) else place.setdefault(index, {})
    return ""
