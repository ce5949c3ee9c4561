"""Marching in time by TR-BDF2: second order, L-stable, on any grid.

    M ∂n/∂τ + S n = 0

A trapezoidal step to γh, then backward differences to h, both with one matrix for γ = 2 − √2 (Bank
et al. 1985, IEEE Trans. CAD 4, 436): what is stiff dies at once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg as sla
from numpy.typing import NDArray

Array = NDArray[np.float64]

_GAMMA = 2 - np.sqrt(2)


def march(
    stiffness: Any, mass: Array, start: Array, first: float, times: Array, steps: int
) -> Array:
    """[time, place] n at increasing ``times``.

    Parameters
    ----------
    stiffness : [place, place] sparse array
    mass : (n_places,) array
        Diagonal of M.
    start : (n_places,) array
        n at the time ``first``.
    times : (n_times,) array
        Later than ``first``.
    steps : int
        Equal steps for each doubling of the time, at least.
    """
    n, now, out = np.array(start), first, []
    for time in times:
        doublings = max(1, int(np.ceil(np.log2(time / now))))
        for until in now * (time / now) ** (np.arange(1, doublings + 1) / doublings):
            n = _steps(stiffness, mass, n, (until - now) / steps, steps)
            now = float(until)
        out.append(n)
    return np.array(out)


def _steps(stiffness: Any, mass: Array, n: Array, h: float, count: int) -> Array:
    half = sp.csc_array(_GAMMA * h / 2 * stiffness)
    factors = sla.splu(sp.csc_array(sp.diags_array(mass) + half))
    a = 1 / (_GAMMA * (2 - _GAMMA))
    for _ in range(count):
        middle = factors.solve(mass * n - half @ n)
        n = factors.solve(mass * (a * middle + (1 - a) * n))
    return n
