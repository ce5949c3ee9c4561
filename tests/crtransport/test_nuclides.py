"""Names, masses and kinematics of nuclei."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import constants

from crtransport.nuclide_tables import HALF_LIFE, MASS_EXCESS
from crtransport.nuclides import _MAIN, ELEMENTS, UnknownElement, nuclide

NAMES = [*ELEMENTS, *MASS_EXCESS]


@pytest.mark.parametrize(
    ("name", "particle"),
    [
        ("H", "proton"),
        ("H1", "proton"),
        ("H2", "deuteron"),
        ("He3", "helion"),
        ("He", "alpha particle"),
    ],
)
def test_nuclear_masses_are_those_of_codata(name: str, particle: str) -> None:
    reference = constants.value(f"{particle} mass energy equivalent in MeV") / 1e3
    assert nuclide(name).mass == pytest.approx(reference, rel=5e-9)


@pytest.mark.parametrize("name", NAMES)
def test_mass_per_nucleon_is_that_of_a_bound_nucleon(name: str) -> None:
    nucleus = nuclide(name)
    assert 0.929 < nucleus.nucleon_mass < 0.9391
    assert nucleus.charge <= nucleus.mass_number <= 3 * nucleus.charge


@pytest.mark.parametrize("name", [name for name in MASS_EXCESS if name not in ("H1", "H2")])
def test_binding_energy_is_near_that_of_the_liquid_drop(name: str) -> None:
    """Catches a digit out of place: 0.01 u are 9 MeV."""
    nucleus = nuclide(name)
    z, a = nucleus.charge, nucleus.mass_number
    neutron, proton = 0.93956542, 0.93827209
    bound = 1e3 * (z * proton + (a - z) * neutron - nucleus.mass)
    drop = 15.75 * a - 17.8 * a ** (2 / 3) - 0.711 * z**2 / a ** (1 / 3)
    drop -= 23.7 * (a - 2 * z) ** 2 / a - 11.18 * (1 - z % 2 - (a - z) % 2) / a**0.5
    assert bound == pytest.approx(drop, abs=9)


def test_an_element_is_its_main_isotope() -> None:
    assert [nuclide(element).charge for element in ELEMENTS] == list(range(1, 29))
    for element, isotope in _MAIN.items():
        short, long = nuclide(element), nuclide(isotope)
        assert short.name == short.element == long.element == element
        assert long.name == isotope == f"{element}{long.mass_number}"
        assert (short.mass, short.mass_number) == (long.mass, long.mass_number)
        assert short.half_life is None


def test_isotopes_are_at_hand() -> None:
    assert len(NAMES) == len(set(NAMES))
    wanted = "H1 H2 He3 He4 Li6 Li7 Be7 Be9 Be10 B10 B11 C12 C13 C14 N14 N15 O16 O17 O18 F19 Ne20"
    wanted += " Ne21 Ne22 Na23 Mg24 Mg25 Mg26 Al26 Al27 Si28 Si29 Si30 S32 Fe54 Fe56"
    assert not set(wanted.split()) - set(NAMES)
    boron = nuclide("B10")
    assert (boron.element, boron.charge, boron.mass_number) == ("B", 5, 10)


def test_half_lives_are_those_of_bare_nuclei() -> None:
    assert nuclide("Be10").half_life == 1.387
    # the laboratory's 0.717 Myr counts electron capture too
    assert nuclide("Al26").half_life == 0.91
    # decays by electron capture only, so it lives without electrons
    assert nuclide("Be7").half_life is None
    assert nuclide("Be").half_life is None
    assert set(HALF_LIFE) <= set(MASS_EXCESS)


@given(st.sampled_from(NAMES), st.floats(-8, 14))
def test_rigidity_and_energy_are_inverse(name: str, log_energy: float) -> None:
    nucleus, energy = nuclide(name), np.array(10.0**log_energy)
    rigidity = nucleus.rigidity(energy)
    assert nucleus.kinetic_energy(rigidity) == pytest.approx(energy, rel=1e-13)
    assert 0 < nucleus.beta(rigidity) <= 1


def test_beta_is_momentum_over_energy() -> None:
    nucleus = nuclide("Fe")
    rigidity = np.array([0.1, 1.0, 10.0])
    total = nucleus.kinetic_energy(rigidity) + nucleus.nucleon_mass
    assert nucleus.beta(rigidity) * total == pytest.approx(26 / 56 * rigidity, rel=1e-14)


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("Helium", "He"),
        ("h", "H"),
        ("proton", "H"),
        ("iron", "Fe"),
        ("Feo", "Fe"),
        ("10Be", "Be10"),
        ("be10", "Be10"),
        ("Be-10", "Be10"),
        ("Fe59", "Fe58"),
    ],
)
def test_an_unknown_name_is_told_the_nearest(wrong: str, right: str) -> None:
    with pytest.raises(UnknownElement, match=f'did you mean "{right}"'):
        nuclide(wrong)


def test_an_unknown_name_is_told_what_there_is() -> None:
    with pytest.raises(UnknownElement, match=r"unknown element .*known: H, He, Li"):
        nuclide("?" * 1000)
    with pytest.raises(UnknownElement, match=r'unknown isotope "B12".*known: B10, B11\)'):
        nuclide("B12")
