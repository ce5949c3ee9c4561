"""Two-way problem by decay modes: exact in s on each part where the operator is constant.

On part j, with ends s_j and s_{j+1},

    f = Σ_{Λₙ>0} aₙ vₙ e^(−Λₙ(s − s_j)) + Σ_{Λₙ<0} bₙ vₙ e^(−Λₙ(s − s_{j+1}))

and, where zero is an eigenvalue, the constant and s − g besides. The amplitudes a are what enters
from below and b what enters from above: one equation for each, tested with the mode itself.

Where all comes in at one edge f falls by e^(−σ|s|) away from it, σ the slowest rate of each part,
for as many decades as a user asks for. This is taken off: g = f e^S, S' = σ, obeys the same
equations with Λ − σ in the place of Λ, and stays of order one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from crtransport.solvers.eigen import Modes, decay_modes
from crtransport.solvers.errors import SingularOperatorError
from crtransport.solvers.problem import TwoWayProblem, TwoWaySolution, flux_balance

Array = NDArray[np.float64]

_NO_WAY_OUT = "no loss, and no end to leave by: what enters never leaves"


@dataclass(frozen=True, kw_only=True, eq=False)
class _Part:
    """One part of the interval: its modes, and what zero as an eigenvalue adds to them."""

    lo: float
    hi: float
    modes: Modes
    a: Array
    b: Array
    zero: Literal["none", "up", "down", "double"]
    sigma: float = 0.0

    def up(self, s: float) -> Array:
        """[function, unknown] of g at ``s``, of what enters at ``lo``; none if at infinity."""
        if np.isinf(self.lo):
            return np.empty((len(self.b), 0))
        columns = self.modes.up * np.exp(-(self.modes.up_rates - self.sigma) * (s - self.lo))
        if self.zero in ("up", "double"):
            columns = np.column_stack([columns, self._constant(s - self.lo)])
        return columns

    def down(self, s: float) -> Array:
        """[function, unknown] of g at ``s``, of what enters at ``hi``; none if at infinity."""
        if np.isinf(self.hi):
            return np.empty((len(self.b), 0))
        columns = self.modes.down * np.exp(-(self.modes.down_rates - self.sigma) * (s - self.hi))
        if self.zero == "down" or (self.zero == "double" and np.isinf(self.lo)):
            columns = np.column_stack([columns, self._constant(s - self.hi)])
        elif self.zero == "double":
            columns = np.column_stack([columns, self._linear(s)])
        return columns

    def integral(self, amplitudes: Array) -> Array:
        """∫ f ds over the part, less its constant and linear shares, which A 1 = 0 loses."""
        length = self.hi - self.lo
        up, down = self.up(self.lo), self.down(self.hi)
        weights = np.zeros(up.shape[1] + down.shape[1])
        for first, rates, here in (
            (0, self.modes.up_rates, np.isfinite(self.lo)),
            (up.shape[1], -self.modes.down_rates, np.isfinite(self.hi)),
        ):
            if here:
                weights[first : first + len(rates)] = -np.expm1(-rates * length) / rates
        return np.asarray(np.hstack([up, down]) @ (weights * amplitudes))

    def slowest(self, up: bool) -> float:
        """The rate by which f falls along the part (``up``) or against it (negative)."""
        if self.zero == "double" or self.zero == ("up" if up else "down"):
            return 0.0
        rates = self.modes.up_rates if up else self.modes.down_rates
        return float(rates[0]) if len(rates) else 0.0

    def tests(self) -> tuple[Array, Array]:
        """[function, test] for ``up`` and ``down``: the modes; if zero is double, their limits."""
        up, down = self.modes.up, self.modes.down
        constant, neutral = self._constant(0.0), self.modes.neutral
        if self.zero == "double" and neutral is not None:
            tilt = neutral / np.max(np.abs(neutral))
            return np.column_stack([up, constant + tilt]), np.column_stack([down, constant - tilt])
        if self.zero == "up":
            up = np.column_stack([up, constant])
        if self.zero == "down":
            down = np.column_stack([down, constant])
        return up, down

    def _constant(self, distance: float) -> Array:
        return np.eye(len(self.b))[0] * np.exp(self.sigma * distance)

    def _linear(self, s: float) -> Array:
        assert self.modes.neutral is not None
        column = -self.modes.neutral
        column[0] += s - (self.lo + self.hi) / 2
        return column / max(self.hi - self.lo, 1.0)


def solve_modes(problem: TwoWayProblem) -> TwoWaySolution:
    """Solve a two-way problem by the decay modes of each part (operator taken at its middle).

    Exact in s where the operator is constant on each part; second order in the length of the
    parts where it varies smoothly.

    Raises
    ------
    SingularOperatorError
        If the problem has no unique bounded solution (no loss, and no end to leave by).
    """
    edges, source = problem.edges, problem.source_edge
    parts: list[_Part] = []
    for j in range(len(edges) - 1):
        part = _make_part(problem, j, parts)
        sigma = 0.0 if source is None else part.slowest(j >= source)
        parts.append(replace(part, sigma=sigma))
    exponents = _exponents(parts, source or 0)
    n_up = [0 if np.isinf(part.lo) else part.tests()[0].shape[1] for part in parts]
    n_down = [0 if np.isinf(part.hi) else part.tests()[1].shape[1] for part in parts]
    starts = _starts(n_up, n_down)
    system = _match(problem, parts, n_up, n_down)
    amplitudes, residual = system.solve()

    def scaled(s: Array) -> tuple[Array, Array]:
        g, exponent = np.empty((len(s), problem.n_functions)), np.empty(len(s))
        for k, j in enumerate(np.searchsorted(edges[1:-1], s, side="right")):
            part, nearer = parts[j], j if j >= (source or 0) else j + 1
            g[k] = _columns(part, s[k]) @ amplitudes[starts[j] : starts[j + 1]]
            exponent[k] = exponents[nearer] + part.sigma * (s[k] - edges[nearer])
        return g, exponent

    lost = np.zeros(len(parts))
    for j, part in enumerate(parts):
        here = np.exp(-exponents[[j] * n_up[j] + [j + 1] * n_down[j]])
        lost[j] = part.a[0] @ part.integral(amplitudes[starts[j] : starts[j + 1]] * here)
    solution = TwoWaySolution(
        scaled=scaled, residual=residual, balance=np.nan, unknowns=len(amplitudes)
    )
    ends = [solution.evaluate(edges[[k]])[0] if np.isfinite(edges[k]) else None for k in (0, -1)]
    balance = flux_balance(problem, ends[0], ends[1], lost, np.eye(problem.n_functions)[0])
    return replace(solution, balance=balance)


def _exponents(parts: list[_Part], source: int) -> Array:
    """(n_parts + 1,) S at the edges: zero at the source, infinite at infinity."""
    change = np.array([part.sigma * (part.hi - part.lo) if part.sigma else 0.0 for part in parts])
    up, down = np.cumsum(change[source:]), -np.cumsum(change[:source][::-1])
    return np.concatenate([down[::-1], [0.0], up])


def _starts(n_up: list[int], n_down: list[int]) -> NDArray[np.int64]:
    """(n_parts + 1,) index of the first unknown of each part."""
    return np.concatenate([[0], np.cumsum(np.add(n_up, n_down))])


def _match(
    problem: TwoWayProblem, parts: list[_Part], n_up: list[int], n_down: list[int]
) -> _Banded:
    """What enters each part at either end is what comes from its neighbour, or the data."""
    edges, starts = problem.edges, _starts(n_up, n_down)
    system = _Banded.empty(int(starts[-1]), int(2 * np.max(np.diff(starts), initial=1)))
    at = [(_columns(part, edges[j]), _columns(part, edges[j + 1])) for j, part in enumerate(parts)]
    for j, part in enumerate(parts):
        test_up, test_down = part.tests()
        row = starts[j]
        if n_up[j] and j == 0:
            system.add(row, starts[j], test_up.T @ problem.streaming_up @ at[j][0])
            system.load(row, test_up, problem.inflow_left)
        elif n_up[j]:
            system.add(row, starts[j], test_up.T @ part.b @ at[j][0])
            system.add(row, starts[j - 1], -test_up.T @ part.b @ at[j - 1][1])
            system.load(row, test_up, problem.jumps.get(j))
        row += n_up[j]
        if n_down[j] and j == len(parts) - 1:
            system.add(row, starts[j], test_down.T @ problem.streaming_down @ at[j][1])
            system.load(row, test_down, problem.inflow_right)
        elif n_down[j]:
            system.add(row, starts[j], test_down.T @ part.b @ at[j][1])
            system.add(row, starts[j + 1], -test_down.T @ part.b @ at[j + 1][0])
            system.load(row, -test_down, problem.jumps.get(j + 1))
    return system


def _make_part(problem: TwoWayProblem, j: int, before: list[_Part]) -> _Part:
    a, b = problem.operator(problem.middle(j))
    # an operator that hands out the same arrays again has the same modes
    modes = next((part.modes for part in before if part.a is a), None) or decay_modes(a, b)
    zero: Literal["none", "up", "down", "double"] = "none"
    if modes.constant:
        zero = "double" if modes.neutral is not None else "up" if b[0, 0] > 0 else "down"
    lo, hi = float(problem.edges[j]), float(problem.edges[j + 1])
    return _Part(lo=lo, hi=hi, modes=modes, a=a, b=b, zero=zero)


def _columns(part: _Part, s: float) -> Array:
    if np.isinf(s):
        return np.empty((len(part.b), 0))
    return np.hstack([part.up(s), part.down(s)])


@dataclass(frozen=True, kw_only=True, eq=False)
class _Banded:
    """The matching conditions: part j meets parts j−1 and j+1 only."""

    width: int
    band: Array
    rhs: Array

    @classmethod
    def empty(cls, size: int, width: int) -> _Banded:
        return cls(width=width, band=np.zeros((2 * width + 1, size)), rhs=np.zeros(size))

    def add(self, row: int, column: int, block: Array) -> None:
        i, j = np.indices(block.shape)
        self.band[self.width + i + row - j - column, j + column] += block

    def load(self, row: int, test: Array, load: Array | None) -> None:
        if load is not None:
            self.rhs[row : row + test.shape[1]] += test.T @ load

    def solve(self) -> tuple[Array, float]:
        """Amplitudes, and the largest residual relative to the data."""
        if not np.any(self.rhs):
            raise SingularOperatorError("nothing enters: the solution is zero")
        if not np.all(np.isfinite(self.band)):
            raise SingularOperatorError(
                "modes are beyond the largest float: a rate of loss or scattering is too large"
            )
        try:
            x = scipy.linalg.solve_banded((self.width, self.width), self.band, self.rhs)
        except scipy.linalg.LinAlgError as error:
            raise SingularOperatorError(_NO_WAY_OUT) from error
        size, product = len(x), np.zeros_like(x)
        for k in range(-self.width, self.width + 1):  # band row width + k holds entries (j + k, j)
            j = np.arange(max(0, -k), min(size, size - k))
            product[j + k] += self.band[self.width + k, j] * x[j]
        residual = np.max(np.abs(product - self.rhs)) / np.max(np.abs(self.rhs))
        if not residual < 1e-6:
            raise SingularOperatorError(_NO_WAY_OUT)
        return np.asarray(x), float(residual)
