"""Diffusion in space and in momentum, the volume, and the wind."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from crtransport.analytic import burst as exact
from crtransport.constants import MYR
from crtransport.deck.kinds import with_kinds
from crtransport.physics.diffusion import Exponential, Layers, RadialExponential, TwoHalo, Uniform
from crtransport.physics.geometry import Cylinder, LeakyBox, Slab
from crtransport.physics.reacceleration import Alfven, Constant, Convection


def test_halo_value_at_the_reference_rigidity() -> None:
    unbroken = TwoHalo(R1=1e12)
    assert unbroken.halo(np.array(4.0), np.array(1.0)) == pytest.approx(4.5e28, rel=1e-14)
    assert unbroken.disk(np.array(4.0), np.array(1.0)) == pytest.approx(4.5e27, rel=1e-14)


def test_disk_value_is_the_printed_one() -> None:
    found = TwoHalo().disk(np.array(1e4), np.array(1.0))
    assert found == pytest.approx(exact.DISK_10_TEV, rel=5e-4)


def test_slopes_below_and_above_the_break() -> None:
    model, step = TwoHalo(), 1.001
    for rigidity, slope in ((1e-2, 0.48), (1e7, 0.20)):
        pair = model.halo(np.array([rigidity, step * rigidity]), np.ones(2))
        assert np.log(pair[1] / pair[0]) / np.log(step) == pytest.approx(slope, abs=1e-6)


def test_power_of_speed() -> None:
    pair = TwoHalo(eta=-1.5).halo(np.array([1.0, 1.0]), np.array([1.0, 0.25]))
    assert pair[1] / pair[0] == pytest.approx(8, rel=1e-14)


@given(st.floats(1e-3, 1), st.floats(0.01, 10), st.floats(0, 50))
def test_shape_rises_from_the_disk_to_the_halo(xi: float, h: float, z: float) -> None:
    model = TwoHalo(xi=xi, h=h)
    near, here, there, far = model.shape(np.array([0.0, z, 1.1 * z, 100 * h + 50]))
    assert near == pytest.approx(xi, rel=1e-14)
    assert xi * (1 - 1e-14) <= here <= there * (1 + 1e-14)
    assert far == pytest.approx(1, rel=1e-14)
    assert model.shape(np.array(-z)) == here


@pytest.mark.parametrize(
    "wrong", [{"D0": 0.0}, {"D0": "4.5e28 cm"}, {"xi": 1.5}, {"h": -1.0}, {"R1": 0.0}, {"delta": 1}]
)
def test_wrong_tables_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(TwoHalo).validate_python(wrong)


def built(table: type[Any], **tables: Any) -> Any:
    """A table as a deck would have it."""
    return TypeAdapter(table).validate_python(with_kinds(table, tables))


@given(st.floats(1e-3, 1e8))
def test_local_slope_is_the_logarithmic_derivative(rigidity: float) -> None:
    model, step = TwoHalo(), 1e-4
    pair = model.halo(rigidity * np.exp([-step, step]), np.ones(2))
    slope = np.log(pair[1] / pair[0]) / (2 * step)
    assert model.local_slope(np.array(rigidity)) == pytest.approx(slope, abs=1e-7)


def test_shapes_in_height() -> None:
    z, r = np.array([0.0, -1.0, 4.0]), np.ones(3)
    assert built(Uniform, kind="uniform").factor(r, z) == pytest.approx(np.ones(3))
    grown = built(Exponential, kind="exponential", z_t="2 kpc")
    assert grown.factor(r, z) == pytest.approx(np.exp([0, 0.5, 2]), rel=1e-14)
    layers = built(Layers, kind="table", z=[0, 2, 3], f=[0.1, 0.5, 1])
    assert layers.factor(r, z) == pytest.approx([0.1, 0.3, 1], rel=1e-14)
    assert layers.kinks() == ([], [0, 2, 3])
    assert TwoHalo().kinks() == ([], [])


def test_dependence_on_radius_is_a_factor() -> None:
    r, z = np.array([8.5, 4.5, 0.0]), np.array([0.0, 0.5, 2.0])
    plain = TwoHalo().factor(r, z)
    grown = built(TwoHalo, radial={"kind": "exponential", "length": 4.0})
    expected = np.exp([0, -1, -8.5 / 4])
    assert grown.factor(r, z) == pytest.approx(plain * expected, rel=1e-14)
    assert grown.kinks() == ([], [])
    table = built(TwoHalo, radial={"kind": "table", "r": [0, 5, 8.5], "f": [1, 2, 3]})
    assert table.factor(r, z) == pytest.approx(plain * [3, 1.9, 1], rel=1e-14)
    assert table.kinks() == ([0, 5, 8.5], [])


@pytest.mark.parametrize(
    ("table", "keys", "message"),
    [
        (Layers, {"kind": "table", "z": [0, 1], "f": [0.1, 0]}, "must be greater than 0"),
        (Layers, {"kind": "table", "z": [0, 1], "f": [0.1]}, "f has 1 points where z has 2"),
        (Layers, {"kind": "table", "z": [0, 2, 1], "f": [1, 1, 1]}, "z must increase: 1 (point 3)"),
        (Layers, {"kind": "table", "z": [1, 2], "f": [1, 1]}, "z must begin at 0, not at 1 kpc"),
        (Layers, {"kind": "table", "z": [0, float("nan")], "f": [1, 1]}, "must be a finite number"),
        (Exponential, {"kind": "exponential", "z_t": -1}, "must be at least 0.05"),
        (RadialExponential, {"kind": "exponential", "length": 0}, "within 0.5 kpc"),
        (TwoHalo, {"anisotropy": 0}, "must be at least 0.001"),
        (TwoHalo, {"D0": -4.5e28}, "must be greater than 1e+20"),
        (Cylinder, {"r_sun": 20}, "puts the Sun outside the galaxy, r_h = 20 kpc"),
        (Cylinder, {"z_h": 0}, "must be greater than 0"),
        (Slab, {"kind": "slab", "r_h": 20}, "r_h"),
        (LeakyBox, {"kind": "leaky-box"}, "escape_time"),
        (LeakyBox, {"kind": "leaky-box", "escape_time": "1 kpc"}, "wrong dimension"),
        (Alfven, {"K": 1e-3}, "K"),
        (Constant, {"kind": "constant", "K": 1e-3, "v_alfven": 15}, "v_alfven"),
        (Convection, {"V0": -1}, "must be at least 0"),
    ],
)
def test_wrong_media_are_refused_in_words(
    table: type[Any], keys: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        built(table, **keys)
    assert message in str(caught.value)


@given(st.floats(0.1, 1.9), st.floats(0.1, 1e3), st.floats(1, 1e6))
def test_reacceleration_times_diffusion(delta: float, speed: float, rigidity: float) -> None:
    """D_pp D = (4/3) p² v_A²/[δ (2−δ)(2+δ)(4−δ)], in cm and s (Seo & Ptuskin 1994)."""
    medium, r, beta = TwoHalo(delta1=delta), np.array(rigidity), np.array(0.9)
    per_myr = Alfven(v_alfven=speed).strength(r, beta, medium)
    numerator = 4 * (1e5 * speed) ** 2 / 3
    expected = numerator / (delta * (2 - delta) * (2 + delta) * (4 - delta))
    assert per_myr / MYR * medium.halo(r, beta) == pytest.approx(expected, rel=1e-12)


def test_reacceleration_of_the_paper_is_slow_beside_escape() -> None:
    """K for v_A = 15 km/s at 4 GV; one length over the speed squared is its unit of time."""
    found = float(Alfven().strength(np.array(4.0), np.array(1.0), TwoHalo(R1=1e12)))
    crossing = 4.5e28 / (15e5) ** 2 / MYR
    assert found * crossing == pytest.approx(4 / (3 * 0.48 * (4 - 0.48**2) * 3.52), rel=1e-12)
    assert Constant(kind="constant", K=2e-3).strength(np.ones(2), np.ones(2), TwoHalo()) == (
        pytest.approx([2e-3, 2e-3])
    )


def test_local_slope_changes_reacceleration_only_around_the_break() -> None:
    r, beta = np.array([1e-2, 250.0, 1e7]), np.ones(3)
    fixed, local = (Alfven(slope=s).strength(r, beta, TwoHalo()) for s in ("delta1", "local"))

    def bracket(delta: float) -> float:
        return delta * (4 - delta**2) * (4 - delta)

    expected = [bracket(0.48) / bracket(delta) for delta in (0.48, 0.34, 0.20)]
    assert local / fixed == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("medium", "model", "key"),
    [
        (TwoHalo(delta1=0.0), Alfven(), "delta1"),
        (TwoHalo(delta1=2.0), Alfven(), "delta1"),
        (TwoHalo(delta2=-0.1), Alfven(slope="local"), "delta2"),
    ],
)
def test_slopes_without_meaning_are_refused(medium: TwoHalo, model: Alfven, key: str) -> None:
    with pytest.raises(ValueError, match=rf"0 < diffusion\.{key} < 2"):
        model.check(medium)
    # what does not enter does not matter
    Alfven(v_alfven=0.0, slope=model.slope).check(medium)
    Constant(kind="constant", K=1e-3).check(medium)
