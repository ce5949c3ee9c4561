"""Second-order finite volumes on a tensor product of axes: the independent discretisation.

    node 0    node 1        node 2      …   node n
    |----¦------+------¦------+------¦------|
    0    0   1  1   2  2  …                       faces, half-way between two nodes

The unknowns are values at the nodes, each the middle of a control volume that reaches half-way to
its neighbours; what one volume loses through a face another gains. Coefficients are integrated by
Gauss points on either side of each face, and along a flux the resistances of what lies between two
nodes add up (Patankar 1980, Numerical Heat Transfer and Fluid Flow, Sec. 4.2-3): jumps and kinks at
nodes and faces cost no order. A jump elsewhere leaves order 1, so nodes are put where jumps are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce
from itertools import pairwise

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from crtransport.solvers.problem import Operator

Array = NDArray[np.float64]
Coefficient = Callable[..., Array]

#: two-point Gauss rule on either half of 0…1, each point with a quarter of the weight
_RULE = np.array([(half + s / np.sqrt(3)) / 2 for half in (0.5, 1.5) for s in (-0.5, 0.5)])


@dataclass(frozen=True, kw_only=True, eq=False)
class CellAxis:
    """One axis of control volumes around ``nodes``.

    Parameters
    ----------
    nodes : (n_nodes,) array
        Increasing, the first and the last at the ends of the axis.
    radial : int
        The measure is x^radial dx: 0 in a plane, 1 around an axis, 2 around a point.
    zero : (bool, bool)
        Whether ψ = 0 at the low and the high end; elsewhere nothing flows through it.
    """

    nodes: Array
    radial: int = 0
    zero: tuple[bool, bool] = (False, True)

    @property
    def kept(self) -> slice:
        """The nodes that are unknowns."""
        low, high = self.zero
        return slice(int(low), len(self.nodes) - int(high))

    @cached_property
    def faces(self) -> Array:
        """(n_faces,) places half-way between two nodes."""
        return np.asarray((self.nodes[1:] + self.nodes[:-1]) / 2)

    @cached_property
    def areas(self) -> Array:
        """(n_faces,) x^radial at the faces: the flux of x² is exact with it, also next to x = 0."""
        return np.asarray(self.faces**self.radial)

    @cached_property
    def points(self) -> Array:
        """(4·n_faces,) points of quadrature: two on either side of each face."""
        return (self.nodes[:-1, None] + np.diff(self.nodes)[:, None] * _RULE).ravel()

    @cached_property
    def volumes(self) -> Array:
        """[unknown, point] weights of ∫ … x^radial dx over each control volume."""
        n = len(self.faces)
        owner = (np.arange(n)[:, None] + (_RULE > 0.5)).ravel()
        weights = np.repeat(np.diff(self.nodes) / len(_RULE), len(_RULE)) * self.points**self.radial
        return (owner == np.arange(n + 1)[:, None])[self.kept] * weights

    def rule(self, kinks: Sequence[float]) -> tuple[Array, Array]:
        """Points between nodes, faces and kinks, and [unknown, point] weights as `volumes` has."""
        inner = [x for x in kinks if self.nodes[0] < x < self.nodes[-1]]
        ends = np.unique([*self.nodes, *self.faces, *inner])
        half = np.diff(ends)[:, None] / 2
        points = (ends[:-1, None] + half * (1 + np.array([-1, 1]) / np.sqrt(3))).ravel()
        owner = np.searchsorted(self.faces, points)
        weights = np.repeat(half.ravel(), 2) * points**self.radial
        return points, (owner == np.arange(len(self.nodes))[:, None])[self.kept] * weights

    @cached_property
    def difference(self) -> Array:
        """[face, unknown] ψ above less ψ below a face."""
        n = len(self.faces)
        return (np.eye(n, n + 1, 1) - np.eye(n, n + 1))[:, self.kept]

    @cached_property
    def mean(self) -> Array:
        """[face, unknown] ψ half-way between two nodes."""
        return np.abs(self.difference) / 2

    @cached_property
    def exits(self) -> Array:
        """(n_faces,) 1 where an upward flux leaves through a zero-end, −1 where it enters."""
        out = np.zeros(len(self.faces))
        out[0] -= self.zero[0]
        out[-1] += self.zero[1]
        return out

    def at(self, x: float) -> Array:
        """(n_nodes,) weights of linear interpolation to x."""
        above = int(np.clip(np.searchsorted(self.nodes, x), 1, len(self.nodes) - 1))
        lo, hi = self.nodes[above - 1 : above + 1]
        out = np.zeros(len(self.nodes))
        out[above - 1 : above + 1] = (hi - x) / (hi - lo), (x - lo) / (hi - lo)
        return out


@dataclass(frozen=True, kw_only=True, eq=False)
class CellGrid:
    """Places are the kept nodes of the product of ``axes``, the last axis fastest.

    Coefficients are functions of all coordinates, arrays of one shape. A grid without axes is a
    single place of volume 1.
    """

    axes: tuple[CellAxis, ...]

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
        """(n_places,) ∫ function dV over each control volume.

        ``kinks``: places along the first axis at which ``function`` bends within volumes.
        """
        rules = [(axis.points, axis.volumes) for axis in self.axes]
        if kinks:
            rules[0] = self.axes[0].rule(kinks)
        values = self._values(function, [points for points, _ in rules])
        return _contract(values, [weights for _, weights in rules]).ravel()

    def mass(self, function: Coefficient) -> Operator:
        """Diagonal of ∫ function dV: what reacts with a density given by ``function``."""
        return Operator.diag(self.load(function))

    def sheet(self, axis: int, function: Coefficient) -> Array:
        """(n_places,) ∫ function dS over the low end of an axis; function of all coordinates."""
        low = self.axes[axis]
        values = self._values(function, self._replaced(axis, low.nodes[:1]))
        first = np.eye(len(low.nodes), 1)[low.kept]
        return _contract(values, self._volumes(axis, first)).ravel()

    def stiffness(self, axis: int, conductivity: Coefficient) -> Operator:
        """∫ −∇·(conductivity ∇ψ) dV along one axis; its total is what leaves by the zero-ends.

        ``conductivity`` > 0.
        """
        along = self.axes[axis]
        values = self._values(conductivity, [a.points for a in self.axes])
        parts = (*values.shape[:axis], len(along.faces), len(_RULE), *values.shape[axis + 1 :])
        harmonic = 1 / np.mean(1 / values.reshape(parts), axis=axis + 1)
        per_step = np.diag(along.areas / np.diff(along.nodes))
        conductance = _contract(harmonic, self._volumes(axis, per_step))
        return self._divergence(axis, -conductance, along.difference)

    def convection(self, axis: int, velocity: Coefficient) -> Operator:
        """∫ ∇·(velocity ψ) dV along one axis, carried out by the zero-ends.

        The ψ of a face is the mean of its two nodes: conservative and of second order, and
        monotone together with a diffusion D as long as |velocity| · step < 2 D.
        """
        along = self.axes[axis]
        values = self._values(velocity, self._replaced(axis, along.faces))
        carried = _contract(values, self._volumes(axis, np.diag(along.areas)))
        return self._divergence(axis, carried, along.mean)

    def at_places(self, values: Array) -> Array:
        """[…, place] of [level, place] values: themselves."""
        return values

    def at(self, point: tuple[float, ...]) -> Array:
        """(n_places,) weights of ψ at a point, linear along each axis."""
        rows = [axis.at(x)[axis.kept] for axis, x in zip(self.axes, point, strict=True)]
        return reduce(np.multiply.outer, rows, np.ones(())).reshape(-1)

    def _replaced(self, axis: int, points: Array) -> list[Array]:
        """The quadrature points of all axes but one."""
        return [points if i == axis else a.points for i, a in enumerate(self.axes)]

    def _volumes(self, axis: int, weights: Array) -> list[Array]:
        """Weights of the control volumes along all axes but one."""
        return [weights if i == axis else a.volumes for i, a in enumerate(self.axes)]

    def _values(self, function: Coefficient, points: list[Array]) -> Array:
        """``function`` on the product of the points along each axis."""
        if not points:
            return np.reshape(function(), ())
        mesh = np.meshgrid(*points, indexing="ij")
        return np.broadcast_to(function(*mesh), mesh[0].shape)

    def _divergence(self, axis: int, strength: Array, face_value: Array) -> Operator:
        """What flows out of each place if strength · face_value @ ψ flows up through each face."""
        flux = sp.diags_array(strength.ravel()) @ self._along(axis, face_value)
        matrix = sp.csr_array(-self._along(axis, self.axes[axis].difference).T @ flux)
        matrix.eliminate_zeros()
        exits = self._along(axis, self.axes[axis].exits[None, :])
        return Operator(matrix=matrix, total=np.asarray((exits @ flux).sum(axis=0)).ravel())

    def _along(self, axis: int, matrix: Array) -> sp.csr_array:
        """``matrix`` acting along one axis, at each place of the others."""
        before, after = np.prod(self.shape[:axis]), np.prod(self.shape[axis + 1 :])
        outer = sp.kron(sp.eye_array(int(before)), sp.csr_array(matrix))
        return sp.csr_array(sp.kron(outer, sp.eye_array(int(after))))


def clustered_nodes(
    length: float, n: int, scale: float, through: Sequence[float] = (), multiple: int = 1
) -> Array:
    """About ``n`` steps from 0 to ``length``, even below ``scale`` and ∝ x above it, by a sinh.

    Parameters
    ----------
    through : sequence of float
        Places between 0 and ``length``, in order, on each of which a node lies.
    multiple : int
        What the steps between two of them are a multiple of.
    """
    ends = np.arcsinh(np.array([0.0, *through, length]) / scale)
    parts = [np.zeros(1)]
    for lo, hi in pairwise(ends):
        steps = multiple * max(1, round((hi - lo) / ends[-1] * n / multiple))
        parts.append(np.linspace(lo, hi, steps + 1)[1:])
    nodes = scale * np.sinh(np.concatenate(parts))
    nodes[np.cumsum([len(part) for part in parts]) - 1] = [0.0, *through, length]
    return nodes


def _contract(values: Array, weights: list[Array]) -> Array:
    """Σ weights[i, p] values[…, p, …] along each axis in turn."""
    for axis, matrix in enumerate(weights):
        values = np.moveaxis(np.tensordot(matrix, values, (1, axis)), 0, axis)
    return values
