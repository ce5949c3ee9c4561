"""Random galaxies: how true the told error is, and whether each has an answer.

    python benchmarks/estimates_galaxies.py --number 200 --seed 1

Of each deck the fluxes at the Sun are compared with those on finer grids (half as many levels
again, from 1 MeV/n, two orders more, of slabs and boxes in full order, of cylinders on a basis of
twice as many functions and poles, or in full order where that has no answer); with --full the deck
is solved on its own grids in full order too. A deck has an answer, or a refusal with its reason.
For what is printed at the end see estimates.py.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from typing import Any

import numpy as np
from estimates import Refusal, Row, log_uniform, report
from numpy.typing import NDArray

from crtransport.deck.galaxy import GalaxyDeck
from crtransport.deck.galaxy_solver import PER_DECADE, ReducedBasis
from crtransport.deck.load import load_deck
from crtransport.nuclides import nuclide
from crtransport.physics.network import NETWORKS
from crtransport.problems.galaxy_answer import Answer, energies
from crtransport.problems.galaxy_estimate import in_full, refined
from crtransport.problems.galaxy_sign import not_positive, refuse_unsteady
from crtransport.problems.galaxy_transport import transport
from crtransport.solvers.errors import ConvergenceError, SingularOperatorError

Array = NDArray[np.float64]

#: what sources emit, by mass
PRIMARIES = ("H1", "He4", "C12", "N14", "O16", "Ne20", "Mg24", "Si28", "S32", "Ca40", "Fe56")
#: of the reference, over the deck that was run
FINER, HIGHER, LARGER, LOWEST = 1.5, 2, 2, 1e-3


def draw(random: np.random.Generator) -> dict[str, Any]:
    """The tables of a deck."""
    kind = random.choice(["cylinder", "cylinder", "slab", "slab", "leaky-box"])
    z_h = log_uniform(random, 0.5, 15.0)
    deck: dict[str, Any] = {"model": "galaxy", "modulation": {"phi": 0.0}}
    deck["geometry"] = {"kind": "leaky-box", "escape_time": log_uniform(random, 1, 300)}
    deck["diffusion"] = {
        "D0": log_uniform(random, 3e27, 2e29),
        "delta1": random.uniform(0.2, 0.7),
        "delta2": random.uniform(0.1, 0.5),
        "eta": random.uniform(-3.0, 2.0),
    }
    if kind != "leaky-box":
        deck["geometry"] = {"kind": str(kind), "z_h": z_h}
        deck["diffusion"] |= {
            "h": log_uniform(random, 0.005, 0.9 * min(z_h, 1.0)),
            "xi": log_uniform(random, 0.02, 1.0),
        }
        if random.random() < 0.5:
            deck["reacceleration"] = {"v_alfven": random.uniform(0.0, 60.0)}
        if random.random() < 0.3:
            deck["convection"] = {"V0": random.uniform(0, 15), "dVdz": random.uniform(0, 10)}
    else:
        deck["diffusion"]["kind"] = "uniform"
        deck["gas"] = {
            "HI": {"kind": "uniform", "n0": log_uniform(random, 0.01, 3.0)},
            "H2": {"kind": "none"},
            "HII": {"kind": "uniform", "n0": log_uniform(random, 1e-3, 0.1)},
        }
    if kind == "leaky-box" and random.random() < 0.5:
        deck["reacceleration"] = {"kind": "constant", "K": log_uniform(random, 1e-5, 1e-2)}
    # half of the slabs and cylinders have no reacceleration
    deck.setdefault("reacceleration", {"v_alfven": 0.0})
    top = int(random.integers(len(PRIMARIES)))
    lighter = [
        name
        for name in NETWORKS["full"]
        if nuclide(name).mass_number < nuclide(PRIMARIES[top]).mass_number
    ]
    count = min(round(log_uniform(random, 1, 40)), len(lighter) + 1)
    some = random.choice(lighter, count - 1, replace=False) if count > 1 else []
    deck["network"] = [PRIMARIES[top], *map(str, some)]
    emitted = [name for name in PRIMARIES if name in deck["network"]]
    slope = random.uniform(2.0, 2.6)
    injection = {"gamma1": slope - random.uniform(0, 0.5), "gamma2": slope}
    deck["source"] = [{"abundances": dict.fromkeys(emitted, 1.0), "injection": injection}]
    if kind == "leaky-box":
        deck["source"][0] |= {"radial": {"kind": "uniform"}, "vertical": {"kind": "uniform"}}
    return deck


def loaded(random: np.random.Generator) -> tuple[GalaxyDeck, str]:
    """A deck that `check` takes; nuclides that nothing makes are left out."""
    tables = draw(random)
    while True:
        try:
            deck = load_deck(tables)
        except ValueError as error:
            lacking = str(error).partition("network: ")[2].partition(" is neither")[0]
            if lacking not in tables["network"]:
                raise
            tables["network"].remove(lacking)
            continue
        assert isinstance(deck, GalaxyDeck)
        return deck, json.dumps(tables)


def reference(here: GalaxyDeck) -> GalaxyDeck:
    """The deck that was run, on finer grids."""
    momentum = replace(
        here.momentum,
        per_decade=FINER * (here.momentum.per_decade or PER_DECADE),
        T_min=min(LOWEST, here.momentum.ends()[0]),
    )
    orders: dict[str, int | None] = {"order_r": None, "order_z": None}
    if here.geometry.kind != "leaky-box":
        r, z, _ = here.solver.orders()
        orders["order_z"] = min(z + HIGHER, 20)
        orders["order_r"] = min(r + HIGHER, 20) if here.geometry.kind == "cylinder" else None
    functions = LARGER * (here.solver.functions if isinstance(here.solver, ReducedBasis) else 100)
    solver = ReducedBasis(functions=functions, rtol=here.solver.rtol, **orders)
    finer = replace(here, momentum=momentum, solver=solver)
    return finer if here.geometry.kind == "cylinder" else in_full(finer)


def fluxes(deck: GalaxyDeck) -> Array:
    """[nuclide, energy] interstellar fluxes."""
    answer, energy = Answer(deck, transport(deck)), energies(deck)
    return np.stack([answer.interstellar(name, energy) for name in deck.nuclides])


def reference_fluxes(here: GalaxyDeck) -> Array:
    """Fluxes of the reference; in full order where its basis has no answer."""
    finer = reference(here)
    try:
        return fluxes(finer)
    except (ConvergenceError, SingularOperatorError):
        if here.geometry.kind != "cylinder":
            raise
        return fluxes(in_full(finer))


def off_full_order(here: GalaxyDeck, flux: Array) -> str:
    """How far fluxes are off those of the full order on the same grids, and what that costs."""
    start = time.process_time()
    try:
        full = fluxes(in_full(here))
    except (ConvergenceError, SingularOperatorError) as error:
        return f"NO FULL ORDER: {error}"
    off, spent = np.max(np.abs(flux / full - 1)), time.process_time() - start
    return f"off full order {off:.1e} in {spent:.2f} s"


def judged(deck: GalaxyDeck, text: str, number: int, full: bool) -> Row | Refusal:
    """One deck: run as a user's, then by other means."""
    name = f"{number} {deck.geometry.kind} {len(deck.nuclides)}"
    start = time.process_time()
    try:
        estimate, here, changes = refined(deck)
        refuse_unsteady(estimate)
        if wrong := not_positive(estimate):
            raise ConvergenceError(wrong)
    except (ConvergenceError, SingularOperatorError) as error:
        return Refusal(name, str(error), text)
    spent = time.process_time() - start
    told = float(np.max(estimate.error))
    try:
        true = float(np.max(np.abs(estimate.flux / reference_fluxes(here) - 1)))
    except (ConvergenceError, SingularOperatorError) as error:
        return Refusal(name, f"no reference: {error}", text)
    said = [f"{spent:.2f} s", *changes, *([off_full_order(here, estimate.flux)] if full else [])]
    print(f"{name:18} true {true:.1e} told {told:.1e} {', '.join(said)}", flush=True)
    return Row(name, true, told, deck.solver.rtol, f"# {', '.join(changes)}\n{text}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--number", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="leave out those before this one")
    parser.add_argument("--full", action="store_true", help="solve each in full order too: an hour")
    given = parser.parse_args()
    found = []
    for number in range(given.first, given.first + given.number):
        deck, text = loaded(np.random.default_rng([given.seed, number]))
        found.append(judged(deck, text, number, given.full))
        if isinstance(found[-1], Refusal):
            print(f"{found[-1].name:18} refused: {found[-1].reason}", flush=True)
    rows = [one for one in found if isinstance(one, Row)]
    report(rows, [one for one in found if isinstance(one, Refusal)])


if __name__ == "__main__":
    main()
