"""From what is left of a release to what is left of a source: its duration, and gas on the way."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crtransport.constants import YEAR
from crtransport.physics.burst import LocalSource

Array = NDArray[np.float64]
#: (τ, γ) -> n, and its gradient inwards and upwards, of one particle; γ = Γ/D
Left = Callable[[Array, float], tuple[Array, Array, Array]]

#: step in ln γ, and points of a polynomial in it: of the answer, and of what tells its error
_STEP, _POINTS = 0.35, (8, 6)
#: nodes of a panel in ln τ, likewise
_NODES = 8, 6


class Remnant(NamedTuple):
    """A source at the Sun, of one particle set free; 0 where too little is left.

    Attributes
    ----------
    density : array
        kpc^-3.
    inwards, upwards : arrays
        Gradient towards the source along the plane, and along z, kpc^-4.
    error : float
        Largest relative error estimate of the density where it is not 0.
    """

    density: Array
    inwards: Array
    upwards: Array
    error: float


class Emission(NamedTuple):
    """When a source shone, and what gas takes, for each rigidity.

    Attributes
    ----------
    first, last : arrays
        τ = D t of the latest and the earliest particles, kpc²; equal for a burst.
    fade, gamma : arrays
        Γ/D, kpc^-2, of gas all over, and of gas in a layer.
    """

    first: Array
    last: Array
    fade: Array
    gamma: Array

    @classmethod
    def of(cls, source: LocalSource, rate: Array, loss: Array | None, layer: bool) -> Emission:
        """For D in kpc² a year, and Γ in s^-1, within a layer or all over."""
        none = np.zeros_like(rate)
        over = none if loss is None else loss * YEAR / rate
        ends = rate * (source.age - source.duration), rate * source.age
        return cls(*ends, *((none, over) if layer else (over, none)))

    def at(self, some: NDArray[np.bool_]) -> Emission:
        """Of some rigidities."""
        return Emission(*(part[some] for part in self))


def emitted(fine: Left, coarse: Left, emission: Emission, earliest: float, least: Array) -> Remnant:
    """What is left of a source.

    Parameters
    ----------
    fine, coarse : Left
        What is left of a release, and the same less accurately.
    emission : Emission
    earliest : float
        τ before which nothing arrives.
    least : array
        Density below which rounding is all there is.
    """
    seen = emission.last > earliest
    density, inwards, upwards = parts = np.zeros((3, len(seen)))
    if not seen.any():
        return Remnant(density, inwards, upwards, 0.0)
    some = emission.at(seen)
    found, rough = (
        _through_gas(left, some, earliest, *size)
        for left, size in zip((fine, coarse), zip(_POINTS, _NODES, strict=True), strict=True)
    )
    alive = found[0] > least[seen]
    for part, values in zip(parts, found, strict=True):
        part[seen] = np.where(alive, values, 0.0)
    error = np.max(np.abs(rough[0] / found[0] - 1), where=alive, initial=0.0)
    return Remnant(density, inwards, upwards, float(error))


def _through_gas(
    left: Left, emission: Emission, earliest: float, points: int, nodes: int
) -> list[Array]:
    """Polynomials in ln γ through ln n, and relative gradients, at a few values of γ around."""
    if not emission.gamma.any():
        return _averaged(left, emission, earliest, nodes, 0.0)
    x = np.log(emission.gamma) / _STEP
    first = np.floor(x).astype(int) - points // 2 + 1
    log_n, inwards, upwards = np.zeros((3, len(x)))
    for i in range(first.min(), first.max() + points):
        some = (first <= i) & (i < first + points)
        if not some.any():
            continue
        gamma = float(np.exp(_STEP * i))
        each = _averaged(left, emission.at(some), earliest, nodes, gamma)
        # rounding may leave less than nothing where nothing is
        density = np.maximum(each[0], np.finfo(float).tiny)
        weight = _weights(x[some] - first[some], i - first[some], points)
        log_n[some] += weight * np.log(density)
        inwards[some] += weight * each[1] / density
        upwards[some] += weight * each[2] / density
    density = np.exp(log_n)
    return [density, density * inwards, density * upwards]


def _weights(x: Array, j: Array, points: int) -> Array:
    """Of the value at j for the one at x, by the polynomial through 0, 1, …, points − 1."""
    others = np.arange(points)
    factors = np.where(others == j[:, None], 1.0, x[:, None] - others)
    steps = np.where(others == j[:, None], 1.0, (j[:, None] - others).astype(float))
    return np.asarray(np.prod(factors / steps, axis=1))


def _averaged(
    left: Left, emission: Emission, earliest: float, nodes: int, gamma: float
) -> list[Array]:
    """Over the time of emission, all rigidities by one running integral."""
    if np.array_equal(emission.first, emission.last):
        rest = np.exp(-emission.fade * emission.last)
        return [rest * part for part in left(emission.last, gamma)]
    first = np.maximum(emission.first, earliest)
    edges = np.unique(np.concatenate([first, emission.last]))
    pieces = np.maximum(1, np.ceil(np.diff(np.log(edges)))).astype(int)
    bounds = np.concatenate(
        [np.geomspace(a, b, n + 1)[:-1] for (a, b), n in zip(pairwise(edges), pieces, strict=True)]
        + [edges[-1:]]
    )
    x, weight = np.polynomial.legendre.leggauss(nodes)
    half = np.diff(np.log(bounds))[:, None] / 2
    tau = np.exp(np.log(bounds[:-1, None]) + half * (1 + x)).ravel()
    weight = tau * (half * weight).ravel()
    shining = (tau > first[:, None]) & (tau < emission.last[:, None])
    rest = shining * np.exp(-emission.fade[:, None] * tau) * weight
    span = emission.last - emission.first
    return [rest @ part / span for part in left(tau, gamma)]
