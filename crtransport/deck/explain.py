"""What pydantic finds wrong with a deck, in the words of the deck: table.key, found, allowed."""

from __future__ import annotations

import dataclasses
import json
import typing
from collections.abc import Collection, Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from crtransport.deck.errors import OTHER_WORDS, Problem, Several, nearest, other_word
from crtransport.deck.schema import choices, items, keys, members, tables, values
from crtransport.units import Count, Quantity

_UNKNOWN = {"unexpected_keyword_argument", "extra_forbidden", "invalid_key"}


@dataclasses.dataclass(frozen=True)
class _Place:
    """Where a location leads: its path in the deck, what may stand there, the table around it."""

    path: tuple[str, ...]
    annotation: Any
    table: Any


def problems(error: ValidationError, root: type[Any], given: Collection[str]) -> list[Problem]:
    """Each error once, with the path of its key as the deck writes it.

    Parameters
    ----------
    error : pydantic.ValidationError
    root : type
        Root class of the deck.
    given : collection of str
        Dotted keys that came from ``--set`` rather than from the file.
    """
    found: dict[tuple[str, str], Problem] = {}
    for item in error.errors(include_url=False):
        place = _locate(root, item["loc"])
        where = ".".join(place.path)
        if any(where == key or key.startswith(f"{where}.") for key in given):
            where = f"--set {where}"
        several = item.get("ctx", {}).get("error")
        for problem in (
            [Problem(where, why) for why in several.each]
            if isinstance(several, Several)
            else [_problem(item, place, where, root)]
        ):
            # of a key that may be this or that, the first way in which it is neither
            same = problem.where, problem.found or problem.why
            found.setdefault(same, problem)
    return list(found.values())


def read_value(annotation: Any, value: Any, where: str) -> tuple[Any, list[Problem]]:
    """One value as a key of this type reads it, and what is wrong with it there."""
    try:
        return TypeAdapter(annotation).validate_python(value), []
    except ValidationError as error:
        place = _Place((), annotation, None)
        found = [_problem(item, place, where, object) for item in error.errors(include_url=False)]
        return None, found[:1]


def _problem(item: Any, place: _Place, where: str, root: type[Any]) -> Problem:
    kind, value = item["type"], item.get("input")
    if kind in _UNKNOWN:
        return _unknown(where, place, value, root)
    if kind.startswith("missing"):
        return Problem(where, f"is missing{_wanted(place.annotation, ': needs ')}")
    if kind == "union_tag_not_found":
        return Problem(f"{where}.kind", f"is missing; one of {_listed(choices(place.annotation))}")
    if kind == "union_tag_invalid":
        tag = item["ctx"]["tag"]
        return _choice(f"{where}.kind", tag, choices(place.annotation))
    if kind == "literal_error":
        problem = _choice(where, value, choices(place.annotation))
        if isinstance(value, str) or not place.table:
            return problem
        # a number is meant for another key than that of a choice: energy = 1e50 for W
        close = other_word(place.path[-1], keys(place.table))
        return dataclasses.replace(problem, nearest=close)
    if kind == "value_error":
        return Problem(where, str(item["ctx"]["error"]))
    if kind in ("quantity", "count"):
        return Problem(where, _limited(item["msg"], place.annotation), show(value))
    wanted = _wanted(place.annotation, "needs ") or item["msg"]
    return Problem(where, wanted, show(value))


def _limited(why: str, annotation: Any) -> str:
    """Add what limits there are to a refusal that does not state them."""
    for member in members(annotation):
        for meta in getattr(member, "__metadata__", ()):
            limits = meta.limits() if isinstance(meta, Quantity) else _range(meta)
            if limits and limits not in why and "must be from" not in why:
                return f"{why}, {limits}"
    return why


def _range(meta: Any) -> str:
    return f"from {meta.ge} to {meta.le}" if isinstance(meta, Count) else ""


def _unknown(where: str, place: _Place, value: Any, root: type[Any]) -> Problem:
    word = place.path[-1]
    known = keys(place.table) if place.table else {}
    inner = value[0] if isinstance(value, list) and value else value
    what = "table" if isinstance(inner, Mapping) else "key"
    kinds = _kinds_with(word, place, root)
    close = "" if kinds else other_word(word, known) or nearest(word, known)
    elsewhere = [t.__name__ for t in tables(root) if word in keys(t)]
    if not close and not kinds and elsewhere and word.lower() not in OTHER_WORDS:
        home = next((path for path in _paths(root) if path.endswith(f".{word}")), word)
        close = home if home not in known else word
    why = f"unknown {what}: it goes with kind = {_listed(kinds)}" if kinds else f"unknown {what}"
    allowed = f"(here are allowed: {', '.join(known)})"
    return Problem(where, f"{why} {allowed}", "" if what == "table" else show(value), close)


def _kinds_with(word: str, place: _Place, root: type[Any]) -> tuple[Any, ...]:
    """Each ``kind`` of the table around a key that does have this key."""
    steps = tuple(int(step) if step.isdigit() else step for step in place.path[:-1])
    around = members(_locate(root, steps).annotation)
    having = [
        t for t in around if dataclasses.is_dataclass(t) and word in keys(typing.cast(type, t))
    ]
    return tuple(kind for t in having for kind in choices(keys(typing.cast(type, t)).get("kind")))


def _paths(table: type[Any], head: str = "") -> list[str]:
    found = []
    for key, annotation in keys(table).items():
        found.append(f"{head}{key}")
        for member in members(annotation):
            inside = items(member) or member
            for part in members(inside):
                if dataclasses.is_dataclass(part):
                    index = "0." if items(member) else ""
                    found += _paths(typing.cast(type, part), f"{head}{key}.{index}")
    return found


def _choice(where: str, value: Any, allowed: tuple[Any, ...]) -> Problem:
    close = nearest(value, map(str, allowed)) if isinstance(value, str) else ""
    return Problem(where, f"must be {_listed(allowed)}", show(value), close)


def _listed(allowed: tuple[Any, ...]) -> str:
    words = [show(item) for item in allowed]
    return " or ".join(words) if len(words) < 3 else f"one of {', '.join(words)}"


def _wanted(annotation: Any, head: str) -> str:
    """What may stand in a place, in words; "" where nothing can be said."""
    if choices(annotation) and not any(map(dataclasses.is_dataclass, members(annotation))):
        return head + _listed(choices(annotation))
    names = {str: "a text in quotes", bool: "true or false", int: "a whole number"}
    words = []
    for member in members(annotation):
        if dataclasses.is_dataclass(member):
            words.append("a table")
        elif items(member) is not None:
            inside = _wanted(items(member), "of ")
            words.append(f"an array [...] {inside}".strip())
        elif values(member) is not None:
            words.append(f"a table {_wanted(values(member), 'of ')}".strip())
        elif member in names:
            words.append(names[member])
        for meta in getattr(member, "__metadata__", ()):
            words.append(_quantity(meta))
    unique = dict.fromkeys(word for word in words if word)
    return head + " or ".join(unique) if unique else ""


def _quantity(meta: Any) -> str:
    if isinstance(meta, Count):
        return f"a whole number {_range(meta)}"
    if isinstance(meta, Quantity):
        unit = f' in {meta.unit}, or a text such as "1 {meta.unit}"' if meta.unit else ""
        return f"a number{unit}" + (f", {meta.limits()}" if meta.limits() else "")
    return ""


def _locate(root: type[Any], loc: tuple[int | str, ...]) -> _Place:
    """Follow a location through the types, leaving out the tags that pydantic puts in unions."""
    path: list[str] = []
    annotation: Any = root
    table: Any = None
    for step in loc:
        alternatives = members(annotation)
        if len(alternatives) > 1:
            tagged = [m for m in alternatives if _is_tagged(m, step)]
            if tagged:
                annotation = tagged[0]
                continue
        member = alternatives[0]
        inside = items(annotation)
        path.append(str(step))
        if isinstance(step, int) and inside is not None:
            annotation = inside
        elif values(annotation) is not None:
            annotation = values(annotation)
        elif dataclasses.is_dataclass(member):
            table = member
            annotation = keys(typing.cast(type, member)).get(str(step))
        else:
            annotation = None
    return _Place(tuple(path), annotation, table)


def _is_tagged(member: Any, tag: int | str) -> bool:
    if dataclasses.is_dataclass(member):
        return tag == getattr(member, "__name__", "") or tag in choices(
            keys(typing.cast(type, member)).get("kind")
        )
    return (isinstance(tag, str) and not tag.isidentifier()) or tag in (
        "str",
        "float",
        "int",
        "bool",
    )


def show(value: Any) -> str:
    """A value as a deck writes it, cut where it is long."""
    if isinstance(value, Mapping):
        return f"table with {', '.join(map(str, list(value)[:4]))}"[:60] if value else "empty table"
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if abs(value) < 10**20 else f"{value.bit_length()}-bit number"
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
