"""Weights of fitted differences, added up into bands."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import bernoulli, comb, factorial

from crtransport.solvers.jit import njit

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

_ORDERS = np.arange(33)
#: aₙ of κ(s) = (s/2)/sinh(s/2) = Σ aₙ sⁿ: (2^(1−n) − 1) Bₙ/n!, Bernoulli's numbers, |s| < 2π
_SERIES = np.where(_ORDERS == 1, 0.0, (2.0 ** (1 - _ORDERS) - 1) * bernoulli(32)) / factorial(
    _ORDERS
)
#: [power, order] aₙ C(n, j): what s^(n−j) is multiplied by in the j-th Taylor coefficient
_SHIFTED = np.array([_SERIES * comb(_ORDERS, j) for j in range(7)])
#: 1/(2ⁱ i!)
_HALVES = 0.5**_ORDERS / factorial(_ORDERS)
#: slopes up to which the series is taken, as its terms fall like (σ/2π)ⁿ
_NEAR = 1.0


@njit
def kappa(s: float, out: Array) -> None:
    """Taylor coefficients of κ around s."""
    count = len(out)
    if abs(s) < _NEAR:
        for j in range(count):
            value = 0.0
            for n in range(32, j - 1, -1):
                value = value * s + _SHIFTED[j, n]
            out[j] = value
        return
    # sinh((s + δ)/2) κ = (s + δ)/2, order by order in δ
    sinh, cosh = np.sinh(s / 2), 1 / np.tanh(s / 2)
    for j in range(count):
        value = 0.0
        if j == 0:
            value = s / 2 / sinh
        elif j == 1:
            value = 0.5 / sinh
        for i in range(1, j + 1):
            value -= (cosh if i % 2 else 1.0) * _HALVES[i] * out[j - i]
        out[j] = value


@njit
def slopes(coefficient: Array, log_scale: Array, ghosts: int, out: Array) -> None:
    """[field, face] logarithmic slopes per step of coefficient · scale.

    Of the scale alone where the coefficient changes sign: any slope keeps the order.
    """
    for f in range(len(out)):
        one_sign = np.all(coefficient[f] > 0) or np.all(coefficient[f] < 0)
        for face in range(out.shape[1]):
            k = face + ghosts
            out[f, face] = log_scale[f, k] - log_scale[f, k - 1]
            if one_sign:
                out[f, face] += np.log(coefficient[f, k] / coefficient[f, k - 1])


@njit
def derivative(values: Array, weights: Array, out: Array) -> None:
    """[field, level] changes per step, from the nearest points.

    Parameters
    ----------
    weights : [point, point] array
        Row i: of the derivative at point i of as many.
    """
    n, width = values.shape[1], len(weights)
    for f in range(len(values)):
        for k in range(n):
            first = min(max(k - width // 2, 0), n - width)
            out[f, k] = 0.0
            for i in range(width):
                out[f, k] += weights[k - first, i] * values[f, first + i]


@njit
def add_flux(
    offsets: Array,
    inverse: Array,
    slope: Array,
    value: Array,
    steep: Array,
    faces: Array,
    log_scale: Array,
    ghosts: int,
    below: Array,
    above: Array,
) -> None:
    """Add the flux through each face, value ψ + ∂(steep ψ), to the bands of the levels beside it.

    Parameters
    ----------
    offsets : (m,) array
        Of the levels beside a face.
    inverse : [m, m] array
        From Taylor coefficients times m! to weights: the inverse of the Vandermonde matrix. The
        symbol of a value is κ, that of a derivative s κ.
    slope, faces : [field, face] arrays
        Of the expected flux, and 1 where there is one, else 0.
    value, steep : [field, extended level] arrays, or empty ones
    log_scale : [field, extended level] array
    below, above : [field, 2 reach + 1, level] arrays
        The flux below (above) each level, over its scale.
    """
    m, n = len(offsets), below.shape[2]
    reach = below.shape[1] // 2
    taylor, raised, many = np.empty(m), np.empty(m), np.ones(m)
    for j in range(1, m):
        many[j] = j * many[j - 1]
    for f in range(len(below)):
        for face in range(n + 1):
            if faces[f, face] == 0.0:
                continue
            s = slope[f, face]
            kappa(s, taylor)
            for j in range(m):
                raised[j] = (s * taylor[j] + (taylor[j - 1] if j > 0 else 0.0)) * many[j]
            for i in range(m):
                # the face lies half a step below the level of its own number
                step = int(np.floor(offsets[i] + 0.01))
                there = face + step + ghosts
                base = 0.0
                if value.size > 0:
                    weight = 0.0
                    for j in range(m):
                        weight += inverse[i, j] * taylor[j] * many[j]
                    base += weight * value[f, there]
                if steep.size > 0:
                    weight = 0.0
                    for j in range(m):
                        weight += inverse[i, j] * raised[j]
                    base += weight * steep[f, there]
                if base == 0.0:
                    continue
                here = log_scale[f, there] - s * offsets[i]
                if face < n:
                    below[f, reach + step, face] += base * np.exp(
                        here - log_scale[f, face + ghosts]
                    )
                if face > 0:
                    above[f, reach + step + 1, face - 1] += base * np.exp(
                        here - log_scale[f, face - 1 + ghosts]
                    )


@njit
def divergence(
    below: Array,
    above: Array,
    ends: Array,
    low: Integers,
    high: Integers,
    step: float,
    bands: Array,
    total: Array,
) -> None:
    """What each level loses, and what all lose through the ends.

    Parameters
    ----------
    ends : [field, 2] array
        Weights of the first and the last level in a sum.
    low, high : (n_fields,) arrays of int
        Degrees of the polynomials by which what lies beyond the ends is known.
    bands, total : [field, 2 reach + 1, level] and [field, level] arrays
        Out.
    """
    fields, width, n = below.shape
    reach = width // 2
    leaves = np.empty((width, n))
    for f in range(fields):
        leaves[:] = 0.0
        for d in range(width):
            for k in range(n):
                bands[f, d, k] = (below[f, d, k] - above[f, d, k]) / step
            leaves[d, 0] += below[f, d, 0] * ends[f, 0] / step
            leaves[d, n - 1] -= above[f, d, n - 1] * ends[f, 1] / step
        fold(bands[f], low[f], high[f])
        fold(leaves, low[f], high[f])
        total[f] = 0.0
        for d in range(reach + 1):
            total[f, d] += leaves[reach + d, 0]
            total[f, n - 1 - d] += leaves[reach - d, n - 1]


@njit
def fold(bands: Array, low: int, high: int) -> None:
    """What reaches beyond the ends goes to the levels there, by polynomials of these degrees."""
    reach, n = bands.shape[0] // 2, bands.shape[1]
    for side in range(2):
        degree, inward = (low, 1) if side == 0 else (high, -1)
        end = 0 if side == 0 else n - 1
        for depth in range(reach):
            k = end + inward * depth
            for g in range(1, reach - depth + 1):
                beyond = bands[reach - inward * (depth + g), k]
                bands[reach - inward * (depth + g), k] = 0.0
                for j in range(degree + 1):
                    weight = 1.0
                    for other in range(degree + 1):
                        if other != j:
                            weight *= (-g - other) / (j - other)
                    bands[reach + inward * (j - depth), k] += weight * beyond


@njit
def fall(log_source: Array, lost: Array, falling: Array, last: float, out: Array) -> None:
    """ln N of (lost + falling) N_k = q_k + (falling N)_{k+1}, from ln N of the last level down.

    Parameters
    ----------
    log_source, lost, falling, out : (n_levels,) arrays
        ln q, what each level loses for good, and what it hands to the one below.
    last : float
        ln N of the last level.
    """
    n = len(out)
    out[n - 1] = last
    for k in range(n - 2, -1, -1):
        come = log_source[k]
        if falling[k + 1] > 0:
            other = np.log(falling[k + 1]) + out[k + 1]
            top = max(come, other)
            if top > -np.inf:
                come = top + np.log(np.exp(come - top) + np.exp(other - top))
        out[k] = come - np.log(lost[k] + falling[k])


@njit
def fall_through(
    log_source: Array,
    lost: Array,
    falling: Array,
    parent: Integers,
    child: Integers,
    rates: Array,
    out: Array,
) -> None:
    """ln N of fields one after another, each as in `fall`, fed by those before it.

    Beyond the last level N goes on as a power law.

    Parameters
    ----------
    log_source, lost, falling, out : [field, level] arrays
    parent, child : (n_pairs,) arrays of int
        Numbers of fields, by child.
    rates : [pair, level] array
        What a parent adds to the source of its child.
    """
    n = out.shape[1]
    source, alone = np.empty(n), np.empty(2)
    end = 0
    for i in range(len(out)):
        first = end
        while end < len(child) and child[end] == i:
            end += 1
        for k in range(n):
            top = log_source[i, k]
            for pair in range(first, end):
                top = max(top, out[parent[pair], k])
            total = np.exp(log_source[i, k] - top) if top > -np.inf else 0.0
            for pair in range(first, end):
                total += rates[pair, k] * np.exp(out[parent[pair], k] - top)
            source[k] = top + np.log(total)
        last = lost[i, n - 1]
        if falling[i, n - 1] > 0:
            for j in range(2):
                alone[j] = source[n - 1 - j] - np.log(lost[i, n - 1 - j] + falling[i, n - 1 - j])
            above = falling[i, n - 1] ** 2 / falling[i, n - 2] * np.exp(alone[0] - alone[1])
            last += max(falling[i, n - 1] - above, 0.0)
        fall(source, lost[i], falling[i], source[n - 1] - np.log(last), out[i])
