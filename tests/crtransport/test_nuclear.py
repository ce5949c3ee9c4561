"""Cross sections against published values and tables, and what cannot be."""

from pathlib import Path

import numpy as np
import pytest
from pydantic import TypeAdapter, ValidationError

from crtransport.measurements import data_folder
from crtransport.nuclides import _ATOMIC_MASS, nuclide
from crtransport.physics.channels import CHANNELS, Channel, on_helium
from crtransport.physics.inelastic import inelastic
from crtransport.physics.nuclear import DAUGHTERS, RATE, Nuclear

ENERGY = np.geomspace(1e-2, 1e8, 201)
PARENTS = sorted({parent for parent, _ in CHANNELS})


def table(name: str, targets: int) -> tuple[np.ndarray, dict[tuple[str, ...], np.ndarray]]:
    """Energies and rows, by their first columns, of cross sections in the data folder."""
    beside = Path(__file__).parents[3] / "shared" / "data"
    path = (data_folder() or beside) / "nuclear-usine" / f"{name}.csv"
    if not path.is_file():
        pytest.skip("no cross sections: set CRTRANSPORT_DATA to a data folder")
    lines = [line.split(",") for line in path.read_text().splitlines() if line[0] != "#"]
    energy = np.array([float(word.removeprefix("s_")) for word in lines[0][targets:]])
    rows = {tuple(line[:targets]): np.array(line[targets:], dtype=float) for line in lines[1:]}
    return energy, rows


def key(*names: str) -> tuple[str, ...]:
    return tuple(
        str(x) for name in names for x in (nuclide(name).charge, nuclide(name).mass_number)
    )


def test_rate_is_that_of_collisions() -> None:
    """10 mb at the speed of light in 1 cm^-3: mean free path of 1e26 cm, or 105.7 Myr."""
    time = 1 / (10 * RATE)
    assert time == pytest.approx(1e26 / 2.99792458e10 / 3.15576e13, rel=1e-12)


@pytest.mark.parametrize(
    ("parent", "child", "published"),
    # Génolini et al. 2018 at 10 GeV/n
    [("C12", "B11", 56.9), ("C12", "B10", 15.4), ("O16", "B11", 27.3)],
)
def test_production_of_boron_at_high_energy(parent: str, child: str, published: float) -> None:
    found = CHANNELS[parent, child].at(np.array([10.0, 1e6]))
    assert found == pytest.approx(published, rel=0.015)


@pytest.mark.parametrize("channel", CHANNELS)
def test_channels_are_those_of_the_table(channel: tuple[str, str]) -> None:
    energy, rows = table("production_galprop17_opt12_H", 4)
    fast = energy >= 0.1
    published = rows[key(*channel)][fast]
    off = CHANNELS[channel].at(energy[fast]) / published - 1
    light = nuclide(channel[0]).charge <= 8 and nuclide(channel[1]).charge >= 5
    assert np.sqrt(np.mean(off**2)) < (0.09 if light else 0.15)
    assert abs(off[-1]) < 0.06


@pytest.mark.parametrize("channel", CHANNELS)
def test_helium_adds_what_the_table_says(channel: tuple[str, str]) -> None:
    _, hydrogen = table("production_galprop17_opt12_H", 4)
    _, helium = table("production_galprop17_opt12_He", 4)
    published = helium[key(*channel)][-1] / hydrogen[key(*channel)][-1]
    ours = on_helium(*map(nuclide, channel))
    allowed = 0.01 if nuclide(channel[0]).charge <= 10 else 0.02
    assert 1 + 0.11 * ours == pytest.approx(1 + 0.11 * published, rel=allowed)


@pytest.mark.parametrize("channel", CHANNELS)
def test_channels_are_positive_and_smooth(channel: tuple[str, str]) -> None:
    found = CHANNELS[channel].at(ENERGY)
    assert np.all(found > 0)
    assert np.all(np.isfinite(found))
    # σ changes by less than T⁴ does: the threshold is its steepest part
    assert np.max(np.abs(np.gradient(np.log(found), np.log(ENERGY)))) < 4


def test_channels_of_a_formula() -> None:
    """A threshold, a step and a bump, each at its place."""
    one = Channel(10.0, 0.5, 1.0, 0.2, 0.1, 1e-9)
    assert one.at(np.array(1e6)) == pytest.approx(10, rel=1e-9)
    assert one.at(np.array(1e-6)) == pytest.approx(15, rel=1e-5)
    assert one.at(np.array(0.1)) == pytest.approx(10 * (1 + 0.5 / 1.01 + 0.2), rel=1e-12)
    assert one._replace(T_0=1e6).at(np.array(1e6)) == pytest.approx(5, rel=1e-9)


@pytest.mark.parametrize("parent", PARENTS)
def test_fragments_hold_no_more_nucleons_than_are_destroyed(parent: str) -> None:
    fast = ENERGY[ENERGY > 0.3]
    nucleus = nuclide(parent)
    held = sum(
        nuclide(child).mass_number * channel.at(fast)
        for (one, child), channel in CHANNELS.items()
        if one == parent
    )
    assert np.all(held < nucleus.mass_number * inelastic(nucleus, fast))


def test_daughters_of_what_decays() -> None:
    assert set(DAUGHTERS) == {name for name in _ATOMIC_MASS if nuclide(name).half_life}
    for name, daughter in DAUGHTERS.items():
        parent, child = nuclide(name), nuclide(daughter)
        assert parent.mass_number == child.mass_number
        assert abs(parent.charge - child.charge) == 1
        assert parent.mass > child.mass
        assert child.half_life is None


def test_helium_of_the_gas_is_counted() -> None:
    settings, carbon, boron = Nuclear(), nuclide("C12"), nuclide("B11")
    without, with_helium = (settings.total(carbon, ENERGY, helium) for helium in (0.0, 0.11))
    on_helium_alone = inelastic(carbon, ENERGY, "He")
    assert with_helium == pytest.approx(without + 0.11 * on_helium_alone, rel=1e-14)
    pair = [settings.production(carbon, boron, ENERGY, helium) for helium in (0.0, 0.11)]
    assert pair[0] is not None
    assert pair[1] == pytest.approx((1 + 0.11 * on_helium(carbon, boron)) * pair[0], rel=1e-14)
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
        ({"channels": {"B11->C12": 1.0}}, "not lighter"),
        ({"channels": {"C->B11": 1.0}}, '"C12" for "C"'),
        ({"channels": {"C12->B11": -1.0}}, "at least 0"),
        ({"inelastic": "tripathi"}, "tripathi1999"),
    ],
)
def test_wrong_tables_are_refused(wrong: dict[str, object], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        TypeAdapter(Nuclear).validate_python(wrong)
