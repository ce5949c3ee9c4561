"""The equidistant axis that levels lie on, and diagonal operators along it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from crtransport.solvers.problem import Operator

Array = NDArray[np.float64]

#: points beyond either end at which coefficients are known
GHOSTS = 5


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


def rate(values: Array, weight: Array) -> Operator:
    """What happens at each level by itself: a diagonal; ``weight`` as in FieldProblem."""
    return Operator(matrix=sp.csr_array(sp.diags_array(values)), total=values * weight)


def weight_of(log_scale: Array) -> Array:
    """(n_levels,) S over its largest value, from ln S on the extended levels."""
    inner = log_scale[GHOSTS:-GHOSTS]
    return np.asarray(np.exp(inner - np.max(inner)))
