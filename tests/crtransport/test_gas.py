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


def sheets(r: float, **phases: Any) -> float:
    """Hydrogen of one phase on both sides, cm^-2, without end in z."""
    model = gas(**phases)
    return column(model, r)


def mass_at(r: float) -> float:
    """Hydrogen of the default gas through the whole disk, cm^-2."""
    model = Gas()
    return (
        KPC
        * 2
        * sum(
            quad(
                lambda z, n=name: float(model.phase(n, np.array(r), np.array(z))), 0, 30, limit=400
            )[0]
            for name in ("H2", "HI", "HII")
        )
    )


def test_the_default_column_at_the_sun_is_that_of_galprop() -> None:
    """H I 5.79, H₂ 1.80, H II 1.30e20 cm^-2; with helium 2.14 mg/cm²: closed forms."""
    root = float(np.sqrt(np.pi / np.log(2)))
    # between R = 9.75 and 10.6: 1.7 K km/s/kpc, and its height
    high = 0.147 + (0.091 - 0.147) * 0.25 / 0.85
    assert sheets(8.5, H2={"kind": "bronfman-wouterloot"}) == pytest.approx(
        2 * 1.9e20 * 1.7 * high * root, rel=1e-9
    )
    # n = 0.39 of 0.33, between rings of 0.38 and 0.40, in the flaring layer of R = 10 kpc
    flaring = 0.57 * np.sqrt(np.pi) * 0.0523 * np.exp(1.1) * KPC
    found = sheets(8.5, HI={"kind": "gordon-burton"})
    assert found == pytest.approx(0.39 / 0.33 * flaring, rel=1e-9)
    total = mass_at(8.5)
    assert total == pytest.approx(8.88e20, rel=2e-3)
    assert total * Gas().mass_per_atom() == pytest.approx(2.14e-3, rel=3e-3)


def test_molecular_gas_goes_on_beyond_bronfman() -> None:
    """Columns of the outer disk for X = 1.9e20, by the rows of Wouterloot et al. 1990."""
    outer = survey("h2_wouterloot1990")
    for row in outer:
        found = sheets(float(row[0]), H2={"kind": "bronfman-wouterloot"})
        assert found == pytest.approx(1e20 * row[5], rel=0.02, abs=1e17)
    inner = survey("h2_bronfman1988")[1:-1]
    root = float(np.sqrt(np.pi / np.log(2)))
    for r, emissivity, _, half in inner:
        found = sheets(float(r), H2={"kind": "bronfman-wouterloot"})
        assert found == pytest.approx(2 * 1.9e20 * emissivity * half * root, rel=1e-6)


def test_atomic_gas_has_the_rings_of_the_survey() -> None:
    edges, density = survey("hi_gordon_burton1976").T
    middle, model = (edges[1:] + edges[:-1]) / 2, gas(HI={"kind": "gordon-burton"})
    found = model.neutral(middle, np.zeros_like(middle)) * 0.33
    inner, outer = middle < 0.85 * 8, middle > 0.85 * 10
    assert found[inner] == pytest.approx(density[:-1][inner] * 0.566, rel=1e-12)
    assert found[outer] == pytest.approx(density[:-1][outer] * 0.57, rel=1e-12)
    # 3 kpc beyond the last ring, of a Sun at 10 kpc, there is 1/e of it
    last = np.array([0.85 * 15.75, 0.85 * 18.75])
    first, second = model.neutral(last, np.zeros(2))
    assert second == pytest.approx(first / np.e, rel=1e-12)


@pytest.mark.parametrize(
    ("law", "r", "expected"),
    [
        ({"kind": "constant", "value": 3e20}, 5.0, 3e20),
        ({"kind": "exponential"}, 10.0, 1e20 * 10**0.26),  # Israel 1997
        ({"kind": "exponential", "value": 1e20, "slope": "0.1 /kpc"}, 10.0, 1e21),
        ({"kind": "table", "r": [0, 10], "value": [1e20, 3e20]}, 5.0, 2e20),
        ({"kind": "table", "r": [0, 10], "value": [1e20, 3e20]}, 11.0, 3e20),
        ({"kind": "constant", "value": "2e21 m-2 K-1 m-1 s"}, 5.0, 2e20),
    ],
)
def test_laws_of_x_co(law: dict[str, Any], r: float, expected: float) -> None:
    model = gas(H2={"kind": "bronfman-wouterloot", "X_CO": law})
    usual = gas(H2={"kind": "bronfman-wouterloot"})
    at = np.array(r), np.array(0.05)
    assert model.neutral(*at) / usual.neutral(*at) == pytest.approx(expected / 1.9e20, rel=1e-12)


@pytest.mark.parametrize(
    ("law", "message"),
    [
        ({"kind": "constant", "value": "1.9e20 cm2"}, "has the wrong dimension; needs"),
        ({"kind": "constant", "value": "1.9e20 cm-2"}, "has the wrong dimension; needs"),
        ({"kind": "constant", "value": 1.9}, "must be at least 1e+18"),
        ({"kind": "exponential", "slope": "0.066 kpc"}, "has the wrong dimension; needs"),
        ({"kind": "table", "r": [0, 5, 5], "value": [1e20] * 3}, "r must increase: 5 (point 3)"),
        ({"kind": "table", "r": [0, 5], "value": [1e20]}, "value has 1 points where r has 2"),
        ({"kind": "radial"}, "expected tags"),
    ],
)
def test_wrong_laws_of_x_co_are_refused(law: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        gas(H2={"kind": "bronfman-wouterloot", "X_CO": law})
    assert message in str(caught.value)


def test_components_of_a_phase_add_up() -> None:
    """Two Gaussians, as Ferrière 2001 has for H I, and a disk as thin as a δ(z)."""
    thin = {"kind": "table", "r": [0, 20], "n": [0.79, 0.79], "z_half": [0.2, 0.2]}
    thick = {"kind": "table", "r": [0, 8, 20], "n": [0.21, 0.21, 0.21], "z_half": [0.6, 0.6, 0.6]}
    sheet = {"kind": "thin-disk", "column": 1e20}
    model = gas(HI={"kind": "sum", "parts": [thin, thick, sheet]})
    root = float(np.sqrt(np.pi / np.log(2)))
    exact = (0.79 * 0.2 + 0.21 * 0.6) * root * KPC + 1e20
    assert column(model, 5.0) == pytest.approx(exact, rel=1e-9)
    assert model.kinks() == ([0, 20, 0, 8, 20], [])
    assert model.heights()["HI"] == 0.6
    with pytest.raises(ValidationError, match="parts is empty"):
        gas(HI={"kind": "sum", "parts": []})


def test_factors() -> None:
    disk = {"kind": "exponential", "n0": 1.0}
    every: dict[str, Any] = {"H2": disk, "HI": disk, "HII": disk}
    model = gas(**every, scale=2.0, H2_scale=3.0, HI_scale=0.0, HII_scale=0.5)
    here = np.array(8.5), np.array(0.0)
    assert (model.neutral(*here), model.ionised(*here)) == pytest.approx((6.0, 1.0))


def test_the_fit_to_molecular_gas_follows_its_table() -> None:
    r, emissivity, _, half = survey("h2_bronfman1988").T
    atoms = 2 * 1.9e20 / 3.0857e21 * emissivity
    smooth = gas(H2={"kind": "bronfman1988"}).H2
    difference = smooth.density(r, np.zeros_like(r)) - atoms
    assert rms(difference) == pytest.approx(0.11, abs=5e-3)  # what the docstring says
    # the mass of the whole disk is known better than each ring
    mine = np.trapezoid(r * smooth.density(r, np.zeros_like(r)) * 0.071, r)
    assert mine == pytest.approx(np.trapezoid(r * atoms * half, r), rel=0.05)


def test_the_fit_to_atomic_gas_follows_its_table() -> None:
    edges, density = survey("hi_gordon_burton1976").T
    middle, density = (edges[1:] + edges[:-1]) / 2, density[:-1]
    # the table is of 0.33 cm^-3 times n over the layer
    layer = 0.566 + (0.57 - 0.566) / (1 + np.exp(-(middle - 7.65) / 0.85))
    smooth = gas(HI={"kind": "gordon1976"}).HI
    found = smooth.density(middle, np.zeros_like(middle)) * 0.33 / layer
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


def test_fits_to_surveys_have_no_kinks_in_r() -> None:
    """Chebyshev coefficients fall exponentially, as spectral elements need."""
    model = TypeAdapter(Gas).validate_python(
        {"H2": {"kind": "bronfman1988"}, "HI": {"kind": "gordon1976"}}
    )
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
    assert gas(H2={"kind": "bronfman1988"}, HI={"kind": "gordon1976"}).kinks() == ([], [])


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
