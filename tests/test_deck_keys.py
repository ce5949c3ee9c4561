"""Every numeric key of the schema changes the answer of some shipped deck."""

import dataclasses
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import xarray as xr

import crtransport
from crtransport.deck.errors import DeckError
from crtransport.deck.load import load_deck
from crtransport.deck.read import shipped
from crtransport.deck.schema import DECKS, Deck, items, keys, members, tables, values
from crtransport.measurements import MeasurementError
from crtransport.run import FROM_TABLES
from crtransport.solvers.errors import ConvergenceError
from crtransport.units import Count, Quantity
from tests.folders import tables_of

# media of the galaxy that no shipped deck needs, and the other ways to solve it, on few points
FEW = {"momentum.T_max": 1e3, "momentum.per_decade": 4, "output.T_max": 1e3, "output.maps": False}
#: breaks, of which the smooth one comes first
BREAKS: dict[str, Any] = {
    "delta2": 0.2,
    "R1": 100.0,
    "breaks": [{"R": 300.0, "delta": 0.4, "smoothness": 0.3}],
}
INJECTION = {
    "kind": "power-law",
    "gamma": 2.3,
    "breaks": [{"R": 10.0, "gamma": 2.4, "smoothness": 0.3}],
}
SMOOTH = {
    "diffusion": {"kind": "exponential", "radial": {"kind": "exponential", "length": 20.0}}
    | BREAKS,
    "source.0.injection": INJECTION,
    "gas": {
        "HI": {"kind": "exponential", "n0": 1.0},
        "H2": {"kind": "table", "r": [0.0, 9.0, 20.0], "n": [2, 1, 0.1], "z_half": [0.1, 0.1, 0.2]},
        "HII": {"kind": "uniform", "n0": 0.02},
    },
    "source.0.radial": {"kind": "table", "r": [0.0, 5.0, 20.0], "q": [1.0, 2.0, 0.1]},
    "solver": {"kind": "direct", "order_r": 3, "order_z": 3, "elements_r": 10},
}
TABLES = {
    "diffusion": {
        "kind": "table",
        "z": [0.0, 0.5, 2.0],
        "f": [0.2, 0.5, 1.0],
        "radial": {"kind": "table", "r": [0.0, 8.0, 20.0], "f": [2.0, 1.0, 0.5]},
    }
    | BREAKS,
    "solver": {"discretisation": "finite-volume", "cells_r": 8, "cells_z": 8},
}
CELLS = {
    "solver": {"kind": "direct", "discretisation": "finite-volume", "cells_r": 8, "cells_z": 8}
}
MARCH = {"solver": {"kind": "split-cn", "cells_r": 8, "cells_z": 8}}
# with reacceleration, without which this deck needs no iterations
SWEEP = {
    "reacceleration.v_alfven": 30.0,
    "solver": {"kind": "sweep-gmres", "order_r": 3, "order_z": 3, "elements_r": 3},
}
SWEEP_CELLS = {"solver": CELLS["solver"] | {"kind": "sweep-gmres"}}
WAYS = (SMOOTH, TABLES, CELLS, MARCH, SWEEP, SWEEP_CELLS)

X_CO: list[dict[str, Any]] = [
    {"kind": "exponential"},
    {"kind": "table", "r": [0.0, 9.0], "value": [5e19, 1e20]},
]
PARTS = [{"kind": "bronfman-wouterloot", "X_CO": law} for law in X_CO]

FEW_SOURCES = {
    "medium": "uniform",
    "z_h": None,
    "population.realisations": 2,
    "population.age_max": 2e6,
    "output.brightest": 2,
}

AGES: dict[str, Any] = {"key": "local_source.0.age", "min": 1e5, "max": 1e6}
GRID = {"scan": {"keep": ["dipole"], "parameter": [AGES | {"number": 3}]}}
SAMPLE = {"scan": {"keep": ["dipole"], "parameter": [AGES], "sample": {"number": 4}}}

# the shipped decks, cheap ones first, one by the other solver, one with a slope that varies
COARSE = {"solver.kind": "finite-difference", "solver.cells": 80, "solver.steps": 40}
# the first again; those with every nuclide or of many points, whose keys the others have
LONG = {"malkov2023_fig4", "galaxy_light", "yuan2025_fig2", "local_population"}
LONG |= {"scan_galaxy_halo", "yuan2025_fig2_fit"}
# few permutations and simulations of the decks that run on tables
CLUSTERS = {"song2021_correlations": {"correlations.permutations": 1000}}
CLUSTERS |= {"song2021_spectra": {"spectra.simulations": 10}}
# few points of a profile, one prediction, few starts
BUMP = {"profile.a": [0.5], "prediction.tables": ["AMS-02_He_rigidity"]}
# ends of ranges within those of the first tables
BUMP |= {"data.0.R_max": 1000.0, "prediction.R_end": 1000.0}
FITTED = {"malkov2023_fig1": BUMP, "yuan2025_fig1": {"starts": 2}}
SHARED = {"data.0.systematics": {"kind": "correlated", "length": 0.5, "stat_length": 0.1}}
VARIANTS: list[tuple[str, dict[str, Any]]] = [
    ("malkov2023_fig4", {}),
    ("malkov2023_fig4", COARSE | {"solver.cells": 400, "solver.steps": 200, "solver.rtol": 0.1}),
    *((name, (CLUSTERS | FITTED).get(name, {})) for name in sorted(shipped()) if name not in LONG),
    ("malkov2023_fig1", BUMP | SHARED),
    ("flux_tube_varying", {"tube.variation.slope": [1.5, 1.6, 1.5]}),
    *(("cylinder_bessel", FEW | changes) for changes in WAYS),
    ("slab_secondary", {"gas.HI": {"kind": "sum", "parts": PARTS}}),
    ("burst_geminga", {"medium": "two-zone", "bubble": {"radius": 0.05, "factor": 0.1}}),
    ("burst_geminga", {"local_source.0.duration": 1e5, "gas": {"density": 1.0}}),
    ("burst_geminga", {"local_source.0.alphas": {"He": 2.2}}),
    ("burst_geminga", {"local_source.0.cutoffs": {"He": 6e4}}),
    ("burst_two_halo", {"gas": {"density": 1.0, "half_thickness": 0.1}}),
    ("local_population", FEW_SOURCES),
    ("slab_unstable", {"nuclear.half_lives": {"Be10": 1.4}}),
    ("galaxy_boron", {"nuclear.channel_scale": {"C12->B11": 1.1}}),
    *(("burst_geminga", scan) for scan in (GRID, SAMPLE)),
]

# keys of the tables of space that a march, on finite volumes only, refuses
EXEMPT = {f"SplitCrankNicolson.{key}" for key in ("order_r", "order_z", "elements_r")}
# without measured tables there is no χ²
EXEMPT |= {"CompareGalaxy.R_min"}
# a catalogue needs a file: tests/crtransport/test_catalogue.py sees to its keys
EXEMPT |= {f"Catalogue.{key}" for key in ("alpha", "R_c", "W", "threshold")}
# fits take minutes: tests/crtransport/test_fit_deck.py sees to their keys
EXEMPT |= {f"FitData.{key}" for key in ("x_min", "x_max", "norm_error", "energy_error")}
EXEMPT |= {f"Correlated.{key}" for key in ("length", "stat_length")}
EXEMPT |= {"FitTable.starts", "FitTable.seed", "EnsembleSampler.steps", "EnsembleSampler.walkers"}
EXEMPT |= {"NestedSampler.live", "NestedSampler.tolerance"}


def numeric_keys() -> list[str]:
    """``Table.key`` of each number, or array of numbers, that a deck may hold."""
    found = []
    for table in tables(*DECKS.values()):
        for key, annotation in keys(table).items():
            inner = items(annotation)
            inner = values(annotation) if inner is None else inner
            for member in members(annotation if inner is None else inner):
                metadata = getattr(member, "__metadata__", ())
                if any(isinstance(item, Quantity | Count) for item in metadata):
                    found.append(f"{table.__name__}.{key}")
    return list(dict.fromkeys(found))


def numbers(value: Any, path: str = "", key: str = "") -> Iterator[tuple[str, str, float]]:
    """``Table.key``, dotted path and value of each number in a deck."""
    if dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            inside = f"{path}.{field.name}".lstrip(".")
            name = f"{type(value).__name__}.{field.name}"
            yield from numbers(getattr(value, field.name), inside, name)
    elif isinstance(value, tuple | dict):
        for i, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from numbers(item, f"{path}.{i}", key)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield key, path, value


def neighbours(value: float) -> list[float]:
    """What to try in place of a value, until the deck allows it and the answer changes."""
    if isinstance(value, int):
        return [value + 2, value - 2, 2 * value, value - 1]
    if value == 0:
        return [0.1, 0.01]
    small = [0.1, value * 1e3] if value < 1e-3 else [value * 1e-4]
    return [value * 0.9, value * 1.1, *small]


def run(deck: Deck, overrides: dict[str, Any] | None = None) -> xr.Dataset:
    if deck.model not in FROM_TABLES:
        return crtransport.run(deck, overrides)
    return crtransport.run(deck, overrides, tables_of(deck.model))


@cache
def variant(index: int) -> tuple[Deck, xr.Dataset]:
    deck = load_deck(*VARIANTS[index])
    return deck, run(deck)


def changes(index: int, path: str, value: float) -> bool:
    """Whether any other value changes any variable of the answer."""
    deck, before = variant(index)
    for other in neighbours(value):
        try:
            after = run(deck, {path: other})
        except (DeckError, ConvergenceError, MeasurementError):
            continue
        if differs(after, before):
            return True
    return False


def differs(a: xr.Dataset, b: xr.Dataset) -> bool:
    """Whether two answers differ, or the verdict on their accuracy does."""
    passed = [d.attrs["error_estimate"] <= d.attrs["error_tolerance"] for d in (a, b)]
    # the points of a scan tell how long they took
    one, other = (d.drop_attrs().drop_vars("cpu_seconds", errors="ignore") for d in (a, b))
    return passed[0] != passed[1] or not one.identical(other)


@pytest.mark.parametrize("key", [key for key in numeric_keys() if key not in EXEMPT])
def test_key_changes_the_answer(key: str) -> None:
    if key.startswith("InverseCompton."):
        pytest.importorskip("naima", reason="left out without naima: the extra clusters")
    tried = []
    for index, (name, overrides) in enumerate(VARIANTS):
        found = [(p, v) for k, p, v in numbers(load_deck(name, overrides)) if k == key]
        # two, as a table must begin at 0
        for path, value in found[:2]:
            tried.append(f"{name} {overrides or ''}")
            if changes(index, path, value):
                return
    pytest.fail(f"{key} changes nothing in {tried}" if tried else f"no shipped deck has {key}")


def test_a_key_without_effect_would_be_found() -> None:
    deck, before = variant(0)
    after = crtransport.run(deck, {"title": "another"})
    assert not differs(after, before)
