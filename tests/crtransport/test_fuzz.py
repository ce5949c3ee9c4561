"""Whatever is put in, a deck or a DeckError comes out, and the command line shows no traceback."""

import copy
import sys
import tomllib
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crtransport import cli
from crtransport.deck.errors import DeckError
from crtransport.deck.load import load_deck
from crtransport.deck.overrides import parse_setting
from crtransport.deck.read import shipped
from crtransport.deck.schema import DECKS, keys, resolve, tables

RELAXED = settings(
    deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
SMALL = {"model": "flux-tube", "output": {"zeta": [0.0, 100.0]}}
BASES = [SMALL, *(tomllib.loads(path.read_text()) for path in shipped().values())]
KEYS = sorted({key for table in tables(*DECKS.values()) for key in keys(table)})

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.dates()
    | st.binary(max_size=4)
    | st.sampled_from(["1 kpc", "3 GV", "1 pc-1", "spectral", "jump", 10**400, "1e999 pc"])
)
names = st.sampled_from(KEYS) | st.text(max_size=6)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=4),
    max_leaves=12,
)


def loads_or_explains(deck: Any, overrides: Any = None) -> None:
    try:
        found = load_deck(deck, overrides)
    except DeckError as error:
        problems = error.problems
    else:
        assert load_deck(resolve(found)) == found
        return
    assert problems
    assert all(problem.why for problem in problems)


@RELAXED
@given(st.dictionaries(names, values, max_size=5))
def test_any_tables(deck: dict[str, Any]) -> None:
    loads_or_explains(deck)
    loads_or_explains({"model": "flux-tube"} | deck)


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, Any]:
    """A good deck in which some entry was replaced, removed or renamed."""
    deck: dict[str, Any] = copy.deepcopy(draw(st.sampled_from(BASES)))
    for _ in range(draw(st.integers(1, 3))):
        place: Any = deck
        while True:
            if not place:
                break
            steps = list(place) if isinstance(place, dict) else list(range(len(place)))
            step = draw(st.sampled_from(steps))
            if isinstance(place[step], dict | list) and draw(st.booleans()):
                place = place[step]
                continue
            match draw(st.integers(0, 2)):
                case 0:
                    place[step] = draw(values)
                case 1:
                    del place[step]
                case _ if isinstance(place, dict):
                    place[draw(names)] = place.pop(step)
            break
    return deck


@RELAXED
@given(mutated())
def test_mutated_deck(deck: dict[str, Any]) -> None:
    loads_or_explains(deck)


@RELAXED
@given(st.lists(names, min_size=1, max_size=4).map(".".join), values)
def test_any_override(key: str, value: Any) -> None:
    loads_or_explains(SMALL, {key: value})


@RELAXED
@given(st.text(max_size=30))
def test_any_setting(text: str) -> None:
    try:
        key, value = parse_setting(text)
    except ValueError:
        return
    loads_or_explains(SMALL, {key: value})


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return tmp_path_factory.mktemp("fuzz") / "deck.toml"


def tampered() -> st.SearchStrategy[bytes]:
    """The text of a good deck with some bytes replaced."""
    texts = [path.read_bytes() for path in shipped().values()]
    texts.append(b'model = "flux-tube"\n[output]\nzeta = [0.0, "1 kpc"]\n')

    def damage(text: bytes, at: int, new: bytes) -> bytes:
        i = at % len(text)
        return text[:i] + new + text[i + len(new) :]

    return st.builds(damage, st.sampled_from(texts), st.integers(0), st.binary(max_size=3))


@RELAXED
@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode) | tampered())
def test_any_file(path: Any, content: bytes) -> None:
    path.write_bytes(content)
    loads_or_explains(path)


@settings(RELAXED, max_examples=60)
@given(tampered(), st.text(max_size=20))
def test_command_line_shows_no_traceback(
    path: Any,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    content: bytes,
    setting: str,
) -> None:
    path.write_bytes(content)
    monkeypatch.setattr(sys, "argv", ["crtransport", "check", str(path), f"--set={setting}"])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code in (0, 2)
    out, err = capfd.readouterr()
    assert "Traceback" not in err
    assert "internal error" not in err
    assert bool(err) == (caught.value.code == 2)
    assert bool(out) == (caught.value.code == 0)
