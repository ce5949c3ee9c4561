"""The analysis "spectra": one shape for all clusters, for each choice of bands."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from crtransport.clusters import inverse_compton
from crtransport.clusters.bands import BandTable
from crtransport.clusters.components import (
    component_rise,
    efficiency_ratio,
    norm_covariance,
    spectra,
)
from crtransport.clusters.inverse_compton import Seeds
from crtransport.clusters.norms import Bands
from crtransport.clusters.shapes import electron_index
from crtransport.clusters.spectra import (
    SpectralFit,
    calibrated,
    covariance,
    degrees_of_freedom,
    delta_chi2_sigma,
    fit,
    model_flux,
    repolished,
    shape_errors,
    simulated_gains,
)
from crtransport.deck.clusters import Spectra

Array = NDArray[np.float64]

PARAMETERS = ("spectral_index_cr", "log10_cutoff", "spectral_index_ic")
COMPONENTS = ("curvature", "inverse-Compton")
_TEXTS = {
    "spectral_index_cr": "index Γ1 of the component with a cutoff (curvature radiation)",
    "log10_cutoff": "log10 of the cutoff energy in MeV",
    "spectral_index_ic": "index Γ2 of the power law (inverse Compton)",
}
REMARKS = (
    "errors are those of Δχ² = 1 with the norms fitted anew; fluxes of a catalogue are never "
    "negative, which makes faint bands too bright: in simulations with limits taken as symmetric, "
    "the index of inverse Compton then comes out too small by about one error",
    "degrees of freedom are counted as in the paper, N − k − 1: its 206 are 270 bands − 63 "
    "parameters − 1, its 237 are 270 − 32 − 1",
)


def analyse(deck: Spectra, table: BandTable, seeds: list[Seeds]) -> xr.Dataset:
    """The universal fit to the bands of the first E_min, and its shape for each."""
    bands = [table.above(energy) for energy in deck.E_min]
    fits = [fit(b, deck.limits) for b in bands]
    main, (without, full) = bands[0], fits[0]
    spreads = [covariance(b, both[1]) for b, both in zip(bands, fits, strict=True)]
    errors = np.array([shape_errors(one) for one in spreads])
    spread = spreads[0]
    gains = simulated_gains(main, deck.limits, without, samples=deck.simulations, seed=deck.seed)
    energy = np.geomspace(main.low[main.used].min(), main.high[main.used].max(), 61)
    curves = _curves(main, full, spread, energy)
    tails = dict(zip(table.names, curves["spectrum"][1][:, 1], strict=True))
    index = float(electron_index(full.shape[2]))
    return xr.Dataset(
        _shape(full, errors[0], without, shape_errors(covariance(main, without)))
        | _quality(main, full, without, gains)
        | _choices(bands, fits, errors)
        | _clusters(main, full, spread)
        | curves
        | inverse_compton.variables(seeds, index, energy, tails)
        | _measured(main, full),
        coords=_coordinates(deck, table, energy),
        attrs={
            "error_estimate": repolished(main, full, errors[0]),
            "error_tolerance": 1e-2,
            "limits": deck.limits,
            "seed": deck.seed,
            "remark": "\n".join(
                [_difference(table.bands), *REMARKS, *_open(deck, fits, errors), *_left_out(seeds)]
            ),
        },
    )


def _left_out(seeds: list[Seeds]) -> list[str]:
    if not seeds or inverse_compton.installed():
        return []
    how = 'python -m pip install "crtransport[clusters]"'
    return [f"spectra of inverse Compton are left out, as naima is not installed: {how}"]


def _difference(bands: Bands) -> str:
    """Why the results are not those of the paper."""
    edges = np.unique(bands.low[bands.used])
    above = int(np.sum(edges >= 300))
    return (
        "not a reproduction of Song et al. 2021, which analyses the photons of eight years anew, "
        "in nine bands from 0.3 to 500 GeV; here are the fluxes of a table, with the background "
        "and the sources beside that it was made with, in "
        f"{len(edges)} bands from {edges[0]:g} MeV, {above} of them from 300 MeV"
    )


def _open(deck: Spectra, fits: list[tuple[SpectralFit, SpectralFit]], errors: Array) -> list[str]:
    """Which parameters the bands do not fix."""
    return [
        f"the bands from {energy:g} MeV do not fix {PARAMETERS[k]}, which is left at "
        f"{full.shape[k]:.2f}" + (", the end of its range" if full.held[k] else "")
        for energy, (_, full), row in zip(deck.E_min, fits, errors, strict=True)
        for k in np.flatnonzero(np.isnan(row))
    ]


def _shape(
    full: SpectralFit, errors: Array, without: SpectralFit, errors_without: Array
) -> dict[str, Any]:
    variables: dict[str, Any] = {}
    for found, spread, suffix, text in (
        (full, errors, "", ""),
        (without, errors_without, "_without_ic", ", without inverse Compton"),
    ):
        for name, value, error in zip(PARAMETERS, found.shape, spread, strict=False):
            variables[name + suffix] = _scalar(value, _TEXTS[name] + text)
            variables[f"{name}{suffix}_error"] = _scalar(error, f"standard error of {name}{suffix}")
    text = "index of the electrons' spectrum, from Γ2 = (p + 1)/2"
    variables["electron_index"] = _scalar(float(electron_index(full.shape[2])), text)
    twice = 2 * float(errors[2])
    variables["electron_index_error"] = _scalar(twice, "standard error of electron_index")
    return variables


def _quality(bands: Bands, full: SpectralFit, without: SpectralFit, gains: Array) -> dict[str, Any]:
    delta = without.chi2 - full.chi2
    more = full.parameters - without.parameters
    beyond = int(np.sum(gains >= delta))
    sigma, error, extrapolated = calibrated(delta, gains)
    return {
        "chi2": _scalar(full.chi2, "χ² of the fit with both components"),
        "chi2_without_ic": _scalar(without.chi2, "χ² of the fit without inverse Compton"),
        "dof": _scalar(degrees_of_freedom(bands, full), "degrees of freedom, N − k − 1"),
        "dof_without_ic": _scalar(
            degrees_of_freedom(bands, without), "degrees of freedom without inverse Compton"
        ),
        "delta_chi2": _scalar(delta, "gain in χ² by inverse Compton"),
        "delta_chi2_dof": _scalar(more, "parameters that inverse Compton adds"),
        "significance": _scalar(
            delta_chi2_sigma(delta, more), "one-sided significance of the gain by Wilks, in sigma"
        ),
        "simulated_delta_chi2": (
            "simulation", gains, _label("1", "gain in χ² in data simulated without inverse Compton")
        ),
        "simulated_beyond": _scalar(beyond, "simulations with as large a gain as the data"),
        "simulated_significance": _scalar(
            sigma, "one-sided significance of the gain by simulations, in sigma"
        ),
        "simulated_significance_error": _scalar(
            error, "its error by the number of simulations"
        ),
        "extrapolated": _scalar(
            float(extrapolated), "1 where a law fitted to the simulations gives it, else 0"
        ),
    }  # fmt: skip


def _choices(
    bands: list[Bands], fits: list[tuple[SpectralFit, SpectralFit]], errors: Array
) -> dict[str, Any]:
    gains = np.array([without.chi2 - full.chi2 for without, full in fits])
    more = [full.parameters - without.parameters for without, full in fits]
    pairs = list(zip(gains, more, strict=True))
    both = ("E_min", "parameter")
    return {
        "shape_by_E_min": (
            both, np.array([full.shape for _, full in fits]), _label("1", "shape parameters")
        ),
        "shape_by_E_min_error": (both, errors, _label("1", "their standard errors")),
        "chi2_by_E_min": (
            "E_min", np.array([full.chi2 for _, full in fits]), _label("1", "χ²")
        ),
        "dof_by_E_min": (
            "E_min",
            np.array([degrees_of_freedom(b, f[1]) for b, f in zip(bands, fits, strict=True)]),
            _label("1", "degrees of freedom, N − k − 1"),
        ),
        "delta_chi2_by_E_min": ("E_min", gains, _label("1", "gain in χ² by inverse Compton")),
        "significance_by_E_min": (
            "E_min",
            np.array([delta_chi2_sigma(gain, k) for gain, k in pairs]),
            _label("1", "one-sided significance of the gain by Wilks, in sigma"),
        ),
    }  # fmt: skip


def _clusters(bands: Bands, full: SpectralFit, spread: Array) -> dict[str, Any]:
    ratio, error = efficiency_ratio(bands, full, spread)
    unit = "cm-2 s-1 MeV-1"
    norm_error = np.sqrt(np.diagonal(norm_covariance(bands, full), axis1=1, axis2=2))
    each = ("cluster", "component")
    rise = component_rise(bands, full)
    return {
        "norm": (each, full.norms, _label(unit, "norm at 1 GeV")),
        "norm_error": (each, norm_error, _label(unit, "standard error of norm, the shape given")),
        "component_delta_chi2": (
            each, rise, _label("1", "rise of the cluster's χ² without the component")
        ),
        "efficiency_ratio": (
            "cluster", ratio, _label("1", "f_e/f_γ = L_IC/L_CR from 0.3 to 500 GeV")
        ),
        "efficiency_ratio_error": (
            "cluster", error, _label("1", "standard error of efficiency_ratio")
        ),
        "cluster_chi2": ("cluster", full.chi2_by_cluster, _label("1", "χ² of the cluster")),
    }  # fmt: skip


def _curves(bands: Bands, full: SpectralFit, spread: Array, energy: Array) -> dict[str, Any]:
    value, error = spectra(bands, full, spread, energy)
    unit, dims = "erg cm-2 s-1", ("cluster", "component", "energy")
    return {
        "spectrum": (dims, value, _label(unit, "E² dN/dE of each component")),
        "spectrum_error": (dims, error, _label(unit, "its standard error")),
    }


def _measured(bands: Bands, full: SpectralFit) -> dict[str, Any]:
    unit = "cm-2 s-1"
    dims = ("cluster", "band")

    def column(values: NDArray[Any], units: str, text: str) -> Any:
        return dims, np.where(bands.used, values, np.nan), _label(units, text)

    return {
        "band_low": column(bands.low, "MeV", "lower edge of the band"),
        "band_high": column(bands.high, "MeV", "upper edge of the band"),
        "band_flux": column(bands.flux, unit, "measured flux in the band"),
        "band_flux_error": column(bands.sigma, unit, "its standard error"),
        "band_limit": column(bands.limit, "1", "1 where nothing was detected"),
        "band_level": column(bands.level, unit, "upper limit of the flux"),
        "band_model": column(model_flux(bands, full), unit, "flux of the fit in the band"),
    }


def _coordinates(deck: Spectra, table: BandTable, energy: Array) -> dict[str, Any]:
    return {
        "cluster": ("cluster", table.names, _label("1", "globular cluster")),
        "component": ("component", list(COMPONENTS), _label("1", "component of the spectrum")),
        "parameter": ("parameter", list(PARAMETERS), _label("1", "parameter of the shape")),
        "E_min": ("E_min", list(deck.E_min), _label("MeV", "where the lowest band begins")),
        "energy": ("energy", energy, _label("MeV", "photon energy")),
    }


def _scalar(value: float, text: str) -> tuple[tuple[()], float, dict[str, str]]:
    return (), value, _label("1", text)


def _label(units: str, long_name: str) -> dict[str, str]:
    return {"units": units, "long_name": long_name}
