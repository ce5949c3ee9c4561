"""What a source between the levels gives to each of them: as much, at the same place.

A δ(s − s₀) is shared among the levels around s₀ by Lagrange's weights, which keep its moments up to
the number of those levels: away from s₀ the answer to it has the order of the differences. A source
with kinks or steps is a sum of such, where its values on the levels would miss or double what lies
between them.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

Array = NDArray[np.float64]

#: levels that share what lies between two of them, as many moments as differences of order 5 keep
_NEAR = 6
#: Gauss points between two places at which a source has a kink
_POINTS = 4
#: a kink of a source whose levels resolve it changes what they get by less
_MOST = 0.5


def shares(place: Array, n: int) -> sp.csr_array:
    """[level, place] Lagrange's weights of the nearest of ``n`` levels 0, 1, …"""
    first = np.clip(np.floor(place).astype(int) - (_NEAR // 2 - 1), 0, n - _NEAR)
    levels = first[:, None] + np.arange(_NEAR)
    weights = np.ones(levels.shape)
    for i in range(_NEAR):
        for j in (j for j in range(_NEAR) if j != i):
            weights[:, i] *= (place - levels[:, j]) / (i - j)
    columns = np.repeat(np.arange(len(place)), _NEAR)
    return sp.csr_array((weights.ravel(), (levels.ravel(), columns)), shape=(n, len(place)))


class Between:
    """Sources that are smooth between the levels 0 … n − 1 and some kinks.

    Attributes
    ----------
    places : (n_points,) array
        Where such a source is to be known, in numbers of levels; some lie beyond the ends.
    """

    def __init__(self, n: int, kinks: Array) -> None:
        ends = np.arange(-_NEAR, n + _NEAR, dtype=float)
        inside = kinks[(kinks > ends[0]) & (kinks < ends[-1])]
        edges = np.unique(np.concatenate([ends, inside]))
        points, weights = np.polynomial.legendre.leggauss(_POINTS)
        half = np.diff(edges)[:, None] / 2
        self.places = ((edges[1:] + edges[:-1])[:, None] / 2 + half * points).ravel()
        weigh = sp.diags_array((half * weights).ravel())
        self._kinks = inside
        self._share = (shares(self.places + _NEAR, len(ends)) @ weigh)[_NEAR:-_NEAR]

    def on_levels(self, values: Array) -> Array:
        """(n,) what each level gets of ``values`` at the places.

        Beside a step some get a little less than nothing. Weights that never do keep fewer moments,
        and what a drift then carries away from the step errs a hundred times as much (measured).
        """
        return np.asarray(self._share @ values)

    def factor(self, log_values: Array, log_here: Array) -> Array:
        """(n,) what each level beside a kink gets of e^``log_values`` over its own e^``log_here``.

        1 elsewhere, and where a source changes so much from level to level that they resolve none.
        """
        n = len(log_here)
        levels = np.arange(n)
        beside = np.zeros(n, dtype=bool)
        for kink in self._kinks:
            beside |= np.abs(levels - kink) <= _NEAR
        share = self._share.tocoo()
        with np.errstate(over="ignore", invalid="ignore"):
            parts = share.data * np.exp(log_values[share.col] - log_here[share.row])
            found = np.bincount(share.row, parts, n)
        return np.where(beside & (np.abs(found - 1) < _MOST), found, 1.0)
