"""What a deck leaves to defaults that come from a paper."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from crtransport.deck.overrides import apply
from crtransport.deck.read import read
from crtransport.deck.schema import Deck, keys, members
from crtransport.units import Quantity


def inherited(deck: Deck, source: str | Path, changes: Mapping[str, Any]) -> dict[str, str]:
    """Numbers of a deck that nobody wrote, by paper: "Yuan 2025" -> "diffusion.D0 = …, eta = …".

    Parameters
    ----------
    deck : Deck
    source : path or str
        What it was read from.
    changes : mapping
        Dotted keys and values that were set beside that.
    """
    tables = copy.deepcopy(read(source).tables)
    apply(tables, changes)
    found: dict[str, dict[str, list[str]]] = {}
    for paper, table, text in _unwritten(deck, tables, ""):
        found.setdefault(paper, {}).setdefault(table, []).append(text)
    return {
        paper: "; ".join(table + ", ".join(numbers) for table, numbers in each.items())
        for paper, each in found.items()
    }


def _unwritten(value: Any, written: Any, path: str) -> Iterator[tuple[str, str, str]]:
    """Paper, table, and key with value, of each number that ``written`` lacks."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        given = written if isinstance(written, Mapping) else {}
        papers = getattr(value, "defaults_from", {})
        for field in dataclasses.fields(value):
            here = getattr(value, field.name)
            if field.name not in given:
                annotation = keys(type(value))[field.name] if field.init else None
                for paper, names in papers.items():
                    if field.name in names and here is not None:
                        number = f"{here:.4g}".replace("e+0", "e").replace("e+", "e")
                        yield paper, path, f"{field.name} = {number}{_unit(annotation)}"
            yield from _unwritten(here, given.get(field.name), f"{path}{field.name}.")
    elif isinstance(value, Mapping):
        given = written if isinstance(written, Mapping) else {}
        for name, item in value.items():
            yield from _unwritten(item, given.get(name), f"{path}{name}.")
    elif isinstance(value, Sequence) and not isinstance(value, str):
        rows = written if isinstance(written, list) and len(written) == len(value) else []
        for i, item in enumerate(value):
            yield from _unwritten(item, rows[i] if rows else None, f"{path}{i}.")


def _unit(annotation: Any) -> str:
    for member in members(annotation):
        for meta in getattr(member, "__metadata__", ()):
            if isinstance(meta, Quantity) and meta.unit:
                return f" {meta.unit}"
    return ""
