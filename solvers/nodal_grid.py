"""Spectral elements on a tensor product of axes: nodes are quadrature points, the mass diagonal.

On each element the nodes are Gauss-Lobatto-Legendre points and integrals are their sums, exact for
polynomials of degree 2·order − 1: smooth solutions converge exponentially in the order (Canuto,
Hussaini, Quarteroni & Zang 2007, Spectral Methods, Sec. 5.3). Coefficients may jump between
elements: they are evaluated just inside.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property, reduce

import numpy as np
import scipy.sparse as sp
from numpy.polynomial.legendre import Legendre
from numpy.typing import NDArray

from crtransport.solvers.problem import Operator

Array = NDArray[np.float64]
Coefficient = Callable[..., Array]

#: how far inside its element an end node is evaluated, of the element's half length
_INSIDE = 1e-13


@dataclass(frozen=True, kw_only=True, eq=False)
class NodalAxis:
    """One axis: elements between ``edges``, each of polynomial ``orders``.

    Parameters
    ----------
    edges : (n_elements + 1,) array
        Increasing.
    orders : (n_elements,) tuple of int
        At least 2.
    radial : int
        The measure is x^radial dx: 0 in a plane, 1 around an axis, 2 around a point.
    zero : (bool, bool)
        Whether ψ = 0 at the low and the high end; elsewhere nothing flows through it.
    """

    edges: Array
    orders: tuple[int, ...]
    radial: int = 0
    zero: tuple[bool, bool] = (False, True)

    @cached_property
    def elements(self) -> list[tuple[Array, Array, Array]]:
        """Of each element: points, weights with the measure, [point, node] derivatives."""
        out = []
        for lo, hi, order in zip(self.edges[:-1], self.edges[1:], self.orders, strict=True):
            xi, weights, slopes = _lobatto(order)
            half = (hi - lo) / 2
            x = (hi + lo) / 2 + half * xi
            inside = (hi + lo) / 2 + half * (1 - _INSIDE) * xi
            out.append((inside, half * weights * x**self.radial, slopes / half))
        return out

    @cached_property
    def nodes(self) -> Array:
        """(n_nodes,) all nodes, the eliminated ends too."""
        parts = [self.edges[:1]]
        for lo, hi, order in zip(self.edges[:-1], self.edges[1:], self.orders, strict=True):
            parts.append((hi + lo) / 2 + (hi - lo) / 2 * _lobatto(order)[0][1:])
        nodes = np.concatenate(parts)
        nodes[np.cumsum((0, *self.orders))] = self.edges
        return nodes

    @cached_property
    def points(self) -> Array:
        """(n_points,) nodes element by element, those between two elements twice."""
        return np.concatenate([points for points, _, _ in self.elements])

    @cached_property
    def weights(self) -> Array:
        """(n_points,) quadrature weights with the measure."""
        return np.concatenate([weights for _, weights, _ in self.elements])

    @cached_property
    def gather(self) -> sp.csr_array:
        """[point, node] 1 where a point is a node."""
        starts = np.cumsum((0, *self.orders))
        columns = np.concatenate(
            [s + np.arange(order + 1) for s, order in zip(starts, self.orders, strict=False)]
        )
        rows = np.arange(len(columns))
        return sp.csr_array((np.ones(len(rows)), (rows, columns)))

    @cached_property
    def slopes(self) -> sp.csr_array:
        """[point, node] derivatives."""
        return sp.csr_array(sp.block_diag([d for _, _, d in self.elements]) @ self.gather)

    @property
    def kept(self) -> slice:
        """The nodes that are unknowns."""
        low, high = self.zero
        return slice(int(low), len(self.nodes) - int(high))

    def at(self, x: float) -> Array:
        """(n_nodes,) basis functions at x."""
        e = min(int(np.searchsorted(self.edges, x, side="right")), len(self.orders)) - 1
        e = max(e, 0)
        start, order = sum(self.orders[:e]), self.orders[e]
        local = self.nodes[start : start + order + 1]
        out = np.zeros(len(self.nodes))
        for j in range(order + 1):
            others = np.delete(local, j)
            out[start + j] = np.prod((x - others) / (local[j] - others))
        return out


@cache
def _lobatto(order: int) -> tuple[Array, Array, Array]:
    """Gauss-Lobatto-Legendre nodes and weights on −1…1, and [node, node] derivatives."""
    polynomial = Legendre.basis(order)
    inner = np.sort(polynomial.deriv().roots().real)
    xi = np.concatenate([[-1.0], inner, [1.0]])
    height = polynomial(xi)
    weights = 2 / (order * (order + 1) * height**2)
    difference = xi[:, None] - xi + np.eye(order + 1)
    slopes = height[:, None] / height / difference
    np.fill_diagonal(slopes, 0.0)
    slopes -= np.diag(slopes.sum(axis=1))
    return xi, weights, slopes


@dataclass(frozen=True, kw_only=True, eq=False)
class NodalGrid:
    """Places are the kept nodes of the product of ``axes``, the last axis fastest.

    Coefficients are functions of all coordinates, arrays of one shape. A grid without axes is a
    single place of volume 1.
    """

    axes: tuple[NodalAxis, ...]

    @property
    def shape(self) -> tuple[int, ...]:
        """Unknowns along each axis."""
        return tuple(len(axis.nodes[axis.kept]) for axis in self.axes)

    @property
    def n_places(self) -> int:
        """Unknowns."""
        return int(np.prod(self.shape, dtype=int))

    @property
    def coordinates(self) -> tuple[Array, ...]:
        """Positions of the unknowns along each axis."""
        return tuple(axis.nodes[axis.kept] for axis in self.axes)

    def load(self, function: Coefficient) -> Array:
        """(n_places,) ∫ function φᵢ dV."""
        return self._kept @ (self._gather.T @ (self._weights * self._values(function)))

    def mass(self, function: Coefficient) -> Operator:
        """Diagonal of ∫ function φᵢ dV: what reacts with a density given by ``function``."""
        diagonal = self.load(function)
        return Operator(matrix=sp.csr_array(sp.diags_array(diagonal)), total=diagonal)

    def sheet(self, axis: int, function: Coefficient) -> Array:
        """(n_places,) ∫ function φᵢ dS over the low end of an axis; function of all coordinates."""
        others = [a for i, a in enumerate(self.axes) if i != axis]
        points = np.meshgrid(
            *(a.edges[:1] if i == axis else a.points for i, a in enumerate(self.axes)),
            indexing="ij",
        )
        weights = reduce(np.multiply.outer, [a.weights for a in others], np.ones(()))
        values = np.broadcast_to(function(*points), points[0].shape).squeeze(axis) * weights
        first = sp.csr_array(([1.0], ([0], [0])), shape=(1, len(self.axes[axis].nodes)))
        spread = self._kron([first if i == axis else a.gather for i, a in enumerate(self.axes)])
        return self._kept @ (spread.T @ values.ravel())

    def stiffness(self, axis: int, conductivity: Coefficient) -> Operator:
        """∫ conductivity ∂φᵢ ∂φⱼ dV along one axis; its total is what leaves by the zero-ends."""
        inside, _ = self._slopes[axis]
        return self._product(axis, self._weights * self._values(conductivity), inside)

    def convection(self, axis: int, velocity: Coefficient) -> Operator:
        """−∫ velocity φⱼ ∂φᵢ dV along one axis: ∇·(velocity ψ), carried out by the zero-ends."""
        inside = sp.csr_array(self._gather @ self._kept.T)
        return self._product(axis, -self._weights * self._values(velocity), inside)

    def at_places(self, values: Array) -> Array:
        """[…, place] of [level, place] values: themselves."""
        return values

    def at(self, point: tuple[float, ...]) -> Array:
        """(n_places,) weights of ψ at a point."""
        rows = [axis.at(x)[axis.kept] for axis, x in zip(self.axes, point, strict=True)]
        return reduce(np.multiply.outer, rows, np.ones(())).reshape(-1)

    @staticmethod
    def _kron(factors: list[sp.csr_array]) -> sp.csr_array:
        return reduce(
            lambda a, b: sp.csr_array(sp.kron(a, b)), factors, sp.csr_array(np.ones((1, 1)))
        )

    @cached_property
    def _gather(self) -> sp.csr_array:
        return self._kron([axis.gather for axis in self.axes])

    @cached_property
    def _kept(self) -> sp.csr_array:
        """[place, node] 1 where a node is an unknown."""
        return self._kron(
            [sp.csr_array(sp.eye_array(len(axis.nodes)))[axis.kept] for axis in self.axes]
        )

    @cached_property
    def _weights(self) -> Array:
        return reduce(np.multiply.outer, [a.weights for a in self.axes], np.ones(())).reshape(-1)

    @cached_property
    def _slopes(self) -> list[tuple[sp.csr_array, Array]]:
        """By axis: [point, place] derivatives along it, and (n_points,) of 1 on other nodes."""
        found = []
        for axis in range(len(self.axes)):
            whole = self._kron(
                [a.slopes if i == axis else a.gather for i, a in enumerate(self.axes)]
            )
            others = 1 - self._kept.T @ np.ones(self.n_places)
            found.append((sp.csr_array(whole @ self._kept.T), whole @ others))
        return found

    def _values(self, function: Coefficient) -> Array:
        points = np.meshgrid(*(axis.points for axis in self.axes), indexing="ij")
        if not points:
            return np.reshape(function(), 1)
        return np.broadcast_to(function(*points), points[0].shape).reshape(-1)

    def _product(self, axis: int, weights: Array, right: sp.csr_array) -> Operator:
        """Derivatives along an axis times weights times [point, place]."""
        left, outside = self._slopes[axis]
        scaled = right.copy()
        scaled.data *= np.repeat(weights, np.diff(right.indptr))
        matrix = sp.csr_array(left.T @ scaled)
        matrix.eliminate_zeros()
        # the rows of the nodes that are no unknowns tell what leaves
        return Operator(matrix=matrix, total=-(outside @ scaled))
