"""Compiled loops over pairs of objects, for the permutations of `crtransport.clusters.rank`."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Ranks = NDArray[np.int32]
Flags = NDArray[np.bool_]


@numba.njit(cache=True, nogil=True)
def concordance(x: Ranks, y: Ranks, detected: int) -> tuple[int, int]:
    """Σ a b and Σ b² over pairs i < j; a and b as in `crtransport.clusters.rank.kendall`.

    The first ``detected`` objects are detections, the others limits, which are never compared
    with each other. Without branches, so that the inner loops work on several objects at once.
    """
    score = np.int32(0)
    compared = np.int32(0)
    for i in range(detected):
        xi, yi = x[i], y[i]
        for j in range(i + 1, detected):
            b = np.int32(y[j] < yi) - np.int32(y[j] > yi)
            score += b * (np.int32(xi > x[j]) - np.int32(xi < x[j]))
            compared += b * b
        for j in range(detected, len(y)):
            b = np.int32(y[j] < yi)
            score += b * (np.int32(xi > x[j]) - np.int32(xi < x[j]))
            compared += b
    return int(score), int(compared)


@numba.njit(cache=True, nogil=True)
def permuted(
    generator: Any,
    x: Ranks,
    value: Ranks,
    limit: Flags,
    threshold: Ranks,
    pairs: int,
    out: Array,
) -> None:
    """τ of len(out) random permutations of the values over the objects.

    ``pairs`` is the number of pairs with different x; values and thresholds are ranks among all
    of both. Each permutation starts from the given order of the rows, so that a block depends on
    its generator alone.
    """
    n = len(x)
    order = np.empty(n, np.int64)
    new_x = np.empty(n, np.int32)
    new_y = np.empty(n, np.int32)
    for trial in range(len(out)):
        for i in range(n):
            order[i] = i
        for i in range(n - 1, 0, -1):
            j = int(generator.random() * (i + 1))
            order[i], order[j] = order[j], order[i]
        first, last = 0, n
        for i in range(n):
            drawn = value[order[i]]
            if limit[order[i]] or drawn < threshold[i]:
                last -= 1
                new_x[last], new_y[last] = x[i], max(drawn, threshold[i])
            else:
                new_x[first], new_y[first] = x[i], drawn
                first += 1
        score, compared = concordance(new_x, new_y, first)
        out[trial] = score / np.sqrt(pairs * compared) if compared > 0 else 0.0
