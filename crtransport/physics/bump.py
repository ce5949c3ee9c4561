"""The 10-TV bump: cosmic rays accelerated once more at a weak shock nearby, formula and shock.

Malkov, Diamond, Cao & Moskalenko 2023 (ICRC), Eq. 1, on Malkov & Moskalenko 2021 (ApJ 911, 151)
and 2022 (ApJ 933, 78).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from crtransport.constants import KPC
from crtransport.units import Positive, Quantity

Array = NDArray[np.float64]

PIVOT = 1e3  # GV, where the norm of the background is told

#: unit and meaning of the numbers of a `Bump`
LABELS = {
    "A": ("m-2 s-1 sr-1 GV-1", "background at 1 TV"),
    "gamma": ("1", "index of the background"),
    "K": ("1", "excess of the bump over the background"),
    "R0": ("GV", "rigidity R0 of the bump"),
    "R_L": ("GV", "rigidity R_L of the losses"),
    "a": ("1", "exponent a, 2 - q of the turbulence"),
}

Parsecs = Annotated[float, Quantity(unit="pc", gt=0, le=1e6)]


def compression(mach: ArrayLike) -> Array:
    """r = 4M²/(M² + 3) of a shock in a gas with adiabatic index 5/3."""
    square = np.asarray(mach, dtype=float) ** 2
    return np.asarray(4 * square / (square + 3))


def mach_number(ratio: ArrayLike) -> Array:
    """M of a compression: the inverse of `compression`, for 1 ≤ r < 4."""
    r = np.asarray(ratio, dtype=float)
    return np.asarray(np.sqrt(3 * r / (4 - r)))


def shock_index(ratio: ArrayLike) -> Array:
    """q_s = (r + 2)/(r − 1), index of what a shock accelerates; its own inverse."""
    r = np.asarray(ratio, dtype=float)
    return np.asarray((r + 2) / (r - 1))


def excess(gamma: ArrayLike, index: ArrayLike) -> Array:
    """K = (γ + 2)/(q_s − γ), what a shock adds to a background R^−γ far above R₀, q_s > γ."""
    gamma = np.asarray(gamma, dtype=float)
    return np.asarray((gamma + 2) / (index - gamma))


def index_of_excess(gamma: ArrayLike, height: ArrayLike) -> Array:
    """q_s = γ + (γ + 2)/K: the inverse of `excess`."""
    gamma = np.asarray(gamma, dtype=float)
    return np.asarray(gamma + (gamma + 2) / height)


def rigidity_factor(gamma: ArrayLike, height: ArrayLike) -> Array:
    """(1 + K)^(1/γ): by how much the shock raises rigidities, far above R₀.

    (1 + K) R^−γ is the background with every rigidity times this factor.
    """
    gamma, height = np.asarray(gamma, dtype=float), np.asarray(height, dtype=float)
    return np.asarray((1 + height) ** (1 / gamma))


@dataclass(frozen=True, kw_only=True)
class Bump:
    """A background with a bump on it (Malkov et al. 2023, Eq. 1).

        f(R) = A (R/1 TV)^−γ {1 + K exp[−(R₀/R)^a − √(R/R_L)]}

    Attributes
    ----------
    A : float
        Background at 1 TV, m^-2 s^-1 sr^-1 GV^-1.
    gamma, K, a : float
    R0, R_L : float
        GV; R_L = ∞: without losses.
    """

    A: float
    gamma: float
    K: float
    R0: float
    a: float
    R_L: float = np.inf

    def background(self, rigidity: Array) -> Array:
        """A (R/1 TV)^−γ at R in GV."""
        return np.asarray(self.A * (rigidity / PIVOT) ** -self.gamma)

    def flux(self, rigidity: Array) -> Array:
        """f(R) at R in GV, m^-2 s^-1 sr^-1 GV^-1."""
        return np.asarray(self.background(rigidity) * (1 + self.K * self._shape(rigidity)))

    def at_distance(self, fraction: float) -> Bump:
        """The same shock seen from ``fraction`` of the distance along the tube.

        Both exponents are proportional to the distance from the shock: (R₀/R)^a, which particles
        that are slower to diffuse do not cover, and √(R/R_L), those lost sideways on the way. So
        R₀ ∝ L^(1/a), R_L ∝ L^−2; at the shock itself, 0, all of the excess is there.
        """
        lost = self.R_L / fraction**2 if fraction > 0 else np.inf
        return replace(self, R0=self.R0 * fraction ** (1 / self.a), R_L=lost)

    def derivative(self, name: str, rigidity: Array) -> Array:
        """∂f/∂ one of its numbers, by name, at R in GV."""
        below = (self.R0 / rigidity) ** self.a
        lost = np.sqrt(rigidity / self.R_L)
        if name == "A":
            return self.flux(rigidity) / self.A
        if name == "gamma":
            return -np.log(rigidity / PIVOT) * self.flux(rigidity)
        by = {
            "K": np.full_like(rigidity, 1 / self.K),
            "R0": -below * self.a / self.R0,
            "R_L": lost / (2 * self.R_L),
            "a": -below * np.log(self.R0 / rigidity),
        }[name]
        return np.asarray(self.background(rigidity) * self.K * self._shape(rigidity) * by)

    def _shape(self, rigidity: Array) -> Array:
        lost = np.sqrt(rigidity / self.R_L)
        return np.asarray(np.exp(-((self.R0 / rigidity) ** self.a) - lost))


@dataclass(frozen=True, kw_only=True)
class ShockRelation:
    """Where the bump stands, by the shock that makes it and the way to it.

        R₀ ∝ (L_s W/√l_s)^(1/a)

    of distance L_s along the field, size l_s of the shock and level W of the turbulence. One case
    anchors it: by default L_s ≈ 100 pc √(l_s/1 pc) at 4.4 TV (Malkov & Moskalenko 2020,
    arXiv:2010.02826, abstract; 2021, ApJ 911, 151).

    Attributes
    ----------
    R0 : float
        GV, of the case that anchors the relation.
    distance, size : float
        L_s and l_s of it, pc.
    turbulence : float
        W of it, in whatever unit the candidates have.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    R0: Annotated[float, Quantity(unit="GV", gt=0, le=1e9)] = 4400.0
    distance: Parsecs = 100.0
    size: Parsecs = 1.0
    turbulence: Positive = 1.0

    def expected(self, candidate: Candidate, a: float) -> float:
        """R₀ that a candidate should give, GV."""
        relative = candidate.distance / self.distance * candidate.turbulence / self.turbulence
        return self.R0 * float((relative / np.sqrt(candidate.size / self.size)) ** (1 / a))

    def size_needed(self, candidate: Candidate, r0: float, a: float) -> float:
        """l_s with which a candidate gives R₀, pc."""
        relative = candidate.distance / self.distance * candidate.turbulence / self.turbulence
        return self.size * float((relative * (self.R0 / r0) ** a) ** 2)


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """A shock that may make the bump.

    Attributes
    ----------
    name : str
        What it goes by in the results.
    distance : float
        L_s along the field lines, pc.
    size : float
        l_s, pc.
    turbulence : float
        W on the way, in the unit of the relation.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    name: str
    distance: Parsecs
    size: Parsecs
    turbulence: Positive = 1.0


@dataclass(frozen=True, kw_only=True)
class Smearing:
    """How far away a feature may be made before diffusion in momentum smears it.

        Δp/p ≈ L V_A/κ,   κ = κ₁ (p/1 GeV)^δ   →   L = (Δp/p) κ/V_A

    (Malkov et al. 2023, Sec. 3, for protons: p/GeV = R/GV.) κ/V_A is about 1 kpc at 1 GV only; the
    paper's bound of that size needs the κ that the particles' own waves reduce, "at least by an
    order of magnitude".

    Attributes
    ----------
    kappa : float
        κ₁ at 1 GV, cm2/s.
    delta : tuple of float
        Values of δ; a bound for each.
    v_alfven : float
        V_A, km/s.
    width : float
        Δp/p that is allowed.
    reduction : tuple of float
        Factors on κ; a bound for each: 1, and what the particles' own waves leave.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    kappa: Annotated[float, Quantity(unit="cm2/s", gt=0, le=1e40)] = 1e28
    delta: tuple[Annotated[float, Quantity(ge=0, le=2)], ...] = (0.3, 0.6)
    v_alfven: Annotated[float, Quantity(unit="km/s", gt=0, le=3e5)] = 30.0
    width: Annotated[float, Quantity(gt=0, le=10)] = 1.0
    reduction: tuple[Annotated[float, Quantity(gt=0, le=1)], ...] = (1.0, 0.1)

    def __post_init__(self) -> None:
        for name in ("delta", "reduction"):
            values = getattr(self, name)
            if not values or len(set(values)) < len(values):
                raise ValueError(f"{name} needs at least one value, and each once")

    def distance(self, rigidity: Array) -> Array:
        """[reduction, delta, rigidity] the largest distance L, kpc."""
        kappa = self.kappa * rigidity ** np.array(self.delta)[:, None]
        kappa = np.array(self.reduction)[:, None, None] * kappa
        return np.asarray(self.width * kappa / (1e5 * self.v_alfven) / KPC)
