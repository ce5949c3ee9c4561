"""Every shipped deck runs and gives the numbers it must."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import xarray as xr

import crtransport
from crtransport.deck.load import load_deck
from crtransport.deck.read import shipped
from crtransport.output import check_labels
from crtransport.run import FROM_TABLES, study_of
from tests.folders import tables_of

EXPECTED = tomllib.loads((Path(__file__).parent / "decks_expected.toml").read_text())
NAMES = sorted(shipped())


@cache
def solved(name: str) -> xr.Dataset:
    deck = load_deck(name)
    needs = deck.model in FROM_TABLES or study_of(deck) == "fit"
    return crtransport.run(name, data=tables_of(deck.model) if needs else None)


def deviation(dataset: xr.Dataset, row: dict[str, Any]) -> float:
    """|computed/expected − 1| of a row of the table."""
    found = dataset[row["variable"]]
    for name, value in row.get("at", {}).items():
        method = None if isinstance(value, str) else "nearest"
        found = found.sel({name: value}, method=method)
    return abs(found.item() / row["value"] - 1)


@pytest.mark.parametrize("name", NAMES)
def test_numbers(name: str) -> None:
    assert name in EXPECTED, f"{name} has no row in decks_expected.toml"
    for row in EXPECTED[name]:
        assert deviation(solved(name), row) <= row["rtol"], row


@pytest.mark.parametrize("name", NAMES)
def test_result_is_accurate_and_labelled(name: str) -> None:
    dataset = solved(name)
    assert dataset.attrs["error_estimate"] <= dataset.attrs["error_tolerance"]
    check_labels(dataset)
    assert shipped()[name].read_text().startswith("# ")
    assert dataset.attrs["title"] == load_deck(name).title != ""


def test_no_row_without_a_deck() -> None:
    assert EXPECTED.keys() == shipped().keys()


@pytest.mark.parametrize("name", NAMES)
def test_comparison_can_fail(name: str) -> None:
    for row in EXPECTED[name]:
        wrong = row | {"value": row["value"] * (1 + 3 * row["rtol"])}
        assert deviation(solved(name), wrong) > row["rtol"]
