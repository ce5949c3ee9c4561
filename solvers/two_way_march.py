"""Two-way problem by discontinuous linear elements in s on finite volumes in x.

On a step [s_k, s_{k+1}] f = Σ_a f_a φ_a(s), φ the two hats, and for each test φ_b

    ∫ φ_b (B ∂f/∂s + A f) ds + φ_b(s_k) B₊ [f]_{s_k} + φ_b(s_{k+1}) B₋ [f]_{s_{k+1}} = 0

where [f] is the jump from outside into the step, seen by what streams in at that end (upwind in
each half of x). One sparse direct solve: both directions at once, any dependence on s. Second
order in x, third in s at the edges of the steps (Lesaint & Raviart 1974).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.linalg import splu

from crtransport.solvers.errors import SingularOperatorError
from crtransport.solvers.problem import Matrix, TwoWayProblem, TwoWaySolution, flux_balance

Array = NDArray[np.float64]

#: two-point Gauss rule on 0…1
_GAUSS = (0.5 - 0.5 / np.sqrt(3), 0.5 + 0.5 / np.sqrt(3))


def solve_march(
    problem: TwoWayProblem, steps: int, shortest: float, damping: Array | None = None
) -> TwoWaySolution:
    """Solve a two-way problem whose B is diagonal, with ``steps`` steps per part.

    Parameters
    ----------
    problem : TwoWayProblem
        With sparse A and diagonal B (finite volumes). All edges finite: a part that should reach
        to infinity is cut where the solution has died out.
    steps : int
        Steps in each part, growing geometrically from both ends of the part to its middle.
    shortest : float
        Length of the steps at the ends of a part, as a fraction of the part.
    damping : [part, 2] array, optional
        σ at the lower and the upper end of each part, linear between: solved is g = f e^S, S' = σ
        and S = 0 at the edge of the source, which has A − σ B in the place of A. Where σ is about
        the rate of decay, g is smooth however deep f falls.

    Raises
    ------
    SingularOperatorError
        If the linear system is singular.
    """
    if not np.all(np.isfinite(problem.edges)):
        raise ValueError("solve_march needs finite edges: cut the part where f has died out")
    grids = [
        lo + (hi - lo) * two_sided(steps, shortest)
        for lo, hi in zip(problem.edges[:-1], problem.edges[1:], strict=True)
    ]
    knots = np.concatenate([grids[0][:1], *[grid[1:] for grid in grids]])
    decay = _Decay(problem.edges, damping, problem.source_edge or 0)
    problem = replace(problem, operator=_damped(problem.operator, decay))
    matrix, rhs = _assemble(problem, knots, steps)
    try:
        solution = splu(matrix.tocsc()).solve(rhs)
    except RuntimeError as error:
        raise SingularOperatorError("the boundary-value problem has no unique solution") from error
    residual = np.max(np.abs(matrix @ solution - rhs)) / max(np.max(np.abs(rhs)), 1e-300)
    nodal = solution.reshape(len(knots) - 1, 2, problem.n_functions)

    upward = problem.streaming_up.diagonal() > 0

    def scaled(s: Array) -> tuple[Array, Array]:
        g = np.empty((len(s), problem.n_functions))
        for i, j in enumerate(np.searchsorted(problem.edges[1:-1], s, side="right")):
            g[i] = _between(grids[j], nodal[j * steps : (j + 1) * steps], upward, s[i])
        return g, decay.exponent(s)

    lost = np.zeros(len(grids))
    for k, step in enumerate(np.diff(knots)):
        for t in _GAUSS:
            f = (1 - t) * nodal[k, 0] + t * nodal[k, 1]
            lost[k // steps] += (
                step / 2 * float(np.sum(problem.operator(knots[k] + t * step)[0] @ f))
            )
    balance = flux_balance(problem, nodal[0, 0], nodal[-1, 1], lost, np.ones(problem.n_functions))
    return TwoWaySolution(
        scaled=scaled, residual=float(residual), balance=balance, unknowns=len(rhs)
    )


def _between(grid: Array, nodal: Array, upward: NDArray[np.bool_], s: float) -> Array:
    """(n,) values at one ``s`` of a part: cubic in s through what leaves the four nearest steps.

    What leaves a step, at the end to which it streams, is of third order; within it of second.
    """
    n = len(grid) - 1
    first = int(np.clip(np.searchsorted(grid, s) - 2, 0, max(n - 3, 0)))
    index = np.arange(first, min(first + 4, n + 1))
    after = nodal[np.minimum(index, n - 1), np.where(index == n, 1, 0)]
    before = nodal[np.maximum(index - 1, 0), np.where(index == 0, 0, 1)]
    values, near = np.where(upward, before, after), grid[index]
    weights = [
        np.prod([(s - b) / (a - b) for k, b in enumerate(near) if k != i])
        for i, a in enumerate(near)
    ]
    return np.asarray(np.array(weights) @ values)


class _Decay:
    """σ(s), linear on each part, and S(s) = ∫σ ds from the edge of the source."""

    def __init__(self, edges: Array, damping: Array | None, source: int) -> None:
        self.edges, self.source = edges, source
        self.sigma = np.zeros((len(edges) - 1, 2)) if damping is None else damping
        sums = np.concatenate([[0.0], np.cumsum(np.diff(edges) * self.sigma.mean(axis=1))])
        self.sums = sums - sums[source]

    def at(self, s: float) -> float:
        j, t = self._place(np.array([s]))
        return float(self.sigma[j, 0] @ (1 - t) + self.sigma[j, 1] @ t)

    def exponent(self, s: Array) -> Array:
        j, t = self._place(s)
        length = np.diff(self.edges)[j]
        mean = self.sigma[j, 0] * (1 - t / 2) + self.sigma[j, 1] * t / 2
        return np.asarray(self.sums[j] + length * t * mean)

    def _place(self, s: Array) -> tuple[NDArray[np.int64], Array]:
        j = np.searchsorted(self.edges[1:-1], s, side="right")
        return j, (s - self.edges[j]) / np.diff(self.edges)[j]


def _damped(
    operator: Callable[[float], tuple[Matrix, Matrix]], decay: _Decay
) -> Callable[[float], tuple[Matrix, Matrix]]:
    def damped(s: float) -> tuple[Matrix, Matrix]:
        a, b = operator(s)
        return a - decay.at(s) * b, b

    return damped


def two_sided(steps: int, shortest: float) -> Array:
    """(steps + 1,) knots on 0…1 whose spacing grows geometrically from ``shortest`` at both ends.

    Equal steps where ``shortest`` is 1/steps or more.
    """
    half = steps / 2
    if shortest * steps >= 1:
        return np.linspace(0, 1, steps + 1)
    low, high = 1.0, 1e6 ** (1 / half) * 10  # ratio of neighbouring steps, by bisection
    for _ in range(100):
        ratio = np.sqrt(low * high)
        first = 0.5 * (ratio - 1) / np.expm1(half * np.log(ratio)) if ratio > 1 else 0.5 / half
        low, high = (ratio, high) if first > shortest else (low, ratio)
    distance = np.abs(half - np.arange(steps + 1.0))
    arm = np.expm1((half - distance) * np.log(ratio)) / np.expm1(half * np.log(ratio)) / 2
    return np.where(np.arange(steps + 1) <= half, arm, 1 - arm)


def _assemble(problem: TwoWayProblem, knots: Array, steps: int) -> tuple[sp.coo_array, Array]:
    """Block matrix over [step, end, cell] and its right-hand side."""
    n = problem.n_functions
    up, down = (sp.dia_array(m) for m in (problem.streaming_up, problem.streaming_down))
    rhs = np.zeros((len(knots) - 1, 2, n))
    blocks: list[sp.coo_array] = []

    def add(block: sp.sparray, row: int, column: int) -> None:
        coo = sp.coo_array(block)
        index = (coo.coords[0] + row * n, coo.coords[1] + column * n)
        size = rhs.size
        blocks.append(sp.coo_array((coo.data, index), shape=(size, size)))

    for k, (lo, hi) in enumerate(pairwise(knots)):
        local = _step_blocks(problem, lo, hi, up, down)
        for (b, a), block in local.items():
            add(block, 2 * k + b, 2 * k + a)
        if k > 0:
            add(-up, 2 * k, 2 * k - 1)
        if k < len(knots) - 2:
            add(-down, 2 * k + 1, 2 * k + 2)
    _add_data(problem, rhs, steps)
    parts = [np.concatenate([b.coords[i] for b in blocks]) for i in (0, 1)]
    data = np.concatenate([b.data for b in blocks])
    return sp.coo_array((data, (parts[0], parts[1])), shape=(rhs.size, rhs.size)), rhs.ravel()


def _step_blocks(
    problem: TwoWayProblem, lo: float, hi: float, up: sp.sparray, down: sp.sparray
) -> dict[tuple[int, int], sp.sparray]:
    """(test end, unknown end) -> [cell, cell] block of one step."""
    blocks = {}
    b = up - down
    for test in (0, 1):
        for end in (0, 1):
            block = b * (0.5 if end else -0.5)  # ∫ φ_b φ_a' ds
            for t in _GAUSS:
                weight = (t if test else 1 - t) * (t if end else 1 - t) * (hi - lo) / 2
                block = block + weight * problem.operator(lo + t * (hi - lo))[0]
            blocks[test, end] = block
    blocks[0, 0] = blocks[0, 0] + up
    blocks[1, 1] = blocks[1, 1] + down
    return blocks


def _add_data(problem: TwoWayProblem, rhs: Array, steps: int) -> None:
    """Boundary data and jumps: what streams in from outside a step."""
    if problem.inflow_left is not None:
        rhs[0, 0] += problem.inflow_left
    if problem.inflow_right is not None:
        rhs[-1, 1] += problem.inflow_right
    upward = problem.streaming_up.diagonal() > 0
    for edge, jump in problem.jumps.items():
        k = edge * steps
        rhs[k, 0] += np.where(upward, jump, 0.0)
        # −B₋[f] with jump = B[f] = −B₋[f] on the half that streams down
        rhs[k - 1, 1] += np.where(upward, 0.0, jump)
