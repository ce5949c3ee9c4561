"""The deck of a galaxy: what a short one stands for, and what is refused before any work."""

import re
from typing import Any

import numpy as np
import pytest

from crtransport.deck.errors import DeckError
from crtransport.deck.galaxy import GalaxyDeck
from crtransport.deck.load import load_deck
from crtransport.deck.schema import resolve

SOURCE: dict[str, Any] = {"abundances": {"H1": 1.0, "He4": 0.1}}
LIGHT: dict[str, Any] = {"abundances": {"H1": 1.0, "C12": 0.01, "O16": 0.01}}
BOX: dict[str, Any] = {
    "geometry": {"kind": "leaky-box", "escape_time": "10 Myr"},
    "diffusion": {"kind": "uniform"},
    "gas": {"HI": {"kind": "uniform", "n0": 0.1}, "H2": {"kind": "none"}, "HII": {"kind": "none"}},
}


def deck(**tables: Any) -> GalaxyDeck:
    loaded = load_deck({"model": "galaxy"} | tables)
    assert isinstance(loaded, GalaxyDeck)
    return loaded


def test_a_deck_of_one_line_is_the_medium_of_the_paper() -> None:
    """Yuan 2025, Table 2 and Sec. III: D₀, δ, h, ξ, v_A, z_h, and two breaks of p and He."""
    found = deck()
    halo = found.diffusion.halo(np.array(4.0), np.array(1.0))
    assert halo == pytest.approx(4.5e28, rel=1e-3)
    assert found.diffusion.factor(np.array(8.5), np.array(0.0)) == pytest.approx(0.1)
    assert resolve(found)["reacceleration"]["v_alfven"] == 15
    assert (found.geometry.kind, resolve(found)["geometry"]["z_h"]) == ("cylinder", 4)
    (source,) = resolve(found)["source"]
    assert (source["injection"]["gamma1"], source["injection"]["gamma2"]) == (2.00, 2.44)
    helium = source["injections"]["He4"]
    assert (helium["gamma1"], helium["gamma2"]) == (2.15, 2.42)
    assert source["injection"]["R_c"] == helium["R_c"] == 9e6


@pytest.mark.parametrize(
    "tables",
    [
        {},
        BOX,
        {"geometry": {"kind": "slab"}, "network": ["H1"], "normalisation": {"flux": {"H1": 0.04}}},
        {"diffusion": {"h": 0.5, "radial": {"kind": "table", "r": [0, 9], "f": [2, 1]}}},
        {"solver": {"kind": "split-cn", "cells_r": 20}, "output": {"ratios": ["He/H"]}},
        {
            "network": ["H1", "C12", "O16", "B10", "B11", "Be10"],
            "source": [LIGHT | {"name": "a"}, LIGHT | {"name": "b", "injection": {"gamma1": 2.3}}],
        },
    ],
)
def test_a_resolved_deck_gives_itself(tables: dict[str, Any]) -> None:
    found = deck(**tables)
    assert load_deck(resolve(found)) == found


def test_kinds_may_be_left_out_where_they_have_a_default() -> None:
    found = deck(diffusion={"xi": 0.2}, geometry={"r_h": "15 kpc"}, solver={"rtol": 1e-3})
    kinds = found.diffusion.kind, found.geometry.kind, found.solver.kind
    assert kinds == ("two-halo", "cylinder", "reduced-basis")


def test_parts_of_ratios() -> None:
    found = deck(
        network=["C12", "O16", "B11", "Be10", "Be9", "B10", "C13"],
        source=[{"abundances": {"C12": 1, "O16": 1}}],
        output={"ratios": ["B/C", "10Be/9Be"]},
    )
    assert found.parts("B/C") == (("B11", "B10"), ("C12", "C13"))
    assert found.parts("10Be/9Be") == (("Be10",), ("Be9",))


def test_one_flux_scales_all_and_several_scale_each() -> None:
    one = deck(normalisation={"flux": {"He4": 0.02}}).normalisation
    assert one is not None
    assert one.common() == ("He4", 0.02)
    assert (one.each("He4"), one.each("H1")) == (None, None)
    all_of_them = deck(normalisation={"flux": {"He4": 0.02, "H1": 0.04}}).normalisation
    assert all_of_them is not None
    assert all_of_them.common() is None
    assert (all_of_them.each("He4"), all_of_them.each("H1")) == (0.02, 0.04)


def line(energy: float, **more: Any) -> dict[str, Any]:
    return SOURCE | {"injection": {"kind": "line", "T": energy}} | more


def refusal(tables: dict[str, Any]) -> str:
    with pytest.raises(DeckError) as caught:
        deck(**tables)
    assert len(caught.value.problems) == 1
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        # numbers
        ({"diffusion": {"D0": 4.5}}, "diffusion.D0 = 4.5: must be greater than 1e+20"),
        ({"diffusion": {"D0": -4.5e28}}, "diffusion.D0 = -4.5e+28: must be greater than 1e+20"),
        ({"momentum": {"T_min": 1, "T_max": 1.1}}, "at least 12 are needed"),
        ({"momentum": {"T_min": 1, "T_max": 1}}, "is not above T_min"),
        ({"gas": {"helium": float("nan")}}, "gas.helium = nan: must be a finite number"),
        # geometry
        ({"geometry": {"r_sun": 25}}, "puts the Sun outside the galaxy"),
        ({"geometry": {"z_h": 0.2}}, "z_h = 0.2 kpc is not above gas.HI's scale height"),
        (
            {"source": [SOURCE | {"vertical": {"kind": "uniform", "half_thickness": 5}}]},
            'z_h = 4 kpc is below the height of source "background", 5 kpc',
        ),
        (
            {"source": [SOURCE | {"radial": {"kind": "table", "r": [21, 25], "q": [1, 1]}}]},
            "radial is zero everywhere inside the galaxy",
        ),
        ({"source": [SOURCE | {"radial": {"kind": "table", "r": [0, 9], "q": [0, 0]}}]}, "q is"),
        (
            {"diffusion": {"kind": "exponential", "z_t": 0.05}, "geometry": {"z_h": 900}},
            "D changes by a factor of inf from place to place",
        ),
        ({"diffusion": {"xi": 1e-9}}, "D changes by a factor of 1e+09"),
        (
            {"diffusion": {"radial": {"kind": "table", "r": [0, 9], "f": [1e-9, 1]}}},
            "D changes by a factor of 1e+10",
        ),
        # tables
        (
            {"diffusion": {"kind": "table", "z": [0, 1, 2], "f": [0.1, 1]}},
            "f has 2 points where z has 3",
        ),
        ({"diffusion": {"kind": "table", "z": [0, 2, 1], "f": [1, 1, 1]}}, "z must increase"),
        (
            {"diffusion": {"kind": "table", "z": [0, 1], "f": [0.1, float("nan")]}},
            "diffusion.f.1 = nan: must be a finite number",
        ),
        # nuclides and sources
        ({"network": []}, "network is empty"),
        ({"network": ["H1", "H1"]}, "network names one twice"),
        ({"network": ["C"]}, 'network: "C" is an element; its main nuclide is "C12"'),
        ({"network": ["H1", "Q7"]}, "network: unknown"),
        ({"network": ["H1", "B11"]}, "B11 is neither emitted nor made by another one"),
        ({"source": []}, "source is empty"),
        ({"source": [SOURCE, SOURCE]}, "two sources have the same name"),
        ({"source": [SOURCE], "network": ["C12"]}, "emits none of the network"),
        ({"source": [{"abundances": {"H": 1.0, "H1": 1.0}}]}, "abundances has both H and H1"),
        ({"source": [line(1e9)], "network": ["H1"]}, "emits H1 at T = 1e+09 GeV/n, beyond"),
        # normalisation
        ({"normalisation": {"flux": {}}}, "flux is empty"),
        ({"normalisation": {"flux": {"C12": 1.0}}}, "no source emits C12"),
        (
            {"normalisation": {"T": 1e9, "flux": {"H1": 1.0}}},
            "normalisation.T = 1e+09 GeV/n lies beyond momentum.T_min … T_max",
        ),
        (
            {
                "network": ["H1", "C12", "O16"],
                "source": [LIGHT],
                "normalisation": {"flux": {"H1": 1, "C12": 1}},
            },
            "normalisation.flux: O16 is missing",
        ),
        # contradictions
        ({"diffusion": {"delta1": 2.5}}, "needs 0 < diffusion.delta1 < 2, not 2.5"),
        (
            {"solver": {"kind": "split-cn", "discretisation": "spectral"}},
            'needs discretisation = "finite-volume"',
        ),
        ({"solver": {"kind": "split-cn"}, "momentum": {"order": 5}}, "couples neighbours only"),
        ({"solver": {"cells_r": 50}}, "cells_r has no effect"),
        ({"solver": {"discretisation": "finite-volume", "order_z": 5}}, "order_z has no effect"),
        ({"geometry": {"kind": "slab"}, "diffusion": {"anisotropy": 2}}, "anisotropy has no"),
        (
            {
                "geometry": {"kind": "slab"},
                "diffusion": {"radial": {"kind": "exponential", "length": 4}},
            },
            'diffusion.radial has no effect with geometry.kind = "slab"',
        ),
        ({"geometry": {"kind": "slab"}, "solver": {"order_r": 4}}, "solver.order_r has no effect"),
        ({"geometry": {"kind": "slab"}, "output": {"maps": True}}, "output.maps needs"),
        (BOX | {"diffusion": {}}, 'a leaky box is well mixed and needs "uniform"'),
        (
            BOX | {"gas": BOX["gas"] | {"HI": {"kind": "thin-disk", "column": 1e20}}},
            'gas.HI.kind = "thin-disk": a leaky box needs',
        ),
        (
            BOX | {"source": [SOURCE | {"vertical": {"kind": "thin-disk"}}]},
            'vertical.kind = "thin-disk" has no meaning in a leaky box',
        ),
        (BOX | {"convection": {"V0": 5}}, "convection has no meaning in a leaky box"),
        (BOX | {"solver": {"order_z": 4}}, "solver.order_z has no effect"),
        # output
        ({"output": {"T_min": 1e-3}}, "lies beyond momentum.T_min"),
        ({"output": {"T_max": 1e8}}, "lies beyond momentum.T_min"),
        ({"output": {"T_max": 1e7}}, "modulation.phi needs fluxes up to output.T_max + 0.6 GeV/n"),
        ({"output": {"T_min": 5, "T_max": 4}}, "is not above T_min"),
        (
            {"output": {"T_min": 100, "T_max": 101}},
            "no rigidity in common: H1 ends at 101.9 GV, where He4 begins at 201.9 GV; a T_max of "
            "202 GeV/n or a T_min of 49.8 GeV/n is enough",
        ),
        ({"output": {"ratios": ["B/C"]}}, 'output.ratios: "B/C": the network has no B'),
        ({"output": {"ratios": ["He"]}}, 'must be such as "B/C", "10Be/9Be" or'),
        ({"output": {"ratios": ["He4/H1"]}}, 'Fe"; did you mean "4He/1H"?'),
        (
            {"sensitivity": {"of": ["He4"], "at": [1.0], "by": ["diffusion.D0"]}},
            'sensitivity.of: "He4" must be such as "B", "12C", "B/C", "10Be/9Be" or '
            '"(Sc+Ti+V)/Fe"; did you mean "4He"?',
        ),
        ({"output": {"ratios": ["4He/3He"]}}, "the network has no 3He"),
    ],
)
def test_a_wrong_deck_is_refused_in_one_line(tables: dict[str, Any], message: str) -> None:
    assert message in refusal(tables)


def test_all_that_does_not_go_with_a_geometry_is_told_at_once() -> None:
    wrong = {
        "diffusion": {},
        "gas": {},
        "convection": {"V0": 5},
        "source": [SOURCE | {"vertical": {"kind": "thin-disk"}}],
        "solver": {"order_z": 4},
        "output": {"maps": True},
    }
    with pytest.raises(DeckError) as caught:
        deck(**BOX | wrong)
    why = [problem.why for problem in caught.value.problems]
    heads = [
        'gas.H2.kind = "bronfman-wouterloot": a leaky box needs the mean density',
        'gas.HI.kind = "gordon-burton": a leaky box',
        'gas.HII.kind = "cordes1991": a leaky box',
        'diffusion.kind = "two-halo": a leaky box is well mixed',
        "convection has no meaning in a leaky box",
        'source "background": vertical.kind = "thin-disk" has no meaning',
        "solver.order_z has no effect",
        "output.maps needs",
    ]
    assert [one[: len(head)] for one, head in zip(why, heads, strict=True)] == heads


def test_what_an_answer_does_not_need_is_not_asked_for() -> None:
    """Neighbours of the refusals above."""
    deck(diffusion={"delta1": 2.5}, reacceleration={"v_alfven": 0})
    deck(output={"T_max": 1e7}, modulation={"phi": 0})
    deck(output={"T_min": 1, "T_max": 1.5}, network=["H1"])
    deck(geometry={"z_h": 0.25, "kind": "slab"})
    deck(source=[line(1e3)], network=["H1"])
    deck(source=[SOURCE | {"radial": {"kind": "table", "r": [9, 10], "q": [0, 1]}}], network=["H1"])
    deck(**BOX, solver={"kind": "direct"})


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"r": [4, 20], "n": [1, 1]}, "gas.HI: the table begins at r = 4 kpc with n = 1 1/cm3"),
        ({"r": [0, 12], "n": [1, 1]}, "gas.HI: the table ends at r = 12 kpc with n = 1 1/cm3"),
        ({"r": [0, 12], "n": [1, "nan"]}, "gas.HI"),
    ],
)
def test_gaps_in_a_table_of_gas_are_refused(table: dict[str, Any], message: str) -> None:
    rings = {"kind": "table", "z_half": [0.1, 0.1]} | table
    with pytest.raises(DeckError, match=re.escape(message)):
        load_deck({"model": "galaxy", "network": ["H1"], "gas": {"HI": rings}})


def test_the_ends_that_are_told_to_be_enough_are() -> None:
    for output in ({"T_min": 100, "T_max": 202}, {"T_min": 49.8, "T_max": 101}):
        deck(output=output)
