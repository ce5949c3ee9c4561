"""What is left of a point release in a layered medium: Hankel modes along it, eigenmodes across.

    ∂n/∂τ = ∇·(f(z) ∇n),   n = δ³(x − x₀) at τ = 0,   n = 0 at z = ±H,   unbounded along the layers

With N(k, z) the Hankel transform of n over the distance ρ along the layers,

    n = (1/2π) ∫₀^∞ k J₀(kρ) Σⱼ vⱼ(z) vⱼ(z₀) e^(−λⱼτ) dk,   (S + k² F) vⱼ = λⱼ M vⱼ

S = ∫ f φ'φ', F = ∫ f φφ, M = ∫ φφ: one set of modes for all times and distances.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import j0, j1

Array = NDArray[np.float64]

#: e^(−k² f τ) is left out where k² f τ is above this
_DARK = 40.0
#: largest phase kρ that one panel in k may span
_PHASE = 12.0
#: rounding errors of a sum over modes, in units of the sum of its terms' sizes, as measured
_ROUNDING = 512 * float(np.finfo(float).eps)


def lumped_modes(stiffness: Array, mass: Array) -> tuple[Array, Array]:
    """λ and [place, mode] v of S v = λ M v, M diagonal, with vᵀ M v = 1."""
    scale = mass**-0.5
    rates, vectors = np.linalg.eigh(scale[:, None] * stiffness * scale)
    return rates, scale[:, None] * vectors


@dataclass(frozen=True, kw_only=True, eq=False)
class LayeredMedium:
    """f(z) on spectral elements, one half z ≥ 0 of a medium that is symmetric about z = 0.

    Attributes
    ----------
    stiffness : [place, place] array
        S of the half; the last node, at H, left out.
    conductivity, mass : (n_places,) arrays
        Diagonals of F and M of the half (lumped on the nodes).
    """

    stiffness: Array
    conductivity: Array
    mass: Array

    def modes(self, k: float, odd: bool) -> tuple[Array, Array]:
        """λ and [place, mode] v of one parity, of unit norm over both halves."""
        first = 1 if odd else 0
        matrix = 2 * (self.stiffness + np.diag(k**2 * self.conductivity))
        rates, vectors = lumped_modes(matrix[first:, first:], 2 * self.mass[first:])
        found = np.zeros((len(self.mass), len(rates)))
        found[first:] = vectors
        return rates, found


@dataclass(frozen=True, kw_only=True, eq=False)
class PointRelease:
    """A release at one height, seen by a linear functional of n(z).

    Attributes
    ----------
    medium : LayeredMedium
    release : (n_places,) array
        Weights of the places at |z₀|; ``sign`` is that of z₀.
    even, odd : (n_places,) arrays or None
        What is seen of the parts of n that are even and odd in z: the weights of the places at
        |z|, and those times sgn z, for n at z; None where a part is not seen.
    k, weight : (n_k,) arrays
        Nodes in k and their weights, of ``wave_numbers``.
    """

    medium: LayeredMedium
    release: Array
    sign: float
    even: Array | None
    odd: Array | None
    k: Array
    weight: Array

    @cached_property
    def spectrum(self) -> tuple[Array, Array]:
        """[k, mode] λⱼ, and vⱼ(z₀) times what is seen of vⱼ."""
        rates, parts = [], []
        for k in self.k:
            found = [
                (rate, self.sign**parity * (self.release @ v) * (seen @ v))
                for parity, seen in enumerate((self.even, self.odd))
                if seen is not None
                for rate, v in [self.medium.modes(float(k), odd=bool(parity))]
            ]
            rates.append(np.concatenate([rate for rate, _ in found]))
            parts.append(np.concatenate([part for _, part in found]))
        return np.array(rates), np.array(parts)

    def transform(self, tau: Array) -> Array:
        """[τ, k] what is seen of N(k, z)."""
        rates, parts = self.spectrum
        return np.stack([np.sum(np.exp(-rates * t) * parts, axis=1) for t in tau])

    def density(self, tau: Array, rho: float) -> Array:
        """n at times τ, at a distance ρ along the layers."""
        wave = self.weight * self.k * j0(rho * self.k)
        return np.asarray(self.transform(tau) @ wave / (2 * np.pi))

    def rounding(self, tau: Array, rho: float) -> Array:
        """What rounding leaves in the density: all there is where n is much less than its terms."""
        rates, parts = self.spectrum
        wave = np.abs(self.weight * self.k * j0(rho * self.k))
        size = [wave @ np.sum(np.exp(-rates * t) * np.abs(parts), axis=1) for t in tau]
        return _ROUNDING * np.array(size) / (2 * np.pi)

    def slope(self, tau: Array, rho: float) -> Array:
        """∂n/∂ρ there."""
        wave = -self.weight * self.k**2 * j1(rho * self.k)
        return np.asarray(self.transform(tau) @ wave / (2 * np.pi))


def wave_numbers(
    shortest: float, longest: float, rho: float, f_min: float, nodes: int
) -> tuple[Array, Array]:
    """Nodes and weights in k for times from ``shortest`` to ``longest`` at a distance ρ.

    Panels of ``nodes`` Gauss-Legendre points that double from 1/√longest to where e^(−k² f τ) of
    the shortest time is below rounding; in none does J₀(kρ) oscillate more than twice.
    """
    end = float(np.sqrt(_DARK / (f_min * shortest)))
    edges = [0.0, float(min(longest**-0.5, end))]
    while edges[-1] < end:
        edges.append(min(2 * edges[-1], edges[-1] + _PHASE / max(rho, 1e-300), end))
    x, w = np.polynomial.legendre.leggauss(nodes)
    half = np.diff(edges)[:, None] / 2
    return (np.array(edges)[:-1, None] + half * (1 + x)).ravel(), (half * w).ravel()
