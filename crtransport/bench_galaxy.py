"""Error against cost of the galaxy's solvers: protons in the two-halo medium."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crtransport.deck.galaxy import GalaxyDeck
from crtransport.deck.load import load_deck
from crtransport.problems.galaxy_answer import Answer, energies
from crtransport.problems.galaxy_transport import transport
from crtransport.solvers.problem import FieldProblem
from crtransport.solvers.split_cn import solve_split_cn
from crtransport.solvers.sweep_gmres import solve_sweep

Array = NDArray[np.float64]
Case = tuple[str, str, int, Callable[[], tuple[int, float]]]

_DECK: dict[str, Any] = {
    "model": "galaxy",
    "network": ["H1"],
    "source": [{"abundances": {"H1": 1.0}}],
}
_FINE: dict[str, Any] = {"kind": "sweep-gmres", "order_r": 7, "order_z": 8}
_CELLS: dict[str, Any] = {"kind": "sweep-gmres", "discretisation": "finite-volume"}
#: Myr: from 1e9 to 1e2 yr, each a quarter of the one before
_SCHEDULE = (1e3, 0.25, 1e-4)


def cases() -> Iterator[Case]:
    """(problem, method, resolution, run) of the galaxy's benchmarks."""
    for levels in (8, 12, 16, 24):
        tables: dict[str, Any] = {"momentum": {"per_decade": levels}}
        yield "galaxy-protons", "reduced-basis", levels, partial(_protons, tables)
        swept = tables | {"solver": {"kind": "sweep-gmres"}}
        yield "galaxy-protons", "sweep-gmres", levels, partial(_protons, swept)
    for cells in (20, 40):
        grid = _CELLS | {"cells_r": cells, "cells_z": cells}
        yield "galaxy-protons", "finite-volume", cells, partial(_protons, {"solver": grid})
    yield "galaxy-cells", "sweep-gmres", 0, _cells_sweep
    for repeats in (20, 80):
        for place, where in (("sun", True), ("anywhere", False)):
            run = partial(_cells_split, repeats, where)
            yield f"galaxy-cells-{place}", "split-cn", repeats, run


def _deck(tables: dict[str, Any]) -> GalaxyDeck:
    deck = load_deck(_DECK | tables)
    assert isinstance(deck, GalaxyDeck)
    return deck


def _fluxes(tables: dict[str, Any]) -> tuple[int, Array]:
    """Unknowns, and the interstellar flux of protons from 20 MeV to 1e6 GeV."""
    deck = _deck(tables)
    answer = Answer(deck, transport(deck))
    return answer.run.unknowns, answer.interstellar("H1", energies(deck))


@cache
def _reference() -> Array:
    # sweeps converge slowly where levels are denser
    fine = {"momentum": {"per_decade": 60, "refinement": 1}, "solver": _FINE}
    return _fluxes(fine)[1]


def _protons(tables: dict[str, Any]) -> tuple[int, float]:
    """Largest error of the flux at the Sun against a finer grid of higher order."""
    unknowns, flux = _fluxes(tables)
    return unknowns, float(np.max(np.abs(flux / _reference() - 1)))


@cache
def _on_cells() -> tuple[FieldProblem, Array, Array]:
    """Protons on 40 by 40 cells, their exact discrete solution, and the weights of the Sun."""
    tables = {"momentum": {"order": 1}, "solver": _CELLS}
    run = transport(_deck(tables))
    return run.nuclides[0].problem, run.nuclides[0].values, run.space.sun


def _cells_sweep() -> tuple[int, float]:
    """Cost of the exact discrete solution; its residual."""
    problem = _on_cells()[0]
    return problem.source.size, solve_sweep(problem).residual


def _cells_split(repeats: int, at_sun: bool) -> tuple[int, float]:
    """Where the classic schedule stops: error at the Sun, or anywhere relative to its level."""
    problem, exact, sun = _on_cells()
    found = solve_split_cn(problem, *_SCHEDULE, repeats).values
    if at_sun:
        return problem.source.size, float(np.max(np.abs(found @ sun / (exact @ sun) - 1)))
    level = np.max(np.abs(exact), axis=1, keepdims=True)
    seen = exact > 1e-3 * level
    return problem.source.size, float(np.max(np.abs(found / exact - 1)[seen]))
