"""Units at the edge: quantities with a unit become floats in a documented unit, dimension-checked.

A quantity in a deck is a number (in the key's documented unit) or a string such as ``"4 kpc"`` or
``"4.5e28 cm2/s"``. Inside the package there are only floats.
"""

from __future__ import annotations

import difflib
import math
import re
from dataclasses import dataclass
from typing import Annotated, Any

# exponents of the base units: m, s, eV (energy), V (potential), rad, n (nucleons), K
_L, _T, _E, _V, _A, _N, _K = (tuple(int(i == j) for j in range(7)) for i in range(7))

_PARSEC = 3.0856775814913673e16  # m; IAU 2015 resolution B2
_YEAR = 3.15576e7  # s; Julian year

UNITS: dict[str, tuple[float, tuple[int, ...]]] = {
    "m": (1.0, _L),
    "cm": (1e-2, _L),
    "km": (1e3, _L),
    "au": (1.495978707e11, _L),
    "pc": (_PARSEC, _L),
    "kpc": (1e3 * _PARSEC, _L),
    "Mpc": (1e6 * _PARSEC, _L),
    "s": (1.0, _T),
    "yr": (_YEAR, _T),
    "kyr": (1e3 * _YEAR, _T),
    "Myr": (1e6 * _YEAR, _T),
    "Gyr": (1e9 * _YEAR, _T),
    "eV": (1.0, _E),
    "keV": (1e3, _E),
    "MeV": (1e6, _E),
    "GeV": (1e9, _E),
    "TeV": (1e12, _E),
    "PeV": (1e15, _E),
    "erg": (1e-7 / 1.602176634e-19, _E),
    "J": (1 / 1.602176634e-19, _E),
    "V": (1.0, _V),
    "MV": (1e6, _V),
    "GV": (1e9, _V),
    "TV": (1e12, _V),
    "PV": (1e15, _V),
    "rad": (1.0, _A),
    "deg": (math.pi / 180, _A),
    "n": (1.0, _N),
    "K": (1.0, _K),
}
_NUMBER = re.compile(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(.*?)\s*$", re.ASCII)
_FACTOR = re.compile(r"([A-Za-z]+)(?:\^|\*\*)?([+-]?\d)?$", re.ASCII)


class UnitError(ValueError):
    """A quantity that cannot be read; the message says what is wrong and what is allowed."""


def parse_unit(text: str) -> tuple[float, tuple[int, ...]]:
    """Value in base units (m, s, eV, V, rad, n, K) and dimension of a product like ``cm^2 s-1``."""
    value, dimension = 1.0, tuple(0 for _ in range(7))
    for i, part in enumerate(re.split(r"\s*/\s*", text.strip()) if text.strip() else []):
        sign = 1 if i == 0 else -1
        if i > 0 and not part:
            raise UnitError(f'unit "{text}" has a "/" with nothing after it')
        for word in re.split(r"[\s*]+(?![*])", part.replace("**", "^")):
            if word in ("", "1"):
                continue
            match = _FACTOR.match(word)
            if match is None or match[1] not in UNITS:
                name = match[1] if match else word
                close = difflib.get_close_matches(name, UNITS, n=1, cutoff=0.5)
                hint = f'; nearest: "{close[0]}"' if close else ""
                raise UnitError(f'unknown unit "{name}"{hint} (known: {", ".join(UNITS)})')
            factor, base = UNITS[match[1]]
            power = sign * int(match[2] or 1)
            value *= factor**power
            dimension = tuple(d + power * b for d, b in zip(dimension, base, strict=True))
    return value, dimension


def to_float(value: object, unit: str = "") -> float:
    """A number, or a string with a unit, as a finite float in ``unit`` ("" for a pure number).

    Raises
    ------
    UnitError
        If it is no number, not finite, or its unit has another dimension.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise UnitError(f"needs {_wanted(unit)}")
    if isinstance(value, str):
        if not unit:
            raise UnitError("needs a plain number, without quotes or a unit")
        if len(value) > 100:
            raise UnitError(f"is too long; needs {_wanted(unit)}")
        match = _NUMBER.match(value)
        if match is None:
            raise UnitError(f"needs {_wanted(unit)}")
        if not match[2]:
            raise UnitError(f"has no unit; needs {_wanted(unit)}")
        factor, dimension = parse_unit(match[2])
        target, wanted = parse_unit(unit)
        if dimension != wanted:
            raise UnitError(f'unit "{match[2]}" has the wrong dimension; needs {_wanted(unit)}')
        result = float(match[1]) * factor / target
    else:
        try:
            result = float(value)
        except OverflowError:
            result = math.inf
    if not math.isfinite(result):
        raise UnitError("must be a finite number")
    return result


def _wanted(unit: str) -> str:
    if not unit:
        return "a number"
    return f'a number in {unit}, or a string with a unit such as "1 {unit}"'


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """Metadata of a float field of a model: its unit and its limits. Validated by pydantic.

    Parameters
    ----------
    unit : str
        The documented unit; "" for a pure number.
    gt, ge, lt, le : float, optional
        Limits in that unit: greater than, at least, less than, at most.
    """

    unit: str = ""
    gt: float | None = None
    ge: float | None = None
    lt: float | None = None
    le: float | None = None

    def limits(self) -> str:
        """The limits in words, e.g. ``at least 1 and less than 2``; "" if there are none."""
        words = (
            ("greater than", self.gt),
            ("at least", self.ge),
            ("less than", self.lt),
            ("at most", self.le),
        )
        return " and ".join(f"{word} {limit:g}" for word, limit in words if limit is not None)

    def read(self, value: object) -> float:
        """``value`` as a float in the field's unit, within its limits, or a UnitError."""
        number = to_float(value, self.unit)
        if (
            (self.gt is not None and not number > self.gt)
            or (self.ge is not None and not number >= self.ge)
            or (self.lt is not None and not number < self.lt)
            or (self.le is not None and not number <= self.le)
        ):
            unit = f" {self.unit}" if self.unit else ""
            raise UnitError(f"must be {self.limits()}{unit}")
        return number

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core import PydanticCustomError, core_schema

        def validate(value: object) -> float:
            try:
                return self.read(value)
            except UnitError as error:
                raise PydanticCustomError("quantity", "{why}", {"why": str(error)}) from None

        return core_schema.no_info_plain_validator_function(validate)

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        names = {
            "exclusiveMinimum": self.gt,
            "minimum": self.ge,
            "exclusiveMaximum": self.lt,
            "maximum": self.le,
        }
        limits = {name: limit for name, limit in names.items() if limit is not None}
        number: dict[str, Any] = {"type": "number"} | limits
        if not self.unit:
            return number
        example = f"{1.0:g} {self.unit}"
        return {"anyOf": [number, {"type": "string", "examples": [example]}], "unit": self.unit}


@dataclass(frozen=True, kw_only=True)
class Count:
    """Metadata of an integer field: its limits. Booleans, floats and strings are refused."""

    ge: int
    le: int

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core import PydanticCustomError, core_schema

        def validate(value: object) -> int:
            if isinstance(value, bool) or not isinstance(value, int):
                raise PydanticCustomError("count", "needs a whole number")
            if not self.ge <= value <= self.le:
                limits = {"ge": self.ge, "le": self.le}
                raise PydanticCustomError("count", "must be from {ge} to {le}", limits)
            return value

        return core_schema.no_info_plain_validator_function(validate)

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> dict[str, Any]:
        return {"type": "integer", "minimum": self.ge, "maximum": self.le}


Number = Annotated[float, Quantity()]
Positive = Annotated[float, Quantity(gt=0)]
