"""Comparisons of the galaxy as a leaky box: losses, reacceleration, and nuclei that break up."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from crtransport.analytic import galaxy as exact
from crtransport.analytic import galaxy_leaky_box as box
from crtransport.validation.galaxy_cases import (
    ABUNDANCE,
    EXACT,
    GAMMA,
    QUIET,
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

_TIME = 40.0  # Myr
_LOSS, _K = 0.01, 0.003  # 1/Myr
_PIVOT = 11.5  # GeV/n, of the line
_DENSITY, _SIGMA = 0.3, 220.0  # cm^-3, mb
_CHAIN = {"C12->B11": 60.0, "C12->B10": 20.0, "B11->B10": 40.0, "B11->Be10": 13.0, "C12->Be10": 4.0}
_HALF_LIFE = 1.387  # Myr, of 10Be at rest
_PROTON = Nucleus.named("H1")

_SAME: Tables = {"kind": "uniform", "delta1": 0.0, "delta2": 0.0, "eta": 0.0}
_EVERYWHERE = source(vertical={"kind": "uniform"})
_BOX: Tables = {
    "geometry": {"kind": "leaky-box", "escape_time": _TIME},
    "diffusion": _SAME,
    "source": [_EVERYWHERE],
    "momentum": {"T_min": 0.01, "T_max": 1e5, "per_decade": 32},
}
#: what decks have, in place of the equal steps of the cases
_DENSER: Tables = {"refinement": 2}
_SWEEP = Method(name="sweep-gmres", tables={"solver": {**EXACT}})
_DIRECT = Method(name="direct", tables={"solver": {"kind": "direct"}})
_BOTH = (_SWEEP, _DIRECT)


def rows() -> Iterator[Row]:
    """(name, computed, reference, relative tolerance, formula) of every comparison."""
    for case in (*_cooled(), *_power_laws(), _network()):
        yield from case.rows()
    yield from _line()


def _cooled() -> Iterator[Case]:
    """Losses ∝ p^k against escape ∝ p^δ."""
    for slope, delta in ((-0.6, 0.4), (-1.0, 0.0), (0.3, 0.3)):

        def flux(energy: Array, slope: float = slope, delta: float = delta) -> Array:
            p = _PROTON.momentum(energy)
            loss, escape = 5 * _LOSS * p**slope, (p / 4) ** delta / _TIME
            response = [
                box.cooled_response(GAMMA - 1, float(b), float(e), slope - delta)
                for b, e in zip(loss, escape, strict=True)
            ]
            return exact.flux(_PROTON.source(energy) * np.array(response))

        diffusion = {**_SAME, "delta1": delta, "delta2": delta}
        losses = {"rate": 5 * _LOSS, "slope": slope}
        for momentum, levels, tolerance in (
            ({}, "", 1e-7),
            (_DENSER, ", denser levels at low momenta", 1e-6),
        ):
            tables = {"diffusion": diffusion, "losses": losses, "momentum": momentum}
            yield Case(
                name=f"leaky box, b ∝ p^{slope:g}, D ∝ p^{delta:g}{levels}",
                formula="N = (1/b) ∫ Q(u') exp[−∫ e/b du″] du'",
                tables=merged(_BOX, tables),
                fluxes={"H1": flux},
                tolerance=tolerance,
                # sweeps do not converge on levels this dense where losses win at all momenta
                methods=_BOTH if slope < 0 else (_DIRECT,),
            )


def _power_laws() -> Iterator[Case]:
    a = GAMMA - 1
    terms: dict[str, tuple[Tables, float]] = {
        "escape": ({}, box.power_law_response(a, escape=1 / _TIME)),
        "losses": (
            {"losses": {"rate": _LOSS}},
            box.power_law_response(a, escape=1 / _TIME, loss=_LOSS),
        ),
        "losses and reacceleration": (
            {"losses": {"rate": _LOSS}, "reacceleration": {"kind": "constant", "K": _K}},
            box.power_law_response(a, escape=1 / _TIME, loss=_LOSS, reacceleration=_K),
        ),
    }
    for name, (tables, response) in terms.items():

        def flux(energy: Array, response: float = response) -> Array:
            return exact.flux(_PROTON.source(energy) * response)

        yield Case(
            name=f"leaky box, {name}",
            formula="N/Q = 1/[1/τ + a b − K a (a + 3)]",
            tables=merged(_BOX, tables),
            fluxes={"H1": flux},
            methods=_BOTH,
        )
        yield Case(
            name=f"leaky box, {name}, denser levels at low momenta",
            formula="N/Q = 1/[1/τ + a b − K a (a + 3)]",
            tables=merged(_BOX, tables, {"momentum": _DENSER}),
            fluxes={"H1": flux},
            tolerance=1e-6,
            methods=_BOTH,
        )


def _network() -> Case:
    """Nuclei that make each other, with decay: one small system at each momentum."""
    names = ("C12", "B11", "B10", "Be10")
    nuclei = {name: Nucleus.named(name) for name in names}

    def flux_of(name: str, energy: float) -> float:
        p = nuclei[name].momentum(np.array(energy))
        at = {n: nucleus.energy(p) for n, nucleus in nuclei.items()}

        def rate(sigma: float, n: str) -> float:
            return float(exact.collision_rate(_DENSITY, sigma, nuclei[n].beta(at[n])))

        decay = np.log(2) / _HALF_LIFE / exact.lorentz_factor(at["Be10"], nuclei["Be10"].mass)
        lost = np.array([1 / _TIME + rate(_SIGMA, n) for n in names])
        lost[names.index("Be10")] += decay
        made = np.zeros((4, 4))
        for channel, sigma in _CHAIN.items():
            parent, child = channel.split("->")
            made[names.index(child), names.index(parent)] = rate(sigma, parent)
        made[names.index("B10"), names.index("Be10")] += decay
        free = np.array([float(nuclei["C12"].source(at["C12"])), 0.0, 0.0, 0.0])
        return float(exact.flux(exact.network(free, lost, made))[names.index(name)])

    def flux(name: str) -> Callable[[Array], Array]:
        return lambda energy: np.array([flux_of(name, float(t)) for t in energy])

    gas = {"HI": {"kind": "uniform", "n0": _DENSITY}}
    return Case(
        name="leaky box, network",
        formula="(1/τ + nβcσᵢ + 1/γτᵢ) Nᵢ = Qᵢ + Σⱼ nβcσⱼᵢ Nⱼ",
        tables=merged(
            _BOX,
            {
                "network": list(names),
                "gas": gas,
                "nuclear": {
                    "inelastic": "constant",
                    "cross_section": _SIGMA,
                    "channels": _CHAIN,
                },
                "source": [{**_EVERYWHERE, "abundances": {"C12": ABUNDANCE}}],
                "momentum": {"per_decade": 24},
            },
        ),
        fluxes={name: flux(name) for name in names},
        methods=_BOTH,
    )


def _line() -> Iterator[Row]:
    """The Green's function of reacceleration and losses, and the order at which it is reached."""
    k, loss = 0.01, 0.02
    energy = np.array([1.0, 3.0, 60.0, 200.0])
    u, at = (np.log(_PROTON.momentum(t)) for t in (energy, np.array(_PIVOT)))
    line = box.line(u, at=float(at), reacceleration=k, escape=1 / _TIME, loss=loss)
    reference = exact.flux(ABUNDANCE * line / np.exp(u))
    worst = []
    for per_decade, tolerance in ((48, 1e-6), (96, 3e-8)):
        tables = {
            "losses": {"rate": loss},
            "reacceleration": {"kind": "constant", "K": k},
            "source": [{**_EVERYWHERE, "injection": {"kind": "line", "T": _PIVOT}}],
            "momentum": {"T_min": 1e-6, "T_max": 1e6, "per_decade": per_decade, "refinement": 1},
        }
        answer = Solved(merged(QUIET, _BOX, _DIRECT.tables, tables)).answer
        found = answer.interstellar("H1", energy)
        worst.append(float(np.max(np.abs(found / reference - 1))))
        for t, computed, value in zip(energy, found, reference, strict=True):
            name = f"direct/leaky box, line, {per_decade} per decade/{t:g} GeV"
            formula = "N = e^(n±(u−u₀))/[K(n₊ − n₋)], K n² + (b − 3K) n = 1/τ"
            yield name, float(computed), float(value), tolerance, formula
    order = float(np.log2(worst[0] / worst[1]))
    yield "direct/leaky box, line/order", order, 5.0, 0.1, "order of the differences"
