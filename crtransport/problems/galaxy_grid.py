"""Which elements or nodes a deck's geometry is cut into."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crtransport.deck.galaxy import GalaxyDeck
from crtransport.physics.geometry import LeakyBox
from crtransport.problems.galaxy_layers import Layers, kinks, layers, longest
from crtransport.solvers.cell_grid import CellAxis, CellGrid, clustered_nodes
from crtransport.solvers.nodal_grid import NodalAxis, NodalGrid

Array = NDArray[np.float64]

#: height of the lowest element, kpc, where nothing asks for a lower one
_FIRST = 0.15
#: an element is at most this many times as high as what lies below it, and one more
_GROWTH = 2.0
#: height up to which nodes in z are evenly spaced, over the lowest element
_CLUSTER = 4 / 3
#: distance from the Sun, kpc, within which edges lie on all kinks of the gas, of which short-lived
#: nuclei tell (measured in all fluxes of yuan2025_fig2: none leaves 1e-2, 0.6 kpc 3e-3, this 1e-5)
_NEAR = 1.3
#: knots closer than this part of the whole length are one
_SAME = 1e-9
#: how much longer than allowed an element may be
_ROUNDING = 1e-9


def make_grid(deck: GalaxyDeck, coarse: bool = False, like: GalaxyDeck | None = None) -> Any:
    """The grid of a deck: a NodalGrid or a CellGrid, with axes (r, z), (z), or none.

    Edges of elements lie on every knot of the deck's tables, on the Sun, and on the kinks of the
    gas of the surveys near it; elements are as thin as the layers of gas, sources and D are. The
    coarse grid has the same elements of one order
    less in r and two in z (neighbouring orders can agree by chance in one dimension), or every
    second node of the cells. ``like``: a deck whose elements are taken, moved as its knots are: how
    many there are does not change when a number does.
    """
    if deck.geometry.kind == "leaky-box":
        return NodalGrid(axes=())
    cells = deck.solver.discretisation == "finite-volume"
    base = like or deck
    ends = _ends(base)
    edges = (_nodes if cells else _edges)(base, ends)
    if like is not None:
        moved = _ends(deck, like)
        edges = [np.interp(x, a, b) for x, a, b in zip(edges, ends, moved, strict=True)]
    radial = [1, 0][-len(edges) :]
    if cells:
        every = 2 if coarse else 1
        return CellGrid(
            axes=tuple(
                CellAxis(nodes=x[::every], radial=n) for x, n in zip(edges, radial, strict=True)
            )
        )
    order_r, order_z, _ = deck.solver.orders()
    orders = [order_r - coarse, order_z - 2 * coarse][-len(edges) :]
    return NodalGrid(
        axes=tuple(
            NodalAxis(edges=x, orders=(order,) * (len(x) - 1), radial=n)
            for x, order, n in zip(edges, orders, radial, strict=True)
        )
    )


def _edges(deck: GalaxyDeck, ends: list[list[float]]) -> list[Array]:
    """Edges of elements along (r, z), or z."""
    thin = layers(deck)
    edges = [split(heights(ends[-1][-1], ends[-1], _lowest(thin)), thin)]
    if deck.geometry.kind == "cylinder":
        r_h, (_, _, elements) = deck.geometry.r_h, deck.solver.orders()
        if deck.solver.elements_r is None:
            elements = max(elements, math.ceil(r_h / longest(deck)))
        places = _inside([r for part in _parts(deck) for r in part.kinks()[0]], r_h)
        knots = sorted([*ends[0], *_near(deck)])
        edges.insert(0, split(radii(r_h, elements, knots), kinks(deck, places)))
    return edges


def _nodes(deck: GalaxyDeck, ends: list[list[float]]) -> list[Array]:
    """Nodes of control volumes along (r, z), or z, closer together in the disk.

    Between two knots there are two volumes at least, so that every second node is a coarser grid.
    """
    cells_r, cells_z = deck.solver.cells()
    inner, z_h = ends[-1][1:-1], ends[-1][-1]
    scale = min(_CLUSTER * _lowest(layers(deck)), z_h)
    nodes = [clustered_nodes(z_h, cells_z, scale, inner, multiple=2)]
    if deck.geometry.kind == "cylinder":
        knots = sorted([*ends[0], *_near(deck)])
        nodes.insert(0, radii(deck.geometry.r_h, cells_r, knots, multiple=2))
    return nodes


def _lowest(thin: Layers) -> float:
    return min([_FIRST, *(size for z, size in thin if z == 0)])


def split(edges: Array, layers: Layers) -> Array:
    """Elements halved until all are as short as ``layers`` ask for beside them, growing away."""
    done, waiting = [edges[0]], [*edges[:0:-1]]
    while waiting:
        lo, hi = done[-1], waiting[-1]
        allowed = (max(size, _GROWTH * max(lo - place, place - hi, 0.0)) for place, size in layers)
        if hi - lo > (1 + _ROUNDING) * min(allowed, default=math.inf):
            waiting.append((lo + hi) / 2)
        else:
            done.append(waiting.pop())
    return np.array(done)


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


def radii(r_h: float, elements: int, knots: Sequence[float], multiple: int = 1) -> Array:
    """About ``elements`` equal elements from 0 to ``r_h``, with edges on all knots.

    ``multiple``: what the elements between two knots are a multiple of.
    """
    ends = [0.0, *_inside(knots, r_h), r_h]
    parts = [np.array([0.0])]
    for lo, hi in pairwise(ends):
        n = multiple * max(1, round((hi - lo) / r_h * elements / multiple))
        parts.append(np.linspace(lo, hi, n + 1)[1:])
    return np.concatenate(parts)


def _inside(knots: Sequence[float], end: float) -> list[float]:
    """The knots strictly between 0 and ``end``, each once, in order."""
    return [float(knots[i]) for i in _kept(knots, end)]


def _kept(knots: Sequence[float], end: float) -> list[int]:
    """Which knots those are; the first one where some lie on each other."""
    found: list[int] = []
    for i in np.argsort(knots, kind="stable"):
        knot, last = knots[i], knots[found[-1]] if found else 0.0
        if knot < (1 - _SAME) * end and knot - last > _SAME * end:
            found.append(int(i))
    return found


def _ends(deck: GalaxyDeck, like: GalaxyDeck | None = None) -> list[list[float]]:
    """Along (r, z), or z: 0, where gas, sources or D have kinks, the Sun, and the outer end.

    ``like``: a deck that says which of them are one; those of ``deck`` may have come apart.
    """
    return [
        [0.0, *(float(own[i]) for i in _kept(others, last)), end]
        for (own, end), (others, last) in zip(_knots(deck), _knots(like or deck), strict=True)
    ]


def _knots(deck: GalaxyDeck) -> list[tuple[list[float], float]]:
    """Along (r, z), or z: kinks, the Sun first, and the outer end."""
    assert not isinstance(deck.geometry, LeakyBox)
    r_knots, z_knots = ([x for part in _parts(deck) for x in part.kinks()[i]] for i in (0, 1))
    found = [(z_knots, deck.geometry.z_h)]
    if deck.geometry.kind == "cylinder":
        found.insert(0, ([deck.geometry.r_sun, *r_knots], deck.geometry.r_h))
    return found


def _near(deck: GalaxyDeck) -> list[float]:
    """Kinks of the gas beside the Sun; others are integrated within elements."""
    r_sun = deck.geometry.r_sun
    return [r for r in deck.gas.bends() if abs(r - r_sun) < _NEAR]


def _parts(deck: GalaxyDeck) -> list[Any]:
    """What has kinks."""
    return [deck.diffusion, deck.gas, *deck.source]
