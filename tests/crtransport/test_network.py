"""Networks of nuclides: tables, what is followed, and what a whole network gives."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import crtransport
from crtransport.deck.galaxy import GalaxyDeck
from crtransport.deck.load import load_deck
from crtransport.measurements.table import Measurement
from crtransport.nuclide_tables import DAUGHTERS, GHOSTS, HALF_LIFE, INTERSTELLAR, MASS_EXCESS
from crtransport.nuclides import ELEMENTS, nuclide
from crtransport.physics.channels import channels
from crtransport.physics.network import NETWORKS, followed, order, why_not_made
from crtransport.physics.nuclear import RATE
from crtransport.problems.galaxy_abundances import fit_abundances
from crtransport.problems.galaxy_answer import Answer, by_rigidity
from crtransport.problems.galaxy_transport import ordered, transport

SMALL: dict[str, Any] = {
    "momentum.T_max": 1e4,
    "momentum.per_decade": 6,
    "output.T_max": 1e3,
    "solver.order_r": 3,
    "solver.order_z": 3,
    "solver.elements_r": 3,
}


def light(**changes: Any) -> xr.Dataset:
    return crtransport.run("galaxy_light", SMALL | changes)


@cache
def plain() -> xr.Dataset:
    return light(**{"output.channels": ["B11", "N14", "Be10"]})


def test_tables_know_each_other() -> None:
    assert HALF_LIFE.keys() == DAUGHTERS.keys()
    assert {*HALF_LIFE, *DAUGHTERS.values(), *GHOSTS} <= MASS_EXCESS.keys()
    assert "Be7" not in HALF_LIFE  # without electrons it lives
    assert INTERSTELLAR.keys() <= set(ELEMENTS)
    for element, parts in INTERSTELLAR.items():
        assert sum(parts.values()) == pytest.approx(1, abs=2e-5), element
        assert all(nuclide(name).element == element for name in parts)
    for child, ghosts in GHOSTS.items():
        for ghost, part in ghosts.items():
            assert ghost not in MASS_EXCESS, f"{ghost} of {child} is followed"
            assert 0 < part <= 1


def test_the_readme_counts_as_the_tables_do() -> None:
    readme = " ".join((Path(__file__).parents[2] / "README.md").read_text("utf-8").split())
    full = load_deck("yuan2025_fig2")
    assert isinstance(full, GalaxyDeck)
    assert f"up to {len(MASS_EXCESS)} nuclides" in readme
    assert f"then {len(full.nuclides)} nuclides" in readme
    assert f"formula for {len(channels())} channels" in readme


def test_what_is_followed_is_emitted_or_made() -> None:
    makes = {("O16", "C12"), ("C12", "Be10"), ("Fe56", "Mn55")}.__contains__
    found = followed(NETWORKS["full"], {"O16"}.__contains__, lambda p, c: makes((p, c)))
    assert found == ("Be10", "B10", "C12", "O16")


def test_sizes_of_the_networks() -> None:
    full = load_deck("yuan2025_fig2")
    assert isinstance(full, GalaxyDeck)
    assert len(full.nuclides) >= 60
    assert {"H1", "He3", "Be7", "Be10", "C14", "Al26", "Cl36", "Mn54", "Fe56"} <= {*full.nuclides}
    assert "Ni58" not in full.nuclides
    deck = load_deck("yuan2025_fig2", {"source.0.abundances.Ni": 1e-4})
    assert isinstance(deck, GalaxyDeck)
    assert {"Ni58", "Co57"} <= {*deck.nuclides}


def test_an_element_is_its_isotopes() -> None:
    deck = load_deck("galaxy_light")
    assert isinstance(deck, GalaxyDeck)
    (source,) = deck.source
    carbon = source.abundances["C"]
    assert source.abundance("C13") == pytest.approx(0.011078 * carbon)
    assert source.abundance("C12") + source.abundance("C13") == pytest.approx(carbon)
    assert source.abundance("Be10") == 0
    assert source.injection.gamma2 != source.injections["He"].gamma2  # type: ignore[union-attr]
    helium = [replace(source, injections={}), source]
    rigidity = np.array([1e4])
    without, own = (s.log_spectrum(nuclide("He3"), rigidity) for s in helium)
    assert abs(float(without[0] - own[0])) > 0.1


def test_channels_add_up() -> None:
    found = plain()
    for name in ("B11", "N14", "Be10"):
        mine = [c for c in found.channel.values if c.endswith(f"->{name}")]
        total = found.channel_flux_lis.sel(channel=mine).sum("channel")
        np.testing.assert_allclose(total, found.flux_lis.sel(nuclide=name), rtol=1e-6)
        assert f"O16->{name}" in mine
        assert ("source->N14" in mine) == (name == "N14")
    assert float(found.channel_error.sel(channel="C12->B11")) == pytest.approx(0.065, abs=0.03)
    assert float(found.channel_error.sel(channel="source->N14")) == 0


def test_a_scaled_channel_scales_its_part() -> None:
    more = light(**{"nuclear.channel_scale": {"C12->B11": 1.5}, "output.channels": ["B11"]})
    part, before = (d.channel_flux_lis.sel(channel="C12->B11") for d in (more, plain()))
    # to what these few levels resolve
    np.testing.assert_allclose(part, 1.5 * before, rtol=1e-3)


def test_a_shorter_half_life_leaves_less() -> None:
    less = light(**{"nuclear.half_lives": {"Be10": 0.7}})
    ratio = less.flux_lis.sel(nuclide="Be10") / plain().flux_lis.sel(nuclide="Be10")
    assert np.all(ratio < 1)
    assert float(ratio[0]) < 0.7
    assert float(ratio[-1]) > 0.95  # time dilation


def test_nucleons_that_are_kept() -> None:
    assert 0.5 < plain().attrs["kept_nucleons"] < 0.8
    alone = light(
        **{"nuclear.secondaries": False, "network": ["C12"], "output.elements": []} | BARE
    )
    assert alone.attrs["kept_nucleons"] == 0


BARE: dict[str, Any] = {
    "source.0.abundances": {"C": 1.0},
    "source.0.injections": {},
    "normalisation.flux": {"C12": 1e-4},
    "output.ratios": [],
}


def test_grammage_of_the_two_halo_medium() -> None:
    """X = μ v ∫dz/(2D) from a secondary of a small constant cross section.

    A disk of 2.4 mg/cm² between halos of 4 kpc gives about 10, 3.4, 1.6 g/cm².
    """
    sigma, atom = 1e-3, 1.44 * 1.6726e-24  # mb; g for each hydrogen, with its helium
    changes = {
        "network": ["C12", "B11"],
        "source.0.abundances": {"C12": 1e-13},
        "gas.HI": {"kind": "thin-disk", "column": 2.4e-3 / atom},
        "nuclear.channels": {"C12->B11": sigma},
        "nuclear.cross_section": 0.0,
    }
    found = crtransport.run("slab_two_halo", changes)
    ratio = found.flux_lis.sel(nuclide="B11") / found.flux_lis.sel(nuclide="C12")
    rigidity = nuclide("C12").rigidity(found.kinetic_energy.values)
    at = np.interp(np.log([10.0, 100.0, 1000.0]), np.log(rigidity), np.log(ratio))
    # at the same energy per nucleon the rigidity of boron is a tenth higher, and its D with it
    assert np.exp(at) * atom / (sigma * 1e-27) == pytest.approx([10.0, 3.4, 1.6], rel=0.1)


def synthetic(deck: GalaxyDeck, element: str, names: list[str]) -> Measurement:
    """What a deck predicts, as if it had been measured to 5 %."""
    answer = Answer(deck, transport(deck))
    x = np.geomspace(5, 500, 12)
    flux = by_rigidity(answer.at_earth, names, x)
    zero = np.zeros_like(x)
    return Measurement(
        name=f"synthetic_{element}",
        experiment="synthetic",
        quantity=element,
        reference="",
        x_kind="rigidity_GV",
        unit="m-2 s-1 sr-1 GV-1",
        x=x,
        y=flux,
        stat_lo=0.05 * flux,
        stat_hi=0.05 * flux,
        sys_lo=zero,
        sys_hi=zero,
    )


def test_abundances_are_found_again() -> None:
    changes = {"network": ["C12", "C13", "N14", "N15", "O16"], "output.elements": []} | BARE
    changes |= {"source.0.abundances": {"C": 1e-15, "N": 1e-16, "O": 1.2e-15}}
    deck = load_deck("galaxy_light", SMALL | changes)
    assert isinstance(deck, GalaxyDeck)
    true = replace(deck, normalisation=None)
    tables = [
        synthetic(true, element, names)
        for element, names in (("C", ["C12", "C13"]), ("N", ["N14", "N15"]), ("O", ["O16"]))
    ]
    (source,) = true.source
    wrong = {"C": 2e-15, "N": 1.3e-16, "O": 0.9e-15}
    start = replace(true, source=(replace(source, abundances=wrong),))
    found, factors = fit_abundances(start, tables, r_min=10.0, rounds=6)
    for element, value in source.abundances.items():
        assert found.source[0].abundances[element] == pytest.approx(value, rel=1e-3)
        assert factors[element].chi2 < 1e-2
        assert factors[element].points == 10


def test_what_a_channel_may_make_is_solved_after_its_parent() -> None:
    names = list(NETWORKS["full"])
    source = {"abundances": dict.fromkeys(names, 1.0)}
    full = load_deck({"model": "galaxy", "network": names, "source": [source]})
    assert isinstance(full, GalaxyDeck)
    nuclei = ordered(full)
    assert nuclei == sorted(nuclei, key=order)
    for i, parent in enumerate(nuclei):
        for child in nuclei[:i]:
            assert why_not_made(parent, child)


def test_charge_exchange_feeds_a_nuclide_as_heavy() -> None:
    """N(10B)/N(10Be) = τ n v σ in a leaky box without anything else."""
    tables: dict[str, Any] = {
        "model": "galaxy",
        "network": ["Be10", "B10"],
        "geometry": {"kind": "leaky-box", "escape_time": 30.0},
        "diffusion": {"kind": "uniform", "delta1": 0.0, "delta2": 0.0, "eta": 0.0},
        "gas": {name: {"kind": "none"} for name in ("H2", "HII")}
        | {"HI": {"kind": "uniform", "n0": 1.0}},
        "source": [{"abundances": {"Be10": 1.0}}],
        "reacceleration": {"v_alfven": 0.0},
        "losses": {"ionisation": False, "coulomb": False},
        "nuclear": {"decay": False, "spallation": False, "channels": {"Be10->B10": 10.0}},
        "momentum": {"per_decade": 8},
        "solver": {"kind": "direct", "rtol": 0.1},
    }
    flux = crtransport.run(tables).flux_lis.sel(kinetic_energy=[1.0, 100.0], method="nearest")
    parent = nuclide("Be10")
    made = RATE * parent.beta(parent.rigidity(flux.kinetic_energy.values)) * 10.0
    ratio = flux.sel(nuclide="B10") / flux.sel(nuclide="Be10")
    assert ratio.values == pytest.approx(30.0 * made, rel=1e-4)
