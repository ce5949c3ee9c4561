"""The levels in ln p: where they lie, and that their spacing costs no order."""

import numpy as np
import pytest

import crtransport
from crtransport.deck.galaxy import GalaxyDeck
from crtransport.deck.load import load_deck
from crtransport.nuclides import nuclide
from crtransport.problems.galaxy_levels import Momenta, make_levels
from crtransport.solvers.levels import GHOSTS


def levels(**momentum: float) -> Momenta:
    deck = load_deck("leaky_box_losses", {f"momentum.{key}": x for key, x in momentum.items()})
    assert isinstance(deck, GalaxyDeck)
    return make_levels(deck, [nuclide("H1")], deck.momentum.per_decade)


@pytest.mark.parametrize("refinement", [1.0, 3.0, 20.0])
def test_the_ends_the_number_and_the_densities(refinement: float) -> None:
    here = levels(refinement=refinement, per_decade=20)
    proton = nuclide("H1")
    ends = np.log(proton.momentum(proton.rigidity(np.array([0.01, 1e5]))))
    assert here.inner[[0, -1]] == pytest.approx(ends, abs=1e-12)
    assert here.n == np.ceil(np.diff(ends)[0] / np.log(10) * 20) + 1
    assert here.number(here.log_p) == pytest.approx(here.extended, abs=1e-10)
    assert here.stretch[-1] / here.stretch[0] == pytest.approx(refinement, rel=1e-2)
    # du/ds against differences
    fine = here.number(here.inner + 1e-5) - here.number(here.inner - 1e-5)
    assert here.stretch[GHOSTS:-GHOSTS] == pytest.approx(2e-5 / fine, rel=1e-8)


def test_order_where_the_spacing_changes() -> None:
    """Losses against escape, around p_refined, by the refined grid itself and its closed form."""
    at = np.array([0.3, 1.0, 3.0, 10.0])

    def flux(per_decade: float, refinement: float) -> np.ndarray:
        changes = {"momentum.per_decade": per_decade, "momentum.refinement": refinement}
        found = crtransport.run("leaky_box_losses", changes | {"output.per_decade": 20}).flux_lis
        return np.asarray(np.exp(np.log(found[0]).interp(kinetic_energy=at)))

    exact = flux(96, 1.0)
    errors = [np.max(np.abs(flux(n, 3.0) / exact - 1)) for n in (12, 24, 48)]
    rates = np.log2(np.array(errors[:-1]) / errors[1:])
    assert np.all(rates > 4.5), (errors, rates)
