"""Which cluster needs which component, and how much energy each has."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crtransport.clusters.norms import Bands, best_norms, chi2_terms
from crtransport.clusters.shapes import MEV, PIVOT, cutoff_power_law, power_law
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

    Every band counts as it does with "symmetric": a limit too has its best flux and σ. Zero for a
    component that no band can see.
    """
    unit = columns(bands, found.shape)
    weighted = np.where(bands.used, 1 / bands.sigma, 0.0)[..., None] * unit
    scale = np.sqrt(np.sum(weighted**2, axis=1))
    scale = np.where(scale > 0, scale, 1.0)
    scaled = weighted / scale[:, None, :]
    inverse = np.linalg.pinv(np.einsum("cbi,cbj->cij", scaled, scaled), hermitian=True)
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
    slopes = []
    for shift, step in _steps(shape_covariance):
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


def spectra(
    bands: Bands, found: SpectralFit, shape_covariance: Array, energy: Array
) -> tuple[Array, Array]:
    """E² dN/dE of each component at some energies (MeV), and its error; erg cm⁻² s⁻¹.

    [cluster, component, energy]. The error is that of the norm at this shape, and of the shape
    with the norms following it, which narrows to a bow tie where the data are.
    """
    value = found.norms[:, :, None] * _unit_spectra(found.shape, energy)
    variance = np.diagonal(norm_covariance(bands, found), axis1=1, axis2=2)
    norms = variance[:, :, None] * _unit_spectra(found.shape, energy) ** 2
    slopes = []
    for shift, step in _steps(shape_covariance):
        ends = [at(bands, found.shape + s, found.treatment) for s in (shift, -shift)]
        curves = [end.norms[:, :, None] * _unit_spectra(end.shape, energy) for end in ends]
        slopes.append((curves[0] - curves[1]) / (2 * step))
    shape = np.einsum("icke,ij,jcke->cke", slopes, shape_covariance, slopes)
    return value, np.sqrt(norms + shape)


def _unit_spectra(shape: Array, energy: Array) -> Array:
    """[component, energy] E² dN/dE for norms of one, erg."""
    cut = (energy / PIVOT) ** -shape[0] * np.exp(-energy / 10 ** shape[1])
    return np.stack([cut, (energy / PIVOT) ** -shape[2]]) * energy**2 * MEV


def _steps(shape_covariance: Array) -> list[tuple[Array, float]]:
    """For each parameter a third of its error as a shift of the shape, and how far that is.

    No further than 0.3, where a cutoff of large error might leave the energies that matter.
    """
    errors = np.sqrt(np.diag(shape_covariance))
    sizes = np.where(errors > 0, np.minimum(0.3 * errors, 0.3), 1e-3)
    return [(row, float(size)) for row, size in zip(np.diag(sizes), sizes, strict=True)]
