"""Pitch-angle scattering: D(μ) of a turbulence spectrum k^−q, and the mean free path it implies."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from crtransport.units import Number, Quantity

Array = NDArray[np.float64]


def power_of_slope(slope: float) -> float:
    """m = 1/(2−q), a whole number where it is one but for the rounding of q (5/3 gives 3)."""
    m = 1 / (2 - slope)
    return float(round(m)) if abs(m - round(m)) < 1e-9 * m else m


@dataclass(frozen=True, kw_only=True)
class Scattering:
    """Pitch-angle diffusion in ∂/∂μ[(1−μ²) D(μ) ∂f/∂μ].

        D(μ) = C (|μ|^(q−1) + H) (1 + A sgn μ)

    The coefficient of quasi-linear theory for slab turbulence (Jokipii 1966), with a resonance
    gap filled by a floor H (Beeck & Wibberenz 1986) and unequal wave intensities in the two
    directions, A. Lengths are in pc; where neither C nor the mean free path is given, C = m² with
    m = 1/(2−q), and lengths read as multiples of m²/C (the form of Malkov & Moskalenko 2021, in
    which Λ = λ).

    Attributes
    ----------
    slope : float
        Turbulence slope q: 1 isotropic (Bohm-like), 3/2 Iroshnikov-Kraichnan, 5/3 Kolmogorov.
    C : float, optional
        Scattering rate over the speed of light, pc^-1; excludes mean_free_path.
    mean_free_path : float, optional
        Parallel mean free path λ_∥ = (3/8) ∫(1−μ²)/D dμ at the reference rigidity, pc.
    reference_rigidity : float
        Rigidity at which mean_free_path is given, GV.
    rigidity_index : float, optional
        λ_∥ ∝ R^index; by default 2 − q, resonance with turbulence of that slope.
    floor : float
        H, the scattering that is left at μ = 0 (resonance broadening), in units of C.
    asymmetry : float
        A, relative excess of the scattering of forward-moving particles (μ > 0).
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    slope: Annotated[float, Quantity(ge=1, lt=2)] = 1.5
    C: Annotated[float, Quantity(unit="pc-1", gt=0)] | None = None
    mean_free_path: Annotated[float, Quantity(unit="pc", gt=0)] | None = None
    reference_rigidity: Annotated[float, Quantity(unit="GV", gt=0)] = 1e4
    rigidity_index: Number | None = None
    floor: Annotated[float, Quantity(ge=0)] = 0.0
    asymmetry: Annotated[float, Quantity(gt=-1, lt=1)] = 0.0

    def __post_init__(self) -> None:
        if self.C is not None and self.mean_free_path is not None:
            raise ValueError("give C or mean_free_path, not both: each sets the other")

    @property
    def m(self) -> float:
        """m = 1/(2−q): χ = sgn(μ)|μ|^(1/m) removes the singular coefficient."""
        return power_of_slope(self.slope)

    def diffusion(self, mu: Array) -> Array:
        """D(μ)/C at ``mu``."""
        size = np.abs(mu) ** (self.slope - 1)
        return np.asarray((size + self.floor) * (1 + self.asymmetry * np.sign(mu)))

    def focusing_potential(self, mu: Array) -> Array:
        """∫ C/D dμ from 0 to ``mu``, dimensionless.

        The focusing term (1−μ²)/(2 L_B) ∂f/∂μ joins the scattering as
        −e^G ∂/∂μ[(1−μ²) D e^−G ∂f/∂μ] with G = ∫ dμ/(2 L_B D), which keeps it symmetric.
        """
        from scipy.special import hyp2f1

        size, s = np.abs(mu), self.slope - 1
        if self.floor == 0:
            integral = self.m * size ** (1 / self.m)
        elif s == 0:
            integral = size / (1 + self.floor)
        else:
            argument = -(size**s) / self.floor
            integral = size / self.floor * hyp2f1(1, 1 / s, 1 + 1 / s, argument)
        return np.asarray(np.sign(mu) * integral / (1 + self.asymmetry * np.sign(mu)))

    @property
    def length_unit(self) -> str:
        """ "pc", or "1" where lengths are multiples of m²/C."""
        return "1" if self.C is None and self.mean_free_path is None else "pc"

    def mean_free_path_times_C(self) -> float:
        """λ_∥ C = (3/8) ∫(1−μ²) C/D dμ over −1…1, dimensionless."""
        m, floor = self.m, self.floor
        side = m * (1 - 1 / (2 * m + 1))  # ∫(1−μ²) μ^(1−q) dμ over 0…1
        if floor > 0:
            from scipy.integrate import quad

            # in χ = μ^(1/m) the integrand is smooth but for the floor
            side = quad(
                lambda x: (1 - x ** (2 * m)) * m * x ** (m - 1) / (x ** (m - 1) + floor),
                0,
                1,
                epsabs=1e-14,
                epsrel=1e-13,
            )[0]
        return 3 / 8 * float(side) * (1 / (1 + self.asymmetry) + 1 / (1 - self.asymmetry))

    def rate(self, rigidity: float | None = None) -> float:
        """C at a rigidity (GV), in pc^-1; at the reference rigidity by default."""
        if self.mean_free_path is None:
            return self.m**2 if self.C is None else self.C
        index = 2 - self.slope if self.rigidity_index is None else self.rigidity_index
        ratio = 1.0 if rigidity is None else rigidity / self.reference_rigidity
        return self.mean_free_path_times_C() / (self.mean_free_path * math.pow(ratio, index))
