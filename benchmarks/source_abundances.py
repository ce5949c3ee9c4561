"""Fit the abundances of a galaxy deck's source to measured fluxes, and print them for the deck.

python benchmarks/source_abundances.py DECK --data FOLDER [--from 10]

AMS-02's fluxes of H to Fe from a rigidity on, by linear least squares: abundances at equal
rigidity, in the convention of the deck. The deck's own normalisation is left out.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace

from crtransport.deck.galaxy import GalaxyDeck
from crtransport.deck.load import load_deck
from crtransport.measurements import data_folder
from crtransport.measurements.read import load_fluxes
from crtransport.problems.galaxy_abundances import fit_abundances
from crtransport.problems.galaxy_answer import elements

MEASURED = ("H", "He", "C", "N", "O", "F", "Ne", "Na", "Mg", "Al", "Si", "S", "Fe")

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("deck")
    parser.add_argument("--data", help="data folder; CRTRANSPORT_DATA if left out")
    parser.add_argument("--from", dest="r_min", type=float, default=10.0, help="GV")
    given = parser.parse_args()
    folder = data_folder(given.data)
    if folder is None:
        sys.exit("source_abundances: needs measured fluxes: --data FOLDER, or CRTRANSPORT_DATA")
    deck = load_deck(given.deck)
    if not isinstance(deck, GalaxyDeck) or len(deck.source) != 1:
        sys.exit("source_abundances: the deck must be a galaxy with one source")
    deck = replace(deck, normalisation=None)
    names = [f"AMS-02_{element}_rigidity" for element in MEASURED]
    isotopes, (source,) = elements(deck), deck.source
    emitted = {e for e, names in isotopes.items() if any(map(source.abundance, names))}
    tables = [t for t in load_fluxes(names, folder) if t.quantity in emitted]
    deck, factors = fit_abundances(deck, tables, given.r_min)
    for element, found in factors.items():
        print(
            f"# {element:<2}  chi2 {found.chi2:7.1f} of {found.points} points; "
            f"last factor {found.factor:.5f} ± {found.error:.5f}"
        )
    for name, value in deck.source[0].abundances.items():
        print(f"{name} = {value:.4g}")
