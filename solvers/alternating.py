"""Alternating directions as a preconditioner: all of an axis at each place, then all of space.

With A = H + V, V in space at each level and H along the axis at each place, and a shift Σ > 0,

    P⁻¹ = (V + Σ)⁻¹ 2 Σ (H + Σ)⁻¹

(Peaceman & Rachford 1955, J. SIAM 3, 28). Where H, V and Σ have the same vectors, with values h, v
and σ, those of P⁻¹ A are 1 − (h − σ)(v − σ)/[(h + σ)(v + σ)], between 0 and 2 however different the
two parts are. Sweeps over the levels come to a halt where losses are fast in a thin disk and slow
above it.
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

#: shift over the geometric mean of the fastest and the slowest rate; of 1, 3, 10 and 100 this left
#: the smallest residual, where sweeps had stopped at 0.9 (losses of a thin layer, 214 levels)
_SHIFT = 10.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Alternating:
    """P⁻¹ of one problem.

    Attributes
    ----------
    lines : SuperLU
        Factors of H + Σ, levels running fastest.
    factors : Factors
        Of V + Σ, level by level.
    shift : [level, place] array
        Σ.
    """

    lines: Any
    factors: Factors
    shift: Array

    @classmethod
    def of(cls, problem: FieldProblem) -> Alternating | None:
        """None where the operator is no such sum: one of its terms couples both directions.

        Raises
        ------
        SingularOperatorError
            If one of the two parts is singular even with the shift.
        """
        space = [term for term in problem.terms if not _is_diagonal(term.across)]
        rest = [term for term in problem.terms if _is_diagonal(term.across)]
        if not space or not rest or not all(_is_diagonal(term.along) for term in space):
            return None
        n = len(problem.source)
        # places on an edge where ψ = 0 have no volume
        mass = np.where(problem.mass > 0, problem.mass, problem.mass[problem.mass > 0].min())
        parts = [(term.across, term.along.diagonal()) for term in space]
        # of the levels' own matrices each is at one level
        parts += zip(map(Operator.of, problem.local), np.eye(n), strict=False)
        shift = mass * _shift(rest, factor_sums(parts, n), mass)
        shifts = (Operator.diag(row) for row in shift)
        return cls(
            lines=_lines(rest, shift),
            factors=factor_sums([*parts, *zip(shifts, np.eye(n), strict=True)], n),
            shift=shift,
        )

    def solve(self, load: Array) -> Array:
        """[level, place] P⁻¹ load."""
        n, m = load.shape
        along = self.lines.solve(np.ascontiguousarray(load.T).ravel()).reshape(m, n).T
        return self.factors.solve(2 * self.shift * along)


def _is_diagonal(operator: Operator | Banded) -> bool:
    return not (operator.matrix - sp.diags_array(operator.diagonal())).count_nonzero()


def _shift(rest: Sequence[Term], escape: Factors, mass: Array) -> Array:
    """[level, place] rates: the geometric mean of what happens at a place and of the escape."""
    size = sum(np.abs(np.outer(t.along.diagonal(), t.across.diagonal())) for t in rest) / mass
    # of a uniform source
    time = escape.solve(np.broadcast_to(mass, size.shape)) @ mass / mass.sum()
    if not np.all(time > 0):
        raise SingularOperatorError("nothing leaves space by itself")
    slow = 1 / time[:, None]
    return np.asarray(_SHIFT * np.sqrt(slow * np.maximum(size, slow)))


def _lines(rest: Sequence[Term], shift: Array) -> Any:
    """Factors of Σⱼ Aⱼ ⊗ Xⱼ + Σ, Xⱼ diagonal: a banded matrix at each place."""
    parts = [
        sp.kron(sp.diags_array(t.across.diagonal()), sp.csr_array(t.along.matrix), "csr")
        for t in rest
    ]
    matrix = sum(parts, sp.csr_array(sp.diags_array(shift.T.ravel())))
    try:
        return sla.splu(sp.csc_array(matrix), permc_spec="NATURAL")
    except RuntimeError as error:
        raise SingularOperatorError(f"the operator along the axis is singular: {error}") from error
