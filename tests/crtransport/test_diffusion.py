"""The diffusion coefficient of the Galaxy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from crtransport.analytic import burst as exact
from crtransport.physics.diffusion import TwoHalo


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
