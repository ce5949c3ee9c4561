"""Tables of cross sections with thresholds: what is made between the levels, and below them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import crtransport
from crtransport.deck.galaxy import GalaxyDeck
from crtransport.deck.load import load_deck
from crtransport.nuclides import nuclide
from crtransport.physics.nuclear import RATE, Nuclear
from crtransport.problems.galaxy_levels import make_levels
from crtransport.problems.galaxy_momentum import kinematics
from crtransport.problems.galaxy_origin import collisions
from crtransport.problems.galaxy_transport import ordered

NO_LOSSES = {"ionisation": False, "coulomb": False}


@pytest.fixture
def table(tmp_path: Path) -> str:
    """Nothing below 0.188 GeV/n, 30 mb from 0.224 on."""
    path = tmp_path / "step.csv"
    head = "Z_parent,A_parent,Z_child,A_child,s_0.01,s_0.18836,s_0.22387,s_10"
    path.write_text(f"# [GeV/n]\n{head}\n2,4,1,2,0,0,30,30\n", encoding="utf-8")
    return str(path)


def deuterons(table: str, per_decade: float, **tables: Any) -> xr.Dataset:
    deck: dict[str, Any] = {
        "model": "galaxy",
        "network": ["H1", "H2", "He4"],
        "geometry": {"kind": "slab"},
        "nuclear": {"channel_file": table},
        "momentum": {"T_max": 1e4, "per_decade": per_decade},
        "output": {"T_max": 1e3, "per_decade": 8},
        "solver": {"kind": "direct", "order_z": 3},
    }
    return crtransport.run(deck | tables).sel(nuclide="H2")


@pytest.mark.parametrize(
    ("tables", "below", "above"), [({}, 5e-4, 2e-5), ({"losses": NO_LOSSES}, 2e-3, 3e-5)]
)
def test_a_step_costs_accuracy_beside_it_only(
    table: str, tables: dict[str, Any], below: float, above: float
) -> None:
    # where rates are read on the levels: 2e-2 near and below the step, and 2e3 without losses
    right = deuterons(table, 150, **tables).flux_lis
    found = deuterons(table, 16, **tables)
    assert np.all(found.flux_lis > 0)
    error, energy = np.abs(found.flux_lis / right - 1), found.kinetic_energy
    assert error.where((energy > 0.1) & (energy < 0.5)).max() < 2e-2
    assert error.where((energy > 0.025) & (energy < 0.1)).max() < below
    assert error.where(energy > 0.5).max() < above
    finer = deuterons(table, 48, **tables).flux_lis
    assert np.abs(finer / right - 1).max() < error.max() / 20


def test_a_table_without_steps_is_what_it_is_on_the_levels(table: str, tmp_path: Path) -> None:
    flat = tmp_path / "flat.csv"
    rows = Path(table).read_text(encoding="utf-8").replace("0,0,30,30", "30,30,30,30")
    flat.write_text(rows, encoding="utf-8")
    deck = load_deck("galaxy_protons", {"network": ["H1", "H2", "He4"]})
    assert isinstance(deck, GalaxyDeck)
    nuclei = tuple(ordered(deck))
    levels = make_levels(deck, list(nuclei), 16)
    nuclear = Nuclear(channel_file=str(flat))
    parents, children, rates = collisions(nuclear, nuclei, levels, 0.11)
    pair = [(nuclei[i].name, nuclei[j].name) for i, j in zip(parents, children, strict=True)]
    at = kinematics(nuclei, levels)
    sigma = nuclear.production(nuclei[0], nuclide("H2"), at.energy[0], 0.11)
    assert rates[pair.index(("He4", "H2"))] == pytest.approx(RATE * at.beta[0] * sigma, rel=2e-5)
