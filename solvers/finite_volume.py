"""Second-order finite volumes on an interval: the independent discretisation."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Cells:
    """Cell averages between ``faces``; no flux through the two ends.

        | cell 0 | cell 1 | …  | cell n−1 |
        0        1        2   n−1         n      faces

    Coefficients of reactions enter at ``points`` (cell middles), those of diffusion at ``inner``
    (faces 1 … n−1). Matrices are given by their diagonals: a mass matrix by its (n,) diagonal,
    diffusion by the (n−1,) conductances between neighbours.
    """

    faces: Array

    @property
    def n_functions(self) -> int:
        """Number of cells."""
        return len(self.faces) - 1

    @cached_property
    def points(self) -> Array:
        """(n,) cell middles."""
        return np.asarray((self.faces[1:] + self.faces[:-1]) / 2)

    @cached_property
    def inner(self) -> Array:
        """(n−1,) faces between two cells."""
        return self.faces[1:-1]

    @cached_property
    def weights(self) -> Array:
        """(n,) cell lengths."""
        return np.diff(self.faces)

    def mass(self, weight: Array) -> Array:
        """(n,) diagonal of ∫ weight φᵢ φⱼ dx, with ``weight`` given at ``points``."""
        return self.weights * weight

    def conductance(self, conductivity: Array) -> Array:
        """(n−1,) flux per difference of neighbours, with ``conductivity`` at ``inner``."""
        return np.asarray(conductivity / np.diff(self.points))

    def load(self, density: Array) -> Array:
        """(n,) ∫ density φᵢ dx, with ``density`` given at ``points``."""
        return self.weights * density


def graded_faces(n_cells: int, power: float) -> Array:
    """Faces on −1…1, an even number of cells, sgn(ξ)|ξ|^power of equal steps in ξ."""
    xi = np.linspace(-1, 1, n_cells + 1)
    return np.asarray(np.sign(xi) * np.abs(xi) ** power)


def diffusion_diagonal(conductance: Array) -> Array:
    """(n,) diagonal of the diffusion matrix with these (n−1,) conductances."""
    diagonal = np.zeros(len(conductance) + 1)
    diagonal[:-1] += conductance
    diagonal[1:] += conductance
    return diagonal
