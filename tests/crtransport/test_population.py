"""Random populations: reproducible, distributed as said, with the mean of the smooth Galaxy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import crtransport
from crtransport.constants import KPC, YEAR
from crtransport.deck.burst import BurstDeck
from crtransport.deck.errors import DeckError
from crtransport.deck.load import load_deck
from crtransport.nuclides import nuclide
from crtransport.physics import burst
from crtransport.physics.population import Population
from crtransport.physics.spread import layer
from crtransport.problems import burst_many
from crtransport.problems.burst_many import many

SMALL: dict[str, Any] = {"seed": 5, "realisations": 4, "rate": 3e-3, "age_max": 2e6}


def deck(medium: str = "slab", **keys: Any) -> dict[str, Any]:
    return {
        "model": "burst",
        "medium": medium,
        "population": SMALL | keys,
        "output": {"per_decade": 1, "T_min": 1e3, "T_max": 1e6, "brightest": 2},
    }


def test_a_seed_draws_the_same_sources_again() -> None:
    one, two = (crtransport.run(deck()) for _ in range(2))
    np.testing.assert_array_equal(one.flux_realisation, two.flux_realisation)
    other = crtransport.run(deck(seed=6))
    assert np.all(other.flux_realisation != one.flux_realisation)


def test_the_number_of_threads_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for threads in (1, 3):
        monkeypatch.setattr(burst_many, "processors", lambda n=threads: n)
        found.append(crtransport.run(deck("two-halo")).flux_realisation)
    np.testing.assert_array_equal(*found)


def test_the_first_realisation_is_the_flux() -> None:
    found = crtransport.run(deck())
    assert found.sizes == {
        "source": 3, "species": 1, "kinetic_energy": 4, "realisation": 4, "quantile": 5
    }  # fmt: skip
    np.testing.assert_allclose(found.flux_realisation[0], found.flux_total, rtol=1e-12)
    np.testing.assert_allclose(found.dipole_realisation[0], found.dipole, rtol=1e-9)
    median = np.median(found.flux_realisation, axis=0)
    np.testing.assert_allclose(found.flux_quantile.sel(quantile=0.5), median, rtol=1e-12)


def test_named_sources_are_in_every_realisation() -> None:
    source = {"name": "near", "distance": 0.2, "age": 1e5, "l": 10.0, "b": 3.0, "alpha": 2.1}
    source |= {"R_c": 1e5, "W": {"H": 1e51}}
    plain, more = (
        crtransport.run(deck() | ({"local_source": [source]} if with_it else {}))
        for with_it in (False, True)
    )
    alone = more.flux.sel(source="near")
    np.testing.assert_allclose(more.flux_realisation, plain.flux_realisation + alone, rtol=1e-12)


def test_sources_are_drawn_as_said() -> None:
    population = Population(
        seed=1, rate=0.1, age_min=1e4, age_max=1e6, distance_max=30.0, alpha_scatter=0.1,
        R_c_scatter=0.2, W_scatter=0.3, z_scale=0.2,
    )  # fmt: skip
    (drawn,) = population.galaxy(0)
    n = len(drawn)
    assert abs(n - population.expected()) < 5 * population.expected() ** 0.5
    z = drawn.height()[:, 0]
    assert np.mean(np.abs(z)) == pytest.approx(0.2, rel=0.02)
    along, angle = drawn.distance * np.cos(np.radians(drawn.b)), np.radians(drawn.l)
    r = np.hypot(8.5 - along * np.cos(angle), along * np.sin(angle))[:, 0]
    grid = np.linspace(0, 20, 2001)
    weight = grid * population.radial.at(grid, 8.5)
    assert np.mean(r) == pytest.approx(np.sum(grid * weight) / np.sum(weight), rel=0.01)
    assert np.mean(drawn.age) == pytest.approx(5.05e5, rel=0.01)
    assert np.std(drawn.alpha) == pytest.approx(0.1, rel=0.02)
    assert np.std(np.log10(drawn.R_c)) == pytest.approx(0.2, rel=0.02)
    assert np.std(np.log10(drawn.W["H"])) == pytest.approx(0.3, rel=0.02)


def test_the_mean_is_that_of_a_steady_disk() -> None:
    """Bursts of an even disk, not too young: ∫ rate n dt d²r, by quadrature."""
    changes = {"age_min": 2e5, "z_scale": 1e-3, "distance_max": 3.0, "r_h": 20.0, "rate": 0.05}
    even = {"radial": {"kind": "power-exponential", "a": 0.0, "b": 0.0}}
    loaded = load_deck(deck(realisations=40, **changes, **even))
    assert isinstance(loaded, BurstDeck)
    assert loaded.population is not None
    energy = np.array([1e4])
    each = many(loaded, energy).realisations(loaded.population)
    found = np.array([one.flux[0, 0] for one in each])
    nucleus = nuclide("H")
    rigidity = nucleus.rigidity(energy)
    rate = loaded.diffusion.disk(rigidity, nucleus.beta(rigidity)) * YEAR / KPC**2
    x, weight = np.polynomial.legendre.leggauss(60)
    ages = 2e5 + 0.9e6 * (1 + x)
    tau = rate[0] * ages
    column = np.exp(layer(np.zeros(1), tau / 16.0)[0]) / np.sqrt(4 * np.pi * tau)
    column *= -np.expm1(-(3.0**2) / (4 * tau))
    per_year = 0.05 / (np.pi * 20.0**2) * np.sum(0.9e6 * weight * column)
    first = next(iter(loaded.population.galaxy(0))).one(0)
    log_q = burst.log_injection(first, nucleus, burst.log_normalisation(first, nucleus), rigidity)
    expected = float(np.exp(burst.log_flux(log_q, nucleus))[0] / KPC**3 * per_year)
    scatter = found.std() / len(found) ** 0.5
    assert scatter < 0.05 * expected
    assert abs(found.mean() - expected) < 4 * scatter


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"seed": -1}, "must be from 0"),
        ({"rate": 0.0}, "greater than 0"),
        ({"age_min": 1e8}, "is not above age_min"),
        ({"r_sun": 30.0}, "beyond r_h"),
        ({"W": {"H": 0.0}}, "nothing is emitted"),
        ({"R_c": 1.0}, "below the threshold of W"),
        ({"rate": 1e3, "age_max": 1e9}, "at most 1e+10 are drawn"),
    ],
)
def test_a_wrong_population_is_refused(keys: dict[str, Any], message: str) -> None:
    with pytest.raises(DeckError) as caught:
        load_deck(deck(**keys))
    assert message in str(caught.value)
