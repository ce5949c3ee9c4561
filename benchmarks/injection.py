"""Fit one injection, shared by carbon and oxygen, to AMS-02 and Voyager, and print it.

python benchmarks/injection.py --data FOLDER [--gamma1 1.0]

γ₂ and R_br of q ∝ R^−γ₁ [1 + (R/R_br)²]^((γ₁−γ₂)/2), and the norm of each element, by least squares
in the medium of Yuan 2025 at 600 MV: AMS-02 above 2 GV, Voyager above 25 MeV/n with 5 % added to
its errors. γ₁ is held, as it is degenerate with R_br.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares

from crtransport.deck.galaxy import GalaxyDeck
from crtransport.deck.load import load_deck
from crtransport.measurements import data_folder
from crtransport.measurements.read import load_fluxes_and_ratios
from crtransport.measurements.table import Measurement
from crtransport.problems.galaxy_answer import Answer, by_rigidity
from crtransport.problems.galaxy_transport import transport

Array = NDArray[np.float64]
ISOTOPES = {"C": ["C12", "C13"], "O": ["O16"]}
TABLES = ("AMS-02_C_rigidity", "AMS-02_O_rigidity", "voyager1_C_2016", "voyager1_O_2016")
#: coarse grids, and what makes carbon and oxygen: good to a percent
COARSE = {
    "network": ["C12", "C13", "N14", "N15", "O16", "Ne20", "Mg24", "Si28"],
    "normalisation.flux": {"C12": 1e-4},
    "output.ratios": [],
    "output.elements": [],
    "output.T_min": 0.02,
    "solver.order_z": 4,
}


def misfits(answer: Answer, tables: list[Measurement]) -> dict[str, Array]:
    """(model − data)/σ of each table, each element at its best norm."""
    found = {}
    for element, names in ISOTOPES.items():
        models, loads, here = [], [], [t for t in tables if t.quantity == element]
        for table in here:
            flux = answer.interstellar if table.interstellar else answer.at_earth
            sigma = (table.error_lo + table.error_hi) / 2
            if table.over_rigidity:
                some, model = table.x >= 2, by_rigidity(flux, names, table.x)
            else:
                some, model = table.x >= 0.025, sum(flux(name, table.x) for name in names)
                sigma = np.hypot(sigma, 0.05 * table.y)
            models.append((model / sigma)[some])
            loads.append((table.y / sigma)[some])
        norm = sum(m @ d for m, d in zip(models, loads, strict=True)) / sum(m @ m for m in models)
        for table, model, load in zip(here, models, loads, strict=True):
            found[table.name] = norm * model - load
    return found


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="data folder; CRTRANSPORT_DATA if left out")
    parser.add_argument("--gamma1", type=float, default=1.0)
    given = parser.parse_args()
    folder = data_folder(given.data)
    if folder is None:
        sys.exit("injection: needs measured fluxes: --data FOLDER, or CRTRANSPORT_DATA")
    measured = load_fluxes_and_ratios(TABLES, folder)

    def at(x: Array) -> dict[str, Array]:
        """Misfits for γ₂ and ln R_br."""
        shape = {"gamma1": given.gamma1, "gamma2": float(x[0]), "R_br": float(np.exp(x[1]))}
        spectrum = {"source.0.injection": shape, "source.0.injections": {}}
        deck = load_deck("galaxy_light", COARSE | spectrum)
        assert isinstance(deck, GalaxyDeck)
        return misfits(Answer(deck, transport(deck)), measured)

    best = least_squares(
        lambda x: np.concatenate(list(at(x).values())),
        [2.39, np.log(2.0)],
        x_scale=[0.02, 0.3],
        diff_step=1e-3,
        max_nfev=12,
    )
    print(f"gamma1 = {given.gamma1:g}, gamma2 = {best.x[0]:.4f}, R_br = {np.exp(best.x[1]):.3f} GV")
    for label, off in at(best.x).items():
        print(f"  {label:<18} chi2 {off @ off:6.1f} of {len(off)}")
