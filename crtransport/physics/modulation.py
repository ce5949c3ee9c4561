"""Solar modulation in the force-field approximation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from crtransport.nuclides import Nuclide
from crtransport.units import Quantity

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Modulation:
    """The Sun as a potential (Gleeson & Axford 1968, ApJ 154, 1011).

    Attributes
    ----------
    phi : float
        Modulation potential, MV; 0: none.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    phi: Annotated[float, Quantity(unit="MV", ge=0, le=1e4)] = 600.0

    def loss(self, nucleus: Nuclide) -> float:
        """|Z| φ/A: what a nucleus loses on its way in, GeV/n."""
        return nucleus.charge * self.phi * 1e-3 / nucleus.mass_number

    def modulated(self, flux: Callable[[Array], Array], energy: Array, nucleus: Nuclide) -> Array:
        """J(T) = J_LIS(T + P) T(T + 2m)/[(T + P)(T + P + 2m)], P = |Z|φ/A, at T in GeV/n.

        Parameters
        ----------
        flux : callable
            J_LIS against T in GeV/n, needed up to the highest energy plus P.
        """
        outside = energy + self.loss(nucleus)
        twice = 2 * nucleus.nucleon_mass
        return np.asarray(flux(outside) * energy * (energy + twice) / (outside * (outside + twice)))
