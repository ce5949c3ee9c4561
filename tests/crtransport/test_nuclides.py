"""Kinematics of the elements."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import constants

from crtransport.nuclides import _TABLE, UnknownElement, nuclide


@pytest.mark.parametrize(
    ("element", "name"), [("H", "proton"), ("He", "alpha particle")], ids=["H", "He"]
)
def test_nuclear_masses_are_those_of_codata(element: str, name: str) -> None:
    reference = constants.value(f"{name} mass energy equivalent in MeV") / 1e3
    assert nuclide(element).mass == pytest.approx(reference, rel=5e-9)


@pytest.mark.parametrize("element", sorted(_TABLE))
def test_mass_per_nucleon_is_that_of_a_bound_nucleon(element: str) -> None:
    nucleus = nuclide(element)
    assert 0.929 < nucleus.nucleon_mass < 0.939
    assert nucleus.charge <= nucleus.mass_number <= 2.5 * nucleus.charge


def test_charges_are_those_of_the_periodic_table() -> None:
    assert [charge for charge, _, _ in _TABLE.values()] == list(range(1, 29))


@given(st.sampled_from(sorted(_TABLE)), st.floats(-8, 14))
def test_rigidity_and_energy_are_inverse(element: str, log_energy: float) -> None:
    nucleus, energy = nuclide(element), np.array(10.0**log_energy)
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
    [("Helium", "He"), ("h", "H"), ("proton", "H"), ("Fe56", "Fe"), ("iron", "Fe"), ("Feo", "Fe")],
)
def test_an_unknown_element_is_told_the_nearest(wrong: str, right: str) -> None:
    with pytest.raises(UnknownElement, match=f'did you mean "{right}"'):
        nuclide(wrong)
    with pytest.raises(UnknownElement, match="known: H, He, Li"):
        nuclide("?" * 1000)
