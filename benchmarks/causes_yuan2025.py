"""What B/C and B/O owe to which choice that Yuan 2025 does not print: a table of causes.

python benchmarks/causes_yuan2025.py --data FOLDER

Each line changes one thing in yuan2025_fig2, without a factor on anything: by how much B/C moves,
and chi-squared a point of B/C and B/O of AMS-02 above 2 GV. The last lines solve the same deck on
the grid that a GALPROP run has by default (Strong & Moskalenko 1998, ApJ 509, 212, and its shipped
settings): nodes 0.1 kpc apart in z and 1 kpc in r, kinetic energies 1.2 apart, differences of first
order in momentum, time steps from 1e9 to 1e2 yr that fall by 0.25, each 20 times. They are this
program's finite volumes and march on that grid, not GALPROP: volumes integrate 1/D between nodes,
where that program has D at the nodes, and its slope from their neighbours ("D at nodes").
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from crtransport.deck.galaxy import GalaxyDeck
from crtransport.deck.galaxy_solver import PER_DECADE as LEVELS
from crtransport.deck.load import load_deck
from crtransport.measurements import data_folder
from crtransport.measurements.read import load_fluxes_and_ratios
from crtransport.measurements.table import Measurement
from crtransport.problems.galaxy_answer import Answer, by_rigidity, elements
from crtransport.problems.galaxy_levels import make_levels
from crtransport.problems.galaxy_space import make_space
from crtransport.problems.galaxy_transport import Setting, ordered, transport
from crtransport.solvers.cell_grid import CellAxis, CellGrid
from crtransport.solvers.problem import Operator

Array = NDArray[np.float64]
Changes = dict[str, Any]

SHOWN = np.array([3.0, 30.0, 300.0])  # GV
TABLES = ("AMS-02_B_C_rigidity", "AMS-02_B_O_rigidity")
#: steps of the grid, kpc, and levels per decade of energies that are 1.2 apart
DZ, DR, PER_DECADE = 0.1, 1.0, 1 / np.log10(1.2)
_SMOOTH_HI: Changes = {"gas.HI": {"kind": "gordon1976"}}
_SMOOTH_H2: Changes = {"gas.H2": {"kind": "bronfman1988"}}
_X_CO: Changes = {"gas.H2": {"kind": "bronfman-wouterloot", "X_CO": {"kind": "exponential"}}}
_VOLUMES: Changes = {"solver": {"kind": "sweep-gmres", "discretisation": "finite-volume"}}
#: tables of production cross sections within the data folder
SETS = {
    "GALPROP, option 12": "nuclear-usine/production_galprop17_opt12_H.csv",
    "GALPROP, option 22": "nuclear-usine/production_galprop17_opt22_H.csv",
    "Evoli 2019": "nuclear-evoli/production_cumulative_H.csv",
}


@dataclass(frozen=True, kw_only=True)
class Row:
    """B/C at SHOWN, and chi-squared a point of each of TABLES."""

    shown: Array
    chi2: tuple[float, ...]


def causes(data: Path) -> Iterator[tuple[str, Changes]]:
    """What is changed alone, in words and as keys of the deck."""
    yield "gas: H I by a smooth fit to Gordon & Burton", _SMOOTH_HI
    yield "gas: H2 by a smooth fit to Bronfman, no Wouterloot", _SMOOTH_H2
    yield "gas: both", _SMOOTH_HI | _SMOOTH_H2
    yield "gas: X_CO exponential, 1e20 10^(-0.4 + 0.066 r)", _X_CO
    yield "gas: scaled to the column measured at the Sun", {"gas.scale": 2.86 / 2.13}
    for name, file in SETS.items():
        yield f"production: {name}", {"nuclear.channel_file": str(data / file)}
    yield "inelastic: Tripathi 1999", {"nuclear.inelastic": "tripathi1999"}
    for name in ("case1998", "green2015", "yusifov2004", "lorimer2006"):
        yield f"sources: {name}", {"source.0.radial": {"kind": "named", "name": name}}


def table(answer: Answer, tables: list[Measurement]) -> Row:
    """B/C and chi-squared of one answer."""
    found = []
    for one in tables:
        some = one.x >= answer.deck.compare.R_min
        y = ratio(answer, one.quantity.replace("_", "/"), one.x[some])
        sigma = np.where(y > one.y[some], one.error_hi[some], one.error_lo[some])
        found.append(float(np.mean(((y - one.y[some]) / sigma) ** 2)))
    return Row(shown=ratio(answer, "B/C", SHOWN), chi2=tuple(found))


def ratio(answer: Answer, name: str, rigidity: Array) -> Array:
    """Of two elements at the Earth, at equal rigidity."""
    own = elements(answer.deck)
    above, below = (by_rigidity(answer.at_earth, own[part], rigidity) for part in name.split("/"))
    return np.asarray(above / below)


def on_default_grid(deck: GalaxyDeck, dr: float = DR) -> Setting:
    """Nodes DZ apart in z and ``dr`` in r, at the deck's energies."""
    r_h, z_h = deck.geometry.r_h, deck.geometry.z_h  # type: ignore[union-attr]
    ends = ((r_h, dr, 1), (z_h, DZ, 0))
    axes = tuple(
        CellAxis(nodes=np.linspace(0, end, round(end / step) + 1), radial=n)
        for end, step, n in ends
    )
    levels = make_levels(deck, ordered(deck), deck.momentum.per_decade or LEVELS)
    return Setting(levels=levels, space=make_space(deck, grid=CellGrid(axes=axes)))


def at_nodes(deck: GalaxyDeck, setting: Setting) -> Setting:
    """The same with d/dz (f d/dz) = f d2/dz2 + (df/dz) d/dz at nodes, by central differences."""
    space = setting.space
    r, z = space.grid.coordinates
    step = z[1] - z[0]
    # beyond either end: mirrored in the mid-plane; the last node kept has one above it
    f = deck.diffusion.factor(np.zeros(len(z) + 2), np.abs([-step, *z, z[-1] + step]))
    slope = (f[2:] - f[:-2]) / 4
    up, down = f[1:-1] + slope, f[1:-1] - slope
    up[0] += down[0]
    line = sp.diags_array([-down[1:], up + down, -up[:-1]], offsets=(-1, 0, 1))
    line = line.tolil()
    line[0, 0] = up[0]
    whole = sp.kron(sp.eye_array(len(r)), line.tocsr() / step**2)
    vertical = Operator.of(sp.csr_array(sp.diags_array(space.volume.total) @ whole))
    moved = replace(space, diffusion=(space.diffusion[0], vertical))
    return Setting(levels=setting.levels, space=moved)


def grids() -> Iterator[tuple[str, Changes, float, bool]]:
    """The default grid, and what of it counts: keys of the deck, step in r, D at nodes."""
    first = {
        "momentum.per_decade": PER_DECADE,
        "momentum.refinement": 1.0,
        "momentum.order": 1,
    }
    march: Changes = {"solver": {"kind": "split-cn"}, "solver.repeats": 20}
    yield "grid: all of it, 20 repeats", march | first, DR, False
    yield "grid: all of it, 20 repeats, D at nodes", march | first, DR, True
    yield "grid: its places and energies, steady state", _VOLUMES | first, DR, False
    yield "grid: its places alone", _VOLUMES, DR, False
    yield "grid: its places alone, D at nodes", _VOLUMES, DR, True
    yield "grid: its places in z alone, 0.25 kpc in r", _VOLUMES, DR / 4, False


def line(name: str, row: Row, base: Row) -> str:
    """A line of the table."""
    moved = " ".join(f"{100 * x:+6.1f}" for x in row.shown / base.shown - 1)
    return f"{name:<52} {moved}  " + " ".join(f"{x:6.2f}" for x in row.chi2)


def solved(changes: Changes) -> GalaxyDeck:
    """The deck of Fig. 2 with changes."""
    deck = load_deck("yuan2025_fig2", changes)
    assert isinstance(deck, GalaxyDeck)
    return deck


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="data folder; CRTRANSPORT_DATA if left out")
    folder = data_folder(parser.parse_args().data)
    if folder is None:
        sys.exit("causes_yuan2025: needs measured ratios: --data FOLDER, or CRTRANSPORT_DATA")
    tables = load_fluxes_and_ratios(TABLES, folder)

    def row(deck: GalaxyDeck, setting: Setting | None = None) -> Row:
        return table(Answer(deck, transport(deck, setting=setting)), tables)

    base = row(solved({}))
    print(f"{'change alone':<52} B/C, % at 3 30 300 GV   chi2/n B/C  B/O")
    print(line("the deck", base, base), flush=True)
    for name, changes in causes(folder):
        print(line(name, row(solved(changes)), base), flush=True)
    for name, changes, dr, nodes in grids():
        deck = solved(changes)
        setting = on_default_grid(deck, dr)
        setting = at_nodes(deck, setting) if nodes else setting
        print(line(name, row(deck, setting), base), flush=True)


if __name__ == "__main__":
    main()
