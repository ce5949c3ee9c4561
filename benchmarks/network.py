"""The reduced basis on the whole network: cost and error, and errors over random parameters.

python benchmarks/network.py cost [--network full]   # against a refined grid of full order
python benchmarks/network.py box [--sets 50]         # against full order on the same grid

Cost counts from the resolved deck to all fluxes, everything in space made anew, on one core; the
reference has twice the levels and higher orders and takes minutes.
"""

from __future__ import annotations

import argparse
import os
import time

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
from numpy.typing import NDArray

from crtransport.deck.galaxy import GalaxyDeck
from crtransport.deck.load import load_deck
from crtransport.nuclides import nuclide
from crtransport.problems.galaxy import _estimated
from crtransport.problems.galaxy_answer import Answer, energies
from crtransport.problems.galaxy_transport import transport
from crtransport.solvers.errors import ConvergenceError

Array = NDArray[np.float64]

GRID = {"momentum.T_min": 1e-2, "momentum.T_max": 1e8, "momentum.per_decade": 16.0}
OUTPUT = {"output.T_min": 0.02, "output.T_max": 1e6, "output.channels": []}
FULL = {"kind": "sweep-gmres"}
REFINED = {"kind": "sweep-gmres", "order_r": 7, "order_z": 8, "elements_r": 10, "linear_rtol": 1e-9}


def deck(changes: dict[str, object]) -> GalaxyDeck:
    """The network of yuan2025_fig2 without what is only drawn."""
    bare = {"output.ratios": [], "output.elements": [], "compare.measurements": []}
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


def cost(network: str) -> None:
    """CPU seconds and errors against functions."""
    fine = {"momentum.per_decade": 36.0, "solver": REFINED, "network": network}
    started = time.process_time()
    exact = fluxes(deck(fine))
    spent = time.process_time() - started
    print(f"{len(exact)} nuclides; reference {spent:.0f} s of CPU")
    print("functions  levels  CPU s  stable            others            B/C       10Be")
    for functions in (20, 30, 40, 50, 60):
        here = deck({"solver": {"functions": functions}, "network": network})
        run = transport(here)
        times = []
        for _ in range(5):
            started = time.process_time()
            fluxes(here)
            times.append(time.process_time() - started)
        found = fluxes(here)
        errors = off(found, exact)
        ratio = [(f["B10"] + f["B11"]) / (f["C12"] + f["C13"]) for f in (found, exact)]
        stable, others = worst(errors, False), worst(errors, True)
        print(
            f"{functions:9d}  {run.levels.n:6d}  {min(times):5.3f}  {stable[0]:.1e} {stable[1]:8s}"
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
            answer, _, error = _estimated(here, 1.0)
        except ConvergenceError as stop:
            print(f"no result: {stop}  {text}")
            continue
        found = {name: answer.spectra[name].flux(energies(here)) for name in exact}
        errors = off(found, exact)
        name = max(errors, key=errors.__getitem__)
        estimate = float(error[list(here.nuclides).index(name)].max())
        ratios.append(errors[name] / estimate)
        beyond += errors[name] > estimate
        print(f"{errors[name]:.1e}   {estimate:.1e}   {name:7s}  {text}")
    print(
        f"true over estimated error: {min(ratios):.2g} to {max(ratios):.2g}; above 1 in {beyond}"
        f" of {len(ratios)}"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["cost", "box"])
    parser.add_argument("--network", choices=["light", "full"], default="light")
    parser.add_argument("--sets", type=int, default=50)
    given = parser.parse_args()
    if given.what == "cost":
        cost(given.network)
    else:
        box(given.sets)
