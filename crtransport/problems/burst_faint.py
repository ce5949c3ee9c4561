"""One source in the two-halo medium while almost nothing arrives: composed of short steps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.polynomial.chebyshev import chebfit, chebval
from numpy.typing import NDArray

from crtransport.deck.burst import BurstDeck
from crtransport.physics.burst import LocalSource
from crtransport.problems.burst_emission import ROUNDED, Emission, Left, Remnant, averaged
from crtransport.solvers.faint_release import FaintRelease

Array = NDArray[np.float64]

#: −ln n of less than any float can tell; r²/4τ is no more than that
_DARK = 1000.0
#: length of a piece in ln τ, and points of a polynomial in it
_LENGTH, _POINTS = 1.0, 12


def faint(
    deck: BurstDeck, source: LocalSource, emission: Emission, modes: tuple[Left, Left, float]
) -> Remnant:
    """What is left at energies so low that the modes of the medium cancel each other.

    A bound, with an error of 1, where it has no digits. Some particles of an emission are old
    enough for the modes: these are given, fine and coarse, with the τ before which they have none.
    """
    height = source.height()
    release = FaintRelease(
        shape=deck.diffusion.shape,
        half_height=deck.half_height(),
        rho=float(np.sqrt(source.distance**2 - height**2)),
        z=abs(height),
        layer=(deck.gas_edges() or [np.inf])[0],
    )

    def left(tau: Array, gamma: Array) -> Array:
        found = np.full((4, len(tau)), np.nan)
        for one in np.unique(gamma):
            some = (gamma == one) & (tau > modes[2])
            if some.any():
                found[:, some] = _by_modes(*modes[:2], tau[some], float(one))
        rest = np.isnan(found[0])
        if rest.any():
            found[:, rest] = _at(release, tau[rest], gamma[rest])
            found[2, rest] *= np.sign(height)
        return found

    return averaged(left, emission, source.distance)


def _by_modes(fine: Left, coarse: Left, tau: Array, gamma: float) -> Array:
    """The same by modes; NaN where these cancel."""
    n, inwards, upwards, rounding = fine(tau, gamma)
    other = coarse(tau, gamma)[0]
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.array([np.log(n), inwards / n, upwards / n, abs(other / n - 1) + rounding / n])
    return np.where((rounding < ROUNDED * n) & (n > 0), found, np.nan)


def _at(release: FaintRelease, tau: Array, gamma: Array) -> Array:
    """[quantity, τ] ln n, its gradient inwards and upwards, and the error, each with its γ."""
    most = float(np.max(gamma))
    if most == 0:
        return _pieces(release, tau)
    # less than once is a particle absorbed so early: a parabola in γ through none, half and all
    none, some, whole = (
        _pieces(replace(release, gamma=most * part), tau) for part in (0.0, 0.5, 1.0)
    )
    x = gamma / most
    line = (1 - x) * none[:3] + x * whole[:3]
    bend = 2 * x * (1 - x) * (none[:3] - 2 * some[:3] + whole[:3])
    error = np.max([none[3], some[3], whole[3]], axis=0) + 0.1 * np.abs(bend[0])
    return np.array([*(line - bend), error])


def _pieces(release: FaintRelease, tau: Array) -> Array:
    """The same with the γ of the release, by polynomials where many τ are near each other."""
    found = np.zeros((4, len(tau)))
    earliest = (release.rho**2 + release.z**2) / (4 * _DARK)
    if tau.max() > earliest:
        earliest = release.dawn(max(earliest, float(tau.min())), float(tau.max()))
    bright = tau > earliest
    found[0, ~bright], found[3, ~bright] = -_DARK, np.inf
    logs = np.log(tau)
    piece = np.floor((logs - logs.max()) / _LENGTH)
    later = np.inf
    for number in np.unique(piece[bright])[::-1]:
        here = bright & (piece == number)
        found[:, here] = _piece(release, tau[here], later)
        later = float(np.min(found[0, here]))
    return found


def _piece(release: FaintRelease, tau: Array, later: float) -> Array:
    """Of τ near each other; ``later`` is ln n at later ones, which no earlier one is above."""
    each, which = np.unique(tau, return_inverse=True)
    direct = len(each) <= _POINTS
    ends = np.log(each[[0, -1]])
    x = np.cos(np.pi * (np.arange(_POINTS) + 0.5) / _POINTS)[::-1]
    nodes = each if direct else np.exp(ends[0] + (ends[1] - ends[0]) * (1 + x) / 2)
    values = np.array(release.at(nodes))
    lost = np.isinf(values[3])
    if lost.any():
        last = int(np.flatnonzero(lost)[-1])
        after = tau > nodes[last]
        found = np.zeros((4, len(tau)))
        if after.any():
            found[:, after] = _piece(release, tau[after], later)
            later = float(np.min(found[0, after]))
        found[0, ~after], found[3, ~after] = min(later, float(values[0, last])), np.inf
        return found
    if direct:
        return values[:, which]
    # times τ all are smooth
    through = chebfit(x, (values[:3] * nodes).T, _POINTS - 1)
    at = 2 * (np.log(tau) - ends[0]) / (ends[1] - ends[0]) - 1
    error = np.max(values[3]) + np.max(np.abs(through[-2:, 0])) / tau
    return np.array([*(chebval(at, through) / tau), error])
