"""Breaks of injections and of D(R): their shape, their order, and what they cost in accuracy."""

from typing import Any

import numpy as np
import pytest
import xarray as xr

import crtransport
from crtransport.deck.errors import DeckError
from crtransport.deck.load import load_deck
from crtransport.nuclides import nuclide
from crtransport.physics.breaks import InjectionBreak, bend, risen
from crtransport.physics.diffusion import Uniform
from crtransport.physics.injection import BrokenPowerLaw, PowerLaw

R = np.geomspace(0.1, 1e6, 300)


@pytest.mark.parametrize("s", [0.0, 1e-3, 0.1, 0.5, 2.0])
def test_a_break_changes_the_slope_and_nothing_below(s: float) -> None:
    found = bend(R, 50.0, -0.3, s)
    assert bend(np.array([50 * np.exp(-40 * s - 1e-9)]), 50.0, -0.3, s) == pytest.approx(
        0, abs=1e-9
    )
    far = np.array([50 * np.exp(40 * s + 1)])
    assert bend(far, 50.0, -0.3, s) == pytest.approx(-0.3 * np.log(far / 50), rel=1e-12)
    assert np.all(np.diff(found) <= 0)


def test_at_the_break_it_is_as_the_formula_says() -> None:
    assert bend(np.array([7.0]), 7.0, 2.0, 0.25) == pytest.approx(2 * 0.25 * np.log(2))
    assert bend(np.array([7.0, 14.0]), 7.0, 2.0, 0.0) == pytest.approx([0, 2 * np.log(2)])


@pytest.mark.parametrize("s", [0.05, 0.5])
def test_the_part_that_has_risen_is_the_derivative(s: float) -> None:
    step = 1e-5
    ends = [bend(R * np.exp(x), 50.0, 1.0, s) for x in (-step, step)]
    assert risen(R, 50.0, s) == pytest.approx((ends[1] - ends[0]) / (2 * step), abs=1e-8)


def test_a_sharp_break_is_the_limit_and_two_breaks_follow_each_other() -> None:
    smooth, sharp = (BrokenPowerLaw(smoothness=s).log_shape(R) for s in (1e-6, 0.0))
    assert smooth == pytest.approx(sharp, abs=1e-5)
    breaks = (InjectionBreak(R=5.0, gamma=2.4), InjectionBreak(R=300.0, gamma=2.2))
    found = PowerLaw(kind="power-law", gamma=1.9, breaks=breaks).log_shape
    for at, slope in ((1.0, 1.9), (50.0, 2.4), (1e4, 2.2)):
        pair = found(np.array([at, 1.01 * at]))
        assert (pair[0] - pair[1]) / np.log(1.01) == pytest.approx(slope, rel=1e-10)


def test_a_uniform_medium_has_one_power_law_unless_a_break_is_given() -> None:
    beta = nuclide("H1").beta(R)
    plain = Uniform(kind="uniform", D0=4e28, delta1=0.4)
    assert plain.halo(R, beta) == pytest.approx(4e28 * beta * (R / 4) ** 0.4, rel=1e-13)
    assert plain.local_slope(R) == pytest.approx(np.full_like(R, 0.4))
    # a slope that is no other needs no place
    same = Uniform(kind="uniform", D0=4e28, delta1=0.4, delta2=0.4)
    assert same.halo(R, beta) == pytest.approx(plain.halo(R, beta), rel=1e-13)


DECK: dict[str, Any] = {
    "model": "galaxy",
    "network": ["C12", "B11"],
    "source": [{"abundances": {"C12": 1.0}, "injection": {"smoothness": 0.0, "R_br": 10.0}}],
    "momentum": {"T_max": 1e5},
    "output": {"T_min": 0.3, "T_max": 1e4},
    "solver": {"order_r": 3, "order_z": 4, "elements_r": 4, "functions": 40},
}


@pytest.mark.parametrize("v_alfven", [0.0, 15.0])
def test_a_sharp_break_is_met_between_the_levels(v_alfven: float) -> None:
    """As exact as told at 16 levels a decade, with and without what rounds it."""

    def run(per_decade: int) -> xr.Dataset:
        more = {"momentum.per_decade": per_decade, "reacceleration.v_alfven": v_alfven}
        return crtransport.run(DECK, more)

    few, many = run(16), run(300)
    true = np.abs(few.flux_lis / many.flux_lis - 1)
    assert float(true.max()) < 1.5 * few.attrs["error_estimate"]
    assert float(true.max()) < (5e-3 if v_alfven == 0 else 1e-3)
    # of a break alone: far from it nothing is lost
    assert float(true.sel(kinetic_energy=slice(100, None)).max()) < 1e-5


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (
            {"diffusion": {"kind": "uniform", "delta2": 0.2}},
            "delta2 = 0.2 needs R1, the rigidity of the break",
        ),
        ({"diffusion": {"kind": "uniform", "R1": 200}}, "R1 = 200 GV needs delta2"),
        ({"diffusion": {"kind": "uniform", "smoothness": 0}}, "has no effect without R1"),
        (
            {"diffusion": {"breaks": [{"R": "100 GV", "delta": 0.3}]}},
            "breaks.0.R = 100 GV does not lie above R1 = 250 GV: breaks stand in the order",
        ),
        (
            {
                "reacceleration": {"slope": "local"},
                "diffusion": {"smoothness": 0.0},
            },
            "the slope of D jumps at 250 GV",
        ),
        (
            {
                "reacceleration": {"slope": "local"},
                "diffusion": {"breaks": [{"R": 1e3, "delta": -0.1, "smoothness": 0.5}]},
            },
            "needs 0 < diffusion.breaks.0.delta < 2, not -0.1",
        ),
        (
            {
                "source": [
                    {
                        "abundances": {"C12": 1},
                        "injection": {
                            "kind": "power-law",
                            "gamma": 2,
                            "breaks": [{"R": 10, "gamma": 2.4}, {"R": 5, "gamma": 2.2}],
                        },
                    }
                ]
            },
            "breaks.1.R = 5 GV does not lie above breaks.0.R = 10 GV",
        ),
        (
            {"source": [{"abundances": {"C12": 1}, "injection": {"smoothness": -1}}]},
            "smoothness = -1: must be at least 0 and at most 10",
        ),
    ],
)
def test_breaks_that_cannot_be_are_refused_in_words(table: dict[str, Any], message: str) -> None:
    with pytest.raises(DeckError) as caught:
        load_deck(DECK | table)
    assert message in " ".join(str(caught.value).split())
