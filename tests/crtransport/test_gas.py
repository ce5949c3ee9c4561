"""The interstellar gas: fits against their tables, published columns, shapes and refusals."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.polynomial.chebyshev import Chebyshev
from pydantic import TypeAdapter, ValidationError
from scipy.integrate import quad

from crtransport.constants import KPC
from crtransport.measurements import data_folder
from crtransport.physics.gas import Gas

TABLE = {"kind": "table", "r": [0, 4, 12], "n": [0.5, 2, 1], "z_half": [0.1, 0.2, 0.4]}
NONE = {"kind": "none"}


def gas(**phases: Any) -> Gas:
    """Gas with the given phases alone."""
    return TypeAdapter(Gas).validate_python({"H2": NONE, "HI": NONE, "HII": NONE} | phases)


def column(model: Gas, r: float) -> float:
    """Neutral hydrogen through the whole disk, cm^-2."""
    half = quad(lambda z: float(model.neutral(np.array(r), np.array(z))), 0, 5, limit=200)[0]
    return 2 * KPC * float(half) + KPC * float(model.neutral_sheet(np.array(r)))


def survey(name: str) -> np.ndarray:
    """A published table, its radii scaled from a Sun at 10 kpc to 8.5 kpc."""
    folder = data_folder() or Path(__file__).parents[3] / "shared" / "data"
    file = folder / "galaxy-structure" / f"{name}.csv"
    if not file.is_file():
        pytest.skip("no published tables: set CRTRANSPORT_DATA to a data folder")
    lines = [line for line in file.read_text().splitlines() if not line.startswith("#")]
    table = np.array([[float(word) for word in line.split(",")] for line in lines[1:]])
    table[:, 0] *= 0.85
    return table


def rms(difference: np.ndarray) -> float:
    return float(np.sqrt(np.mean(difference**2)))


def test_molecular_gas_follows_its_table() -> None:
    r, emissivity, _, half = survey("h2_bronfman1988").T
    atoms = 2 * 1.9e20 / 3.0857e21 * emissivity
    difference = Gas().H2.density(r, np.zeros_like(r)) - atoms
    assert rms(difference) == pytest.approx(0.11, abs=5e-3)  # what the docstring says
    # the mass of the whole disk is known better than each ring
    mine = np.trapezoid(r * Gas().H2.density(r, np.zeros_like(r)) * 0.071, r)
    assert mine == pytest.approx(np.trapezoid(r * atoms * half, r), rel=0.05)


def test_atomic_gas_follows_its_table() -> None:
    edges, density = survey("hi_gordon_burton1976").T
    middle, density = (edges[1:] + edges[:-1]) / 2, density[:-1]
    # the table is of 0.33 cm^-3 times n over the layer
    layer = 0.566 + (0.57 - 0.566) / (1 + np.exp(-(middle - 7.65) / 0.85))
    found = Gas().HI.density(middle, np.zeros_like(middle)) * 0.33 / layer
    assert rms(found - density) == pytest.approx(0.046, abs=2e-3)


def test_column_of_atomic_gas_is_that_of_dickey_and_lockman() -> None:
    """6.2e20 cm^-2 of the inner layer where n is its 0.566 cm^-3 (1990, ARA&A 28, 215)."""
    model = gas(HI={"kind": "gordon1976"})
    mid = float(model.neutral(np.array(2.0), np.array(0.0)))
    assert column(model, 2.0) * 0.566 / mid == pytest.approx(6.2e20, rel=0.02)


def test_electrons_are_those_of_cordes() -> None:
    found = Gas().ionised(np.array([4.0, 4.0, 0.0]), np.array([0.0, 1.5, 40.0]))
    thick = 0.025 * np.exp(-0.04)
    expected = [thick + 0.2, thick * np.exp(-1.5) + 0.2 * np.exp(-10), 0.025 * np.exp(-40)]
    assert found == pytest.approx(expected, rel=1e-12)


def test_surface_density_at_the_sun() -> None:
    """Some 1e21 atoms cm^-2 through the whole disk, of which molecules are the smaller part."""
    assert 4e20 < column(gas(HI={"kind": "gordon1976"}), 8.5) < 1.2e21
    assert 5e19 < column(gas(H2={"kind": "bronfman1988"}), 8.5) < 2.5e20


def test_surveys_have_no_kinks_in_r() -> None:
    """Chebyshev coefficients fall exponentially, as spectral elements need."""
    model = Gas()
    for phase in (model.H2, model.HI, model.HII):
        error = []
        for degree in (20, 40, 60):
            fit = Chebyshev.interpolate(
                lambda r, p=phase: p.density(r, np.full_like(r, 0.1)), degree, [0, 20]
            )
            r = np.linspace(0, 20, 777)
            error.append(np.max(np.abs(fit(r) - phase.density(r, np.full_like(r, 0.1)))))
        assert error[1] < 0.1 * error[0] or error[1] < 1e-9
        assert error[2] < 1e-4


@given(st.floats(0, 30), st.floats(-20, 20))
def test_densities_are_symmetric_and_not_negative(r: float, z: float) -> None:
    more = {"kind": "exponential", "n0": 1.0}
    for model in (Gas(), gas(HI=TABLE, H2=more, HII={"kind": "uniform", "n0": 0.1})):
        for density in (model.neutral, model.ionised):
            up, down = density(np.array([r, r]), np.array([z, -z]))
            assert 0 <= up == down < 1e3


def test_thin_disk_has_its_column_and_nothing_else() -> None:
    model = gas(HI={"kind": "thin-disk", "column": "6e20 cm-2"})
    assert column(model, 3.0) == pytest.approx(6e20, rel=1e-14)
    assert not model.neutral(np.ones(3), np.array([0.0, 0.1, 1.0])).any()
    electrons = gas(HII={"kind": "thin-disk", "column": 1e20})
    assert electrons.ionised_sheet(np.ones(2)) * KPC == pytest.approx([1e20, 1e20])
    assert not electrons.neutral_sheet(np.ones(2)).any()


def test_exponential_disk() -> None:
    model = gas(H2={"kind": "exponential", "n0": 2, "r0": 8, "r_scale": 3, "z_scale": 0.1})
    found = model.neutral(np.array([8.0, 11.0, 8.0]), np.array([0.0, 0.0, -0.2]))
    assert found == pytest.approx([2, 2 / np.e, 2 / np.e**2], rel=1e-14)
    assert column(model, 8.0) == pytest.approx(2 * 0.2 * KPC, rel=1e-6)


def test_table_is_linear_between_its_points_and_ends_with_them() -> None:
    model = gas(HI=TABLE)
    r = np.array([0.0, 2.0, 8.0, 8.0, 12.0, 12.01])
    z = np.array([0.0, 0.15, 0.0, 0.3, 0.0, 0.0])
    # at z_half, interpolated too, one half is left
    expected = [0.5, 1.25 / 2, 1.5, 0.75, 1, 0]
    assert model.neutral(r, z) == pytest.approx(expected, rel=1e-14)
    assert model.kinks() == ([0, 4, 12], [])
    assert Gas().kinks() == ([], [])


def test_scale_heights_tell_phases_apart() -> None:
    assert max(Gas().heights().values()) < 0.5
    found = gas(HI=TABLE, HII={"kind": "uniform", "n0": 1.0}).heights()
    assert found == {"H2": 0, "HI": 0.4, "HII": 0}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"r": [0, 4]}, "n has 3 points where r has 2"),
        ({"z_half": [0.1]}, "z_half has 1 points where r has 3"),
        ({"r": [0, 4, 4]}, "r must increase: 4 (point 3) follows 4"),
        ({"r": [0, 4, "nan"]}, "needs a number"),
        ({"n": [0.5, float("nan"), 1]}, "must be a finite number"),
        ({"n": [0.5, -2, 1]}, "must be at least 0"),
        ({"z_half": [0.1, 0, 0.4]}, "must be greater than 0"),
        ({"r": [3], "n": [1], "z_half": [0.1]}, "a table needs at least 2"),
        ({"r": [-1, 4, 12]}, "must be at least 0"),
        ({"kind": "tabel"}, "expected tags"),
    ],
)
def test_wrong_tables_are_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        gas(HI=TABLE | change)
    assert message in str(caught.value)
