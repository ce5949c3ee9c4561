"""What is told of numerical errors, and what is made finer: against the full order, finer grids."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import crtransport
from crtransport.deck.galaxy import GalaxyDeck
from crtransport.deck.galaxy_solver import ReducedBasis
from crtransport.problems import galaxy_estimate
from crtransport.problems.galaxy import headline
from crtransport.problems.galaxy_answer import Answer, energies
from crtransport.problems.galaxy_estimate import estimated, in_full, refined
from crtransport.problems.galaxy_levels import make_levels
from crtransport.problems.galaxy_sign import negative_densities, not_positive
from crtransport.problems.galaxy_transport import ordered, transport
from crtransport.solvers.errors import ConvergenceError

#: eleven of eighty such slabs had no answer: the basis had more functions than there are places
SLAB: dict[str, Any] = {
    "model": "galaxy",
    "network": ["C12", "B11", "B10"],
    "source": [{"abundances": {"C12": 1.0}}],
    "geometry": {"kind": "slab"},
    "diffusion": {"D0": 5e27},
}
#: protons alone, which losses and strong reacceleration move far: 2.6 % off, 0.06 % told
STRONG: dict[str, Any] = {
    "model": "galaxy",
    "network": ["H1"],
    "geometry": {"z_h": 3.25},
    "diffusion": {"D0": 1.69e28, "delta1": 0.546, "xi": 0.044, "h": 0.94, "eta": -0.86},
    "reacceleration": {"v_alfven": 33.5},
    "convection": {"V0": 9.4, "dVdz": 3.2},
    "source": [{"abundances": {"H1": 1.0}, "injection": {"gamma1": 2.16, "gamma2": 2.45}}],
    "normalisation": {"T": 100.0, "flux": {"H1": 0.044}},
    "output": {"T_max": 1e5},
}
BOX = "leaky_box_reacceleration"


def galaxy(*changes: dict[str, Any]) -> GalaxyDeck:
    first, *others = changes
    found = crtransport.load_deck(first, others[0] if others else None)
    assert isinstance(found, GalaxyDeck)
    return found


def fluxes(deck: GalaxyDeck) -> Any:
    answer = Answer(deck, transport(deck))
    return np.stack([answer.interstellar(n, energies(deck)) for n in deck.nuclides])


def off(flux: Any, exact: Any) -> float:
    return float(np.max(np.abs(flux / exact - 1)))


def test_a_basis_of_as_many_functions_as_places_is_the_full_order() -> None:
    for change in ({}, {"diffusion.D0": 1e28, "momentum": {"T_max": 1e4, "per_decade": 8}}):
        deck = galaxy(SLAB, change | {"output.T_max": 1e3})
        assert off(fluxes(deck), fluxes(in_full(deck))) < 1e-5
        places = transport(in_full(deck)).space.grid.n_places
        assert transport(deck).space.grid.n_places == places < 40


def test_as_many_functions_as_are_asked_for() -> None:
    """One nuclide has few poles of its own."""
    deck = galaxy(STRONG, {"solver.functions": 140})
    assert transport(deck).space.grid.n_places == 140


def test_strong_reacceleration_is_told_and_dealt_with() -> None:
    deck = galaxy(STRONG)
    exact = fluxes(in_full(deck))
    rough = estimated(deck)
    basis = replace(deck, solver=replace(deck.solver, functions=90))
    assert off(fluxes(basis), exact) < 2e-4
    assert 1e-4 < off(rough.flux, exact) < float(np.max(rough.parts["basis and T_min"]))
    found = refined(deck)
    assert isinstance(found.deck.solver, ReducedBasis)
    assert float(np.max(found.estimate.error)) < deck.solver.rtol
    finer = fluxes(replace(found.deck, solver=replace(found.deck.solver, functions=300)))
    assert off(found.estimate.flux, finer) < deck.solver.rtol
    assert "functions" in ", ".join(found.changes)


def test_what_a_deck_says_is_not_changed() -> None:
    written = {"momentum.per_decade": 6.0, "momentum.T_min": 0.01, "solver.order_z": 3}
    found = refined(galaxy(SLAB, written))
    assert found.changes == ()
    assert float(np.max(found.estimate.error)) > 1e-4
    assert refined(galaxy(SLAB)).changes == ()
    free = refined(galaxy(SLAB, {"solver.rtol": 2e-5}))
    assert free.changes == ("24 levels per decade", "order 8 in z")
    assert float(np.max(free.estimate.error)) < 2e-5


def test_all_of_space_where_no_basis_suffices(monkeypatch: pytest.MonkeyPatch) -> None:
    deck = galaxy(SLAB, {"solver.functions": 4, "solver.order_z": 12, "solver.rtol": 1e-4})
    monkeypatch.setitem(galaxy_estimate._TIMES, "basis", 1)
    found = refined(deck)
    assert found.deck.solver.kind == "sweep-gmres"
    assert found.changes[-1].startswith("solved in all of space, as a basis of 6 functions")
    assert float(np.max(found.estimate.error)) < 1e-4
    said = crtransport.run(deck)
    assert dict(headline(said))["for the tolerance"] == ", ".join(found.changes)
    assert np.array_equal(said.flux_lis, found.estimate.flux)


def test_levels_below_the_end_leave_the_others_where_they_are() -> None:
    deck = galaxy(SLAB)
    levels, longer = (make_levels(deck, ordered(deck), 16.0, below) for below in (1.0, 0.3))
    more = longer.n - levels.n
    np.testing.assert_allclose(longer.inner[more:], levels.inner, rtol=0, atol=1e-12)
    lowest = ordered(deck)[0].kinetic_energy(2 * np.exp(longer.inner[0]))
    assert 0.2 * 1e-2 < lowest <= 0.3 * 1e-2


@pytest.mark.parametrize("K", [0.0055, 0.01, 0.1])
def test_no_steady_state_is_refused(K: float) -> None:
    """N/Q = 1/[1/τ − K a (a + 3)], a = γ − 1, changes sign at K = 0.0052."""
    with pytest.raises(ConvergenceError, match=r"H1: there is no steady state: .* negative"):
        crtransport.run(BOX, {"reacceleration.K": K})
    with pytest.raises(ConvergenceError, match="the flux is negative or no number"):
        crtransport.gradient(
            galaxy(BOX, {"reacceleration.K": K}), [10.0], lambda f: f["H1"][0], ["reacceleration.K"]
        )
    found = crtransport.run(BOX, {"reacceleration.K": 0.004})
    assert np.all(found.flux_lis > 0)


def test_a_norm_does_not_hide_a_sign() -> None:
    norm = {"normalisation": {"T": 10.0, "flux": {"H1": 1.0}}, "reacceleration.K": 0.01}
    with pytest.raises(ConvergenceError, match="there is no steady state"):
        crtransport.run(BOX, norm)


def test_losses_have_a_lowest_energy() -> None:
    with pytest.raises(crtransport.DeckError, match=r"T_min = 1e-09 .* no meaning below 0\.0001"):
        galaxy(SLAB, {"momentum.T_min": 1e-9})
    galaxy(SLAB, {"momentum.T_min": 1e-9, "losses": {"ionisation": False, "coulomb": False}})


def test_a_finer_grid_without_an_answer_leaves_the_last_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    deck = galaxy(SLAB, {"solver": {"kind": "direct", "rtol": 2e-5}})
    places = estimated(deck).answer.run.unknowns
    # the lower end has more levels
    monkeypatch.setattr("crtransport.solvers.direct.LIMIT", 1.2 * places)
    found = refined(deck)
    assert found.changes == ()
    assert float(np.max(found.estimate.error)) > 2e-5
    monkeypatch.setattr("crtransport.solvers.direct.LIMIT", places - 1)
    with pytest.raises(ConvergenceError, match="a direct solution takes at most"):
        refined(deck)


def test_a_norm_below_0_does_not_hide_what_is_not_resolved() -> None:
    deck = galaxy(
        BOX, {"normalisation": {"T": 10.0, "flux": {"H1": 1.0}}, "reacceleration.K": 0.01}
    )
    found = estimated(deck)
    assert np.all(found.flux > 0)
    assert not_positive(found).startswith("H1: the flux at T = ")


def test_what_must_be_a_flux_is_refused_below_a_norm_that_hides_its_sign() -> None:
    deck = galaxy(
        BOX, {"normalisation": {"T": 10.0, "flux": {"H1": 1.0}}, "reacceleration.K": 0.01}
    )
    answer = estimated(deck).answer
    assert np.all(answer.interstellar("H1", energies(deck)) > 0)
    with pytest.raises(ConvergenceError, match="no steady state"):
        answer.positive("H1", energies(deck))


def test_the_residual_is_part_of_the_error() -> None:
    deck = galaxy(SLAB)
    found = estimated(deck)
    for name, part in zip(deck.nuclides, found.parts["residual"], strict=True):
        assert np.all(part == found.answer.run.one(name).residual)
    march = estimated(galaxy(SLAB, {"solver": {"kind": "split-cn"}, "output.T_max": 100.0}))
    assert "residual" not in march.parts


def test_gains_from_the_lowest_momenta_are_named() -> None:
    """D falls with β there, and reacceleration is the stronger: the lowest eigenvalue is < 0."""
    tables = {
        "model": "galaxy",
        "network": ["H1"],
        "geometry": {"kind": "slab", "z_h": 0.535},
        "diffusion": {
            "D0": 1.13e28,
            "delta1": 0.466,
            "delta2": 0.192,
            "eta": 1.635,
            "h": 0.0122,
            "xi": 0.858,
        },
        "reacceleration": {"v_alfven": 55.0},
        # with a fifth more, as the default has, losses win
        "gas": {"H2": {"kind": "bronfman1988"}, "HI": {"kind": "gordon1976"}},
        "source": [{"abundances": {"H1": 1.0}, "injection": {"gamma1": 1.99, "gamma2": 2.25}}],
    }
    failures = crtransport.run(tables).attrs["failures"]
    assert "lowest T_min exceeds escape and losses; lower [reacceleration]" in failures


def test_no_share_where_there_is_nothing() -> None:
    """At a momentum at which all densities are 0."""
    run = transport(in_full(galaxy(SLAB)))
    values = run.nuclides[0].values.copy()
    values[3], values[5, 0] = 0.0, -1e-3 * values[5, 0]
    found = negative_densities(run, replace(run.nuclides[0], values=values))
    assert found.number == 1
    assert 0 < found.share <= 1


def test_an_output_that_ends_where_the_grid_does() -> None:
    """Above it the density goes on as expected: reacceleration tells that, to 2e-4 here."""
    change = {
        "network": ["H1"],
        "source": [{"abundances": {"H1": 1.0}}],
        "output.T_max": 1e3,
        "diffusion.D0": 3e28,
    }
    deck = galaxy(SLAB, change | {"modulation.phi": 0.0, "reacceleration.v_alfven": 30.0})
    near, far = (
        estimated(replace(deck, momentum=replace(deck.momentum, T_max=T_max)))
        for T_max in (1e3, 1e5)
    )
    assert "T_max" in near.parts
    assert "T_max" not in far.parts
    error = np.abs(near.flux / far.flux - 1)
    assert 1e-4 < error.max() < near.error.max() < 3 * error.max()


def test_a_smaller_basis_hides_what_a_given_lower_end_changes() -> None:
    """Carbon-14 decays fast: another T_min gives other poles, which changes it by 4e-3."""
    tables = {
        "model": "galaxy",
        "network": ["O16", "C14"],
        "geometry": {"r_h": 20.0, "z_h": 4.0},
        "diffusion": {"kind": "uniform", "D0": 4.5e28, "R0": 4.0, "delta1": 0.48, "eta": -1.0},
        "reacceleration": {"v_alfven": 15.0},
        "momentum": {"T_min": 1e-2, "T_max": 1e5},
        "output": {"T_min": 0.0101, "T_max": 0.99e5},
        "source": [{"abundances": {"O16": 1.0}}],
    }
    found = crtransport.run(tables)
    assert "functions" in found.attrs["refined"]
    assert found.attrs["error_estimate"] <= found.attrs["error_tolerance"]


def test_where_the_lowest_momenta_matter_and_cannot_be_lower_reacceleration_is_named() -> None:
    weak = {"diffusion.D0": 1e22, "network": ["C12"], "momentum.T_min": 1e-4}
    told = crtransport.run(SLAB, weak | {"output.T_max": 10.0}).attrs
    assert told["error_estimate"] > 0.1
    assert "T_min cannot be lower" in told["error_from"]
    assert told["error_from"].endswith("lower [reacceleration], or raise diffusion.D0")
