"""Quantities with units: values from the definitions, and everything that is refused."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crtransport.units import UNITS, Quantity, UnitError, parse_unit, to_float


@pytest.mark.parametrize(
    ("text", "unit", "value"),
    [
        ("4 kpc", "pc", 4000.0),
        ("1 pc", "cm", 3.0856775814913673e18),
        ("4.5e28 cm2/s", "cm2/s", 4.5e28),
        ("1 cm^2 s-1", "m**2/s", 1e-4),
        ("1e3/kpc", "pc-1", 1.0),
        ("1e3 kpc-1", "pc-1", 1.0),
        ("10 TV", "GV", 1e4),
        ("1 Myr", "s", 3.15576e13),
        ("1 erg", "GeV", 624.1509074460763),
        ("2 GeV/n", "MeV n-1", 2000.0),
        (" -1.5E+2 km/s ", "m s-1", -1.5e5),
        ("180 deg", "rad", math.pi),
    ],
)
def test_conversion(text: str, unit: str, value: float) -> None:
    assert to_float(text, unit) == pytest.approx(value, rel=1e-14)


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        ("4 GV", "pc", "wrong dimension"),
        ("4 kpcc", "pc", 'nearest: "kpc"'),
        ("4", "pc", "has no unit"),
        ("four pc", "pc", "needs a number in pc"),
        ("4 pc", "", "plain number"),
        (True, "pc", "needs a number"),
        (None, "", "needs a number"),
        ([1.0], "", "needs a number"),
        (math.nan, "", "finite"),
        (math.inf, "pc", "finite"),
        (10**400, "", "finite"),
        ("1e999 pc", "pc", "finite"),
        ("1 Gyr99 pc", "pc", "unknown unit"),
        ("1 pc//s", "pc", "nothing after it"),
        ("1 pc/", "pc", "nothing after it"),
        ("1 Gpc", "pc", "unknown unit"),
    ],
)
def test_refusal(value: object, unit: str, words: str) -> None:
    with pytest.raises(UnitError, match=words):
        to_float(value, unit)


@given(st.floats(1e-30, 1e30), st.sampled_from(sorted(UNITS)), st.integers(1, 3))
def test_round_trip(number: float, name: str, power: int) -> None:
    unit = f"{name}{power}"
    assert to_float(f"{number!r} {unit}", unit) == pytest.approx(number, rel=1e-13)


@given(st.text(max_size=30))
def test_any_text_is_a_unit_or_a_unit_error(text: str) -> None:
    try:
        value, dimension = parse_unit(text)
    except UnitError:
        return
    assert value >= 0
    assert len(dimension) == 7


@given(st.text(max_size=30) | st.from_regex(r"[0-9.eE+-]{1,8} ?[a-zA-Z]{1,3}[-0-9]{0,3}"))
def test_any_text_is_a_number_or_a_unit_error(text: str) -> None:
    for unit in ("", "pc", "cm2/s"):
        try:
            value = to_float(text, unit)
        except UnitError:
            continue
        assert math.isfinite(value)


def test_limits_are_inclusive_and_exclusive_as_named() -> None:
    slope = Quantity(ge=1, lt=2)
    assert slope.read(1) == 1.0
    with pytest.raises(UnitError, match="at least 1 and less than 2"):
        slope.read(2)
    length = Quantity(unit="pc", gt=0, le=10)
    assert length.read("0.01 kpc") == pytest.approx(10)
    with pytest.raises(UnitError, match="greater than 0 and at most 10 pc"):
        length.read(0)
