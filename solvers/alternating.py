"""Alternating directions as a preconditioner: all but the radius at each radius, then the radius.

With A = H + V, V what couples along the first dimension of space and H the rest, which acts at
each place of that dimension by itself, and a shift Σ > 0,

    P⁻¹ = (V + Σ)⁻¹ 2 Σ (H + Σ)⁻¹

(Peaceman & Rachford 1955, J. SIAM 3, 28). Where H, V and Σ have the same vectors, with values h, v
and σ, those of P⁻¹ A are 1 − (h − σ)(v − σ)/[(h + σ)(v + σ)], between 0 and 2 however different the
two parts are. Fast losses in a thin layer and strong spreading along the axis over a slow bulk
bring sweeps over the levels to a halt; both are within H, which is eliminated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg as sla
from numpy.typing import NDArray

from crtransport.solvers.errors import SingularOperatorError
from crtransport.solvers.factors import Factors, factor_sums
from crtransport.solvers.levels import Banded
from crtransport.solvers.problem import FieldProblem, Operator, Term

Array = NDArray[np.float64]

#: shift over the geometric mean of the fastest and the slowest rate of V: of 1, 3, 10 and 100 the
#: one with fewest products over four stiff cylinders, 30 to 45 to a residual of 1e-10
_SHIFT = 10.0
#: most numbers in the factors, 12 bytes each; they fill about so many per unknown and place of the
#: second dimension
_KEPT, _FILL = 5e8, 6.0
#: how far below the largest a diagonal may be a pivot still: rows of one level are alike
_PIVOT = 0.1


@dataclass(frozen=True, kw_only=True, eq=False)
class Alternating:
    """P⁻¹ of one problem.

    Attributes
    ----------
    planes : list of SuperLU
        Factors of H + Σ, one for each place of the first dimension.
    factors : Factors
        Of V + Σ, level by level.
    shift : [level, place] array
        Σ.
    """

    planes: list[Any]
    factors: Factors
    shift: Array

    @classmethod
    def of(cls, problem: FieldProblem) -> Alternating | None:
        """None where the operator is no such sum, or the factors of H are too large to be kept.

        Raises
        ------
        SingularOperatorError
            If one of the two parts is singular even with the shift.
        """
        if len(problem.shape) != 2 or problem.local:
            return None
        radii, heights = problem.shape
        if problem.source.size * heights * _FILL > _KEPT:
            return None
        radial = [term for term in problem.terms if _couples(term, heights)]
        rest = [term for term in problem.terms if term not in radial]
        if not radial or not all(_is_diagonal(term.along) for term in radial):
            return None
        n = len(problem.source)
        parts = [(term.across, term.along.diagonal()) for term in radial]
        shift = _shift(problem, parts)
        shifts = (Operator.diag(row) for row in shift)
        return cls(
            planes=[_plane(problem, rest, shift, i) for i in range(radii)],
            factors=factor_sums([*parts, *zip(shifts, np.eye(n), strict=True)], n),
            shift=shift,
        )

    def solve(self, load: Array) -> Array:
        """[level, place] P⁻¹ load."""
        n, radii = len(load), len(self.planes)
        loads = load.reshape(n, radii, -1)
        parts = [plane.solve(loads[:, i].ravel()) for i, plane in enumerate(self.planes)]
        apart = np.stack(parts).reshape(radii, n, -1).transpose(1, 0, 2).reshape(load.shape)
        return self.factors.solve(2 * self.shift * apart)


def _couples(term: Term, heights: int) -> bool:
    """Whether a term couples places of the first dimension, those of the second running fastest."""
    across = sp.coo_array(term.across.matrix)
    return bool(np.any(across.row // heights != across.col // heights))


def _is_diagonal(operator: Operator | Banded) -> bool:
    return not (operator.matrix - sp.diags_array(operator.diagonal())).count_nonzero()


def _shift(problem: FieldProblem, parts: Sequence[tuple[Operator, Array]]) -> Array:
    """[level, place] the shift, of one rate at all places along the first dimension."""
    shape = (len(problem.source), *problem.shape)
    mass = problem.mass.reshape(problem.shape)
    # places on an edge where ψ = 0 have no volume
    filled = np.where(mass > 0, mass, mass[mass > 0].min())
    sizes = [np.outer(rate, across.diagonal()) for across, rate in parts]
    size = np.sum(sizes, axis=0).reshape(shape)
    fastest = np.max(np.where(mass > 0, size / filled, 0.0), axis=1)
    # of a uniform source
    load = np.broadcast_to(problem.mass, (shape[0], problem.mass.size))
    density = factor_sums(parts, shape[0]).solve(load).reshape(shape)
    slowest = mass.sum(axis=0) / np.sum(density * mass, axis=1)
    if not np.all(slowest > 0):
        raise SingularOperatorError("nothing leaves along the first dimension by itself")
    rate = _SHIFT * np.sqrt(fastest * slowest)
    return (rate[:, None] * filled).reshape(shape[0], -1)


def _plane(problem: FieldProblem, terms: Sequence[Term], shift: Array, radius: int) -> Any:
    """Factors of Σⱼ Aⱼ ⊗ Xⱼ + Σ at one place of the first dimension."""
    heights = problem.shape[1]
    here = slice(radius * heights, (radius + 1) * heights)
    matrix = sp.csc_array(sp.diags_array(shift[:, here].ravel()))
    for term in terms:
        across = sp.csr_array(term.across.matrix)[here, here]
        matrix += sp.kron(sp.csr_array(term.along.matrix), across, "csc")
    try:
        return sla.splu(matrix, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=_PIVOT)
    except RuntimeError as error:
        raise SingularOperatorError(f"all but the radius is singular: {error}") from error
