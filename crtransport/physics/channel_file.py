"""A user's table of production cross sections, in place of the package's.

    # columns s_X: kinetic energy per nucleon X [GeV/n]      or [MeV/n]
    Z_parent,A_parent,Z_child,A_child,s_0.1,s_1,s_10
    6,12,5,11,60.1,57.5,56.9

Cumulative cross sections on hydrogen in mb, one channel in a row: linear in ln T between the
energies of the columns, held beyond them. Charge exchange is a channel where the child is solved
after its parent (10Be -> 10B). Published tables also have rows that cannot be used, of charge
exchange the other way, fusion (p + p -> d), free neutrons and parents beyond nickel: these are left
out, and told. A child that is not followed is an error, as it would be missing in what it decays
into.
"""

from __future__ import annotations

import csv
import math
import warnings
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from crtransport.nuclide_tables import MASS_EXCESS
from crtransport.nuclides import ELEMENTS, isotope
from crtransport.physics.network import why_not_made

Array = NDArray[np.float64]
Rows = dict[tuple[str, str], Array]

_HEAD = ("Z_parent", "A_parent", "Z_child", "A_child")
_MOST_TOLD = 3  # rows that are not used for the same reason


class ChannelWarning(UserWarning):
    """Rows of a user's table that are not used, and why."""


class _Unused(Exception):
    """Why a row that is right in itself has no use here; ``what`` it is of."""

    def __init__(self, what: str, why: str) -> None:
        super().__init__(what, why)
        self.what, self.why = what, why


class ChannelFile:
    """Cross sections of a file by (parent, child)."""

    def __init__(self, log_energy: Array, rows: Rows) -> None:
        self.log_energy, self.rows = log_energy, rows

    def at(self, pair: tuple[str, str], energy: Array) -> Array:
        """σ on hydrogen at T in GeV/n, mb."""
        return np.asarray(np.interp(np.log(energy), self.log_energy, self.rows[pair]))


@cache
def read_channels(path: str) -> ChannelFile:
    """Read a table; rows that cannot be used become a `ChannelWarning`.

    Raises
    ------
    ValueError
        For a file that cannot be read or is no such table, naming the row.
    """
    try:
        text = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a text"
        raise ValueError(f'channel_file "{path}": {reason}') from None
    unit = 1e-3 if any(line.startswith("#") and "[MeV/n]" in line for line in text) else 1.0
    lines = [(i, line) for i, line in enumerate(text, 1) if line.strip() and line[0] != "#"]
    if not lines:
        raise ValueError(f'channel_file "{path}": is empty')
    head = next(csv.reader([lines[0][1]]))
    energies = [_number(name.removeprefix("s_")) for name in head[4:]]
    if tuple(head[:4]) != _HEAD or not energies or not all(e and e > 0 for e in energies):
        raise ValueError(
            f'channel_file "{path}", line {lines[0][0]}: the columns must be '
            f"{','.join(_HEAD)} and then s_X with X the kinetic energy per nucleon"
        )
    energy = unit * np.array(energies, dtype=float)
    if np.any(np.diff(energy) <= 0):
        raise ValueError(f'channel_file "{path}", line {lines[0][0]}: energies must increase')
    rows: Rows = {}
    unused: dict[str, list[str]] = {}
    for number, line in lines[1:]:
        try:
            pair, sigma = _row(next(csv.reader([line])), len(head))
            if pair in rows:
                raise ValueError(f"{pair[0]}->{pair[1]} is there a second time")
        except _Unused as row:
            unused.setdefault(row.why, []).append(f"{row.what} (line {number})")
            continue
        except ValueError as error:
            raise ValueError(f'channel_file "{path}", line {number}: {error}') from None
        rows[pair] = sigma
    if unused:
        told = "; ".join(f"{_some(what)}: {why}" for why, what in unused.items())
        if not rows:
            raise ValueError(f'channel_file "{path}": no row can be used: {told}')
        warnings.warn(f'channel_file "{path}": not used: {told}', ChannelWarning, stacklevel=2)
    return ChannelFile(np.log(energy), rows)


def _row(cells: list[str], width: int) -> tuple[tuple[str, str], Array]:
    if len(cells) != width:
        raise ValueError(f"has {len(cells)} columns, not {width}")
    z_parent, a_parent, z_child, a_child = map(_whole, cells[:4])
    parent, child = _name(z_parent, a_parent), _name(z_child, a_child)
    channel = f"{parent}->{child}"
    sigma = [_number(cell) for cell in cells[4:]]
    for cell, value in zip(cells[4:], sigma, strict=True):
        if value is None or not 0 <= value < math.inf:
            raise ValueError(f"{channel}: {cell!r} is no cross section in mb, at least 0")
    if (z_child, a_child) == (0, 1):
        raise _Unused(channel, "free neutrons are not followed")
    if parent not in MASS_EXCESS:
        raise _Unused(channel, "the parent is not followed")
    if child not in MASS_EXCESS:
        why = "cross sections are cumulative: add a short-lived child to what it decays into"
        raise ValueError(f"{channel}: {child} is not followed; {why}")
    if why := why_not_made(isotope(parent), isotope(child)):
        raise _Unused(channel, why)
    return (parent, child), np.array(sigma, dtype=float)


def _name(charge: int, mass_number: int) -> str:
    """ "B11"; "(Z = 0, A = 1)" of what is no element here."""
    if 0 < charge <= len(ELEMENTS):
        return f"{ELEMENTS[charge - 1]}{mass_number}"
    return f"(Z = {charge}, A = {mass_number})"


def _some(channels: Iterable[str]) -> str:
    first = list(channels)
    more = len(first) - _MOST_TOLD
    return ", ".join(first[:_MOST_TOLD]) + (f" and {more} more" if more > 0 else "")


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"{text!r} is no whole number") from None


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
