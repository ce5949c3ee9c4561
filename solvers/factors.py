"""Sparse LDU of the level matrices Σⱼ Aⱼ[k, k] Xⱼ + Bₖ: one pattern, factored many abreast."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import scipy.sparse as sp
import scipy.sparse.linalg as sla
from numpy.typing import NDArray

from crtransport.solvers.errors import SingularOperatorError
from crtransport.solvers.kernels.sparse_levels import Pattern, factor, solve
from crtransport.solvers.problem import FieldProblem

Array = NDArray[np.float64]

#: matrices factored abreast: one cache line of doubles
_ABREAST = 8


@dataclass(frozen=True, eq=False)
class Factors:
    """A_k = L_k D_k U_k with the places in the order ``order``.

    Attributes
    ----------
    order : (n_places,) array of int
        Place at each position: a fill-reducing ordering.
    pattern : Pattern
    low, up : [level, entry] arrays
        The same array where the matrices are symmetric.
    inverse : [level, place] array
        1/D.
    """

    order: Any
    pattern: Pattern
    low: Array
    up: Array
    inverse: Array

    def solve(self, k: int, load: Array) -> Array:
        """A_k⁻¹ load, both in the given order of places."""
        x = load[self.order]
        solve(self.pattern, self.low[k], self.up[k], self.inverse[k], x, np.empty_like(x))
        out = np.empty_like(x)
        out[self.order] = x
        return out


def factor_levels(problem: FieldProblem) -> Factors:
    """Factor the diagonal block of every level.

    Raises
    ------
    SingularOperatorError
        If a pivot vanishes or is no number.
    """
    n, m = problem.source.shape
    rates = [term.along.matrix.diagonal() for term in problem.terms]
    # a stored zero would have no slot
    parts = [
        (_nonzero(term.across.matrix), rate)
        for term, rate in zip(problem.terms, rates, strict=True)
        if rate.any()
    ]
    order, pattern = _analyse(_union([matrix for matrix, _ in parts], problem.local, m))
    symmetric = all(map(_symmetric, [*(matrix for matrix, _ in parts), *problem.local]))
    slots = _Slots(order, pattern, symmetric)
    n_blocks = -(-n // _ABREAST)
    # levels beyond the last repeat it
    level = np.minimum(np.arange(n_blocks * _ABREAST), n - 1)
    values = np.zeros((n_blocks, slots.n, _ABREAST))
    for matrix, rate in parts:
        # no two entries of one matrix share a slot
        where, entries = slots.of(matrix)
        values[:, where] += entries[:, None] * rate[level].reshape(n_blocks, 1, _ABREAST)
    for block, k in enumerate(level if problem.local else ()):
        where, entries = slots.of(_nonzero(problem.local[k]))
        values[block // _ABREAST, where, block % _ABREAST] += entries
    return Factors(order, pattern, *_factored(pattern, values, m, n, symmetric))


def _symmetric(matrix: Any) -> bool:
    """To rounding."""
    return bool(abs(matrix - matrix.T).max() <= 1e-14 * abs(matrix).max())


def _factored(
    pattern: Pattern, values: Array, m: int, n: int, symmetric: bool
) -> tuple[Array, Array, Array]:
    """low, up, inverse of Factors from [block, slot, level of the block] values."""
    n_low, padded = len(pattern.row), values.shape[0] * _ABREAST
    work = np.zeros((2, m, _ABREAST))
    low, inverse = np.empty((padded, n_low)), np.empty((padded, m))
    up = low if symmetric else np.empty((padded, n_low))
    for i, block in enumerate(values):
        some = slice(i * _ABREAST, (i + 1) * _ABREAST)
        upper = block[:n_low] if symmetric else block[n_low:-m]
        factor(pattern, symmetric, block[:n_low], upper, block[-m:], work[0], work[1])
        low[some] = block[:n_low].T
        if not symmetric:
            up[some] = upper.T
        with np.errstate(divide="ignore"):
            inverse[some] = 1 / block[-m:].T
    if not np.all(np.isfinite(inverse)) or not np.all(np.isfinite(low)):
        raise SingularOperatorError("the operator at a level is singular")
    return low[:n], up[:n], inverse[:n]


class _Slots:
    """Where an entry of a matrix stands: in L, in U (nowhere if symmetric), or on the diagonal."""

    def __init__(self, order: Any, pattern: Pattern, symmetric: bool) -> None:
        self.m, self.n_low, self.symmetric = len(order), len(pattern.row), symmetric
        self.position = np.empty(self.m, dtype=np.int64)
        self.position[order] = np.arange(self.m)
        column = np.repeat(np.arange(self.m), np.diff(pattern.start))
        self.keys = column * self.m + pattern.row.astype(np.int64)
        self.diagonal = self.n_low if symmetric else 2 * self.n_low
        self.n = self.diagonal + self.m

    def of(self, matrix: sp.coo_array) -> tuple[NDArray[np.int64], Array]:
        """Slots of the entries of ``matrix``, and the entries."""
        i, j, entries = self.position[matrix.row], self.position[matrix.col], matrix.data
        if self.symmetric:
            half = i >= j
            i, j, entries = i[half], j[half], entries[half]
        found = np.searchsorted(self.keys, np.minimum(i, j) * self.m + np.maximum(i, j))
        below = np.where(i > j, found, self.n_low + found)
        return np.where(i == j, self.diagonal + i, below), entries


def _nonzero(matrix: sp.csr_array) -> sp.coo_array:
    found = sp.coo_array(matrix)
    found.eliminate_zeros()
    return found


def _union(matrices: list[sp.coo_array], local: tuple[sp.csr_array, ...], m: int) -> sp.csc_array:
    """Symmetric pattern of all the matrices, as a diagonally dominant matrix."""
    pattern = sp.csr_array((m, m))
    for matrix in [*matrices, *local]:
        ones = sp.csr_array(abs(matrix) > 0, dtype=float)
        pattern = pattern + ones + ones.T
    pattern.data[:] = 1.0
    return sp.csc_array(pattern + sp.eye_array(m) * m)


def _analyse(union: sp.csc_array) -> tuple[Any, Pattern]:
    """A fill-reducing order of the places, and the pattern of L in it."""
    return _analysed(union.indptr.tobytes(), union.indices.tobytes(), str(union.indices.dtype))


@lru_cache(maxsize=16)
def _analysed(starts: bytes, rows: bytes, dtype: str) -> tuple[Any, Pattern]:
    """It depends on nothing but where entries stand, and takes longer than the factors."""
    indptr, indices = (np.frombuffer(x, dtype=dtype) for x in (starts, rows))
    n = len(indptr) - 1
    column = np.repeat(np.arange(n), np.diff(indptr))
    # a dominant diagonal: nothing is exchanged
    entries = np.where(indices == column, float(n + 1), 1.0)
    union = sp.csc_array((entries, indices, indptr), shape=(n, n))
    options = {"SymmetricMode": True}
    rough = sla.splu(union, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options=options)
    order = np.argsort(rough.perm_c)
    ordered = sp.csc_array(sp.tril(union[order][:, order], -1))
    ordered.sort_indices()
    columns = _fill(np.split(ordered.indices, ordered.indptr[1:-1]))
    lower = sp.csc_array(
        (
            np.arange(sum(map(len, columns))),
            np.concatenate(columns),
            np.cumsum([0, *map(len, columns)]),
        ),
        shape=union.shape,
    )
    across = sp.csr_array(lower)
    return order, Pattern(
        _nodes(columns),
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
