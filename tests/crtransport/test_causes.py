"""The table of causes for B/C that benchmarks/ prints, and what yuan2025_fig2 says of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks import causes_yuan2025 as causes
from crtransport.measurements.read import load_fluxes_and_ratios
from crtransport.problems.galaxy_answer import Answer
from crtransport.problems.galaxy_transport import transport
from tests.folders import tables_of


def row(changes: causes.Changes) -> causes.Row:
    tables = load_fluxes_and_ratios(causes.TABLES, tables_of("galaxy"))
    deck = causes.solved(changes)
    return causes.table(Answer(deck, transport(deck)), tables)


def test_what_the_deck_says_of_causes() -> None:
    base = row({})
    assert base.chi2 == pytest.approx((0.91, 0.47), abs=0.01)
    each = dict(causes.causes(tables_of("galaxy")))
    for name, told in (
        ("gas: both", -6),
        ("gas: X_CO exponential, 1e20 10^(-0.4 + 0.066 r)", -4),
        ("sources: case1998", -5),
        ("sources: green2015", 3),
    ):
        moved = 100 * (row(each[name]).shown[1] / base.shown[1] - 1)
        assert moved == pytest.approx(told, abs=0.5), name


def test_the_default_grid_has_its_steps_and_its_d_at_nodes() -> None:
    """Of a D that is the same everywhere both forms of the differences are one."""
    light = {"network": ["H1", "He4"], "output": {"T_min": 1.0}, "compare": {}}
    deck = causes.solved(light | {"normalisation.flux": {"H1": 0.0437}})
    setting = causes.on_default_grid(deck)
    r, z = setting.space.grid.coordinates
    np.testing.assert_allclose(np.diff(r), 1.0)
    np.testing.assert_allclose(np.diff(z), 0.1)
    even = replace(deck, diffusion=replace(deck.diffusion, xi=1.0))
    setting = causes.on_default_grid(even)
    moved = causes.at_nodes(even, setting)
    volumes, nodes = (one.space.diffusion[1].matrix for one in (setting, moved))
    assert abs(volumes - nodes).max() < 1e-9 * abs(volumes).max()
