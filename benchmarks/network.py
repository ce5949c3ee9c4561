"""The reduced basis on the whole network: cost and error, and errors over random parameters.

python benchmarks/network.py cost [--network full]   # against a refined grid of full order
python benchmarks/network.py box [--sets 50]         # against full order on the same grid
python benchmarks/network.py split [--network light] # beside the operator-split march
python benchmarks/network.py growth                  # with levels, nuclides, functions, places
python benchmarks/network.py batch [--sets 64]       # many sets of parameters in one call
python benchmarks/network.py gradient                # derivatives by 9 and by 12 parameters

Cost counts from the resolved deck to all fluxes, everything in space made anew, on one core, with
kernels compiled and the tables of cross sections kept, which depend on no parameter here; the
reference has twice the levels and higher orders and takes minutes. The march is scanned over its
grids and schedules on a chain of four nuclides, up to 1e7 GeV/n, as it explodes where sources are
cut off by e^-100; the cheapest that reach an error in B/C are then run on the network. That takes
ten minutes and more.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from functools import partial
from typing import Any

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray

import crtransport
from crtransport.deck.galaxy import GalaxyDeck
from crtransport.deck.load import load_deck
from crtransport.nuclides import nuclide
from crtransport.problems import galaxy_batch
from crtransport.problems.galaxy_answer import Answer, energies
from crtransport.problems.galaxy_estimate import estimated
from crtransport.problems.galaxy_gradient import Adjoint
from crtransport.problems.galaxy_space import make_space
from crtransport.problems.galaxy_transport import transport
from crtransport.problems.threads import processors
from crtransport.solvers.errors import ConvergenceError

Array = NDArray[np.float64]

GRID = {"momentum.T_min": 1e-2, "momentum.T_max": 1e8, "momentum.per_decade": 18.0}
OUTPUT = {"output.T_min": 0.02, "output.T_max": 1e6, "output.channels": []}
#: energies at which the march is judged, of those of the output: from 0.1 GeV/n on
_COMPARED = slice(14, None)
#: cells in r and z, levels per decade, repeats, factor of the steps
SCAN = (
    (20, 20, 18, 20, 0.25),
    (20, 20, 18, 40, 0.25),
    (20, 20, 18, 80, 0.25),
    (20, 20, 18, 40, 0.5),
    (20, 30, 24, 80, 0.25),
    (20, 40, 36, 80, 0.25),
    (20, 40, 36, 160, 0.25),
)
SHORTER: dict[str, object] = {"momentum.T_max": 1e7}
FULL: dict[str, object] = {"kind": "sweep-gmres"}
#: equal steps, as sweeps converge slowly where levels are much denser
FINE: dict[str, object] = {"momentum.per_decade": 48.0, "momentum.refinement": 1}
#: a deck without protons, for networks of a few nuclides and more
FEW: dict[str, object] = {
    "source.0.injections": {},
    "normalisation.flux": {"C12": 1e-3},
}
EMITTED: dict[str, object] = {"source.0.abundances": {"C": 0.0085, "N": 0.0006, "O": 0.0102}}
SOME: tuple[Any, ...] = (
    ["O16", "N14", "C12"],
    ["O16", "N14", "C12", "B11", "B10", "Be10"],
    ["O16", "N15", "N14", "C14", "C13", "C12", "B11", "B10", "Be10", "Be9", "Be7", "Li7", "Li6"],
)
SPECTRAL = (
    "diffusion.D0",
    "diffusion.delta1",
    "diffusion.delta2",
    "diffusion.R1",
    "diffusion.eta",
    "reacceleration.v_alfven",
    "source.0.injection.gamma1",
    "source.0.injection.gamma2",
    "source.0.abundances.C",
)
SPATIAL = ("diffusion.h", "diffusion.xi", "geometry.z_h")
REFINED = {"kind": "sweep-gmres", "order_r": 7, "order_z": 8, "elements_r": 10, "linear_rtol": 1e-9}


def deck(changes: dict[str, object]) -> GalaxyDeck:
    """The network of yuan2025_fig2 without what is only drawn."""
    bare: dict[str, object] = {"output.ratios": [], "output.elements": []}
    bare |= {"compare.measurements": []}
    found = load_deck("yuan2025_fig2", bare | GRID | OUTPUT | changes)
    assert isinstance(found, GalaxyDeck)
    return found


def fluxes(here: GalaxyDeck) -> dict[str, Array]:
    """Interstellar fluxes at the Sun by nuclide, before any normalisation."""
    answer = Answer(here, transport(here))
    return {name: answer.spectra[name].flux(energies(here)) for name in here.nuclides}


def off(found: dict[str, Array], exact: dict[str, Array]) -> dict[str, float]:
    """Largest relative error of each nuclide."""
    return {name: float(np.max(np.abs(found[name] / exact[name] - 1))) for name in exact}


def worst(errors: dict[str, float], unstable: bool) -> tuple[float, str]:
    """Of the stable or of the other nuclides."""
    return max((e, n) for n, e in errors.items() if (nuclide(n).half_life is not None) == unstable)


def boron_to_carbon(found: dict[str, Array]) -> Array:
    """B/C at all energies."""
    carbon = sum(found[n] for n in ("C12", "C13") if n in found)
    return (found["B10"] + found["B11"]) / np.asarray(carbon)


def cost(network: str) -> None:
    """CPU seconds and errors against functions."""
    fine = FINE | {"solver": REFINED, "network": network}
    started = time.process_time()
    exact = fluxes(deck(fine))
    spent = time.process_time() - started
    print(f"{len(exact)} nuclides; reference {spent:.0f} s of CPU")
    print("functions  levels  CPU s  stable            others            B/C       10Be")
    for functions in (20, 30, 40, 50, 60):
        here = deck({"solver": {"functions": functions}, "network": network})
        run = transport(here)
        spent = least(partial(fluxes, here))
        found = fluxes(here)
        errors = off(found, exact)
        ratio = [boron_to_carbon(one) for one in (found, exact)]
        stable, others = worst(errors, False), worst(errors, True)
        print(
            f"{functions:9d}  {run.levels.n:6d}  {spent:5.3f}  {stable[0]:.1e} {stable[1]:8s}"
            f"  {others[0]:.1e} {others[1]:8s}  {np.max(np.abs(ratio[0] / ratio[1] - 1)):.1e}"
            f"   {errors['Be10']:.1e}"
        )


def box(sets: int) -> None:
    """True and estimated errors of the reduced basis over random parameters."""
    random = np.random.default_rng(2025)
    few = ["H1", "C12", "B10", "B11", "Be10", "Fe56", "O16"]
    print("true      estimate  nuclide  parameters")
    ratios, beyond = [], 0
    for _ in range(sets):
        z_h = float(random.uniform(2, 12))
        values: dict[str, object] = {
            "reacceleration.v_alfven": float(random.uniform(0, 35)),
            "diffusion.xi": float(np.exp(random.uniform(np.log(0.03), np.log(0.5)))),
            "geometry.z_h": z_h,
            "diffusion.h": float(random.uniform(0.15, 1)),
            "diffusion.delta1": float(random.uniform(0.1, 0.7)),
            "diffusion.delta2": float(random.uniform(0.1, 0.7)),
        }
        if random.random() < 0.5:
            values["convection.dVdz"] = float(random.uniform(0, 15))
        source = {"source.0.abundances": {"H": 1, "C": 0.0085, "O": 0.0102, "Fe": 0.002}}
        same: dict[str, object] = {"network": few, "source.0.injections": {}, **source, **values}
        here = deck(same | {"solver": {"rtol": 1e-3}})
        text = " ".join(f"{k.split('.')[1]}={v:.3g}" for k, v in values.items())
        try:
            exact = fluxes(deck(same | {"solver": FULL}))
            estimate = estimated(here)
        except ConvergenceError as stop:
            print(f"no result: {stop}  {text}")
            continue
        spectra = estimate.answer.spectra
        found = {name: spectra[name].flux(energies(here)) for name in exact}
        errors = off(found, exact)
        name = max(errors, key=errors.__getitem__)
        told = float(estimate.error[list(here.nuclides).index(name)].max())
        ratios.append(errors[name] / told)
        beyond += errors[name] > told
        print(f"{errors[name]:.1e}   {told:.1e}   {name:7s}  {text}")
    print(
        f"true over estimated error: {min(ratios):.2g} to {max(ratios):.2g}; above 1 in {beyond}"
        f" of {len(ratios)}"
    )


def timed(here: GalaxyDeck) -> tuple[float, dict[str, Array]]:
    """CPU seconds and fluxes."""
    started = time.process_time()
    found = fluxes(here)
    return time.process_time() - started, found


def split(network: str) -> None:
    """CPU seconds of the march where it reaches an error in B/C, beside the reduced basis."""
    chain = SHORTER | FEW | EMITTED | {"network": ["O16", "C12", "B11", "B10"]}
    exact = boron_to_carbon(fluxes(deck(chain | {"solver": REFINED})))
    tried = []
    print("cells r z  levels/decade  repeats  factor  CPU s  error in B/C")
    for cells_r, cells_z, levels, repeats, factor in SCAN:
        solver = {"kind": "split-cn", "cells_r": cells_r, "cells_z": cells_z}
        solver |= {"repeats": repeats, "factor": factor}
        # equal steps, which its first order is made for
        changes: dict[str, object] = {"solver": solver, "momentum.refinement": 1}
        changes |= {"momentum.per_decade": float(levels)}
        spent, found = timed(deck(chain | changes))
        error = float(np.max(np.abs(boron_to_carbon(found) / exact - 1)[_COMPARED]))
        tried.append((spent, error, changes))
        print(
            f"{cells_r:5d} {cells_z:3d}  {levels:13d}  {repeats:7d}  {factor:6g}  {spent:5.1f}"
            f"  {error:.1e}"
        )
    whole: dict[str, object] = {"network": network} | SHORTER
    exact = boron_to_carbon(fluxes(deck(whole | FINE | {"solver": REFINED})))
    fast = deck(whole | {"solver": {"functions": 30}, "momentum.per_decade": 10.0})
    quick, found = least(partial(fluxes, fast)), fluxes(fast)
    error = float(np.max(np.abs(boron_to_carbon(found) / exact - 1)[_COMPARED]))
    print(f"{network}: reduced basis {quick:.3f} s of CPU, error in B/C {error:.1e}")
    for target in (0.025, 0.01, 0.005):
        reached = [one for one in tried if one[1] <= target]
        if not reached:
            print(f"the march: no schedule of the scan reaches {target:g}")
            continue
        _, _, changes = min(reached, key=lambda one: one[0])
        spent, found = timed(deck(whole | changes))
        error = float(np.max(np.abs(boron_to_carbon(found) / exact - 1)[_COMPARED]))
        print(f"the march: {spent:.0f} s, error in B/C {error:.1e}: {spent / quick:.0f} times")


def least(run: Callable[[], object], times: int = 5) -> float:
    """CPU seconds, the least of several warm runs."""
    run()
    spent = []
    for _ in range(times):
        started = time.process_time()
        run()
        spent.append(time.process_time() - started)
    return min(spent)


def growth() -> None:
    """CPU seconds against one size after the other, and the exponent from line to line."""
    grown: dict[str, list[tuple[float, dict[str, object]]]] = {
        "levels per decade": [(n, {"momentum.per_decade": float(n)}) for n in (8, 16, 32, 64)],
        "functions": [(n, {"solver": {"functions": n}}) for n in (20, 40, 80)],
        "nuclides": [(len(names), FEW | EMITTED | {"network": names}) for names in SOME],
        "places, solved on a basis": [(n, {"solver": {"elements_r": n}}) for n in (8, 16, 32)],
        "places, solved in full": [(n, {"solver": FULL | {"elements_r": n}}) for n in (8, 16, 32)],
    }
    for what, cases in grown.items():
        print(f"{what}\n     size  CPU s   exponent")
        last = None
        for size, changes in cases:
            some = (
                FEW | EMITTED | {"network": SOME[1]} if "places" in what else {"network": "light"}
            )
            here = deck(some | SHORTER | changes)
            if "places" in what:
                size = make_space(here).grid.n_places
            spent = least(partial(transport, here), 3)
            exponent = (
                "" if last is None else f"{np.log(spent / last[1]) / np.log(size / last[0]):.2f}"
            )
            print(f"{size:9g}  {spent:6.3f}  {exponent}")
            last = size, spent


def gradient() -> None:
    """CPU seconds of a run and the derivatives of B/C, 20 energies added up, in runs."""
    energy = np.geomspace(0.5, 500, 20)
    here = deck({"network": "light", "solver": {"functions": 40}})

    def ratio(flux: dict[str, Array]) -> float:
        return float(np.sum(boron_to_carbon(flux)))

    one = least(partial(transport, here))
    print(f"a run: {one:.3f} s of CPU\nparameters  run and gradient, over a run")
    for keys in (SPECTRAL, SPECTRAL + SPATIAL):
        spent = least(lambda keys=keys: Adjoint(here).gradient(energy, ratio, keys))
        print(f"{len(keys):10d}  {spent / one:.2f}")


def batch(sets: int) -> None:
    """Sets per second of wall time, on one thread and on all, with rates or geometry varied."""
    random = np.random.default_rng(64)
    bare: dict[str, object] = {"output.ratios": [], "output.elements": []}
    bare |= {"compare.measurements": []}
    same: dict[str, Any] = bare | GRID | OUTPUT | {"network": "light", "solver.functions": 40}
    rates = [
        same
        | {
            "diffusion.D0": 4.5e28 * float(np.exp(random.uniform(-0.5, 0.5))),
            "diffusion.delta1": float(random.uniform(0.4, 0.6)),
            "reacceleration.v_alfven": float(random.uniform(0, 25)),
        }
        for _ in range(sets)
    ]
    places = [
        some
        | {
            "geometry.z_h": float(random.uniform(3, 8)),
            "diffusion.h": float(random.uniform(0.3, 0.6)),
        }
        for some in rates
    ]
    crtransport.batch("yuan2025_fig2", rates[:2], estimates=0)
    print("varied    threads  wall s  CPU s  sets/s  same bits")
    for name, some in (("rates", rates), ("geometry", places)):
        first = None
        for threads in dict.fromkeys((1, processors())):
            galaxy_batch.processors = partial(int, threads)
            wall, spent = time.perf_counter(), time.process_time()
            found = crtransport.batch("yuan2025_fig2", some, estimates=0).flux_lis.values
            wall, spent = time.perf_counter() - wall, time.process_time() - spent
            first = found if first is None else first
            print(
                f"{name:8s}  {threads:7d}  {wall:6.2f}  {spent:5.2f}  {sets / wall:6.1f}"
                f"  {np.array_equal(found, first)}"
            )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["cost", "box", "split", "growth", "batch", "gradient"])
    parser.add_argument("--network", choices=["light", "full"], default="light")
    parser.add_argument("--sets", type=int)
    given = parser.parse_args()
    if given.what == "cost":
        cost(given.network)
    elif given.what == "split":
        split(given.network)
    elif given.what == "growth":
        growth()
    elif given.what == "gradient":
        gradient()
    elif given.what == "batch":
        batch(given.sets or 64)
    else:
        box(given.sets or 50)
