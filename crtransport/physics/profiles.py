"""Radial surface densities of possible sources of cosmic rays, by the names of their papers."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

ProfileName = Literal["trotta2011", "case1998", "green2015", "yusifov2004", "lorimer2006"]


class Profile(NamedTuple):
    """[(r + R₁)/(r☉ + R₁)]^a exp[−b (r − r☉)/(r☉ + R₁)], 1 at the Sun; R₁ in kpc."""

    a: float
    b: float
    R1: float = 0.0

    def at(self, r: Array, r_sun: float) -> Array:
        """At r in kpc."""
        scale = r_sun + self.R1
        return np.asarray(((r + self.R1) / scale) ** self.a * np.exp(-self.b * (r - r_sun) / scale))

    def scale(self, r_sun: float) -> float:
        """Length over which the exponential changes by e, kpc."""
        return abs((r_sun + self.R1) / self.b) if self.b else np.inf


PROFILES: dict[str, Profile] = {
    # supernova remnants, tuned to gamma rays: Trotta et al. 2011, ApJ 729, 106
    "trotta2011": Profile(1.25, 3.56),
    # supernova remnants: Case & Bhattacharya 1998, ApJ 504, 761
    "case1998": Profile(2.00, 3.53),
    # supernova remnants: Green 2015, MNRAS 454, 1517
    "green2015": Profile(1.09, 3.87),
    # pulsars: Yusifov & Küçük 2004, A&A 422, 545
    "yusifov2004": Profile(1.64, 4.01, 0.55),
    # pulsars, model C: Lorimer et al. 2006, MNRAS 372, 777
    "lorimer2006": Profile(1.9, 5.0),
}
assert tuple(PROFILES) == get_args(ProfileName)
