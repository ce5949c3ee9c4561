"""Each comparison of the galaxy fails when a coefficient that it guards is off by 1e-5."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import scipy.sparse as sp

from crtransport.physics import nuclear
from crtransport.physics.diffusion import Diffusion
from crtransport.problems import galaxy_momentum
from crtransport.solvers import differences, upwind
from crtransport.solvers.cell_grid import CellGrid
from crtransport.solvers.levels import Banded
from crtransport.solvers.nodal_grid import NodalGrid
from crtransport.solvers.problem import Operator
from crtransport.validate import comparisons
from crtransport.validation import galaxy, galaxy_cylinder, galaxy_leaky_box, galaxy_slab

OFF = 1 + 1e-5


def scaled(function: Callable[..., Any], whole: bool = True) -> Callable[..., Any]:
    """The same, a little larger; of an operator the matrix, and with ``whole`` its total."""

    def off(*args: Any, **kwargs: Any) -> Any:
        found = function(*args, **kwargs)
        if isinstance(found, list):
            return [scaled(lambda one=one: one, whole)() for one in found]
        if isinstance(found, Operator):
            total = found.total * OFF if whole else found.total
            return Operator(matrix=sp.csr_array(found.matrix * OFF), total=total)
        if isinstance(found, Banded):
            total = found.total * OFF if whole else found.total
            return Banded(bands=found.bands * OFF, total=total)
        return None if found is None else found * OFF

    return off


def worst(module: Any, name: str) -> float:
    """Largest error over tolerance among the rows of a module whose names begin with ``name``."""
    rows = [row for row in module.rows() if row[0].startswith(name)]
    assert rows, name
    return max(abs(a / b - 1) / tolerance for _, a, b, tolerance, _ in rows)


def test_all_are_green_and_many() -> None:
    rows = comparisons(["galaxy"])
    assert [row for row in rows if not row.ok] == []
    assert len({row.formula for row in rows}) > 15
    for solver in ("sweep-gmres", "direct", "sweep-gmres, cells", "split-cn, cells"):
        assert sum(row.name.startswith(f"galaxy/{solver}/") for row in rows) > 20


# coefficients inside the solvers, and comparisons that watch over each
SLAB, BOX = galaxy_slab, galaxy_leaky_box
INSIDE = [
    (NodalGrid, "stiffness", SLAB, ("sweep-gmres/slab, D(z)", "direct/slab, secondary")),
    (NodalGrid, "stiffness", galaxy_cylinder, ("sweep-gmres/cylinder, q(r)",)),
    (NodalGrid, "convection", SLAB, ("sweep-gmres/slab, wind/", "direct/slab, wind/")),
    (NodalGrid, "sheet", SLAB, ("sweep-gmres/slab, D(z)", "direct/slab, wind/")),
    (NodalGrid, "load", SLAB, ("sweep-gmres/slab, thick source",)),
    (NodalGrid, "mass", SLAB, ("sweep-gmres/slab, decay", "direct/slab, daughter")),
    (CellGrid, "stiffness", SLAB, ("sweep-gmres, cells/slab, D(z)", "split-cn, cells/slab, D(z)")),
    (CellGrid, "convection", SLAB, ("sweep-gmres, cells/slab, cooling wind",)),
    (CellGrid, "sheet", SLAB, ("sweep-gmres, cells/slab, secondary",)),
    (differences, "drifts", BOX, ("sweep-gmres/leaky box, losses/", "direct/leaky box, b ∝")),
    (differences, "spreads", BOX, ("direct/leaky box, line", "direct/leaky box, losses and")),
    (upwind, "drifts", SLAB, ("sweep-gmres, cells/slab, cooling wind",)),
    (galaxy_momentum, "rate", BOX, ("sweep-gmres/leaky box, escape", "direct/leaky box, network")),
]


@pytest.mark.parametrize(
    ("owner", "name", "module", "guards"),
    INSIDE,
    ids=[f"{row[0].__name__}.{row[1]}-{row[2].__name__}" for row in INSIDE],
)
def test_a_coefficient_off_by_1e_5_is_seen(
    monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, module: Any, guards: tuple[str, ...]
) -> None:
    monkeypatch.setattr(owner, name, scaled(getattr(owner, name)))
    for guard in guards:
        assert worst(module, guard) > 1, guard


# what physics hands to them
PHYSICS = [
    (Diffusion, "halo", SLAB, "sweep-gmres/slab, D(z) two-halo"),
    (nuclear.Nuclear, "total", SLAB, "sweep-gmres/slab, D(z)"),
    (nuclear.Nuclear, "production", SLAB, "sweep-gmres/slab, secondary/B11"),
    (galaxy_momentum, "decay_rate", SLAB, "sweep-gmres/slab, decay in a wind"),
]


@pytest.mark.parametrize(
    ("owner", "name", "module", "guard"), PHYSICS, ids=[row[1] for row in PHYSICS]
)
def test_a_rate_off_by_1e_5_is_seen(
    monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, module: Any, guard: str
) -> None:
    monkeypatch.setattr(owner, name, scaled(getattr(owner, name)))
    assert worst(module, guard) > 1


@pytest.mark.parametrize(
    ("owner", "name"),
    [(NodalGrid, "stiffness"), (NodalGrid, "mass"), (differences, "drifts")],
)
def test_what_is_not_conserved_is_seen_in_the_balance(
    monkeypatch: pytest.MonkeyPatch, owner: Any, name: str
) -> None:
    # of drifts the matrix conserves whatever its size: its total alone says what leaves the grid
    monkeypatch.setattr(owner, name, scaled(getattr(owner, name), whole=False))
    assert worst(galaxy, "direct/balance") > 1
