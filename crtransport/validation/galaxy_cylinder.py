"""Comparisons of the galaxy in a cylinder: the Bessel series, and a sum of leaky boxes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from crtransport.analytic import galaxy as exact
from crtransport.analytic import galaxy_cylinder as cylinder
from crtransport.analytic import galaxy_slab as slab
from crtransport.validation.galaxy_cases import (
    ABUNDANCE,
    ENERGIES,
    EXACT,
    HEIGHT,
    LAW,
    QUIET,
    SHEET,
    THIN_GAS,
    Case,
    Method,
    Nucleus,
    Row,
    Solved,
    Tables,
    merged,
    source,
)

Array = NDArray[np.float64]

_RADIUS, _SUN = 20.0, 8.5  # kpc
_WIND = 15.0  # km/s
_SIGMA, _MADE = 40.0, 60.0  # mb
_PROTON = Nucleus.named("H1")
#: smooth gas, which grids of the reference follow
_GAS = {"H2": "bronfman1988", "HI": "gordon1976", "HII": "cordes1991"}
_LIGHT: Tables = {"momentum": {"T_max": 1e4, "per_decade": 8}}
_SWEEP = Method(
    name="sweep-gmres",
    tables={
        "solver": {
            "kind": "sweep-gmres",
            "linear_rtol": 1e-11,
            "order_r": 6,
            "order_z": 8,
            "elements_r": 12,
        }
    },
)
_CYLINDER: Tables = {
    "geometry": {"kind": "cylinder", "r_h": _RADIUS, "z_h": HEIGHT, "r_sun": _SUN},
    "diffusion": {"kind": "uniform", **LAW},
}


def rows() -> Iterator[Row]:
    """(name, computed, reference, relative tolerance, formula) of every comparison."""
    for case in _bessel():
        yield from case.rows()
    yield from _places()
    yield from _boxes()


def _profiles() -> dict[str, tuple[Tables, Callable[[], Array]]]:
    """Radial profile of the sources in the deck, and its modes."""
    return {
        "uniform": (
            {"kind": "uniform"},
            lambda: cylinder.disk_modes(_RADIUS, _RADIUS),
        ),
        "(r/r☉)²e^(−3.5 r/r☉)": (
            {"kind": "power-exponential", "a": 2.0, "b": 3.5},
            lambda: cylinder.profile_modes(
                lambda r: (r / _SUN) ** 2 * np.exp(-3.5 * (r / _SUN - 1)), _RADIUS
            ),
        ),
    }


def _modes(modes: Array, nucleus: Nucleus, energy: float) -> Array:
    """qᵢ/Aᵢ at one energy, per q."""
    t = np.array([energy])
    spread = float(nucleus.diffusion(t)[0])
    leak = cylinder.radial_decay(spread, _RADIUS, len(modes))
    escape = slab.escape(spread, HEIGHT, wind=_WIND * exact.KM_PER_S, decay=leak)
    return modes / (escape + exact.collision_rate(SHEET, _SIGMA, nucleus.beta(t)))


def _medium(profile: Tables) -> Tables:
    return merged(
        _CYLINDER,
        _LIGHT,
        {
            "gas": THIN_GAS,
            "nuclear": {"inelastic": "constant", "cross_section": _SIGMA},
            "convection": {"V0": _WIND, "adiabatic": False},
            "source": [source(radial=profile)],
        },
    )


def _bessel() -> Iterator[Case]:
    for name, (profile, modes) in _profiles().items():

        def flux(energy: Array, modes: Callable[[], Array] = modes) -> Array:
            found = [cylinder.series(_modes(modes(), _PROTON, t), _SUN, _RADIUS) for t in energy]
            return exact.flux(_PROTON.source(energy) * np.array(found))

        yield Case(
            name=f"cylinder, q(r) {name}",
            formula="N₀ = Σ (qᵢ/Aᵢ) J₀(ζᵢ r/R)",
            tables=_medium(profile),
            fluxes={"H1": flux},
            tolerance=1e-6,
            energies=(0.3, 10.0, 300.0),
            methods=(_SWEEP,),
        )


def _places() -> Iterator[Row]:
    """N(r, z) over that at the Sun, at 10 GeV/n."""
    profile, modes = _profiles()["(r/r☉)²e^(−3.5 r/r☉)"]
    answer = Solved(merged(QUIET, _SWEEP.tables, _medium(profile))).answer
    density = answer.density("H1", np.array([10.0]))[0]
    weights = _modes(modes(), _PROTON, 10.0)
    spread = float(_PROTON.diffusion(np.array([10.0]))[0])
    leak = cylinder.radial_decay(spread, _RADIUS, len(weights))
    sun = float(cylinder.series(weights, _SUN, _RADIUS))
    for r, z in ((3.0, 0.0), (8.5, 1.0), (13.0, 2.5)):
        wind = _WIND * exact.KM_PER_S
        fall = slab.profile(z, spread, HEIGHT, wind=wind, decay=leak)
        reference = float(cylinder.series(weights * fall, r, _RADIUS)) / sun
        found = float(answer.run.space.grid.at((r, z)) @ density)
        computed = found / float(answer.run.space.sun @ density)
        name = f"{_SWEEP.name}/cylinder, N(r, z)/N☉/{r:g}, {z:g} kpc"
        yield (
            name,
            computed,
            reference,
            1e-6,
            "Σ (qᵢ/Aᵢ) J₀(ζᵢ r/R) e^(Vz/2D) sinh kᵢ(H−z)/sinh kᵢH",
        )


def _rate(sigma: float, nucleus: Nucleus, energy: Array) -> Array:
    """β c σ, 1/Myr per cm^-3."""
    return exact.collision_rate(1.0, sigma, nucleus.beta(energy))


def _boxes() -> Iterator[Row]:
    """Escape and destruction alone are a sum of leaky boxes, in Yuan's medium with its real gas.

    With Gv = λLv for the deck's own matrices of gas G and diffusion L, vᵀLv = 1, each mode is a
    box: N(x) = Σ v(x) vᵀs q/(D + rλ), and λ vᵀs r_(p→s) q/[(D_p + r_p λ)(D_s + r_s λ)] summed is
    the secondary's. It judges the momenta and the solver, not the matrices.
    """
    tables = {
        "network": ["C12", "B11"],
        "gas": {phase: {"kind": kind} for phase, kind in _GAS.items()},
        "nuclear": {
            "inelastic": "constant",
            "cross_section": _SIGMA,
            "channels": {"C12->B11": _MADE},
        },
        "source": [
            source(
                abundances={"C12": ABUNDANCE},
                radial={"kind": "named"},
                vertical={"kind": "exponential"},
            )
        ],
        "solver": {**EXACT, "order_r": 3, "order_z": 4},
        "momentum": {"T_max": 1e3, "per_decade": 24},
        "output": {"T_max": 100.0},
    }
    answer = Solved(merged(QUIET, tables)).answer
    space = answer.run.space
    whole = sum(part.matrix for part in space.diffusion).toarray()
    share, vectors = scipy.linalg.eigh(space.gas.matrix.toarray(), whole)
    amplitude = (space.sun @ vectors) * (space.sources[0] @ vectors)
    parent, child, energy = Nucleus.named("C12"), Nucleus.named("B11"), np.array(ENERGIES[:2])
    before = parent.energy(child.momentum(energy))

    def boxes(nucleus: Nucleus, t: Array) -> Array:
        """[energy, mode] D + rλ."""
        return nucleus.diffusion(t)[:, None] + _rate(_SIGMA, nucleus, t)[:, None] * share

    primary = parent.source(energy) * (1 / boxes(parent, energy) @ amplitude)
    made = parent.source(before) * _rate(_MADE, parent, before)
    twice = 1 / (boxes(parent, before) * boxes(child, energy))
    secondary = made * (twice @ (share * amplitude))
    for name, density in (("C12", primary), ("B11", secondary)):
        found = answer.interstellar(name, energy)
        for t, computed, reference in zip(energy, found, exact.flux(density), strict=True):
            row = f"sweep-gmres/cylinder, sum of leaky boxes/{name} {t:g} GeV"
            yield row, float(computed), float(reference), 1e-9, "Σ v vᵀq/(D + rλ), Gv = λLv"
