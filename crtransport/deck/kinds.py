"""A table whose ``kind`` is left out is of the kind that is the default, where one is."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping
from typing import Any

from crtransport.deck.schema import choices, items, keys, members, values


def with_kinds(table: type[Any], tables: Mapping[str, Any]) -> dict[str, Any]:
    """The tables of a deck with each default ``kind`` written out: [diffusion] is "two-halo".

    Parameters
    ----------
    table : type
        The dataclass that the tables are to become.
    tables : mapping
        As the deck has them; what does not fit is left for the check to find.
    """
    known = keys(table)
    return {key: _filled(known.get(key), value) for key, value in tables.items()}


def _filled(annotation: Any, value: Any) -> Any:
    if annotation is None:
        return value
    if isinstance(value, list):
        return [_filled(items(annotation), item) for item in value]
    if not isinstance(value, Mapping):
        return value
    if values(annotation) is not None:
        return {key: _filled(values(annotation), item) for key, item in value.items()}
    options = _classes(annotation)
    if len(options) > 1 and "kind" not in value:
        value = next(
            ({"kind": kind} | dict(value) for kind in map(default_kind, options) if kind), value
        )
    for option in options:
        if len(options) == 1 or value.get("kind") in choices(keys(option)["kind"]):
            return with_kinds(option, value)
    return value


def default_kind(table: type[Any]) -> str | None:
    """The ``kind`` that a table need not name."""
    default = next(f.default for f in dataclasses.fields(table) if f.name == "kind")
    return default if isinstance(default, str) else None


def class_of(annotation: Any, table: Any) -> type[Any] | None:
    """The class of a table, by its kind or else by the kind that is the default."""
    options = _classes(annotation)
    if len(options) < 2:
        return options[0] if options else None
    kind = table.get("kind") if isinstance(table, Mapping) else None
    if kind is None:
        kind = next((default for o in options if (default := default_kind(o))), None)
    return class_of_kind(annotation, kind) or options[0]


def class_of_kind(annotation: Any, kind: Any) -> type[Any] | None:
    """The class of the tables of a kind; None where a union has none, or there is no union."""
    options = _classes(annotation)
    if len(options) < 2:
        return None
    return next((o for o in options if kind in choices(keys(o)["kind"])), None)


def _classes(annotation: Any) -> list[type[Any]]:
    found = (m for m in members(annotation) if dataclasses.is_dataclass(m))
    return [typing.cast("type[Any]", m) for m in found]
