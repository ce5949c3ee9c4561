"""Every numeric key of the schema changes the answer of some shipped deck."""

import dataclasses
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import xarray as xr

import crtransport
from crtransport.deck.errors import DeckError
from crtransport.deck.load import load_deck
from crtransport.deck.read import shipped
from crtransport.deck.schema import DECKS, Deck, items, keys, members, tables, values
from crtransport.solvers.errors import ConvergenceError
from crtransport.units import Count, Quantity

# the shipped decks, cheap ones first, one by the other solver, one with a slope that varies
COARSE = {"solver.kind": "finite-difference", "solver.cells": 80, "solver.steps": 40}
VARIANTS: list[tuple[str, dict[str, Any]]] = [
    ("malkov2023_fig4", {}),
    ("malkov2023_fig4", COARSE | {"solver.rtol": 0.1}),
    *((name, {}) for name in sorted(shipped()) if name != "malkov2023_fig4"),
    ("flux_tube_varying", {"tube.variation.slope": [1.5, 1.6, 1.5]}),
]

# keys of a table that serves several models, of which the one at hand does not need this one
EXEMPT = {"TwoHalo.h": "the uniform medium of a burst has the disk's D everywhere"}


def numeric_keys() -> list[str]:
    """``Table.key`` of each number, or array of numbers, that a deck may hold."""
    found = []
    for table in tables(*DECKS.values()):
        for key, annotation in keys(table).items():
            inner = items(annotation)
            inner = values(annotation) if inner is None else inner
            for member in members(annotation if inner is None else inner):
                metadata = getattr(member, "__metadata__", ())
                if any(isinstance(item, Quantity | Count) for item in metadata):
                    found.append(f"{table.__name__}.{key}")
    return list(dict.fromkeys(found))


def numbers(value: Any, path: str = "", key: str = "") -> Iterator[tuple[str, str, float]]:
    """``Table.key``, dotted path and value of each number in a deck."""
    if dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            inside = f"{path}.{field.name}".lstrip(".")
            name = f"{type(value).__name__}.{field.name}"
            yield from numbers(getattr(value, field.name), inside, name)
    elif isinstance(value, tuple | dict):
        for i, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from numbers(item, f"{path}.{i}", key)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield key, path, value


def neighbours(value: float) -> list[float]:
    """What to try in place of a value, until the deck allows it and the answer changes."""
    if isinstance(value, int):
        return [value + 2, value - 2, 2 * value, value - 1]
    if value == 0:
        return [0.1, 0.01]
    small = [0.1, value * 1e3] if value < 1e-3 else [value * 1e-4]
    return [value * 0.9, value * 1.1, *small]


@cache
def variant(index: int) -> tuple[Deck, xr.Dataset]:
    deck = load_deck(*VARIANTS[index])
    return deck, crtransport.run(deck)


def changes(index: int, path: str, value: float) -> bool:
    """Whether any other value changes any variable of the answer."""
    deck, before = variant(index)
    for other in neighbours(value):
        try:
            after = crtransport.run(deck, {path: other})
        except (DeckError, ConvergenceError):
            continue
        if differs(after, before):
            return True
    return False


def differs(a: xr.Dataset, b: xr.Dataset) -> bool:
    """Whether two answers differ, or the verdict on their accuracy does."""
    passed = [d.attrs["error_estimate"] <= d.attrs["error_tolerance"] for d in (a, b)]
    return passed[0] != passed[1] or not a.drop_attrs().identical(b.drop_attrs())


@pytest.mark.parametrize("key", [key for key in numeric_keys() if key not in EXEMPT])
def test_key_changes_the_answer(key: str) -> None:
    tried = []
    for index, (name, overrides) in enumerate(VARIANTS):
        found = [(p, v) for k, p, v in numbers(load_deck(name, overrides)) if k == key]
        for path, value in found[:1]:
            tried.append(f"{name} {overrides or ''}")
            if changes(index, path, value):
                return
    pytest.fail(f"{key} changes nothing in {tried}" if tried else f"no shipped deck has {key}")


def test_a_key_without_effect_would_be_found() -> None:
    deck, before = variant(0)
    after = crtransport.run(deck, {"title": "another"})
    assert not differs(after, before)
