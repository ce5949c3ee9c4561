"""How far the important production cross sections are from each published set.

python benchmarks/channels.py --data FOLDER [-o channels.png]

Prints the offsets at 0.3 and 3 GeV/n, and draws the channels with their measurements.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from nuclear_tables import SETS, Curves, Points, measured, published
from numpy.typing import NDArray

from crtransport.measurements import data_folder
from crtransport.nuclide_tables import GHOSTS
from crtransport.physics.channels import channels, quality

Array = NDArray[np.float64]

IMPORTANT = [
    *(("C12", child) for child in ("B11", "B10", "Be9", "Be7", "Be10", "Li7", "Li6")),
    *(("O16", child) for child in ("B11", "B10", "Be9", "Be7", "Li7", "C12", "N15")),
    ("N14", "B11"),
    ("N15", "B11"),
    ("C13", "B11"),
    ("Ne20", "B11"),
    ("Mg24", "B11"),
    ("Si28", "B11"),
    ("Fe56", "B11"),
    ("Fe56", "Mn55"),
    ("Fe56", "Ti48"),
    ("He4", "He3"),
]
ENERGY = np.geomspace(0.05, 50, 121)
STYLES = dict(zip(SETS, ("C0-", "C2:", "C1--", "C4-.", "C5--"), strict=True))


def on_grid(curve: tuple[Array, Array], energy: Array) -> Array:
    """σ of a published set, nan beyond its energies."""
    log = np.interp(np.log(energy), np.log(curve[0]), np.log(curve[1]), np.nan, np.nan)
    return np.asarray(np.exp(log))


def table(sets: dict[str, Curves]) -> str:
    """Each channel at 3 GeV/n, its error, and what the sets have over it at 0.3 and 3 GeV/n."""
    at = np.array([0.3, 3.0])
    lines = ["channel       σ (mb)  error  " + "  ".join(f"{label:>13}" for label in sets)]
    for pair in IMPORTANT:
        ours = channels()[pair].at(at)
        cells = []
        for curves in sets.values():
            more = on_grid(curves[pair], at) / ours - 1 if pair in curves else at * np.nan
            cells.append(" ".join("      " if np.isnan(x) else f"{x:+6.0%}" for x in more))
        name = "->".join(pair)
        row = f"{name:<12}  {ours[1]:6.2f}  {quality()[pair].error:5.0%}  "
        lines.append(row + "  ".join(cells))
    return "\n".join(lines)


def draw(sets: dict[str, Curves], points: Points, path: Path) -> None:
    """One panel a channel; open points are without a short-lived parent that counts."""
    mpl.rcParams.update({"font.size": 7, "axes.linewidth": 0.6})
    figure, axes = plt.subplots(6, 4, figsize=(7.2, 8.6), sharex=True, layout="constrained")
    for panel, pair in zip(axes.flat, IMPORTANT, strict=True):
        ours, error = channels()[pair].at(ENERGY), quality()[pair].error
        panel.fill_between(ENERGY, ours * np.exp(-error), ours * np.exp(error), color="0.85", lw=0)
        panel.plot(ENERGY, ours, "k", lw=1.4, label="crtransport")
        for label, curves in sets.items():
            if pair in curves:
                other = on_grid(curves[pair], ENERGY)
                panel.plot(ENERGY, other, STYLES[label], lw=0.8, label=label)
        fed = any((pair[0], ghost) in points for ghost in GHOSTS.get(pair[1], {}))
        for energy, sigma, spread, _ in points.get(pair, ()):
            face = "none" if fed else "0.3"
            panel.errorbar(energy, sigma, spread, fmt="o", ms=2.2, lw=0.5, c="0.3", mfc=face)
        high = np.nanmax(ours[ENERGY > 0.2]) * 1.6
        panel.set(xscale="log", xlim=(0.05, 50), ylim=(0, high))
        panel.text(0.96, 0.92, "→".join(pair), transform=panel.transAxes, ha="right", va="top")
    for panel in axes[-1]:
        panel.set_xlabel("T (GeV/n)")
    for panel in axes[:, 0]:
        panel.set_ylabel("σ (mb)")
    known = {}
    for panel in axes.flat:
        handles, labels = panel.get_legend_handles_labels()
        known |= dict(zip(labels, handles, strict=True))
    figure.legend(known.values(), known.keys(), loc="outside upper center", ncols=6, frameon=False)
    figure.savefig(path, dpi=170)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="data folder; CRTRANSPORT_DATA if left out")
    parser.add_argument("-o", "--output", default="channels.png")
    given = parser.parse_args()
    folder = data_folder(given.data)
    if folder is None:
        sys.exit("channels: needs the published tables: --data FOLDER, or CRTRANSPORT_DATA")
    every = {label: published(folder, label) for label in SETS}
    print(table(every))
    draw(every, measured(folder), Path(given.output))
