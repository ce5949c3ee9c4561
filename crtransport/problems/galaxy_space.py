"""The Galaxy in space: from gas, sources and the shape of D to matrices on a grid.

One half of the Galaxy is solved, z ≥ 0, as everything is symmetric: half of a δ(z) lies in it, and
nothing flows through the mid-plane.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crtransport.constants import KPC, MYR
from crtransport.deck.galaxy import GalaxyDeck
from crtransport.problems.galaxy_grid import make_grid
from crtransport.solvers.factors import solve_sum
from crtransport.solvers.problem import Operator

Array = NDArray[np.float64]
Field = Callable[[Array, Array], Array]  # of r, z in kpc

_KM_PER_S = 1e5 * MYR / KPC  # kpc/Myr
#: keys that matrices in space do not depend on, but for the grid that they are on
_SAME = re.compile(
    r"diffusion\.(D0|R0|R1|delta1|delta2|eta|smoothness|breaks\..*)|(reacceleration|losses|nuclear|normalisation)\..*"
    r"|source\.\d+\.(abundances|injections?|reference).*"
)


@dataclass(frozen=True, kw_only=True, eq=False)
class Space:
    """Matrices in space, lengths in kpc; each is multiplied by a rate along the momentum axis.

    Attributes
    ----------
    grid : NodalGrid or CellGrid
    diffusion : tuple of Operator
        −∇·f∇, one for each direction; 1 over the escape time in a leaky box.
    inverse_diffusion : Operator
        1/f, which reacceleration goes with.
    gas, neutral, ionised : Operator
        Densities of all hydrogen, of neutral hydrogen and of free electrons, cm^-3.
    volume : Operator
        Density 1.
    convection, divergence : Operator or None
        ∇·(V ψ) and ∇·V, 1/Myr.
    sources : tuple of (n_places,) arrays
        Load vectors of the [[source]] tables, 1 at the Sun.
    released : (n_sources,) array
        What each of them sets free in total.
    sun : (n_places,) array
        Weights of ψ at the Sun.
    """

    grid: Any
    diffusion: tuple[Operator, ...]
    inverse_diffusion: Operator
    gas: Operator
    neutral: Operator
    ionised: Operator
    volume: Operator
    convection: Operator | None
    divergence: Operator | None
    sources: tuple[Array, ...]
    released: Array
    sun: Array

    def operators(self) -> tuple[Operator | None, ...]:
        """All matrices, in the same order for any space of a deck."""
        return (
            *self.diffusion,
            self.inverse_diffusion,
            self.gas,
            self.neutral,
            self.ionised,
            self.volume,
            self.convection,
            self.divergence,
        )

    @cached_property
    def typical(self) -> Array:
        """(n_places,) ψ of all sources for a D of 1, with diffusion alone."""
        return solve_sum(self.diffusion, np.sum(self.sources, axis=0))

    def typical_rate(self, operator: Operator) -> float:
        """wᵀXw/wᵀLw with w the typical shape: how much a term weighs against diffusion."""
        return _typical_rate(self, operator)

    def typical_source(self, load: Array) -> float:
        """wᵀs/wᵀLw: ψ of a source in units of w, for a D of 1."""
        return float(self.typical @ load / self._typical_diffusion)

    @cached_property
    def _typical_diffusion(self) -> float:
        w = self.typical
        return float(sum(w @ (part.matrix @ w) for part in self.diffusion))


@lru_cache(maxsize=64)
def _typical_rate(space: Space, operator: Operator) -> float:
    """Asked for by each nuclide and each of its parents."""
    w = space.typical
    return float(w @ (operator.matrix @ w) / space._typical_diffusion)


def same_space(key: str) -> bool:
    """Whether matrices in space, on one grid, stay as they are when the value at a key changes."""
    return _SAME.fullmatch(key) is not None


def make_space(
    deck: GalaxyDeck, coarse: bool = False, like: GalaxyDeck | None = None, grid: Any = None
) -> Space:
    """Build the matrices of a deck; ``coarse``: on the grid that tells the error of the deck's.

    ``like``: a deck whose elements are taken, where derivatives need as many of them. ``grid``: one
    in place of the deck's.
    """
    place = _Places(deck, make_grid(deck, coarse, like) if grid is None else grid)
    diffusion = place.diffusion()
    loads = tuple(
        place.load(
            lambda r, z, s=source: s.density(r, z, place.r_sun),  # type: ignore[misc]
            lambda r, z, s=source: s.sheet(r, place.r_sun),  # type: ignore[misc]
        )
        for source in deck.source
    )
    wind = place.wind()
    gas = deck.gas
    bends = gas.bends()
    neutral = place.load(gas.neutral, lambda r, z: gas.neutral_sheet(r), bends)
    ionised = place.load(gas.ionised, lambda r, z: gas.ionised_sheet(r), bends)
    return Space(
        grid=place.grid,
        diffusion=diffusion,
        inverse_diffusion=place.grid.mass(place.function(lambda r, z: 1 / place.factor(r, z))),
        gas=Operator.diag(neutral + ionised),
        neutral=Operator.diag(neutral),
        ionised=Operator.diag(ionised),
        volume=place.grid.mass(place.function(lambda r, z: np.ones_like(r))),
        convection=wind[0],
        divergence=wind[1],
        sources=loads,
        released=np.array([load.sum() for load in loads]),
        sun=place.grid.at(place.sun),
    )


class _Places:
    """Functions of (r, z) as functions of whatever coordinates the geometry has."""

    def __init__(self, deck: GalaxyDeck, grid: Any) -> None:
        self.deck, self.grid = deck, grid
        self.kind = deck.geometry.kind
        self.r_sun = deck.geometry.r_sun
        self.vertical = {"cylinder": 1, "slab": 0}.get(self.kind)
        self.sun = {"cylinder": (self.r_sun, 0.0), "slab": (0.0,)}.get(self.kind, ())

    def function(self, field: Field) -> Callable[..., Array]:
        """``field`` of the grid's coordinates; a slab has the Sun's r, a leaky box z = 0 too."""

        def at(*coordinates: Array) -> Array:
            z = coordinates[-1] if coordinates else np.zeros(1)
            r = coordinates[0] if self.kind == "cylinder" else np.full_like(z, self.r_sun)
            return np.broadcast_to(np.asarray(field(r, z), dtype=float), z.shape)

        return at

    def factor(self, r: Array, z: Array) -> Array:
        return np.asarray(self.deck.diffusion.factor(r, z))

    def load(self, field: Field, sheet: Field, bends: Sequence[float] = ()) -> Array:
        """What ``field`` has in each place, and half of what ``sheet`` has at z = 0.

        ``bends``: radii at which ``field`` has kinks within elements.
        """
        bends = bends if self.kind == "cylinder" else ()
        found = self.grid.load(self.function(field), bends)
        if bends:
            # a polynomial may be negative beside a ring that is narrower than its element
            found = np.maximum(found, 0.0)
        if self.vertical is not None:
            found = found + self.grid.sheet(self.vertical, self.function(sheet)) / 2
        return np.asarray(found)

    def diffusion(self) -> tuple[Operator, ...]:
        if self.vertical is None:
            escape = 1 / self.deck.geometry.escape_time  # type: ignore[union-attr]
            return (self.grid.mass(lambda: np.array([escape])),)
        vertical = self.grid.stiffness(self.vertical, self.function(self.factor))
        if self.kind == "slab":
            return (vertical,)
        ratio = self.deck.diffusion.anisotropy
        along_r = self.function(lambda r, z: ratio * self.factor(r, z))
        return self.grid.stiffness(0, along_r), vertical

    def wind(self) -> tuple[Operator | None, Operator | None]:
        """∇·(V ψ) and ∇·V of V = V₀ sgn z + z dV/dz, whose ∇·V has 2 V₀ δ(z)."""
        wind = self.deck.convection
        first, rise = wind.V0 * _KM_PER_S, wind.dVdz * _KM_PER_S
        if self.vertical is None or (first == 0 and rise == 0):
            return None, None
        carried = self.grid.convection(self.vertical, self.function(lambda r, z: first + rise * z))
        if not wind.adiabatic:
            return carried, None
        spreading = self.load(
            lambda r, z: np.full_like(z, rise), lambda r, z: np.full_like(z, 2 * first)
        )
        return carried, Operator.diag(spreading)
