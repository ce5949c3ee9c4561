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
        self._share = (shares(self.places + _NEAR, len(ends)) @ weigh)[_NEAR:-_NEAR]

    def on_levels(self, values: Array) -> Array:
        """(n,) what each level gets of ``values`` at the places.

        Beside a step some get a little less than nothing. Weights that never do keep fewer moments,
        and what a drift then carries away from the step errs a hundred times as much (measured).
        """
        return np.asarray(self._share @ values)
