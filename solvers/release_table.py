"""What is left of point releases in a layered medium, seen at z = 0, from a table.

With f ≤ 1 the density is tabled over the height z of the release, ln τ and u = ρ/√(4τ), as smooth
functions: ln n (without its slowest decay and its zero at z = ±H) and its relative gradient. One
evaluation takes less than a microsecond, where `PointRelease` sums over all modes again; by
interpolation of sixth order it has five to six digits, four close to z = ±H.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.polynomial import legendre
from numpy.typing import NDArray
from scipy.special import j0, j1

from crtransport.solvers.kernels.stencil import interpolate
from crtransport.solvers.nodal_grid import NodalAxis
from crtransport.solvers.point_release import LayeredMedium

Array = NDArray[np.float64]

#: what is below this part of the density around a release is none: rounding is all there is
_FLOOR = 1e-9
#: e^(−k² f τ) is left out where k² f τ is above this
_DARK = 40.0
#: steps in u and in ln τ, points along z
_STEP_U, _STEP_TAU, _POINTS_Z = 0.05, 0.1, 60
#: nodes in k of a doubling, and of a piece in which J₀ turns by _PHASE
_NODES, _PIECE, _PHASE = 20, 12, 12.0
#: points beyond an end that stencils reach
_PAD = 3


class Seen(NamedTuple):
    """n at z = 0 and its relative gradient, [release, time]; n = 0 and no gradient for nothing.

    Attributes
    ----------
    density : array
    bound : array
        What n is less than where it is 0; elsewhere 0.
    inwards : array
        −∂n/∂ρ / n: towards the release.
    upwards : array
        ∂n/∂z / n.
    """

    density: Array
    bound: Array
    inwards: Array
    upwards: Array


@dataclass(frozen=True, kw_only=True, eq=False)
class ReleaseTable:
    """Made by `tabulate`.

    Attributes
    ----------
    values : [z, τ, u, quantity] array
        ln[n τ^(3/2)/(1 − z²/H²)] + λ₀τ, and √τ times the relative gradients.
    first, last : float
        Times between which it holds.
    half_height, bend : float
        H, and the height below which points along z are evenly spaced.
    slowest, least_f : floats
        λ₀, and the least f.
    """

    values: Array
    first: float
    last: float
    half_height: float
    bend: float
    slowest: float
    least_f: float

    def seen(self, tau: Array, rho: Array, z: Array) -> Seen:
        """At times [release, time], of releases at [release] ρ and z.

        Before the first time nothing has arrived, after the last nothing is left.
        """
        u = rho[:, None] / (2 * np.sqrt(tau)) / _STEP_U
        dark = (u > self.values.shape[2] - 2 * _PAD) | (tau > self.last)
        dark |= tau < self.first * (1 - 1e-12)
        x = _PAD + np.log(tau / self.first) / _STEP_TAU
        places = np.stack([np.where(dark, np.nan, x), _PAD + u], axis=-1)
        step = np.arcsinh(self.half_height / self.bend) / (_POINTS_Z - 1)
        found = np.empty((*tau.shape, 3))
        interpolate(self.values, places, _PAD + np.arcsinh(np.abs(z) / self.bend) / step, found)
        log_n, inwards, upwards = np.moveaxis(np.nan_to_num(found, nan=-np.inf), -1, 0)
        edge = (1 - (z / self.half_height) ** 2)[:, None]
        none = np.isneginf(log_n)
        return Seen(
            np.exp(log_n - self.slowest * tau) * edge * tau**-1.5,
            np.where(none, self._bound(tau, rho, z), 0.0),
            np.where(none, 0.0, inwards / np.sqrt(tau)),
            np.where(none, 0.0, upwards / np.sqrt(tau)) * np.sign(z)[:, None],
        )

    def _bound(self, tau: Array, rho: Array, z: Array) -> Array:
        """What is left of a release in this medium is less.

        With f = 1 no less arrives, and around z = 0 no more stays than with the least f; late, two
        of the slowest mode.
        """
        far = (rho**2 + z**2)[:, None] / (4 * tau)
        most = (4 * np.pi * tau) ** -1.5 * self.least_f**-0.5
        early = np.minimum(np.exp(-far) * most, _FLOOR * most / self.least_f)
        late = np.exp(-self.slowest * tau) / (2 * np.pi * self.least_f * tau * self.half_height)
        return np.where(tau > self.last, late, early)


def tabulate(
    medium: LayeredMedium, axis: NodalAxis, slowest_f: float, bend: float, first: float, last: float
) -> ReleaseTable:
    """The table of a medium for times from ``first`` to ``last``.

    Parameters
    ----------
    medium : LayeredMedium
        With f ≤ 1, on elements that are thin at z = 0 beside √(f τ) of the first time.
    axis : NodalAxis
        Of the medium, z from 0 to H.
    slowest_f : float
        Least f.
    bend : float
        Height over which f changes.
    """
    half_height = float(axis.edges[-1])
    z = bend * np.sinh(np.linspace(0, np.arcsinh(half_height / bend), _POINTS_Z))[:-1]
    count = int(np.ceil(np.log(last / first) / _STEP_TAU)) + 1
    tau = first * np.exp(_STEP_TAU * np.arange(-_PAD, count + _PAD))
    u = _STEP_U * np.arange(float(int(np.sqrt(-np.log(_FLOOR)) / _STEP_U) + 2 * _PAD))
    density, slope, upwards = _hankel(medium, axis, z, tau, u, slowest_f)
    time = tau[:, None, None]
    alive = density > _FLOOR * (4 * np.pi * slowest_f * time) ** -1.5
    slowest = float(medium.modes(0.0, odd=False)[0][0])
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.log(density * time**1.5 / (1 - (z / half_height) ** 2)) + slowest * time
        parts = [logs, np.sqrt(time) * slope / density, np.sqrt(time) * upwards / density]
    values = np.where(alive[..., None], np.stack(parts, axis=-1), np.nan)
    return ReleaseTable(
        values=np.ascontiguousarray(_mirrored(np.moveaxis(values, 2, 0))),
        first=first,
        last=last,
        half_height=half_height,
        bend=bend,
        slowest=slowest,
        least_f=slowest_f,
    )


def _mirrored(values: Array) -> Array:
    """With points at z < 0 and u < 0: the slope is odd in u, the gradient in z odd in z."""
    in_u = values[:, :, _PAD:0:-1] * np.array([1.0, -1.0, 1.0])
    values = np.concatenate([in_u, values], axis=2)
    in_z = values[_PAD:0:-1] * np.array([1.0, 1.0, -1.0])
    return np.concatenate([in_z, values], axis=0)


def _hankel(
    medium: LayeredMedium, axis: NodalAxis, z: Array, tau: Array, u: Array, slowest_f: float
) -> tuple[Array, Array, Array]:
    """[τ, u, z] n, −∂n/∂ρ and ∂n/∂z at z = 0."""
    found = np.zeros((3, len(tau), len(u), len(z)))
    for lo, hi, even, odd in _panels(medium, axis, z, tau, slowest_f):
        for t in np.flatnonzero(lo**2 * slowest_f * tau < _DARK):
            rho = 2 * u * np.sqrt(tau[t])
            pieces = max(1, int(np.ceil((hi - lo) * rho[-1] / _PHASE)))
            x, weight = _pieces(pieces)
            k, weight = lo + (hi - lo) / 2 * (1 + x), (hi - lo) / 2 * weight
            spread = _to_pieces(pieces)
            wave = weight * k * j0(np.outer(rho, k)) / (2 * np.pi)
            here = spread @ even[:, t]
            found[0, t] += wave @ here
            found[1, t] += (weight * k**2 * j1(np.outer(rho, k)) / (2 * np.pi)) @ here
            found[2, t] += wave @ (spread @ odd[:, t])
    return found[0], found[1], found[2]


def _panels(
    medium: LayeredMedium, axis: NodalAxis, z: Array, tau: Array, slowest_f: float
) -> Iterator[tuple[float, float, Array, Array]]:
    """Ends in k, and [node, τ, z] Σⱼ vⱼ(z) e^(−λⱼτ) times vⱼ, and vⱼ', at z = 0."""
    releases = np.array([axis.at(height)[axis.kept] for height in z])
    here = axis.at(0.0)[axis.kept]
    slope = axis.slopes[0, axis.kept]
    first, last = tau[-1] ** -0.5, float(np.sqrt(_DARK / (slowest_f * tau[0])))
    doublings = max(0, int(np.ceil(np.log2(last / first))))
    edges = [0.0, *(first * 2.0 ** np.arange(doublings + 1))]
    x, _ = legendre.leggauss(_NODES)
    for lo, hi in pairwise(edges):
        parts = np.zeros((2, _NODES, len(tau), len(z)))
        live = lo**2 * slowest_f * tau < _DARK
        for i, k in enumerate(lo + (hi - lo) / 2 * (1 + x)):
            for odd, look in enumerate((here, slope)):
                rates, modes = medium.modes(float(k), odd=bool(odd))
                left = np.exp(-np.outer(tau[live], rates)) * (look @ modes)
                parts[odd, i, live] = left @ (releases @ modes).T
        yield lo, hi, parts[0], parts[1]


@cache
def _pieces(count: int) -> tuple[Array, Array]:
    """Gauss-Legendre nodes and weights on equal pieces of −1…1."""
    x, weight = legendre.leggauss(_PIECE)
    left = np.linspace(-1, 1, count + 1)[:-1, None]
    return (left + (1 + x) / count).ravel(), np.tile(weight / count, count)


@cache
def _to_pieces(count: int) -> Array:
    """[node of a piece, node of the panel] values of the polynomial through the panel's nodes."""
    x, _ = legendre.leggauss(_NODES)
    through = np.linalg.inv(legendre.legvander(x, _NODES - 1))
    return np.asarray(legendre.legvander(_pieces(count)[0], _NODES - 1) @ through)
