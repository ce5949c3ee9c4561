"""What a deck may say: one root class per model, and what the classes' docstrings tell of a key."""

from __future__ import annotations

import dataclasses
import inspect
import re
import types
import typing
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Annotated, Any, Literal

from pydantic import Discriminator, TypeAdapter

from crtransport.deck.bump import BumpDeck
from crtransport.deck.burst import BurstDeck
from crtransport.deck.clusters import ClustersDeck
from crtransport.deck.components import ComponentsDeck
from crtransport.deck.flux_tube import FluxTubeDeck
from crtransport.deck.galaxy import GalaxyDeck
from crtransport.units import Count, Quantity

Deck = FluxTubeDeck | GalaxyDeck | BurstDeck | BumpDeck | ComponentsDeck | ClustersDeck
DECKS: dict[str, type[Deck]] = {
    "flux-tube": FluxTubeDeck,
    "galaxy": GalaxyDeck,
    "burst": BurstDeck,
    "bump": BumpDeck,
    "components": ComponentsDeck,
    "clusters": ClustersDeck,
}

_ENTRY = re.compile(r"^(\w+(?:, \w+)*)(?: : .*)?$")


def resolve(deck: Deck) -> dict[str, Any]:
    """Every key of a deck with its value, defaults included, as plain JSON-able data.

    Keys that are None (not given, and without a default) are left out. Loading the result gives
    an equal deck.
    """
    found = plain(deck)
    assert isinstance(found, dict)
    return found


def plain(value: Any) -> Any:
    """Tables and arrays of a deck as dict and list."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        items = ((f.name, getattr(value, f.name)) for f in dataclasses.fields(value))
        return {name: plain(item) for name, item in items if item is not None}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if isinstance(value, Mapping):
        return {name: plain(item) for name, item in value.items()}
    return value


def json_schema() -> dict[str, Any]:
    """JSON schema of a deck of any model, with the description, unit and limits of each key."""
    schema = TypeAdapter(Annotated[Deck, Discriminator("model")]).json_schema()
    for table in tables(*DECKS.values()):
        definition = schema["$defs"][table.__name__]
        text = inspect.getdoc(table) or ""
        definition["description"] = text.partition("\n\nAttributes\n")[0]
        for key, description in descriptions(table).items():
            definition["properties"][key]["description"] = description
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "crtransport deck"}
    return head | schema


def tables(*roots: Any) -> list[type[Any]]:
    """Every dataclass that can stand in a deck of these root classes, the roots first."""
    found: list[type[Any]] = []
    waiting = list(roots)
    while waiting:
        table = waiting.pop(0)
        if table not in found:
            found.append(table)
            for annotation in keys(table).values():
                waiting += _classes(annotation)
    return found


def keys(table: type[Any]) -> Mapping[str, Any]:
    """Keys of a table and what may stand there: the fields of a dataclass and their types."""
    found: Mapping[str, Any] = _keys(typing.cast(Any, table))
    return found


# a scan reads its deck at every point, and these take most of the time of that
@cache
def _keys(table: Any) -> dict[str, Any]:
    hints = typing.get_type_hints(table, include_extras=True)
    return {f.name: hints[f.name] for f in dataclasses.fields(table) if f.init}


def descriptions(table: type[Any]) -> dict[str, str]:
    """What the "Attributes" section of a class says of each key."""
    lines = (inspect.getdoc(table) or "").partition("\n\nAttributes\n")[2].splitlines()[1:]
    found: dict[str, str] = {}
    names: list[str] = []
    for line in lines:
        match = _ENTRY.match(line)
        if match:
            names = match[1].split(", ")
        elif line.strip():
            for name in names:
                found[name] = f"{found.get(name, '')} {line.strip()}".strip()
    return found


def members(annotation: Any) -> tuple[Any, ...]:
    """The alternatives of a union other than None; a single type gives itself."""
    if typing.get_origin(annotation) is Annotated:
        rest = [m for m in annotation.__metadata__ if not isinstance(m, Quantity | Count)]
        if rest or typing.get_origin(annotation.__origin__) is not None:
            return members(annotation.__origin__)
        return (annotation,)
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        return tuple(
            leaf
            for part in typing.get_args(annotation)
            if part is not types.NoneType
            for leaf in members(part)
        )
    return (annotation,)


def choices(annotation: Any) -> tuple[Any, ...]:
    """The values that a Literal allows, or the ``kind`` of each table of a union."""
    found: list[Any] = []
    for member in members(annotation):
        if typing.get_origin(member) is Literal:
            found += typing.get_args(member)
        elif dataclasses.is_dataclass(member):
            found += choices(keys(typing.cast(type, member)).get("kind"))
    return tuple(found)


def items(annotation: Any) -> Any:
    """What an array holds: X of ``tuple[X, ...]``; None for anything else."""
    for member in members(annotation):
        if typing.get_origin(member) in (tuple, list):
            return typing.get_args(member)[0]
    return None


def values(annotation: Any) -> Any:
    """What a table of freely named keys holds: X of ``dict[str, X]``; None for anything else."""
    for member in members(annotation):
        if typing.get_origin(member) is dict:
            return typing.get_args(member)[1]
    return None


def _classes(annotation: Any) -> Iterator[type[Any]]:
    for member in members(annotation):
        inner = items(member)
        if inner is not None:
            yield from _classes(inner)
        elif dataclasses.is_dataclass(member):
            yield typing.cast(type, member)
