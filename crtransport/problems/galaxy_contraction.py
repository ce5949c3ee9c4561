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
from crtransport.problems.galaxy_origin import Origins, spectral_lines
from crtransport.problems.galaxy_space import Space
from crtransport.problems.galaxy_transport import Transport, momentum_order
from crtransport.solvers.levels import REACH, diagonals
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
#: ln of a source spectrum over its maximum, below which it counts as 0: far beyond a cutoff a small
#: change of the cutoff multiplies it by any number, and the rounding of λ with it
_NOTHING = -700.0
#: first words of keys that nothing set free depends on
_NOT_FREED = ("diffusion", "reacceleration", "losses")


class OfRates:
    """All nuclides in the space of the run, under the rates and sources of other decks."""

    def __init__(self, deck: GalaxyDeck, run: Transport, weights: Mapping[str, Array]) -> None:
        self.run, self.order = run, momentum_order(deck)
        self.nuclei = tuple(one.nucleus for one in run.nuclides)
        self.weights = [weights[nucleus.name] for nucleus in self.nuclei]
        self.scales = np.array([one.log_scale for one in run.nuclides])
        self.seen = [i for i, adjoint in enumerate(self.weights) if adjoint.any()]
        self._against: dict[tuple[int, Operator], Array] = {}
        self._backs: dict[tuple[int, Operator], Array] = {}
        self._fed: dict[tuple[int, int, Operator], Array] = {}

    def at(self, deck: GalaxyDeck, key: str) -> float:
        """The part of Σ λᵀ (q + C y − A y) that a change of ``key`` to ``deck`` may change."""
        run, root = self.run, key.partition(".")[0]
        total = 0.0 if root in _NOT_FREED else self._given(deck)
        rates = Rates(deck, self.nuclei, run.levels)
        for _, kind, values, operator in pieces(rates, run.space, deck, _PIECES.get(root)):
            acting = [i for i in self.seen if values[i].any()]
            scales = self.scales[acting]
            along = make_along(kind, values[acting], run.levels, scales, self.order)
            for i, one in zip(acting, along, strict=True):
                total -= float(np.sum(lines(one) * self.against(i, operator)))
        return total

    def against(self, index: int, operator: Operator) -> Array:
        """[2 REACH + 1, level] λ_k · X y_(k+d) of a nuclide."""
        key = index, operator
        if key not in self._against:
            weights, n = self.weights[index], self.run.levels.n
            moved = (operator.matrix @ self.run.nuclides[index].values.T).T
            out = np.zeros((2 * REACH + 1, n))
            for row, k, there in diagonals(n):
                out[row, k] = np.einsum("ki,ki->k", weights[k], moved[there])
            self._against[key] = out
        return self._against[key]

    def fed(self, child: int, parent: int, across: Operator) -> Array:
        """(n_levels,) λ · X y of a child and its parent."""
        key = child, parent, across
        if key not in self._fed:
            back = self._back(child, across)
            self._fed[key] = np.einsum("ki,ki->k", back, self.run.nuclides[parent].values)
        return self._fed[key]

    def _back(self, child: int, across: Operator) -> Array:
        """[level, place] λ X of a child."""
        if (child, across) not in self._backs:
            self._backs[child, across] = (across.matrix.T @ self.weights[child].T).T
        return self._backs[child, across]

    @cached_property
    def _loads(self) -> list[list[Array]]:
        """(n_levels,) λ · s of each nuclide and source."""
        return [[adjoint @ load for load in self.run.space.sources] for adjoint in self.weights]

    def _given(self, deck: GalaxyDeck) -> float:
        """Σ λᵀ (q + C y)."""
        origins = Origins(deck, self.nuclei, self.run.levels, self.run.space)
        total = 0.0
        for i in self.seen:
            for source, log_q, line in origins.spectra[i]:
                emitted = np.where(log_q > np.max(log_q) + _NOTHING, log_q, -np.inf)
                lit = spectral_lines(emitted - self.scales[i], line)
                total += float(lit @ self._loads[i][source])
        made, shares = origins.made, origins.shares(self.scales)
        for pair in np.flatnonzero(np.isin(made.child, self.seen)):
            fed = self.fed(made.child[pair], made.parent[pair], made.across[pair])
            total += float(shares[pair] @ fed)
        return total


class OfSpace:
    """All nuclides under the rates of the run, in other spaces."""

    def __init__(self, run: Transport, weights: Mapping[str, Array]) -> None:
        self.run = run
        self.loads = [np.zeros_like(load) for load in run.space.sources]
        self.traces: dict[Operator, _Trace] = {}
        for one in run.nuclides:
            adjoint = weights[one.nucleus.name]
            if not adjoint.any():
                continue
            for term in one.problem.terms:
                self._add(term.across, -adjoint, term.along.times(one.values))
            for source, log_q, line in one.origin.spectra:
                self.loads[source] += spectral_lines(log_q - one.log_scale, line) @ adjoint
            for across, fed in one.origin.fed(one.log_scale):
                self._add(across, adjoint, fed)

    def _add(self, operator: Operator, left: Array, right: Array) -> None:
        dense = not sp.issparse(operator.matrix)
        self.traces.setdefault(operator, _Trace()).add(left, right, dense)

    def at(self, space: Space) -> float:
        """Σ λᵀ (q + C y − A y) there."""
        total = sum(float(a @ b) for a, b in zip(self.loads, space.sources, strict=True))
        for before, now in zip(self.run.space.operators(), space.operators(), strict=True):
            if before is not None and now is not None and before in self.traces:
                total += self.traces[before].of(now.matrix)
        return total


class _Trace:
    """Σ λ_k · X m_k over levels and pairs of λ and m, of any X in place of an operator."""

    def __init__(self) -> None:
        self._pairs: list[tuple[Array, Array]] = []
        self._summed: Array | None = None

    def add(self, adjoint: Array, values: Array, dense: bool) -> None:
        """A pair of [level, place]; only their product is kept where X will be ``dense``."""
        if dense:
            product = adjoint.T @ values
            self._summed = product if self._summed is None else self._summed + product
        else:
            self._pairs.append((adjoint, values))

    def of(self, matrix: Any) -> float:
        if self._summed is not None:
            return float(np.sum(self._summed * matrix))
        return sum(float(np.sum(a * (matrix @ m.T).T)) for a, m in self._pairs)
