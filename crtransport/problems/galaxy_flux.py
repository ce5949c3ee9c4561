"""From ψp on the levels to fluxes at any energy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crtransport.constants import SPEED_OF_LIGHT
from crtransport.nuclides import Nuclide
from crtransport.problems.galaxy_levels import Momenta
from crtransport.solvers.kernels.stencil import between
from crtransport.solvers.levels import GHOSTS

Array = NDArray[np.float64]

#: ψ in cm^-3 (GeV/n)^-1 times c/4π -> m^-2 s^-1 sr^-1 (GeV/n)^-1
_PER_AREA = 1e4 * SPEED_OF_LIGHT / (4 * np.pi)
#: levels from which a value between two of them is taken: more than the order of the differences
_NEAR = 10


class Spectrum:
    """ψ of one nuclide at given places, as functions of kinetic energy per nucleon.

    y and ln S, of which yS = ψp du/ds, are smooth: between the levels each is the polynomial of
    degree 9 through the nearest ten.

    Parameters
    ----------
    nucleus : Nuclide
    levels : Momenta
    y : [level, …] array
    log_scale : array on the extended levels
    """

    def __init__(self, nucleus: Nuclide, levels: Momenta, y: Array, log_scale: Array) -> None:
        self.nucleus = nucleus
        self.levels, self._y = levels, y
        self._log_density = log_scale - np.log(levels.stretch)
        self._dims = np.ndim(y) - 1

    def density(self, kinetic_energy: Array) -> Array:
        """[energy, …] dn/dT = ψ/β, cm^-3 (GeV/n)^-1, at T in GeV/n."""
        u, beta = self._kinematics(kinetic_energy)
        return self._psi(u) / beta.reshape(beta.shape + (1,) * self._dims)

    def flux(self, kinetic_energy: Array) -> Array:
        """[energy, …] Φ = β c (dn/dT)/4π, m^-2 s^-1 sr^-1 (GeV/n)^-1."""
        u, _ = self._kinematics(kinetic_energy)
        return _PER_AREA * self._psi(u)

    def _kinematics(self, kinetic_energy: Array) -> tuple[Array, Array]:
        rigidity = self.nucleus.rigidity(np.asarray(kinetic_energy))
        return np.log(self.nucleus.momentum(rigidity)), self.nucleus.beta(rigidity)

    def _psi(self, u: Array) -> Array:
        number = self.levels.number(u)
        size = np.exp(_between(self._log_density, number + GHOSTS) - u)
        return np.asarray(_between(self._y, number) * size.reshape(size.shape + (1,) * self._dims))


def _between(values: Array, number: Array) -> Array:
    """[shape of ``number``, …] of [level, …], by Lagrange's polynomial between the levels."""
    flat, columns = np.ravel(number), np.ascontiguousarray(values.reshape(len(values), -1))
    found = np.empty((len(flat), columns.shape[1]))
    between(columns, flat, min(_NEAR, len(values)), found)
    return found.reshape(np.shape(number) + values.shape[1:])
