"""Samples against a Gaussian posterior, and the diagnostics against ArviZ and what must fail."""

from typing import Any

import numpy as np
import pytest

pytest.importorskip("iminuit", reason="needs the extra fit")
pytest.importorskip("emcee", reason="needs the extra fit")
pytest.importorskip("dynesty", reason="needs the extra fit")

from crtransport.fits import (
    FitError,
    Objective,
    Parameter,
    Samples,
    Unpredictable,
    minimise,
    sample_ensemble,
    sample_nested,
)
from crtransport.fits.diagnostics import autocorrelation, r_hat, shortcomings

#: of (x, ln y): a Gaussian of these errors and this correlation
ERRORS, CORRELATION, MIDDLE = np.array([0.5, 0.2]), 0.8, np.array([1.0, 0.5])
_OFF = CORRELATION * ERRORS.prod()
INVERSE = np.linalg.inv(np.array([[ERRORS[0] ** 2, _OFF], [_OFF, ERRORS[1] ** 2]]))


def gaussian() -> Objective:
    parameters = (
        Parameter(name="x", start=0.0, lower=-4.0, upper=6.0),
        Parameter(name="y", start=1.0, lower=0.1, upper=20.0, scale="log"),
    )

    def chi2(v: Any) -> float:
        d = np.array([v["x"], np.log(v["y"])]) - MIDDLE
        return float(d @ INVERSE @ d)

    return Objective(parameters, chi2)


def check(samples: Samples) -> None:
    """Mean, errors and correlation within what so many draws leave open."""
    assert not samples.problems
    draws = samples.draws.reshape(-1, 2)
    coordinates = np.stack([draws[:, 0], np.log(draws[:, 1])])
    n = samples.effective.min()
    assert np.abs((coordinates.mean(axis=1) - MIDDLE) / ERRORS).max() < 5 / np.sqrt(n)
    assert coordinates.std(axis=1) == pytest.approx(ERRORS, rel=5 / np.sqrt(2 * n))
    assert np.corrcoef(coordinates)[0, 1] == pytest.approx(CORRELATION, abs=5 / np.sqrt(n))


@pytest.fixture(scope="module")
def ensemble() -> Samples:
    objective = gaussian()
    return sample_ensemble(objective, minimise(objective), steps=1500, walkers=12, seed=5)


def test_ensemble(ensemble: Samples) -> None:
    check(ensemble)
    assert ensemble.draws.shape == (24, 1000, 2)
    assert np.all(ensemble.autocorrelation > 5)
    objective = gaussian()
    last = np.log(ensemble.draws[3, 7, 1])
    expected = -objective(np.array([ensemble.draws[3, 7, 0], last])) / 2
    assert ensemble.log_probability[3, 7] == pytest.approx(expected)


def test_nested() -> None:
    samples = sample_nested(gaussian(), live=200, seed=5)
    check(samples)
    again = sample_nested(gaussian(), live=200, seed=5)
    assert np.array_equal(samples.draws, again.draws)


def test_too_few_steps_fail() -> None:
    objective = gaussian()
    short = sample_ensemble(objective, minimise(objective), steps=30, walkers=8, seed=1)
    assert any("effective samples" in problem for problem in short.problems)
    assert any(problem.startswith("30 steps for") for problem in short.problems)


def test_ensemble_repeats_with_its_seed() -> None:
    objective = gaussian()
    fit = minimise(objective)
    one, same, other = (
        sample_ensemble(objective, fit, steps=30, seed=seed).draws for seed in (1, 1, 2)
    )
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_r_hat_tells_chains_apart() -> None:
    draws = np.random.default_rng(0).normal(size=(4, 2000))
    assert r_hat(draws) == pytest.approx(1.0, abs=2e-3)
    # a shift of one σ in one of four chains: the variance of means is 1/4 σ²
    assert r_hat(draws + np.array([[1.0], [0], [0], [0]])) == pytest.approx(1.1, abs=0.02)
    # halves of means ±1/2 about a line of the variance 1/12 in each
    trend = r_hat(draws + np.linspace(0, 2, 2000))
    assert trend == pytest.approx(np.sqrt(1 + (2 / 7) / (13 / 12)), abs=0.02)
    assert len(shortcomings(("a",), np.array([np.nan]), np.array([np.nan]))) == 2


def test_r_hat_as_arviz_has_it(ensemble: Samples) -> None:
    arviz = pytest.importorskip("arviz", reason="an independent oracle")
    draws = ensemble.draws[:4, :, 0]
    assert r_hat(draws) == pytest.approx(float(arviz.rhat(draws, method="split")), rel=1e-6)


def test_autocorrelation_of_a_known_process() -> None:
    """x_t = ρ x_(t−1) + noise has the length (1 + ρ)/(1 − ρ)."""
    random = np.random.default_rng(2)
    rho, x = 0.8, np.zeros((20000, 8))
    noise = random.normal(size=x.shape)
    for t in range(1, len(x)):
        x[t] = rho * x[t - 1] + noise[t]
    assert autocorrelation(x) == pytest.approx((1 + rho) / (1 - rho), rel=0.05)


def test_nested_needs_bounds() -> None:
    objective = Objective((Parameter(name="a", start=1.0),), lambda v: v["a"] ** 2)
    with pytest.raises(FitError, match="needs both bounds"):
        sample_nested(objective)


def test_too_few_walkers() -> None:
    objective = gaussian()
    with pytest.raises(FitError, match="2 parameters need at least 4"):
        sample_ensemble(objective, minimise(objective), steps=10, walkers=3)


def test_walkers_where_the_data_say_nothing() -> None:
    """Errors far beyond the bounds: the walkers fill the room between these."""
    flat = Parameter(name="y", start=0.4, lower=0.0, upper=1.0)
    objective = Objective(
        (Parameter(name="x", start=0.0, lower=-4.0, upper=6.0), flat),
        lambda v: v["x"] ** 2 + 1e-4 * v["y"] ** 2,
    )
    draws = sample_ensemble(objective, minimise(objective), steps=300, walkers=10, seed=2).draws
    assert draws[:, :, 1].std() == pytest.approx(np.sqrt(1 / 12), rel=0.2)


def test_no_answer_anywhere() -> None:
    def fails(_: Any) -> float:
        raise Unpredictable("of no use")

    objective = Objective((Parameter(name="a", start=0.5, lower=0.0, upper=1.0),), fails)
    with pytest.raises(FitError, match="no answer at any of 20 points"):
        sample_nested(objective, live=20)
