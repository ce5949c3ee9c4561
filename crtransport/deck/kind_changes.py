"""Changes from outside a deck that give a table another ``kind``: which of its keys stay."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import cache
from typing import Any, cast

from pydantic import TypeAdapter, ValidationError

from crtransport.deck.explain import show
from crtransport.deck.kinds import class_of, class_of_kind, with_kinds
from crtransport.deck.overrides import apply
from crtransport.deck.schema import items, keys, plain, values

Table = dict[str, Any]


def change_kinds(
    root: type[Any], tables: Table, changes: Mapping[str, Any], loaded: bool
) -> list[str]:
    """Leave out of ``tables``, in place, what does not go with the kinds that ``changes`` name.

    Of a table that gets another kind stays what was written and what the new kind takes; defaults
    become those of the new kind. What ``changes`` give themselves is never left out.

    Parameters
    ----------
    root : type
        Root class of the deck.
    tables : dict
        The deck, before ``changes`` are put into it.
    changes : mapping
        Values by dotted key.
    loaded : bool
        Whether the tables are those of a loaded deck, where defaults are written out: there a value
        that is the default of its kind does not count as written.

    Returns
    -------
    list of str
        What was written and is left out, a sentence each.
    """
    told: list[str] = []
    chosen = [key.split(".") for key in changes if key.endswith(".kind")]
    # a table before those that stand in it
    for *path, _ in sorted(chosen, key=len):
        here = ".".join(path)
        found = _table_at(root, tables, path)
        if found is None or any(here == key or here.startswith(f"{key}.") for key in changes):
            continue
        annotation, table = found
        before, after = _classes(annotation, table, changes[f"{here}.kind"])
        if before is None or after is None or before is after:
            continue
        given: Table = {"kind": changes[f"{here}.kind"]}
        under = f"{here}."
        inside = {k.removeprefix(under): v for k, v in changes.items() if k.startswith(under)}
        apply(given, {k: v for k, v in inside.items() if k != "kind"})
        written = {
            key: value
            for key, value in table.items()
            if key != "kind" and not (loaded and _is_default(before, key, value))
        }
        kept = _kept(before, after, written, given, trusted=not _wrong(before, table))
        table.clear()
        table |= {"kind": given["kind"]} | kept
        kind = f"{here}.kind = {show(given['kind'])}"
        told += [
            f"{here}.{key} = {show(value)} is left out: it does not go with {kind}"
            for key, value in written.items()
            if key not in kept and key not in given
        ]
    return told


def _table_at(root: type[Any], tables: Table, path: list[str]) -> tuple[Any, Table] | None:
    """What may stand at a path, and the table that does; None where there is no table."""
    annotation: Any = root
    place: Any = tables
    for step in path:
        if isinstance(place, list):
            if not (step.isascii() and step.isdigit() and int(step) < len(place)):
                return None
            annotation, place = items(annotation), place[int(step)]
        elif isinstance(place, dict) and step in place:
            inside, table = values(annotation), class_of(annotation, place)
            annotation = inside or (keys(table).get(step) if table else None)
            place = place[step]
        else:
            return None
    return (annotation, place) if isinstance(place, dict) else None


def _classes(annotation: Any, table: Table, kind: Any) -> tuple[type[Any] | None, type[Any] | None]:
    """The class of a table and that of the kind it gets; None where there is no such kind."""
    if "kind" in table:
        return class_of_kind(annotation, table["kind"]), class_of_kind(annotation, kind)
    return class_of(annotation, table), class_of_kind(annotation, kind)


def _kept(
    before: type[Any], after: type[Any], written: Table, given: Table, trusted: bool
) -> Table:
    """The keys that stay: all that the new kind takes beside the others, and unknown ones.

    ``trusted``: whether they were right with the old kind; else what is wrong stays to be told.
    """
    unknown = {k: v for k, v in written.items() if k not in keys(before)}
    both = {k: v for k, v in written.items() if k in keys(before) and k in keys(after)}
    if not trusted:
        return unknown | both
    needed = {f.name for f in dataclasses.fields(after) if _default(f) is dataclasses.MISSING}
    kept = {k: v for k, v in both.items() if k in needed}
    for key, value in both.items():
        with_it = _wrong(after, {**kept, key: value, **given})
        if key not in kept and with_it <= _wrong(after, {**kept, **given}):
            kept[key] = value
    return unknown | kept


def _wrong(table: type[Any], given: Table) -> set[str]:
    """What is wrong with a table of a class."""
    try:
        _adapter(cast(Any, table)).validate_python(with_kinds(table, given))
    except ValidationError as error:
        return {f"{item['loc']}: {item['msg']}" for item in error.errors(include_url=False)}
    return set()


@cache
def _adapter(table: Any) -> TypeAdapter[Any]:
    return TypeAdapter(table)


def _is_default(table: type[Any], key: str, value: Any) -> bool:
    field = next((f for f in dataclasses.fields(table) if f.name == key), None)
    return field is not None and plain(_default(field)) == value


def _default(field: Any) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default
