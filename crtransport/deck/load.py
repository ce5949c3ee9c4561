"""A deck as a frozen dataclass, or everything that is wrong with it."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from crtransport.deck.errors import DeckError, DeckWarning, Problem, nearest
from crtransport.deck.explain import problems, show
from crtransport.deck.fit_keys import free
from crtransport.deck.kind_changes import change_kinds
from crtransport.deck.kinds import with_kinds
from crtransport.deck.overrides import apply
from crtransport.deck.read import read
from crtransport.deck.scanned import axes
from crtransport.deck.schema import DECKS, Deck, resolve

_DEEPEST = 16  # tables and arrays within each other


def load_deck(
    deck: str | Path | Mapping[str, Any] | Deck, overrides: Mapping[str, Any] | None = None
) -> Deck:
    """Read and check a deck.

    Parameters
    ----------
    deck : path, str, mapping or deck
        A TOML file, an output file of a run (its deck is read), the name of a shipped deck such
        as ``"malkov2023_fig4"``, the tables themselves, or a deck to be changed.
    overrides : mapping, optional
        Values by dotted key, ``{"loss.rate": 1e-4, "source.0.distance": "250 pc"}``. Where one is
        another ``kind``, keys of the deck that do not go with it are left out, with a `DeckWarning`
        for each that was written.

    Returns
    -------
    Deck
        A frozen dataclass; `crtransport.deck.schema.resolve` gives its tables.

    Raises
    ------
    DeckError
        With all errors of the deck, not only the first.
    """
    return load_decks(deck, [overrides or {}])[0]


def load_decks(
    deck: str | Path | Mapping[str, Any] | Deck, sets: Sequence[Mapping[str, Any]]
) -> list[Deck]:
    """The same deck with each of several ``overrides``, as `load_deck`; it is read once.

    Raises
    ------
    DeckError
        With all errors of the first wrong one.
    """
    if isinstance(deck, str | Path):
        name = str(deck)
        tables, loaded = read(deck)
    else:
        name, loaded = "deck", not isinstance(deck, Mapping)
        tables = dict(deck) if isinstance(deck, Mapping) else resolve(deck)
    if max(map(_depth, [tables, *map(dict, sets)])) > _DEEPEST:
        raise DeckError(name, [Problem("", "is nested too deeply for a deck")])
    return [_changed(name, _plain(tables), _plain(overrides), loaded) for overrides in sets]


def _changed(name: str, tables: dict[str, Any], changes: dict[str, Any], loaded: bool) -> Deck:
    model = changes.get("model", tables.get("model"))
    root = DECKS.get(model) if isinstance(model, str) else None
    left_out = change_kinds(root, tables, changes, loaded) if root else []
    found = apply(tables, changes)
    if found:
        raise DeckError(name, found)
    deck = _checked(name, tables, list(changes))
    if root and deck.scan is not None:
        left_out += _left_out_by_scan(root, tables)
    for text in left_out:
        warnings.warn(f"{name}: {text}", DeckWarning, stacklevel=4)
    return deck


def _left_out_by_scan(root: type[Deck], tables: dict[str, Any]) -> list[str]:
    """What does not go with the kinds that a scan takes: the same as its points leave out."""
    # as a point has them, which is made of the loaded deck
    return [
        f"{text}, a value of [scan]"
        for axis in axes(root, tables)[0]
        if axis.key.endswith(".kind")
        for kind in axis.values
        for text in change_kinds(root, _plain(tables), {axis.key: kind}, loaded=True)
    ]


def _checked(name: str, tables: dict[str, Any], given: list[str]) -> Deck:
    model = _model(name, tables)
    found = axes(DECKS[model], tables)[1] if "scan" in tables else []
    if "scan" in tables and "fit" in tables:
        found.append(Problem("fit", "stands beside [scan]; leave out one of them"))
    found += free(DECKS[model], tables)[1] if "fit" in tables else []
    try:
        deck = _adapter(model).validate_python(with_kinds(DECKS[model], tables))
    except ValidationError as error:
        found = problems(error, DECKS[model], given) + found
    if found:
        raise DeckError(name, found)
    return deck


def _model(name: str, tables: dict[str, Any]) -> str:
    model = tables.get("model")
    allowed = " or ".join(f'"{known}"' for known in DECKS)
    if isinstance(model, str) and model in DECKS:
        return model
    if not tables:
        raise DeckError(name, [Problem("", f"is empty; a deck begins with model = {allowed}")])
    if model is None:
        close = nearest("model", tables)
        hint = f'; did you mean model where it says "{close}"?' if close else ""
        raise DeckError(name, [Problem("model", f"is missing; must be {allowed}{hint}")])
    close = nearest(model, DECKS) if isinstance(model, str) else ""
    raise DeckError(name, [Problem("model", f"must be {allowed}", show(model), close)])


@cache
def _adapter(model: str) -> TypeAdapter[Deck]:
    return TypeAdapter(DECKS[model])


def _depth(value: Any) -> int:
    """How deeply tables and arrays are nested, without recursion; stops counting at the limit."""
    level, depth = [value], 0
    while level and depth <= _DEEPEST:
        level = [
            inner
            for item in level
            if isinstance(item, Mapping | list | tuple)
            for inner in (item.values() if isinstance(item, Mapping) else item)
        ]
        depth += 1
    return depth


def _plain(value: Any) -> Any:
    """A copy made of dict, list and Python numbers, also of NumPy's."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value.tolist() if hasattr(value, "tolist") else value
