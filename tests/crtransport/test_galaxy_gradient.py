"""Derivatives by the adjoint against differences of whole runs, and duality."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest

import crtransport
from crtransport.deck.galaxy import GalaxyDeck
from crtransport.deck.load import load_deck
from crtransport.deck.schema import resolve
from crtransport.deck.sensitivity import number_at
from crtransport.problems.galaxy_gradient import Adjoint, Fluxes
from crtransport.problems.galaxy_origin import Origin
from crtransport.problems.galaxy_transport import Equations, Resolution, method_of

ENERGY = np.array([0.2, 1.0, 10.0, 100.0])
TABLES: dict[str, Any] = {
    "model": "galaxy",
    "network": ["C12", "B11", "B10", "Be10"],
    "source": [{"abundances": {"C12": 1.0}}],
    "normalisation": {"flux": {"C12": 1e-3}},
    "convection": {"dVdz": 3.0},
    "momentum": {"per_decade": 8, "T_max": 1e4},
    "output": {"T_max": 1e3},
    # smooth, so that few elements do
    "gas": {"H2": {"kind": "bronfman1988"}, "HI": {"kind": "gordon1976"}},
    "nuclear": {"channel_scale": {"C12->B11": 1.1}},
}
SMALL = {"order_r": 3, "order_z": 4, "elements_r": 4}
SOLVERS = {
    "reduced-basis": {"kind": "reduced-basis", "functions": 40} | SMALL,
    "sweep-gmres": {"kind": "sweep-gmres", "linear_rtol": 1e-11} | SMALL,
}
KEYS = (
    "diffusion.D0",
    "diffusion.delta1",
    "diffusion.eta",
    "diffusion.xi",
    "diffusion.h",
    "geometry.z_h",
    "geometry.r_sun",
    "reacceleration.v_alfven",
    "convection.dVdz",
    "source.0.injection.gamma1",
    "source.0.injection.gamma2",
    "nuclear.channel_scale.C12->B11",
    "normalisation.T",
    "gas.helium",
    "source.0.abundances.C12",
)

#: breaks of all kinds, sharp and smooth ones
BROKEN = TABLES | {
    "diffusion": {
        "kind": "uniform",
        "delta2": 0.25,
        "R1": 20.0,
        "smoothness": 0.3,
        "breaks": [{"R": 60.0, "delta": 0.4, "smoothness": 0.0}],
    },
    "source": [
        {
            "abundances": {"C12": 1.0},
            "injection": {
                "kind": "power-law",
                "gamma": 2.0,
                "breaks": [
                    {"R": 9.0, "gamma": 2.4},
                    {"R": 300.0, "gamma": 2.2, "smoothness": 0.2},
                ],
            },
        }
    ],
    "solver": SOLVERS["sweep-gmres"],
}
OF_BREAKS = (
    "diffusion.delta1",
    "diffusion.delta2",
    "diffusion.R1",
    "diffusion.smoothness",
    "diffusion.breaks.0.R",
    "diffusion.breaks.0.delta",
    "source.0.injection.gamma",
    "source.0.injection.breaks.0.R",
    "source.0.injection.breaks.0.gamma",
    "source.0.injection.breaks.1.R",
    "source.0.injection.breaks.1.smoothness",
)


def boron_to_carbon(fluxes: Fluxes) -> float:
    """A smooth function of many fluxes."""
    ratio = np.log((fluxes["B10"] + fluxes["B11"]) / fluxes["C12"])
    return float(ratio @ np.array([0.3, 0.4, 0.2, 0.1]) + 0.1 * np.log(fluxes["C12"][1]))


@cache
def adjoint(solver: str) -> Adjoint:
    deck = load_deck(TABLES | {"solver": SOLVERS[solver]})
    assert isinstance(deck, GalaxyDeck)
    return Adjoint(deck)


@cache
def gradients(solver: str) -> dict[str, float]:
    return adjoint(solver).gradient(ENERGY, boron_to_carbon, KEYS)


def value(key: str) -> float:
    place: Any = resolve(adjoint("reduced-basis").deck)
    for step in key.split("."):
        place = place[int(step)] if isinstance(place, list | tuple) else place[step]
    return float(place)


def difference(of: Any, key: str) -> float:
    """Fourth-order difference of a function of the deck's value."""
    at = value(key)
    step = 2e-3 * at
    f = [of(at + n * step) for n in (1, -1, 2, -2)]
    return float((8 * (f[0] - f[1]) - (f[2] - f[3])) / (12 * step))


def run_again(one: Adjoint, key: str, at: float) -> float:
    """J of another deck on the same scales and functions: what the adjoint is the derivative of."""
    deck = load_deck(one.deck, {key: at})
    assert isinstance(deck, GalaxyDeck)
    space, method = one._space(deck), method_of(deck, Resolution())
    scales = np.array([nuclide.log_scale for nuclide in one.run.nuclides])
    equations, done = Equations(deck, one.run.levels, space, scales), list[Any]()
    values = np.stack([nuclide.values for nuclide in one.run.nuclides])
    for index, nuclide in enumerate(one.run.nuclides):
        origin = Origin(equations.origins, index, done, values)
        problem = equations.problem(index, origin)
        values[index] = method(problem).values
        done.append(replace(nuclide, values=values[index]))
    again = Adjoint.__new__(Adjoint)
    again.deck, again.run = deck, replace(one.run, nuclides=tuple(done))
    return boron_to_carbon(again._fluxes(deck, space, ENERGY))


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("solver", SOLVERS)
def test_it_is_the_derivative(solver: str, key: str) -> None:
    exact = difference(lambda at: run_again(adjoint(solver), key, at), key)
    scale = abs(value(key))
    limit = 1e-7 if solver == "sweep-gmres" else 1e-5
    assert abs(gradients(solver)[key] - exact) * scale < limit


@cache
def broken() -> Adjoint:
    deck = load_deck(BROKEN)
    assert isinstance(deck, GalaxyDeck)
    return Adjoint(deck)


@pytest.mark.parametrize("key", OF_BREAKS)
def test_it_is_the_derivative_by_a_break(key: str) -> None:
    at = number_at(broken().deck, key)
    step = 1e-4 * at
    ends = [run_again(broken(), key, at + x) for x in (step, -step)]
    found = broken().gradient(ENERGY, boron_to_carbon, [key])[key]
    assert abs(found) * at > 1e-6
    assert found * at == pytest.approx((ends[0] - ends[1]) / 2e-4, abs=1e-7)


@pytest.mark.parametrize("key", ["diffusion.D0", "source.0.injection.gamma2", "diffusion.h"])
def test_whole_runs_change_as_it_says(key: str) -> None:
    """Their scales and functions change too, which matters as little as their errors do."""

    def whole(at: float) -> float:
        deck = load_deck(adjoint("reduced-basis").deck, {key: at})
        assert isinstance(deck, GalaxyDeck)
        return boron_to_carbon(Adjoint(deck).fluxes(ENERGY))

    found = gradients("reduced-basis")[key]
    assert found == pytest.approx(difference(whole, key), abs=1e-4 / abs(value(key)))


PARTS = [
    {"kind": "bronfman-wouterloot", "X_CO": {"kind": "exponential"}},
    {"kind": "bronfman-wouterloot", "X_CO": {"kind": "table", "r": [0, 9], "value": [5e19, 1e20]}},
    {"kind": "bronfman-wouterloot"},
]
GAS_KEYS = (
    "gas.scale",
    "gas.H2_scale",
    "gas.HI_scale",
    "gas.HII_scale",
    "gas.H2.parts.0.X_CO.value",
    "gas.H2.parts.0.X_CO.slope",
    "gas.H2.parts.1.X_CO.value.1",
    "gas.H2.parts.2.X_CO.value",
)


@cache
def tabulated() -> tuple[Adjoint, dict[str, float]]:
    tables = TABLES | {"gas": {"H2": {"kind": "sum", "parts": PARTS}}}
    deck = load_deck(tables | {"solver": SOLVERS["reduced-basis"]})
    assert isinstance(deck, GalaxyDeck)
    one = Adjoint(deck)
    return one, one.gradient(ENERGY, boron_to_carbon, GAS_KEYS)


@pytest.mark.parametrize("key", GAS_KEYS)
def test_gas_by_differences(key: str) -> None:
    one, found = tabulated()
    at: Any = resolve(one.deck)
    for step in key.split("."):
        at = at[int(step)] if isinstance(at, list | tuple) else at[step]
    step = 2e-3 * at
    f = [run_again(one, key, at + n * step) for n in (1, -1, 2, -2)]
    exact = float((8 * (f[0] - f[1]) - (f[2] - f[3])) / (12 * step))
    assert abs(found[key]) * at > 1e-3
    assert found[key] == pytest.approx(exact, abs=1e-5 / at)


def test_a_number_that_is_all_but_zero() -> None:
    """A relative step of it would be lost in rounding."""
    found = []
    for eta in (0.0, 1e-16, 1e-9):
        deck = TABLES | {"diffusion": {"eta": eta}, "solver": SOLVERS["reduced-basis"]}
        found.append(crtransport.gradient(deck, ENERGY, boron_to_carbon, ["diffusion.eta"]))
    zero, *others = (one["diffusion.eta"] for one in found)
    assert abs(zero) > 1e-3
    assert others == pytest.approx([zero] * 2, rel=1e-6)


@pytest.mark.parametrize(
    ("solver", "limit"), [("reduced-basis", 1e-6), ("sweep-gmres", 1e-9), ("direct", 1e-12)]
)
def test_a_dot_product_gives_what_is_seen(solver: str, limit: float) -> None:
    """λᵀ q = J for a flux that is linear in the sources."""
    tables = {key: table for key, table in TABLES.items() if key != "normalisation"}
    tables |= {"momentum": {"per_decade": 6, "T_max": 1e3}, "output": {"T_max": 1e2}}
    deck = load_deck(tables | {"solver": SOLVERS.get(solver, {"kind": solver} | SMALL)})
    assert isinstance(deck, GalaxyDeck)
    one = Adjoint(deck)
    flux = one.fluxes(ENERGY)["B11"][2]
    response = one.response(ENERGY, lambda fluxes: float(fluxes["B11"][2] / flux))
    seen = 0.0
    for nuclide in one.run.nuclides:
        load = nuclide.origin.emitted(nuclide.log_scale)
        seen += float(np.sum(response[nuclide.nucleus.name] * load))
    assert abs(seen - 1) < limit


def test_from_the_package() -> None:
    deck = TABLES | {"solver": SOLVERS["reduced-basis"]}
    found = crtransport.gradient(deck, ENERGY, boron_to_carbon, ["diffusion.D0"])
    assert found["diffusion.D0"] == pytest.approx(gradients("reduced-basis")["diffusion.D0"])


@pytest.mark.parametrize(
    ("changes", "key", "message"),
    [
        ({}, "diffusion.D1", "the deck has nothing there"),
        ({}, "diffusion.kind", "is no number"),
        ({}, "output.T_min", "by numbers of convection"),
        ({}, "modulation.phi", "by numbers of convection"),
        (
            {"solver": {"kind": "split-cn", "cells_r": 8, "cells_z": 8}},
            "diffusion.D0",
            "no adjoint",
        ),
        (
            {
                "source": [{"abundances": {"C12": 1, "B11": 1}}],
                "normalisation": {"flux": {"C12": 1, "B11": 1}},
            },
            "diffusion.D0",
            "each by itself is not linear",
        ),
    ],
)
def test_what_cannot_be_is_refused(changes: dict[str, Any], key: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        crtransport.gradient(
            TABLES | {"solver": SOLVERS["reduced-basis"]} | changes, ENERGY, boron_to_carbon, [key]
        )


def test_a_cutoff_far_below_the_end_of_the_momenta() -> None:
    """Where nothing is left of a source, a change of its cutoff changes nothing."""
    tables = {
        "model": "galaxy",
        "network": ["C12"],
        "geometry": {"kind": "slab"},
        "source": [{"abundances": {"C12": 1.0}, "injection": {"R_c": 1e3}}],
        "output": {"T_max": 100.0},
    }
    at, key = np.array([100.0]), "source.0.injection.R_c"
    slope = crtransport.gradient(tables, at, lambda f: float(np.log(f["C12"][0])), [key])[key]
    up, down = (
        crtransport.run(tables, {key: 1e3 * (1 + step)}).flux_lis.values[0, -1]
        for step in (0.01, -0.01)
    )
    assert 1e3 * slope == pytest.approx(np.log(up / down) / 0.02, rel=2e-3)
