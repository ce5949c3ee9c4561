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
from crtransport.problems.galaxy_origin import Origin, Origins, spectral_lines
from crtransport.problems.galaxy_space import Space
from crtransport.problems.galaxy_transport import Transport, momentum_order
from crtransport.solvers.levels import REACH
from crtransport.solvers.problem import Operator
from crtransport.solvers.reduced_basis import lines

Array = NDArray[np.float64]

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
    """All nuclides in the space of the run, under the rates and sources of other decks."""

    def __init__(self, deck: GalaxyDeck, run: Transport, weights: Mapping[str, Array]) -> None:
        self.run, self.order = run, momentum_order(deck)
        self.nuclei = tuple(one.nucleus for one in run.nuclides)
        self.weights = [weights[nucleus.name] for nucleus in self.nuclei]
        self.seen = [i for i, adjoint in enumerate(self.weights) if adjoint.any()]
        self._against: dict[tuple[int, Operator], Array] = {}
        self._fed: dict[tuple[int, int, Operator], Array] = {}

    def at(self, deck: GalaxyDeck, key: str) -> float:
        """The part of Σ λᵀ (q + C y − A y) that a change of ``key`` to ``deck`` may change."""
        run, root = self.run, key.partition(".")[0]
        total = 0.0 if root in _NOT_FREED else self._given(deck)
        rates = Rates(deck, self.nuclei, run.levels)
        for _, kind, values, operator in pieces(rates, run.space, deck, _PIECES.get(root)):
            for i in self.seen:
                if not values[i].any():
                    continue
                scale = run.nuclides[i].log_scale
                along = make_along(kind, values[i], run.levels, scale, self.order)
                total -= float(np.sum(lines(along) * self.against(i, operator)))
        return total

    def against(self, index: int, operator: Operator) -> Array:
        """[2 REACH + 1, level] λ_k · X y_(k+d) of a nuclide."""
        key = index, operator
        if key not in self._against:
            weights, n = self.weights[index], self.run.levels.n
            moved = (operator.matrix @ self.run.nuclides[index].values.T).T
            out = np.zeros((2 * REACH + 1, n))
            for d in range(-REACH, REACH + 1):
                k = slice(max(0, -d), min(n, n - d))
                there = slice(max(0, d), min(n, n + d))
                out[REACH + d, k] = np.einsum("ki,ki->k", weights[k], moved[there])
            self._against[key] = out
        return self._against[key]

    def fed(self, child: int, parent: int, across: Operator) -> Array:
        """(n_levels,) λ · X y of a child and its parent."""
        key = child, parent, across
        if key not in self._fed:
            moved = (across.matrix @ self.run.nuclides[parent].values.T).T
            self._fed[key] = np.einsum("ki,ki->k", self.weights[child], moved)
        return self._fed[key]

    @cached_property
    def _loads(self) -> list[list[Array]]:
        """(n_levels,) λ · s of each nuclide and source."""
        return [[adjoint @ load for load in self.run.space.sources] for adjoint in self.weights]

    def _given(self, deck: GalaxyDeck) -> float:
        """Σ λᵀ (q + C y)."""
        run, total = self.run, 0.0
        origins = Origins(deck, self.nuclei, run.levels, run.space)
        for i in self.seen:
            scale = run.nuclides[i].log_scale
            for source, log_q, line in origins.spectra[i]:
                total += float(spectral_lines(log_q - scale, line) @ self._loads[i][source])
            origin = Origin(origins, i, run.nuclides)
            for share, (parent, across) in zip(origin.shares(scale), origin.parents, strict=True):
                fed = self.fed(i, self.nuclei.index(parent.nucleus), across)
                total += float(share @ fed)
        return total


class OfSpace:
    """All nuclides under the rates of the run, in other spaces."""

    def __init__(self, deck: GalaxyDeck, run: Transport, weights: Mapping[str, Array]) -> None:
        self.run = run
        self.loads = [np.zeros_like(load) for load in run.space.sources]
        order = momentum_order(deck)
        pairs: dict[Operator, list[tuple[Array, Array]]] = {}
        rates = Rates(deck, [one.nucleus for one in run.nuclides], run.levels)
        found = pieces(rates, run.space, deck)
        for index, one in enumerate(run.nuclides):
            adjoint = weights[one.nucleus.name]
            if not adjoint.any():
                continue
            for _, kind, values, operator in found:
                along = make_along(kind, values[index], run.levels, one.log_scale, order)
                pairs.setdefault(operator, []).append((-adjoint, along.matrix @ one.values))
            for source, log_q, line in one.origin.spectra:
                self.loads[source] += spectral_lines(log_q - one.log_scale, line) @ adjoint
            shares = one.origin.shares(one.log_scale)
            for share, (parent, across) in zip(shares, one.origin.parents, strict=True):
                pairs.setdefault(across, []).append((adjoint, share[:, None] * parent.values))
        self.traces = {operator: _Trace(some) for operator, some in pairs.items()}

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
