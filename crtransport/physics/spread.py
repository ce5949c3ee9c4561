"""What is left of local sources in a uniform medium, without edges or between two planes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crtransport.constants import KPC, YEAR
from crtransport.physics.burst import LocalSource, Sources

Array = NDArray[np.float64]

#: what is e^−60 of the largest part of an emission is left out
_SHORT = 60.0
#: D t over the square of the half-height above which the waves converge faster than the images
_WAVES = 0.3
#: the first panel of an emission in ln t is cut at these parts, as what arrives rises steeply at
#: first; nodes of a panel
_FIRST, _NODES = (1 / 64, 1 / 16, 1 / 4), 16
#: images and waves of which the last is below rounding
_IMAGES, _MODES = 5, 12


class Spread(NamedTuple):
    """Of one particle set free.

    Attributes
    ----------
    log_density : array
        ln n, kpc^-3; finite however small n is.
    inwards, upwards : arrays
        Gradient of ln n towards the source along the plane, and along z, kpc^-1.
    """

    log_density: Array
    inwards: Array
    upwards: Array


def spread(
    source: LocalSource | Sources,
    diffusion: Array,
    loss: Array | None = None,
    half_height: float | None = None,
    nodes: int = _NODES,
) -> Spread:
    """At the Sun, where all places have the same D (Yuan 2025, arXiv:2511.06733, Eq. 4).

        n = (4πDt)^(−3/2) exp(−r²/4Dt − Γt),

    between two planes n = 0 at z = ±H with mirror sources; averaged over the time of emission.

    Parameters
    ----------
    diffusion : [energy] array
        D, cm2/s.
    loss : [energy] array, optional
        Γ, s^-1.
    half_height : float, optional
        H, kpc.
    nodes : int
        Of a panel of the time of emission.
    """
    rate = diffusion * YEAR / KPC**2  # kpc² a year
    fade = np.zeros_like(rate) if loss is None else loss * YEAR
    if isinstance(source, Sources) or source.duration == 0:
        return _release(source, rate, fade, source.age, half_height)
    times, weight = _times(source, rate, nodes)
    each = _release(source, rate, fade, times, half_height)
    top = np.max(each.log_density, axis=0)
    part = weight * np.exp(each.log_density - top)
    whole = part.sum(axis=0)
    log_density = top + np.log(whole / source.duration)
    inwards, upwards = ((part * x).sum(axis=0) / whole for x in (each.inwards, each.upwards))
    return Spread(log_density, inwards, upwards)


def _release(
    source: LocalSource | Sources,
    rate: Array,
    fade: Array,
    time: Array | float,
    half_height: float | None,
) -> Spread:
    """Of a release ``time`` years ago."""
    # logarithms of each, as the product may leave the range of a float
    log_tau = np.log(rate) + np.log(time)
    z = np.asarray(source.height())
    rho = np.asarray(source.distance * np.cos(np.radians(source.b)))
    # beyond e^600 nothing is left, and the square of the distance might leave the range
    with np.errstate(divide="ignore"):
        along = np.exp(np.minimum(2 * np.log(rho) - log_tau, 600.0)) / 4
        across = np.exp(np.minimum(2 * np.log(np.abs(z)) - log_tau, 600.0)) / 4
    log_density = -1.5 * (np.log(4 * np.pi) + log_tau) - along - across - fade * time
    half_rate = np.exp(-np.maximum(log_tau, -600.0)) / 2
    upwards = z * half_rate
    if half_height is not None:
        log_factor, upwards = layer(z / half_height, np.exp(log_tau) / half_height**2)
        log_density, upwards = log_density + log_factor, upwards / half_height
    return Spread(log_density, rho * half_rate * np.ones_like(upwards), upwards)


def layer(z: Array, tau: Array) -> tuple[Array, Array]:
    """ln of what the planes z = ±1 leave of a free release at z, and ∂ ln n/∂z at z = 0.

    Mirror sources at 2m + (−1)^m z of sign (−1)^m, or, later, the waves between the planes:
    Σ_odd cos(kπz/2) exp[−(kπ/2)²τ].
    """
    z, tau = np.broadcast_arrays(np.asarray(z, dtype=float), np.asarray(tau, dtype=float))
    early = np.minimum(tau, _WAVES)[..., None]
    m = np.arange(-_IMAGES, _IMAGES + 1)
    sign = (-1.0) ** m
    image = 2 * m + sign * z[..., None]
    part = sign * np.exp(-(image**2 - z[..., None] ** 2) / (4 * early))
    left = part.sum(axis=-1)
    log_early, up_early = np.log(left), (part * image / (2 * early)).sum(axis=-1) / left
    late = np.maximum(tau, _WAVES)[..., None]
    k = np.pi / 2 * (1 + np.arange(2 * _MODES))
    fall = np.exp(-(k**2 - k[0] ** 2) * late)
    odd = (fall * np.cos(k * z[..., None]))[..., ::2].sum(axis=-1)
    even = (fall * k * np.sin(k * z[..., None]))[..., 1::2].sum(axis=-1)
    late = late[..., 0]
    free = -(z**2) / (4 * late) - np.log(4 * np.pi * late) / 2
    log_late = np.log(odd) - k[0] ** 2 * late - free
    is_early = tau <= _WAVES
    return np.where(is_early, log_early, log_late), np.where(is_early, up_early, even / odd)


def _times(source: LocalSource, rate: Array, nodes: int) -> tuple[Array, Array]:
    """[node, energy] years ago at which an emission is summed, and weights."""
    # earlier, little had arrived: t at which r²/4Dt is larger by _SHORT than at the age
    span = np.log1p(_SHORT * 4 * rate * source.age / source.distance**2)
    if source.duration < source.age:
        span = np.minimum(span, -np.log1p(-source.duration / source.age))
    panels = np.arange(np.ceil(np.max(span)) + 1)
    ends = np.concatenate([panels[:1], _FIRST, panels[1:]]) / panels[-1]
    half = np.diff(ends)[:, None] / 2
    x, weight = np.polynomial.legendre.leggauss(nodes)
    times = source.age * np.exp(-span * (ends[:-1, None] + half * (1 + x)).reshape(-1, 1))
    return times, (half * weight).reshape(-1, 1) * span * times
