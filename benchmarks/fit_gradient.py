"""What the derivatives of the adjoint save in a fit: the same minimum with and without them.

python benchmarks/fit_gradient.py [DECK] [--data FOLDER] [--only with|without]

The fit of the deck from its start, by MIGRAD with the gradient of the adjoint and the second
derivatives of linear predictions, and by MIGRAD that makes both by differences of −2 ln L.
"""

from __future__ import annotations

import argparse
import sys
import time

import numpy as np

from crtransport.deck.load import load_deck
from crtransport.measurements import data_folder
from crtransport.studies.fit import minimum, read


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("deck", nargs="?", default="yuan2025_fig2_fit")
    parser.add_argument("--data", help="data folder; CRTRANSPORT_DATA if left out")
    parser.add_argument("--only", choices=("with", "without"))
    given = parser.parse_args()
    folder = data_folder(given.data)
    if folder is None:
        sys.exit("fit_gradient: needs measured tables: --data FOLDER, or CRTRANSPORT_DATA")
    print("derivatives     runs  gradients   wall s    CPU s   −2 ln L   within [σ]  problems")
    reference = None
    for name in ("with", "without"):
        if given.only not in (None, name):
            continue
        deck = load_deck(given.deck, {"fit.gradient": name == "with"})
        fitted = read(deck, folder)
        objective = fitted.objective()
        wall, cpu = time.perf_counter(), time.process_time()
        fit = minimum(objective, fitted.fit)
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        reference = reference or fit
        apart = np.abs((fit.values - reference.values) / reference.errors).max()
        counts = f"{fit.evaluations:8d} {fit.gradients:10d} {wall:8.0f} {cpu:8.0f}"
        problems = "; ".join(fit.problems) or "none"
        print(f"{name:<11} {counts} {fit.chi2:9.3f} {apart:12.2f}  {problems}", flush=True)


if __name__ == "__main__":
    main()
