"""Sparse LDU of the level matrices Σⱼ Aⱼ[k, k] Xⱼ + Bₖ: one pattern, factored many abreast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg as sla
from numpy.typing import NDArray

from crtransport.solvers.errors import SingularOperatorError
from crtransport.solvers.kernels.sparse_levels import Pattern, add, factor, solve_abreast
from crtransport.solvers.problem import FieldProblem, Operator

Array = NDArray[np.float64]
_Where = tuple[bytes, ...]  # row starts and columns of compressed rows

#: matrices factored abreast: one cache line of doubles
ABREAST = 8


@dataclass(frozen=True, eq=False)
class Factors:
    """A_k = L_k D_k U_k with the places in the order ``order``.

    Attributes
    ----------
    order : (n_places,) array of int
        Place at each position: a fill-reducing ordering.
    pattern : Pattern
    abreast : [block, slot, level of the block] array
        L, then U if it is not Lᵀ, then 1/D; levels beyond the last repeat it.
    n : int
        Levels.
    """

    order: Any
    pattern: Pattern
    abreast: Array
    n: int

    @cached_property
    def low(self) -> Array:
        """[level, entry] of L."""
        return self._by_level(slice(len(self.pattern.row)))

    @cached_property
    def up(self) -> Array:
        """[level, entry] of U, the same array where the matrices are symmetric."""
        n = len(self.pattern.row)
        same = self.abreast.shape[1] == n + len(self.order)
        return self.low if same else self._by_level(slice(n, 2 * n))

    @cached_property
    def inverse(self) -> Array:
        """[level, place] 1/D."""
        return self._by_level(slice(-len(self.order), None))

    def _by_level(self, slots: slice) -> Array:
        return _turned(self.abreast[:, slots])[: self.n]

    def solve(self, loads: Array) -> Array:
        """[level, place] A_k⁻¹ loads[k], places as given."""
        n_blocks, _, width = self.abreast.shape
        x = np.zeros((n_blocks * width, len(self.order)))
        x[: self.n] = loads[:, self.order]
        blocks = np.ascontiguousarray(x.reshape(n_blocks, width, -1).transpose(0, 2, 1))
        for factors, block in zip(self.abreast, blocks, strict=True):
            solve_abreast(self.pattern, factors, block)
        out = np.empty((self.n, len(self.order)))
        out[:, self.order] = _turned(blocks)[: self.n]
        return out


def _turned(blocks: Array) -> Array:
    """[level, slot], contiguous, of [block, slot, level of the block]."""
    n, slots, width = blocks.shape
    return np.ascontiguousarray(blocks.transpose(0, 2, 1)).reshape(n * width, slots)


def factor_levels(problem: FieldProblem) -> Factors:
    """Factor the diagonal block of every level.

    Raises
    ------
    SingularOperatorError
        If a pivot vanishes or is no number.
    """
    rates = [(term.across, term.along.diagonal()) for term in problem.terms]
    parts = [(across, rate) for across, rate in rates if rate.any()]
    # one further matrix for each level
    n = len(problem.source)
    local = zip(map(Operator.of, problem.local), np.eye(n), strict=False)
    return factor_sums([*parts, *local], n)


def factor_sums(parts: Sequence[tuple[Operator, Array]], n: int) -> Factors:
    """Factor Σⱼ rateⱼ[k] Xⱼ for k = 0 … n − 1, of pairs (Xⱼ, rateⱼ).

    Raises
    ------
    SingularOperatorError
        If a pivot vanishes or is no number.
    """
    if not parts:
        raise SingularOperatorError("the operator is zero at all levels")
    symmetric = all(operator.symmetric for operator, _ in parts)
    matrices = [sp.csr_array(operator.matrix) for operator, _ in parts]
    m = matrices[0].shape[0]
    where = [_where(matrix) for matrix in matrices]
    all_where = tuple(dict.fromkeys(where))
    order, pattern = _analysed(all_where, m)
    n_blocks = -(-n // ABREAST)
    # levels beyond the last repeat it
    level = np.minimum(np.arange(n_blocks * ABREAST), n - 1)
    values = np.zeros((n_blocks, (1 if symmetric else 2) * len(pattern.row) + m, ABREAST))
    for matrix, (_, rate), own in zip(matrices, parts, where, strict=True):
        used, slots = _slots(all_where, m, own, symmetric)
        add(values, slots, matrix.data[used], rate[level].reshape(n_blocks, ABREAST))
    n_low, work = len(pattern.row), np.zeros((2, m, ABREAST))
    with np.errstate(divide="ignore"):
        for block in values:
            upper = block[:n_low] if symmetric else block[n_low:-m]
            factor(pattern, symmetric, block[:n_low], upper, block[-m:], work[0], work[1])
            block[-m:] = 1 / block[-m:]
    if not np.all(np.isfinite(values)):
        raise SingularOperatorError("the operator at a level is singular")
    return Factors(order, pattern, values, n)


def solve_sum(operators: Sequence[Operator], load: Array) -> Array:
    """(n_places,) (Σⱼ Xⱼ)⁻¹ load, of sparse or of dense matrices Xⱼ.

    Raises
    ------
    SingularOperatorError
        If a pivot of sparse ones vanishes or is no number.
    """
    if sp.issparse(operators[0].matrix):
        parts = [(operator, np.ones(1)) for operator in operators]
        return factor_sums(parts, 1).solve(load[None])[0]
    return np.linalg.solve(sum(operator.matrix for operator in operators), load)


def _where(matrix: sp.csr_array) -> _Where:
    """Where a matrix has entries."""
    return tuple(part.astype(np.int32).tobytes() for part in (matrix.indptr, matrix.indices))


def _pairs(where: _Where) -> tuple[Any, Any]:
    """(n_entries,) rows and columns."""
    starts, columns = (np.frombuffer(part, dtype=np.int32).astype(np.int64) for part in where)
    return np.repeat(np.arange(len(starts) - 1), np.diff(starts)), columns


@lru_cache(maxsize=32)
def _slots(all_where: tuple[_Where, ...], m: int, own: _Where, symmetric: bool) -> tuple[Any, Any]:
    """Which entries of a matrix are used, and where each stands: in L, in U, or on the diagonal.

    All, or those on and below the diagonal; L first, then U if it is not Lᵀ, then the diagonal.
    """
    order, pattern = _analysed(all_where, m)
    position = np.argsort(order)
    i, j = (position[part] for part in _pairs(own))
    used = np.flatnonzero(i >= j) if symmetric else np.arange(len(i))
    i, j = i[used], j[used]
    column = np.repeat(np.arange(m), np.diff(pattern.start))
    keys, n_low = column * m + pattern.row.astype(np.int64), len(pattern.row)
    found = np.searchsorted(keys, np.minimum(i, j) * m + np.maximum(i, j))
    below = np.where(i > j, found, n_low + found)
    return used, np.where(i == j, (1 if symmetric else 2) * n_low + i, below)


@lru_cache(maxsize=16)
def _analysed(all_where: tuple[_Where, ...], m: int) -> tuple[Any, Pattern]:
    """A fill-reducing order of the places, and the pattern of L in it.

    It depends on nothing but where entries stand, and takes longer than the factors.
    """
    rows, columns = (np.concatenate(part) for part in zip(*map(_pairs, all_where), strict=True))
    keys = np.unique(
        np.concatenate([rows * m + columns, columns * m + rows, np.arange(m) * (m + 1)])
    )
    row, column = keys // m, keys % m
    # a dominant diagonal: nothing is exchanged
    entries = np.where(row == column, float(m + 1), 1.0)
    union = sp.csc_array((entries, (row, column)), shape=(m, m))
    options = {"SymmetricMode": True}
    rough = sla.splu(union, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options=options)
    order = np.argsort(rough.perm_c)
    ordered = sp.csc_array(sp.tril(union[order][:, order], -1))
    ordered.sort_indices()
    filled = _fill(np.split(ordered.indices, ordered.indptr[1:-1]))
    lower = sp.csc_array(
        (
            np.arange(sum(map(len, filled))),
            np.concatenate(filled),
            np.cumsum([0, *map(len, filled)]),
        ),
        shape=union.shape,
    )
    across = sp.csr_array(lower)
    return order, Pattern(
        _nodes(filled),
        lower.indptr.astype(np.int32),
        lower.indices.astype(np.uint32),
        across.indptr.astype(np.int32),
        across.indices.astype(np.uint32),
        across.data.astype(np.int32),
    )


def _fill(columns: list[Any]) -> list[Any]:
    """Row indices of each column of L: its own, and those of the columns that it follows.

    The first entry below the diagonal is the parent, which takes over all others (elimination
    tree: Davis 2006, Direct Methods for Sparse Linear Systems, Sec. 4.1).
    """
    inherited: list[list[Any]] = [[] for _ in columns]
    filled = []
    for own, children in zip(columns, inherited, strict=True):
        rows = np.unique(np.concatenate([own, *children])) if children else own
        filled.append(rows)
        if len(rows) > 1:
            inherited[rows[0]].append(rows[1:])
    return filled


def _nodes(columns: list[Any]) -> Any:
    """First column of each supernode: where a column is not the rest of the one before."""
    starts = [
        j
        for j in range(1, len(columns))
        if len(columns[j - 1]) != len(columns[j]) + 1
        or columns[j - 1][0] != j
        or not np.array_equal(columns[j - 1][1:], columns[j])
    ]
    return np.array([0, *starts, len(columns)], dtype=np.int32)
