"""χ² of measured boron ratios, with cross sections as they are and moved within their errors.

python benchmarks/boron.py results/yuan2025_fig2.nc --data FOLDER [--from 2]

The run needs output.channels = ["B10", "B11"]. The flux of boron is Σ sᵢ φᵢ, one factor sᵢ for each
parent; the factors minimise χ² = Σ((d − m)/σ)² + Σ((sᵢ − 1)/uᵢ)² with uᵢ the error of the channel
(isotopes and small parents, which share data and formulae, move together), a linear problem.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from crtransport.measurements import data_folder
from crtransport.measurements.read import load_fluxes_and_ratios
from crtransport.measurements.table import Measurement
from crtransport.problems.galaxy_compare import interpolated

Array = NDArray[np.float64]
TABLES = ("AMS-02_B_C_rigidity", "AMS-02_B_O_rigidity")
#: error of the many small channels together, most of them unmeasured
OTHERS = 0.25


def by_parent(dataset: xr.Dataset) -> tuple[dict[str, Array], dict[str, float]]:
    """Boron at the Earth over rigidity by what it comes from, and the error of each part."""
    parts: dict[str, Array] = {}
    weights: dict[str, list[tuple[float, float]]] = {}
    for i, channel in enumerate(dataset.channel.values):
        parent, _, child = str(channel).partition("->")
        if not child.startswith("B"):
            continue
        flux = dataset.channel_flux_toa.values[i]
        error = OTHERS if parent == "others" else float(dataset.channel_error[i])
        parts[parent] = parts.get(parent, 0.0) + flux
        weights.setdefault(parent, []).append((float(flux.mean()), error))
    errors = {p: sum(f * e for f, e in w) / sum(f for f, _ in w) for p, w in weights.items()}
    return parts, errors


def rows(
    dataset: xr.Dataset, table: Measurement, parts: dict[str, Array], r_min: float
) -> tuple[Array, Array]:
    """[point, part] of the model over σ, and the data over σ."""
    below = dataset.element_flux_toa.sel(element=table.quantity.partition("_")[2]).values
    axis = dataset.rigidity.values
    sigma = (table.error_lo + table.error_hi) / 2
    some = (table.x >= r_min) & (table.x <= axis[-1]) & (sigma > 0)
    at = table.x[some]
    model = np.stack([interpolated(axis, part / below, at) for part in parts.values()], axis=1)
    return model / sigma[some, None], table.y[some] / sigma[some]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("result")
    parser.add_argument("--data", help="data folder; CRTRANSPORT_DATA if left out")
    parser.add_argument("--from", dest="r_min", type=float, default=2.0, help="GV")
    given = parser.parse_args()
    folder = data_folder(given.data)
    if folder is None:
        sys.exit("boron: needs the measured ratios: --data FOLDER, or CRTRANSPORT_DATA")
    with xr.open_dataset(given.result) as file:
        dataset = file.load()
    if "channel" not in dataset.dims:
        sys.exit(f'boron: {given.result} has no channels: set output.channels = ["B10", "B11"]')
    parts, errors = by_parent(dataset)
    found = [
        rows(dataset, table, parts, given.r_min) for table in load_fluxes_and_ratios(TABLES, folder)
    ]
    free = [name for name in parts if errors[name] > 0]
    model, data = (np.concatenate(part) for part in zip(*found, strict=True))
    index = [list(parts).index(name) for name in free]
    prior = np.diag([1 / errors[name] for name in free])
    # unknown: sᵢ − 1
    matrix = np.vstack([model[:, index], prior])
    load = np.concatenate([data - model.sum(axis=1), np.zeros(len(free))])
    moved = np.linalg.lstsq(matrix, load, rcond=None)[0]
    factors = np.ones(len(parts))
    factors[index] += moved
    print("            points  central  per point   moved  per point")
    for name, (m, d) in zip(TABLES, found, strict=True):
        central, after = np.sum((d - m.sum(axis=1)) ** 2), np.sum((d - m @ factors) ** 2)
        n = len(d)
        label = name.removesuffix("_rigidity").replace("_", " ", 1).replace("_", "/")
        print(
            f"{label:<11} {n:6d} {central:8.1f}  {central / n:9.2f} {after:7.1f}  {after / n:9.2f}"
        )
    print(f"prior       {len(free):6d} {0:8.1f}             {np.sum((prior @ moved) ** 2):7.1f}")
    share = {name: float(np.mean(part)) for name, part in parts.items()}
    whole = sum(share.values())
    print("\nparent    share  error  factor   pull")
    for i, name in enumerate(parts):
        pull = f"{(factors[i] - 1) / errors[name]:+5.1f}" if errors[name] else ""
        line = (
            f"{name:<8} {share[name] / whole:5.0%}  {errors[name]:5.0%}  {factors[i]:6.3f}  {pull}"
        )
        print(line.rstrip())


if __name__ == "__main__":
    main()
