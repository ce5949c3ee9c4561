"""Comparisons of the galaxy in a slab: escape against gas, winds, decay and layers of D(z)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crtransport.analytic import galaxy as exact
from crtransport.analytic import galaxy_slab as slab
from crtransport.validation.galaxy_cases import (
    ABUNDANCE,
    DIRECT,
    GAMMA,
    HEIGHT,
    LAW,
    QUIET,
    SHEET,
    SWEEP,
    SWEEP_CELLS,
    THIN_GAS,
    Case,
    Nucleus,
    Row,
    Solved,
    Tables,
    merged,
    source,
)

Array = NDArray[np.float64]

_SIGMA = 40.0  # mb
_WIND = 20.0  # km/s
_GRADIENT = 10.0  # km/s/kpc
_HALF_LIFE = 1.387  # Myr, of 10Be at rest
#: a D that is the same at all momenta, so that a power law stays one: cm2/s
_FLAT = 6e28
_THICKNESS = 0.3  # kpc, half
_PROTON = Nucleus.named("H1")

#: without the march, which is of first order in momentum
_HIGH_ORDER = (SWEEP, DIRECT, SWEEP_CELLS)

_SLAB: Tables = {
    "geometry": {"kind": "slab", "z_h": HEIGHT},
    "diffusion": {"kind": "uniform", **LAW},
    "source": [source()],
}
_GAS: Tables = {"gas": THIN_GAS, "nuclear": {"inelastic": "constant", "cross_section": _SIGMA}}
_SAME_D: Tables = {
    "diffusion": {"kind": "uniform", "D0": _FLAT, "delta1": 0.0, "delta2": 0.0, "eta": 0.0}
}


def rows() -> Iterator[Row]:
    """(name, computed, reference, relative tolerance, formula) of every comparison."""
    for case in (*_layers(), *_winds(), *_unstable(), _secondary(), _thick_source()):
        yield from case.rows()
    yield from _heights()


def destruction(nucleus: Nucleus, energy: Array) -> Array:
    """S of the thin disk's gas, kpc/Myr."""
    return exact.collision_rate(SHEET, _SIGMA, nucleus.beta(energy))


def _disk_flux(
    escape: Callable[[Array], Array], nucleus: Nucleus = _PROTON, gas: bool = True
) -> Callable[[Array], Array]:
    """Φ of N₀ = Q/(escape + S) against T."""

    def flux(energy: Array) -> Array:
        loss = destruction(nucleus, energy) if gas else 0.0
        return exact.flux(nucleus.source(energy) / (escape(energy) + loss))

    return flux


def _layers() -> Iterator[Case]:
    """N₀ = Q/(2/I + S) for four shapes of D(z)."""
    shapes: dict[str, tuple[Tables, float]] = {
        "uniform": ({"kind": "uniform", **LAW}, HEIGHT),
        "two-halo": ({"kind": "two-halo"}, float(slab.two_halo_resistance(HEIGHT, 0.1, 0.45))),
        "exponential": ({"kind": "exponential", "z_t": 2.0, **LAW}, -2.0 * np.expm1(-HEIGHT / 2.0)),
        # 1/f of a ramp from 0.1 to 1 is ln(10)/0.9 over its width
        "table": (
            {"kind": "table", "z": [0.0, 0.3, 1.0], "f": [0.1, 0.1, 1.0], **LAW},
            0.3 / 0.1 + 0.7 * np.log(10.0) / 0.9 + HEIGHT - 1.0,
        ),
    }
    for name, (diffusion, resistance) in shapes.items():

        def escape(energy: Array, resistance: float = resistance) -> Array:
            return slab.layered_escape(resistance / _PROTON.diffusion(energy))

        yield Case(
            name=f"slab, D(z) {name}",
            formula="N₀ = Q/(2/I + S), I = ∫₀ᴴ dz/D",
            tables=merged(_SLAB, _GAS, {"diffusion": diffusion}),
            fluxes={"H1": _disk_flux(escape)},
            on_cells=1e-8,
        )


def _winds() -> Iterator[Case]:
    wind, gradient = _WIND * exact.KM_PER_S, _GRADIENT * exact.KM_PER_S
    steady = {"V0": _WIND, "adiabatic": False}
    yield Case(
        name="slab, wind",
        formula="N₀ = Q/[2V/(1 − e^(−VH/D)) + S]",
        tables=merged(_SLAB, _GAS, {"convection": steady}),
        on_cells=1e-6,
        fluxes={
            "H1": _disk_flux(lambda t: -2 * wind / np.expm1(-wind * HEIGHT / _PROTON.diffusion(t)))
        },
    )
    flat = exact.diffusion(1.0, 1.0, D0=_FLAT, delta1=0.0, delta2=0.0, eta=0.0)
    # 2V δ(z)/3 of momentum is lost in the disk, which counts GAMMA − 1 times in N ∝ p^(1−GAMMA)
    cooled = slab.escape(flat, HEIGHT, wind=wind) + 2 * wind * (GAMMA - 1) / 3
    yield Case(
        name="slab, cooling wind",
        formula="N₀ = Q/[2V/(1 − e^(−VH/D)) + 2aV/3] for Q ∝ p^−a",
        tables=merged(_SLAB, _SAME_D, {"convection": {"V0": _WIND}}),
        on_cells=3e-7,
        fluxes={"H1": _disk_flux(lambda t: np.full_like(t, cooled), gas=False)},
        methods=_HIGH_ORDER,
    )
    rising = slab.linear_wind_escape(float(flat), HEIGHT, gradient=gradient, slope=GAMMA - 1)
    yield Case(
        name="slab, wind that grows with height",
        formula="N₀ = Q/[(2D/H) M(α, ½, X)/M(α + ½, 3/2, X)], V = wz",
        tables=merged(_SLAB, _SAME_D, {"convection": {"dVdz": _GRADIENT}}),
        on_cells=1e-6,
        fluxes={"H1": _disk_flux(lambda t: np.full_like(t, rising), gas=False)},
        methods=_HIGH_ORDER,
    )


def _decay(nucleus: Nucleus, energy: Array) -> Array:
    """G = ln 2/(γ half-life), 1/Myr."""
    return np.log(2) / _HALF_LIFE / exact.lorentz_factor(energy, nucleus.mass)


def _unstable() -> Iterator[Case]:
    parent, child = Nucleus.named("Be10"), Nucleus.named("B10")
    wind = _WIND * exact.KM_PER_S
    emitted = {"source": [source(abundances={"Be10": ABUNDANCE})]}
    yield Case(
        name="slab, decay in a wind",
        formula="N₀ = Q/(V + 2Dk coth kH + S), k² = V²/4D² + G/D",
        tables=merged(
            _SLAB,
            _GAS,
            emitted,
            {"network": ["Be10"], "convection": {"V0": _WIND, "adiabatic": False}},
        ),
        fluxes={
            "Be10": _disk_flux(
                lambda t: slab.escape(
                    parent.diffusion(t), HEIGHT, wind=wind, decay=_decay(parent, t)
                ),
                parent,
            )
        },
    )

    def daughter(energy: Array) -> Array:
        before = parent.energy(child.momentum(energy))
        decay, spread = _decay(parent, before), parent.diffusion(before)
        fed = slab.daughter_source(spread, HEIGHT, decay)
        density = parent.source(before) / slab.escape(spread, HEIGHT, decay=decay) * fed
        return exact.flux(density / slab.escape(child.diffusion(energy), HEIGHT))

    yield Case(
        name="slab, daughter",
        formula="N_d = N_p (2Dk coth kH − 2D/H)_p/(2D/H)_d",
        tables=merged(_SLAB, emitted, {"network": ["Be10", "B10"]}),
        fluxes={"B10": daughter},
    )


def _secondary() -> Case:
    parent, child, sigma = Nucleus.named("C12"), Nucleus.named("B11"), 60.0

    def density(energy: Array) -> Array:
        escape = slab.escape(parent.diffusion(energy), HEIGHT)
        return parent.source(energy) / (escape + destruction(parent, energy))

    def secondary(energy: Array) -> Array:
        before = parent.energy(child.momentum(energy))
        made = exact.collision_rate(SHEET, sigma, parent.beta(before)) * density(before)
        escape = slab.escape(child.diffusion(energy), HEIGHT)
        return exact.flux(made / (escape + destruction(child, energy)))

    return Case(
        name="slab, secondary",
        formula="N_s = S_(p→s) N_p/(2D/H + S_s)",
        tables=merged(
            _SLAB,
            _GAS,
            {
                "network": ["C12", "B11"],
                "nuclear": {"channels": {"C12->B11": sigma}},
                "source": [source(abundances={"C12": ABUNDANCE})],
            },
        ),
        fluxes={"C12": lambda t: exact.flux(density(t)), "B11": secondary},
        on_cells=1e-8,
    )


def _thick_source() -> Case:
    def flux(energy: Array) -> Array:
        spread = zip(_PROTON.diffusion(energy), _PROTON.source(energy), strict=True)
        at = np.zeros(())
        return exact.flux(
            np.array([slab.uniform_source(at, q, _THICKNESS, d, HEIGHT) for d, q in spread])
        )

    return Case(
        name="slab, thick source",
        formula="N₀ = q h (H − h/2)/D",
        tables=merged(_SLAB, _layer()),
        fluxes={"H1": flux},
        on_cells=1e-8,
    )


def _layer() -> Tables:
    return {"source": [source(vertical={"kind": "uniform", "half_thickness": _THICKNESS})]}


def _heights() -> Iterator[Row]:
    """N(z)/N(0), of the density at 10 GeV/n."""
    energy, wind = np.array([10.0]), _WIND * exact.KM_PER_S
    spread = float(_PROTON.diffusion(energy)[0])

    def thick(z: Array) -> Array:
        shape = slab.uniform_source(z, 1.0, _THICKNESS, 1.0, HEIGHT)
        return shape / slab.uniform_source(np.zeros(1), 1.0, _THICKNESS, 1.0, HEIGHT)

    cases: dict[str, tuple[str, Tables, Callable[[Array], Any]]] = {
        "diffusion": ("1 − z/H", {}, lambda z: slab.profile(z, spread, HEIGHT)),
        "wind": (
            "e^(Vz/2D) sinh[k(H−z)]/sinh kH",
            {"convection": {"V0": _WIND, "adiabatic": False}},
            lambda z: slab.profile(z, spread, HEIGHT, wind=wind),
        ),
        "thick source": ("h(H − h/2) − z²/2 below h, h(H − z) above", _layer(), thick),
        "two-halo": (
            "1 − I(z)/I(H)",
            {"diffusion": {"kind": "two-halo"}},
            lambda z: 1 - _resistance(z) / _resistance(np.array(HEIGHT)),
        ),
    }
    z = np.array([0.1, 0.5, 2.0])
    for name, (formula, tables, shape) in cases.items():
        answer = Solved(merged(QUIET, SWEEP.tables, _SLAB, tables)).answer
        density = answer.density("H1", energy)[0]
        grid = answer.run.space.grid
        for at, reference in zip(z, shape(z), strict=True):
            ratio = float(grid.at((at,)) @ density / (answer.run.space.sun @ density))
            row = f"{SWEEP.name}/slab, N(z)/N(0) {name}/{at:g} kpc"
            yield row, ratio, float(reference), 3e-7, formula


def _resistance(z: Array) -> Array:
    return slab.two_halo_resistance(z, 0.1, 0.45)
