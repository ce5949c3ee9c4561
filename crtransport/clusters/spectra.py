"""One spectral shape for all clusters: the fit, its errors, and what chance alone would give."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import least_squares
from scipy.stats import chi2 as chi2_law
from scipy.stats import norm

from crtransport.clusters.norms import Bands, Treatment, best_norms, chi2_terms
from crtransport.clusters.rank import FEWEST
from crtransport.clusters.shapes import cutoff_power_law, power_law

Array = NDArray[np.float64]

#: limits of Γ₁, log₁₀(E_cut/MeV), Γ₂
BOUNDS = np.array([[-2.0, 4.0], [2.0, 5.0], [1.2, 6.0]])
#: of χ² over a step of one: less is nothing
_NO_RISE = 1e-3
_RESAMPLES = 200
_SCAN = (
    np.linspace(-1, 3, 17),
    np.linspace(2.4, 4.4, 17),
    np.linspace(1.6, 5.2, 13),
)


@dataclass(frozen=True, kw_only=True)
class SpectralFit:
    """The shape of least χ², common to all clusters, and the norms in each.

    Attributes
    ----------
    shape : [2] or [3]
        Γ₁, log₁₀(E_cut/MeV) and, with two components, Γ₂.
    norms : [cluster, component]
        cm⁻² s⁻¹ MeV⁻¹ at 1 GeV.
    chi2_by_cluster : [cluster]
    treatment : str
        How limits count.
    """

    shape: Array
    norms: Array
    chi2_by_cluster: Array
    treatment: Treatment

    @property
    def chi2(self) -> float:
        """Sum over the clusters."""
        return float(np.sum(self.chi2_by_cluster))

    @property
    def held(self) -> NDArray[np.bool_]:
        """[shape] which parameters lie at an end of what is allowed: the data do not fix them."""
        ends = BOUNDS[: len(self.shape)]
        return np.any(np.abs(self.shape[:, None] - ends) < 1e-6, axis=-1)

    @property
    def parameters(self) -> int:
        """Shapes, and one norm for each component of each cluster."""
        return len(self.shape) + self.norms.size


def columns(bands: Bands, shape: Array) -> Array:
    """[..., cluster, band, component] fluxes in the bands for norms of one; shape is [..., 2 or 3].

    Clusters mostly share their bands, so that few integrals are different.
    """
    edges, index = bands.different
    low, high = edges.T
    unit = [cutoff_power_law(shape[..., :1], shape[..., 1:2], low, high)]
    if shape.shape[-1] == 3:
        unit.append(power_law(shape[..., 2:], low, high))
    return np.stack(unit, axis=-1)[..., index, :]


def fit(bands: Bands, treatment: Treatment) -> tuple[SpectralFit, SpectralFit]:
    """The universal fit without and with inverse Compton: shapes tied over all clusters.

        χ²(Γ₁, E_cut, Γ₂) = Σ_clusters min over N₁, N₂ ≥ 0 of Σ_bands

    A scan over the shapes with every band taken as "symmetric" finds where to start; from there,
    and from the shape without inverse Compton, least squares in the shapes alone, with the norms
    eliminated at every step. So the second χ² is never above the first.

    References
    ----------
    Song et al. 2021, MNRAS 507, 5161, Eqs. 3 to 5.
    """
    without = at(bands, _polished(bands, treatment, _scanned(bands, 2)), treatment)
    scanned = _scanned(bands, 3)
    starts = scanned, np.append(without.shape, scanned[2])
    found = [at(bands, _polished(bands, treatment, start), treatment) for start in starts]
    return without, min(found, key=lambda one: one.chi2)


def degrees_of_freedom(bands: Bands, found: SpectralFit) -> int:
    """Bands less parameters less one, as Song et al. count.

    With their 30 clusters of 9 bands, 270 − 63 − 1 = 206, and without inverse Compton
    270 − 32 − 1 = 237: 30 norms and Γ₂ fewer. The one too many cancels in the difference, 31.
    """
    return bands.count - found.parameters - 1


def at(bands: Bands, shape: Array, treatment: Treatment) -> SpectralFit:
    """The best norms for a given shape."""
    unit = columns(bands, shape)
    norms = best_norms(bands, unit, treatment)
    terms = chi2_terms(bands, np.einsum("cbk,ck->cb", unit, norms), treatment)
    return SpectralFit(
        shape=shape, norms=norms, chi2_by_cluster=terms.sum(axis=-1), treatment=treatment
    )


def model_flux(bands: Bands, found: SpectralFit) -> Array:
    """[cluster, band] fluxes of the fit."""
    return np.asarray(np.einsum("cbk,ck->cb", columns(bands, found.shape), found.norms))


def _scanned(bands: Bands, parameters: int) -> Array:
    """The shape of least χ² on a grid."""
    axes = _SCAN[:parameters]
    shapes = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes))
    unit = columns(bands, shapes)
    norms = best_norms(bands, unit, "symmetric")
    model = np.einsum("...cbk,...ck->...cb", unit, norms)
    chi2 = chi2_terms(bands, model, "symmetric").sum(axis=(-2, -1))
    return np.asarray(shapes[chi2.argmin()])


def _polished(bands: Bands, treatment: Treatment, start: Array) -> Array:
    def residuals(shape: Array) -> Array:
        unit = columns(bands, shape)
        norms = best_norms(bands, unit, treatment)
        model = np.einsum("cbk,ck->cb", unit, norms)
        root = np.sqrt(chi2_terms(bands, model, treatment))
        return np.asarray(np.where(model < bands.flux, -root, root)[bands.used])

    bounds = BOUNDS[: len(start)].T
    options = {"diff_step": 1e-5, "xtol": 1e-10, "ftol": 1e-12, "gtol": 1e-10}
    return np.asarray(least_squares(residuals, start, bounds=tuple(bounds), **options).x)


def repolished(bands: Bands, found: SpectralFit, errors: Array) -> float:
    """How far from the answer the search ends if it starts one error away, in errors.

    ``errors`` are NaN for parameters that the data do not fix.
    """
    fixed = np.isfinite(errors)
    start = found.shape + np.where(fixed, errors, 0.0)
    again = _polished(bands, found.treatment, np.clip(start, *BOUNDS[: len(errors)].T))
    return float(np.max(np.abs(again - found.shape)[fixed] / errors[fixed], initial=0.0))


def covariance(bands: Bands, found: SpectralFit) -> Array:
    """[shape, shape] of the shape parameters: 2 (∂²χ²)⁻¹, with the norms fitted anew beside it.

    Second differences over about one standard error, so that they see the valley and not the
    kinks where a norm reaches zero. Zero for a parameter that the data do not fix: that lies at
    an end of its range, or on which χ² does not depend; for all, if χ² has no valley there.
    """

    def value(shift: Array) -> float:
        return at(bands, found.shape + shift, found.treatment).chi2

    def rise(step: Array) -> float:
        return value(step) + value(-step) - 2 * found.chi2

    k = len(found.shape)
    steps = [_unit_rise(rise, direction) for direction in np.eye(k)]
    free = [i for i in range(k) if not found.held[i] and rise(steps[i]) > _NO_RISE]
    hessian = np.zeros((k, k))
    for i in free:
        hessian[i, i] = rise(steps[i])
        for j in free[: free.index(i)]:
            a, b = steps[i], steps[j]
            mixed = value(a + b) - value(a - b) - value(b - a) + value(-a - b)
            hessian[i, j] = hessian[j, i] = mixed / 4
    valley = hessian[np.ix_(free, free)]
    result = np.zeros((k, k))
    if free and np.linalg.eigvalsh(valley)[0] > _NO_RISE:
        size = np.sum(steps, axis=0)[free]
        result[np.ix_(free, free)] = 2 * np.linalg.inv(valley) * np.outer(size, size)
    return result


def shape_errors(shape_covariance: Array) -> Array:
    """[shape] standard errors, NaN for what the data do not fix."""
    variance = np.diag(shape_covariance)
    return np.sqrt(np.where(variance > 0, variance, np.nan))


def _unit_rise(rise: Callable[[Array], float], direction: Array) -> Array:
    """A step in one parameter alone by which χ² rises by about one; 1 where it hardly does."""
    step = 1e-3
    while step < 1 and rise(step * direction) < 2:
        step *= 1.5
    return step * direction


def delta_chi2_sigma(delta: float, dof: int) -> float:
    """One-sided significance of a gain in χ² for ``dof`` more parameters, in standard deviations.

    Wilks' theorem; norms that cannot be negative make it cautious, and a Γ₂ that means nothing
    without its component makes it bold. `simulated_gains` says what holds.
    """
    return float(-norm.ppf(chi2_law.sf(delta, dof)))


def fitted_sigma(gain: float, gains: Array) -> float:
    """Significance of a gain by a gamma law with mean and variance of simulated gains.

        z = 3 √k [(g/mean)^⅓ − 1 + 1/(9k)],   k = mean²/variance

    (Wilson & Hilferty 1931, PNAS 17, 684; at 6σ it is one per cent too low.) The law is a χ² of
    another width: norms that may be zero make gains smaller than Wilks', the search for a shape
    wider. benchmarks/clusters.py prints both beside simulations.
    """
    mean, k = np.mean(gains), np.mean(gains) ** 2 / np.var(gains, ddof=1)
    return float(3 * np.sqrt(k) * (np.cbrt(gain / mean) - 1 + 1 / (9 * k)))


def calibrated(gain: float, gains: Array) -> tuple[float, float, bool]:
    """One-sided significance of a gain among simulated ones, its error, and if it is extrapolated.

    It is, by `fitted_sigma`, where fewer than `FEWEST` simulations have as large a gain. The error
    is that of the number of simulations, by drawing from them with replacement. Both are NaN where
    all gains are alike, as where nothing is gained.
    """
    if np.ptp(gains) == 0:
        return np.nan, np.nan, False
    extrapolated = int(np.sum(gains >= gain)) < FEWEST

    def sigma(some: Array) -> float:
        if extrapolated:
            return fitted_sigma(gain, some)
        # never 0 nor 1, which would be infinitely many
        return float(norm.isf((np.sum(some >= gain) + 1) / (len(some) + 2)))

    rng = np.random.default_rng(len(gains))
    drawn = rng.choice(gains, (_RESAMPLES, len(gains)))
    # without the few that gain anything there is no law
    error = np.std([sigma(some) for some in drawn if np.ptp(some) > 0])
    return sigma(gains), float(error), extrapolated


def simulated_gains(
    bands: Bands, treatment: Treatment, null: SpectralFit, *, samples: int, seed: int
) -> Array:
    """[sample] Δχ² of data drawn from the fit without inverse Compton, fitted both ways.

    Fluxes are drawn around the model with the σ of their bands; a band that is a limit stays one,
    with its best flux not below zero and its level as far above it as in the data.
    """
    rng = np.random.default_rng(seed)
    mean = model_flux(bands, null)
    gains = np.empty(samples)
    for k in range(samples):
        flux = rng.normal(mean, bands.sigma)
        flux = np.where(bands.limit, np.maximum(flux, 0), flux)
        drawn = replace(bands, flux=flux, level=flux + bands.level - bands.flux)
        without, full = fit(drawn, treatment)
        gains[k] = without.chi2 - full.chi2
    return gains
