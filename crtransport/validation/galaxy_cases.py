"""What the comparisons of the galaxy share: decks in which closed forms hold, and their answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from crtransport.analytic import galaxy as exact
from crtransport.constants import KPC
from crtransport.deck.galaxy import GalaxyDeck
from crtransport.deck.load import load_deck
from crtransport.nuclides import nuclide
from crtransport.problems.galaxy_answer import Answer
from crtransport.problems.galaxy_transport import transport

Array = NDArray[np.float64]
Row = tuple[str, float, float, float, str]
Tables = Mapping[str, Any]

#: column of the thin disk of gas, cm^-2, and its density times thickness, cm^-3 kpc
COLUMN = 6.2e20
SHEET = COLUMN / KPC
HEIGHT = 4.0  # kpc
#: q(R) = ABUNDANCE (R/10 GV)^−GAMMA
ABUNDANCE, PIVOT, GAMMA = 1e-13, 10.0, 2.3
ENERGIES = (0.3, 10.0, 3e3)  # GeV/n

#: the law of `exact.diffusion`, for media that are no paper's
LAW: Tables = {"D0": 4.5e28, "delta1": 0.48, "delta2": 0.20, "R1": 250.0, "eta": -1.0}
#: nothing moves particles in energy, and there is no gas
QUIET: Tables = {
    "model": "galaxy",
    "network": ["H1"],
    "losses": {"ionisation": False, "coulomb": False},
    "reacceleration": {"v_alfven": 0.0},
    "gas": {phase: {"kind": "none"} for phase in ("H2", "HI", "HII")},
    # equal steps, on which the differences are exact for the power laws of these cases
    "momentum": {"T_min": 0.1, "T_max": 1e4, "per_decade": 16, "refinement": 1},
    "output": {"T_min": 0.1, "T_max": 1e3},
}
THIN_GAS: Tables = {"HI": {"kind": "thin-disk", "column": COLUMN}}


@dataclass(frozen=True, kw_only=True)
class Nucleus:
    """Mass and charges of a nuclide, for kinematics of the references' own.

    Attributes
    ----------
    mass : float
        Per nucleon, GeV.
    per_charge : float
        A/Z.
    """

    mass: float
    per_charge: float

    @classmethod
    def named(cls, name: str) -> Nucleus:
        """Of a nuclide; masses of single protons and alphas are those of CODATA."""
        found = nuclide(name)
        masses = {"H1": exact.PROTON, "He4": exact.ALPHA}
        mass = masses.get(name, found.nucleon_mass)
        return cls(mass=mass, per_charge=found.mass_number / found.charge)

    def momentum(self, energy: Array) -> Array:
        """Per nucleon, GeV, at T in GeV/n."""
        return exact.momentum(energy, self.mass)

    def energy(self, momentum: Array) -> Array:
        """T at p per nucleon, GeV/n."""
        return np.asarray(momentum**2 / (np.hypot(momentum, self.mass) + self.mass))

    def rigidity(self, energy: Array) -> Array:
        """GV, at T in GeV/n."""
        return self.per_charge * exact.momentum(energy, self.mass)

    def beta(self, energy: Array) -> Array:
        """v/c at T in GeV/n."""
        return exact.beta(energy, self.mass)

    def diffusion(self, energy: Array, **law: float) -> Array:
        """kpc2/Myr."""
        return exact.diffusion(self.rigidity(energy), self.beta(energy), **law)

    def source(self, energy: Array) -> Array:
        """q = dq/dp per nucleon of ABUNDANCE (R/PIVOT)^−GAMMA per GV."""
        return ABUNDANCE * self.per_charge * (self.rigidity(energy) / PIVOT) ** -GAMMA


def source(**changes: Any) -> Tables:
    """A [[source]] of protons as thin as a δ(z), the same at all r."""
    return {
        "abundances": {"H1": ABUNDANCE},
        "reference": PIVOT,
        "radial": {"kind": "uniform"},
        "vertical": {"kind": "thin-disk"},
        "injection": {"kind": "power-law", "gamma": GAMMA},
    } | changes


def merged(*tables: Tables) -> dict[str, Any]:
    """Tables of a deck, the later ones into and over the earlier."""
    out: dict[str, Any] = {}
    for part in tables:
        for key, value in part.items():
            both = isinstance(value, Mapping) and isinstance(out.get(key), Mapping)
            same = both and value.get("kind") == out[key].get("kind")
            out[key] = merged(out[key], value) if same else value
    return out


@dataclass(frozen=True, kw_only=True, eq=False)
class Method:
    """How a case is solved.

    Attributes
    ----------
    name : str
        Of the solver, the first part of a row's name.
    tables : mapping
        Of the deck.
    cells : bool
        Whether space is cut into finite volumes, of second order, instead of spectral elements.
    floor : float
        No comparison is closer than this.
    """

    name: str
    tables: Tables
    cells: bool = False
    floor: float = 0.0


#: sweeps, solved to rounding
EXACT: Tables = {"kind": "sweep-gmres", "linear_rtol": 1e-11}
SWEEP = Method(
    name="sweep-gmres",
    tables={"solver": {**EXACT, "order_z": 10}},
)
#: its residual is 1e-7, and its functions are made for the network
REDUCED = Method(name="reduced-basis", tables={"solver": {"order_z": 10}}, floor=1e-7)
DIRECT = Method(name="direct", tables={"solver": {"kind": "direct", "order_z": 10}})
SWEEP_CELLS = Method(
    name="sweep-gmres, cells",
    tables={
        "solver": {
            "discretisation": "finite-volume",
            "cells_z": 800,
            "kind": "sweep-gmres",
            "linear_rtol": 1e-9,
        }
    },
    cells=True,
)
#: a march stops before all has settled
SPLIT = Method(
    name="split-cn, cells",
    tables={"solver": {"kind": "split-cn", "repeats": 200, "cells_z": 240}},
    cells=True,
    floor=3e-6,
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Case:
    """A deck with the interstellar fluxes that it must give.

    Attributes
    ----------
    name, formula : str
    tables : mapping
        The deck's, over QUIET.
    fluxes : mapping
        Nuclide -> flux as a function of T in GeV/n.
    tolerance, on_cells : float
        With spectral elements, and with finite volumes: those are exact where N is piecewise
        linear in ∫dz/D.
    energies : tuple of float
        GeV/n.
    methods : tuple of Method
    """

    name: str
    formula: str
    tables: Tables
    fluxes: Mapping[str, Callable[[Array], Array]]
    tolerance: float = 1e-8
    on_cells: float = 1e-4
    energies: tuple[float, ...] = ENERGIES
    methods: tuple[Method, ...] = (REDUCED, SWEEP, DIRECT, SWEEP_CELLS, SPLIT)

    def rows(self) -> Iterator[Row]:
        """One for each method, nuclide and energy."""
        energy = np.array(self.energies)
        for method in self.methods:
            answer = Solved(merged(QUIET, method.tables, self.tables)).answer
            tolerance = max(self.on_cells if method.cells else self.tolerance, method.floor)
            for name, reference in self.fluxes.items():
                found, expected = answer.interstellar(name, energy), reference(energy)
                for at, computed, value in zip(energy, found, expected, strict=True):
                    row = f"{method.name}/{self.name}/{name} {at:g} GeV"
                    yield row, float(computed), float(value), tolerance, self.formula


class Solved:
    """A deck and its answer."""

    def __init__(self, tables: Tables) -> None:
        self.deck = cast(GalaxyDeck, load_deck(tables))

    @cached_property
    def answer(self) -> Answer:
        """Fluxes, on the deck's own grid only."""
        return Answer(self.deck, transport(self.deck))
