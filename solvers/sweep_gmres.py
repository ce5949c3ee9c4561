"""GMRES preconditioned by sweeps down and up the levels: the full-order solver.

At each level the operator in space is factored; sweeping down the levels solves exactly what
drifts down, sweeping up what rises, and GMRES (Saad & Schultz 1986) iterates on what is left,
mostly the spreading along the axis. With A = D + L + U by levels, the system that it sees is

    (D/ω)(D/ω + L)⁻¹ A (D/ω + U)⁻¹ v = (D/ω)(D/ω + L)⁻¹ q,      y = (D/ω + U)⁻¹ v

whose product needs no more than the two sweeps (Eisenstat 1981, SIAM J. Sci. Stat. Comput. 2, 1).
Where that comes to a halt, the directions alternate (`alternating`), or small problems are
eliminated.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from crtransport.solvers.alternating import Alternating
from crtransport.solvers.direct import ROUNDINGS, solve_direct
from crtransport.solvers.errors import ConvergenceError
from crtransport.solvers.factors import Factors, factor_levels
from crtransport.solvers.kernels.sparse_levels import Couplings, sweep_down, sweep_up
from crtransport.solvers.problem import FieldProblem, FieldSolution

Array = NDArray[np.float64]

#: over-relaxation stays below 2/(1 + √(1 − this²)) = 1.61
_STRONGEST = 0.97
#: the spectral radius lies above the mean over one solution; fewest iterations where spreading is
#: strong, and none more elsewhere
_ABOVE_MEAN = 1.35
#: unknowns up to which elimination takes over: seconds, and a gigabyte
_ELIMINATED = 60_000
#: products before GMRES starts anew, and the most that a start may leave of the residual
_RESTART, _SLOWEST = 60, 0.7
#: products before alternating directions start anew, and most numbers in the vectors that are kept
#: for that, 1.6 GB
_LONG, _KEPT = 100, 2e8

#: load, tolerance, limit -> an approximate A⁻¹ load, and how many products it took
_Method = Callable[[Array, float, int], tuple[Array, int]]


def solve_sweep(
    problem: FieldProblem, rtol: float = 1e-10, max_iterations: int = 1000
) -> FieldSolution:
    """Solve a field to a residual (FieldProblem.residual) of ``rtol``.

    Where the sweeps do not get there, by elimination if that is within reach, or else by
    alternating directions.

    Raises
    ------
    ConvergenceError
        If the iterations do not suffice, and there are too many unknowns for elimination.
    SingularOperatorError
        If the operator in space at some level is singular.
    """
    found = _iterated(problem, _Sweeps.of(problem).gmres, None, rtol, max_iterations)
    if found.residual <= rtol:
        return found
    if problem.source.size <= _ELIMINATED:
        return _eliminated(problem, rtol, found.iterations)
    if (directions := Alternating.of(problem)) is not None:
        alternating = partial(_alternating, problem, directions)
        # what sweeps that diverge leave is no start
        start = found if found.residual < 1 else None
        found = _iterated(problem, alternating, start, rtol, max_iterations)
    if not found.residual <= rtol:
        raise ConvergenceError(
            f"residual {found.residual:.1e} after {found.iterations} iterations; asked for "
            f"{rtol:.0e}"
        )
    return found


def _iterated(
    problem: FieldProblem, method: _Method, start: FieldSolution | None, rtol: float, limit: int
) -> FieldSolution:
    """As far as a method gets: to ``rtol``, until it is slow, or ``limit`` products."""
    found = start or FieldSolution(values=np.zeros_like(problem.source), residual=1.0, iterations=0)
    left, before = limit, np.inf
    while rtol < found.residual <= _SLOWEST * before and left > 0:
        # what GMRES sees may be the residual after half a sweep: usually close to itself
        load = problem.source - problem.apply(found.values)
        correction, used = method(load, 0.5 * rtol / found.residual, left)
        values, left, before = found.values + correction, left - used, found.residual
        found = FieldSolution(
            values=values,
            residual=problem.residual(values),
            iterations=found.iterations + used,
        )
    return found


def _eliminated(problem: FieldProblem, rtol: float, iterations: int) -> FieldSolution:
    """What the iterations do not reach."""
    found = solve_direct(problem)
    if not found.residual <= max(rtol, ROUNDINGS * problem.rounding(found.values)):
        raise ConvergenceError(
            f"residual {found.residual:.1e} by elimination; asked for {rtol:.0e}: the equations "
            "are close to singular"
        )
    return replace(found, iterations=iterations + 1)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Sweeps:
    """The sweeps of one problem, its places reordered by ``factors.order``."""

    factors: Factors
    couplings: Couplings
    relax: Array
    weights: Array

    @classmethod
    def of(cls, problem: FieldProblem) -> _Sweeps:
        factors = factor_levels(problem)
        return cls(
            factors=factors,
            couplings=_couplings(problem, factors.order),
            relax=_relaxation(problem, factors),
            weights=problem.row_weights[:, None],
        )

    def down(self, v: Array) -> tuple[Array, Array]:
        t, d = np.empty_like(v), np.empty_like(v)
        f = self.factors
        sweep_down(f.pattern, self.couplings, f.low, f.up, f.inverse, self.relax, v, t, d)
        return t, d

    def up(self, v: Array, d: Array, t: Array) -> Array:
        e, s = np.empty_like(v), np.empty_like(v)
        f = self.factors
        sweep_up(f.pattern, self.couplings, f.low, f.up, f.inverse, self.relax, v, d, t, e, s)
        return s

    def gmres(self, load: Array, rtol: float, limit: int) -> tuple[Array, int]:
        """An approximate A⁻¹ load, and how many products it took."""
        order, weights = self.factors.order, self.weights
        zero = np.zeros(load.shape)

        def product(v: Array) -> Array:
            v = v / weights
            t, d = self.down(v)
            return self.up(v, d, t) * weights

        first = self.up(load[:, order], zero, zero) * weights
        v, used = _gmres(product, first, rtol, min(limit, _RESTART))
        y = np.empty(load.shape)
        y[:, order] = self.down(v / weights)[0]
        return y, used


def _alternating(
    problem: FieldProblem, directions: Alternating, load: Array, rtol: float, limit: int
) -> tuple[Array, int]:
    """An approximate A⁻¹ load, and how many products it took."""
    weights = problem.row_weights[:, None]

    def product(v: Array) -> Array:
        return problem.apply(directions.solve(v / weights)) * weights

    longest = min(limit, _LONG, max(1, int(_KEPT / load.size)))
    v, used = _gmres(product, load * weights, rtol, longest)
    return directions.solve(v / weights), used


def _gmres(
    product: Callable[[Array], Array], load: Array, rtol: float, limit: int
) -> tuple[Array, int]:
    """v with |load − product(v)| ≤ rtol |load|, or after ``limit`` products, and their number."""
    size = np.linalg.norm(load)
    basis = np.empty((limit + 1, load.size))
    basis[0] = load.ravel() / size
    hessenberg = np.zeros((limit + 1, limit))
    for k in range(limit):
        basis[k + 1] = product(basis[k].reshape(load.shape)).ravel()
        small, remaining = _arnoldi(basis, hessenberg, k)
        if remaining <= rtol:
            break
    return ((small * size) @ basis[: k + 1]).reshape(load.shape), k + 1


def _arnoldi(basis: Array, hessenberg: Array, k: int) -> tuple[Array, float]:
    """Orthogonalise basis[k + 1]; the least-squares coefficients, and what is left of the load."""
    new = basis[k + 1]
    for _ in range(2):  # once more, so that orthogonality holds to rounding
        overlap = basis[: k + 1] @ new
        new -= overlap @ basis[: k + 1]
        hessenberg[: k + 1, k] += overlap
    hessenberg[k + 1, k] = np.linalg.norm(new)
    if hessenberg[k + 1, k] > 0:
        new /= hessenberg[k + 1, k]
    part = hessenberg[: k + 2, : k + 1]
    orthogonal, triangle = np.linalg.qr(part)
    small = np.linalg.solve(triangle, orthogonal[0])
    rest = part @ small
    rest[0] -= 1.0
    return small, float(np.linalg.norm(rest))


def _couplings(problem: FieldProblem, order: Array) -> Couplings:
    """What levels have from each other, term by term, places in the given order."""
    n, m = problem.source.shape
    starts, levels, values, x_starts, x_columns, x_values = [], [], [], [], [], []
    a, b = 0, 0
    for term in problem.terms:
        along = sp.csr_array(term.along.matrix - sp.diags_array(term.along.matrix.diagonal()))
        along.eliminate_zeros()
        if along.nnz:
            across = sp.csr_array(sp.csr_array(term.across.matrix)[order][:, order])
            starts.append(a + along.indptr)
            levels.append(along.indices)
            values.append(along.data)
            x_starts.append(b + across.indptr)
            x_columns.append(across.indices)
            x_values.append(across.data)
            a, b = a + along.nnz, b + across.nnz
    if not starts:
        return Couplings(
            np.zeros((0, n + 1), np.int32),
            np.zeros(0, np.int32),
            np.zeros(0),
            np.zeros((0, m + 1), np.int32),
            np.zeros(0, np.uint32),
            np.zeros(0),
        )
    return Couplings(
        np.stack(starts).astype(np.int32),
        np.concatenate(levels).astype(np.int32),
        np.concatenate(values),
        np.stack(x_starts).astype(np.int32),
        np.concatenate(x_columns).astype(np.uint32),
        np.concatenate(x_values),
    )


def _relaxation(problem: FieldProblem, factors: Factors) -> Array:
    """(n_levels,) ω = 2/(1 + √(1 − κ²)), κ the share of the diagonal that couples both ways.

    A drift couples one way, and one sweep solves it; for spreading alone this is the optimum of
    successive over-relaxation (Young 1971), κ being the spectral radius of Jacobi's iteration.
    """
    n = len(problem.source)
    y = factors.solve(problem.source)
    whole = np.sum(y * problem.source, axis=1)
    both = np.zeros(n)
    for term in problem.terms:
        size = abs(term.along.matrix)
        up = np.asarray(sp.triu(size, 1).sum(axis=1)).ravel()
        down = np.asarray(sp.tril(size, -1).sum(axis=1)).ravel()
        if up.any() and down.any():
            both += 2 * np.minimum(up, down) * np.sum(y * (term.across.matrix @ y.T).T, axis=1)
    share = np.divide(both, whole, out=np.zeros(n), where=whole > 0)
    radius = np.clip(_ABOVE_MEAN * share, 0, _STRONGEST)
    return np.asarray(2 / (1 + np.sqrt(1 - radius**2)))
