"""Published and measured production cross sections of a data folder, for the scripts here."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from crtransport.nuclides import ELEMENTS

Array = NDArray[np.float64]
Pair = tuple[str, str]
Curves = dict[Pair, tuple[Array, Array]]
Points = dict[Pair, list[tuple[float, float, float, str]]]

#: published sets of cumulative cross sections on hydrogen: file, and its unit of energy in GeV/n
SETS = {
    "GALPROP 12": ("nuclear-usine/production_galprop17_opt12_H.csv", 1.0),
    "GALPROP 22": ("nuclear-usine/production_galprop17_opt22_H.csv", 1.0),
    "Webber 2003": ("nuclear-webber2003/production_H.csv", 1e-3),
    "Evoli 2019": ("nuclear-evoli/production_cumulative_H.csv", 1e-3),
    "Coste 2012": ("nuclear-usine/production_coste12_light_H.csv", 1.0),
}


#: their ⁴He from heavy parents is a few mb, which cannot be all of it
_LEFT_OUT = {("GALPROP 12", "He4"), ("GALPROP 22", "He4")}


def name(charge: str, mass_number: str) -> str:
    """ "B11" of 5 and 11; the neutron is "n1"."""
    symbol = ELEMENTS[int(charge) - 1] if int(charge) else "n"
    return f"{symbol}{int(mass_number)}"


def _rows(path: Path) -> Iterator[list[str]]:
    with path.open(encoding="utf-8") as file:
        yield from csv.reader(line for line in file if not line.startswith("#"))


def published(folder: Path, label: str) -> Curves:
    """(parent, child) -> T in GeV/n and σ in mb of one of SETS; zeros are left out."""
    path, unit = SETS[label]
    head, *rows = _rows(folder / path)
    energy = unit * np.array([float(column[2:]) for column in head[4:]])
    found: Curves = {}
    for row in rows:
        sigma = np.array([float(x) for x in row[4:]])
        some = sigma > 0
        child = name(*row[2:4])
        if some.any() and int(row[0]) <= len(ELEMENTS) and (label, child) not in _LEFT_OUT:
            found[name(*row[:2]), child] = energy[some], sigma[some]
    return found


def measured(folder: Path) -> Points:
    """(parent, fragment) -> (T in GeV/n, σ, its error in mb, experiment), not cumulative."""
    found = defaultdict(list)
    _, *rows = _rows(folder / "nuclear-evoli/production_measurements.csv")
    for zp, ap, z, a, energy, sigma, error, reference in rows:
        if float(sigma) > 0:
            point = float(energy), float(sigma), float(error), reference
            found[name(zp, ap), name(z, a)].append(point)
    return dict(found)
