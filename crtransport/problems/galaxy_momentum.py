"""The Galaxy in momentum: one nuclide's rates on the grid of ln p, and its terms."""

from __future__ import annotations

from collections.abc import Container, Sequence
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crtransport.constants import KPC, MYR
from crtransport.deck.galaxy import GalaxyDeck
from crtransport.nuclides import Nuclide
from crtransport.physics.losses import Losses
from crtransport.physics.nuclear import RATE, Nuclear
from crtransport.problems.galaxy_levels import Momenta
from crtransport.problems.galaxy_space import Space
from crtransport.solvers.levels import GHOSTS, Banded, rate, weight_of
from crtransport.solvers.problem import Operator, Term

Array = NDArray[np.float64]

#: with K = D_pp/p², ∂/∂p p² D_pp ∂/∂p ψ/p² = (1/p) ∂/∂u K (∂/∂u − 3) ψp: at rest where ψp ∝ p³
REST = 3.0
_INNER = slice(GHOSTS, -GHOSTS)
#: name, "rate" | "drift" | "spread", [nuclide, level] values, matrix in space
Piece = tuple[str, str, Array, Operator]


class Kinematics:
    """Rigidity and so on of nuclides at the momenta of the extended levels, each [nuclide, level].

    ``momentum`` is the same for all.
    """

    def __init__(self, nuclei: tuple[Nuclide, ...], levels: Momenta) -> None:
        self.momentum = np.exp(levels.log_p)
        ratios = [nucleus.mass_number / nucleus.charge for nucleus in nuclei]
        self.rigidity = np.multiply.outer(ratios, self.momentum)
        each = list(zip(nuclei, self.rigidity, strict=True))
        self.beta = np.array([nucleus.beta(rigidity) for nucleus, rigidity in each])
        self.energy = np.array([nucleus.kinetic_energy(rigidity) for nucleus, rigidity in each])
        masses = np.array([nucleus.nucleon_mass for nucleus in nuclei])[:, None]
        self.gamma = np.hypot(self.momentum, masses) / masses


@lru_cache(maxsize=64)
def kinematics(nuclei: tuple[Nuclide, ...], levels: Momenta) -> Kinematics:
    """Of nuclides on some levels: the same for all that they meet."""
    return Kinematics(nuclei, levels)


class Rates:
    """What happens to nuclides at each momentum, 1/Myr per unit of its matrix in space.

    Each [nuclide, level] on the extended levels, made when it is asked for; None where it is
    switched off.
    """

    def __init__(self, deck: GalaxyDeck, nuclei: Sequence[Nuclide], levels: Momenta) -> None:
        self.deck, self.nuclei, self.levels = deck, tuple(nuclei), levels
        self.at = kinematics(self.nuclei, levels)

    @cached_property
    def diffusion(self) -> Array:
        """D, kpc2/Myr (over D₀ in a leaky box)."""
        diffusion = self.deck.diffusion.halo(self.at.rigidity, self.at.beta)
        if self.deck.geometry.kind == "leaky-box":
            return np.asarray(diffusion / self.deck.diffusion.D0)
        return np.asarray(diffusion * MYR / KPC**2)

    @cached_property
    def everywhere(self) -> Array:
        """1."""
        return np.ones_like(self.at.rigidity)

    @cached_property
    def reacceleration(self) -> Array | None:
        """K, for f = 1."""
        model, at = self.deck.reacceleration, self.at
        strength = model.strength(at.rigidity, at.beta, self.deck.diffusion)
        return strength if np.any(strength) else None

    @cached_property
    def ionisation(self) -> Array | None:
        """−(dp/dt)/p per cm^-3."""
        return _losses(self.deck.losses, self.nuclei, self.levels, self.deck.gas.helium)[0]

    @cached_property
    def coulomb(self) -> Array | None:
        """−(dp/dt)/p per cm^-3."""
        return _losses(self.deck.losses, self.nuclei, self.levels, self.deck.gas.helium)[1]

    @cached_property
    def continuous(self) -> Array | None:
        """−(dp/dt)/p everywhere."""
        rate = self.deck.losses.continuous_rate(self.at.momentum)
        return None if rate is None else np.tile(rate, (len(self.nuclei), 1))

    @cached_property
    def spallation(self) -> Array | None:
        """Per cm^-3."""
        nuclear, helium = self.deck.nuclear, self.deck.gas.helium
        if not nuclear.spallation:
            return None
        if nuclear.inelastic == "constant":
            return destruction(nuclear, self.nuclei, self.levels, helium)
        return _destroyed(self.nuclei, self.levels, helium, nuclear.inelastic)

    @cached_property
    def decay(self) -> Array | None:
        """1/γτ."""
        lives = [self.deck.nuclear.half_life(nucleus) for nucleus in self.nuclei]
        if not self.deck.nuclear.decay or not any(lives):
            return None
        return np.stack(
            [decay_rate(life, gamma) for life, gamma in zip(lives, self.at.gamma, strict=True)]
        )


def decay_rate(half_life: float | None, gamma: Array) -> Array:
    """1/γτ, 1/Myr, of a half-life in Myr; 0 of a stable nuclide."""
    return np.asarray((0.0 if half_life is None else np.log(2) / half_life) / gamma)


def destruction(
    nuclear: Nuclear, nuclei: tuple[Nuclide, ...], levels: Momenta, helium: float
) -> Array:
    """[nuclide, level] n β c σ of all that collisions leave, per density, 1/Myr."""
    at = kinematics(nuclei, levels)
    sigma = [nuclear.total(n, t, helium) for n, t in zip(nuclei, at.energy, strict=True)]
    return np.asarray(RATE * at.beta * np.array(sigma))


# tables that are kept: they depend on the levels, and on nothing that is usually varied


@lru_cache(maxsize=32)
def _destroyed(
    nuclei: tuple[Nuclide, ...], levels: Momenta, helium: float, inelastic: Any
) -> Array:
    return destruction(Nuclear(inelastic=inelastic), nuclei, levels, helium)


@lru_cache(maxsize=32)
def _losses(
    losses: Losses, nuclei: tuple[Nuclide, ...], levels: Momenta, helium: float
) -> tuple[Array | None, Array | None]:
    """Ionisation and Coulomb scattering."""
    momentum = kinematics(nuclei, levels).momentum
    ionisation = [losses.ionisation_rate(nucleus, momentum, helium) for nucleus in nuclei]
    coulomb = [losses.coulomb_rate(nucleus, momentum) for nucleus in nuclei]
    return (
        np.array(ionisation) if losses.ionisation else None,
        np.array(coulomb) if losses.coulomb else None,
    )


def pieces(
    rates: Rates, space: Space, deck: GalaxyDeck, only: Container[str] | None = None
) -> list[Piece]:
    """The pieces of the equations of all nuclides, or of those named in ``only``."""
    slow = space.volume if deck.reacceleration.uniform else space.inverse_diffusion
    known: list[tuple[str, str, str, Operator | None]] = [
        *(("escape", "rate", "diffusion", part) for part in space.diffusion),
        ("convection", "rate", "everywhere", space.convection),
        ("adiabatic", "drift", "everywhere", space.divergence),
        ("ionisation", "drift", "ionisation", space.neutral),
        ("coulomb", "drift", "coulomb", space.ionised),
        ("continuous loss", "drift", "continuous", space.volume),
        ("reacceleration", "spread", "reacceleration", slow),
        ("spallation", "rate", "spallation", space.gas),
        ("decay", "rate", "decay", space.volume),
    ]
    found = []
    for name, kind, key, operator in known:
        if operator is not None and (only is None or name in only):
            values = getattr(rates, key)
            if values is not None:
                found.append((name, kind, values / 3 if name == "adiabatic" else values, operator))
    return found


def make_along(
    kind: str, values: Array, levels: Momenta, log_scale: Array, order: int
) -> Sequence[Operator | Banded]:
    """What a piece does along the axis to each nuclide, by differences of the given order.

    1 and 2 are finite volumes, 3 and 5 fitted differences.
    """
    if kind == "rate":
        each = zip(values[:, _INNER], weight_of(log_scale), strict=True)
        return [rate(value, weight) for value, weight in each]
    scheme: Any
    if order < 3:
        from crtransport.solvers import upwind as scheme
    else:
        from crtransport.solvers import differences as scheme
    if kind == "drift":
        return scheme.drifts(levels, values / levels.stretch, log_scale, order)
    rest = REST * levels.log_p + np.log(levels.stretch)
    return scheme.spreads(levels, values / levels.stretch**2, rest, log_scale, order)


def make_terms(
    found: Sequence[Piece], levels: Momenta, log_scale: Array, order: int
) -> list[tuple[Term, ...]]:
    """The terms of the transport equation of each nuclide."""
    along = [make_along(kind, values, levels, log_scale, order) for _, kind, values, _ in found]
    return [
        tuple(
            Term(name=name, along=every[i], across=operator)
            for (name, kind, values, operator), every in zip(found, along, strict=True)
            if kind != "rate" or values[i].any()
        )
        for i in range(len(log_scale))
    ]
