"""Error against cost of the solvers on problems with a known answer.

The short form of what ``benchmarks/`` does at length; both print the same rows.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from crtransport import bench_burst, bench_galaxy
from crtransport.analytic.flux_tube import tabulated_rates, taylor_displacement
from crtransport.deck.flux_tube import FiniteDifference, FluxTubeDeck, FluxTubeOutput
from crtransport.errors import require_known
from crtransport.physics.flux_tube import Emission, Loss, Pulse
from crtransport.physics.scattering import Scattering
from crtransport.problems.flux_tube import solve_steady
from crtransport.problems.pitch_angle import (
    cell_axis,
    coordinate,
    dimensionless,
    spectral_axis,
    spectral_matrices,
)
from crtransport.problems.pulse import solve_pulse
from crtransport.problems.tube_cells import cell_rates
from crtransport.solvers.eigen import decay_modes


@dataclass(frozen=True, kw_only=True)
class Row:
    """One solver at one resolution.

    Attributes
    ----------
    name : str
        problem/method/resolution.
    problem, method : str
    unknowns : int
    cpu_s, wall_s : float
        Least of several warm runs, this process, s.
    error : float
        Relative, against the reference.
    """

    name: str
    problem: str
    method: str
    unknowns: int
    cpu_s: float
    wall_s: float
    error: float


Case = tuple[str, str, int, Callable[[], tuple[int, float]]]


def measure(names: Sequence[str] = (), repeats: int = 3) -> list[Row]:
    """Run the benchmarks whose names begin with one of ``names``; all by default.

    Raises
    ------
    UnknownNameError
        For a name that no benchmark begins with.
    """
    cases = {
        f"{problem}/{method}/{size}": (problem, method, run)
        for problem, method, size, run in _cases()
    }
    require_known(names, cases, "benchmark")
    return [
        _measure(name, *case, repeats)
        for name, case in cases.items()
        if not names or name.startswith(tuple(names))
    ]


def _measure(
    name: str, problem: str, method: str, run: Callable[[], tuple[int, float]], repeats: int
) -> Row:
    run()  # compiles kernels and fills caches
    cpu, wall = [], []
    for _ in range(repeats):
        start, begin = time.process_time(), time.perf_counter()
        unknowns, error = run()
        cpu.append(time.process_time() - start)
        wall.append(time.perf_counter() - begin)
    return Row(
        name=name,
        problem=problem,
        method=method,
        unknowns=unknowns,
        cpu_s=min(cpu),
        wall_s=min(wall),
        error=error,
    )


def _cases() -> Iterator[Case]:
    """(problem, method, resolution, run) of every benchmark."""
    for order in (10, 12, 16, 20, 24, 32):
        yield "eigenvalues", "spectral", order, partial(_spectral_rates, order)
    for cells in (50, 100, 200, 400, 1600, 6400, 25600):
        yield "eigenvalues", "finite-difference", cells, partial(_cell_rates, cells)
    yield "anisotropy", "spectral", 0, _spectral_anisotropy
    for cells in (50, 100, 200):
        yield "anisotropy", "finite-difference", cells, partial(_cell_anisotropy, cells)
    yield "pulse", "spectral", 0, partial(_pulse, None)
    for cells in (20, 40, 80):
        yield "pulse", "finite-difference", cells, partial(_pulse, cells)
    yield from bench_burst.cases()
    yield from bench_galaxy.cases()


_MEDIUM = dimensionless(1.5, 1e-6, "constant-in-chi")


def _rates_error(rates: np.ndarray) -> float:
    """Largest relative error of Λ₀ … Λ₄ for q = 3/2, V = 1e-6."""
    reference = tabulated_rates(1.5, 1e-6, "constant-in-chi", 5)
    return float(np.max(np.abs(rates[:5] / reference - 1)))


def _spectral_rates(order: int) -> tuple[int, float]:
    where = coordinate(_MEDIUM.scattering)
    axis = spectral_axis(where, order, 0)
    rates = decay_modes(*spectral_matrices(_MEDIUM, where, axis)).up_rates
    return axis.n_functions, _rates_error(rates)


def _cell_rates(cells: int) -> tuple[int, float]:
    where = coordinate(_MEDIUM.scattering)
    axis = cell_axis(where, cells, smooth=True)
    return cells, _rates_error(cell_rates(_MEDIUM, where, axis, 5))


def _fig4_deck() -> FluxTubeDeck:
    return FluxTubeDeck(
        model="flux-tube",
        loss=_MEDIUM.loss,
        source=Emission(even=(1.0, 0.0, 0.0, 0.01)),
        output=FluxTubeOutput(zeta=(0.033, 0.06, 0.1)),
    )


def _spectral_anisotropy() -> tuple[int, float]:
    """Fig. 4 of Malkov et al. 2023; its own error estimate, there being no better reference."""
    steady = solve_steady(_fig4_deck())
    return steady.unknowns, steady.error


def _cell_anisotropy(cells: int) -> tuple[int, float]:
    """The same by finite differences, against the spectral answer."""
    solver = FiniteDifference(kind="finite-difference", cells=cells, steps=cells)
    steady = solve_steady(replace(_fig4_deck(), solver=solver))
    reference = solve_steady(_fig4_deck()).distribution
    return steady.unknowns, float(np.max(np.abs(steady.distribution / reference - 1)))


def _pulse(cells: int | None) -> tuple[int, float]:
    """⟨ζ²⟩ at ct = 2 for D(μ) = 1 against Taylor's formula."""
    deck = FluxTubeDeck(
        model="flux-tube",
        scattering=Scattering(slope=1.0, C=1.0),
        loss=Loss(rate=0.0),
        pulse=Pulse(ct=(2.0,), width=0.2),
        output=FluxTubeOutput(zeta=(0.0,)),
    )
    if cells is not None:
        solver = FiniteDifference(kind="finite-difference", cells=cells, steps=8 * cells)
        deck = replace(deck, solver=solver)
    spread = solve_pulse(deck, None)
    reference = taylor_displacement(np.array([2.0]))
    return spread.unknowns, float(np.abs(spread.displacement / reference - 1)[0])
