"""Bursts in the two-halo medium, from deck to dataset."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import crtransport
from crtransport.constants import KPC, YEAR
from crtransport.deck.burst import BurstDeck
from crtransport.deck.errors import DeckError
from crtransport.deck.load import load_deck
from crtransport.problems.burst import headline
from crtransport.problems.burst_emission import Emission
from crtransport.problems.burst_faint import faint
from crtransport.problems.burst_halo import remnant
from crtransport.problems.burst_march import marched

Array = NDArray[np.float64]
SOURCE: dict[str, Any] = {
    "name": "one",
    "distance": 0.25,
    "age": 3.4e5,
    "l": 30.0,
    "b": 0.0,
    "alpha": 2.1,
    "R_c": 1.2e5,
    "W": {"H": 1e50},
}


def deck(*sources: dict[str, Any], **more: Any) -> dict[str, Any]:
    each = [SOURCE | {"name": f"s{i}"} | source for i, source in enumerate(sources or ({},))]
    return {
        "model": "burst",
        "medium": "two-halo",
        "local_source": each,
        "output": {"per_decade": 2},
        **more,
    }


def test_it_leaves_as_much_as_the_uniform_medium_early_and_less_late() -> None:
    ratio = [
        crtransport.run(deck({"age": age}))
        .uniform_medium_ratio.sel(kinetic_energy=1e4, method="nearest")
        .item()
        for age in (1e4, 1e5, 1e6)
    ]
    assert 0.8 < ratio[0] < 1.3
    assert ratio[0] > ratio[1] > ratio[2] > 0


def test_a_higher_halo_keeps_more() -> None:
    flux = [crtransport.run(deck({"age": 1e7}, z_h=z)).flux_total for z in (2.0, 4.0, 8.0)]
    assert np.all(flux[0] < flux[1])
    assert np.all(flux[1] < flux[2])


def test_dipoles_of_opposite_sources_cancel() -> None:
    found = crtransport.run(deck({}, {"l": 210.0}))
    assert np.all(found.dipole < 1e-12)
    assert np.all(found.dipole_by_source > 1e-4)


def test_a_source_above_pulls_upwards() -> None:
    found = crtransport.run(deck({"b": 40.0}))
    assert np.all(found.dipole_b > 0)
    below = crtransport.run(deck({"b": -40.0}))
    np.testing.assert_allclose(below.flux, found.flux, rtol=1e-9)
    np.testing.assert_allclose(below.dipole_b, -found.dipole_b, rtol=1e-6)


def test_far_and_young_leaves_less_than_any_float() -> None:
    found = crtransport.run(deck({"distance": 3.0, "age": 100.0}))
    assert np.all(found.flux_total == 0)
    assert np.all(found.uniform_medium_ratio == 0)
    assert np.all(found.dipole == 0)
    assert found.attrs["error_estimate"] == 0
    assert "no flux" in headline(found)[0][0]


@pytest.mark.parametrize(("distance", "age", "b"), [(1.75, 3670.0, 0.0), (1.2, 6e3, 50.0)])
def test_faint_fluxes_have_the_digits_of_the_slab(distance: float, age: float, b: float) -> None:
    """Where the modes cancel down to nothing; ξ = 1 is the slab."""
    source = {"distance": distance, "age": age, "b": b}
    medium = {"diffusion": {"D0": 1e28, "xi": 1.0}}
    found, slab = (crtransport.run(deck(source, medium=m, **medium)) for m in ("two-halo", "slab"))
    assert slab.flux_total[0, 0] < 1e-40 * slab.flux_total[0, -1]
    assert np.all(found.flux_total_rel_error < 1e-6)
    np.testing.assert_allclose(found.flux_total, slab.flux_total, rtol=1e-6)
    np.testing.assert_allclose(found.dipole, slab.dipole, rtol=1e-6)
    np.testing.assert_allclose(found.dipole_b, slab.dipole_b, atol=1e-5)


def test_an_emission_that_has_just_arrived_has_the_digits_of_the_slab() -> None:
    """What came before the modes have digits is some 1e-4 of it at the lowest energy."""
    source = {"distance": 0.31, "age": 8670.0, "duration": 5250.0, "b": -16.0}
    medium = {"diffusion": {"D0": 4.8e28, "delta1": 0.29, "xi": 1.0}, "z_h": 9.8}
    found, slab = (crtransport.run(deck(source, medium=m, **medium)) for m in ("two-halo", "slab"))
    off = np.abs(found.flux_total / slab.flux_total - 1)
    assert np.all(off < found.flux_total_rel_error + 1e-12)
    assert np.all(off < 1e-6)


@pytest.mark.parametrize(("duration", "layer"), [(0.0, None), (0.0, 0.15), (1e4, None)])
def test_steps_join_the_modes(duration: float, layer: float | None) -> None:
    """Where both have digits, with slow diffusion and gas: they share no method."""
    gas = {} if layer is None else {"gas": {"density": 1.0, "half_thickness": layer}}
    here = load_deck(deck({"distance": 0.8, "age": 2e4, "duration": duration, "b": 10.0}, **gas))
    assert isinstance(here, BurstDeck)
    (source,) = here.local_source
    rate = np.array([0.15, 0.3]) / source.age
    loss = None if layer is None else np.array([0.5, 1.0]) * rate / YEAR
    modes = remnant(here, source, rate * KPC**2 / YEAR, loss)

    def never(tau: Array, gamma: float) -> tuple[Array, Array, Array, Array]:
        raise AssertionError("no modes after an endless time")

    emission = Emission.of(source, rate, loss, layer is not None)
    steps = faint(here, source, emission, (never, never, np.inf))
    rtol = 1e-6 if layer is None else 1e-4
    np.testing.assert_allclose(steps.density, modes.density, rtol=rtol)
    for name in ("inwards", "upwards"):
        np.testing.assert_allclose(getattr(steps, name), getattr(modes, name), rtol=10 * rtol)
    off = np.abs(steps.log_density - modes.log_density)
    assert np.all(off < steps.error + modes.error + 1e-9)


def test_old_emissions_through_gas_are_those_of_the_slab() -> None:
    """Gas leaves the young particles, which the modes cannot tell; old ones they can."""
    source = {"distance": 20.0, "age": 1e9, "duration": 1e9}
    medium = {"diffusion": {"xi": 1.0}, "gas": {"density": 1.0}}
    found, slab = (crtransport.run(deck(source, medium=m, **medium)) for m in ("two-halo", "slab"))
    np.testing.assert_allclose(found.flux_total, slab.flux_total, rtol=1e-5)
    assert found.attrs["error_estimate"] < 1e-5


def test_a_catalogue_of_what_has_not_arrived_is_not_resolved(tmp_path: Path) -> None:
    """The table has no digits there: neither 0 without error, nor exit 0."""
    path = tmp_path / "far.csv"
    path.write_text("distance,age,l,b,alpha,R_c,W_H\n1.5,1e4,10,0,2.1,1e6,1e51\n")
    found = crtransport.run(
        {"model": "burst", "medium": "two-halo", "catalogue": {"file": str(path)}}
        | {"output": {"T_min": 10.0, "T_max": 1e3, "per_decade": 2}}
    )
    assert found.attrs["error_estimate"] == 1
    assert any("not resolved" in text for _, text in headline(found))


def test_old_fluxes_are_small_and_resolved() -> None:
    """After a billion years the slowest mode alone is left, without any cancellation."""
    medium = {"diffusion": {"D0": 3e28, "xi": 1.0}, "z_h": 2.0}
    found, slab = (
        crtransport.run(deck({"age": 2e9}, medium=m, **medium)) for m in ("two-halo", "slab")
    )
    assert 0 < slab.flux_total[0, 0] < 1e-40
    np.testing.assert_allclose(found.flux_total, slab.flux_total, rtol=1e-6)


def test_a_faint_source_hides_nothing_of_a_bright_one() -> None:
    bright = {"distance": 0.3, "age": 1e5}
    alone = crtransport.run(deck(bright))
    both = crtransport.run(deck(bright, {"distance": 2.0, "age": 3e3}))
    np.testing.assert_allclose(both.flux_total, alone.flux_total, rtol=1e-12)
    assert both.attrs["error_estimate"] < 2 * alone.attrs["error_estimate"]


def test_headline_compares_the_media() -> None:
    rows = dict(headline(crtransport.run(deck())))
    assert "at 10000" in rows["H: over that of Eq. 4"]


def test_modes_and_march_agree() -> None:
    """They share neither grid nor method: second order towards the modes."""
    here = load_deck(deck())
    assert isinstance(here, BurstDeck)
    (source,) = here.local_source
    tau = np.array([0.05, 0.3, 2.0])
    exact = remnant(here, source, tau * KPC**2 / (source.age * YEAR)).density
    coarse, fine = (marched(here, source, tau, n) / exact - 1 for n in (40, 80))
    assert np.max(np.abs(fine)) < 0.02
    assert np.max(np.abs(coarse)) / np.max(np.abs(fine)) == pytest.approx(4, abs=0.5)
    assert np.max(np.abs((4 * fine - coarse) / 3)) < 2e-3


def test_faint_fluxes_from_a_bubble_have_their_digits() -> None:
    """Down to the smallest float: D alike within and beyond is the uniform medium."""
    source = {"distance": 1.5, "age": 1e4, "duration": 5e3}
    alike, free = (
        crtransport.run(deck(source, medium=m, **more))
        for m, more in (("two-zone", {"bubble": {"factor": 1.0}}), ("uniform", {}))
    )
    assert free.flux_total[0, 0] == 0 < free.flux_total[0, -1] < 1e-20
    np.testing.assert_allclose(alike.flux_total, free.flux_total, rtol=1e-9)
    np.testing.assert_allclose(alike.dipole, free.dipole, rtol=1e-9)


def bubble(**keys: float) -> dict[str, Any]:
    return deck({"b": 30.0}, medium="two-zone", bubble=keys)


def test_a_bubble_holds_back_and_lets_go() -> None:
    """Slow diffusion around the source delays what arrives; without it, it is the uniform one."""
    alike = crtransport.run(bubble(radius=0.05, factor=1.0))
    np.testing.assert_allclose(alike.uniform_medium_ratio, 1, rtol=1e-8)
    np.testing.assert_allclose(alike.dipole_b, 30, rtol=1e-9)
    slow = crtransport.run(bubble(radius=0.06, factor=0.02))
    ratio = slow.uniform_medium_ratio.squeeze()
    assert float(ratio[0]) < 0.1
    assert float(ratio.max()) > 1.1
    assert slow.attrs["error_estimate"] < 1e-6


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"medium": "uniform", "z_h": 4.0}, "z_h has no effect"),
        ({"medium": "halo"}, 'did you mean "two-halo"'),
        ({"z_h": 0.0}, "greater than 0"),
        ({"medium": "two-zone"}, "go together"),
        ({"bubble": {}}, "go together"),
        ({"medium": "two-zone", "bubble": {"factor": 0.0}}, "greater than 0"),
        ({"z_h": 0.1}, r'local_source "s0" lies at z = 0.16\d* kpc, outside the halo of z_h'),
    ],
)
def test_wrong_media_are_refused(wrong: dict[str, Any], why: str) -> None:
    with pytest.raises(DeckError, match=why):
        load_deck(deck({"b": 40.0}) | wrong)
