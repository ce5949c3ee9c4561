"""The censored regression: published numbers, limits that are known, and what it refuses."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_ndtr

from crtransport.analytic import clusters as published
from crtransport.analytic.clusters import gal3
from crtransport.clusters.regression import Line, RegressionError, em_step, fit
from crtransport.validation.clusters import Row, rows

Array = NDArray[np.float64]


def numbers(line: Line) -> Array:
    values = [line.intercept, line.slope, line.scatter]
    return np.concatenate([np.stack(values, axis=-1), line.errors], axis=-1)


def simulated(samples: int, slope: float, cut: float, seed: int) -> tuple[Array, Array, Array]:
    """Clusters whose limits come from thresholds of their own; ``cut`` sets how many."""
    rng = np.random.default_rng(seed)
    x = rng.normal(1.0, 1.0, (samples, 157))
    y = 33 + slope * x + rng.normal(0, 0.6, x.shape)
    threshold = rng.normal(cut, 0.4, x.shape)
    return x, np.maximum(y, threshold), y < threshold


@pytest.mark.parametrize("row", rows(), ids=[row[0] for row in rows()])
def test_published_numbers_to_every_printed_digit(row: Row) -> None:
    """gal3 and the motorettes; half a unit of the last digit."""
    _, computed, reference, tolerance, _ = row
    assert computed == pytest.approx(reference, rel=tolerance, abs=0)


def test_rows_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit taken for a detection changes every number of a line."""
    regular = published.gal3

    def wrong() -> tuple[Array, Array, NDArray[np.bool_]]:
        x, y, limit = regular()
        return x, y, limit & (y < 32)

    monkeypatch.setattr(published, "gal3", wrong)
    failing = [n for n, c, r, tolerance, _ in rows() if abs(c - r) > tolerance * abs(r)]
    assert failing == [f"gal3/{name}" for name in published.GAL3_PRINTED]


def test_printed_digits_need_the_scatter_among_the_unknowns() -> None:
    """The control: the information of intercept and slope alone gives other digits."""
    information = np.linalg.inv(fit(*gal3()).covariance)
    alone = np.sqrt(np.diag(np.linalg.inv(information[:2, :2])))
    assert [f"{v:.4f}" for v in alone] == ["2.2329", "0.0792"]


def test_expectation_maximisation_rests_there_and_nowhere_else() -> None:
    x, y, limit = simulated(50, 0.5, 34.0, seed=2)
    line = fit(x, y, limit)
    assert np.all(np.abs(em_step(x, y, limit, line) - numbers(line)[:, :3]) < 1e-9)
    beside = Line(
        intercept=line.intercept,
        slope=line.slope + 0.1 * line.errors[:, 1],
        scatter=line.scatter,
        covariance=line.covariance,
    )
    assert np.all(np.abs(em_step(x, y, limit, beside)[:, 1] - beside.slope) > 1e-4)


def test_general_minimiser_finds_the_same() -> None:
    x, y, limit = gal3()

    def minus_log(p: Array) -> float:
        z = (y - p[0] - p[1] * x) / p[2]
        return -float(np.sum(np.where(limit, log_ndtr(z), -np.log(p[2]) - z * z / 2)))

    start = np.array([1.0, 1.0, 0.5])
    found = minimize(minus_log, start, method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 0})
    assert numbers(fit(x, y, limit))[:3] == pytest.approx(found.x, rel=1e-5)


@pytest.mark.parametrize("coolest", [150, 170])
def test_a_library_of_survival_analysis_finds_the_same(coolest: int) -> None:
    """lifelines, lognormal life with lower limits; its last parameter is ln of the scatter."""
    lifelines = pytest.importorskip("lifelines", reason="needs lifelines: the extra test")
    pandas = pytest.importorskip("pandas")
    x, hours, running = published.motorettes(coolest)
    frame = pandas.DataFrame({"x": x, "hours": hours, "failed": ~running})
    model = lifelines.LogNormalAFTFitter().fit(frame, "hours", "failed")
    slope, intercept, log_scatter = model.summary["coef"]
    slope_error, intercept_error, log_error = model.summary["se(coef)"]
    scatter = np.exp(log_scatter)
    expected = [-intercept, -slope, scatter, intercept_error, slope_error, scatter * log_error]
    assert numbers(fit(x, -np.log(hours), running)) == pytest.approx(expected, rel=2e-4)


def test_without_limits_it_is_least_squares() -> None:
    x, y, _ = gal3()
    line = fit(x, y, False)
    slope, intercept = np.polyfit(x, y, 1)
    rest = y - intercept - slope * x
    assert numbers(line)[:3] == pytest.approx([intercept, slope, np.sqrt(np.mean(rest**2))])
    expected = line.scatter / np.sqrt(np.sum((x - x.mean()) ** 2))
    assert line.errors[1] == pytest.approx(expected)


@settings(deadline=None, max_examples=30)
@given(st.floats(-1e3, 1e3), st.floats(0.01, 100), st.floats(-1e3, 1e3), st.permutations(range(16)))
def test_units_and_order_of_rows_do_not_matter(
    zero: float, unit: float, shift: float, order: list[int]
) -> None:
    x, y, limit = (v[order] for v in gal3())
    line, moved = fit(*gal3()), fit(unit * x + zero, y + shift, limit)
    assert moved.slope * unit == pytest.approx(float(line.slope), rel=1e-8)
    assert moved.scatter == pytest.approx(float(line.scatter), rel=1e-8)
    assert moved.errors[1] * unit == pytest.approx(line.errors[1], rel=1e-8)
    expected = line.intercept + shift - moved.slope * zero
    assert moved.intercept == pytest.approx(float(expected), rel=1e-8, abs=1e-8)


def test_many_samples_at_once_are_each_by_itself() -> None:
    x, y, limit = simulated(20, 0.5, 34.0, seed=3)
    together = numbers(fit(x, y, limit))
    alone = [numbers(fit(*sample)) for sample in zip(x, y, limit, strict=True)]
    assert together == pytest.approx(np.array(alone), rel=1e-10)


def test_a_limit_far_above_tells_nothing_and_one_far_below_much() -> None:
    x, y, limit = gal3()
    line = fit(x, y, limit)
    more = [np.append(v, w) for v, w in ((x, 28.0), (y, 99.0), (limit, True))]
    assert numbers(fit(*more)) == pytest.approx(numbers(line), rel=1e-9)
    more[1][-1] = 20.0
    assert fit(*more).scatter > 3 * line.scatter


def test_band_is_the_error_of_the_line() -> None:
    line = fit(*gal3())
    assert line.band(np.zeros(1)) == pytest.approx(line.errors[:1])
    middle = line.band(np.array([27.0, 28.0, 29.0]))
    assert np.all(middle < 0.2)


def recovery(cut: float, seed: int, samples: int) -> tuple[float, float, int, float]:
    """Share of limits, mean of (slope − truth)/error, lines within one error, spread of both."""
    x, y, limit = simulated(samples, 0.5, cut, seed)
    line = fit(x, y, limit)
    pulls = (line.slope - 0.5) / line.errors[:, 1]
    inside = int(np.sum(np.abs(pulls) < 1))
    return float(limit.mean()), float(pulls.mean()), inside, float(pulls.std())


@pytest.mark.parametrize("cut", [33.5, 34.0, 34.4])
def test_slopes_are_recovered_without_bias_and_with_honest_errors(cut: float) -> None:
    """The full table of 2000 populations is printed by benchmarks/clusters.py."""
    samples = 400
    share, bias, inside, spread = recovery(cut, seed=5, samples=samples)
    assert 0.45 < share < 0.85
    assert abs(bias) < 0.1 + 3 * spread / np.sqrt(samples)
    expected = 0.682689 * samples
    assert abs(inside - expected) < 3 * np.sqrt(expected * (1 - 0.682689))


def test_recovery_can_fail() -> None:
    """Limits taken for detections give another slope."""
    x, y, _ = simulated(400, 0.5, 34.0, seed=5)
    line = fit(x, y, False)
    assert abs(np.mean((line.slope - 0.5) / line.errors[:, 1])) > 3


@pytest.mark.parametrize(
    ("x", "y", "limit", "message"),
    [
        ([1, 2, 3], [1, 2, 4], [True, True, True], "0 detections"),
        ([1, 2, 3], [1, 2, 4], [False, False, True], "2 detections"),
        ([1, 2, np.nan], [1, 2, 4], [False] * 3, "not a finite number"),
        ([1, 1, 1, 2], [1, 2, 4, 3], [False, False, False, True], "same x"),
        ([1, 2, 3, 4], [1, 2, 3, 9], [False, False, False, True], "one straight line"),
        ([1, 2, 3, 4], [7, 7, 7, 9], [False, False, False, True], "one straight line"),
    ],
)
def test_refused_in_words(x: list[float], y: list[float], limit: list[bool], message: str) -> None:
    with pytest.raises(RegressionError, match=message):
        fit(x, y, limit)
