"""The equidistant axis that levels lie on, and diagonal operators along it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

Array = NDArray[np.float64]

#: points beyond either end at which coefficients are known
GHOSTS = 5
#: levels on either side that a difference along the axis reaches to
REACH = 4


@dataclass(frozen=True, kw_only=True, eq=False)
class Levels:
    """``n`` levels at first, first + step, …

    ghosts | level 0 | level 1 | … | level n−1 | ghosts
           ^ face 0  ^ face 1                  ^ face n
    """

    first: float
    step: float
    n: int

    @cached_property
    def values(self) -> Array:
        """(n,) positions of the levels."""
        return np.asarray(self.first + self.step * np.arange(self.n))

    @cached_property
    def extended(self) -> Array:
        """(n + 2·GHOSTS,) positions of the levels and of the ghosts at either end."""
        return np.asarray(self.first + self.step * np.arange(-GHOSTS, self.n + GHOSTS))


def diagonals(n: int) -> Iterator[tuple[int, slice, slice]]:
    """Of each diagonal its row in Banded.bands, the levels it acts on, and those it takes from."""
    for d in range(-REACH, REACH + 1):
        yield (
            REACH + d,
            slice(max(0, -d), max(0, min(n, n - d))),
            slice(max(0, d), max(0, min(n, n + d))),
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class Banded:
    """An Operator along the axis by its diagonals; its sparse ``matrix`` is made when asked for.

    Attributes
    ----------
    bands : [2 REACH + 1, level] array
        A[k, k + d] at [REACH + d, k]; 0 where that is beyond the ends.
    total : (n_levels,) array
        As of Operator.
    """

    bands: Array
    total: Array

    def diagonal(self) -> Array:
        """(n_levels,)"""
        return self.bands[REACH]

    def transposed(self) -> Banded:
        """Aᵀ; the total stays."""
        out = np.zeros_like(self.bands)
        for row, k, there in diagonals(self.bands.shape[1]):
            out[row, k] = self.bands[2 * REACH - row, there]
        return Banded(bands=out, total=self.total)

    def times(self, y: Array) -> Array:
        """[level, …] A y."""
        out = np.zeros_like(y)
        for row, k, there in diagonals(len(y)):
            if self.bands[row].any():
                out[k] += self.bands[row, k, None] * y[there]
        return out

    @cached_property
    def matrix(self) -> sp.csr_array:
        """[level, level]."""
        n = self.bands.shape[1]
        column = np.arange(n)[:, None] + np.arange(-REACH, REACH + 1)
        there = (self.bands.T != 0) & (column >= 0) & (column < n)
        start = np.concatenate([[0], np.cumsum(there.sum(axis=1))])
        return sp.csr_array((self.bands.T[there], column[there], start), shape=(n, n))


def rate(values: Array, weight: Array) -> Banded:
    """What happens at each level by itself: a diagonal; ``weight`` as in FieldProblem."""
    bands = np.zeros((2 * REACH + 1, len(values)))
    bands[REACH] = values
    return Banded(bands=bands, total=values * weight)


def weight_of(log_scale: Array) -> Array:
    """[…, level] S over its largest value, from […, extended level] ln S."""
    inner = log_scale[..., GHOSTS:-GHOSTS]
    return np.asarray(np.exp(inner - np.max(inner, axis=-1, keepdims=True)))
