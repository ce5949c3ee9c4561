"""Many sets of parameters in one call."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import crtransport
from crtransport.problems import galaxy_batch, galaxy_estimate

DECK = "galaxy_boron"
TABLES: dict[str, Any] = {
    "model": "galaxy",
    "network": ["C12", "B11"],
    "source": [{"abundances": {"C12": 1e-15, "B11": 1e-18}}],
    "solver": {"order_r": 3, "order_z": 4, "elements_r": 4},
}
SHORT: dict[str, Any] = {"output.ratios": [], "output.elements": [], "compare.measurements": []}


def sets(count: int, **ranges: tuple[float, float]) -> list[dict[str, Any]]:
    random = np.random.default_rng(1)
    return [
        SHORT | {key.replace("__", "."): float(random.uniform(*x)) for key, x in ranges.items()}
        for _ in range(count)
    ]


RATES = sets(5, diffusion__D0=(3e28, 6e28), diffusion__delta1=(0.4, 0.6))
PLACES = sets(3, geometry__z_h=(3.0, 6.0), reacceleration__v_alfven=(5.0, 25.0))


def test_another_space_for_each_is_what_run_gives() -> None:
    found = crtransport.batch(DECK, PLACES, estimates=3)
    for i, some in enumerate(PLACES):
        alone = crtransport.run(DECK, some)
        np.testing.assert_allclose(found.flux_lis[i], alone.flux_lis, rtol=1e-5)
        assert 0.5 < found.flux_lis_rel_error[i].max() / alone.flux_lis_rel_error.max() < 2
    assert list(found.shared_basis) == [1, 1, 1]
    assert list(found["geometry.z_h"]) == [some["geometry.z_h"] for some in PLACES]
    assert found.attrs["error_estimate"] == float(found.flux_lis_rel_error.max())


def test_one_basis_serves_where_only_rates_differ() -> None:
    found = crtransport.batch(DECK, RATES, estimates=2)
    assert list(found.shared_basis) == [5] * 5
    told = np.isfinite(found.flux_lis_rel_error).all(axis=(1, 2))
    assert list(told) == [True, False, False, False, True]
    for i in (1, 3):
        alone = crtransport.run(DECK, RATES[i] | {"solver.functions": 80})
        off = np.abs(found.flux_lis[i] / alone.flux_lis - 1).max()
        assert 0 < off < found.attrs["error_estimate"] < found.attrs["error_tolerance"]


def test_neither_threads_nor_companions_nor_what_was_run_before_matter(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = crtransport.batch(DECK, [*RATES, *PLACES])
    crtransport.batch(DECK, PLACES[::-1])
    for module in (galaxy_estimate, galaxy_batch):
        monkeypatch.setattr(module, "processors", lambda: 1)
    again = crtransport.batch(DECK, [*RATES, *PLACES])
    assert np.array_equal(first.flux_lis, again.flux_lis)
    assert list(first.shared_basis) == [5] * 5 + [1] * 3
    for i, some in enumerate([*RATES, *PLACES]):
        alone = crtransport.batch(DECK, [some], estimates=0)
        assert np.array_equal(alone.flux_lis[0], first.flux_lis[i])


def test_a_set_of_other_rates_has_its_own_basis_and_answer() -> None:
    """Alone or in company: to the last bit."""
    slab = TABLES | {"geometry": {"kind": "slab"}, "solver": {"order_z": 6, "functions": 12}}
    odd = {"reacceleration.v_alfven": 300.0, "diffusion.D0": 1e26}
    good = [{"diffusion.D0": 4e28 * (1 + 0.1 * i)} for i in range(3)]
    found = crtransport.batch(slab, [*good, odd], estimates=4)
    assert list(found.shared_basis) == [3, 3, 3, 1]
    assert not any(found.failure.values)
    alone = crtransport.batch(slab, [odd], estimates=1)
    assert np.array_equal(alone.flux_lis[0], found.flux_lis[3])
    assert np.array_equal(alone.flux_lis_rel_error[0], found.flux_lis_rel_error[3])


def test_snapshots_that_are_rounding_make_no_basis() -> None:
    """They span 32 decades here, and what a Gram matrix tells of some directions is rounding."""
    deck = {
        "model": "galaxy",
        "network": ["C12", "B11", "B10"],
        "geometry": {"kind": "slab"},
        "momentum": {"T_max": 1e4, "per_decade": 8},
        "output": {"T_max": 1e3},
        "source": [{"abundances": {"C12": 1.0}}],
    }
    odd = {"reacceleration.v_alfven": 1000.0, "diffusion.D0": 1e24}
    found = crtransport.batch(deck, [odd], estimates=0)
    assert not any(found.failure.values)
    assert np.all(found.flux_lis > 0)


def test_a_set_that_fails_leaves_the_others() -> None:
    good = {"normalisation.flux": {"C12": 1e-3, "B11": 1e-3}}
    found = crtransport.batch(TABLES, [good, {"normalisation.flux": {"C12": 1e-3, "B11": 1e-12}}])
    assert found.failure.values[0] == ""
    assert "fragmentation alone gives B11" in found.failure.values[1]
    assert np.isfinite(found.flux_lis[0]).all()
    assert np.isnan(found.flux_lis[1]).all()


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ([], "at least one"),
        ([{}, {"network": ["C12"]}], "nuclides"),
        ([{}, {"output.T_max": 10.0}], "same in all"),
        ([{"diffusion.D1": 1.0}], "diffusion.D1"),
    ],
)
def test_what_is_wrong_is_said(wrong: list[dict[str, Any]], text: str) -> None:
    with pytest.raises((ValueError, crtransport.DeckError), match=text):
        crtransport.batch(TABLES, wrong)
    with pytest.raises(ValueError, match="flux-tube"):
        crtransport.batch("first_run", [{}])
