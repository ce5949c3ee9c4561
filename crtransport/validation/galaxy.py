"""Comparisons of the galaxy with closed forms, and its conservation laws.

Names begin with the solver, then say the case. All decks are the package's own, small and quiet:
terms for which a closed form has no place are switched off, and every other one is compared.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from crtransport.analytic import galaxy as exact
from crtransport.validation import galaxy_cylinder, galaxy_leaky_box, galaxy_slab
from crtransport.validation.galaxy_cases import EXACT, Method, Nucleus, Row, Solved, Tables, merged

Array = NDArray[np.float64]

#: all terms at once
_WHOLE: Tables = {
    "model": "galaxy",
    "network": ["C12", "B11", "Be10", "B10"],
    "convection": {"V0": 5.0, "dVdz": 5.0},
    "losses": {"rate": 1e-3},
    "source": [{"abundances": {"C12": 1e-15}}],
    "momentum": {"T_max": 1e4, "per_decade": 8},
    "output": {"T_max": 1e3},
}
_COARSE: Tables = {"order_r": 3, "order_z": 3, "elements_r": 3}
_CELLS: Tables = {"discretisation": "finite-volume", "cells_r": 10, "cells_z": 10}
#: with the closest balance that each must give
_METHODS = (
    (
        Method(
            name="sweep-gmres",
            tables={"solver": {**_COARSE, **EXACT}},
        ),
        1e-10,
    ),
    (Method(name="direct", tables={"solver": {**_COARSE, "kind": "direct"}}), 1e-12),
    (Method(name="direct/cells", tables={"solver": {**_CELLS, "kind": "direct"}}), 1e-12),
)


def rows() -> list[Row]:
    """(name, computed, reference, relative tolerance, formula) of every comparison."""
    parts = (galaxy_slab.rows(), galaxy_cylinder.rows(), galaxy_leaky_box.rows(), _balance())
    return list(chain(*parts, _flux(), _modulation()))


def _balance() -> Iterator[Row]:
    """What all terms take away, over what the sources set free."""
    for method, tolerance in _METHODS:
        run = Solved(merged(_WHOLE, method.tables)).answer.run
        for one in run.nuclides:
            name = f"{method.name}/balance/{one.nucleus.name}"
            taken = sum(one.budget.values())
            yield name, taken, 1.0, tolerance, "escape + losses + destruction + decay = sources"


def _flux() -> Iterator[Row]:
    """Φ from the number density at the Sun."""
    method, _ = _METHODS[0]
    answer = Solved(merged(_WHOLE, method.tables)).answer
    energy, nucleus = np.array([0.1, 10.0]), Nucleus.named("C12")
    density = answer.density("C12", energy) @ answer.run.space.sun
    reference = exact.flux(nucleus.beta(energy) * density)
    for at, a, b in zip(energy, answer.interstellar("C12", energy), reference, strict=True):
        yield f"{method.name}/flux/C12 {at:g} GeV", float(a), float(b), 1e-12, "Φ = (v/4π) dn/dT"


def _modulation() -> Iterator[Row]:
    """The force field on the interstellar flux, for φ = 600 MV."""
    method, _ = _METHODS[0]
    answer = Solved(merged(_WHOLE, method.tables)).answer
    energy, nucleus = np.array([0.1, 10.0]), Nucleus.named("C12")
    outside = energy + 0.6 / nucleus.per_charge
    share = (nucleus.momentum(energy) / nucleus.momentum(outside)) ** 2
    reference = share * answer.interstellar("C12", outside)
    for at, a, b in zip(energy, answer.at_earth("C12", energy), reference, strict=True):
        name = f"{method.name}/modulation/C12 {at:g} GeV"
        yield name, float(a), float(b), 1e-12, "Φ(T)/p² = Φ_LIS(T + |Z|φ/A)/p²"
