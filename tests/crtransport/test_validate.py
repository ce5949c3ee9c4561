"""The comparisons pass, and each solver's rows fail when one of its coefficients is off by 1e-5."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from crtransport.physics.diffusion import TwoHalo
from crtransport.solvers.elements import Elements
from crtransport.solvers.finite_volume import Cells
from crtransport.validate import comparisons


def test_every_comparison_passes() -> None:
    rows = comparisons()
    assert [row for row in rows if not row.ok] == []
    assert len(rows) >= 25
    assert len({row.formula for row in rows}) >= 10


def scaled(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args: (1 + 1e-5) * function(*args)


@pytest.mark.parametrize(
    ("owner", "method", "solvers"),
    [
        (Elements, "stiffness", ("spectral/eigenvalue", "spectral/focusing", "fourier/taylor")),
        (Elements, "mass", ("spectral/eigenvalue",)),
        (Cells, "conductance", ("cells/eigenvalue", "march/focusing", "split/taylor")),
        (Cells, "mass", ("cells/eigenvalue",)),
    ],
)
def test_a_coefficient_off_by_1e_5_fails_the_rows_of_its_solvers(
    monkeypatch: pytest.MonkeyPatch, owner: type, method: str, solvers: tuple[str, ...]
) -> None:
    # the constant's zero row must stay what it is, so only the diffusion is scaled with it
    monkeypatch.setattr(owner, method, scaled(getattr(owner, method)))
    rows = comparisons(["flux-tube"])
    for solver in solvers:
        affected = [row for row in rows if row.name.startswith(f"flux-tube/{solver}")]
        assert affected
        assert any(not row.ok for row in affected), solver


def test_a_diffusion_coefficient_off_by_1e_5_fails_the_burst(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(TwoHalo, "halo", scaled(TwoHalo.halo))
    assert any(not row.ok for row in comparisons(["burst"]))


def test_a_name_selects_by_its_beginning() -> None:
    rows = comparisons(["flux-tube/spectral/milne"])
    assert len(rows) == 3
    assert all(row.name.startswith("flux-tube/spectral/milne") for row in rows)


def test_an_unknown_name_is_an_error_with_the_nearest() -> None:
    with pytest.raises(ValueError, match="flux-tube"):
        comparisons(["flux-tub/spectral"])
