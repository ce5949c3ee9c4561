"""The table [scan]: every error at once before anything runs, and the points that it stands for."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crtransport.deck.errors import DeckError
from crtransport.deck.load import load_deck
from crtransport.deck.schema import resolve
from crtransport.studies.scan_plan import Plan, plan

Z_H: dict[str, Any] = {"key": "geometry.z_h", "values": [2, "4 kpc"]}
D0: dict[str, Any] = {"key": "diffusion.D0", "min": 1e28, "max": "4e28 cm2/s", "number": 3}


def deck(*parameters: dict[str, Any], **scan: Any) -> dict[str, Any]:
    return {"model": "galaxy", "scan": {"parameter": list(parameters)} | scan}


def points(*parameters: dict[str, Any], **scan: Any) -> Plan:
    return plan(load_deck(deck(*parameters, **scan)))


def problems(tables: dict[str, Any]) -> list[str]:
    with pytest.raises(DeckError) as caught:
        load_deck(tables)
    return [str(problem) for problem in caught.value.problems]


def test_a_grid_is_every_combination_in_the_units_of_the_keys() -> None:
    found = points(Z_H, D0 | {"spacing": "log"})
    assert found.shape == (2, 3)
    assert [axis.unit for axis in found.axes] == ["kpc", "cm2/s"]
    all_of_them = [found.overrides(n) for n in range(len(found))]
    assert [each["geometry.z_h"] for each in all_of_them] == [2.0, 2.0, 2.0, 4.0, 4.0, 4.0]
    d0 = [each["diffusion.D0"] for each in all_of_them[:3]]
    assert d0 == [1e28, pytest.approx(2e28, rel=1e-14), 4e28]


@pytest.mark.parametrize(
    ("key", "values", "unit"),
    [
        ("source.0.injection.gamma2", [2.3, 2.4], "1"),
        ("source.0.abundances.H1", [1.0, 2.0], "1"),
        ("normalisation.T", [10.0, 20.0], "GeV/n"),
        ("solver.kind", ["direct", "sweep-gmres"], ""),
        ("losses.ionisation", [True, False], ""),
        ("output.per_decade", [10, 12], "1"),
    ],
)
def test_any_key_can_be_scanned(key: str, values: list[Any], unit: str) -> None:
    found = points({"key": key, "values": values})
    assert [found.overrides(n)[key] for n in range(2)] == values
    assert found.axes[0].unit == unit


def test_whole_numbers_stay_whole() -> None:
    found = points({"key": "output.per_decade", "min": 8, "max": 14, "number": 4})
    assert found.axes[0].values == (8, 10, 12, 14)
    wrong = problems(deck({"key": "output.per_decade", "min": 8, "max": 10, "number": 5}))
    said = "there are no 5 different whole numbers from 8 to 10"
    assert wrong == [f"scan.parameter.0.number: {said}"]


@pytest.mark.parametrize("kind", ["latin-hypercube", "sobol"])
def test_a_sample_fills_the_ranges(kind: str) -> None:
    ranges = [
        {"key": "geometry.z_h", "min": 2, "max": 10},
        {"key": "diffusion.D0", "min": 1e28, "max": 1e30, "spacing": "log"},
        {"key": "output.per_decade", "min": 3, "max": 6},
    ]
    sample = {"kind": kind, "number": 64, "seed": 5}
    found = points(*ranges, sample=sample)
    assert found.shape == (64,)
    z_h, d0, per_decade = (np.array(found.values(k)) for k in range(3))
    # one point in each of so many equal parts of a range, a property of both
    assert sorted(((z_h - 2) / 8 * 64).astype(int)) == list(range(64))
    assert sorted((np.log10(d0 / 1e28) / 2 * 64).astype(int)) == list(range(64))
    assert np.bincount(per_decade).tolist() == [0, 0, 0, 16, 16, 16, 16]
    assert found.overrides(7) == {
        "geometry.z_h": z_h[7],
        "diffusion.D0": d0[7],
        "output.per_decade": per_decade[7],
    }
    assert points(*ranges, sample=sample).values(0) == found.values(0)
    assert points(*ranges, sample=sample | {"seed": 6}).values(0) != found.values(0)


def test_all_errors_at_once() -> None:
    tables = deck(
        {"key": "geometry.z_h", "values": [2, "3 km/s", -1, "2 kpc"]},
        {"key": "geometry.z_hh", "values": [2]},
        {"key": "diffusion.D0", "min": 4e28, "max": 1e28, "number": 3},
        {"key": "source.4.injection.gamma2", "values": [2]},
        {"key": "geometry.z_h", "values": [3]},
        {"key": "diffusion", "values": [1]},
        {"key": "momentum.T_max"},
        {"key": "solver.kind", "values": ["dirct"]},
        {"key": "title", "values": ["a"]},
        kep=["flux_toa"],
    ) | {"modulation": {"phi": -1}}
    said = "\n".join(problems(tables))
    for words in (
        "modulation.phi = -1: must be at least 0",
        'scan.kep = ["flux_toa"]: unknown key',
        'scan.parameter.0.values.1 (geometry.z_h) = "3 km/s": unit "km/s" has the wrong dimension',
        "scan.parameter.0.values.2 (geometry.z_h) = -1: must be greater than 0",
        'scan.parameter.0.values.3 (geometry.z_h) = "2 kpc": is there already',
        'scan.parameter.1.key = "geometry.z_hh": no such key of the deck',
        'did you mean "geometry.z_h"?',
        "scan.parameter.2.max (diffusion.D0) = 1e+28: is not above 4e+28",
        'scan.parameter.3.key = "source.4.injection.gamma2": source has 1 entries',
        'scan.parameter.4.key = "geometry.z_h": is scanned already',
        'scan.parameter.5.key = "diffusion": is not one value',
        "scan.parameter.6: momentum.T_max needs either values, at least one, or min and max",
        'scan.parameter.7.values.0 (solver.kind) = "dirct": must be one of',
        'did you mean "direct"?',
        'scan.parameter.8.key = "title": title cannot be scanned',
    ):
        assert words in said, words


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        (deck(), "scan: parameter is empty: give at least one [[scan.parameter]]"),
        (deck(Z_H, keep=["a", "a"]), "scan: keep names a variable twice"),
        (deck(Z_H, keep=["a"], show=[{"variable": "b"}]), '"b" is not among those that keep names'),
        (deck(Z_H | {"number": 3}), "number goes with min and max, not with values"),
        (deck(Z_H | {"spacing": "log"}), "spacing goes with min and max, not with values"),
        (deck(D0 | {"values": [1e28]}), "needs either values, at least one, or min and max"),
        (deck({"key": "diffusion.D0", "min": 1e28, "max": 2e28}), "number is missing"),
        (deck(D0, sample={"number": 8}), "number goes with a grid; a sample has its own"),
        (deck(Z_H, sample={"number": 8}), "a sample needs min and max in their place"),
        (
            deck(
                {"key": "modulation.phi", "min": 0, "max": 1, "number": 3, "spacing": "log"},
            ),
            'spacing = "log" needs min above 0',
        ),
        (
            deck({"key": "solver.kind", "min": "direct", "max": "split-cn", "number": 2}),
            "a range needs a key with numbers",
        ),
        (
            deck(
                {"key": "diffusion.D0", "min": 1e28, "max": 2e28},
                sample={"kind": "sobol", "number": 1000},
            ),
            "needs a power of two, such as 512 or 1024",
        ),
        (
            deck(D0 | {"number": 2000}, {"key": "geometry.z_h", "min": 1, "max": 9, "number": 501}),
            "scan: its grid has 1002000 points; the limit is 1000000",
        ),
        ({"model": "galaxy", "scan": 3}, "scan = 3: needs a table"),
        ({"model": "galaxy", "scan": {"parameter": 3}}, "scan.parameter = 3: needs an array"),
    ],
)
def test_what_a_scan_refuses(tables: dict[str, Any], said: str) -> None:
    assert said in "\n".join(problems(tables))


def test_a_resolved_scan_is_the_same_deck() -> None:
    loaded = load_deck(deck(Z_H, D0, keep=["flux_toa"]))
    assert load_deck(resolve(loaded)) == loaded
    again = load_deck(loaded, {"scan.parameter.1.number": 5})
    assert len(plan(again)) == 10


def test_a_deck_without_scan_has_none(tmp_path: Path) -> None:
    assert load_deck("first_run").scan is None
