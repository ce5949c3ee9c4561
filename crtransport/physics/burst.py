"""Bursts of local sources: what is set free at once, and what arrives of it by diffusion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from crtransport.constants import ERG, KPC, SPEED_OF_LIGHT, YEAR
from crtransport.nuclides import Nuclide, nuclide
from crtransport.units import Quantity

Array = NDArray[np.float64]
Erg = Annotated[float, Quantity(unit="erg", ge=0)]

#: the integral over rigidity ends at this multiple of R_c, where e^−60 is below rounding
_LAST = 60.0


@dataclass(frozen=True, kw_only=True)
class LocalSource:
    """One source that set all its particles free at once, ``age`` ago (Yuan 2025, Eq. 4).

        q(R) = q₀ R^−α exp(−R/R_c),   W = ∫ T q dR over T > threshold

    Attributes
    ----------
    name : str
        For tables and figures.
    distance : float
        From the Sun, kpc.
    age : float
        Time since the burst, yr.
    l, b : float
        Galactic longitude and latitude, deg.
    alpha : float
        Slope of the injection in rigidity.
    R_c : float
        Cutoff rigidity, GV.
    W : table
        Energy in each element above the threshold, erg: {H = 1e50, He = "1.8e50 erg"}.
    threshold : float
        Lowest kinetic energy that counts in W, GeV (GeV per nucleon where energy says so).
    energy : str
        T in W and in its threshold: "total", of the particle, or "per-nucleon".
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    name: str
    distance: Annotated[float, Quantity(unit="kpc", gt=0, le=1e3)]
    age: Annotated[float, Quantity(unit="yr", gt=0, le=1e11)]
    l: Annotated[float, Quantity(unit="deg", ge=-360, le=360)]  # noqa: E741 the field's name
    b: Annotated[float, Quantity(unit="deg", ge=-90, le=90)]
    alpha: Annotated[float, Quantity(ge=0, le=10)]
    R_c: Annotated[float, Quantity(unit="GV", gt=0, le=1e15)]
    W: dict[str, Erg]
    threshold: Annotated[float, Quantity(unit="GeV", gt=0)] = 1.0
    energy: Literal["total", "per-nucleon"] = "total"

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise ValueError("name is empty")
        if not any(self.W.values()):
            raise ValueError("W gives no energy to any element, so nothing is emitted")
        for element in self.W:
            lowest = self.threshold_rigidity(nuclide(element))
            if self.R_c <= lowest:
                raise ValueError(
                    f"R_c = {self.R_c:g} GV is below the threshold of W: {element} with "
                    f"T = {self.threshold:g} GeV ({self.energy}) has {lowest:.4g} GV"
                )

    def height(self) -> float:
        """z over the mid-plane, where the Sun is, kpc."""
        return self.distance * float(np.sin(np.radians(self.b)))

    def counted_energy(self, nucleus: Nuclide, rigidity: Array) -> Array:
        """T of W at R (GV): of the particle, GeV, or per nucleon."""
        nucleons = nucleus.mass_number if self.energy == "total" else 1
        return np.asarray(nucleons * nucleus.kinetic_energy(rigidity))

    def threshold_rigidity(self, nucleus: Nuclide) -> float:
        """R (GV) at which T is the threshold of W."""
        nucleons = nucleus.mass_number if self.energy == "total" else 1
        return float(nucleus.rigidity(np.array(self.threshold / nucleons)))


@dataclass(frozen=True, kw_only=True)
class Bubble:
    """Slow diffusion around a source: D₁ = factor · D within ``radius``.

    Attributes
    ----------
    radius : float
        r₀, kpc.
    factor : float
        D₁ over the D of the disk beyond.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    radius: Annotated[float, Quantity(unit="kpc", gt=0, le=10)] = 0.05
    factor: Annotated[float, Quantity(gt=0, le=100)] = 0.01


def log_normalisation(source: LocalSource, nucleus: Nuclide, refine: int = 1) -> float:
    """ln q₀ of one element, q₀ in GV^(α−1); −∞ where W is zero or not given.

    Gauss-Legendre panels in ln R, spectral in the order; the integrand is smooth and decays like
    exp(−R/R_c).

    Parameters
    ----------
    refine : int
        Factor on the number of panels, for the error estimate.
    """
    budget = source.W.get(nucleus.name, 0.0)
    if budget == 0:
        return -np.inf
    first = float(np.log(source.threshold_rigidity(nucleus)))
    last = float(np.log(_LAST * source.R_c))
    edges = np.linspace(first, last, refine * int(np.ceil(2 * (last - first))) + 1)
    x, weight = np.polynomial.legendre.leggauss(16)
    half = np.diff(edges)[:, None] / 2
    u = edges[:-1, None] + half * (1 + x)
    # R/R_c and α as powers of R over the threshold, so that no power leaves the range of a float
    rigidity = np.exp(u)
    log_shape = (1 - source.alpha) * (u - first) - rigidity / source.R_c
    integral = np.sum(half * weight * source.counted_energy(nucleus, rigidity) * np.exp(log_shape))
    return float(np.log(budget * ERG) - np.log(integral) - (1 - source.alpha) * first)


def log_injection(source: LocalSource, log_q0: float, rigidity: Array) -> Array:
    """ln q(R), q in GV^-1, at R in GV."""
    return np.asarray(log_q0 - source.alpha * np.log(rigidity) - rigidity / source.R_c)


def log_density(log_q: Array, diffusion: Array, distance: Array, age: float) -> Array:
    """ln n of a burst in a uniform medium without end (Yuan 2025, Eq. 4).

        n = q (√(2π) σ)^−3 exp(−r²/2σ²),   σ² = 2 D t

    Parameters
    ----------
    log_q : array
        ln q(R), any unit.
    diffusion : array
        D(R) of the medium, cm2/s.
    distance : array
        r, kpc.
    age : float
        t, yr.

    Returns
    -------
    array
        ln of q's unit per cm3; finite however small n is.
    """
    log_variance = np.log(2 * YEAR * diffusion) + np.log(age)
    # beyond e^600 nothing is left, and the square of the distance might leave the range
    exponent = np.minimum(2 * np.log(KPC * distance) - log_variance, 600.0)
    return np.asarray(log_q - 1.5 * (np.log(2 * np.pi) + log_variance) - np.exp(exponent) / 2)


def log_of(density: Array) -> Array:
    """Its logarithm; −∞ of zero."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(density))


def log_flux(log_n: Array, nucleus: Nuclide) -> Array:
    """ln Φ per GeV/n, m^-2 s^-1 sr^-1 (GeV/n)^-1, from ln n in cm^-3 GV^-1.

    Φ_R = β c n/4π,  dR/dT = A/(Z β)  →  Φ_T = c n A/(4π Z)
    """
    per_area = 1e4 * SPEED_OF_LIGHT / (4 * np.pi)
    return np.asarray(log_n + np.log(per_area * nucleus.mass_number / nucleus.charge))


def dipole(source: LocalSource, beta: Array) -> Array:
    """3 D |∇n|/(v n) = 3 r/(2 v t) of one source alone: D cancels, as ∇n = −n r/(2 D t)."""
    light_path = SPEED_OF_LIGHT * YEAR * source.age
    return np.asarray(1.5 * KPC * source.distance / (beta * light_path))


def dipole_sum(log_parts: Array, vectors: Array) -> Array:
    """Σ Φₛ δₛ / Σ Φₛ, by logarithms so that the weights outlive fluxes too small for a float.

    Parameters
    ----------
    log_parts : [source, energy]
        ln of the sources' fluxes; −∞ for none. Zero where all are.
    vectors : [source, energy, 3]
        Dipole of each source alone, towards where the excess comes from.

    Returns
    -------
    [energy, 3]
    """
    top = np.max(log_parts, axis=0)
    weight = np.exp(log_parts - np.where(np.isfinite(top), top, 0.0))
    whole = np.sum(weight, axis=0)
    weight = np.divide(weight, whole, out=np.zeros_like(weight), where=whole > 0)
    return np.asarray(np.einsum("se,sek->ek", weight, vectors))
