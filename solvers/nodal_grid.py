"""Spectral elements on a tensor product of axes: nodes are quadrature points, the mass diagonal.

On each element the nodes are Gauss-Lobatto-Legendre points and integrals are their sums, exact for
polynomials of degree 2·order − 1: smooth solutions converge exponentially in the order (Canuto,
Hussaini, Quarteroni & Zang 2007, Spectral Methods, Sec. 5.3). Coefficients may jump between
elements: they are evaluated just inside.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache, reduce
from typing import Any

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
    def firsts(self) -> NDArray[np.int64]:
        """(n_nodes,) the first point of each node; a second one follows between two elements."""
        inner = np.cumsum(self.orders)[:-1]
        nodes = np.arange(len(self.nodes))
        return np.asarray(nodes + np.searchsorted(inner, nodes, side="left"))

    @cached_property
    def slopes(self) -> Array:
        """[point, node] derivatives."""
        out = np.zeros((len(self.points), len(self.nodes)))
        for points, nodes, slopes in self.parts:
            out[points, nodes] = slopes
        return out

    @cached_property
    def parts(self) -> list[tuple[slice, slice, Array]]:
        """Of each element: its points, its nodes, [point, node] derivatives."""
        starts = np.cumsum((0, *self.orders[:-1]))
        return [
            (slice(s + e, s + e + order + 1), slice(s, s + order + 1), slopes)
            for e, (s, order, (_, _, slopes)) in enumerate(
                zip(starts, self.orders, self.elements, strict=True)
            )
        ]

    def rule(self, kinks: Sequence[float]) -> tuple[Array, Array]:
        """Gauss points between edges and kinks, and [unknown, point] weights of ∫ … φᵢ x^radial dx.

        Exact for polynomials of twice the largest order between them.
        """
        inner = [x for x in kinks if self.edges[0] < x < self.edges[-1]]
        ends = np.unique([*self.edges, *inner])
        xi, weights = np.polynomial.legendre.leggauss(max(self.orders) + 1)
        half = np.diff(ends)[:, None] / 2
        points = (ends[:-1, None] + half * (1 + xi)).ravel()
        basis = np.zeros((len(self.nodes), len(points)))
        owner = np.searchsorted(self.edges, points) - 1
        for e, (_, nodes, _) in enumerate(self.parts):
            basis[nodes, owner == e] = _lagrange(self.nodes[nodes], points[owner == e])
        return points, basis[self.kept] * (half * weights).ravel() * points**self.radial

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
        own = slice(start, start + order + 1)
        out = np.zeros(len(self.nodes))
        out[own] = _lagrange(self.nodes[own], np.array([x]))[:, 0]
        return out


def _lagrange(nodes: Array, x: Array) -> Array:
    """[node, point] the polynomials that are 1 at one node and 0 at the others."""
    one = np.eye(len(nodes))
    apart = nodes[:, None] - nodes + one
    factors = (x - nodes[:, None])[None] / apart[:, :, None]
    return np.asarray(np.prod(np.where(one[:, :, None] > 0, 1.0, factors), axis=1))


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

    def load(self, function: Coefficient, kinks: Sequence[float] = ()) -> Array:
        """(n_places,) ∫ function φᵢ dV.

        ``kinks``: places along the first axis at which ``function`` bends within elements; it is
        then integrated between them, so that no element has to end there.
        """
        if not kinks:
            return self._gathered(self._weights * self._values(function)).reshape(-1)
        points, first = self.axes[0].rule(kinks)
        mesh = np.meshgrid(points, *(axis.points for axis in self.axes[1:]), indexing="ij")
        others = _outer([np.ones(len(points)), *(axis.weights for axis in self.axes[1:])])
        values = self._gathered(np.broadcast_to(function(*mesh), mesh[0].shape) * others, 0)
        return np.tensordot(first, values, 1).reshape(-1)

    def mass(self, function: Coefficient) -> Operator:
        """Diagonal of ∫ function φᵢ dV: what reacts with a density given by ``function``."""
        return Operator.diag(self.load(function))

    def sheet(self, axis: int, function: Coefficient) -> Array:
        """(n_places,) ∫ function φᵢ dS over the low end of an axis; function of all coordinates."""
        out = np.zeros(self.shape)
        if self.axes[axis].zero[0]:
            return out.reshape(-1)
        points = np.meshgrid(
            *(a.edges[:1] if i == axis else a.points for i, a in enumerate(self.axes)),
            indexing="ij",
        )
        others = [np.ones(1) if i == axis else a.weights for i, a in enumerate(self.axes)]
        values = np.broadcast_to(function(*points), points[0].shape) * _outer(others)
        low = tuple(slice(1) if i == axis else slice(None) for i in range(len(self.axes)))
        out[low] = self._gathered(values, axis)
        return out.reshape(-1)

    def stiffness(self, axis: int, conductivity: Coefficient) -> Operator:
        """∫ conductivity ∂φᵢ ∂φⱼ dV along one axis; its total is what leaves by the zero-ends."""
        slopes = [slopes for _, _, slopes in self.axes[axis].parts]
        return self._product(axis, self._weights * self._values(conductivity), slopes)

    def convection(self, axis: int, velocity: Coefficient) -> Operator:
        """−∫ velocity φⱼ ∂φᵢ dV along one axis: ∇·(velocity ψ), carried out by the zero-ends."""
        values = [np.eye(order + 1) for order in self.axes[axis].orders]
        return self._product(axis, -self._weights * self._values(velocity), values)

    def at_places(self, values: Array) -> Array:
        """[…, place] of [level, place] values: themselves."""
        return values

    def at(self, point: tuple[float, ...]) -> Array:
        """(n_places,) weights of ψ at a point."""
        rows = [axis.at(x)[axis.kept] for axis, x in zip(self.axes, point, strict=True)]
        return _outer(rows).reshape(-1)

    @cached_property
    def _weights(self) -> Array:
        return _outer([axis.weights for axis in self.axes])

    @cached_property
    def _points(self) -> list[Array]:
        return list(np.meshgrid(*(axis.points for axis in self.axes), indexing="ij"))

    def _values(self, function: Coefficient) -> Array:
        """Coordinates -> values at all points; of a grid without axes the one value."""
        values = np.asarray(function(*self._points), dtype=float)
        return np.broadcast_to(values, self._weights.shape) if self.axes else values.reshape(())

    def _gathered(self, values: Array, but: int | None = None) -> Array:
        """Summed over the points of each unknown, along all axes but one."""
        for i, axis in enumerate(self.axes):
            if i != but:
                whole = np.add.reduceat(values, axis.firsts, axis=i)
                values = whole[(slice(None),) * i + (axis.kept,)]
        return values

    def _product(self, axis: int, weights: Array, right: Sequence[Array]) -> Operator:
        """Derivatives along an axis times weights times, by element, [point, node] ``right``."""
        line = self.axes[axis]
        before, after = (int(np.prod(n)) for n in (self.shape[:axis], self.shape[axis + 1 :]))
        along = np.moveaxis(self._gathered(weights, axis), axis, -1).reshape(before * after, -1)
        slots, rows, columns = _pattern(line.orders)
        entries = np.zeros((before * after, len(rows)))
        for (points, _, left), other, slot in zip(line.parts, right, slots, strict=True):
            entries[:, slot] += (left.T * along[:, None, points]) @ other
        # the rows of the nodes that are no unknowns tell what leaves
        total = np.zeros((before * after, len(line.nodes)))
        unknown = np.arange(len(line.nodes))[line.kept]
        for i in np.flatnonzero(~np.isin(rows, unknown)):
            total[:, columns[i]] -= entries[:, i]
        leaving = total[:, line.kept].reshape(before, after, -1)
        order, indices, starts = _layout(line.orders, line.zero, before, after)
        data = entries.reshape(before, -1)[:, order].reshape(-1)
        n = self.n_places
        matrix = sp.csr_array((data, indices.copy(), starts.copy()), shape=(n, n))
        return Operator(matrix=matrix, total=leaving.transpose(0, 2, 1).reshape(-1))


def _outer(factors: list[Array]) -> Array:
    return reduce(np.multiply.outer, factors, np.ones(()))


@lru_cache(maxsize=64)
def _pattern(orders: tuple[int, ...]) -> tuple[list[Any], Any, Any]:
    """Entries between the nodes of an axis: those of each element, and the row and column of each.

    An element has all pairs of its nodes, and shares those of its end nodes with its neighbours.
    """
    starts = np.cumsum((0, *orders))
    parts = [slice(s, s + order + 1) for s, order in zip(starts, orders, strict=False)]
    there = np.zeros((starts[-1] + 1,) * 2, dtype=bool)
    for part in parts:
        there[part, part] = True
    slot = np.cumsum(there).reshape(there.shape) - 1
    rows, columns = np.nonzero(there)
    return [slot[part, part] for part in parts], rows, columns


@lru_cache(maxsize=64)
def _layout(
    orders: tuple[int, ...], zero: tuple[bool, bool], before: int, after: int
) -> tuple[Any, Any, Any]:
    """Compressed rows of a matrix along one axis: entries in order, column indices, row starts.

    ``before`` and ``after`` are the unknowns of the axes before and after it; entries are taken
    from [before, after × entry of the axis].
    """
    _, rows, columns = _pattern(orders)
    n = sum(orders) + 1 - sum(zero)
    rows, columns = rows - zero[0], columns - zero[0]
    inside = (rows >= 0) & (rows < n) & (columns >= 0) & (columns < n)
    each = np.arange(after)
    order, indices = [], []
    for row in range(n):
        own = np.flatnonzero(inside & (rows == row))
        order.append(np.add.outer(each * len(rows), own).ravel())
        indices.append(np.add.outer(each, columns[own] * after).ravel())
    lengths = np.repeat(np.bincount(rows[inside], minlength=n), after)
    one = np.concatenate(indices)
    every = np.add.outer(np.arange(before) * n * after, one).ravel()
    starts = np.concatenate([[0], np.cumsum(np.tile(lengths, before))])
    return np.concatenate(order), every.astype(np.int32), starts.astype(np.int32)
