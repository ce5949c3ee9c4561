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

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from crtransport.solvers.errors import ConvergenceError
from crtransport.solvers.factors import factor_levels
from crtransport.solvers.kernels import modes
from crtransport.solvers.levels import REACH, Banded
from crtransport.solvers.problem import FieldProblem, FieldSolution, Operator, Term
from crtransport.solvers.sweep_gmres import arnoldi

Array = NDArray[np.float64]

#: off-diagonal part below which a matrix is diagonal
_DIAGONAL = 1e-11
#: relative size of a direction below which rounding is all there is
_LEAST = 1e-15
_ITERATIONS = 80


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


def rational_basis(
    shifted: FieldProblem,
    stiffness: sp.csr_array,
    loads: Sequence[Array],
    seen: Sequence[Array],
    products: Sequence[sp.csr_array],
    size: int,
) -> Array:
    """[place, function] of at most ``size`` functions, orthonormal in the stiffness.

    Parameters
    ----------
    shifted : FieldProblem
        Its levels are the poles, each with its own operator in space.
    stiffness : [place, place] sparse array
        Its symmetric part is the norm.
    loads, seen : sequence of (n_places,) arrays
        Of the sources, and of what is asked for.
    products : sequence of [place, place] sparse arrays
        Matrices by which an answer becomes a load again.
    """
    ways = [(shifted, list(loads)), (_transposed(shifted), list(seen))]
    if all(_symmetric(term.across.matrix) for term in shifted.terms):
        ways = [(shifted, [*loads, *seen])]
    snapshots = []
    for problem, vectors in ways:
        factors = factor_levels(problem)
        for k in range(len(problem.source)):
            for load in vectors:
                first = factors.solve(k, load)
                snapshots += [first, *(factors.solve(k, x @ first) for x in products)]
    raw = np.array(snapshots).T
    norm = (stiffness + stiffness.T) / 2
    raw /= np.sqrt(np.einsum("ij,ij->j", raw, norm @ raw))
    sizes, mixture = np.linalg.eigh(raw.T @ (norm @ raw))
    kept = np.flatnonzero(sizes > _LEAST * sizes[-1])[::-1][:size]
    return np.asarray(raw @ (mixture[:, kept] / np.sqrt(sizes[kept])))


def project(operator: Operator, functions: Array) -> Operator:
    """Of the functions in place of the places; dense."""
    return Operator(
        matrix=functions.T @ (operator.matrix @ functions), total=functions.T @ operator.total
    )


def solve_modes(problem: FieldProblem, rtol: float = 1e-8) -> FieldSolution:
    """Solve a field on few functions, whose matrices in space are dense.

    Raises
    ------
    ConvergenceError
    """
    system = _Modes.of(problem)
    n, m = problem.source.shape
    rows = np.sqrt(np.mean(problem.row_weights())) and problem.row_weights()[:, None]
    first = ((problem.source @ system.turn) * rows).ravel()
    size = float(np.linalg.norm(first))
    basis = np.empty((_ITERATIONS + 1, n * m))
    basis[0] = first / size
    hessenberg = np.zeros((_ITERATIONS + 1, _ITERATIONS))
    for k in range(_ITERATIONS):
        basis[k + 1] = (system.apply(basis[k].reshape(n, m) / rows) * rows).ravel()
        small, remaining = arnoldi(basis, hessenberg, k)
        if remaining <= rtol:
            break
    else:
        raise ConvergenceError(f"residual {remaining:.1e} after {k + 1} iterations on the basis")
    turned = ((small * size) @ basis[: k + 1]).reshape(n, m) / rows
    modes.solve(system.bands, turned)
    values = turned @ system.turn.T
    return FieldSolution(values=values, residual=problem.residual(values), iterations=k + 1)


@dataclass(frozen=True, kw_only=True, eq=False)
class _Modes:
    """A = P + R: the modes by themselves, and what couples them, in turned coordinates.

    Attributes
    ----------
    turn : [function, mode] array
        Orthogonal.
    bands : [level, 2 REACH + 1, mode] array
        P, factored.
    along : [term, 2 REACH + 1, level] array
    across : [mode, term × mode] array
        R = Σ along ⊗ across, transposed side by side.
    """

    turn: Array
    bands: Array
    along: Array
    across: Array

    @classmethod
    def of(cls, problem: FieldProblem) -> _Modes:
        parts = _merged(problem.terms)
        turn = _turn(parts)
        n, m = problem.source.shape
        bands = np.zeros((n, 2 * REACH + 1, m))
        along, across = [], []
        for lines, matrix in parts:
            turned = turn.T @ matrix @ turn
            alone = np.diag(turned)
            bands += lines.T[:, :, None] * alone
            rest = turned - np.diag(alone)
            if np.abs(rest).max() > _DIAGONAL * np.abs(alone).max():
                along.append(lines)
                across.append(rest.T)
        modes.factor(bands)
        width = np.zeros((0, 2 * REACH + 1, n))
        return cls(
            turn=turn,
            bands=bands,
            along=np.array(along) if along else width,
            across=np.concatenate(across, axis=1) if across else np.zeros((m, 0)),
        )

    def apply(self, z: Array) -> Array:
        """(1 + R P⁻¹) z."""
        u, out = z.copy(), z.copy()
        modes.solve(self.bands, u)
        if len(self.along):
            mixed = (u @ self.across).reshape(len(u), len(self.along), -1)
            modes.couple(self.along, mixed, out)
        return out


def _merged(terms: Sequence[Term]) -> list[tuple[Array, Array]]:
    """Bands and matrix of the terms, one pair for each matrix in space."""
    found: dict[int, tuple[Array, Array]] = {}
    for term in terms:
        lines, key = _lines(term), id(term.across.matrix)
        if key in found:
            lines = lines + found[key][0]
        found[key] = lines, np.asarray(term.across.matrix)
    return list(found.values())


def _lines(term: Term) -> Array:
    """[2 REACH + 1, level] diagonals along the axis."""
    if isinstance(term.along, Banded):
        return term.along.bands
    n = len(term.along.total)
    out = np.zeros((2 * REACH + 1, n))
    for d in range(-REACH, REACH + 1):
        diagonal = term.along.matrix.diagonal(d)
        out[REACH + d, max(0, -d) : max(0, -d) + len(diagonal)] = diagonal
    return out


def _turn(parts: Sequence[tuple[Array, Array]]) -> Array:
    """Coordinates in which the strongest coupling is none.

    The strongest is the matrix whose off-diagonal part, times its largest rate over that of all
    at the same level, is the largest.
    """
    rates = np.array([np.abs(lines[REACH]) * np.abs(np.diag(x)).max() for lines, x in parts])
    shares = (rates / np.maximum(rates.sum(axis=0), np.finfo(float).tiny)).max(axis=1)
    off = [np.abs(x - np.diag(np.diag(x))).max() / np.abs(np.diag(x)).max() for _, x in parts]
    strongest = int(np.argmax(shares * off))
    matrix = parts[strongest][1]
    if shares[strongest] * off[strongest] < 0.3:
        return np.eye(len(matrix))
    return np.asarray(np.linalg.eigh((matrix + matrix.T) / 2)[1])


def _transposed(problem: FieldProblem) -> FieldProblem:
    terms = tuple(
        replace(
            term,
            across=Operator(matrix=sp.csr_array(term.across.matrix.T), total=term.across.total),
        )
        for term in problem.terms
    )
    return replace(problem, terms=terms)


def _symmetric(matrix: Any) -> bool:
    return bool(abs(matrix - matrix.T).max() <= 1e-14 * abs(matrix).max())
