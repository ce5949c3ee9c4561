"""Closed forms in the figures of analytic decks, and which decks have none."""

import numpy as np
import pytest

import crtransport
from crtransport.deck.galaxy import GalaxyDeck
from crtransport.deck.load import load_deck
from crtransport.plots.closed_forms import closed_form, with_closed_form
from crtransport.plots.galaxy import draw

ANALYTIC = (
    "cylinder_bessel",
    "cylinder_profile",
    "leaky_box_line",
    "leaky_box_losses",
    "leaky_box_reacceleration",
    "slab_secondary",
    "slab_thick_source",
    "slab_two_halo",
    "slab_unstable",
    "slab_wind",
)


def deck(name: str, **changes: object) -> GalaxyDeck:
    found = load_deck(name, changes)
    assert isinstance(found, GalaxyDeck)
    return found


@pytest.mark.parametrize("name", ANALYTIC)
def test_the_closed_form_is_what_was_computed_and_is_drawn(name: str) -> None:
    one = deck(name)
    found = with_closed_form(crtransport.run(one), one)
    assert found.flux_closed_form.values == pytest.approx(
        found.flux_lis.values, rel=one.solver.rtol
    )
    figures = draw(found, [])
    for figure in figures.values():
        if not figure.legends:
            continue  # maps
        assert [t.get_text() for t in figure.legends[0].get_texts()] == [
            "interstellar",
            "closed form",
        ]
        assert found.flux_closed_form.attrs["formula"] in figure.get_supxlabel()
    if one.output.ratios:
        assert found.ratio_closed_form.values == pytest.approx(found.ratio_lis.values, rel=1e-6)
    circles = [line for line in figures[""].axes[0].lines if line.get_marker() == "o"]
    assert len(np.asarray(circles[0].get_xdata())) >= 20


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("slab_two_halo", {"convection.V0": 10.0, "convection.adiabatic": False}),
        ("slab_two_halo", {"reacceleration": {"v_alfven": 15.0}}),
        ("slab_wind", {"convection.adiabatic": True}),
        ("slab_wind", {"losses.ionisation": True}),
        ("slab_wind", {"network": ["H1", "He3", "He4"]}),
        ("slab_thick_source", {"gas.HI": {"kind": "thin-disk", "column": 6e20}}),
        ("cylinder_bessel", {"diffusion.radial": {"kind": "exponential", "length": 10.0}}),
        ("leaky_box_losses", {"diffusion.delta2": 0.3, "diffusion.R1": 10.0}),
        ("leaky_box_reacceleration", {"gas.HI": {"kind": "uniform", "n0": 1.0}}),
        ("galaxy_protons", {}),
    ],
)
def test_what_no_closed_form_has(name: str, changes: dict[str, object]) -> None:
    assert closed_form(deck(name, **changes)) is None
