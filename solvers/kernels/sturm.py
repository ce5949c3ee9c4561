"""Inertia of a finite-volume pencil: how many eigenvalues lie below a number."""

from __future__ import annotations

import numpy as np

from crtransport.solvers.jit import njit


@njit
def count_negative(conductance, loss, weight, shift):  # type: ignore[no-untyped-def]
    """Negative eigenvalues of K + diag(loss − shift·weight), K the diffusion matrix.

    By the pivots d_k of LDLᵀ (Sylvester's law of inertia). With d_k = c_k + e_k, c_k the
    conductance to the next cell,

        e_k = loss_k − shift·weight_k + c_{k−1} e_{k−1} / (c_{k−1} + e_{k−1}),   c_{n−1} = 0

    the rows of K, which sum to zero, cancel on paper and not in rounding: rates far below the
    conductances come out right. A pivot of zero counts as a tiny positive one.

    Parameters: conductance (n−1,), loss (n,), weight (n,), shift.
    """
    n = len(loss)
    count = 0
    carried = 0.0
    for k in range(n):
        excess = loss[k] - shift * weight[k] + carried
        c = conductance[k] if k < n - 1 else 0.0
        pivot = c + excess
        if pivot < 0.0:
            count += 1
        elif pivot == 0.0:
            pivot = 1e-300
        carried = c * (excess / pivot)
    return count


@njit
def bisect_rates(conductance, loss, weight, first, upper, rtol, out):  # type: ignore[no-untyped-def]
    """Positive Λ of (K + diag(loss)) v = Λ diag(weight) v by bisection on the inertia.

    The matrix on the left is positive (semi)definite, so each Λ > 0 adds one negative eigenvalue
    when the shift passes it. out[k] gets number first + k, counted from 0; ``upper`` bounds all.
    """
    lower = 0.0
    for k in range(len(out)):
        lo, hi = lower, upper
        while hi - lo > rtol * hi:
            middle = 0.5 * (lo + hi)
            if hi > 4.0 * lo:  # by decades while the size is unknown
                middle = np.sqrt(max(lo, hi * 1e-30) * hi)
            if count_negative(conductance, loss, weight, middle) > first + k:
                hi = middle
            else:
                lo = middle
        out[k] = 0.5 * (lo + hi)
        lower = lo
