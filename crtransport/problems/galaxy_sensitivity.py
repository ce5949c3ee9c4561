"""What fluxes and ratios at the Sun change with: logarithmic derivatives by numbers of the deck."""

from __future__ import annotations

import numpy as np
import xarray as xr

from crtransport.deck.galaxy import GalaxyDeck
from crtransport.deck.sensitivity import Sensitivity, number_at
from crtransport.problems.galaxy_gradient import Adjoint, Fluxes


def sensitivities(deck: GalaxyDeck, table: Sensitivity) -> xr.DataArray:
    """∂ln J/∂ln θ of each observable at each energy by each parameter."""
    adjoint = Adjoint(deck)
    values = np.array([number_at(deck, key) for key in table.by])
    found = np.empty((len(table.of), len(table.at), len(table.by)))
    for i, name in enumerate(table.of):
        above, below = deck.observed(name)

        def log_seen(
            fluxes: Fluxes, above: tuple[str, ...] = above, below: tuple[str, ...] = below
        ) -> float:
            one = np.log(sum(fluxes[n][0] for n in above))
            return float(one - np.log(sum(fluxes[n][0] for n in below)) if below else one)

        for k, energy in enumerate(table.at):
            here = adjoint.fluxes(np.array([energy]))
            if not all(sum(here[n][0] for n in part) > 0 for part in (above, below) if part):
                found[i, k] = np.nan  # what is not there has no logarithm
                continue
            slopes = adjoint.gradient(np.array([energy]), log_seen, table.by)
            found[i, k] = values * [slopes[key] for key in table.by]
    long_name = "d ln(interstellar flux or ratio at the Sun) / d ln(parameter)"
    return xr.DataArray(
        found,
        dims=("observable", "at_energy", "parameter"),
        coords={
            "observable": _names("observable", table.of, "flux or ratio"),
            "at_energy": (
                "at_energy",
                list(table.at),
                {"units": "GeV/n", "long_name": "kinetic energy per nucleon"},
            ),
            "parameter": _names("parameter", table.by, "key of the deck"),
        },
        attrs={"units": "1", "long_name": long_name},
    )


def _names(
    dim: str, names: tuple[str, ...], long_name: str
) -> tuple[str, list[str], dict[str, str]]:
    return dim, list(names), {"units": "1", "long_name": long_name}
