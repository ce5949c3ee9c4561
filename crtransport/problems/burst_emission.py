"""From what is left of a release to what is left of a source: its duration, and gas on the way.

By logarithms (`averaged`) where that of a release is known however small it is, and by densities
(`emitted`) where all times share the modes that they are summed from.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crtransport.constants import YEAR
from crtransport.physics.burst import LocalSource

Array = NDArray[np.float64]
#: (τ, γ) -> n, its gradient inwards and upwards, and its rounding error, of one particle; γ = Γ/D
Left = Callable[[Array, float], tuple[Array, Array, Array, Array]]

#: (τ, γ) -> [quantity, τ] ln n, its gradient inwards and upwards, and the relative error of n
Log = Callable[[Array, Array], Array]

#: an emission is followed back until e^−60 of its end, in panels of ln τ of which the first ends at
#: these parts of the others, with so many nodes: of the answer, and of what tells its error
_SHORT, _FIRST, _LOG_NODES = 60.0, (1 / 64, 1 / 16, 1 / 4), (14, 11)
#: step in ln γ, and points of a polynomial in it: of the answer, and of what tells its error
_STEP, _POINTS = 0.35, (8, 6)
#: panels in ln τ of a factor of e, and nodes of one, likewise
_PIECES, _NODES = 4, (8, 6)
#: relative rounding error of a sum over modes above which it is no answer
ROUNDED = 3e-8


class Remnant(NamedTuple):
    """A source at the Sun, of one particle set free.

    Attributes
    ----------
    log_density : array
        ln n, kpc^-3.
    inwards, upwards : arrays
        Gradient of ln n towards the source along the plane, and along z, kpc^-1.
    error : array
        Relative error estimate of n; infinite where rounding is all there is.
    """

    log_density: Array
    inwards: Array
    upwards: Array
    error: Array

    @property
    def density(self) -> Array:
        """n, kpc^-3."""
        return np.exp(self.log_density)


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


def averaged(left: Log, emission: Emission, distance: float) -> Remnant:
    """What is left of a source, by logarithms; the error is at most 1, 100 %.

    Parameters
    ----------
    left : Log
        What is left of a release.
    emission : Emission
    distance : float
        n rises with τ no slower than exp(−distance²/4τ), kpc.
    """
    if np.array_equal(emission.first, emission.last):
        found = left(emission.last, emission.gamma)
        found[0] -= emission.fade * emission.last
    else:
        found, rough = (_over(left, emission, distance, nodes) for nodes in _LOG_NODES)
        found[3] += np.abs(np.expm1(np.clip(rough[0] - found[0], -1.0, 1.0)))
    log_density, inwards, upwards, error = found
    return Remnant(log_density, inwards, upwards, np.minimum(error, 1.0))


def _over(left: Log, emission: Emission, distance: float, nodes: int) -> Array:
    """[quantity, energy] the average over the time of emission."""
    span = np.log1p(_SHORT * 4 * emission.last / distance**2)
    on = emission.first > 0
    span[on] = np.minimum(span[on], np.log(emission.last[on] / emission.first[on]))
    panels = np.arange(np.ceil(np.max(span)) + 1)
    ends = np.concatenate([panels[:1], _FIRST, panels[1:]]) / panels[-1]
    x, weight = np.polynomial.legendre.leggauss(nodes)
    half = np.diff(ends)[:, None] / 2
    part = (ends[:-1, None] + half * (1 + x)).reshape(-1, 1)
    tau = emission.last * np.exp(-span * part)
    each = left(tau.ravel(), np.tile(emission.gamma, len(part)))
    logs, inwards, upwards, error = each.reshape(4, *tau.shape)
    logs = logs - emission.fade * tau
    top = np.max(logs, axis=0)
    share = (half * weight).reshape(-1, 1) * span * tau * np.exp(logs - top)
    whole = share.sum(axis=0)
    parts = [(share * x).sum(axis=0) / whole for x in (inwards, upwards, np.minimum(error, 1.0))]
    return np.array([top + np.log(whole / (emission.last - emission.first)), *parts])


def emitted(fine: Left, coarse: Left, emission: Emission, earliest: float) -> Remnant:
    """What is left of a source.

    Parameters
    ----------
    fine, coarse : Left
        What is left of a release, and the same less accurately.
    emission : Emission
    earliest : float
        τ before which rounding is all there is.
    """
    seen = emission.last > earliest
    log_density, inwards, upwards, error = np.zeros((4, len(seen)))
    log_density[~seen], error[~seen] = -np.inf, np.inf
    if seen.any():
        some = emission.at(seen)
        found, rough = (
            _through_gas(left, some, earliest, *size)
            for left, size in zip((fine, coarse), zip(_POINTS, _NODES, strict=True), strict=True)
        )
        density = found[0]
        with np.errstate(divide="ignore", invalid="ignore"):
            log_density[seen] = np.log(np.maximum(density, 0.0))
            rounding = found[3] / np.maximum(density, 0.0)
            off = np.abs(rough[0] / density - 1) + rounding
            error[seen] = np.where(rounding < ROUNDED, off, np.inf)
            # late, all may have decayed to less than the smallest float
            error[seen] = np.where((density == 0) & (found[3] == 0), 0.0, error[seen])
            for part, values in ((inwards, found[1]), (upwards, found[2])):
                part[seen] = np.where(density > 0, values / density, 0.0)
    return Remnant(log_density, inwards, upwards, error)


def _through_gas(
    left: Left, emission: Emission, earliest: float, points: int, nodes: int
) -> list[Array]:
    """Polynomials in ln γ through ln n, and relative gradients, at a few values of γ around."""
    if not emission.gamma.any():
        return _averaged(left, emission, earliest, nodes, 0.0)
    x = np.log(emission.gamma) / _STEP
    first = np.floor(x).astype(int) - points // 2 + 1
    log_n, inwards, upwards, rounding = np.zeros((4, len(x)))
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
        rounding[some] += np.abs(weight) * np.minimum(each[3] / density, 1.0)
    density = np.exp(log_n)
    return [density, density * inwards, density * upwards, density * rounding]


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
    pieces = np.maximum(1, np.ceil(_PIECES * np.diff(np.log(edges)))).astype(int)
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
    *parts, rounding = left(np.append(tau, earliest), gamma)
    # as n rises, no more was left out before the earliest time
    most = (max(parts[0][-1], 0.0) + rounding[-1]) * np.maximum(earliest - emission.first, 0.0)
    return [*(rest @ part[:-1] / span for part in parts), (rest @ rounding[:-1] + most) / span]
