"""Total inelastic cross sections by each formula against published tables: rms per element.

python benchmarks/inelastic.py --data FOLDER    # or CRTRANSPORT_DATA
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from crtransport.measurements import data_folder
from crtransport.nuclides import ELEMENTS, UnknownElement, nuclide
from crtransport.physics.inelastic import Formula, inelastic

Array = NDArray[np.float64]

TABLES = ("tripathi99_coste12", "wellisch", "barashenkov", "webber03")
FORMULAE: tuple[Formula, ...] = ("letaw1983", "tripathi1999")
LOWEST = 0.1  # GeV/n


def deviations(path: Path, formula: Formula) -> dict[tuple[str, str], Array]:
    """Element and target -> formula/table − 1 above 0.1 GeV/n, of its isotopes that we know."""
    lines = [line.split(",") for line in path.read_text().splitlines() if line[0] != "#"]
    energy = np.array([float(word.removeprefix("s_")) for word in lines[0][3:]])
    found: dict[tuple[str, str], list[Array]] = {}
    for charge, mass_number, target, *words in lines[1:]:
        published = np.array(words, dtype=float)
        use = (energy > LOWEST) & (published > 0)
        if int(charge) > len(ELEMENTS) or (target != "H" and target != "He"):
            continue
        element = ELEMENTS[int(charge) - 1]
        try:
            nucleus = nuclide(f"{element}{mass_number}")
        except UnknownElement:
            continue
        off = inelastic(nucleus, energy[use], target, formula) / published[use] - 1
        found.setdefault((element, target), []).append(off)
    return {key: np.concatenate(off) for key, off in found.items()}


def rms_and_worst(off: Array | None) -> str:
    if off is None:
        return f"{'-':>11}"
    return f"{100 * np.sqrt(np.mean(off**2)):5.1f} {100 * np.max(np.abs(off)):5.0f}"


def wanted(key: tuple[str, str], target: str) -> bool:
    return key[0] != "H" and key[1] == target


def compare(folder: Path, formula: Formula) -> list[str]:
    """A line per element and target, and one for all nuclei beyond hydrogen."""
    tables = [deviations(folder / f"inelastic_{name}.csv", formula) for name in TABLES]
    lines = [f"{formula}: rms and worst, %", " " * 8 + "".join(f"{name:>20}" for name in TABLES)]
    for element in ELEMENTS:
        for target in ("H", "He"):
            cells = [rms_and_worst(table.get((element, target))) for table in tables]
            lines.append(f"{element:>2} + {target:<3}" + "".join(f"{cell:>20}" for cell in cells))
    for target in ("H", "He"):
        cells = [
            rms_and_worst(
                np.concatenate([off for key, off in table.items() if wanted(key, target)])
            )
            for table in tables
        ]
        lines.append(f"Z>1+ {target:<3}" + "".join(f"{cell:>20}" for cell in cells))
    return lines


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="data folder; CRTRANSPORT_DATA if left out")
    given = data_folder(parser.parse_args().data)
    if given is None:
        sys.exit("no cross sections: give --data, or set CRTRANSPORT_DATA to a data folder")
    if not (given / "nuclear-usine").is_dir():
        sys.exit(f"data folder {given}: there is no folder nuclear-usine in it")
    for name in FORMULAE:
        print("\n".join(compare(given / "nuclear-usine", name)), end="\n\n")
