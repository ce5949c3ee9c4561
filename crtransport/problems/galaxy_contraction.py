"""Σ λᵀ (q + C y − A y) of a run whose y and λ stay: under other rates, or in another space.

It is linear in what acts along the axis, in the matrices in space and in the loads of the sources,
so that each is contracted with y and λ once, and any number of parameters can follow.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from crtransport.deck.galaxy import GalaxyDeck
from crtransport.problems.galaxy_momentum import Rates, make_along, pieces
from crtransport.problems.galaxy_space import Space
from crtransport.problems.galaxy_transport import (
    Origin,
    Transport,
    momentum_order,
    spectral_lines,
)
from crtransport.solvers.levels import GHOSTS, REACH
from crtransport.solvers.problem import Operator
from crtransport.solvers.reduced_basis import lines

Array = NDArray[np.float64]

_INNER = slice(GHOSTS, -GHOSTS)
#: first word of a key -> pieces that it may change; of others, all
_PIECES = {
    "diffusion": ("escape", "reacceleration"),
    "reacceleration": ("reacceleration",),
    "losses": ("ionisation", "coulomb", "continuous loss"),
    "source": (),
}
#: first words of keys that nothing set free depends on
_NOT_FREED = ("diffusion", "reacceleration", "losses")


class OfRates:
    """One nuclide in the space of the run, under the rates and sources of other decks."""

    def __init__(self, deck: GalaxyDeck, run: Transport, index: int, weights: Array) -> None:
        self.run, self.one, self.weights = run, run.nuclides[index], weights
        self.done, self.order = list(run.nuclides[:index]), momentum_order(deck)
        self.against = {
            operator: self._against(operator)
            for _, _, _, operator in pieces(self._rates(deck), run.space, deck)
        }

    def at(self, deck: GalaxyDeck, key: str) -> float:
        """The part of λᵀ (q + C y − A y) that a change of ``key`` may have changed in ``deck``."""
        root = key.partition(".")[0]
        total = 0.0 if root in _NOT_FREED else self._given(deck)
        for _, kind, values, operator in pieces(
            self._rates(deck), self.run.space, deck, _PIECES.get(root)
        ):
            along = make_along(kind, values, self.run.levels, self.one.log_scale, self.order)
            total -= float(np.sum(lines(along) * self.against[operator]))
        return total

    def _rates(self, deck: GalaxyDeck) -> Rates:
        return Rates(deck, self.one.nucleus, self.run.levels)

    def _against(self, operator: Operator) -> Array:
        """[2 REACH + 1, level] λ_k · X y_(k+d)."""
        moved, n = (operator.matrix @ self.one.values.T).T, self.run.levels.n
        out = np.zeros((2 * REACH + 1, n))
        for d in range(-REACH, REACH + 1):
            k = slice(max(0, -d), min(n, n - d))
            there = slice(max(0, d), min(n, n + d))
            out[REACH + d, k] = np.einsum("ki,ki->k", self.weights[k], moved[there])
        return out

    @cached_property
    def _loads(self) -> list[Array]:
        """(n_levels,) λ · s of each source."""
        return [self.weights @ load for load in self.run.space.sources]

    @cached_property
    def _fed(self) -> dict[tuple[str, Operator], Array]:
        """(n_levels,) λ · X y of each parent and way."""
        return {
            (parent.nucleus.name, across): np.einsum(
                "ki,ki->k", self.weights, (across.matrix @ parent.values.T).T
            )
            for parent in self.done
            for across in (self.run.space.gas, self.run.space.volume)
        }

    def _given(self, deck: GalaxyDeck) -> float:
        """λᵀ (q + C y)."""
        one, space = self.one, self.run.space
        origin = Origin(deck, one.nucleus, self.run.levels, space, self.done)
        total = 0.0
        for source, log_q, line in origin.spectra:
            total += float(spectral_lines(log_q - one.log_scale, line) @ self._loads[source])
        shares = origin.shares(one.log_scale)
        for share, (parent, _, across) in zip(shares, origin.parents, strict=True):
            total += float(share @ self._fed[parent.nucleus.name, across])
        return total


class OfSpace:
    """All nuclides under the rates of the run, in other spaces."""

    def __init__(self, deck: GalaxyDeck, run: Transport, weights: Mapping[str, Array]) -> None:
        self.run = run
        self.loads = [np.zeros_like(load) for load in run.space.sources]
        order = momentum_order(deck)
        pairs: dict[Operator, list[tuple[Array, Array]]] = {}
        for one in run.nuclides:
            adjoint = weights[one.nucleus.name]
            if not adjoint.any():
                continue
            rates = Rates(deck, one.nucleus, run.levels)
            for _, kind, values, operator in pieces(rates, run.space, deck):
                along = make_along(kind, values, run.levels, one.log_scale, order)
                pairs.setdefault(operator, []).append((-adjoint, along.matrix @ one.values))
            for source, log_q, line in one.origin.spectra:
                self.loads[source] += spectral_lines(log_q - one.log_scale, line) @ adjoint
            shares = one.origin.shares(one.log_scale)
            for share, (parent, _, across) in zip(shares, one.origin.parents, strict=True):
                pairs.setdefault(across, []).append((adjoint, share[:, None] * parent.values))
        self.traces = {operator: _Trace(found) for operator, found in pairs.items()}

    def at(self, space: Space) -> float:
        """Σ λᵀ (q + C y − A y) there."""
        total = sum(float(a @ b) for a, b in zip(self.loads, space.sources, strict=True))
        for before, now in zip(self.run.space.operators(), space.operators(), strict=True):
            if before is not None and now is not None and before in self.traces:
                total += self.traces[before].of(now.matrix)
        return total


class _Trace:
    """Σ_k λ_k · X m_k of any matrix X."""

    def __init__(self, pairs: list[tuple[Array, Array]]) -> None:
        left, right = zip(*pairs, strict=True)
        self.left, self.right = np.concatenate(left), np.concatenate(right)

    @cached_property
    def _summed(self) -> Array:
        return np.asarray(self.left.T @ self.right)

    def of(self, matrix: Any) -> float:
        if sp.issparse(matrix):
            return float(np.sum(self.left * (matrix @ self.right.T).T))
        return float(np.sum(self._summed * matrix))
