"""One sparse LU of the whole field: for small problems, and to judge the iterations by."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg as sla

from crtransport.solvers.errors import ConvergenceError, SingularOperatorError
from crtransport.solvers.problem import FieldProblem, FieldSolution

#: unknowns whose factors, in two dimensions, take minutes and some gigabytes
LIMIT = 300_000
#: a pivot is taken off the diagonal where that is smaller than this part of its column
_THRESHOLD = 0.1
#: residuals of rounding alone (FieldProblem.rounding) that elimination may leave
ROUNDINGS = 100.0


def solve_direct(problem: FieldProblem) -> FieldSolution:
    """Solve a field by sparse LU (Li 2005, ACM TOMS 31, 302) and one step of refinement.

    Raises
    ------
    ConvergenceError
        If there are more than ``LIMIT`` unknowns.
    SingularOperatorError
        If the operator is singular, or so close to it that no digit would be right.
    """
    shape, size = problem.source.shape, problem.source.size
    if size > LIMIT:
        raise ConvergenceError(f"{size} unknowns; a direct solution takes at most {LIMIT}")
    matrix = _assembled(problem)
    largest = abs(matrix).max(axis=1).toarray()
    if not np.all(largest > 0):
        raise SingularOperatorError("the operator is singular: one of its rows is zero")
    rows = sp.diags_array(1 / largest)
    try:
        # of the orderings at hand, minimum degree on Aᵀ + A fills least (half of COLAMD)
        factors = sla.splu(
            sp.csc_array(rows @ matrix),
            permc_spec="MMD_AT_PLUS_A",
            diag_pivot_thresh=_THRESHOLD,
            options={"SymmetricMode": True},
        )
    except RuntimeError as error:
        raise SingularOperatorError(f"the operator is singular: {error}") from error
    load = rows @ problem.source.ravel()
    y = factors.solve(load)
    if not np.max(np.abs(y)) * np.finfo(float).eps < np.max(np.abs(load)):
        raise SingularOperatorError("the operator is singular to rounding")
    y += factors.solve(load - rows @ (matrix @ y))
    values = y.reshape(shape)
    return FieldSolution(values=values, residual=problem.residual(values), iterations=1)


def _assembled(problem: FieldProblem) -> sp.csr_array:
    """Σⱼ Aⱼ ⊗ Xⱼ + the local matrices, over unknowns [level, place]."""
    parts = [sp.kron(term.along.matrix, term.across.matrix, "csr") for term in problem.terms]
    if problem.local:
        parts.append(sp.block_diag(problem.local, "csr"))
    return sp.csr_array(sum(parts[1:], parts[0]))
