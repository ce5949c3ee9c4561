"""Energy losses in gas against formulae of particle physics, and their limits."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from scipy import constants

from crtransport.constants import MYR, SPEED_OF_LIGHT
from crtransport.nuclides import nuclide
from crtransport.physics.losses import Losses

NAMES = ["H1", "He4", "Be10", "C12", "Fe56"]


def stopping_power(rate: float, momentum: float, name: str, grams: float) -> float:
    """−dE/dx in MeV/(g cm^-2) from −(dp/dt)/p per atom: dE/dx = dp/dt as c = 1."""
    force = rate / MYR * nuclide(name).mass_number * momentum / SPEED_OF_LIGHT
    return 1e3 * force / grams


def atom(name: str) -> float:
    """Mass of an atom, g."""
    return {"H": 1.00794, "He": 4.002602}[name] * 1e3 * constants.atomic_mass


def test_minimum_ionisation_is_that_of_the_particle_data_group() -> None:
    """Minima of 4.103 and 1.937 MeV/(g cm^-2) in H₂ and He gas: Workman et al. 2022."""
    momentum = np.geomspace(1, 10, 300)
    hydrogen = Losses().ionisation_rate(nuclide("H1"), momentum, 0.0)
    both = Losses().ionisation_rate(nuclide("H1"), momentum, 1.0)
    assert hydrogen is not None
    assert both is not None
    for name, rate, minimum in (("H", hydrogen, 4.103), ("He", both - hydrogen, 1.937)):
        found = [
            stopping_power(r, p, "H1", atom(name)) for r, p in zip(rate, momentum, strict=True)
        ]
        assert min(found) == pytest.approx(minimum, rel=0.01)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("energy", [1e-3, 1e-2, 1.0, 1e3])
def test_ionisation_is_bethes_formula(name: str, energy: float) -> None:
    """K z² Z/A β^-2 [½ ln(2 m_e β²γ² W/I²) − β²] with the constants of scipy."""
    nucleus = nuclide(name)
    rigidity = nucleus.rigidity(np.array(energy))
    momentum, beta = nucleus.momentum(rigidity), nucleus.beta(rigidity)
    gamma = 1 + energy / nucleus.nucleon_mass
    electron = constants.value("electron mass energy equivalent in MeV")
    ratio = electron / (1e3 * nucleus.mass)
    # the whole formula has (m_e/M)² too, which is below 1e-6
    largest = 2 * electron * beta**2 * gamma**2 / (1 + 2 * gamma * ratio)
    radius = 1e2 * constants.value("classical electron radius")
    unit = 4 * np.pi * constants.N_A * radius**2 * electron
    excitation = 19e-6
    logarithm = np.log(2 * electron * beta**2 * gamma**2 * largest / excitation**2) / 2
    expected = unit * nucleus.charge**2 / 1.00794 / beta**2 * (logarithm - beta**2)
    rate = Losses().ionisation_rate(nucleus, momentum, 0.0)
    assert rate is not None
    grams = atom("H")
    assert stopping_power(float(rate), float(momentum), name, grams) == pytest.approx(
        expected, rel=1e-6
    )


@pytest.mark.parametrize("energy", [3e-3, 1e-2, 3e-2])
def test_slow_nuclei_in_plasma_excite_its_waves(energy: float) -> None:
    """−dE/dx = (Z e ω_p/v)² ln(2 m_e v²/ħω_p) (Jackson 1999, Eq. 13.44), slow nuclei."""
    nucleus = nuclide("He4")
    rigidity = nucleus.rigidity(np.array(energy))
    beta = float(nucleus.beta(rigidity))
    per_m3 = 0.1 * 1e6
    frequency = np.sqrt(
        per_m3 * constants.e**2 / (constants.epsilon_0 * constants.m_e), dtype=float
    )
    speed = beta * constants.c
    logarithm = np.log(2 * constants.m_e * speed**2 / (constants.hbar * frequency))
    coupling = (2 * constants.e * frequency / speed) ** 2 / (4 * np.pi * constants.epsilon_0)
    joule_per_m = coupling * logarithm / per_m3  # per electron and m^3
    rate = Losses().coulomb_rate(nucleus, nucleus.momentum(rigidity))
    assert rate is not None
    momentum = 4 * float(nucleus.momentum(rigidity)) * 1e9 * constants.e / constants.c
    # per cm^-3 and Myr
    expected = 1e6 * joule_per_m / momentum * MYR
    assert float(rate) == pytest.approx(expected, rel=2e-3)


@given(st.sampled_from(NAMES), st.floats(-3, 12))
def test_losses_are_positive_at_all_energies(name: str, log_energy: float) -> None:
    nucleus = nuclide(name)
    momentum = nucleus.momentum(nucleus.rigidity(np.array(10.0**log_energy)))
    for rate in (
        Losses().ionisation_rate(nucleus, momentum, 0.11),
        Losses().coulomb_rate(nucleus, momentum),
    ):
        assert rate is not None
        assert np.isfinite(rate)
        assert rate > 0


@pytest.mark.parametrize("name", NAMES)
def test_losses_are_smooth_to_the_highest_energies(name: str) -> None:
    """Differences of high order see rounding: 1e-13 between neighbours 1e-3 apart in ln p."""
    nucleus, step = nuclide(name), 1e-3
    for start in (0.1, 1e3, 1e7, 1e10):
        momentum = start * np.exp(step * np.arange(200))
        for rate in (
            Losses().ionisation_rate(nucleus, momentum, 0.11),
            Losses().coulomb_rate(nucleus, momentum),
        ):
            assert rate is not None
            assert np.max(np.abs(np.diff(np.log(rate), n=4))) < 1e-13 + 200 * step**4


def test_losses_go_with_charge_squared_over_mass() -> None:
    light, heavy = nuclide("He4"), nuclide("Fe56")
    gamma_beta = np.geomspace(0.1, 10, 5)
    ratio = []
    for nucleus in (light, heavy):
        rate = Losses().coulomb_rate(nucleus, gamma_beta * nucleus.nucleon_mass)
        assert rate is not None
        ratio.append(rate * nucleus.mass / nucleus.charge**2)
    # but for the recoil, m_e/M in the logarithm
    assert ratio[0] == pytest.approx(ratio[1], rel=1e-4)


def test_power_law_and_switches() -> None:
    momentum = np.array([0.5, 1.0, 20.0])
    found = Losses(rate=0.3, slope=-1.5).continuous_rate(momentum)
    assert found == pytest.approx(0.3 * momentum**-1.5, rel=1e-14)
    off, nucleus = Losses(ionisation=False, coulomb=False), nuclide("H1")
    assert off.ionisation_rate(nucleus, momentum, 0.11) is None
    assert off.coulomb_rate(nucleus, momentum) is None
    assert off.continuous_rate(momentum) is None


@pytest.mark.parametrize(
    "wrong", [{"rate": -1.0}, {"rate": "1 GeV"}, {"coulom": True}, {"slope": 9}, {"slope": -1.0}]
)
def test_wrong_tables_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Losses).validate_python(wrong)
