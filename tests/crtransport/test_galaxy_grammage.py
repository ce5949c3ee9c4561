"""Gas at the Sun and grammage of whole runs, by closed forms."""

from typing import Any

import numpy as np
import pytest

import crtransport
from crtransport.problems.galaxy import headline
from crtransport.validation.galaxy_cases import QUIET

NONE = {"kind": "none"}
COLUMN, D0, H = 6e20, 3e28, 4.0
#: of a hydrogen atom with 0.11 of helium, g
MASS = 1.00782503 * 1.66053907e-24 * (1 + 0.11 * 4.002602 / 1.00782503)
KPC, C = 3.0856775814913673e21, 2.99792458e10
THIN = {"H2": NONE, "HI": {"kind": "thin-disk", "column": COLUMN}, "HII": NONE}
UNIFORM = {"kind": "uniform", "D0": D0, "R0": 1.0, "delta1": 0.5, "delta2": 0.5, "eta": 0.0}
RIGIDITY = np.array([10.0, 100.0, 1000.0])
BETA = RIGIDITY / np.hypot(RIGIDITY, 0.93827)


def solved(**tables: Any) -> Any:
    small = {"network": ["H1"], "momentum": {"per_decade": 6, "T_max": 1e3}}
    return crtransport.run({**QUIET, **small, "output": {"T_max": 1e2}, **tables})


def test_slab_with_a_thin_disk() -> None:
    """X = m Σ β c H/(2D), Σ through the whole disk."""
    source = [{"abundances": {"H1": 1.0}, "vertical": {"kind": "thin-disk"}}]
    found = solved(geometry={"kind": "slab", "z_h": H}, gas=THIN, diffusion=UNIFORM, source=source)
    exact = MASS * COLUMN * BETA * C * H * KPC / (2 * D0 * RIGIDITY**0.5)
    assert found.grammage.values == pytest.approx(exact, rel=1e-6)
    assert found.gas_column.sel(gas_phase="HI").item() == pytest.approx(1e3 * MASS * COLUMN)
    assert found.gas_column.sum().item() == pytest.approx(1e3 * MASS * COLUMN)


def test_slab_with_a_wind() -> None:
    """V ψ − D ψ′ is constant: ψ₀ = q (1 − e^{−VH/D})/2V, in place of q H/2D."""
    source = [{"abundances": {"H1": 1.0}, "vertical": {"kind": "thin-disk"}}]
    found = solved(
        geometry={"kind": "slab", "z_h": H},
        gas=THIN,
        diffusion=UNIFORM,
        source=source,
        convection={"V0": 30.0, "adiabatic": False},
    )
    speed, diffusion = 30e5, D0 * RIGIDITY**0.5
    escape = (1 - np.exp(-speed * H * KPC / diffusion)) / (2 * speed)
    assert found.grammage.values == pytest.approx(MASS * COLUMN * BETA * C * escape, rel=1e-6)


def test_leaky_box() -> None:
    """X = ρ β c τ(R), and no column."""
    found = solved(
        geometry={"kind": "leaky-box", "escape_time": 30.0},
        gas={"H2": NONE, "HI": {"kind": "uniform", "n0": 0.3}, "HII": NONE},
        diffusion=UNIFORM,
        source=[{"abundances": {"H1": 1.0}}],
    )
    exact = MASS * 0.3 * BETA * C * 30 * 3.15576e13 / RIGIDITY**0.5
    assert found.grammage.values == pytest.approx(exact, rel=1e-7)
    assert "gas_column" not in found


def test_rows_of_a_run() -> None:
    """The default gas: 2.14 mg/cm² to all heights, 0.006 of it, of H II, above 4 kpc."""
    found = solved(gas={}, diffusion={})
    rows = dict(headline(found))
    assert rows["gas at the Sun"] == "2.13 mg/cm2 (H2 0.432, HI 1.39, HII 0.307)"
    assert rows["grammage"].endswith("at 1000 GV, in g/cm2")
    twice = solved(gas={"scale": 2.0}, diffusion={})
    assert twice.grammage.values == pytest.approx(2 * found.grammage.values, rel=1e-9)
    assert "grammage" not in dict(headline(solved()))
