"""Sources: profiles, spectra, what abundances mean, and refusals."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from scipy.integrate import quad

from crtransport.deck.kinds import with_kinds
from crtransport.nuclides import nuclide
from crtransport.physics.injection import Source
from crtransport.physics.profiles import PROFILES


def source(**keys: Any) -> Source:
    """A source as a deck would have it, by default of protons and helium."""
    tables = {"abundances": {"H1": 1.0, "He4": 0.1}} | keys
    return TypeAdapter(Source).validate_python(with_kinds(Source, tables))


def slope(model: Source, name: str, rigidity: float) -> float:
    """−d ln q/d ln R."""
    pair = model.log_spectrum(nuclide(name), rigidity * np.array([1.0, 1.001]))
    return float((pair[0] - pair[1]) / np.log(1.001))


@pytest.mark.parametrize("name", PROFILES)
def test_named_profiles_are_one_at_the_sun(name: str) -> None:
    model = source(radial={"name": name})
    for r_sun in (8.0, 8.5):
        assert model.density(np.array(r_sun), np.array(0.0), r_sun) == pytest.approx(1, rel=1e-14)


@pytest.mark.parametrize(
    ("name", "peak"),
    # r☉ a/b, the maximum of (r/r☉)^a e^(−b r/r☉); with R₁, (r☉ + R₁) a/b − R₁
    [
        ("trotta2011", 2.985),
        ("case1998", 4.816),
        ("green2015", 2.394),
        ("yusifov2004", 3.151),
        ("lorimer2006", 3.230),
    ],
)
def test_named_profiles_peak_where_published_ones_do(name: str, peak: float) -> None:
    r = np.linspace(0, 20, 20001)
    profile = source(radial={"name": name}).density(r, np.zeros_like(r), 8.5)
    assert r[np.argmax(profile)] == pytest.approx(peak, abs=2e-3)


def test_case_profile_against_its_paper() -> None:
    """Case & Bhattacharya 1998, Eq. 14: (R/8.5)² exp[−3.53 (R − 8.5)/8.5]."""
    found = source(radial={"name": "case1998"}).density(np.array(4.25), np.array(0.0), 8.5)
    assert found == pytest.approx(0.25 * np.exp(3.53 / 2), rel=1e-14)


def test_other_profiles() -> None:
    r, z = np.array([0.0, 4.25, 8.5, 30.0]), np.zeros(4)
    power = source(radial={"kind": "power-exponential", "a": 1.25, "b": 3.56})
    assert power.density(r, z, 8.5) == pytest.approx(source().density(r, z, 8.5), rel=1e-14)
    table = source(radial={"kind": "table", "r": [0, 8.5, 20], "q": [3, 1, 0.5]})
    assert table.density(r, z, 8.5) == pytest.approx([3, 2, 1, 0], rel=1e-14)
    assert table.kinks() == ([0, 8.5, 20], [])
    assert source(radial={"kind": "uniform"}).density(r, z, 8.5) == pytest.approx(np.ones(4))


def test_layers() -> None:
    r, z = np.full(3, 8.5), np.array([0.0, 0.2, -0.4])
    assert source().density(r, z, 8.5) == pytest.approx(np.exp([0, -1, -2]), rel=1e-14)
    even = source(vertical={"kind": "uniform", "half_thickness": 0.3})
    assert even.density(r, z, 8.5) == pytest.approx([1, 1, 0])
    assert even.kinks() == ([], [0.3])
    everywhere = source(vertical={"kind": "uniform"})
    assert everywhere.density(r, z, 8.5) == pytest.approx(np.ones(3))
    assert everywhere.kinks() == ([], [])


def test_thin_disk_is_all_sheet() -> None:
    thin, r = source(vertical={"kind": "thin-disk"}), np.array([4.0, 8.5])
    assert not thin.density(r, np.zeros(2), 8.5).any()
    assert thin.sheet(r, 8.5) == pytest.approx(source().density(r, np.zeros(2), 8.5), rel=1e-14)
    assert not source().sheet(r, 8.5).any()


def test_slopes_of_the_background_are_those_of_the_paper() -> None:
    """Yuan 2025, Table 2; a break shows as (R/R_br)^±2 on its far sides."""
    free = {"gamma1": 2.0, "gamma2": 2.44, "R_br": 11.0, "R_c": 1e12}
    model = source(injection=free)
    assert slope(model, "H1", 1e-2) == pytest.approx(2.0, abs=1e-5)
    assert slope(model, "H1", 1e5) == pytest.approx(2.44, abs=1e-5)
    assert slope(model, "H1", 11.0) == pytest.approx(2.22, abs=1e-3)
    assert source().injection == source(injection=free | {"R_c": "9 PV"}).injection


@pytest.mark.parametrize(("cutoff", "power"), [("squared", 2), ("exponential", 1)])
def test_cutoffs(cutoff: str, power: int) -> None:
    cut = source(injection={"gamma1": 2, "gamma2": 2, "R_c": 1e6, "cutoff": cutoff})
    law = source(injection={"kind": "power-law", "gamma": 2})
    rigidity = np.array([1e6, 1e7])
    fall = cut.log_spectrum(nuclide("H1"), rigidity) - law.log_spectrum(nuclide("H1"), rigidity)
    start = (100 / 1e6) ** power  # abundances count at 100 GV
    assert fall == pytest.approx([start - 1, start - 10**power], rel=1e-9)


def test_spectrum_far_beyond_the_cutoff_stays_a_number() -> None:
    found = source().log_spectrum(nuclide("H1"), np.array([1e-3, 1e9, 1e12]))
    assert np.all(np.isfinite(found))
    assert found[1] < -1e4


@given(st.sampled_from(["H1", "He4", "Be10", "Fe56"]), st.floats(-1, 4))
def test_abundance_per_rigidity_is_q_per_gv(name: str, log_r: float) -> None:
    """∫ q_p dp over a narrow bin, p = Z R/A, is abundance times its width in R."""
    nucleus, reference = nuclide(name), 10.0**log_r
    model = source(abundances={name: 0.3}, reference=reference)
    q = float(np.exp(model.log_spectrum(nucleus, np.array(reference))))
    width = 1e-3 * reference
    assert q * width * nucleus.charge / nucleus.mass_number == pytest.approx(0.3 * width)


@given(st.sampled_from(["H1", "He4", "Be10", "Fe56"]), st.floats(-2, 4))
def test_abundance_per_energy_is_q_per_gev(name: str, log_t: float) -> None:
    """∫ q_p dp between two energies is ∫ q_T dT."""
    nucleus, t = nuclide(name), 10.0**log_t
    keys = {"reference": t, "convention": "kinetic-energy"}
    model = source(abundances={name: 0.3}, injection={"kind": "power-law", "gamma": 2.3}, **keys)
    low, high = nucleus.momentum(nucleus.rigidity(t * np.array([1 - 1e-4, 1 + 1e-4])))
    per_nucleon = nucleus.mass_number / nucleus.charge
    emitted = quad(
        lambda p: float(np.exp(model.log_spectrum(nucleus, np.array(p * per_nucleon)))), low, high
    )[0]
    assert emitted == pytest.approx(0.3 * 2e-4 * t, rel=1e-6)


def test_a_nuclide_may_have_its_own_spectrum() -> None:
    model = source(
        injections={"He4": {"gamma1": 2.15, "gamma2": 2.42}, "H1": {"kind": "line", "T": "1 TeV/n"}}
    )
    assert slope(model, "He4", 1e-2) == pytest.approx(2.15, abs=1e-5)
    assert model.line(nuclide("H1")) == 1e3
    assert model.line(nuclide("He4")) is None
    line = model.log_spectrum(nuclide("H1"), np.array([1.0, 1e3]))
    assert line == pytest.approx(np.zeros(2), abs=1e-15)


def test_what_is_emitted() -> None:
    model = source(abundances={"H1": 1.0, "C12": 0.0})
    assert [model.emits(nuclide(name)) for name in ("H1", "C12", "O16")] == [True, False, False]


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"radial": {"name": "trotta"}}, "trotta2011"),
        ({"radial": {"kind": "table", "r": [0, 1], "q": [1]}}, "q has 1 points where r has 2"),
        ({"radial": {"kind": "table", "r": [1, 0], "q": [1, 1]}}, "r must increase"),
        ({"radial": {"kind": "table", "r": [0, 1], "q": [1, -1]}}, "must be at least 0"),
        ({"vertical": {"scale": 0.0}}, "must be greater than 0"),
        ({"injection": {"R_c": "9 PeV"}}, "wrong dimension"),
        ({"injection": {"R_br": 0.0}}, "must be greater than 0"),
        ({"injection": {"kind": "line"}}, "T"),
        ({"injections": {"C12": {"gamma1": 2.0}}}, "injections.C12: abundances has no C12"),
        ({"abundances": {"Helium": 1.0}}, 'did you mean "He'),
        ({"abundances": {"H1": -1.0}}, "must be at least 0"),
        ({"reference": 0}, "must be greater than 0"),
    ],
)
def test_wrong_sources_are_refused(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        source(**keys)
    assert message in str(caught.value)
