"""The force field: what it conserves, and its limits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError

from crtransport.nuclides import nuclide
from crtransport.physics.modulation import Modulation

ENERGY = np.geomspace(1e-3, 1e6, 91)


def power_law(energy: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1e4 * energy**-2.7)


@pytest.mark.parametrize("name", ["H1", "He4", "Be10", "Fe56"])
def test_density_in_phase_space_is_conserved(name: str) -> None:
    """J/p² at the Earth is that at Z φ/A more energy outside (Liouville)."""
    nucleus, phi = nuclide(name), 600.0
    found = Modulation(phi=phi).modulated(power_law, ENERGY, nucleus)
    outside = ENERGY + 0.6 * nucleus.charge / nucleus.mass_number
    momenta = [nucleus.momentum(nucleus.rigidity(energy)) for energy in (ENERGY, outside)]
    assert found / momenta[0] ** 2 == pytest.approx(power_law(outside) / momenta[1] ** 2, rel=1e-12)


def test_without_a_potential_nothing_changes() -> None:
    found = Modulation(phi=0.0).modulated(power_law, ENERGY, nuclide("C12"))
    assert found == pytest.approx(power_law(ENERGY), rel=1e-14)


@given(st.floats(0, 2e3), st.floats(0, 2e3))
def test_potentials_add(one: float, other: float) -> None:
    nucleus = nuclide("He4")
    both = Modulation(phi=one + other).modulated(power_law, ENERGY, nucleus)

    def between(energy: NDArray[np.float64]) -> NDArray[np.float64]:
        return Modulation(phi=one).modulated(power_law, energy, nucleus)

    assert Modulation(phi=other).modulated(between, ENERGY, nucleus) == pytest.approx(
        both, rel=1e-11
    )


def test_slow_nuclei_lose_their_rise_and_fast_ones_nothing() -> None:
    """J ∝ T at low energy: adiabatic cooling."""
    found = Modulation().modulated(power_law, np.array([1e-5, 2e-5, 1e6]), nuclide("H1"))
    assert found[1] / found[0] == pytest.approx(2, rel=1e-4)
    assert found[2] == pytest.approx(power_law(np.array(1e6)), rel=1e-5)


def test_energy_lost_on_the_way_in() -> None:
    assert Modulation(phi=500).loss(nuclide("H1")) == pytest.approx(0.5)
    assert Modulation(phi=500).loss(nuclide("Be10")) == pytest.approx(0.2)


@pytest.mark.parametrize("wrong", [{"phi": -1.0}, {"phi": "600 GeV"}, {"ph": 1}])
def test_wrong_tables_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Modulation).validate_python(wrong)
