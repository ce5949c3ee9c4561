"""What is said of a key that belongs to another kind of its table."""

from typing import Any

import pytest

from crtransport.deck.errors import DeckError
from crtransport.deck.load import load_deck


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        (
            {"reacceleration": {"v_alfven": 10, "K": 0.1}},
            'reacceleration.K = 0.1: unknown key: it goes with kind = "constant"',
        ),
        (
            {"reacceleration": {"kind": "constant", "K": 0.1, "v_alfven": 10}},
            'reacceleration.v_alfven = 10: unknown key: it goes with kind = "alfven"',
        ),
        (
            {"geometry": {"kind": "slab", "r_h": 20}},
            'geometry.r_h = 20: unknown key: it goes with kind = "cylinder"',
        ),
        (
            {"diffusion": {"kind": "uniform", "f": [1.0]}},
            'diffusion.f = [1.0]: unknown key: it goes with kind = "table"',
        ),
        (
            {"source": [{"abundances": {"H1": 1}, "radial": {"kind": "uniform", "a": 1}}]},
            "source.0.radial.a = 1: unknown key: it goes with kind = ",
        ),
    ],
)
def test_a_key_of_another_kind_is_told_its_kind(tables: dict[str, Any], said: str) -> None:
    with pytest.raises(DeckError) as caught:
        load_deck({"model": "galaxy"} | tables)
    assert said in str(caught.value)
    assert "did you mean" not in str(caught.value)


BURST = {"name": "x", "distance": 0.3, "age": 1e5, "l": 0, "b": 0, "alpha": 2.2, "R_c": 1e5}


@pytest.mark.parametrize(
    ("tables", "key", "close"),
    [
        ({"diffusion": {"delta": 0.4}}, "diffusion.delta", "delta1"),
        ({"diffusion": {"slope": 0.4}}, "diffusion.slope", "delta1"),
        ({"source": [{"injection": {"slope": 2.2}}]}, "source.0.injection.slope", "gamma1"),
        ({"source": [{"injection": {"index": 2.2}}]}, "source.0.injection.index", "gamma1"),
        ({"normalisation": {"energy": 10.0}}, "normalisation.energy", "T"),
        ({"local_source": [BURST | {"energy": 1e50}]}, "local_source.0.energy", "W"),
        ({"local_source": [BURST | {"slope": 2.2}]}, "local_source.0.slope", "alpha"),
        ({"diffusion": {"eat": 0.4}}, "diffusion.eat", "eta"),
        # letters in common are no reason
        ({"delta": 0.4}, "delta", ""),
        ({"slope": 2.2}, "slope", ""),
        ({"energy": 10.0}, "energy", ""),
        ({"source": [{"injection": {"energy": 5.0}}]}, "source.0.injection.energy", ""),
        ({"geometry": {"index": 5.0}}, "geometry.index", ""),
    ],
)
def test_what_is_suggested_is_another_word_or_written_alike(
    tables: dict[str, Any], key: str, close: str
) -> None:
    with pytest.raises(DeckError) as caught:
        load_deck({"model": "galaxy"} | tables)
    assert {p.where: p.nearest for p in caught.value.problems}[key] == close
