"""Decks are read whole, or refused with everything that is wrong with them."""

import dataclasses
import json
import os
import pickle
from pathlib import Path
from typing import Any

import netCDF4
import numpy as np
import pytest

import crtransport
from crtransport.deck.errors import DeckError
from crtransport.deck.load import load_deck
from crtransport.deck.overrides import parse_setting
from crtransport.deck.read import deck_name, shipped
from crtransport.deck.schema import DECKS, descriptions, json_schema, keys, resolve, tables

SMALL: dict[str, Any] = {"model": "flux-tube", "output": {"zeta": [0.0, 100.0]}}


def problems(deck: Any, overrides: Any = None) -> dict[str, str]:
    """Where and why of each problem of a deck that must not load."""
    with pytest.raises(DeckError) as caught:
        load_deck(deck, overrides)
    assert str(caught.value)
    return {problem.where: str(problem) for problem in caught.value.problems}


def with_tables(**changes: Any) -> dict[str, Any]:
    return SMALL | changes


def test_defaults_and_units() -> None:
    deck = load_deck(with_tables(loss={"rate": "1 kpc-1"}, scattering={"slope": 1}))
    assert deck.loss.rate == pytest.approx(1e-3)
    assert deck.scattering.slope == 1.0
    assert deck.solver.kind == "spectral"
    assert dataclasses.is_dataclass(deck)


def test_a_kind_left_out_is_the_default() -> None:
    assert load_deck(with_tables(solver={"rtol": 1e-3})).solver.kind == "spectral"
    galaxy = {"model": "galaxy", "diffusion": {"xi": 0.2}, "gas": {"H2": {}}}
    source = {"abundances": {"H1": 1, "He4": 1}, "injections": {"He4": {"gamma1": 2.2}}}
    deck = load_deck(galaxy | {"source": [source]})
    assert deck.diffusion.kind == "two-halo"
    assert deck.source[0].injections["He4"].gamma1 == 2.2
    with pytest.raises(DeckError, match=r"diffusion.radial.kind: is missing; one of"):
        load_deck({"model": "galaxy", "diffusion": {"radial": {"length": 3}}})


@pytest.mark.parametrize("name", sorted(shipped()))
def test_shipped_deck_resolves_to_itself(name: str) -> None:
    deck = load_deck(name)
    plain = resolve(deck)
    assert load_deck(json.loads(json.dumps(plain))) == deck
    assert load_deck(deck) == deck


def test_numpy_values_are_numbers() -> None:
    deck = load_deck(
        SMALL, {"output.zeta": np.array([0.0, 5.0]), "output.modes": np.int64(3), "loss.rate": 1}
    )
    assert deck.output.zeta == (0.0, 5.0)
    assert deck.output.modes == 3


def test_all_problems_at_once_with_place_found_allowed_and_nearest() -> None:
    found = problems(
        with_tables(
            titel="x",
            scatering={},
            scattering={"slope": 2, "asymetry": 0.1, "C": True, "mean_free_path": "3 GV"},
            loss={"rate": -1.0, "kind": "constant-in-ch"},
            solver={"kind": "spektral"},
            output={"zeta": [0.0, "x", float("nan")], "modes": 2.5, "ell_max": 10**30},
        )
    )
    expected = {
        "titel": 'did you mean "title"',
        "scatering": "unknown table (here are allowed: model, title, scattering",
        "scattering.slope": "= 2: must be at least 1 and less than 2",
        "scattering.asymetry": 'did you mean "asymmetry"',
        "scattering.C": "= true: needs a number in pc-1",
        "scattering.mean_free_path": 'unit "GV" has the wrong dimension; needs a number in pc',
        "loss.rate": "= -1.0: must be at least 0 pc-1",
        "loss.kind": 'did you mean "constant-in-chi"',
        "solver.kind": 'must be "spectral" or "finite-difference"; did you mean "spectral"',
        "output.zeta.1": '= "x": needs a number in pc',
        "output.zeta.2": "finite",
        "output.modes": "needs a whole number, from 1 to 30",
        "output.ell_max": "must be from 1 to 50",
    }
    assert found.keys() == expected.keys()
    for where, words in expected.items():
        assert words in found[where]


@pytest.mark.parametrize(
    ("changes", "where", "words"),
    [
        ({"scattering": 3}, "scattering", "needs a table"),
        ({"scattering": []}, "scattering", "needs a table"),
        ({"loss": {"rate": "fast"}}, "loss.rate", "needs a number in pc-1"),
        ({"loss": {"rate": float("inf")}}, "loss.rate", "finite"),
        ({"loss": {"rate": 10**400}}, "loss.rate", "finite"),
        ({"loss": {"rate": []}}, "loss.rate", "needs a number"),
        ({"loss": {"rate": "0.1"}}, "loss.rate", "has no unit"),
        ({"title": 3}, "title", "a text in quotes"),
        ({"source": {"even": 1.0}}, "source.even", "needs an array"),
        ({"source": {"even": [0]}}, "source", "nothing is emitted"),
        ({"solver": {"cells": 10}}, "solver.cells", "unknown key"),
        ({"solver": {"kind": "finite-difference", "cels": 10}}, "solver.cels", '"cells"'),
        ({"output": {}}, "output.zeta", "is missing: needs an array"),
        ({"rate": 1.0}, "rate", 'did you mean "loss.rate"'),
        ({"model": "flux-tub"}, "model", 'did you mean "flux-tube"'),
        ({"model": 3}, "model", 'must be "flux-tube"'),
    ],
)
def test_one_problem(changes: dict[str, Any], where: str, words: str) -> None:
    found = problems(SMALL | changes)
    assert list(found) == [where]
    assert words in found[where]


def test_missing_model_and_empty_deck() -> None:
    assert "is missing" in problems({"modl": "flux-tube"})["model"]
    assert 'where it says "modl"' in problems({"modl": "flux-tube"})["model"]
    assert "is empty" in problems({})[""]


def test_error_survives_pickling() -> None:
    with pytest.raises(DeckError) as caught:
        load_deck({})
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_overrides_reach_into_tables_and_arrays() -> None:
    deck = load_deck(SMALL, {"output.zeta.1": "1 kpc", "loss.rate": 1e-4, "title": "x"})
    assert deck.output.zeta == (0.0, 1000.0)
    assert (deck.loss.rate, deck.title) == (1e-4, "x")


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("loss.rat", 'did you mean "rate"'),
        ("los.rate", 'did you mean "loss"'),
        ("output.zeta.7", "has 2 entries, counted from 0"),
        ("output.zeta.x", "is an array"),
        ("model.x", "is a value, not a table"),
        ("loss..rate", "between the dots"),
        ("", "between the dots"),
        ("output.zeta.99999999999999999999", "counted from 0"),
    ],
)
def test_override_without_a_place_names_set(key: str, words: str) -> None:
    found = problems(SMALL, {key: 1.0})
    assert len(found) == 1
    [(where, text)] = found.items()
    assert where.startswith("--set")
    assert words in text


def test_overrides_leave_the_mapping_alone() -> None:
    deck = {"model": "flux-tube", "output": {"zeta": [0.0]}}
    load_deck(deck, {"output.zeta.0": 5.0, "loss.rate": 1.0})
    assert deck == {"model": "flux-tube", "output": {"zeta": [0.0]}}


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("a.b=1e-3", "a.b", 1e-3),
        ("a = true", "a", True),
        ("a=4 kpc", "a", "4 kpc"),
        ('a="4 kpc"', "a", "4 kpc"),
        ("a=[1, 2]", "a", [1, 2]),
        ("a=spectral", "a", "spectral"),
        ("a=x=y", "a", "x=y"),
        ("a=", "a", ""),
        ("a=1\nb=2", "a", "1\nb=2"),
        ("a=" + "[" * 5000, "a", "[" * 5000),
    ],
)
def test_setting(text: str, key: str, value: object) -> None:
    assert parse_setting(text) == (key, value)


@pytest.mark.parametrize("text", ["", "a", "=1", "   =  1"])
def test_setting_without_key_or_value(text: str) -> None:
    with pytest.raises(ValueError, match=r"table\.key=value"):
        parse_setting(text)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"# nothing\n", "is empty"),
        (b"\xff\xfe\x00m", "is not text in UTF-8"),
        (b'model = "flux-tube"\ntitle = "\xe9"\n', "is not text in UTF-8 (line 2)"),
        (b'model = "flux-tube"\ntitle = \n', "line 2: is not valid TOML"),
        (b"model = 1\nmodel = 2\n", "Cannot overwrite a value"),
        (b"x = " + b"[" * 100_000, "nested too deeply"),
        (b"a" + b".a" * 100_000 + b" = 1", "nested too deeply"),
        (b"x = " + b"[" * 30 + b"]" * 30, "nested too deeply"),
        (b"x = " + b"9" * 10_000, "is not valid TOML"),
        (b"#" * 2_000_000, "over 1 MB"),
        (b"\x89HDF\r\n\x1a\n" + b"\0" * 100, "damaged netCDF"),
        (b"\x7fELF\x02\x01\x01\0\0\xff", "is not text in UTF-8"),
    ],
)
def test_broken_file(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "deck.toml"
    path.write_bytes(content)
    with pytest.raises(DeckError) as caught:
        load_deck(path)
    assert str(caught.value).startswith(f"{path}: ")
    assert words in str(caught.value)
    assert len(str(caught.value)) < 400


def test_byte_order_mark_and_windows_lines(tmp_path: Path) -> None:
    path = tmp_path / "deck.toml"
    path.write_bytes(b'\xef\xbb\xbfmodel = "flux-tube"\r\n[output]\r\nzeta = [1.0]\r\n')
    assert load_deck(path).output.zeta == (1.0,)


def test_missing_file_and_folder(tmp_path: Path) -> None:
    (tmp_path / "my_deck.toml").write_text("")
    assert "my_deck.toml" in problems(tmp_path / "my_dekc.toml")[""]
    assert "is a folder; a deck is a file; it holds my_deck.toml" in problems(tmp_path)[""]
    assert "no such file" in problems(tmp_path / "my_deck.toml" / "x")[""]
    assert "no such file" in problems("a\0b")[""]


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may read everything")
def test_unreadable_file(tmp_path: Path) -> None:
    path = tmp_path / "deck.toml"
    path.write_text("")
    path.chmod(0)
    assert "cannot be read" in problems(path)[""]


@pytest.mark.skipif(not shipped(), reason="no decks are shipped")
def test_nearest_shipped_deck() -> None:
    name = next(iter(shipped()))
    assert f'did you mean "{name}"' in problems(f"{name}.toml")[""]
    assert f'did you mean "{name}"' in problems(f"{name}x")[""]


def test_deck_in_an_output_file(tmp_path: Path) -> None:
    deck = load_deck(SMALL)
    path = tmp_path / "out.nc"
    with netCDF4.Dataset(str(path), "w") as file:
        file.setncattr("deck", json.dumps(resolve(deck)))
    assert load_deck(path) == deck
    assert deck_name(path) == "out"
    for text in ("not json", "[1]", "[" * 100_000):
        with netCDF4.Dataset(str(path), "w") as file:
            file.setncattr("deck", text)
        assert "deck" in problems(path)[""]
    with netCDF4.Dataset(str(path), "w"):
        pass
    assert "without a deck" in problems(path)[""]
    path.write_bytes(path.read_bytes()[:200])
    assert "damaged" in problems(path)[""]


def test_every_key_is_described_and_the_schema_says_so() -> None:
    definitions = json_schema()["$defs"]
    for table in tables(*DECKS.values()):
        text = descriptions(table)
        assert text.keys() >= keys(table).keys(), table.__name__
        for key in keys(table):
            assert definitions[table.__name__]["properties"][key]["description"]
    assert definitions["Loss"]["properties"]["rate"]["unit"] == "pc-1"


def test_public_names() -> None:
    assert crtransport.load_deck is load_deck
    assert crtransport.DeckError is DeckError
    assert callable(crtransport.run)
    with pytest.raises(AttributeError, match="no attribute 'rnu'"):
        _ = crtransport.rnu
