"""Fit the backgrounds of a deck with local sources to protons and helium, and print them.

python benchmarks/backgrounds.py yuan2025_fig3 --data FOLDER [--from 8]

The flux is Σ aᵢ φᵢ over the classes of sources, and the local sources as the deck has them; aᵢ ≥ 0
of least squares to AMS-02, DAMPE and LHAASO, with 1 % added to each error.
"""

from __future__ import annotations

import argparse
import sys

import numpy as np
from scipy.optimize import nnls

from crtransport.deck.galaxy import GalaxyDeck
from crtransport.deck.load import load_deck
from crtransport.measurements import data_folder
from crtransport.measurements.read import load_fluxes
from crtransport.measurements.table import per_nucleon
from crtransport.nuclides import nuclide
from crtransport.problems.galaxy_answer import Answer
from crtransport.problems.galaxy_local import class_flux, local_flux
from crtransport.problems.galaxy_transport import transport

TABLES = ("AMS-02_{}_rigidity", "DAMPE_{}_kineticEnergy", "LHAASO_EPOS-LHC_{}_totalEnergy")
FLOOR = 0.01

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("deck")
    parser.add_argument("--data", help="data folder; CRTRANSPORT_DATA if left out")
    parser.add_argument("--from", dest="r_min", type=float, default=8.0, help="GV")
    given = parser.parse_args()
    folder = data_folder(given.data)
    if folder is None:
        sys.exit("backgrounds: needs measured fluxes: --data FOLDER, or CRTRANSPORT_DATA")
    deck = load_deck(given.deck)
    if not isinstance(deck, GalaxyDeck) or not deck.local_source:
        sys.exit("backgrounds: the deck must be a galaxy with a [[local_source]]")
    answer = Answer(deck, transport(deck))
    classes = [class_flux(deck, answer, source.name) for source in deck.source]
    local = [local_flux(deck, i) for i in range(len(deck.local_source))]
    for element, isotope in (("H", "H1"), ("He", "He4")):
        rows, loads, names = [], [], []
        for table in load_fluxes([name.format(element) for name in TABLES], folder):
            points = per_nucleon(table)
            some = nuclide(element).rigidity(points.kinetic_energy) >= given.r_min
            some &= points.kinetic_energy <= deck.output.T_max
            energy, flux = points.kinetic_energy[some], points.flux[some]
            sigma = np.hypot((points.error_lo + points.error_hi)[some] / 2, FLOOR * flux)
            known = sum(one(element, energy) for one in local)
            rows.append(
                np.stack([one(element, energy) for one in classes], axis=1) / sigma[:, None]
            )
            loads.append((flux - known) / sigma)
            names.append(points.label)
        factors, _ = nnls(np.concatenate(rows), np.concatenate(loads))
        for source, factor in zip(deck.source, factors, strict=True):
            value = factor * answer.norm * source.abundance(isotope)
            print(f"{source.name}: {isotope} = {value:.4g}")
        for name, row, load in zip(names, rows, loads, strict=True):
            print(f"  {name:<20} chi2 {np.sum((row @ factors - load) ** 2):6.1f} of {len(load)}")
