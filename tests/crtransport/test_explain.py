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
