"""Galerkin's method on few functions in space: the fast solver.

The operator in space of every level is one of a few matrices' sums, so that the solution at all
levels lies close to the span of (Σⱼ cⱼ Xⱼ)⁻¹ s for a handful of coefficients c (poles) and loads s:
a rational Krylov space, compressed to its leading directions in the norm of the stiffness. With the
loads of what is seen (the dual) beside those of the sources, the error of what is seen is the
product of two.

In these coordinates all Xⱼ are small dense matrices. Each mode by itself is a banded system along
the axis, solved at once; what couples modes is left to GMRES.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.linalg import solve_banded, solve_triangular

from crtransport.solvers.direct import ROUNDINGS
from crtransport.solvers.errors import ConvergenceError, SingularOperatorError
from crtransport.solvers.factors import factor_levels
from crtransport.solvers.kernels import modes
from crtransport.solvers.levels import REACH, Banded
from crtransport.solvers.problem import FieldProblem, FieldSolution, Operator, Term

Array = NDArray[np.float64]

#: off-diagonal part below which a matrix is diagonal
_DIAGONAL = 1e-9
#: squared size of a direction over the largest: what one orthogonalisation tells from rounding, and
#: where rounding of the vectors themselves is all there is
_TOLD, _LEAST = 1e-11, 1e-24
#: least squared length of what should be of length 1
_RIGHT = 0.5
#: coupling of modes, over what they lose by themselves, that is left to the iterations; quantile
#: over the levels of the share by which a matrix is weighed in it
_WEAK, _HIGH = 0.3, 0.75
#: and below which levels are not coupled at all
_WEAKEST = 1e-10
#: iterations after which modes are too strongly coupled for them
_ITERATIONS = 150
#: entries of the largest banded matrix, a GiB, of which a copy is factored
_ENTRIES = 2**27
#: y of one level over that of another below which the residual has to be as much smaller, and the
#: smallest that is asked for
_UNEVEN, _FINEST = 1e-3, 1e-12
#: a residual over the one that was asked for that still counts as reached
_SLACK = 2.0


@dataclass(frozen=True, kw_only=True, eq=False)
class ReducedGrid:
    """The functions of a basis as if they were places.

    Attributes
    ----------
    grid : Any
        The grid of the places.
    functions : [place, function] array
    """

    grid: Any
    functions: Array

    @property
    def n_places(self) -> int:
        """Functions."""
        return int(self.functions.shape[1])

    @property
    def shape(self) -> tuple[int, ...]:
        """One dimension."""
        return (self.n_places,)

    def at(self, point: tuple[float, ...]) -> Array:
        """(n_functions,) weights of ψ at a point."""
        return np.asarray(self.grid.at(point) @ self.functions)

    def at_places(self, values: Array) -> Array:
        """[…, place] of [level, function] values."""
        return np.asarray(values @ self.functions.T)


def rational_basis(
    shifted: Iterable[FieldProblem],
    stiffness: sp.csr_array,
    loads: Sequence[Array],
    seen: Sequence[Array],
    chains: Sequence[Sequence[sp.csr_array]],
    size: int,
) -> Array:
    """[place, function] of at most ``size`` functions, orthonormal in the stiffness.

    Parameters
    ----------
    shifted : iterable of FieldProblem
        Their levels are the poles, each with its own operator in space; those of one problem are
        factored, and held in memory, at the same time.
    stiffness : [place, place] sparse array
        Its symmetric part is the norm.
    loads, seen : sequence of (n_places,) arrays
        Of the sources, and of what is asked for.
    chains : sequence of sequences of [place, place] sparse arrays
        Matrices by which an answer becomes a load again, one after the other; all answers count.
    """
    snapshots = []
    for some in shifted:
        if all(term.across.symmetric for term in some.terms):
            ways = [(some, [*loads, *seen])]
        else:
            ways = [(some, list(loads)), (some.transposed(), list(seen))]
        for problem, vectors in ways:
            factors = factor_levels(problem)
            for load in vectors:
                first = factors.solve(np.tile(load, (len(problem.source), 1)))
                snapshots.append(first)
                for chain in chains:
                    answer = first
                    for matrix in chain:
                        answer = factors.solve((matrix @ answer.T).T)
                        snapshots.append(answer)
    return orthonormal(np.concatenate(snapshots).T, (stiffness + stiffness.T) / 2, size)


def orthonormal(vectors: Array, norm: sp.csr_array, size: int) -> Array:
    """[place, function] the leading directions of vectors, orthonormal to rounding.

    A Gram matrix squares sizes, and tells nothing of a direction below 1e-6 of the largest: the
    leading ones are taken out, and the rest looked at again.

    Parameters
    ----------
    vectors : [place, vector] array
        Each counts by its direction; zero ones by nothing.
    norm : [place, place] sparse array
        Symmetric and positive.
    size : int
        At most so many.
    """
    products = vectors.T @ (norm @ vectors)
    lengths = np.sqrt(np.maximum(np.diag(products), 0.0))
    # what nothing is made of leaves nothing
    some = np.flatnonzero(lengths > 0)
    rest = vectors[:, some] / lengths[some]
    products = products[np.ix_(some, some)] / np.outer(lengths[some], lengths[some])
    found = np.empty((len(vectors), 0))
    while True:
        sizes, mixture = np.linalg.eigh(products)
        kept = np.flatnonzero(sizes > max(_TOLD * sizes[-1], _LEAST))[::-1]
        kept = kept[: size - found.shape[1]]
        if kept.size == 0:
            return found
        new = rest @ (mixture[:, kept] / np.sqrt(sizes[kept]))
        products = new.T @ (norm @ new)
        while new.size:
            sizes, turn = np.linalg.eigh(products)
            if sizes[0] >= _RIGHT:
                break
            # nothing is left of directions that were rounding of the products
            new = new @ turn[:, sizes >= _RIGHT]
            products = new.T @ (norm @ new)
        else:
            return found
        triangle = np.linalg.cholesky(products)
        found = np.hstack([found, solve_triangular(triangle, new.T, lower=True).T])
        if found.shape[1] == size:
            return found
        for _ in range(2):  # once more, so that orthogonality holds to rounding
            rest = rest - found @ (found.T @ (norm @ rest))
        products = rest.T @ (norm @ rest)


def whole_space(stiffness: sp.csr_array) -> Array:
    """[place, function] as many functions as places, orthonormal in the stiffness."""
    sizes, vectors = np.linalg.eigh(((stiffness + stiffness.T) / 2).toarray())
    return np.asarray(vectors / np.sqrt(sizes))


def project(operator: Operator, functions: Array) -> Operator:
    """Of the functions in place of the places; dense."""
    return Operator(
        matrix=functions.T @ (operator.matrix @ functions), total=functions.T @ operator.total
    )


def diagonalised(operator: Operator, functions: Array) -> Array:
    """[place, function] the functions, turned so that a symmetric operator is diagonal on them."""
    return np.asarray(functions @ np.linalg.eigh(project(operator, functions).matrix)[1])


def solve_modes(problem: FieldProblem, rtol: float = 3e-8) -> FieldSolution:
    """Solve a field on few functions, whose matrices in space are dense, to a residual of ``rtol``.

    Raises
    ------
    ConvergenceError
        If neither the iterations over modes nor elimination reach it.
    SingularOperatorError
        If the operator has no inverse.
    """
    n, m = problem.source.shape
    if not problem.source.any():
        return FieldSolution(values=np.zeros((n, m)), residual=0.0, iterations=0)
    along, parts = _merged(problem.terms)
    turn = _turn(along, parts)
    if turn is not None:
        parts = _split(turn.T @ parts.matrices @ turn)
    own, rows = np.empty((n, 2 * REACH + 1, m)), problem.row_weights
    modes.assemble(along, parts.alone, own)
    coupling = (parts.shares @ along.reshape(len(along), -1)).reshape(-1, 2 * REACH + 1, n)
    strength = np.abs(coupling).max(axis=1) * parts.largest[:, None]
    least = np.abs(own[:, REACH]).min(axis=1)
    levels = np.flatnonzero((strength > _WEAKEST * least).any(axis=0))
    others = (
        np.ascontiguousarray(coupling[:, :, : np.max(levels, initial=-1) + 1]),
        parts.stacked,
    )
    load = problem.source if turn is None else problem.source @ turn
    values, factors = np.empty((n, m)), own.copy()
    modes.factor(factors)
    work, finer = np.empty((_ITERATIONS + 1, n * m)), rtol
    iterations, _ = modes.gmres(factors, *others, load, rows, rtol, work, values)
    sizes = np.abs(values).max(axis=1)
    if 0 < sizes.min() < _UNEVEN * sizes.max():
        # a residual of all levels tells little of those where there is little
        finer = max(rtol * sizes.min() / sizes.max() / _UNEVEN, _FINEST)
        iterations, _ = modes.gmres(factors, *others, load, rows, finer, work, values)
    # what the iterations see is right only if elimination without exchanges was
    residual = modes.defect(own, *others, load, rows, values)
    if not residual <= _SLACK * finer:
        values, iterations = _banded(problem, along, parts.matrices, load), iterations + 1
        residual = modes.defect(own, *others, load, rows, values)
        turned = values if turn is None else values @ turn.T
        if not residual <= max(_SLACK * rtol, ROUNDINGS * problem.rounding(turned)):
            raise ConvergenceError(
                f"residual {residual:.1e} by elimination, where {rtol:.0e} is asked for: "
                "the equations are close to singular"
            )
    if turn is not None:
        values = values @ turn.T
    return FieldSolution(values=values, residual=residual, iterations=iterations)


def _banded(problem: FieldProblem, along: Array, matrices: Array, load: Array) -> Array:
    """By elimination with exchanges, for which it does not matter how modes are coupled.

    The unknowns of neighbouring levels lie REACH times the modes apart.
    """
    n, m = load.shape
    reach = REACH * m + m - 1
    if (2 * reach + 1) * n * m > _ENTRIES:
        raise ConvergenceError(f"{m} modes on {n} levels are too many for elimination")
    bands = np.zeros((2 * reach + 1, n * m))
    rows, columns = np.meshgrid(np.arange(m), np.arange(m), indexing="ij")
    weights = problem.row_weights
    for d in range(-REACH, REACH + 1):
        levels = np.arange(max(0, -d), min(n, n - d))
        blocks = np.tensordot(along[:, REACH + d, levels] * weights[levels], matrices, (0, 0))
        for k, block in zip(levels, blocks, strict=True):
            bands[reach + rows - columns - d * m, (k + d) * m + columns] = block
    weighed = (load * weights[:, None]).ravel()
    if not (np.all(np.isfinite(bands)) and np.all(np.isfinite(weighed))):
        raise ConvergenceError("the equations have coefficients beyond the range of numbers")
    try:
        found = solve_banded((reach, reach), bands, weighed, overwrite_ab=True)
    except np.linalg.LinAlgError as error:
        raise SingularOperatorError(f"the operator is singular: {error}") from error
    return np.asarray(found.reshape(n, m))


class _Parts(NamedTuple):
    """Matrices in space, diagonal and other parts; the others are sums of a few, shares @ off."""

    matrices: Array  # [part, mode, mode]
    alone: Array  # [part, mode]
    shares: Array  # [product, part]
    stacked: Array  # [product × mode, mode], transposed
    largest: Array  # [product]


def _split(matrices: Array) -> _Parts:
    alone = np.diagonal(matrices, axis1=1, axis2=2)
    others = (matrices - alone[:, None] * np.eye(matrices.shape[1])).reshape(len(matrices), -1)
    off, shares = np.empty((0, others.shape[1])), np.empty((0, len(matrices)))
    for part, (other, own) in enumerate(zip(others, alone, strict=True)):
        if np.abs(other).max() <= _DIAGONAL * np.abs(own).max():
            continue
        known = np.linalg.lstsq(off.T, other)[0]
        if np.linalg.norm(other - known @ off) > _DIAGONAL * np.linalg.norm(other):
            off, known = np.vstack([off, other]), np.zeros(len(off) + 1)
            known[-1] = 1.0
            shares = np.vstack([shares, np.zeros(len(matrices))])
        shares[:, part] = known
    m = matrices.shape[1]
    stacked = np.ascontiguousarray(off.reshape(-1, m, m).transpose(0, 2, 1)).reshape(-1, m)
    return _Parts(matrices, alone, shares, stacked, np.abs(off).max(axis=1))


@lru_cache(maxsize=16)
def _parts(operators: tuple[Operator, ...]) -> _Parts:
    """The same for all fields in a space."""
    return _split(np.array([np.asarray(operator.matrix) for operator in operators]))


def _merged(terms: Sequence[Term]) -> tuple[Array, _Parts]:
    """[part, 2 REACH + 1, level] diagonals along the axis of each matrix in space, and those."""
    found: dict[Operator, Array] = {}
    for term in terms:
        bands = lines(term.along)
        found[term.across] = bands + found[term.across] if term.across in found else bands
    return np.array(list(found.values())), _parts(tuple(found))


def lines(along: Operator | Banded) -> Array:
    """[2 REACH + 1, level] diagonals along the axis."""
    if isinstance(along, Banded):
        return along.bands
    n = len(along.total)
    out = np.zeros((2 * REACH + 1, n))
    for d in range(-REACH, REACH + 1):
        diagonal = along.matrix.diagonal(d)
        out[REACH + d, max(0, -d) : max(0, -d) + len(diagonal)] = diagonal
    return out


def _turn(along: Array, parts: _Parts) -> Array | None:
    """[function, mode] coordinates in which modes are coupled less; None if all couplings are weak.

    Those in which the matrices are diagonal in the sum, each by its share of the rates at the
    levels where it matters.
    """
    rates = np.abs(along.sum(axis=1))
    shares = rates / np.maximum(rates.sum(axis=0), np.finfo(float).tiny)
    rank = int(_HIGH * shares.shape[1])
    high = np.partition(shares, rank, axis=1)[:, rank]
    whole = (high @ parts.matrices.reshape(len(high), -1)).reshape(parts.matrices.shape[1:])
    own = np.diag(whole)
    off = (whole + whole.T) / 2 - np.diag(own)
    if np.linalg.norm(off / np.sqrt(np.abs(np.outer(own, own)))) < _WEAK:
        return None
    return np.asarray(np.linalg.eigh(off + np.diag(own))[1])
