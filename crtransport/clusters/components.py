"""Which cluster needs which component, and how much energy each has."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crtransport.clusters.norms import Bands, best_norms, chi2_terms
from crtransport.clusters.shapes import cutoff_power_law, power_law
from crtransport.clusters.spectra import SpectralFit, at, columns

Array = NDArray[np.float64]

#: MeV, over which the components' energy fluxes are compared: the bins of Song et al. 2021
ENERGY_RANGE = (300.0, 5e5)


def component_rise(bands: Bands, found: SpectralFit) -> Array:
    """[cluster, component] rise of χ² of a cluster that lacks a component, the shape as it is."""
    unit = columns(bands, found.shape)
    rises = []
    for k in range(found.norms.shape[-1]):
        rest = np.delete(unit, k, axis=-1)
        norms = best_norms(bands, rest, found.treatment)
        terms = chi2_terms(bands, np.einsum("cbk,ck->cb", rest, norms), found.treatment)
        rises.append(terms.sum(axis=-1) - found.chi2_by_cluster)
    return np.stack(rises, axis=-1)


def norm_covariance(bands: Bands, found: SpectralFit) -> Array:
    """[cluster, component, component] of the norms at this shape, as if they could be negative.

    Every band counts as it does with "symmetric": a limit too has its best flux and σ.
    """
    unit = columns(bands, found.shape)
    weighted = np.where(bands.used, 1 / bands.sigma, 0.0)[..., None] * unit
    scale = np.sqrt(np.sum(weighted**2, axis=1))
    scaled = weighted / scale[:, None, :]
    inverse = np.linalg.inv(np.einsum("cbi,cbj->cij", scaled, scaled))
    return np.asarray(inverse / (scale[:, :, None] * scale[:, None, :]))


def efficiency_ratio(
    bands: Bands, found: SpectralFit, shape_covariance: Array
) -> tuple[Array, Array]:
    """f_e/f_γ = L_IC/L_CR of each cluster within `ENERGY_RANGE`, and its error.

    The error has the norms' part at this shape, and the shape's, from how the ratio changes as
    the shape moves and the norms follow. NaN where there is no curvature component.
    """
    ratio = _ratio(found)
    first = np.where(found.norms[:, 0] > 0, found.norms[:, 0], np.nan)
    gradient = np.stack([-ratio, np.full_like(ratio, _energy_ratio(found.shape))]) / first
    norms = np.einsum("ic,cij,jc->c", gradient, norm_covariance(bands, found), gradient)
    errors = np.sqrt(np.diag(shape_covariance))
    slopes = []
    for i, error in enumerate(errors):
        step = 0.3 * error if error > 0 else 1e-3
        shift = step * np.eye(len(errors))[i]
        ends = [_ratio(at(bands, found.shape + s, found.treatment)) for s in (shift, -shift)]
        slopes.append((ends[0] - ends[1]) / (2 * step))
    shape = np.einsum("ic,ij,jc->c", slopes, shape_covariance, slopes)
    return ratio, np.sqrt(norms + shape)


def _energy_ratio(shape: Array) -> float:
    low, high = ENERGY_RANGE
    cut = cutoff_power_law(shape[0], shape[1], low, high, moment=1)
    return float(power_law(shape[2], low, high, moment=1) / cut)


def _ratio(found: SpectralFit) -> Array:
    first, second = found.norms.T
    quotient = np.divide(second, first, out=np.full_like(first, np.nan), where=first > 0)
    return np.asarray(quotient * _energy_ratio(found.shape))
