"""The censored regression: published numbers, limits that are known, and what it refuses."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_ndtr

from crtransport.clusters.regression import Line, RegressionError, em_step, fit

Array = NDArray[np.float64]

# ASURV's gal3: x, y, and whether y is an upper limit
GAL3 = np.array(
    [
        [27.2, 28.5, 0], [25.4, 26.9, 0], [27.2, 29.7, 1], [25.9, 28.1, 1],
        [28.8, 30.1, 0], [25.3, 27.6, 1], [26.5, 29.0, 1], [27.1, 29.0, 0],
        [28.9, 30.2, 0], [29.9, 32.4, 1], [27.0, 28.5, 0], [29.8, 31.1, 0],
        [30.1, 31.9, 0], [29.7, 32.3, 1], [28.4, 30.4, 0], [29.3, 31.8, 0],
    ]
)  # fmt: skip
# Hours to failure of motorettes at °C, and of those still running; Nelson & Hahn 1972,
# Technometrics 14, 247
MOTORS: dict[int, tuple[list[int], list[int]]] = {
    150: ([], 10 * [8064]),
    170: ([1764, 2772, 3444, 3542, 3780, 4860, 5196], 3 * [5448]),
    190: ([408, 408, 1344, 1344, 1440], 5 * [1680]),
    220: ([408, 408, 504, 504, 504], 5 * [528]),
}


def gal3() -> tuple[Array, Array, NDArray[np.bool_]]:
    return GAL3[:, 0], GAL3[:, 1], GAL3[:, 2] > 0


def numbers(line: Line) -> Array:
    values = [line.intercept, line.slope, line.scatter]
    return np.concatenate([np.stack(values, axis=-1), line.errors], axis=-1)


def motors(lowest: int) -> tuple[Array, Array, NDArray[np.bool_]]:
    """1000/T and hours; what still runs is a lower limit."""
    rows = [
        (1000 / (celsius + 273.2), hours, running)
        for celsius, both in MOTORS.items()
        if celsius >= lowest
        for running, times in enumerate(both)
        for hours in times
    ]
    x, y, running = np.array(rows).T
    return x, y, running > 0


def simulated(samples: int, slope: float, cut: float, seed: int) -> tuple[Array, Array, Array]:
    """Clusters whose limits come from thresholds of their own; ``cut`` sets how many."""
    rng = np.random.default_rng(seed)
    x = rng.normal(1.0, 1.0, (samples, 157))
    y = 33 + slope * x + rng.normal(0, 0.6, x.shape)
    threshold = rng.normal(cut, 0.4, x.shape)
    return x, np.maximum(y, threshold), y < threshold


def test_gal3_to_every_printed_digit() -> None:
    """ASURV's example; the error of the scatter is not printed."""
    found = numbers(fit(*gal3()))
    assert [f"{v:.4f}" for v in found[:5]] == ["0.1703", "1.0519", "0.3687", "2.2356", "0.0793"]


def test_printed_digits_need_the_scatter_among_the_unknowns() -> None:
    """The control: the information of intercept and slope alone gives other digits."""
    information = np.linalg.inv(fit(*gal3()).covariance)
    alone = np.sqrt(np.diag(np.linalg.inv(information[:2, :2])))
    assert [f"{v:.4f}" for v in alone] == ["2.2329", "0.0792"]


def test_motorettes_in_logarithms_to_base_ten() -> None:
    """Tanner 1996, Tools for Statistical Inference: −6.019, 4.311, 0.2592."""
    x, hours, running = motors(150)
    line = fit(x, -np.log10(hours), running)
    assert f"{-line.intercept:.3f} {-line.slope:.3f} {line.scatter:.4f}" == "-6.019 4.311 0.2592"


def test_motorettes_with_errors() -> None:
    """SAS/STAT, example 1 of LIFEREG, lognormal without 150 °C: six numbers to four decimals."""
    x, hours, running = motors(170)
    found = numbers(fit(x, -np.log(hours), running)) * [-1, -1, 1, 1, 1, 1]
    expected = ["-10.4706", "8.3221", "0.6040", "2.7719", "1.2841", "0.1107"]
    assert [f"{v:.4f}" for v in found] == expected


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
