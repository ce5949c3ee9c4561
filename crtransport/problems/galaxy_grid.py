"""Which elements or nodes a deck's geometry is cut into."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crtransport.deck.galaxy import GalaxyDeck
from crtransport.physics.geometry import LeakyBox
from crtransport.solvers.cell_grid import CellAxis, CellGrid, clustered_nodes
from crtransport.solvers.nodal_grid import NodalAxis, NodalGrid

Array = NDArray[np.float64]

#: height of the lowest element, kpc: about the scale height of the molecular gas and the sources
_FIRST = 0.15
#: an element is at most this many times as high as what lies below it, and one more
_GROWTH = 2.0
#: height up to which nodes in z are evenly spaced, kpc
_CLUSTER = 0.2
#: knots closer than this part of the whole length are one
_SAME = 1e-9


def make_grid(deck: GalaxyDeck, coarse: bool = False) -> Any:
    """The grid of a deck: a NodalGrid or a CellGrid, with axes (r, z), (z), or none.

    Edges of elements lie on every knot of the deck's tables, and on the Sun. The coarse grid has
    one order less in r and two in z (neighbouring orders can agree by chance in one dimension), or
    half as many cells.
    """
    if deck.geometry.kind == "leaky-box":
        return NodalGrid(axes=())
    r_knots, z_knots = _knots(deck)
    if deck.solver.discretisation == "finite-volume":
        return _cells(deck, r_knots, z_knots, coarse)
    z_edges = heights(deck.geometry.z_h, z_knots)
    order_r, order_z, elements = deck.solver.orders()
    axes = [NodalAxis(edges=z_edges, orders=(order_z - 2 * coarse,) * (len(z_edges) - 1))]
    if deck.geometry.kind == "cylinder":
        r_edges = radii(deck.geometry.r_h, elements, r_knots)
        orders = (order_r - coarse,) * (len(r_edges) - 1)
        axes.insert(0, NodalAxis(edges=r_edges, orders=orders, radial=1))
    return NodalGrid(axes=tuple(axes))


def _cells(
    deck: GalaxyDeck, r_knots: Sequence[float], z_knots: Sequence[float], coarse: bool
) -> CellGrid:
    """Control volumes with nodes on all knots, in z closer together in the disk."""
    cells_r, cells_z = (n // 2 if coarse else n for n in deck.solver.cells())
    assert not isinstance(deck.geometry, LeakyBox)
    z_h = deck.geometry.z_h
    nodes = clustered_nodes(z_h, cells_z, min(_CLUSTER, z_h), _inside(z_knots, z_h))
    axes = [CellAxis(nodes=nodes)]
    if deck.geometry.kind == "cylinder":
        axes.insert(0, CellAxis(nodes=radii(deck.geometry.r_h, cells_r, r_knots), radial=1))
    return CellGrid(axes=tuple(axes))


def heights(z_h: float, knots: Sequence[float], first: float = _FIRST) -> Array:
    """Edges of elements from 0 to ``z_h``, through all knots, growing away from the disk."""
    edges = [0.0]
    for end in [*_inside(knots, z_h), z_h]:
        inner = [edges[-1]]
        while inner[-1] < end:
            inner.append(inner[-1] + max(first, _GROWTH * inner[-1]))
        # the same number of elements, shrunk to end on the knot
        shrink = (end - inner[0]) / (inner[-1] - inner[0])
        edges += [inner[0] + shrink * (z - inner[0]) for z in inner[1:-1]] + [end]
    return np.array(edges)


def radii(r_h: float, elements: int, knots: Sequence[float]) -> Array:
    """About ``elements`` equal elements from 0 to ``r_h``, with edges on all knots."""
    ends = [0.0, *_inside(knots, r_h), r_h]
    parts = [np.array([0.0])]
    for lo, hi in pairwise(ends):
        n = max(1, round((hi - lo) / r_h * elements))
        parts.append(np.linspace(lo, hi, n + 1)[1:])
    return np.concatenate(parts)


def _inside(knots: Sequence[float], end: float) -> list[float]:
    """The knots strictly between 0 and ``end``, each once, in order."""
    found: list[float] = []
    for knot in sorted(knots):
        if _SAME * end < knot < (1 - _SAME) * end and (not found or knot - found[-1] > _SAME * end):
            found.append(float(knot))
    return found


def _knots(deck: GalaxyDeck) -> tuple[list[float], list[float]]:
    """Places where gas, sources or D have kinks, and the Sun."""
    r_knots = [deck.geometry.r_sun] if deck.geometry.kind == "cylinder" else []
    z_knots: list[float] = []
    for part in (deck.diffusion, deck.gas, *deck.source):
        r_more, z_more = part.breaks()
        r_knots += r_more
        z_knots += z_more
    return r_knots, z_knots
