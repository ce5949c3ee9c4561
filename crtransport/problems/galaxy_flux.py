"""From ψp on the levels to fluxes at any energy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import make_interp_spline

from crtransport.constants import SPEED_OF_LIGHT
from crtransport.nuclides import Nuclide
from crtransport.problems.galaxy_levels import Momenta

Array = NDArray[np.float64]

#: ψ in cm^-3 (GeV/n)^-1 times c/4π -> m^-2 s^-1 sr^-1 (GeV/n)^-1
_PER_AREA = 1e4 * SPEED_OF_LIGHT / (4 * np.pi)
#: degree of the splines in ln p: one above the order of the differences
_DEGREE = 7


class Spectrum:
    """ψ of one nuclide at given places, as functions of kinetic energy per nucleon.

    y and ln S, of which yS = ψp du/ds, are smooth in ln p: each is interpolated by a spline of high
    degree.

    Parameters
    ----------
    nucleus : Nuclide
    levels : Momenta
    y : [level, …] array
    log_scale : array on the extended levels
    """

    def __init__(self, nucleus: Nuclide, levels: Momenta, y: Array, log_scale: Array) -> None:
        self.nucleus = nucleus
        degree = min(_DEGREE, (levels.n - 1) // 2 * 2 - 1)
        self._y = make_interp_spline(levels.inner, y, k=degree)
        log_density = log_scale - np.log(levels.stretch)
        self._log_scale = make_interp_spline(levels.log_p, log_density, k=degree)
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
        size = np.exp(self._log_scale(u) - u)
        return np.asarray(self._y(u) * size.reshape(size.shape + (1,) * self._dims))
