"""Operator-split Crank-Nicolson with falling time steps: the march to the steady state in use.

A time step goes through the directions one after the other, the axis of levels first, each by
Crank-Nicolson with an equal share of the source. What stands still after many steps of length dt
is off by O(dt), for the directions do not commute; so long steps come first, which bring the field
about, and ever shorter ones mend it. What is left falls as 1/repeats, however short the last
steps: a step length dt rules what relaxes within repeats · dt (Strong & Moskalenko 1998, ApJ 509,
212). Crank-Nicolson does not keep a field positive.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from crtransport.solvers.errors import ConvergenceError
from crtransport.solvers.kernels import crank_nicolson as kernels
from crtransport.solvers.problem import FieldProblem, FieldSolution, Matrix, Term

Array = NDArray[np.float64]

#: the direction of the levels; those of space are 0, 1, …
_AXIS = -1


def solve_split_cn(
    problem: FieldProblem, start: float, factor: float, end: float, repeats: int
) -> FieldSolution:
    """March a field from zero through the time steps start, start · factor, … not below ``end``.

    Parameters
    ----------
    problem : FieldProblem
        Each term couples neighbours along the levels, or along one dimension, or nothing.
    start, end : float
        First and last time step, in the problem's unit of time.
    factor : float
        Below 1.
    repeats : int
        Steps of each length.

    Raises
    ------
    ValueError
        If a term, named, couples anything else, or if there are local matrices.
    ConvergenceError
        If the field does not stay finite.
    """
    n, m = problem.source.shape
    y = np.zeros((-(-m // kernels.ABREAST) * kernels.ABREAST, n))
    directions = _directions(problem, y)
    steps = time_steps(start, factor, end)
    for step in steps:
        for direction in directions:
            direction.prepare(step)
        for _ in range(repeats):
            for direction in directions:
                direction.advance()
    if not np.all(np.isfinite(y)):
        raise ConvergenceError(f"not finite after {len(steps)} × {repeats} time steps")
    values = np.ascontiguousarray(y[:m].T)
    return FieldSolution(
        values=values, residual=problem.residual(values), iterations=len(steps) * repeats
    )


def time_steps(start: float, factor: float, end: float) -> Array:
    """start, start · factor, … as long as they are not below ``end``."""
    count = 1 + math.floor(math.log(end / start) / math.log(factor) + 1e-9)
    return np.asarray(start * factor ** np.arange(count))


class _Direction:
    """dy/dt = −T y + load along one direction, T tridiagonal; arrays as the kernels have them.

    Parameters
    ----------
    advance : callable
        ``advance_levels`` or ``advance_lines``.
    bands : [lower | diagonal | upper, outer, line, inner, abreast] array
    load : [outer, line, inner, abreast] array
    y : array
        The field, a view that ``advance`` works on.
    """

    def __init__(self, advance: Callable[..., None], bands: Array, load: Array, y: Array) -> None:
        self._advance, self.bands, self.load, self.y = advance, bands, load, y
        self.factors = np.empty_like(bands)
        self.work = np.empty((load.shape[1], load.shape[3]))
        self.half = 0.0

    def prepare(self, step: float) -> None:
        """Factor for time steps of this length."""
        self.half = step / 2
        lower, diagonal, upper = self.bands
        kernels.factor(lower, diagonal, upper, self.half, *self.factors)

    def advance(self) -> None:
        """One time step."""
        self._advance(*self.factors, self.load, self.half, self.work, self.y)


def _directions(problem: FieldProblem, y: Array) -> list[_Direction]:
    """The directions in which anything couples, each with its share of what does not."""
    if problem.local:
        raise ValueError("a split march takes no local matrices")
    own = [_direction_of(term, problem.shape) for term in problem.terms]
    found = sorted({one for one in own if one is not None}) or [_AXIS]
    load = (problem.source / problem.mass).T / len(found)
    bands = {direction: np.zeros((3, *load.shape)) for direction in found}
    for term, one in zip(problem.terms, own, strict=True):
        if one is None:
            for direction in found:
                bands[direction] += _bands(term, _AXIS, problem) / len(found)
        else:
            bands[one] += _bands(term, one, problem)
    return [_laid_out(direction, bands[direction], load, problem.shape, y) for direction in found]


def _direction_of(term: Term, shape: tuple[int, ...]) -> int | None:
    """The direction in which a term couples neighbours, or None if it is diagonal."""
    along = _steps(term.along.matrix, term.along.matrix.shape[:1])
    across = _steps(term.across.matrix, shape or (1,))
    coupled = [*(_AXIS for _ in range(int(along.any()))), *np.flatnonzero(across.any(axis=1))]
    if len(coupled) > 1 or along.max(initial=0) > 1 or across.sum(axis=0).max(initial=0) > 1:
        raise ValueError(
            f"a split march needs terms that couple neighbours in one direction; "
            f'"{term.name}" couples more'
        )
    return int(coupled[0]) if coupled else None


def _steps(matrix: Matrix, shape: tuple[int, ...]) -> NDArray[np.int64]:
    """[dimension, entry] how far from each other are the places that an entry couples."""
    entries = sp.coo_array(matrix)
    some = entries.data != 0
    ends = [np.stack(np.unravel_index(index[some], shape)) for index in entries.coords]
    return np.abs(ends[0] - ends[1])


def _bands(term: Term, direction: int, problem: FieldProblem) -> Array:
    """[lower | diagonal | upper, place, level] of a term over the volumes."""
    if direction == _AXIS:
        each = term.across.matrix.diagonal() / problem.mass
        return np.asarray(_neighbours(term.along.matrix, 1)[:, None, :] * each[:, None])
    stride = math.prod(problem.shape[direction + 1 :])
    bands = _neighbours(term.across.matrix, stride) / problem.mass
    return np.asarray(bands[:, :, None] * term.along.matrix.diagonal())


def _neighbours(matrix: Matrix, stride: int) -> Array:
    """[lower | diagonal | upper, row] the entries at ``stride`` from the diagonal, and on it."""
    bands = np.zeros((3, matrix.shape[0]))
    bands[0, stride:] = matrix.diagonal(-stride)
    bands[1] = matrix.diagonal()
    bands[2, :-stride] = matrix.diagonal(stride)
    return bands


def _laid_out(
    direction: int, bands: Array, load: Array, shape: tuple[int, ...], y: Array
) -> _Direction:
    """Bands and load [place, level] as the kernels have them; y is padded to whole bundles."""
    m, n = load.shape
    if direction == _AXIS:
        padded = np.zeros((4, *y.shape))
        padded[:3, :m], padded[3, :m] = bands, load
        bundles = padded.reshape(4, -1, kernels.ABREAST, 1, n).swapaxes(2, 4)
        bundles = np.ascontiguousarray(bundles)
        return _Direction(kernels.advance_levels, bundles[:3], bundles[3], y)
    cut = (
        math.prod(shape[:direction]),
        shape[direction],
        math.prod(shape[direction + 1 :]),
        n,
    )
    return _Direction(
        kernels.advance_lines, bands.reshape(3, *cut), load.reshape(cut), y[:m].reshape(cut)
    )
