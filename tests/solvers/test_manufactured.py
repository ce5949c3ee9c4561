"""Manufactured solutions of the whole equation: every kind of term at once, orders measured.

ψ = e^(−2u) y(u) cos(πz/2) (1 − r²) in a cylinder, with diffusion, drift, spreading and reaction.
"""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from crtransport.solvers import differences
from crtransport.solvers.levels import Levels, rate, weight_of
from crtransport.solvers.nodal_grid import NodalAxis, NodalGrid
from crtransport.solvers.problem import FieldProblem, Term
from crtransport.solvers.sweep_gmres import solve_sweep

Array = NDArray[np.float64]
TILT, SLOPE = 3.0, -2.0


def nodal(order: int) -> NodalGrid:
    r = NodalAxis(edges=np.array([0.0, 0.5, 1.0]), orders=(order,) * 2, radial=1)
    z = NodalAxis(edges=np.array([0.0, 0.3, 1.0]), orders=(order,) * 2)
    return NodalGrid(axes=(r, z))


def shape(r: Array, z: Array) -> Array:
    return np.asarray(np.cos(np.pi / 2 * z) * (1 - r**2))


def density(r: Array, z: Array) -> Array:
    return np.asarray(np.exp(-z) * (1 + r))


def factor(r: Array, z: Array) -> Array:
    return np.asarray(0.5 + z**2)


def escape(r: Array, z: Array) -> Array:
    """−∇·f∇ of the shape."""
    k = np.pi / 2
    radial = 4 * factor(r, z) * np.cos(k * z)
    vertical = (2 * z * k * np.sin(k * z) + factor(r, z) * k**2 * np.cos(k * z)) * (1 - r**2)
    return np.asarray(radial + vertical)


def problem(grid: Any, scheme: Any, order: int, n: int) -> tuple[FieldProblem, Array]:
    """The discrete problem, and y at its places."""
    levels = Levels(first=-3.0, step=12.0 / n, n=n + 1)
    ends, u = levels.extended, levels.values
    scale = SLOPE * ends
    weight = weight_of(scale)
    g = 0.5 * np.exp(-((u - 3) ** 2) / 2)
    y, dy, ddy = 1 + g, -(u - 3) * g, ((u - 3) ** 2 - 1) * g
    halo, speed, strength = 3 * np.exp(0.3 * u), 2 * np.exp(-0.5 * u), 0.4 * np.exp(-0.2 * u)
    drifted = -speed * ((SLOPE - 0.5) * y + dy)
    flux, slope = (SLOPE - TILT) * y + dy, (SLOPE - TILT) * dy + ddy
    spread = -strength * ((SLOPE - 0.2) * flux + slope)
    terms = (
        *(
            Term(name="escape", along=rate(halo, weight), across=grid.stiffness(axis, factor))
            for axis in (0, 1)
        ),
        Term(
            name="drift",
            along=scheme.drift(levels, 2 * np.exp(-0.5 * ends), scale, order),
            across=grid.mass(density),
        ),
        Term(
            name="spread",
            along=scheme.spread(levels, 0.4 * np.exp(-0.2 * ends), TILT * ends, scale, order),
            across=grid.mass(lambda r, z: 1 / factor(r, z)),
        ),
        Term(name="reaction", along=rate(np.ones(n + 1), weight), across=grid.mass(density)),
    )
    source = np.outer(halo * y, grid.load(escape))
    source += np.outer(drifted + y, grid.load(lambda r, z: density(r, z) * shape(r, z)))
    source += np.outer(spread, grid.load(lambda r, z: shape(r, z) / factor(r, z)))
    volume = grid.load(lambda r, z: np.ones_like(r))
    places = shape(*np.meshgrid(*grid.coordinates, indexing="ij")).ravel()
    task = FieldProblem(terms=terms, source=source, mass=volume, weight=weight, shape=grid.shape)
    return task, np.outer(y, places)


def error(grid: Any, scheme: Any, order: int, n: int) -> float:
    task, exact = problem(grid, scheme, order, n)
    found = solve_sweep(task, rtol=1e-11)
    assert sum(task.budget(found.values).values()) == pytest.approx(1.0, abs=1e-10)
    away = np.abs(found.values - exact)[n // 8 : -n // 8]
    return float(np.max(away))


@pytest.mark.parametrize(("order", "least"), [(3, 2.8), (5, 4.5)])
def test_order_along_the_axis(order: int, least: float) -> None:
    found = [error(nodal(9), differences, order, n) for n in (32, 64, 128)]
    rates = np.log2(np.array(found[:-1]) / found[1:])
    assert np.all(rates > least), (found, rates)


def test_order_across() -> None:
    """From order 3 to 5 on the same elements: more than a factor of 30."""
    found = [error(nodal(order), differences, 5, 160) for order in (3, 5, 7)]
    assert found[1] < found[0] / 30
    assert found[2] < found[1] / 10
