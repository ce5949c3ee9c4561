"""What a fit moves: the keys found in the deck, their numbers read as the deck reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from crtransport.deck.errors import Problem
from crtransport.deck.explain import read_value, show
from crtransport.deck.scanned import NOT_SCANNED, WrongKey, annotation_at, quantity_of
from crtransport.fits.parameters import FitError, Parameter
from crtransport.units import Quantity, UnitError

_NUMBERS = ("start", "lower", "upper")


class Free(NamedTuple):
    """One parameter of a fit of a deck.

    Attributes
    ----------
    keys : tuple of str
        Dotted keys of the deck that take its value.
    unit : str
        Of the value.
    epoch : str
        Whose potential it is; "" of what does not depend on the epoch.
    parameter : Parameter
    published : float or None
        A value to compare with.
    """

    keys: tuple[str, ...]
    unit: str
    epoch: str
    parameter: Parameter
    published: float | None


def free(root: type[Any], tables: Mapping[str, Any]) -> tuple[list[Free], list[Problem]]:
    """The parameters under [fit] of a deck, and everything that is wrong with them.

    Parameters
    ----------
    root : type
        Root class of the deck.
    tables : mapping
        The deck, as it was read; what is wrong with the form of [fit] is left to its own check.
    """
    fit = tables["fit"] if isinstance(tables["fit"], Mapping) else {}
    listed = fit.get("parameter")
    found: list[Free] = []
    wrong: list[Problem] = []
    taken: dict[tuple[str, str], str] = {}
    for i, each in enumerate(listed if isinstance(listed, Sequence) else ()):
        where = f"fit.parameter.{i}"
        if not isinstance(each, Mapping) or not all(k in each for k in ("key", *_NUMBERS)):
            continue
        try:
            one = _one(root, tables, where, each)
        except WrongKey as error:
            wrong += error.problems
            continue
        for key in one.keys:
            if taken.setdefault((key, one.epoch), where) != where:
                wrong.append(Problem(where, "is fitted already", show(key)))
        found.append(one)
    return found, wrong


def _one(root: type[Any], tables: Mapping[str, Any], where: str, given: Mapping[str, Any]) -> Free:
    keys = (str(given["key"]), *map(str, given.get("also", ())))
    values: dict[str, float] = {}
    units = []
    for i, key in enumerate(keys):
        annotation, unit = _quantity(root, tables, f"{where}.{'also' if i else 'key'}", key)
        units.append(unit)
        if unit != units[0]:
            why = f"{key} is in {unit or '1'}, and {keys[0]} in {units[0] or '1'}"
            raise WrongKey(Problem(f"{where}.also", why))
        values = {n: _read(annotation, given[n], f"{where}.{n} ({key})") for n in _NUMBERS}
    prior = _prior(units[0], given.get("prior") or (), where)
    published = given.get("published")
    if published is not None:
        published = _read(annotation, published, f"{where}.published ({keys[-1]})")
    epoch = str(given.get("epoch", ""))
    name = given.get("name") or keys[0].rpartition(".")[2] + (f".{epoch}" if epoch else "")
    try:
        parameter = Parameter(
            name=str(name), **values, scale=given.get("scale", "linear"), prior=prior
        )
    except FitError as error:
        raise WrongKey(Problem(where, str(error))) from None
    return Free(keys, units[0], epoch, parameter, published)


def _quantity(root: type[Any], tables: Mapping[str, Any], where: str, key: str) -> tuple[Any, str]:
    """What may stand at a key, and its unit."""
    head = key.partition(".")[0]
    if head in NOT_SCANNED:
        raise WrongKey(Problem(where, f"{head} cannot be fitted", show(key)))
    annotation = annotation_at(root, tables, where, key)
    quantity = quantity_of(annotation)
    if quantity is None:
        raise WrongKey(Problem(where, "is no number that can be fitted", show(key)))
    return annotation, quantity.unit


def _read(annotation: Any, value: Any, where: str) -> float:
    number, problems = read_value(annotation, value, where)
    if problems:
        raise WrongKey(*problems)
    return float(number)


def _prior(unit: str, given: Any, where: str) -> tuple[float, float] | None:
    """Mean and 1σ, of the dimension of the key but beyond its limits if need be."""
    if not isinstance(given, Sequence) or len(given) != 2:
        return None
    try:
        mean, sigma = (Quantity(unit=unit).read(value) for value in given)
    except UnitError as error:
        raise WrongKey(Problem(f"{where}.prior", str(error), show(list(given)))) from None
    return mean, sigma
