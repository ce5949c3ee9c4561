"""Rank correlation with limits: a published number, pairs counted by hand, honest chances."""

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import kendalltau, norm

from crtransport.analytic.clusters import GAL3_PRINTED, gal3
from crtransport.clusters.pairs import concordance
from crtransport.clusters.rank import FEWEST, Significance, kendall, significance

Array = NDArray[np.float64]


def population(
    n: int = 60, slope: float = 0.0, tied_to_distance: float = 0.0, seed: int = 1
) -> tuple[Array, Array, NDArray[np.bool_], Array]:
    """x, log L or its limit, which are limits, and the threshold on each object."""
    rng = np.random.default_rng(seed)
    log_d = rng.normal(0, 0.3, n)
    x = rng.normal(0, 1, n) + tied_to_distance * log_d / 0.3
    y = 33 + slope * x + rng.normal(0, 0.6, n)
    threshold = 33.2 + 2 * log_d
    return x, np.maximum(y, threshold), y < threshold, threshold


def test_printed_digits_can_be_missed() -> None:
    """The control: a limit that ties with a detection, moved below it, is one pair more."""
    x, y, limit = gal3()
    assert f"{kendall(x, y, limit).tau:.4f}" == GAL3_PRINTED["tau"]
    lowered = kendall(x, y - 1e-9 * limit, limit)
    assert f"{lowered.tau:.4f} {lowered.z:.3f}" == "0.7092 3.896"


def test_without_limits_and_ties_it_is_kendalls() -> None:
    rng = np.random.default_rng(4)
    x, y = rng.normal(size=(2, 200))
    found = kendall(x, y + 0.1 * x, np.zeros(200, bool))
    reference = kendalltau(x, y + 0.1 * x)
    assert found.tau == pytest.approx(reference.statistic, rel=1e-12)
    assert found.p == pytest.approx(reference.pvalue, rel=0.02)


def test_pairs_are_those_counted_one_by_one() -> None:
    rng = np.random.default_rng(2)
    x, y = rng.integers(0, 6, (2, 30)).astype(np.int32)
    detected = 12
    score = compared = 0
    for i, j in itertools.combinations(range(30), 2):
        up = y[i] > y[j] and i < detected
        down = y[j] > y[i] and j < detected
        score += int(np.sign(x[i] - x[j])) * (int(up) - int(down))
        compared += up or down
    assert concordance(x, y, detected) == (score, compared)
    assert concordance.py_func(x, y, detected) == (score, compared)
    found = kendall(x.astype(float), y.astype(float), np.arange(30) >= detected)
    pairs = sum(x[i] != x[j] for i, j in itertools.combinations(range(30), 2))
    assert found.tau == pytest.approx(score / np.sqrt(pairs * compared), rel=1e-14)


def test_permutations_by_hand() -> None:
    """The loop in compiled form gives what the definition in NumPy gives, seed for seed."""
    x, y, limit, threshold = population(n=20)
    rows = np.lexsort((threshold, limit, y, x))
    x, y, limit, threshold = (v[rows] for v in (x, y, limit, threshold))
    found = significance(x, y, limit, threshold, permutations=5, seed=7)
    rng = np.random.default_rng(np.random.SeedSequence(7).spawn(1)[0])
    for tau in found.null:
        order = np.arange(20)
        for i in range(19, 0, -1):
            j = int(rng.random() * (i + 1))
            order[[i, j]] = order[[j, i]]
        unseen = limit[order] | (y[order] < threshold)
        drawn = np.where(unseen, np.maximum(y[order], threshold), y[order])
        assert tau == pytest.approx(kendall(x, drawn, unseen).tau, rel=1e-12)


def test_neither_threads_nor_order_of_rows_matter() -> None:
    sample = population(slope=0.2)
    shuffled = np.random.default_rng(3).permutation(60)
    one, two, mixed = (
        significance(*columns, permutations=3500, seed=11, threads=threads)
        for columns, threads in (
            (sample, 1),
            (sample, 3),
            ([v[shuffled] for v in sample], 2),
        )
    )
    for other in (two, mixed):
        assert np.array_equal(one.null, other.null)
        assert (one.p, one.sigma) == (other.p, other.sigma)
    another = significance(*sample, permutations=3500, seed=12)
    assert not np.array_equal(one.null, another.null)


def test_counted_where_it_can_be_and_extrapolated_where_not() -> None:
    weak = significance(*population(slope=0.15), permutations=4000, seed=1)
    assert not weak.extrapolated
    assert weak.beyond >= FEWEST
    assert weak.p == (weak.beyond + 1) / 4001
    assert weak.sigma == pytest.approx(norm.isf(weak.p))
    strong = significance(*population(slope=1.0), permutations=4000, seed=1)
    assert strong.extrapolated
    assert strong.sigma > 4
    assert strong.p == pytest.approx(norm.sf(strong.sigma))


def test_extrapolation_agrees_with_counting_where_both_can_be_had() -> None:
    counted = significance(*population(slope=0.35, seed=8), permutations=200_000, seed=1)
    assert not counted.extrapolated
    assert 2 < counted.sigma < 4
    observed = counted.mean + counted.spread * counted.sigma
    x, y, limit, _ = population(slope=0.35, seed=8)
    assert observed == pytest.approx(kendall(x, y, limit).tau, abs=0.15 * counted.spread)


def test_anticorrelation_has_a_negative_sigma() -> None:
    x, y, limit, threshold = population(slope=0.3)
    up = significance(x, y, limit, threshold, permutations=2000, seed=1)
    down = significance(-x, y, limit, threshold, permutations=2000, seed=1)
    assert up.sigma > 1.5
    assert down.sigma == pytest.approx(-up.sigma, abs=0.4)


def chances(tied: float) -> tuple[list[Significance], Array]:
    samples = [population(tied_to_distance=tied, seed=s) for s in range(150)]
    found = [significance(*s, permutations=300, seed=1) for s in samples]
    return found, np.array([s.sigma for s in found])


@pytest.mark.parametrize("tied", [0.0, -1.0])
def test_chance_alone_is_rarely_significant(tied: float) -> None:
    """Also where x and the level of the limits go with distance."""
    _, sigmas = chances(tied)
    assert abs(sigmas.mean()) < 4 / np.sqrt(150)
    assert np.sum(sigmas > 1.645) < 0.05 * 150 + 4 * np.sqrt(150 * 0.05 * 0.95)


def test_a_test_that_forgets_distance_would_be_found() -> None:
    """Limits taken for detections, with x tied to distance: chance looks like a correlation."""
    sigmas = []
    for seed in range(40):
        x, y, _, threshold = population(tied_to_distance=1.0, seed=seed)
        none = np.zeros(60, bool)
        found = significance(x, y, none, 0 * threshold, permutations=300, seed=1)
        sigmas.append(found.sigma)
    assert np.mean(sigmas) > 1


def test_nothing_to_compare_is_refused() -> None:
    x = np.arange(4.0)
    with pytest.raises(ValueError, match="no two points"):
        kendall(x, x, np.ones(4, bool))
    with pytest.raises(ValueError, match="no two points"):
        kendall(0 * x, x, np.zeros(4, bool))
