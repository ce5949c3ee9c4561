"""Elements and cells of the Galaxy follow what is thin, and what they tell of their error holds."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import quad

import crtransport
from crtransport.analytic.galaxy_slab import two_halo_resistance
from crtransport.deck.galaxy import GalaxyDeck
from crtransport.deck.load import load_deck
from crtransport.problems.galaxy_grid import make_grid
from crtransport.problems.galaxy_space import Space, make_space

Array = NDArray[np.float64]

#: a slab of protons from a thin disk, without gas, losses and reacceleration
BARE: dict[str, Any] = {
    "model": "galaxy",
    "network": ["H1"],
    "geometry": {"kind": "slab"},
    "gas": {phase: {"kind": "none"} for phase in ("H2", "HI", "HII")},
    "reacceleration": {"v_alfven": 0.0},
    "source": [{"abundances": {"H1": 1.0}, "vertical": {"kind": "thin-disk"}}],
    "momentum": {"T_min": 0.01, "T_max": 1e4, "per_decade": 8},
    "output": {"T_min": 0.02, "T_max": 1e3, "per_decade": 4},
    "modulation": {"phi": 0.0},
    "solver": {"kind": "direct"},
}


def deck(**tables: Any) -> GalaxyDeck:
    found = load_deck({**BARE, **tables})
    assert isinstance(found, GalaxyDeck)
    return found


def space(**tables: Any) -> Space:
    return make_space(deck(**tables))


def at_sun(**tables: Any) -> float:
    """ψ for a D of 1, with diffusion alone: half of the sheet times ∫ dz/f."""
    here = space(**tables)
    return float(here.sun @ here.typical)


def emitting(vertical: dict[str, Any], **abundances: float) -> list[dict[str, Any]]:
    return [{"abundances": abundances or {"H1": 1.0}, "vertical": vertical}]


@pytest.mark.parametrize("z_h", [0.5, 4.0, 15.0])
@pytest.mark.parametrize("xi", [1e-4, 0.003, 0.01, 0.1, 0.7])
def test_slow_layers_of_all_heights_have_their_resistance(xi: float, z_h: float) -> None:
    for h in (0.002, 0.005, 0.01, 0.03, 0.1, 0.45, 1.0):
        medium = {"kind": "two-halo", "xi": xi, "h": h}
        found = at_sun(geometry={"kind": "slab", "z_h": z_h}, diffusion=medium)
        assert found == pytest.approx(float(two_halo_resistance(z_h, xi, h)) / 2, rel=5e-6), h


@pytest.mark.parametrize(
    "medium",
    [
        {"kind": "exponential", "z_t": 0.25},
        {"kind": "exponential", "z_t": 1.0},
        {"kind": "table", "z": [0.0, 1.0], "f": [0.001, 1.0]},
        {"kind": "table", "z": [0.0, 0.02, 2.0, 2.01], "f": [1.0, 0.01, 0.01, 1.0]},
        {"kind": "table", "z": [0.0, 3.0], "f": [1.0, 1e-4]},
    ],
)
def test_other_shapes_of_diffusion_have_their_resistance(medium: dict[str, Any]) -> None:
    here = deck(diffusion=medium)
    knots = [0.0, *(z for z in here.diffusion.kinks()[1] if 0 < z < 4), 4.0]
    exact = sum(
        quad(lambda z: 1 / here.diffusion.shape(np.array(z)), a, b, epsrel=1e-10, limit=500)[0]
        for a, b in pairwise(knots)
    )
    assert at_sun(diffusion=medium) == pytest.approx(exact / 2, rel=1e-5)


def column(here: GalaxyDeck, density: Callable[[Array, Array], Array]) -> float:
    """∫ density dz at the Sun by the points of a deck's elements."""
    axis = make_grid(here).axes[-1]
    sun = np.full_like(axis.points, here.geometry.r_sun)
    return float(axis.weights @ density(sun, axis.points))


@pytest.mark.parametrize("scale", [0.005, 0.02, 0.1, 1.0])
def test_layers_of_sources_and_gas_have_their_column(scale: float) -> None:
    exact = scale * -np.expm1(-4.0 / scale)
    here = deck(source=emitting({"kind": "exponential", "scale": scale}))
    emitted = column(here, lambda r, z: here.source[0].density(r, z, 8.5))
    assert emitted == pytest.approx(exact, rel=1e-5)
    none = {phase: {"kind": "none"} for phase in ("H2", "HII")}
    here = deck(gas={"HI": {"kind": "exponential", "n0": 2.0, "z_scale": scale}, **none})
    assert column(here, here.gas.neutral) == pytest.approx(2 * exact, rel=1e-5)
    rings = {"kind": "table", "r": [0, 20], "n": [1.0, 1.0], "z_half": [scale, scale]}
    here = deck(gas={"HI": rings, **none})
    gauss = quad(lambda z: np.exp(-np.log(2) * (z / scale) ** 2), 0, min(4, 12 * scale))[0]
    assert column(here, here.gas.neutral) == pytest.approx(gauss, rel=1e-4)


def test_the_gas_of_the_surveys_has_its_column() -> None:
    here, sun = deck(gas={}), np.array(8.5)
    for part in (here.gas.neutral, here.gas.ionised):
        exact = quad(lambda z, of=part: float(of(sun, np.array(z))), 0, 4, limit=200)[0]
        assert column(here, part) == pytest.approx(exact, rel=1e-4)


def test_narrow_sources_steep_ones_and_rings_of_diffusion_are_followed_in_r() -> None:
    cases: list[dict[str, Any]] = [
        {"source": [{"abundances": {"H1": 1.0}, "radial": radial}]}
        for radial in (
            {"kind": "power-exponential", "a": 2.0, "b": 20.0},
            {"kind": "table", "r": [8.0, 8.2, 8.3], "q": [0.0, 1.0, 0.0]},
        )
    ]
    ring = {"kind": "table", "r": [0, 7, 7.5, 9, 20], "f": [1, 1, 0.1, 1, 1]}
    cases += [{"diffusion": {"kind": "uniform", "radial": ring}}]
    cylinder = {"geometry": {"z_h": 0.5, "r_h": 14.0}}
    for case in cases:
        found = at_sun(**cylinder, **case)
        finer = {"kind": "direct", "order_r": 8}
        assert found == pytest.approx(at_sun(**cylinder, **case, solver=finer), rel=3e-5)


#: without the kinks of tables
SMOOTH_GAS = {"gas.H2": {"kind": "bronfman1988"}, "gas.HI": {"kind": "gordon1976"}}


def test_nothing_thin_no_more_elements() -> None:
    def counts(name: str, **changes: Any) -> list[int]:
        loaded = load_deck(name, changes | SMOOTH_GAS)
        assert isinstance(loaded, GalaxyDeck)
        return [len(axis.edges) - 1 for axis in make_grid(loaded).axes]

    assert counts("yuan2025_fig2") == [8, 4]
    assert counts("yuan2025_fig2", **{"diffusion.h": 0.01}) == [8, 7]
    assert counts("yuan2025_fig2", **{"diffusion.h": 0.01, "diffusion.xi": 1.0}) == [8, 4]


def fluxes(**tables: Any) -> tuple[Array, Array]:
    """[nuclide, energy] and what is told of them."""
    found = crtransport.run({**BARE, **tables})
    return found.flux_lis.values, found.flux_lis_rel_error.values


HARD: dict[str, dict[str, Any]] = {
    "thin and slow": {"diffusion": {"h": 0.01, "xi": 0.01}},
    "losses in a slow disk": {
        "diffusion": {"h": 0.5, "xi": 0.003},
        "source": emitting({"kind": "thin-disk"}, H1=1.0, Fe56=1.0),
    },
    "slow at low energies": {"diffusion": {"kind": "uniform", "D0": 5e27, "eta": 0.9}},
    "wind out of the top": {
        "diffusion": {"kind": "uniform", "D0": 2e28, "eta": 0.8},
        "convection": {"V0": 10.0, "dVdz": 5.0},
    },
    "thin sources": {"source": emitting({"kind": "exponential", "scale": 0.005})},
    "strong waves": {
        "diffusion": {"h": 0.3, "xi": 0.005},
        "reacceleration": {"v_alfven": 50.0},
    },
}


@pytest.mark.parametrize("name", HARD)
def test_the_default_order_is_right_to_its_estimate(name: str) -> None:
    tables = {"network": ["H1"], "gas": {}, **HARD[name]}
    if "Fe56" in str(tables):
        tables["network"] = ["H1", "Fe56"]
    found, told = fluxes(**tables)
    right, _ = fluxes(**tables, solver={"kind": "direct", "order_z": 14})
    error = np.abs(found / right - 1)
    assert np.all(error <= told + 1e-6)
    # of energies of which the flux is not all from above
    assert error[0, 1:].max() < 3e-5
    assert error[:, 1:].max() < 1e-4


def test_a_thin_slow_layer_in_the_gas() -> None:
    source = [
        {
            **emitting({"kind": "thin-disk"}, H1=1e-13)[0],
            "injection": {"kind": "power-law", "gamma": 2.3},
        }
    ]
    tables: dict[str, Any] = {
        "gas": {"H2": {"kind": "bronfman1988"}, "HI": {"kind": "gordon1976"}},
        "diffusion": {"h": 0.01, "xi": 0.01},
        "source": source,
        "momentum": {"T_min": 0.1, "T_max": 1e4},
        "output": {"T_min": 1.0, "T_max": 1e3, "per_decade": 1},
    }
    found, told = fluxes(**tables)
    # order_z = 20 gives 4.5207775e5, 800 finite volumes 4.52070e5
    assert found[0, 0] == pytest.approx(4.520777e5, rel=3e-6)
    assert np.max(told) < 1e-4
    cells = {"kind": "direct", "discretisation": "finite-volume", "cells_z": 80}
    other, told = fluxes(**tables, solver=cells)
    assert np.abs(other / found - 1).max() < np.max(told) < 1e-3


def test_a_coarser_grid_of_cells_is_another_between_any_two_knots() -> None:
    medium = {"kind": "table", "z": [0.0, 2.0, 2.05, 3.0], "f": [1.0, 1.0, 0.01, 1.0]}
    here = deck(
        geometry={"z_h": 4.0},
        diffusion=medium,
        solver={"kind": "direct", "discretisation": "finite-volume"},
    )
    fine, coarse = make_grid(here), make_grid(here, coarse=True)
    for axis, other in zip(fine.axes, coarse.axes, strict=True):
        assert np.array_equal(axis.nodes[::2], other.nodes)
    assert {2.0, 2.05, 3.0} <= set(coarse.axes[1].nodes)
    assert 8.5 in coarse.axes[0].nodes


def test_elements_of_another_deck_move_with_its_knots() -> None:
    base = deck(diffusion={"kind": "table", "z": [0.0, 1.0], "f": [0.1, 1.0]})
    other = deck(
        geometry={"kind": "slab", "z_h": 8.0},
        diffusion={"kind": "table", "z": [0.0, 0.5], "f": [0.001, 1.0]},
    )
    own, moved = make_grid(base).axes[0].edges, make_grid(other, like=base).axes[0].edges
    assert len(moved) == len(own)
    assert {0.0, 0.5, 8.0} <= set(moved)
    assert moved[own < 1.0] == pytest.approx(own[own < 1.0] / 2, rel=1e-14)


def test_the_sun_may_move_away_from_a_kink() -> None:
    rings = {"kind": "table", "r": [0, 8.5, 20], "n": [1, 0.6, 0], "z_half": [0.1] * 3}
    base = deck(geometry={}, gas={"HI": rings})
    for r_sun in (8.4, 8.6):
        moved = make_grid(deck(geometry={"r_sun": r_sun}, gas={"HI": rings}), like=base).axes[0]
        assert len(moved.edges) == len(make_grid(base).axes[0].edges)
        assert r_sun in moved.edges


def test_a_derivative_where_the_number_of_elements_changes() -> None:
    # 0.15 kpc × 27: a little higher, and there is one element more
    tables = {**BARE, "sensitivity": {"of": ["H"], "by": ["geometry.z_h"], "at": [10.0]}}
    counts = [
        len(make_grid(deck(geometry={"kind": "slab", "z_h": z_h})).axes[0].edges)
        for z_h in (4.0499, 4.0501)
    ]
    assert counts[0] != counts[1]
    found = crtransport.run({**tables, "geometry": {"kind": "slab", "z_h": 4.05}})
    assert found.sensitivity.item() > 0.5
