"""A model that does at once whatever a test asks for, in place of one that takes its time."""

import numpy as np
import xarray as xr
from matplotlib.figure import Figure

from crtransport.deck.flux_tube import FluxTubeDeck
from crtransport.solvers.errors import ConvergenceError


def solve(deck: FluxTubeDeck) -> xr.Dataset:
    """The title of the deck says how it ends."""
    if deck.title == "interrupt":
        raise KeyboardInterrupt
    if deck.title == "bug":
        raise ZeroDivisionError("division by zero")
    if deck.title == "no convergence":
        raise ConvergenceError("residual 1e-3 after 100 iterations; raise solver.rtol")
    estimate = 1.0 if deck.title == "inaccurate" else 1e-12
    labels = {"units": "1", "long_name": "answer"}
    return xr.Dataset(
        {"answer": ("x", np.ones(3), labels)},
        attrs={"error_estimate": estimate, "error_tolerance": deck.solver.rtol},
    )


def headline(dataset: xr.Dataset) -> list[tuple[str, str]]:
    """One number."""
    return [("answer", f"{dataset.answer[0].item():g} pc-1")]


def draw(dataset: xr.Dataset, points: list[object]) -> dict[str, Figure]:
    """Two figures."""
    return {"": Figure(), "more": Figure()}
