"""What a scan sets: the keys found in the deck, their values read as the deck reads them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import numpy as np

from crtransport.deck.errors import Problem, nearest, other_word
from crtransport.deck.explain import read_value, show
from crtransport.deck.kinds import class_of
from crtransport.deck.scan import MOST_POINTS
from crtransport.deck.schema import choices, items, keys, members, plain, values
from crtransport.units import Quantity

#: tables and keys that say what a deck is, not what it computes
NOT_SCANNED = ("model", "title", "scan", "fit")


class Axis(NamedTuple):
    """One parameter of a scan.

    Attributes
    ----------
    key : str
        Dotted.
    unit : str
        Of the values; "1" for pure numbers, "" for texts.
    values : tuple
        In that unit: those of a grid in its order, or the two ends of a sampled range.
    log : bool
        Whether a sample is uniform in the logarithm.
    """

    key: str
    unit: str
    values: tuple[Any, ...]
    log: bool


def axes(root: type[Any], tables: Mapping[str, Any]) -> tuple[list[Axis], list[Problem]]:
    """The parameters under [scan] of a deck, and everything that is wrong with them.

    Looks at each parameter by itself, whatever else is wrong with the deck; what is wrong with the
    form of [scan] is left to its own check.

    Parameters
    ----------
    root : type
        Root class of the deck.
    tables : mapping
        The deck, as it was read.
    """
    scan = tables["scan"] if isinstance(tables["scan"], Mapping) else {}
    listed = scan.get("parameter")
    given = [
        (i, each)
        for i, each in enumerate(listed if isinstance(listed, list | tuple) else ())
        if isinstance(each, Mapping) and isinstance(each.get("key"), str)
    ]
    found: list[Axis] = []
    wrong: list[Problem] = []
    for k, (i, each) in enumerate(given):
        where = f"scan.parameter.{i}"
        if any(each["key"] == other["key"] for _, other in given[:k]):
            wrong.append(Problem(f"{where}.key", "is scanned already", show(each["key"])))
        try:
            found += _axis(root, tables, where, each)
        except WrongKey as error:
            wrong += error.problems
    points = math.prod(len(axis.values) for axis in found)
    if "sample" not in scan and points > MOST_POINTS:
        why = f"its grid has {points} points; the limit is {MOST_POINTS}"
        wrong.append(Problem("scan", f"{why}: take fewer values, or a [scan.sample]"))
    return found, wrong


class WrongKey(Exception):
    """What is wrong with a parameter of a scan or a fit."""

    def __init__(self, *problems: Problem) -> None:
        super().__init__(*problems)
        self.problems = problems


def _axis(
    root: type[Any], tables: Mapping[str, Any], where: str, given: Mapping[str, Any]
) -> list[Axis]:
    """The axis of one parameter; none where its values are missing, or not in the form of any."""
    annotation = annotation_at(root, tables, f"{where}.key", given["key"])
    sampled = "sample" in tables["scan"]
    if isinstance(given.get("values"), list | tuple) and given["values"]:
        if sampled:
            raise WrongKey(Problem(f"{where}.values", "a sample needs min and max in their place"))
        read = _listed(annotation, where, given)
    elif "min" in given and "max" in given:
        read = _range(annotation, where, given, sampled)
    else:
        return []
    quantity = quantity_of(annotation)
    numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in read)
    unit = (quantity.unit if quantity else "") or "1"
    log = given.get("spacing") == "log"
    return [Axis(given["key"], unit if numbers else "", tuple(read), log)]


def _listed(annotation: Any, where: str, given: Mapping[str, Any]) -> list[Any]:
    read, wrong = [], []
    for i, value in enumerate(given["values"]):
        place = f"{where}.values.{i} ({given['key']})"
        one, problems = read_value(annotation, value, place)
        if not problems and one in read:
            problems = [Problem(place, "is there already", show(value))]
        read.append(one)
        wrong += problems
    if wrong:
        raise WrongKey(*wrong)
    return read


def _range(annotation: Any, where: str, given: Mapping[str, Any], sampled: bool) -> list[Any]:
    ends, wrong = [], []
    for name in ("min", "max"):
        one, problems = read_value(annotation, given[name], f"{where}.{name} ({given['key']})")
        ends.append(one)
        wrong += problems
    if wrong:
        raise WrongKey(*wrong)
    low, high = ends
    log = given.get("spacing") == "log"
    for bad, why in (
        (not all(type(end) in (int, float) for end in ends), "a range needs a key with numbers"),
        (not sampled and "number" not in given, "number is missing: how many values a grid has"),
        (sampled and "number" in given, "number goes with a grid; a sample has its own"),
    ):
        if bad:
            raise WrongKey(Problem(where, f"{given['key']}: {why}"))
    if not low < high:
        raise WrongKey(
            Problem(f"{where}.max ({given['key']})", f"is not above {low:g}", f"{high:g}")
        )
    if log and low <= 0:
        raise WrongKey(
            Problem(f"{where}.min ({given['key']})", 'spacing = "log" needs min above 0')
        )
    number = given.get("number")
    if sampled or not isinstance(number, int) or not 2 <= number <= MOST_POINTS:
        return ends
    return _spaced(low, high, number, log, where)


def _spaced(low: Any, high: Any, number: int, log: bool, where: str) -> list[Any]:
    spaced = (np.geomspace if log else np.linspace)(low, high, number)
    if isinstance(low, float):
        return [low, *map(float, spaced[1:-1]), high]
    whole = [round(value) for value in spaced.tolist()]
    if len(set(whole)) < number:
        why = f"there are no {number} different whole numbers from {low} to {high}"
        raise WrongKey(Problem(f"{where}.number", why))
    return whole


def annotation_at(root: type[Any], tables: Mapping[str, Any], where: str, key: str) -> Any:
    """What may stand at a dotted key of a deck."""
    steps = key.split(".")
    if steps[0] in NOT_SCANNED:
        raise WrongKey(Problem(where, f"{steps[0]} cannot be scanned", show(key)))
    annotation: Any = root
    place: Any = tables
    for i, step in enumerate(steps):
        here = ".".join(steps[:i])
        if items(annotation) is not None:
            length = len(place) if isinstance(place, list | tuple) else 0
            if not (step.isascii() and step.isdigit() and len(step) < 7 and int(step) < length):
                why = f"{here} has {length} entries, counted from 0: name one, {here}.0"
                raise WrongKey(Problem(where, why, show(key)))
            annotation, place = items(annotation), place[int(step)]
        elif values(annotation) is not None:
            place = place.get(step) if isinstance(place, Mapping) else None
            annotation = values(annotation)
        else:
            kinds = choices(annotation)
            annotation, place = _field(class_of(annotation, place), step, place, where, key)
            if step == "kind":
                annotation = Literal[kinds]
    if items(annotation) or values(annotation) or class_of(annotation, place):
        raise WrongKey(Problem(where, "is not one value: name a key of it", show(key)))
    return annotation


def _field(table: Any, step: str, place: Any, where: str, key: str) -> tuple[Any, Any]:
    """What may stand at a key of a table, and what does: its default where nothing is given."""
    known = keys(table) if table else {}
    if step not in known:
        head = key[: key.rindex(f".{step}") + 1] if f".{step}" in key else ""
        close = other_word(step, known) or nearest(step, known)
        allowed = f" (here are allowed: {', '.join(known)})" if known else ""
        why = f"no such key of the deck{allowed}"
        raise WrongKey(Problem(where, why, show(key), f"{head}{close}" if close else ""))
    if isinstance(place, Mapping) and step in place:
        return known[step], place[step]
    field = next(f for f in dataclasses.fields(table) if f.name == step)
    if field.default_factory is not dataclasses.MISSING:
        return known[step], plain(field.default_factory())
    return known[step], None if field.default is dataclasses.MISSING else plain(field.default)


def quantity_of(annotation: Any) -> Quantity | None:
    """Unit and limits of a key; None where it is no quantity."""
    found = (meta for m in members(annotation) for meta in getattr(m, "__metadata__", ()))
    return next((meta for meta in found if isinstance(meta, Quantity)), None)
