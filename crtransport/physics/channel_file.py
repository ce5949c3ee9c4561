"""A user's table of production cross sections, in place of the package's.

    # columns s_X: kinetic energy per nucleon X [GeV/n]      or [MeV/n]
    Z_parent,A_parent,Z_child,A_child,s_0.1,s_1,s_10
    6,12,5,11,60.1,57.5,56.9

Cumulative cross sections on hydrogen in mb, one channel in a row: linear in ln T between the
energies of the columns, held beyond them.
"""

from __future__ import annotations

import csv
import math
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from crtransport.nuclides import ELEMENTS, UnknownElement, isotope

Array = NDArray[np.float64]
Rows = dict[tuple[str, str], Array]

_HEAD = ("Z_parent", "A_parent", "Z_child", "A_child")


class ChannelFile:
    """Cross sections of a file by (parent, child)."""

    def __init__(self, log_energy: Array, rows: Rows) -> None:
        self.log_energy, self.rows = log_energy, rows

    def at(self, pair: tuple[str, str], energy: Array) -> Array:
        """σ on hydrogen at T in GeV/n, mb."""
        return np.asarray(np.interp(np.log(energy), self.log_energy, self.rows[pair]))


@cache
def read_channels(path: str) -> ChannelFile:
    """Read a table.

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
    for number, line in lines[1:]:
        try:
            pair, sigma = _row(next(csv.reader([line])), len(head))
            if pair in rows:
                raise ValueError(f"{pair[0]}->{pair[1]} is there a second time")
        except ValueError as error:
            raise ValueError(f'channel_file "{path}", line {number}: {error}') from None
        rows[pair] = sigma
    return ChannelFile(np.log(energy), rows)


def _row(cells: list[str], width: int) -> tuple[tuple[str, str], Array]:
    if len(cells) != width:
        raise ValueError(f"has {len(cells)} columns, not {width}")
    parent, child = _name(cells[0], cells[1]), _name(cells[2], cells[3])
    sigma = [_number(cell) for cell in cells[4:]]
    for cell, value in zip(cells[4:], sigma, strict=True):
        if value is None or not 0 <= value < math.inf:
            raise ValueError(f"{parent}->{child}: {cell!r} is no cross section in mb, at least 0")
    if int(cells[1]) <= int(cells[3]):
        raise ValueError(f"{parent}->{child}: the child is not lighter than the parent")
    return (parent, child), np.array(sigma, dtype=float)


def _name(charge: str, mass_number: str) -> str:
    if not charge.isdigit() or not mass_number.isdigit() or not 0 < int(charge) <= len(ELEMENTS):
        raise ValueError(f"Z = {charge}, A = {mass_number} is no nuclide from H to Ni")
    name = f"{ELEMENTS[int(charge) - 1]}{int(mass_number)}"
    try:
        return isotope(name).name
    except UnknownElement as error:
        raise ValueError(str(error)) from None


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
