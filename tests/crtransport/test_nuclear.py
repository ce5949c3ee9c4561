"""Cross sections against published values and tables, and what cannot be."""

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from crtransport.nuclide_tables import DAUGHTERS, MASS_EXCESS
from crtransport.nuclides import nuclide
from crtransport.physics.channels import on_helium
from crtransport.physics.inelastic import inelastic
from crtransport.physics.nuclear import RATE, Nuclear

ENERGY = np.geomspace(1e-2, 1e8, 201)


def test_rate_is_that_of_collisions() -> None:
    """10 mb at the speed of light in 1 cm^-3: mean free path of 1e26 cm, or 105.7 Myr."""
    time = 1 / (10 * RATE)
    assert time == pytest.approx(1e26 / 2.99792458e10 / 3.15576e13, rel=1e-12)


def test_daughters_of_what_decays() -> None:
    assert set(DAUGHTERS) == {name for name in MASS_EXCESS if nuclide(name).half_life}
    for name, daughter in DAUGHTERS.items():
        parent, child = nuclide(name), nuclide(daughter)
        assert parent.mass_number == child.mass_number
        # 60Fe by way of the short-lived 60Co
        assert abs(parent.charge - child.charge) == (2 if name == "Fe60" else 1)
        assert parent.mass > child.mass
        assert child.half_life is None


def test_helium_of_the_gas_is_counted() -> None:
    settings, carbon, boron = Nuclear(), nuclide("C12"), nuclide("B11")
    without, with_helium = (settings.total(carbon, ENERGY, helium) for helium in (0.0, 0.11))
    on_helium_alone = inelastic(carbon, ENERGY, "He")
    assert with_helium == pytest.approx(without + 0.11 * on_helium_alone, rel=1e-14)
    pair = [settings.production(carbon, boron, ENERGY, helium) for helium in (0.0, 0.11)]
    assert pair[0] is not None
    assert pair[1] == pytest.approx(
        (1 + 0.11 * on_helium(carbon, boron, ENERGY)) * pair[0], rel=1e-14
    )
    assert settings.production(boron, carbon, ENERGY, 0.11) is None


def test_cross_sections_of_a_deck_replace_the_built_in_ones() -> None:
    settings = Nuclear(
        inelastic="constant", cross_section=40.0, channels={"C12->B11": 50.0, "He4->H1": 7.0}
    )
    names = ("C12", "B11", "B10", "He4", "H1")
    carbon, boron, boron10, helium, proton = map(nuclide, names)
    assert np.all(settings.total(carbon, ENERGY, 0.11) == 40)
    assert np.all(settings.production(carbon, boron, ENERGY, 0.11) == 50)
    assert np.all(settings.production(helium, proton, ENERGY, 0.11) == 7)
    built_in = Nuclear().production(carbon, boron10, ENERGY, 0.11)
    assert built_in is not None
    assert np.array_equal(settings.production(carbon, boron10, ENERGY, 0.11), built_in)


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"inelastic": "constant"}, "needs cross_section"),
        ({"cross_section": 40.0}, "40 mb has no effect"),
        ({"channels": {"C12": 1.0}}, "C12->B11"),
        ({"channels": {"C12->B12": 1.0}}, 'did you mean "C12"'),
        ({"channels": {"B11->C12": 1.0}}, "the child is heavier than the parent"),
        ({"channels": {"B10->Be10": 1.0}}, "the child is solved before the parent"),
        ({"channels": {"C->B11": 1.0}}, '"C12" for "C"'),
        ({"channels": {"C12->B11": -1.0}}, "at least 0"),
        ({"inelastic": "tripathi"}, "tripathi1999"),
        ({"channel_scale": {"B10->Li7": -1.0}}, "at least 0"),
        ({"channel_scale": {"B10->B": 1.0}}, '"B11" for "B"'),
        ({"channel_scale": {"He4->H1": 1.0}}, "no channel that is built in"),
        ({"channel_scale": {"C12->B11": 2.0}, "channels": {"C12->B11": 2.0}}, "no channel that"),
    ],
)
def test_wrong_tables_are_refused(wrong: dict[str, object], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        TypeAdapter(Nuclear).validate_python(wrong)


def test_a_scale_multiplies_one_channel() -> None:
    carbon, boron = nuclide("C12"), nuclide("B11")
    once = Nuclear().production(carbon, boron, ENERGY, 0.11)
    more = Nuclear(channel_scale={"C12->B11": 1.25}).production(carbon, boron, ENERGY, 0.11)
    assert once is not None
    assert more == pytest.approx(1.25 * once, rel=1e-14)
