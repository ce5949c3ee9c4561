"""Numbers of Song et al. 2021, MNRAS 507, 5161, to stand beside ours."""

from __future__ import annotations

from typing import NamedTuple

NAME = "Song et al. 2021"


class Correlation(NamedTuple):
    """A row of Table 1: log₁₀ L_γ (erg/s) against log₁₀ of the property, and its significance."""

    slope: float
    slope_error: float
    intercept: float
    intercept_error: float
    sigma: float

    def __str__(self) -> str:
        return (
            f"slope {self.slope:.2f} ± {self.slope_error:.2f}, intercept {self.intercept:.2f} ± "
            f"{self.intercept_error:.2f}, {self.sigma:.1f}σ"
        )


#: Table 1; None for what is not significant there
CORRELATIONS: dict[str, Correlation | None] = {
    "encounter_rate": Correlation(0.39, 0.10, 32.99, 0.26, 6.4),
    "u_total": Correlation(0.59, 0.09, 32.97, 0.19, 3.8),
    "u_mw": None,
    "metallicity": None,
}
#: Γ₁, log₁₀(E_cut/MeV) and Γ₂, with and without inverse Compton
SHAPE = ("0.88 ± 0.44", "3.28 ± 0.16", "2.79 ± 0.25")
SHAPE_WITHOUT = ("1.72 ± 0.21", "3.53 ± 0.19")
CHI2, CHI2_WITHOUT = "204/206", "349/237"
GAIN = "145 for 31, 8.2σ"
ELECTRON_INDEX = "4.58 ± 0.50"
#: clusters with both components, with curvature radiation only, with inverse Compton only
COUNTS = "19, 7, 4"
EFFICIENCY_RATIO = "0.17 to 1.04"
