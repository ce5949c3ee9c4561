"""Spectral elements on an interval: the constant and the primitives of orthonormal polynomials.

    φ₀ = 1,   φⱼ(x) = ∫ ψⱼ from the left end to x,   ψⱼ an orthonormal Legendre polynomial on one
    element and zero elsewhere

The stiffness matrix of a constant coefficient is the identity but for an exactly zero row 0: an
operator that is singular up to a tiny reaction term keeps that term to full precision, and
elements of very different length do each other no harm.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.polynomial.legendre import leggauss, legvander
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Elements:
    """Continuous piecewise polynomials on the elements between ``edges``.

    Coefficient functions enter as values at ``points``; matrices are [function, function].

    Parameters
    ----------
    edges : (n_elements + 1,) array
        Element edges, increasing.
    orders : (n_elements,) sequence of int
        Polynomial order on each element, at least 1.
    extra : int
        Quadrature points per element beyond order + 1, for coefficients that are not constant.
    """

    edges: Array
    orders: tuple[int, ...]
    extra: int = 4

    @property
    def n_functions(self) -> int:
        """Number of basis functions: the constant, and as many as the orders add up to."""
        return sum(self.orders) + 1

    @cached_property
    def _rules(self) -> list[tuple[Array, Array]]:
        return [leggauss(order + 1 + self.extra) for order in self.orders]

    @cached_property
    def points(self) -> Array:
        """(n_points,) quadrature points, element by element."""
        mid, half = (self.edges[1:] + self.edges[:-1]) / 2, np.diff(self.edges) / 2
        return np.concatenate(
            [m + h * xi for m, h, (xi, _) in zip(mid, half, self._rules, strict=True)]
        )

    @cached_property
    def weights(self) -> Array:
        """(n_points,) quadrature weights."""
        half = np.diff(self.edges) / 2
        return np.concatenate([h * w for h, (_, w) in zip(half, self._rules, strict=True)])

    @cached_property
    def values(self) -> Array:
        """[point, function] basis functions at ``points``."""
        return self.at(self.points)

    @cached_property
    def slopes(self) -> Array:
        """[point, function] first derivatives ψ at ``points``."""
        out = np.zeros((len(self.points), self.n_functions))
        row = 0
        for e, length in enumerate(np.diff(self.edges)):
            xi, k = self._rules[e][0], np.arange(self.orders[e])
            legendre = legvander(xi, len(k) - 1) * np.sqrt(2 * k + 1)
            out[row : row + len(xi), self._columns(e)] = legendre / np.sqrt(length)
            row += len(xi)
        return out

    def _columns(self, e: int) -> slice:
        first = 1 + sum(self.orders[:e])
        return slice(first, first + self.orders[e])

    def at(self, x: Array) -> Array:
        """[point, function] basis functions at any ``x`` inside the interval."""
        out = np.zeros((len(x), self.n_functions))
        out[:, 0] = 1.0
        for e, length in enumerate(np.diff(self.edges)):
            # ∫P_k from −1: (P_{k+1} − P_{k−1})/(2k+1), and 1 + ξ for k = 0
            k = np.arange(self.orders[e])
            xi = np.clip(2 * (x - self.edges[e]) / length - 1, -1, 1)
            legendre = legvander(xi, len(k))
            primitive = np.empty((len(x), len(k)))
            primitive[:, 0] = 1 + xi
            primitive[:, 1:] = (legendre[:, 2:] - legendre[:, :-2]) / (2 * k[1:] + 1)
            out[:, self._columns(e)] = primitive * np.sqrt((2 * k + 1) * length) / 2
        return out

    def mass(self, weight: Array) -> Array:
        """∫ weight φᵢ φⱼ dx, with ``weight`` given at ``points``."""
        return np.asarray(self.values.T @ ((self.weights * weight)[:, None] * self.values))

    def stiffness(self, conductivity: Array) -> Array:
        """∫ conductivity φᵢ' φⱼ' dx, with ``conductivity`` given at ``points``."""
        return np.asarray(self.slopes.T @ ((self.weights * conductivity)[:, None] * self.slopes))

    def load(self, density: Array) -> Array:
        """∫ density φᵢ dx, with ``density`` given at ``points``."""
        return np.asarray(self.values.T @ (self.weights * density))


def graded_elements(
    order: int, layers: int, breaks: tuple[float, ...] = (), extra: int = 4, ratio: float = 0.15
) -> Elements:
    """Elements on −1…1, split at 0 and at ±``breaks``, refined towards 0 from both sides.

    Each of the ``layers`` is ``ratio`` times as long as the one outside it, and their orders fall
    linearly towards 0: a function with a power singularity there is then approximated
    exponentially in the number of unknowns (Schwab 1998, p- and hp-Finite Element Methods,
    Sec. 3.3). A power has no scale, so the layers need no more order than the singularity wants.
    """
    outer = np.array([1.0, *sorted(breaks, reverse=True)])
    inner = outer[-1] * ratio ** np.arange(1.0, layers + 1)
    distance = np.concatenate([outer, inner])
    first = min(order, 16 + order // 8)
    falling = [max(4, first - j) for j in range(1, layers + 1)]
    side = [order] * len(outer) + falling
    return Elements(
        edges=np.concatenate([-distance, [0.0], distance[::-1]]),
        orders=(*side, *side[::-1]),
        extra=extra,
    )
