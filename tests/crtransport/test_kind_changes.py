"""A change from outside that gives a table another kind: what stays, what goes, what is told."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import crtransport
from crtransport.deck.errors import DeckError, DeckWarning
from crtransport.deck.kinds import class_of
from crtransport.deck.load import load_deck, load_decks
from crtransport.deck.read import shipped
from crtransport.deck.schema import DECKS, choices, items, keys, members, resolve, values
from crtransport.output import netcdf_bytes

WRITTEN: dict[str, Any] = {
    "model": "galaxy",
    "network": ["H1"],
    "source": [{"abundances": {"H1": 1.0}, "injection": {"gamma1": 2.1, "gamma2": 2.5}}],
    "solver": {"functions": 50, "rtol": 1e-4, "order_r": 4},
}


def loaded(deck: Any, changes: dict[str, Any]) -> tuple[Any, list[str]]:
    """A deck with changes, or "" if it is wrong, and what was told, without the deck's name."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", DeckWarning)
        try:
            found: Any = load_deck(deck, changes)
        except DeckError:
            return "", []
    return found, [str(one.message).partition(": ")[2] for one in told]


def unions(annotation: Any, place: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Dotted key of each ``kind`` of a deck, and every kind that may stand there."""
    if isinstance(place, list):
        for i, item in enumerate(place):
            yield from unions(items(annotation), item, (*path, str(i)))
    elif isinstance(place, dict):
        options = [m for m in members(annotation) if dataclasses.is_dataclass(m)]
        if len(options) > 1:
            yield ".".join((*path, "kind")), choices(annotation)
        table = class_of(annotation, place)
        for key, item in place.items():
            inside = values(annotation) or (keys(table)[key] if table else None)
            yield from unions(inside, item, (*path, key))


@pytest.mark.parametrize("name", sorted(shipped()))
def test_a_loaded_deck_takes_a_kind_as_its_file_does(name: str) -> None:
    deck = load_deck(name)
    for key, kinds in unions(DECKS[deck.model], resolve(deck)):
        if name == "galaxy_protons" and key.startswith("source."):
            continue  # its file has no source, so that none can be changed there
        for kind in kinds:
            of_file, of_deck = (loaded(some, {key: kind})[0] for some in (name, deck))
            assert of_file == of_deck, (key, kind)


def test_what_was_written_and_does_not_go_is_told() -> None:
    deck, told = loaded(WRITTEN, {"solver.kind": "sweep-gmres"})
    assert (deck.solver.kind, deck.solver.order_r, deck.solver.rtol) == ("sweep-gmres", 4, 1e-4)
    kind = 'it does not go with solver.kind = "sweep-gmres"'
    assert told == [f"solver.functions = 50 is left out: {kind}"]


def test_a_value_that_the_new_kind_refuses_does_not_go_with_it() -> None:
    deck, told = loaded(WRITTEN, {"solver.kind": "split-cn"})
    assert (deck.solver.order_r, deck.solver.discretisation) == (None, "finite-volume")
    assert deck.solver.rtol == 1e-4  # written, though it is the default of the old kind
    assert [text.partition(" = ")[0] for text in told] == ["solver.functions", "solver.order_r"]


def test_defaults_of_a_loaded_deck_become_those_of_the_new_kind() -> None:
    tables = {key: value for key, value in WRITTEN.items() if key != "solver"}
    deck, told = loaded(load_deck(tables), {"solver.kind": "split-cn"})
    assert (deck.solver.rtol, deck.solver.discretisation, told) == (0.2, "finite-volume", [])
    one = load_deck({"model": "flux-tube", "output": {"zeta": [0.0]}})
    other, told = loaded(one, {"solver.kind": "finite-difference"})
    assert other.solver == type(other.solver)(kind="finite-difference")
    assert told == []


def test_a_deck_of_a_run_is_a_loaded_deck(tmp_path: Path) -> None:
    tube: dict[str, Any] = {"model": "flux-tube", "output": {"zeta": [0.0]}}
    path = tmp_path / "out.nc"
    path.write_bytes(netcdf_bytes(crtransport.run(tube)))
    deck, told = loaded(path, {"solver.kind": "finite-difference"})
    assert deck == load_deck(tube, {"solver.kind": "finite-difference"})
    assert told == []


def test_what_the_same_overrides_give_is_an_error() -> None:
    changes = {"solver.functions": 60, "solver.kind": "sweep-gmres"}
    with pytest.raises(DeckError, match=r"--set solver.functions = 60: unknown key"):
        load_deck(WRITTEN, changes)
    changes = {"solver.kind": "split-cn", "solver.order_r": 5}
    with pytest.raises(DeckError, match="order_r has no effect"):
        load_deck(WRITTEN, changes)


def test_what_was_wrong_before_stays_an_error() -> None:
    misspelt = WRITTEN | {"solver": {"functons": 50}}
    with pytest.raises(DeckError, match=r"solver.functons = 50: unknown key"):
        load_deck(misspelt, {"solver.kind": "direct"})
    wrong = WRITTEN | {"solver": {"rtol": -1}}
    with pytest.raises(DeckError, match=r"solver.rtol = -1"):
        load_deck(wrong, {"solver.kind": "direct"})
    early = WRITTEN | {"solver": {"linear_rtol": 1e-7}}  # right with the kind that it gets
    assert load_deck(early, {"solver.kind": "sweep-gmres"}).solver.linear_rtol == 1e-7
    with pytest.raises(DeckError, match=r'must be one of .*did you mean "direct"'):
        load_deck(WRITTEN, {"solver.kind": "dirct"})


def test_a_kind_within_an_array_and_one_that_needs_more() -> None:
    changes = {"source.0.injection.kind": "power-law", "source.0.injection.gamma": 2.4}
    deck, told = loaded(WRITTEN, changes)
    assert deck.source[0].injection.gamma == 2.4
    assert len(told) == 2
    with pytest.raises(DeckError, match=r"source.0.injection.gamma: is missing"):
        load_deck(WRITTEN, {"source.0.injection.kind": "power-law"})


def test_each_set_of_a_batch_has_its_own_kind() -> None:
    kinds = ("sweep-gmres", "reduced-basis", "direct")
    with pytest.warns(DeckWarning, match="is left out"):
        decks: list[Any] = load_decks(WRITTEN, [{"solver.kind": kind} for kind in kinds])
    assert [deck.solver.kind for deck in decks] == list(kinds)
    assert decks[1].solver.functions == 50


def test_a_scan_tells_what_its_kinds_leave_out() -> None:
    scan = {"parameter": [{"key": "solver.kind", "values": ["reduced-basis", "sweep-gmres"]}]}
    deck, told = loaded(WRITTEN | {"scan": scan}, {})
    left_out = 'solver.functions = 50 is left out: it does not go with solver.kind = "sweep-gmres"'
    assert told == [f"{left_out}, a value of [scan]"]
    tables: dict[str, Any] = {
        "momentum": {"per_decade": 4},
        "output": {"per_decade": 2},
        "solver": {"functions": 12, "rtol": 0.5, "order_r": 3, "order_z": 3, "elements_r": 2},
    }
    with pytest.warns(DeckWarning, match="is left out"):
        found = crtransport.run(WRITTEN | tables | {"scan": scan | {"keep": ["flux_lis"]}})
    assert list(found.status.values) == ["done", "done"]
    one, other = found.flux_lis.values
    assert one == pytest.approx(other, rel=0.1)
    assert deck.scan is not None


def test_whole_tables_take_the_place_of_what_was_written() -> None:
    deck, told = loaded(WRITTEN, {"solver": {"kind": "direct"}})
    assert (deck.solver.order_r, told) == (None, [])
