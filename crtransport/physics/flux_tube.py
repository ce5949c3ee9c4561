"""The flux tube around the scattering: losses, source, geometry, and a pulse in time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from crtransport.units import Count, Number, Positive, Quantity

Array = NDArray[np.float64]
Parsec = Annotated[float, Quantity(unit="pc")]
LossKind = Literal["constant-in-mu", "constant-in-chi"]
PositiveParsec = Annotated[float, Quantity(unit="pc", gt=0)]


@dataclass(frozen=True, kw_only=True)
class Loss:
    """Escape across the tube, v⊥' f (Malkov et al. 2023, Eq. 2), over the speed of light.

    With V = m² v/C the loss enters form (*) as V w(χ) f, w = |χ|^(m−1) where the rate does not
    depend on pitch angle (Eq. 2 as printed), w = 1 where it is constant in χ (the form that the
    paper's own numbers use).

    Attributes
    ----------
    kind : str
        "constant-in-mu" (w = |χ|^(m−1)) or "constant-in-chi" (w = 1).
    rate : float
        v = v⊥'/c, pc^-1. With C left at m² it is V itself.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    kind: LossKind = "constant-in-mu"
    rate: Annotated[float, Quantity(unit="pc-1", ge=0)] = 1e-6

    def weight(self, mu: Array, m: float) -> Array:
        """Loss rate against pitch angle, per unit μ and over ``rate``: 1, or |μ|^(1/m−1)."""
        if self.kind == "constant-in-mu":
            return np.ones_like(mu)
        return np.asarray(np.abs(mu) ** (1 / m - 1))

    def cumulative_weight(self, mu: Array, m: float) -> Array:
        """∫ weight dμ from 0 to ``mu``: μ, or m χ."""
        if self.kind == "constant-in-mu":
            return mu
        return np.asarray(m * np.sign(mu) * np.abs(mu) ** (1 / m))


@dataclass(frozen=True, kw_only=True)
class Emission:
    """What is injected at ζ = 0: Q₁(χ) = Σ_k even_k |χ|^k + sgn χ Σ_k odd_k |χ|^k.

    Attributes
    ----------
    kind : str
        "jump": f(0+) − f(0−) = Q₁, the reading that gives the paper's Fig. 4; "delta": Eq. 2
        literally, μ [f] = Q₁; "half-range": f = Q₁ on μ > 0 at ζ = 0 and only what leaves the
        tube on μ < 0 (an emitter at the end of the tube).
    even : tuple of float
        Coefficients of |χ|^0, |χ|^1, …
    odd : tuple of float
        Coefficients of sgn χ |χ|^0, sgn χ |χ|^1, …
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    kind: Literal["jump", "delta", "half-range"] = "jump"
    even: tuple[Number, ...] = (1.0,)
    odd: tuple[Number, ...] = ()

    def __post_init__(self) -> None:
        if not any((*self.even, *self.odd)):
            raise ValueError("even and odd are all zero: nothing is emitted")

    def profile(self, mu: Array, m: float) -> Array:
        """Q₁ at ``mu``, with χ = sgn(μ)|μ|^(1/m)."""
        chi = np.abs(mu) ** (1 / m)
        value = np.polynomial.polynomial.polyval(chi, self.even or (0.0,))
        if self.odd:
            value = value + np.sign(mu) * np.polynomial.polynomial.polyval(chi, self.odd)
        return np.asarray(value)


@dataclass(frozen=True, kw_only=True)
class Variation:
    """Coefficients that change along ζ; outside the first and last knot the end values hold.

    Attributes
    ----------
    zeta : tuple of float
        Knots, increasing, pc.
    interpolation : str
        "linear" between the knots, or "step": entry k holds from knot k to knot k+1.
    loss : tuple of float
        Factor on loss.rate at each knot.
    scattering : tuple of float
        Factor on C at each knot.
    slope : tuple of float
        Turbulence slope q at each knot.
    inverse_focusing_length : tuple of float
        1/L_B at each knot, pc^-1.
    segments : int
        Constant pieces between two knots or outputs in the spectral method, at its coarsest of
        three levels (fourth order in their length).
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    zeta: tuple[Parsec, ...]
    interpolation: Literal["linear", "step"] = "linear"
    loss: tuple[Annotated[float, Quantity(ge=0)], ...] = ()
    scattering: tuple[Positive, ...] = ()
    slope: tuple[Annotated[float, Quantity(ge=1, lt=2)], ...] = ()
    inverse_focusing_length: tuple[Annotated[float, Quantity(unit="pc-1")], ...] = ()
    segments: Annotated[int, Count(ge=1, le=200)] = 2

    def __post_init__(self) -> None:
        if len(self.zeta) < 2 or any(np.diff(self.zeta) <= 0):
            raise ValueError("zeta needs at least two knots in increasing order")
        given = {
            name: getattr(self, name)
            for name in ("loss", "scattering", "slope", "inverse_focusing_length")
        }
        if not any(given.values()):
            raise ValueError(f"nothing varies: give one of {', '.join(given)}")
        for name, values in given.items():
            if values and len(values) != len(self.zeta):
                raise ValueError(f"{name} has {len(values)} entries for {len(self.zeta)} knots")

    def value(self, name: str, zeta: float, default: float) -> float:
        """Coefficient ``name`` at ``zeta``, or ``default`` where the deck does not vary it."""
        values = getattr(self, name)
        if not values:
            return default
        if self.interpolation == "linear":
            return float(np.interp(zeta, self.zeta, values))
        k = int(np.searchsorted(self.zeta, zeta, side="right")) - 1
        return float(values[min(max(k, 0), len(values) - 1)])


@dataclass(frozen=True, kw_only=True)
class Tube:
    """Where the tube ends and how its field diverges.

    Attributes
    ----------
    length : float, optional
        With a half-range source: the tube ends at this ζ and all that arrives escapes, pc. By
        default it goes on for ever.
    inverse_focusing_length : float
        1/L_B of the diverging field in (1−μ²)/(2 L_B) ∂f/∂μ, pc^-1; positive where the field
        weakens with ζ.
    variation : Variation, optional
        Coefficients that change along ζ.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    length: PositiveParsec | None = None
    inverse_focusing_length: Annotated[float, Quantity(unit="pc-1")] = 0.0
    variation: Variation | None = None


@dataclass(frozen=True, kw_only=True)
class Pulse:
    """The time-dependent problem: particles set free at ct = 0 around ζ = 0.

        f(ζ, μ, 0) = Q₁(χ) exp(−ζ²/2 width²) / (√(2π) width)

    Attributes
    ----------
    ct : tuple of float
        Times of output, as light paths, pc; increasing.
    width : float
        Standard deviation of the pulse along the tube at ct = 0, pc.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    ct: tuple[PositiveParsec, ...]
    width: PositiveParsec = 0.1

    def __post_init__(self) -> None:
        if not self.ct or any(np.diff(self.ct) <= 0):
            raise ValueError("ct needs at least one time, in increasing order")
