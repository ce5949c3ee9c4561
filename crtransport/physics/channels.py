"""Production cross sections of light nuclei, a smooth formula for each parent and fragment.

A stopgap that serves until every channel is fitted to measurements: a fit of published
parametrisations, for fragments from Li to N of parents from B to Si.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crtransport.nuclides import Nuclide

Array = NDArray[np.float64]

#: width of the bumps in ln T, which a grid in momentum resolves
_WIDTH = 0.9

#: Z of a parent, and f of Ferrando et al. 1988
_FERRANDO = ((6, -0.76), (8, -0.41), (26, 1.00))


class Channel(NamedTuple):
    """Cross section of a channel on hydrogen at T in GeV/n, mb.

    σ(T) = high {1 + step/[1 + (T/T_s)²] + bump exp[−ln²(T/T_b)/(2·0.9²)]}/[1 + (T₀/T)²]
    """

    high: float
    step: float
    T_s: float
    bump: float
    T_b: float
    T_0: float

    def at(self, energy: Array) -> Array:
        """σ at T in GeV/n, mb."""
        step = self.step / (1 + (energy / self.T_s) ** 2)
        bump = self.bump * np.exp(-((np.log(energy / self.T_b) / _WIDTH) ** 2) / 2)
        return np.asarray(self.high * (1 + step + bump) / (1 + (self.T_0 / energy) ** 2))


def on_helium(parent: Nuclide, child: Nuclide) -> float:
    """σ of a channel on helium over that on hydrogen (Ferrando et al. 1988, PRC 37, 1490).

        exp(μ |Z_parent − Z_child − f δ|^1.43),   μ = 0.031, δ = 4.40,
        f = −0.76, −0.41, 1.00 for parents C, O, Fe, linear in ln Z between and below them

    μ and δ are those of their highest energy, 1.51 GeV/n, and taken the same at all energies: at
    0.4 GeV/n the ratio of C to B is 1.4 instead of 1.3.
    """
    z = parent.charge
    (z1, f1), (z2, f2) = _FERRANDO[:2] if z < 8 else _FERRANDO[1:]
    f = f1 + (f2 - f1) * np.log(z / z1) / np.log(z2 / z1)
    return float(np.exp(0.031 * abs(z - child.charge - 4.40 * f) ** 1.43))


#: (parent, child) -> own fit to option 12 of the cumulative cross sections (short-lived parents of
#: the child included) which Génolini et al. 2018, Phys. Rev. C 98, 034611 started from. ``high`` is
#: theirs at 10 GeV/n, where their table ends; behind each the rms deviation from 0.1 GeV/n on.
#: Below, resonances narrower than the formula's bump are smoothed. Ne and Si make no Li there.
CHANNELS = {
    ("B11", "Li6"): Channel(4.98, 0.454, 0.0744, 0.295, 0.227, 0.00249),  # 2 %
    ("B11", "Li7"): Channel(21.51, 0.135, 0.0719, 0.313, 0.249, 0.00638),  # 2 %
    ("B11", "Be7"): Channel(4.477, -0.126, 1.25, 0.029, 1.93, 0.001),  # 1 %
    ("B11", "Be9"): Channel(10.57, 0.413, 2.04, 3.48, 0.0432, 0.15),  # 4 %
    ("B11", "Be10"): Channel(12.95, -0.126, 1.25, 0.0289, 1.93, 0.001),  # 1 %
    ("B11", "B10"): Channel(38.91, 0.091, 0.769, 4.96, 0.0232, 0.0433),  # 2 %
    ("C12", "Li6"): Channel(14, -0.95, 0.314, 0.88, 0.0785, 0.0658),  # 3 %
    ("C12", "Li7"): Channel(12.6, -0.95, 0.47, 0.816, 0.113, 0.0612),  # 4 %
    ("C12", "Be7"): Channel(9.577, -0.95, 0.221, 1.74, 0.06, 0.0647),  # 6 %
    ("C12", "Be9"): Channel(6.762, -0.95, 0.519, 0.44, 0.129, 0.0515),  # 3 %
    ("C12", "Be10"): Channel(3.938, -0.95, 0.424, 0.452, 0.106, 0.118),  # 5 %
    ("C12", "B10"): Channel(15.4, 0.376, 1.9, 3.17, 0.0473, 0.15),  # 5 %
    ("C12", "B11"): Channel(56.88, -0.95, 0.0962, 2.5, 0.0255, 0.0353),  # 4 %
    ("C13", "Li6"): Channel(17.82, -0.95, 0.289, 0.98, 0.0946, 0.0981),  # 8 %
    ("C13", "Li7"): Channel(22.19, -0.95, 0.481, 0.554, 0.101, 0.115),  # 7 %
    ("C13", "Be7"): Channel(3.995, -0.95, 0.0802, 1.3, 0.134, 0.103),  # 10 %
    ("C13", "Be9"): Channel(7.457, 0.384, 0.255, 1.78, 0.02, 0.15),  # 3 %
    ("C13", "Be10"): Channel(5.925, -0.95, 0.537, 0.921, 0.203, 0.13),  # 8 %
    ("C13", "B10"): Channel(9, 2, 0.02, 0.287, 0.0683, 0.001),  # 1 %
    ("C13", "B11"): Channel(31.77, 0.801, 0.0659, 0.415, 0.183, 0.00549),  # 2 %
    ("C13", "C12"): Channel(56.73, 0.0575, 0.392, 0.031, 0.717, 0.001),  # 0 %
    ("N14", "Li6"): Channel(13, -0.95, 0.186, 1.03, 0.0672, 0.0478),  # 2 %
    ("N14", "Li7"): Channel(9.3, -0.95, 0.645, 1.29, 0.192, 0.134),  # 14 %
    ("N14", "Be7"): Channel(10.1, -0.95, 0.0791, 1.22, 0.0307, 0.0252),  # 1 %
    ("N14", "Be9"): Channel(2.295, -0.95, 0.194, 0.914, 0.0689, 0.0499),  # 1 %
    ("N14", "Be10"): Channel(1.75, -0.95, 0.456, 0.611, 0.183, 0.126),  # 6 %
    ("N14", "B10"): Channel(10.44, -0.95, 0.0229, 0.559, 0.0418, 0.0268),  # 2 %
    ("N14", "B11"): Channel(29.22, -0.291, 0.314, 0.241, 0.131, 0.001),  # 1 %
    ("N14", "C12"): Channel(54.23, 0.0604, 0.414, 0.0305, 0.735, 0.001),  # 0 %
    ("N14", "C13"): Channel(14.13, 0.199, 0.898, 2.2, 0.02, 0.0177),  # 2 %
    ("N15", "Li6"): Channel(12.79, -0.237, 0.899, 0.0477, 1.22, 0.00179),  # 1 %
    ("N15", "Li7"): Channel(18.61, 0, 1, 0, 1, 0.001),  # 0 %
    ("N15", "Be7"): Channel(5.42, 0, 1, 0, 1, 0.001),  # 0 %
    ("N15", "Be9"): Channel(7.835, -0.268, 0.383, 0.133, 0.232, 0.00726),  # 0 %
    ("N15", "Be10"): Channel(2.03, -0.692, 0.564, 0.267, 0.368, 0.0292),  # 1 %
    ("N15", "B10"): Channel(9.864, -0.95, 0.224, 1.34, 0.0822, 0.0632),  # 4 %
    ("N15", "B11"): Channel(31.9, 0.0459, 0.292, 0.0421, 0.676, 0.001),  # 0 %
    ("N15", "C12"): Channel(36.09, 0.0605, 0.397, 0.0327, 0.718, 0.001),  # 0 %
    ("N15", "C13"): Channel(38.8, 0.0608, 0.418, 0.0304, 0.734, 0.001),  # 0 %
    ("N15", "N14"): Channel(24.26, 0.091, 0.769, 4.96, 0.0232, 0.0433),  # 2 %
    ("O16", "Li6"): Channel(13, -0.95, 0.216, 1.01, 0.0642, 0.0609),  # 5 %
    ("O16", "Li7"): Channel(11.2, -0.95, 0.277, 0.965, 0.102, 0.077),  # 3 %
    ("O16", "Be7"): Channel(10, -0.95, 0.275, 0.711, 0.0842, 0.0761),  # 6 %
    ("O16", "Be9"): Channel(3.649, -0.95, 0.0678, 0.265, 1.97, 0.105),  # 12 %
    ("O16", "Be10"): Channel(2.144, -0.95, 0.21, 0.177, 1.87, 0.0725),  # 10 %
    ("O16", "B10"): Channel(11, -0.95, 0.243, 1, 0.0798, 0.0582),  # 1 %
    ("O16", "B11"): Channel(27.34, -0.95, 0.206, 0.97, 0.0654, 0.062),  # 8 %
    ("O16", "C12"): Channel(37.32, 0.0212, 1.77, 2.04, 0.02, 0.0166),  # 2 %
    ("O16", "C13"): Channel(49.78, -0.396, 0.252, 0.463, 0.0921, 0.001),  # 1 %
    ("O16", "N14"): Channel(30.05, 0.0731, 0.446, 0.0336, 0.728, 0.001),  # 0 %
    ("O16", "N15"): Channel(64.8, -0.95, 0.146, 2.55, 0.0439, 0.0379),  # 2 %
    ("Ne20", "Be7"): Channel(7.411, -0.377, 1.48, 0.128, 2, 0.001),  # 3 %
    ("Ne20", "Be9"): Channel(4.432, -0.677, 1.01, 0.18, 1.03, 0.027),  # 3 %
    ("Ne20", "Be10"): Channel(1.914, -0.845, 0.949, 0.193, 1.15, 0.0814),  # 4 %
    ("Ne20", "B10"): Channel(6.654, -0.276, 2.56, 0.254, 1, 0.001),  # 1 %
    ("Ne20", "B11"): Channel(19.36, -0.464, 0.763, 0.197, 0.464, 0.0478),  # 1 %
    ("Ne20", "C12"): Channel(32.59, -0.0902, 2.53, 0.134, 0.804, 0.001),  # 1 %
    ("Ne20", "C13"): Channel(19.04, -0.0511, 2.8, 0.106, 0.76, 0.001),  # 1 %
    ("Ne20", "N14"): Channel(25.34, 0.0917, 0.185, 0.0889, 0.506, 0.001),  # 0 %
    ("Ne20", "N15"): Channel(37.32, 0.0946, 0.199, 0.0879, 0.519, 0.001),  # 0 %
    ("Mg24", "Li6"): Channel(12.6, -0.809, 1.14, 0.166, 1.89, 0.00528),  # 7 %
    ("Mg24", "Li7"): Channel(11.38, -0.865, 1.1, 0.175, 1.76, 0.0306),  # 7 %
    ("Mg24", "Be7"): Channel(9.982, -0.95, 0.534, 0.37, 0.0827, 0.15),  # 11 %
    ("Mg24", "Be9"): Channel(4.432, -0.819, 1.05, 0.167, 1.55, 0.0292),  # 5 %
    ("Mg24", "Be10"): Channel(2.664, -0.916, 1.06, 0.186, 1.68, 0.081),  # 6 %
    ("Mg24", "B10"): Channel(6.253, -0.566, 1.01, 0.182, 0.867, 0.0542),  # 2 %
    ("Mg24", "B11"): Channel(15.62, -0.762, 0.418, 0.123, 0.147, 0.00126),  # 3 %
    ("Mg24", "C12"): Channel(27.63, -0.345, 2.77, 0.32, 1.06, 0.001),  # 1 %
    ("Mg24", "C13"): Channel(13.23, -0.418, 0.536, 0.115, 0.611, 0.001),  # 1 %
    ("Mg24", "N14"): Channel(13.86, -0.223, 2.65, 0.242, 0.947, 0.001),  # 1 %
    ("Mg24", "N15"): Channel(22.35, -0.159, 2.61, 0.197, 0.883, 0.001),  # 1 %
    ("Si28", "Be7"): Channel(10.8, -0.95, 0.544, 0.293, 0.0521, 0.15),  # 4 %
    ("Si28", "Be9"): Channel(4.683, -0.531, 1.44, 0.16, 2, 0.001),  # 4 %
    ("Si28", "Be10"): Channel(2.061, -0.95, 3, 0.707, 1.72, 0.15),  # 10 %
    ("Si28", "B10"): Channel(2.841, -0.448, 3, 0.349, 1.28, 0.001),  # 2 %
    ("Si28", "B11"): Channel(8.378, -0.44, 3, 0.356, 1.27, 0.001),  # 2 %
    ("Si28", "C12"): Channel(21.91, -0.432, 3, 0.363, 1.26, 0.001),  # 2 %
    ("Si28", "C13"): Channel(7.767, -0.912, 0.572, 0.327, 0.385, 0.00409),  # 1 %
    ("Si28", "N14"): Channel(9.661, -0.431, 3, 0.374, 1.22, 0.001),  # 2 %
    ("Si28", "N15"): Channel(16.38, -0.426, 3, 0.383, 1.18, 0.001),  # 2 %
}
