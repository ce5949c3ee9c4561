"""Column density of the gas at the Sun, and the grammage that particles have crossed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crtransport.constants import KPC, MYR, SPEED_OF_LIGHT
from crtransport.deck.galaxy import GalaxyDeck
from crtransport.nuclides import nuclide
from crtransport.physics.gas import PHASES
from crtransport.problems.galaxy_space import Space
from crtransport.solvers.factors import solve_sum
from crtransport.solvers.problem import Operator

Array = NDArray[np.float64]

#: GV
RIGIDITIES = (10.0, 100.0, 1000.0)
#: panels from 0 to z_h, each twice as long as the one below, and points in each: layers of 1 pc and
#: of 1 kpc are both integrated to rounding
_PANELS, _POINTS = 16, 24


def gas_columns(deck: GalaxyDeck) -> Array | None:
    """(n_phases,) gas at the Sun within the halo, mg/cm², with helium; None in a box."""
    if deck.geometry.kind == "leaky-box":
        return None
    gas, here = deck.gas, np.array(deck.geometry.r_sun)
    edges = deck.geometry.z_h * np.array([0.0, *(2.0 ** np.arange(-_PANELS, 1))])
    x, weights = np.polynomial.legendre.leggauss(_POINTS)
    half = np.diff(edges)[:, None] / 2
    z = edges[:-1, None] + half * (1 + x)
    atoms = [
        2 * np.sum(half * weights * gas.phase(name, np.full(z.shape, here), z))
        + gas.phase_sheet(name, here)
        for name in PHASES
    ]
    return np.array(atoms, dtype=float) * KPC * gas.mass_per_atom() * 1e3


def grammages(deck: GalaxyDeck, space: Space) -> Array:
    """(n_rigidities,) mean gas that protons have crossed between their sources and the Sun, g/cm².

        X(R) = m β c (K⁻¹ G K⁻¹ q)_Sun / (K⁻¹ q)_Sun,   K = −∇·D(R)∇ + ∇·V,

    with G the density of hydrogen and m its mass with helium. It is what a secondary over a primary
    is, times m/σ, where the cross sections σ are small and nothing changes energy: in a slab with
    all gas Σ and sources in a thin disk, Σ β c H/(2D). Sources of all classes count alike, 1 at
    the Sun.
    """
    proton, rigidity = nuclide("H1"), np.array(RIGIDITIES)
    beta = proton.beta(rigidity)
    diffusion = deck.diffusion.halo(rigidity, beta)
    if deck.geometry.kind == "leaky-box":
        diffusion = diffusion / deck.diffusion.D0
    else:
        diffusion = diffusion * MYR / KPC**2
    load = np.sum(space.sources, axis=0)
    found = []
    for rate in diffusion:
        moved = [Operator(matrix=rate * x.matrix, total=rate * x.total) for x in space.diffusion]
        if space.convection is not None:
            moved.append(space.convection)
        primary = solve_sum(moved, load)
        secondary = solve_sum(moved, space.gas.matrix @ primary)
        found.append(float(space.sun @ secondary) / float(space.sun @ primary))
    return np.array(found) * deck.gas.mass_per_atom() * beta * SPEED_OF_LIGHT * MYR
