"""Production cross sections: a smooth formula for each parent and fragment, from channels.csv.

Cumulative: the short-lived parents of a fragment are in it. The table is printed by
benchmarks/fit_channels.py, from published sets and measurements which that script cites.
"""

from __future__ import annotations

import csv
from functools import cache, lru_cache
from importlib import resources
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crtransport.nuclides import Nuclide

Array = NDArray[np.float64]

#: width of the bumps in ln T, which a grid in momentum resolves
_WIDTH = 0.9

#: Z of a parent, and f of Ferrando et al. 1988
_FERRANDO_F = ((6, -0.76), (8, -0.41), (26, 1.00))
#: (at high T, what is added at low T, T in GeV/n of the change): through their μ = 0.082, 0.047,
#: 0.031 and δ = 2.4, 3.6, 4.4 at 0.43, 0.73, 1.51 GeV/n
_FERRANDO_MU = (0.02979, 0.07235, 0.5457)
_FERRANDO_DELTA = (4.470, -2.552, 0.6191)
#: charges lost beyond which nothing was measured: the ratio is held, and bends over to that within
#: so many charges, as grids in momentum resolve no kink
_FERRANDO_END, _BEND = 12.0, 0.5


class Channel(NamedTuple):
    """Cross section of a channel on hydrogen at T in GeV/n, mb.

    σ(T) = high {1 + step/[1 + (T/T_s)²] + bump exp[−ln²(T/T_b)/(2·0.9²)]}/[1 + (T₀/T)²]
    """

    high: float
    step: float
    T_s: float
    bump: float
    T_b: float
    T_0: float

    def at(self, energy: Array) -> Array:
        """σ at T in GeV/n, mb."""
        # a network asks for each channel at the same energies again and again
        return _channel_at(self, energy.tobytes()).reshape(energy.shape)

    def _at(self, energy: Array) -> Array:
        step = self.step / (1 + (energy / self.T_s) ** 2)
        bump = self.bump * np.exp(-((np.log(energy / self.T_b) / _WIDTH) ** 2) / 2)
        return np.asarray(self.high * (1 + step + bump) / (1 + (self.T_0 / energy) ** 2))


@lru_cache(maxsize=8192)
def _channel_at(channel: Channel, energies: bytes) -> Array:
    found = channel._at(np.frombuffer(energies))
    found.flags.writeable = False
    return found


class Quality(NamedTuple):
    """What a channel stands on: its relative error, and which share of it was measured."""

    error: float
    measured: float


@cache
def _table() -> tuple[dict[tuple[str, str], Channel], dict[tuple[str, str], Quality]]:
    text = resources.files("crtransport.physics").joinpath("channels.csv").read_text("utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    made, known = {}, {}
    for row in rows:
        pair = row["parent"], row["child"]
        made[pair] = Channel(*(float(row[name]) for name in Channel._fields))
        known[pair] = Quality(*(float(row[name]) for name in Quality._fields))
    return made, known


def channels() -> dict[tuple[str, str], Channel]:
    """(parent, child) -> the formula of its channel."""
    return _table()[0]


def quality() -> dict[tuple[str, str], Quality]:
    """(parent, child) -> how well its channel is known."""
    return _table()[1]


def on_helium(parent: Nuclide, child: Nuclide, energy: Array) -> Array:
    """σ of a channel on helium over that on hydrogen at T in GeV/n (Ferrando et al. 1988).

        exp(μ |Z_parent − Z_child − f δ|^1.43),   f = −0.76, −0.41, 1.00 for parents C, O, Fe

    with f linear in ln Z between and below them; μ and δ = high + more/[1 + (T/T_c)⁴] are smooth
    through their values (Phys. Rev. C 37, 1490). Parents were C, O and Fe, charges lost up to
    about 12, 0.43 to 1.51 GeV/n.
    """
    return _on_helium(parent.charge, child.charge, energy.tobytes()).reshape(energy.shape)


@lru_cache(maxsize=2048)
def _on_helium(z: int, child: int, energies: bytes) -> Array:
    energy = np.frombuffer(energies)
    (z1, f1), (z2, f2) = _FERRANDO_F[:2] if z < 8 else _FERRANDO_F[1:]
    f = f1 + (f2 - f1) * np.log(z / z1) / np.log(z2 / z1)
    mu, delta = (
        high + more / (1 + (energy / center) ** 4)
        for high, more, center in (_FERRANDO_MU, _FERRANDO_DELTA)
    )
    left = _FERRANDO_END - abs(z - child - f * delta)
    lost = _FERRANDO_END - _BEND * np.logaddexp(0.0, left / _BEND)
    found = np.exp(mu * lost**1.43)
    found.flags.writeable = False
    return np.asarray(found)
