"""The problem objects: what physics hands to numerics. Arrays only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from crtransport.solvers.levels import Banded

Array = NDArray[np.float64]
Matrix = Any  # dense array, or scipy sparse array: [function, function]


@dataclass(frozen=True, kw_only=True, eq=False)
class TwoWayProblem:
    """A steady forward-backward (two-way diffusion) equation, discretised in x.

        B(s) ∂f/∂s + A(s) f = 0      between the edges s₀ < s₁ < … < s_N
        B [f] = jump                 across an inner edge
        f = inflow where B > 0       at s₀      (where B < 0 at s_N)

    A = ∫ a φ'φ' + ∫ w φφ is diffusion and loss, symmetric and positive (semi)definite; B = ∫ h φφ
    is streaming with a speed h that changes sign, so that data are given on half of x at either
    end (Fisch & Kruskal 1980; Beals 1981). An edge at ∓∞ means that f stays bounded there and
    that the operator is constant beyond the next edge. f(s) is a vector of coefficients, one per
    basis function or cell.

    Parameters
    ----------
    edges : (N+1,) array
        s₀ … s_N; the first may be −inf, the last +inf.
    operator : callable
        s -> (A, B), each [function, function]; piecewise smooth between the edges. Where it
        hands out the same arrays again, work on them is not repeated.
    streaming_up, streaming_down : [function, function]
        Mass matrices of max(h, 0) and max(−h, 0), the weights of boundary data and of what
        leaves: B = up − down.
    inflow_left, inflow_right : (n_functions,) arrays, optional
        ∫ |h| φ g over the incoming half: load vectors of the boundary data (zero by default).
    jumps : mapping
        Index of an inner edge -> load vector ∫ h φ [f].
    """

    edges: Array
    operator: Callable[[float], tuple[Matrix, Matrix]]
    streaming_up: Matrix
    streaming_down: Matrix
    inflow_left: Array | None = None
    inflow_right: Array | None = None
    jumps: dict[int, Array] = field(default_factory=dict)

    @property
    def n_functions(self) -> int:
        """Unknowns at one s."""
        return int(self.streaming_up.shape[0])

    @property
    def source_edge(self) -> int | None:
        """The edge at which all comes in, so that f decays away from it; None of several."""
        entries = list(self.jumps)
        if self.inflow_left is not None:
            entries.append(0)
        if self.inflow_right is not None:
            entries.append(len(self.edges) - 1)
        return entries[0] if len(entries) == 1 else None

    def middle(self, j: int) -> float:
        """A point of part j, finite also where the part reaches to infinity."""
        lo, hi = self.edges[j], self.edges[j + 1]
        if np.isinf(lo) and np.isinf(hi):
            return 0.0
        if np.isinf(lo):
            return float(hi) - 1.0
        if np.isinf(hi):
            return float(lo) + 1.0
        return float(lo + hi) / 2


def flux_balance(
    problem: TwoWayProblem, first: Array | None, last: Array | None, lost: Array, ones: Array
) -> float:
    """Relative mismatch of 1ᵀ(inflow + jumps) and 1ᵀ(outflow at both ends) + lost.

    Parameters
    ----------
    first, last : (n_functions,) arrays or None
        f at the two ends; None where an end lies at infinity and nothing leaves there.
    lost : (n_parts,) array
        ∫ 1ᵀ A f ds over each part.
    ones : (n_functions,) array
        Coefficients of the constant 1.
    """
    loads = [problem.inflow_left, problem.inflow_right, *problem.jumps.values()]
    terms = [float(ones @ load) for load in loads if load is not None]
    terms.extend(-lost)
    if first is not None:
        terms.append(-float(ones @ (problem.streaming_down @ first)))
    if last is not None:
        terms.append(-float(ones @ (problem.streaming_up @ last)))
    return abs(sum(terms)) / max(sum(abs(term) for term in terms), 1e-300)


@dataclass(frozen=True, kw_only=True, eq=False)
class TwoWaySolution:
    """f(s) = g(s) exp(−S(s)) of a TwoWayProblem, where S takes off the decay along s.

    Attributes
    ----------
    scaled : callable
        (n_s,) array of s -> [s, function] coefficients of g and (n_s,) exponents S; at an inner
        edge the value above it.
    residual : float
        Largest residual of the linear system, relative to the data.
    balance : float
        What enters less what leaves and is lost, 1ᵀ(…), relative to the sum of their sizes.
    unknowns : int
        Size of the linear system that was solved.
    """

    scaled: Callable[[Array], tuple[Array, Array]]
    residual: float
    balance: float
    unknowns: int

    def evaluate(self, s: Array) -> Array:
        """[s, function] coefficients of f; 0 where they are below the smallest float."""
        g, exponent = self.scaled(s)
        return g * np.exp(-exponent)[:, None]


@dataclass(frozen=True, kw_only=True, eq=False)
class PulseProblem:
    """A two-way equation in time, uniform and without ends in s, from a Gaussian in s.

        M ∂f/∂t + B ∂f/∂s + A f = 0,      M f(s, 0) = initial · exp(−s²/2σ²) / (√(2π) σ)

    M = ∫ φφ is the mass matrix of the measure in x, B = ∫ h φφ with |h| at most ``speed`` times
    that measure: nothing is found beyond |s| = speed · t and the tail of the Gaussian.

    Parameters
    ----------
    mass, streaming, operator : [function, function]
        M, B, A; in finite volumes M and B are (n,) diagonals and A is tridiagonal, given by
        (conductance, loss) instead.
    initial : (n_functions,) array
        Load vector of the initial dependence on x.
    width : float
        σ.
    times : (n_t,) array
        Times of output, increasing, positive.
    speed : float
        Largest streaming speed.
    """

    mass: Matrix
    streaming: Matrix
    operator: Any
    initial: Array
    width: float
    times: Array
    speed: float = 1.0

    def half_length(self) -> float:
        """Half the length in s that holds the solution: 9 σ beyond the light path."""
        return float(self.speed * self.times[-1] + 9 * self.width)


@dataclass(frozen=True, kw_only=True, eq=False)
class PulseSolution:
    """f of a PulseProblem: ``scaled`` [t, s, function] exp(−``exponents``), ``s`` equidistant.

    The (n_t,) exponents are the slowest decay, taken off so that floats hold what is left.
    """

    s: Array
    scaled: Array
    exponents: Array
    unknowns: int

    @property
    def values(self) -> Array:
        """[t, s, function] coefficients of f."""
        return self.scaled * np.exp(-self.exponents)[:, None, None]


@dataclass(frozen=True, kw_only=True, eq=False)
class Operator:
    """A square matrix, and what its columns must add up to if it conserves what it moves.

    Attributes
    ----------
    matrix : [n, n] sparse array
    total : (n,) array
        1ᵀ matrix (along the axis, weightᵀ matrix) as the problem tells it: the reaction's own
        rate, or what leaves through the ends. Found apart from ``matrix``, so that a balance is
        a check.
    """

    matrix: sp.csr_array
    total: Array

    @classmethod
    def of(cls, matrix: sp.csr_array) -> Operator:
        """A matrix by itself: what it conserves is the sum of its columns."""
        return cls(matrix=matrix, total=np.asarray(matrix.sum(axis=0)))

    @classmethod
    def diag(cls, values: Array) -> Operator:
        """A reaction by itself: (n,) values on the diagonal, which are also what is lost."""
        n = len(values)
        matrix = sp.csr_array((values, np.arange(n), np.arange(n + 1)), shape=(n, n))
        return cls(matrix=matrix, total=values)

    def diagonal(self) -> Array:
        """(n,)"""
        return np.asarray(self.matrix.diagonal())

    def times(self, y: Array) -> Array:
        """[n, …] A y."""
        return np.asarray(self.matrix @ y)

    @cached_property
    def size(self) -> float:
        """Mean size of the diagonal."""
        return float(np.mean(np.abs(self.diagonal())))

    @cached_property
    def symmetric(self) -> bool:
        """To rounding."""
        matrix, turned = self.matrix, self.matrix.T
        if sp.issparse(matrix) and matrix.nnz:
            turned = sp.csr_array(turned)
            where = [(x.indptr, x.indices) for x in (matrix, turned)]
            if all(map(np.array_equal, *where)):
                matrix, turned = matrix.data, turned.data
        return bool(abs(matrix - turned).max() <= 1e-14 * abs(matrix).max())

    def transposed(self) -> Operator:
        """The transposed matrix, the same object each time; the total stays."""
        return self._transposed

    @cached_property
    def _transposed(self) -> Operator:
        matrix = self.matrix
        turned = sp.csr_array(matrix.T) if sp.issparse(matrix) else matrix.T
        return Operator(matrix=turned, total=self.total)


@dataclass(frozen=True, kw_only=True, eq=False)
class Term:
    """One product Aⱼ ⊗ Xⱼ: ``along`` acts on the levels of the axis, ``across`` on the places."""

    name: str
    along: Operator | Banded
    across: Operator


@dataclass(frozen=True, kw_only=True, eq=False)
class FieldProblem:
    """One field ψ on the product of an axis and a space of any number of dimensions.

        M ∂ψ/∂t + Σⱼ (Aⱼ ⊗ Xⱼ) ψ + (Bₖ at level k) ψ = q,      steady unless a method marches

    ψ[k, i] is the field at level k of the axis and place i of the space; (Aⱼ ⊗ Xⱼ) ψ is
    Aⱼ ψ Xⱼᵀ. A rate is a diagonal A with the mass matrix of its density as X; diffusion in space
    a diagonal A with one X for each direction; a drift or spreading along the axis a banded A
    with the mass matrix of what causes it. Nothing says how many terms there are, which of them
    share a matrix, or what the coordinates are.

    The unknown is y = ψ/S, S[k] the expected size of ψ at level k, which may fall below the
    smallest float: the equation is divided by S[k] too, so that A stands for S⁻¹ A S.

    Attributes
    ----------
    terms : tuple of Term
        A of [level, level], X of [place, place]; losses positive.
    source : [level, place] array
        q/S: load vectors in space, whose sum over places is what is set free in total.
    mass : (n_places,) array
        Diagonal of M, the volume of each place.
    weight : (n_levels,) array
        S over its largest value: what y counts in a sum over levels.
    shape : tuple of int
        Places along each dimension; the last runs fastest.
    local : tuple of [place, place] sparse arrays
        Bₖ: one further matrix for each level, for what is no short sum of products; or empty.
    """

    terms: tuple[Term, ...]
    source: Array
    mass: Array
    weight: Array
    shape: tuple[int, ...]
    local: tuple[sp.csr_array, ...] = ()

    def transposed(self) -> FieldProblem:
        """The same with all Aⱼ and Xⱼ transposed: what the adjoint obeys."""
        terms = tuple(
            Term(name=term.name, along=term.along.transposed(), across=term.across.transposed())
            for term in self.terms
        )
        local = tuple(sp.csr_array(matrix.T) for matrix in self.local)
        return replace(self, terms=terms, local=local)

    def apply(self, y: Array) -> Array:
        """[level, place] Σⱼ Aⱼ y Xⱼᵀ + the local matrices."""
        out = np.zeros_like(y)
        for term in self.terms:
            out += term.along.matrix @ (term.across.matrix @ y.T).T
        for k, matrix in enumerate(self.local):
            out[k] += matrix @ y[k]
        return out

    @cached_property
    def row_weights(self) -> Array:
        """(n_levels,) what makes the rows of all levels comparable: one over their diagonal."""
        size = np.zeros(len(self.source))
        for term in self.terms:
            size += np.abs(term.along.diagonal()) * term.across.size
        for k, matrix in enumerate(self.local):
            size[k] += np.mean(np.abs(matrix.diagonal()))
        return np.asarray(1 / np.where(size > 0, size, 1.0))

    def residual(self, y: Array) -> float:
        """‖q − Ay‖ over ‖q‖, with the row weights."""
        weights = self.row_weights[:, None]
        defect = np.linalg.norm((self.source - self.apply(y)) * weights)
        return float(defect / np.linalg.norm(self.source * weights))

    def rounding(self, y: Array) -> float:
        """What rounding alone leaves of a residual: ε ‖|A| |y|‖ over ‖q‖, with the row weights.

        No solver gets below it, and where y is large and its terms cancel, it is above the residual
        that is asked for.
        """
        sizes = np.zeros_like(y)
        for term in self.terms:
            sizes += abs(term.along.matrix) @ (abs(term.across.matrix) @ np.abs(y).T).T
        for k, matrix in enumerate(self.local):
            sizes[k] += abs(matrix) @ np.abs(y[k])
        weights = self.row_weights[:, None]
        whole = np.linalg.norm(sizes * weights) / np.linalg.norm(self.source * weights)
        return float(np.finfo(float).eps * whole)

    def budget(self, y: Array, freed: Array | None = None) -> dict[str, float]:
        """What each term takes away, relative to the sum of the sources, by its name.

        Conservation says that these add up to 1. Local matrices are not in it. ``freed``:
        (n_levels,) what the sources set free in total, if that is not the sum over the places.
        """
        whole = float(self.weight @ (self.source.sum(axis=1) if freed is None else freed))
        taken: dict[str, float] = {}
        for term in self.terms:
            part = float(term.along.total @ y @ term.across.total) / whole
            taken[term.name] = taken.get(term.name, 0.0) + part
        return taken


@dataclass(frozen=True, kw_only=True, eq=False)
class FieldSolution:
    """y of a FieldProblem, and how well it solves the linear system.

    Attributes
    ----------
    values : [level, place] array
        y = ψ/S.
    residual : float
        FieldProblem.residual.
    iterations : int
        Iterations or time steps; 1 for a direct solution.
    """

    values: Array
    residual: float
    iterations: int
