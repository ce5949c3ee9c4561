"""The Galaxy in momentum: one nuclide's rates on the grid of ln p, and its terms."""

from __future__ import annotations

from collections.abc import Container
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crtransport.constants import KPC, MYR
from crtransport.deck.galaxy import GalaxyDeck
from crtransport.nuclide_tables import DAUGHTERS
from crtransport.nuclides import Nuclide
from crtransport.physics.losses import Losses
from crtransport.physics.nuclear import RATE, Nuclear
from crtransport.problems.galaxy_levels import Momenta
from crtransport.problems.galaxy_space import Space
from crtransport.solvers.kernels.differences import fall
from crtransport.solvers.levels import GHOSTS, Banded, rate, weight_of
from crtransport.solvers.problem import Operator, Term

Array = NDArray[np.float64]

#: with K = D_pp/p², ∂/∂p p² D_pp ∂/∂p ψ/p² = (1/p) ∂/∂u K (∂/∂u − 3) ψp: at rest where ψp ∝ p³
_REST = 3.0
_INNER = slice(GHOSTS, -GHOSTS)


class Kinematics:
    """Momentum, rigidity and so on of a nuclide on the extended levels."""

    def __init__(self, nucleus: Nuclide, levels: Momenta) -> None:
        self.momentum = np.exp(levels.log_p)
        self.rigidity = nucleus.mass_number / nucleus.charge * self.momentum
        self.beta = nucleus.beta(self.rigidity)
        self.energy = nucleus.kinetic_energy(self.rigidity)
        self.gamma = np.hypot(self.momentum, nucleus.nucleon_mass) / nucleus.nucleon_mass


@lru_cache(maxsize=512)
def kinematics(nucleus: Nuclide, levels: Momenta) -> Kinematics:
    """Of a nuclide on some levels: the same for all that it meets."""
    return Kinematics(nucleus, levels)


class Rates:
    """What happens to a nuclide at each momentum, 1/Myr per unit of its matrix in space.

    Each on the extended levels, made when it is asked for; None where it is switched off.
    """

    def __init__(self, deck: GalaxyDeck, nucleus: Nuclide, levels: Momenta) -> None:
        self.deck, self.nucleus, self.levels = deck, nucleus, levels
        self.at = kinematics(nucleus, levels)

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
        return np.ones_like(self.at.momentum)

    @cached_property
    def reacceleration(self) -> Array | None:
        """K, for f = 1."""
        model, at = self.deck.reacceleration, self.at
        strength = model.strength(at.rigidity, at.beta, self.deck.diffusion)
        return strength if np.any(strength) else None

    @cached_property
    def ionisation(self) -> Array | None:
        """−(dp/dt)/p per cm^-3."""
        return _losses(self.deck.losses, self.nucleus, self.levels, self.deck.gas.helium)[0]

    @cached_property
    def coulomb(self) -> Array | None:
        """−(dp/dt)/p per cm^-3."""
        return _losses(self.deck.losses, self.nucleus, self.levels, self.deck.gas.helium)[1]

    @cached_property
    def continuous(self) -> Array | None:
        """−(dp/dt)/p everywhere."""
        return self.deck.losses.continuous_rate(self.at.momentum)

    @cached_property
    def spallation(self) -> Array | None:
        """Per cm^-3."""
        nuclear, helium = self.deck.nuclear, self.deck.gas.helium
        if not nuclear.spallation:
            return None
        if nuclear.inelastic == "constant":
            sigma = nuclear.total(self.nucleus, self.at.energy, helium)
            return np.asarray(RATE * self.at.beta * sigma)
        return _destroyed(self.nucleus, self.levels, helium, nuclear.inelastic)

    @cached_property
    def decay(self) -> Array | None:
        """1/γτ."""
        return decay_rate(self.deck, self.nucleus, self.at) if self.deck.nuclear.decay else None


def production_rate(
    deck: GalaxyDeck, parent: Nuclide, child: Nuclide, levels: Momenta
) -> Array | None:
    """n β c σ of a child per density and per parent at the same p per nucleon, 1/Myr."""
    if not deck.nuclear.secondaries:
        return None
    nuclear, helium = deck.nuclear, deck.gas.helium
    if not nuclear.channels and nuclear.channel_file is None:
        rate = _tabulated(parent, child, levels, helium)
        if rate is None or not nuclear.channel_scale:
            return rate
        scale = nuclear.channel_scale.get(f"{parent.name}->{child.name}", 1.0)
        return scale * rate if scale else None
    at = kinematics(parent, levels)
    sigma = nuclear.production(parent, child, at.energy, helium)
    return None if sigma is None or not sigma.any() else np.asarray(RATE * at.beta * sigma)


@lru_cache(maxsize=8192)
def _tabulated(parent: Nuclide, child: Nuclide, levels: Momenta, helium: float) -> Array | None:
    """With the package's cross sections: the same for all decks on some levels."""
    at = kinematics(parent, levels)
    sigma = Nuclear().production(parent, child, at.energy, helium)
    return None if sigma is None or not sigma.any() else np.asarray(RATE * at.beta * sigma)


@lru_cache(maxsize=512)
def _destroyed(nucleus: Nuclide, levels: Momenta, helium: float, model: Any) -> Array:
    """As `_tabulated`, of total cross sections."""
    at = kinematics(nucleus, levels)
    return np.asarray(RATE * at.beta * Nuclear(inelastic=model).total(nucleus, at.energy, helium))


@lru_cache(maxsize=512)
def _losses(
    losses: Losses, nucleus: Nuclide, levels: Momenta, helium: float
) -> tuple[Array | None, Array | None]:
    """As `_tabulated`, of ionisation and of Coulomb scattering."""
    momentum = kinematics(nucleus, levels).momentum
    ionisation = losses.ionisation_rate(nucleus, momentum, helium)
    return ionisation, losses.coulomb_rate(nucleus, momentum)


def feeding_rate(
    deck: GalaxyDeck, parent: Nuclide, child: Nuclide, levels: Momenta
) -> Array | None:
    """1/γτ of a parent that decays to this child at the same p per nucleon, 1/Myr."""
    if not deck.nuclear.decay or not deck.nuclear.secondaries:
        return None
    if DAUGHTERS.get(parent.name) != child.name:
        return None
    return decay_rate(deck, parent, kinematics(parent, levels))


def decay_rate(deck: GalaxyDeck, nucleus: Nuclide, at: Kinematics) -> Array | None:
    """1/γτ, 1/Myr; None for a stable nuclide."""
    half_life = deck.nuclear.half_life(nucleus)
    return None if half_life is None else np.asarray(np.log(2) / half_life / at.gamma)


def pieces(
    rates: Rates, space: Space, deck: GalaxyDeck, only: Container[str] | None = None
) -> list[tuple[str, str, Array, Operator]]:
    """(name, "rate" | "drift" | "spread", values on the extended levels, matrix) of each term.

    Of all of them, or of those named in ``only``.
    """
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


def log_typical(
    rates: Rates, space: Space, deck: GalaxyDeck, levels: Momenta, log_source: Array
) -> Array:
    """ln of the expected N_s on the extended levels: one mode in space, cooled level by level.

        (r + b) N_k = q_k + (b N)_{k+1},      r = D + Σ rates, b = Σ losses per du/ds

    with each rate weighed by Space.typical_rate and ``log_source`` by Space.typical_source; above
    the highest level N goes on as a power law. It only scales the unknowns, so the first order of
    the differences does not matter, but that it follows N over all decades does.
    """
    lost, cooled = rates.diffusion.copy(), np.zeros_like(log_source)
    for name, kind, values, operator in pieces(rates, space, deck):
        share = max(space.typical_rate(operator), 0.0)
        if kind == "drift":
            cooled += values * share / levels.stretch
        elif kind == "rate" and name != "escape":
            lost += values * share
    # what comes from above the highest level: slopes of q/(r + b) and of b go on
    out = np.empty_like(log_source)
    alone = log_source - np.log(lost + cooled)
    growth = np.exp(2 * alone[-1] - alone[-2] - alone[-1])
    above = cooled[-1] ** 2 / cooled[-2] * growth if cooled[-1] > 0 else 0.0
    last = log_source[-1] - np.log(lost[-1] + max(cooled[-1] - above, 0.0))
    fall(log_source, lost, cooled, float(last), out)
    return out


def make_along(
    kind: str, values: Array, levels: Momenta, log_scale: Array, order: int
) -> Operator | Banded:
    """What a piece does along the axis, by differences of the given order.

    1 and 2 are finite volumes, 3 and 5 fitted differences.
    """
    if kind == "rate":
        return rate(values[_INNER], weight_of(log_scale))
    scheme: Any
    if order < 3:
        from crtransport.solvers import upwind as scheme
    else:
        from crtransport.solvers import differences as scheme
    if kind == "drift":
        return scheme.drift(levels, values / levels.stretch, log_scale, order)
    rest = _REST * levels.log_p + np.log(levels.stretch)
    return scheme.spread(levels, values / levels.stretch**2, rest, log_scale, order)


def make_terms(
    rates: Rates, space: Space, deck: GalaxyDeck, levels: Momenta, log_scale: Array, order: int
) -> tuple[Term, ...]:
    """The terms of the transport equation of one nuclide."""
    return tuple(
        Term(
            name=name,
            along=make_along(kind, values, levels, log_scale, order),
            across=operator,
        )
        for name, kind, values, operator in pieces(rates, space, deck)
    )
