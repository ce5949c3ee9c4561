"""Second-order finite volumes on an interval: the independent discretisation."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

Array = NDArray[np.float64]

#: two-point Gauss rule on 0…1
_GAUSS = (0.5 - 0.5 / np.sqrt(3), 0.5 + 0.5 / np.sqrt(3))


@dataclass(frozen=True, kw_only=True, eq=False)
class Cells:
    """Cell averages between ``faces``; no flux through the two ends.

        | cell 0 | cell 1 | …  | cell n−1 |
        0        1        2   n−1         n      faces

    Coefficients of reactions enter at ``points`` (cell middles), those of diffusion as a smooth
    factor at ``inner`` and a rough one at ``between``. A mass matrix is given by its (n,)
    diagonal, a diffusion matrix by the (n−1,) conductances between neighbours.
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
    def between(self) -> Array:
        """[inner face, 4] points from one cell middle to the next, two on either side."""
        left, face, right = self.points[:-1], self.faces[1:-1], self.points[1:]
        nodes = [a + (b - a) * t for a, b in ((left, face), (face, right)) for t in _GAUSS]
        return np.stack(nodes, axis=1)

    @cached_property
    def weights(self) -> Array:
        """(n,) cell lengths."""
        return np.diff(self.faces)

    def mass(self, weight: Array) -> Array:
        """(n,) diagonal of ∫ weight φᵢ φⱼ dx, with ``weight`` given at ``points``."""
        return self.weights * weight

    def conductance(self, smooth: Array, rough: Array) -> Array:
        """(n−1,) flux per difference of neighbours: smooth/∫dx/rough from middle to middle.

        ``smooth`` [at ``inner``] may fall to zero at the ends, where f stays regular; ``rough``
        [at ``between``] may jump at a face, or have an integrable power there, without loss of
        order.
        """
        left, face, right = self.points[:-1], self.inner, self.points[1:]
        near, far = (face - left)[:, None] / 2, (right - face)[:, None] / 2
        resistance = np.sum(near / rough[:, :2] + far / rough[:, 2:], axis=1)
        return np.asarray(smooth / resistance)

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


def diffusion_matrix(conductance: Array, loss: Array) -> sp.csr_array:
    """[cell, cell] diffusion with these (n−1,) conductances and loss with this (n,) diagonal."""
    diagonal = diffusion_diagonal(conductance) + loss
    return sp.csr_array(sp.diags_array([-conductance, diagonal, -conductance], offsets=[-1, 0, 1]))
