"""Norms of the components in each cluster: least squares that are not negative, with limits.

A band that is no detection still has a best flux F ≥ 0, a σ, and a level U below which the flux
lies. How it counts has a name:

- "symmetric": ((m − F)/σ)², as if it were a detection;
- "one-sided": the same where the model m is above F, else nothing;
- "erf": −2 ln Φ((U − m)/σ), with Φ(x) = ½ [1 + erf(x/√2)] (Sawicki 2012, PASP 124, 1208).

All three are convex in the norms, so that a minimum is the minimum.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]
Treatment = Literal["symmetric", "one-sided", "erf"]

_STEPS = 60
_HALVINGS = 30


@dataclass(frozen=True, kw_only=True)
class Bands:
    """Measured fluxes of clusters in bands of energy; rows are filled up where bands are missing.

    Attributes
    ----------
    low, high : [cluster, band]
        Edges, MeV.
    flux, sigma : [cluster, band]
        cm⁻² s⁻¹.
    limit : [cluster, band] of bool
        Which bands are no detections.
    level : [cluster, band]
        Upper limits U, cm⁻² s⁻¹; not used where there is a detection.
    used : [cluster, band] of bool
        False for what only fills up a row.
    """

    low: Array
    high: Array
    flux: Array
    sigma: Array
    limit: Flags
    level: Array
    used: Flags

    @cached_property
    def different(self) -> tuple[Array, NDArray[np.intp]]:
        """[edge, 2] the bands that differ, and which of them each band is: [cluster, band]."""
        edges = np.stack([self.low, self.high], axis=-1).reshape(-1, 2)
        found, index = np.unique(edges, axis=0, return_inverse=True)
        return found, index.reshape(self.low.shape)

    @property
    def count(self) -> int:
        """How many bands there are in all."""
        return int(np.sum(self.used))


def chi2_terms(bands: Bands, model: Array, treatment: Treatment) -> Array:
    """[..., cluster, band] what each band adds to χ²; ``model`` are fluxes."""
    square = ((model - bands.flux) / bands.sigma) ** 2
    if treatment == "one-sided":
        square = np.where(bands.limit & (model < bands.flux), 0.0, square)
    elif treatment == "erf":
        beyond = -2 * log_ndtr((bands.level - model) / bands.sigma)
        square = np.where(bands.limit, beyond, square)
    return np.where(bands.used, square, 0.0)


def best_norms(bands: Bands, columns: Array, treatment: Treatment) -> Array:
    """[..., cluster, component] norms ≥ 0 of least χ²; one or two components.

    Parameters
    ----------
    columns : [..., cluster, band, component]
        Flux in each band for a norm of one.
    """
    # in units of σ, so that numbers are near one
    unit = np.where(bands.used, 1 / bands.sigma, 0.0)[..., None] * columns
    scale = np.sqrt(np.sum(unit**2, axis=-2))
    scale = np.where(scale > 0, scale, 1.0)  # a component that no band can see
    columns = columns / scale[..., None, :]
    norms = _solve(columns, bands.flux, np.where(bands.used, bands.sigma**-2, 0.0))
    if treatment != "symmetric":
        norms = _newton(bands, columns, norms, treatment)
    return np.asarray(norms / scale)


def _solve(columns: Array, target: Array, weight: Array) -> Array:
    """Non-negative least squares in one or two unknowns, in closed form."""
    right = np.einsum("...cb,...cbk->...ck", weight * target, columns)
    matrix = np.einsum("...cb,...cbi,...cbj->...cij", weight, columns, columns)
    diagonal = np.einsum("...ii->...i", matrix)
    with np.errstate(divide="ignore", invalid="ignore"):
        alone = np.where(diagonal > 0, np.maximum(right, 0) / diagonal, 0.0)
    if columns.shape[-1] == 1:
        return np.asarray(alone)
    gain = alone * right
    first = gain[..., :1] >= gain[..., 1:]
    single = np.where(np.concatenate([first, ~first], axis=-1), alone, 0.0)
    determinant = diagonal[..., 0] * diagonal[..., 1] - matrix[..., 0, 1] ** 2
    regular = determinant > 1e-13 * diagonal[..., 0] * diagonal[..., 1]
    crossed = diagonal[..., ::-1] * right - matrix[..., 0, 1][..., None] * right[..., ::-1]
    both = crossed / np.where(regular, determinant, 1.0)[..., None]
    inside = regular & np.all(both >= 0, axis=-1)
    return np.where(inside[..., None], both, single)


def _newton(bands: Bands, columns: Array, norms: Array, treatment: Treatment) -> Array:
    """Newton's method, each step a problem of least squares; as much of it as lowers χ²."""
    model = np.einsum("...cbk,...ck->...cb", columns, norms)
    value = np.sum(chi2_terms(bands, model, treatment), axis=-1)
    for _ in range(_STEPS):
        slope, curvature = _derivatives(bands, model, treatment)
        safe = np.where(curvature > 0, curvature, 1.0)
        step = _solve(columns, model - slope / safe, curvature) - norms
        factor = np.ones_like(value)
        for _ in range(_HALVINGS):
            new = norms + factor[..., None] * step
            new_model = np.einsum("...cbk,...ck->...cb", columns, new)
            found = np.sum(chi2_terms(bands, new_model, treatment), axis=-1)
            worse = found > value * (1 + 1e-14)
            if not np.any(worse):
                break
            factor = np.where(worse, factor / 2, factor)
        gained = value - found
        norms, model, value = new, new_model, found
        if np.all(gained <= 1e-12 * (1 + value)):
            break
    return norms


def _derivatives(bands: Bands, model: Array, treatment: Treatment) -> tuple[Array, Array]:
    """Half the first and second derivative of each term by the model's flux."""
    curvature = np.where(bands.used, bands.sigma**-2, 0.0) * np.ones_like(model)
    slope = curvature * (model - bands.flux)
    if treatment == "one-sided":
        free = bands.limit & (model < bands.flux)
        return np.where(free, 0.0, slope), np.where(free, 0.0, curvature)
    z = (bands.level - model) / bands.sigma
    hazard = np.exp(-0.5 * z * z - log_ndtr(z)) / np.sqrt(2 * np.pi)
    limit = bands.limit & bands.used
    slope = np.where(limit, hazard / bands.sigma, slope)
    return slope, np.where(limit, hazard * (hazard + z) / bands.sigma**2, curvature)
