"""The levels of a galaxy in ln p: denser at low momenta, where the rates have their structure.

    s(u) = ∫ ρ du,    ρ = a [1 + (g − 1)/(1 + e^((u − u₁)/w))],    u = ln p

is the number of a level. The unknown is what there is per level, N_s = ψp du/ds: drifts are slower
by du/ds, spreading by its square, and what is set free per ln p is so much more per level.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from crtransport.deck.galaxy import GalaxyDeck
from crtransport.nuclides import Nuclide
from crtransport.solvers.levels import GHOSTS, Levels

Array = NDArray[np.float64]

#: w, in ln p
_WIDTH = 0.5
#: Newton's steps, which rise to the answer as s(u) is concave: six are enough for all digits
_STEPS = 12


@dataclass(frozen=True, kw_only=True, eq=False)
class Momenta(Levels):
    """Levels 0, 1, … of momenta per nucleon in GeV.

    Attributes
    ----------
    lowest : float
        u of level 0.
    per_unit, refinement, turn : float
        a, g and u₁: levels per unit of ln p far above u₁, and how many times as many far below.
    """

    lowest: float
    per_unit: float
    refinement: float
    turn: float

    @cached_property
    def log_p(self) -> Array:
        """(n_levels + 2 GHOSTS,) u of the extended levels."""
        return self.log_momentum(self.extended)

    @cached_property
    def stretch(self) -> Array:
        """(n_levels + 2 GHOSTS,) du/ds."""
        return self.stretch_at(self.log_p)

    @property
    def inner(self) -> Array:
        """(n_levels,) u of the levels."""
        return self.log_p[GHOSTS:-GHOSTS]

    def log_momentum(self, number: Array) -> Array:
        """u of a level, or between two of them."""
        u = self.lowest + number / self.per_unit
        for _ in range(_STEPS):
            u = u - (self.number(u) - number) / self._density(u)
        return np.asarray(u)

    def stretch_at(self, log_p: Array) -> Array:
        """du/ds at u."""
        return np.asarray(1 / self._density(log_p))

    def number(self, log_p: Array) -> Array:
        """s, between two levels a fraction."""
        more = self._steps(log_p) - self._steps(np.array(self.lowest))
        return np.asarray(self.per_unit * (log_p - self.lowest + (self.refinement - 1) * more))

    def _steps(self, u: Array) -> Array:
        return np.asarray(-_WIDTH * np.logaddexp(0.0, (self.turn - u) / _WIDTH))

    def _density(self, u: Array) -> Array:
        more = (self.refinement - 1) / (1 + np.exp((u - self.turn) / _WIDTH))
        return np.asarray(self.per_unit * (1 + more))


def make_levels(
    deck: GalaxyDeck,
    nuclei: list[Nuclide],
    per_decade: float,
    below: float = 1.0,
    above: float = 1.0,
) -> Momenta:
    """One grid for all nuclides, T_min … T_max, of ``per_decade`` levels in the mean.

    With ``below`` < 1 or ``above`` > 1 as many more of the same levels as reach to below · T_min
    and above · T_max: what they change is the ends, and not the places of the levels.
    """
    momentum = deck.momentum
    ends = np.array([below, 1.0, 1.0, above]) * np.repeat(momentum.ends(), 2)
    momenta = np.stack([nucleus.momentum(nucleus.rigidity(ends)) for nucleus in nuclei])
    lowest, first = np.log(momenta[:, :2].min(axis=0))
    last, highest = np.log(momenta[:, 2:].max(axis=0))
    steps = int(np.ceil((last - first) / np.log(10) * per_decade - 1e-9))
    levels = _momenta(
        steps, float(first), float(last), momentum.refinement, float(np.log(momentum.p_refined))
    )
    if below == above == 1:
        return levels
    down, up = -levels.number(lowest), levels.number(highest) - steps
    return _longer(levels, int(np.ceil(down - 1e-9)), int(np.ceil(up - 1e-9)))


@lru_cache(maxsize=64)
def _longer(levels: Momenta, down: int, up: int) -> Momenta:
    """With more levels below the first, and above the last."""
    lowest = float(levels.log_momentum(np.array(-float(down)))) if down else levels.lowest
    return replace(levels, n=levels.n + down + up, lowest=lowest)


@lru_cache(maxsize=64)
def _momenta(steps: int, first: float, last: float, refinement: float, turn: float) -> Momenta:
    """The same object for the same levels: what is made on them is made once."""
    unit = Momenta(
        first=0.0,
        step=1.0,
        n=steps + 1,
        lowest=first,
        per_unit=1.0,
        refinement=refinement,
        turn=turn,
    )
    return replace(unit, per_unit=float(steps / unit.number(np.array(last))))
