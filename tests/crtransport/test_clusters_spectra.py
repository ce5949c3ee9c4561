"""The universal spectrum: integrals, norms, recovery, errors and significances."""

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.optimize import minimize, nnls
from scipy.stats import chi2 as chi2_law
from scipy.stats import norm

from crtransport.clusters.components import (
    ENERGY_RANGE,
    component_rise,
    efficiency_ratio,
    norm_covariance,
    spectra,
)
from crtransport.clusters.norms import Bands, Treatment, best_norms, chi2_terms
from crtransport.clusters.shapes import cutoff_power_law, electron_index, power_law
from crtransport.clusters.spectra import (
    SpectralFit,
    at,
    calibrated,
    columns,
    covariance,
    degrees_of_freedom,
    delta_chi2_sigma,
    fit,
    fitted_sigma,
    model_flux,
    repolished,
    shape_errors,
    simulated_gains,
)

Array = NDArray[np.float64]

TRUTH = np.array([0.9, 3.3, 2.8])
TREATMENTS: tuple[Treatment, ...] = ("symmetric", "one-sided", "erf")


def simulated(
    clusters: int = 30,
    noise: float = 0.1,
    seed: int = 1,
    tail: float = 1.0,
    faint: float = 1e-11,
    lowest: float = 0.0,
) -> Bands:
    """Nine bands from 0.3 to 500 GeV; errors of a tenth and a floor, below which are limits.

    ``lowest`` is the least flux that an analysis gives; −inf where it may be negative.
    """
    rng = np.random.default_rng(seed)
    edges = np.geomspace(300.0, 5e5, 10)
    low, high = (np.broadcast_to(e, (clusters, 9)) for e in (edges[:-1], edges[1:]))
    blank = np.ones((clusters, 9))
    empty = Bands(
        low=low, high=high, flux=blank, sigma=blank, limit=blank < 0, level=blank, used=blank > 0
    )
    # bright and faint clusters, equal energy in both components on average
    brightness = 10 ** rng.uniform(-12.3, -11.3, clusters)
    share = tail * 10 ** rng.normal(-0.8, 0.2, clusters)
    norms = np.stack([brightness, brightness * share], axis=-1)
    flux = np.einsum("cbk,ck->cb", columns(empty, TRUTH), norms)
    sigma = np.hypot(noise * flux, faint / np.sqrt(low / 300))
    drawn = flux + (sigma * rng.normal(size=flux.shape) if noise > 0 else 0)
    limit = drawn < 1.5 * sigma
    drawn = np.where(limit, np.maximum(drawn, lowest), drawn)
    return replace(empty, flux=drawn, sigma=sigma, limit=limit, level=drawn + 2 * sigma)


@pytest.mark.parametrize("index", [-1.0, 0.9, 1.0, 2.0, 2.8])
@pytest.mark.parametrize("moment", [0, 1])
def test_integrals_are_those_of_adaptive_quadrature(index: float, moment: int) -> None:
    for low, high in ((50.0, 100.0), (1e3, 3e3), (3e4, 5e5), (100.0, 5e5)):

        def spectrum(log_e: float, cutoff: float = np.inf) -> float:
            e = np.exp(log_e)
            return float(e ** (1 + moment) * (e / 1e3) ** -index * np.exp(-e / cutoff))

        ends = np.log([low, high])
        whole = quad(spectrum, *ends, epsabs=0, epsrel=1e-12, limit=200)[0]
        assert power_law(index, low, high, moment) == pytest.approx(whole, rel=1e-12)
        cut = quad(spectrum, *ends, args=(2e3,), epsabs=0, epsrel=1e-11, limit=200)[0]
        found = cutoff_power_law(index, np.log10(2e3), low, high, moment)
        assert found == pytest.approx(cut, rel=1e-9, abs=0)
        assert found != pytest.approx(cut * (1 + 1e-8), rel=1e-9, abs=0)


def test_electron_index() -> None:
    """Song et al. 2021: Γ₂ = 2.79 ± 0.25 gives p = 4.58 ± 0.50."""
    assert electron_index(2.79) == pytest.approx(4.58)
    assert electron_index(2.79 + 0.25) - electron_index(2.79) == pytest.approx(0.50)


def test_norms_are_those_of_nnls() -> None:
    bands = simulated()
    unit = columns(bands, TRUTH)
    norms = best_norms(bands, unit, "symmetric")
    for c in range(30):
        scaled = unit[c] / bands.sigma[c][:, None]
        size = np.linalg.norm(scaled, axis=0)
        expected = nnls(scaled / size, bands.flux[c] / bands.sigma[c])[0] / size
        assert norms[c] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("treatment", TREATMENTS)
def test_norms_are_those_of_a_general_minimiser(treatment: Treatment) -> None:
    bands = simulated(tail=0.3, seed=4)
    unit = columns(bands, TRUTH)
    norms = best_norms(bands, unit, treatment)
    model = np.einsum("cbk,ck->cb", unit, norms)
    found = chi2_terms(bands, model, treatment).sum(axis=-1)
    scale = norms.max(axis=0)

    def chi2(x: Array, c: int) -> float:
        fluxes = np.broadcast_to(unit[c] @ (x * scale), model.shape)
        return float(chi2_terms(bands, fluxes, treatment)[c].sum())

    for c in range(0, 30, 5):
        free: Any = {"bounds": [(0, None)] * 2, "args": (c,), "options": {"ftol": 1e-14}}
        reference = minimize(chi2, norms[c] / scale + 0.01, **free)
        assert found[c] <= reference.fun * (1 + 1e-9)
        assert found[c] == pytest.approx(reference.fun, rel=1e-5)


def test_treatments_differ_in_limits_only() -> None:
    bands = simulated()
    unit = columns(bands, TRUTH)
    model = np.einsum("cbk,ck->cb", unit, best_norms(bands, unit, "symmetric"))
    terms = [chi2_terms(bands, model, treatment) for treatment in TREATMENTS]
    assert bands.limit.any()
    for other in terms[1:]:
        assert np.array_equal(other[~bands.limit], terms[0][~bands.limit])
        assert not np.allclose(other[bands.limit], terms[0][bands.limit])
    below = bands.limit & (model < bands.flux)
    assert np.all(terms[1][below] == 0)
    far = chi2_terms(bands, 0 * model - 9 * bands.sigma, "erf")
    assert np.all(far[bands.limit] < 1e-9)


@pytest.mark.parametrize("treatment", TREATMENTS[:2])
def test_without_noise_the_truth_is_found(treatment: Treatment) -> None:
    exact = simulated(noise=0.0)
    exact = replace(exact, limit=np.zeros_like(exact.limit))
    _, full = fit(exact, treatment)
    assert full.shape == pytest.approx(TRUTH, abs=1e-5)
    assert full.chi2 < 1e-6


@pytest.mark.parametrize("treatment", TREATMENTS)
def test_no_shape_nearby_is_better(treatment: Treatment) -> None:
    bands = simulated(seed=3)
    found = fit(bands, treatment)
    rng = np.random.default_rng(0)
    for one in found:
        for scale in (1e-3, 0.05, 0.5):
            for _ in range(10):
                beside = one.shape + scale * rng.normal(size=len(one.shape))
                assert at(bands, beside, treatment).chi2 >= one.chi2 - 1e-6
    assert found[1].chi2 < found[0].chi2


@cache
def repeated() -> tuple[Array, Array]:
    """Distances from the truth in errors: [sample, shape] and, of f_e/f_γ, [sample, cluster].

    Fluxes may be negative here: where they may not, faint bands are too bright on average, which
    makes Γ₂ too small (benchmarks/clusters.py says by how much).
    """
    shapes, ratios = [], []
    for seed in range(40):
        bands = simulated(seed=seed, lowest=-np.inf)
        _, full = fit(bands, "symmetric")
        found = covariance(bands, full)
        shapes.append((full.shape - TRUTH) / np.sqrt(np.diag(found)))
        ratio, error = efficiency_ratio(bands, full, found)
        ratios.append((ratio - truth_ratio(seed)) / error)
    return np.array(shapes), np.array(ratios)


def truth_ratio(seed: int) -> Array:
    exact = replace(simulated(seed=seed, noise=0.0), sigma=np.ones((30, 9)))
    found = at(exact, TRUTH, "symmetric")
    low, high = ENERGY_RANGE
    energy = power_law(TRUTH[2], low, high, 1) / cutoff_power_law(*TRUTH[:2], low, high, 1)
    return np.asarray(found.norms[:, 1] / found.norms[:, 0] * energy)


def test_errors_of_the_shape_are_those_of_repeated_measurements() -> None:
    """Each parameter's pulls have a mean of zero and a spread of one, within three of its s.e."""
    found, _ = repeated()
    assert np.all(np.abs(found.mean(axis=0)) < 0.1 + 3 / np.sqrt(40))
    assert np.all(np.abs(found.std(axis=0, ddof=1) - 1) < 3 / np.sqrt(2 * 39))


def test_errors_of_half_the_size_would_be_found() -> None:
    spread = 2 * repeated()[0].std(axis=0, ddof=1)
    assert np.all(np.abs(spread - 1) > 3 / np.sqrt(2 * 39))


def test_errors_of_the_ratio_are_those_of_repeated_measurements() -> None:
    _, found = repeated()
    inside = np.nanmean(np.abs(found) < 1)
    assert 0.62 < inside < 0.75
    assert np.nanmean(np.abs(found) < 0.5) < 0.5


def test_significance_of_the_paper() -> None:
    """Δχ² = 145 for 31 more parameters: 8.21σ, one-sided; two-sided it would be more."""
    assert f"{delta_chi2_sigma(145, 31):.2f}" == "8.21"
    assert f"{delta_chi2_sigma(145, 30):.2f}" != "8.21"
    assert delta_chi2_sigma(30.34, 31) == pytest.approx(0, abs=0.01)


def test_degrees_of_freedom_of_the_paper() -> None:
    bands = simulated()
    without, full = fit(bands, "symmetric")
    assert degrees_of_freedom(bands, full) == 206
    assert degrees_of_freedom(bands, without) == 237


def test_order_of_clusters_does_not_matter() -> None:
    bands = simulated()
    order = np.random.default_rng(1).permutation(30)
    names = ("low", "high", "flux", "sigma", "limit", "level", "used")
    mixed = replace(bands, **{name: getattr(bands, name)[order] for name in names})
    (_, one), (_, other) = fit(bands, "erf"), fit(mixed, "erf")
    assert other.shape == pytest.approx(one.shape, rel=1e-6)
    assert other.norms == pytest.approx(one.norms[order], rel=1e-4, abs=1e-6 * one.norms.max())


def test_bands_that_only_fill_a_row_do_not_count() -> None:
    bands = simulated()
    used = bands.used.copy()
    used[3, 5:] = False
    filled = replace(bands, used=used)
    wild = replace(filled, flux=np.where(used, bands.flux, 99.0))
    assert filled.count == 266
    (_, one), (_, other) = fit(filled, "one-sided"), fit(wild, "one-sided")
    assert np.array_equal(one.shape, other.shape)
    assert not np.array_equal(one.shape, fit(bands, "one-sided")[1].shape)


def test_components_that_are_there_are_needed() -> None:
    bands = simulated(noise=0.03, faint=1e-12)
    _, full = fit(bands, "symmetric")
    assert np.all(component_rise(bands, full) > 9)
    bare = simulated(noise=0.03, faint=1e-12, tail=1e-6)
    found = at(bare, TRUTH, "symmetric")
    assert np.median(component_rise(bare, found)[:, 1]) < 1


def test_norm_errors_are_those_of_least_squares() -> None:
    bands = simulated()
    found = at(bands, TRUTH, "symmetric")
    rows = columns(bands, TRUTH)[2] / bands.sigma[2][:, None]
    size = np.linalg.norm(rows, axis=0)
    expected = np.linalg.inv((rows / size).T @ (rows / size)) / np.outer(size, size)
    assert norm_covariance(bands, found)[2] == pytest.approx(expected, rel=1e-9)


def test_spectra_are_those_that_the_bands_integrate() -> None:
    """And with a shape that is known, their error is that of the norms."""
    bands = simulated(clusters=3)
    _, full = fit(bands, "symmetric")
    low, high = bands.low[0, 2], bands.high[0, 2]
    energy = np.geomspace(low, high, 2001)
    value, error = spectra(bands, full, np.zeros((3, 3)), energy)
    flux = np.trapezoid(value.sum(axis=1) / energy / 1.602176634e-6, np.log(energy), axis=-1)
    assert flux == pytest.approx(model_flux(bands, full)[:, 2], rel=1e-5)
    relative = np.sqrt(np.diagonal(norm_covariance(bands, full), axis1=1, axis2=2)) / full.norms
    assert error / value == pytest.approx(np.broadcast_to(relative[..., None], value.shape))
    wider = spectra(bands, full, covariance(bands, full), energy)[1]
    assert np.all(wider > error)


def test_a_parameter_at_an_end_is_held() -> None:
    bands = simulated()
    found = at(bands, np.array([-2.0, 3.3, 2.8]), "symmetric")
    assert list(found.held) == [True, False, False]
    assert np.all(covariance(bands, found)[0] == 0)
    assert not at(bands, TRUTH, "symmetric").held.any()


def test_gain_by_chance_is_small_and_seeded() -> None:
    bands = simulated(clusters=12)
    without, full = fit(bands, "symmetric")
    gains = simulated_gains(bands, "symmetric", without, samples=8, seed=5)
    assert np.all(gains >= 0)
    assert gains.max() < without.chi2 - full.chi2
    assert 2 < gains.mean() < 25
    again = simulated_gains(bands, "symmetric", without, samples=8, seed=5)
    assert np.array_equal(gains, again)


def test_significance_by_simulations() -> None:
    """Of χ² with 31 degrees of freedom it is Wilks'; of a wider law less; counted where it can."""
    law = chi2_law(31)
    gains = law.ppf((np.arange(4000) + 0.5) / 4000)
    sigma, error, extrapolated = calibrated(90.0, gains)
    assert extrapolated
    assert sigma == pytest.approx(delta_chi2_sigma(90.0, 31), rel=0.02)
    assert 0.02 < error < 0.3
    assert calibrated(90.0, gains[::40])[1] > 3 * error
    wider, *_ = calibrated(90.0, 1.2 * gains)
    assert wider < sigma - 0.8
    assert fitted_sigma(31.0, gains) == pytest.approx(delta_chi2_sigma(31.0, 31), abs=0.01)
    assert np.isnan(calibrated(1.0, np.zeros(10))[0])
    counted, error, extrapolated = calibrated(law.isf(0.02), gains)
    assert not extrapolated
    # of 80 among 4000
    assert error == pytest.approx(np.sqrt(80) / 4000 / norm.pdf(counted), rel=0.2)
    assert counted == pytest.approx(norm.isf(0.02), abs=0.02)


@settings(deadline=None, max_examples=15)
@given(st.integers(1, 6), st.integers(2, 8), st.integers(0, 1000), st.sampled_from(TREATMENTS))
def test_any_bands_have_an_answer(clusters: int, count: int, seed: int, how: Treatment) -> None:
    """Fluxes without any shape: errors are positive or NaN, ratios too, and nothing overflows."""
    rng = np.random.default_rng(seed)
    edges = np.geomspace(50, 5e5, count + 1)
    low, high = (np.broadcast_to(e, (clusters, count)) for e in (edges[:-1], edges[1:]))
    flux = 10 ** rng.uniform(-14, -8, low.shape)
    sigma = flux * 10 ** rng.uniform(-2, 1.5, low.shape)
    limit = rng.random(low.shape) < rng.random()
    flux = np.where(limit & (rng.random(low.shape) < 0.5), 0, flux)
    level, used = flux + 2 * sigma, np.ones(low.shape, bool)
    bands = Bands(low=low, high=high, flux=flux, sigma=sigma, limit=limit, level=level, used=used)
    without, full = fit(bands, how)
    assert full.chi2 <= without.chi2 * (1 + 1e-6) + 1e-6
    found = covariance(bands, full)
    errors = shape_errors(found)
    assert np.all((errors > 0) | np.isnan(errors))
    ratio, error = efficiency_ratio(bands, full, found)
    assert np.all((ratio >= 0) | np.isnan(ratio))
    assert np.all((error >= 0) | np.isnan(error))
    assert np.isfinite(repolished(bands, full, errors))
    assert np.all(np.isfinite(spectra(bands, full, found, np.geomspace(50, 5e5, 9))))


def test_a_fit_counts_its_parameters() -> None:
    found = SpectralFit(
        shape=TRUTH, norms=np.ones((30, 2)), chi2_by_cluster=np.ones(30), treatment="erf"
    )
    assert (found.parameters, found.chi2) == (63, 30)
