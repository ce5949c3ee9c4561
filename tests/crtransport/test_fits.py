"""Likelihoods of measurements against closed forms."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.stats import norm

from crtransport.fits import (
    Correlated,
    DataSet,
    FitError,
    Given,
    Likelihood,
    Objective,
    Parameter,
    Quadrature,
    Unpredictable,
)
from crtransport.fits.bins import averages
from crtransport.measurements import Measurement

Array = NDArray[np.float64]


def table(y: Any, name: str = "one", **more: Any) -> Measurement:
    """A flux over rigidity with errors 0.1 and 0.2 at 1, 2, 4, …."""
    y = np.asarray(y, dtype=float)
    zero = np.zeros_like(y)
    common: dict[str, Any] = {
        "name": name,
        "experiment": "TEST",
        "quantity": "H",
        "reference": "none",
        "x_kind": "rigidity_GV",
        "unit": "m-2 s-1 sr-1 GV-1",
        "x": 2.0 ** np.arange(y.size),
        "stat_lo": zero + 0.1,
        "stat_hi": zero + 0.1,
        "sys_lo": zero + 0.2,
        "sys_hi": zero + 0.2,
    }
    return Measurement(y=y, **common | more)


def flat(value: float) -> Any:
    return lambda x: np.full(x.shape, value)


def test_quadrature_is_a_sum_of_squares() -> None:
    one = DataSet(table=table([1.0, 2.0, 3.0]))
    assert one.match(flat(1.5)).chi2 == pytest.approx((0.25 + 0.25 + 2.25) / 0.05, rel=1e-14)


def test_full_correlation_is_a_shared_shift() -> None:
    """χ² with C = σ²1 + s s^T is the minimum over β of Σ((d − β s)/σ)² + β² (Woodbury)."""
    d = np.array([0.3, -0.1, 0.2, 0.5])
    sys = np.array([0.2, 0.1, 0.3, 0.2])
    one = DataSet(table=table(-d, sys_lo=sys, sys_hi=sys), systematics=Correlated(length=1e6))
    beta = (sys @ d / 0.01) / (1 + sys @ sys / 0.01)
    shifted = np.sum((d - beta * sys) ** 2) / 0.01 + beta**2
    assert one.match(flat(0.0)).chi2 == pytest.approx(shifted, rel=1e-4)
    assert one.match(flat(0.0)).chi2 != pytest.approx(np.sum(d**2 / (0.01 + sys**2)), rel=0.1)


def test_short_correlation_is_quadrature() -> None:
    short = DataSet(table=table([1.0, 2.0]), systematics=Correlated(length=1e-3))
    assert short.match(flat(0.0)).chi2 == pytest.approx(5 / 0.05, rel=1e-12)


def test_correlations_fall_with_the_logarithm() -> None:
    one = DataSet(table=table([1.0, 2.0, 4.0]), systematics=Correlated(length=np.log10(2)))
    found = one.covariance(one.table.y)
    assert found == pytest.approx(
        np.eye(3) * 0.01 + 0.04 * np.exp(-np.abs(np.subtract.outer(range(3), range(3)))), rel=1e-12
    )


def test_given_covariance(tmp_path: Path) -> None:
    file = tmp_path / "v.csv"
    v = np.array([[0.04, 0.01], [0.01, 0.09]])
    np.savetxt(file, v, delimiter=",")
    one = DataSet(table=table([1.0, 2.0]), systematics=Given(file=str(file)))
    d = np.array([-1.0, -2.0])
    expected = d @ np.linalg.solve(v + 0.01 * np.eye(2), d)
    assert one.match(flat(0.0)).chi2 == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        ("1,0\n0,1\n0,0", "3×2, must be 2×2"),
        ("1,0.5\n0,1", "symmetric"),
        ("1,2\n2,1", "negative eigenvalue -1"),
        ("1,x\n0,1", "holds no numbers"),
    ],
)
def test_wrong_covariance(tmp_path: Path, rows: str, why: str) -> None:
    file = tmp_path / "v.csv"
    file.write_text(rows)
    with pytest.raises(FitError, match=why):
        DataSet(table=table([1.0, 2.0]), systematics=Given(file=str(file)))


def test_asymmetric_errors() -> None:
    """On the side of the prediction, one σ away χ² is 1, and it has no jump."""
    zero = np.zeros(1)
    lopsided = table([1.0], stat_lo=zero + 0.1, stat_hi=zero + 0.3, sys_lo=zero, sys_hi=zero)
    one = DataSet(table=lopsided)
    for m, expected in ((0.9, 1.0), (1.3, 1.0), (0.5, 25.0), (1.9, 9.0), (1.0, 0.0)):
        assert one.match(flat(m)).chi2 == pytest.approx(expected, rel=1e-12, abs=1e-12)
    m = np.linspace(0.8, 1.5, 2001)
    values = np.array([one.match(flat(x)).chi2 for x in m])
    assert np.abs(np.diff(values)).max() < 0.02


def test_limits_are_normal_integrals() -> None:
    limits = np.array([True])
    one = DataSet(table=table([2.0], limits=limits, limit_level=0.95))
    sigma = 2.0 / norm.ppf(0.95)
    for m in (0.0, 1.0, 2.0, 5.0):
        expected = -2 * np.log(quad(norm(m, sigma).pdf, -np.inf, 2.0)[0])
        assert one.match(flat(m)).chi2 == pytest.approx(expected, rel=1e-8)
    # at the limit half of all counts would be below it; far above, a parabola
    assert one.match(flat(2.0)).chi2 == pytest.approx(2 * np.log(2), rel=1e-12)
    assert one.match(flat(200.0)).chi2 == pytest.approx((198 / sigma) ** 2, rel=1e-2)


def test_a_limit_below_half_is_refused() -> None:
    with pytest.raises(FitError, match=r"above 0\.5"):
        DataSet(table=table([2.0], limits=np.array([True]), limit_level=0.3))


@pytest.mark.parametrize("index", [-2.0, 0.0, 1.0, 2.7, 4.0])
def test_bin_averages_of_power_laws(index: float) -> None:
    low = np.array([1.0, 3.0, 10.0])
    for ratio, accuracy in ((10**0.1, 1e-9), (10.0, 2e-3)):
        x, weights = averages(low, ratio * low)
        power = 1 - index
        whole = np.log(ratio) if power == 0 else ((ratio * low) ** power - low**power) / power
        exact = whole / ((ratio - 1) * low)
        assert np.sum(weights * x**-index, axis=1) == pytest.approx(exact, rel=accuracy)


def test_bins_count_and_can_be_left_out() -> None:
    edges = {"x_lo": np.array([1.0, 3.0]), "x_hi": np.array([3.0, 9.0])}
    binned = table([1.0, 1.0], x=np.array([2.0, 6.0]), **edges)
    mean = DataSet(table=binned).predicted(lambda x: x**-2)
    assert mean == pytest.approx([1 / 3, 1 / 27], rel=1e-5)
    assert DataSet(table=binned, bins=False).predicted(lambda x: x**-2) == pytest.approx(
        [1 / 4, 1 / 36], rel=1e-14
    )


def test_ratio_in_a_bin_is_of_the_counts() -> None:
    """∫R^-3 dR over ∫R^-2.7 dR for a ratio R^-0.3."""
    edges = {"x_lo": np.array([1.0]), "x_hi": np.array([3.0])}
    ratio = table([1.0], quantity="B_C", unit="1", **edges)
    exact = ((1 - 3**-2.0) / 2) / ((1 - 3**-1.7) / 1.7)
    found = DataSet(table=ratio).predicted(lambda x: x**-0.3)
    assert found == pytest.approx(exact, rel=1e-7)


def test_energy_scale_moves_axis_and_flux() -> None:
    """x^-γ measured with x too low by 1/(1 + ε) has the norm (1 + ε)^(1 − γ)."""
    one = DataSet(table=table([1.0, 1.0]), energy_error=0.1)
    moved = one.predicted(lambda x: x**-2.7, scale=0.05)
    assert moved == pytest.approx(one.table.x**-2.7 * 1.05**-1.7, rel=1e-13)
    ratio = DataSet(table=table([1.0, 1.0], quantity="B_C", unit="1"), energy_error=0.1)
    assert ratio.predicted(lambda x: x**-0.5, scale=0.05)[0] == pytest.approx(1.05**-0.5)


def steep(x: Array) -> Array:
    return np.asarray(2.5 * x**-1.3 + 0.1)


def lopsided_set(**more: Any) -> DataSet:
    """All that the derivative has to know: sides, correlations, bins, limits, scales."""
    x = 2.0 ** np.arange(6)
    y = np.array([2.4, 1.2, 0.5, 0.4, 0.3, 0.2])
    measurement = table(
        y,
        stat_lo=0.1 * y,
        stat_hi=0.3 * y,
        sys_lo=0.2 * y,
        sys_hi=0.1 * y,
        x_lo=x / 1.3,
        x_hi=x * 1.3,
        limits=np.arange(6) == 4,
        limit_level=0.9,
    )
    return DataSet(
        table=measurement,
        systematics=Correlated(length=0.4, stat_length=0.1),
        norm_error=0.05,
        energy_error=0.03,
        **more,
    )


def test_derivatives_by_prediction_norm_and_scale() -> None:
    one = lopsided_set()
    match = one.match(steep, 0.02, -0.01)
    h = 1e-6
    for i in range(6):
        up, down = (match.prediction + s * h * (np.arange(6) == i) for s in (1, -1))
        slope = (one.chi2_of(up)[0] - one.chi2_of(down)[0]) / (2 * h)
        assert one.chi2_of(match.prediction)[1][i] == pytest.approx(slope, rel=1e-6, abs=1e-6)
    norms = [one.match(steep, 0.02 + s * h, -0.01).chi2 for s in (1, -1)]
    assert match.by_norm == pytest.approx((norms[0] - norms[1]) / (2 * h), rel=1e-6)
    scales = [one.match(steep, 0.02, -0.01 + s * h).chi2 for s in (1, -1)]
    assert match.by_scale == pytest.approx((scales[0] - scales[1]) / (2 * h), rel=1e-5)
    more = [one.match(lambda x, s=s: steep(x) * (1 + s * h), 0.02, -0.01).chi2 for s in (1, -1)]
    inner = np.sum(match.weights * steep(match.at))
    assert inner == pytest.approx((more[0] - more[1]) / (2 * h), rel=1e-6)


def test_second_derivatives_of_values_and_limits() -> None:
    measurement = table([1.0, 2.0, 3.0], limits=np.array([False, False, True]), limit_level=0.9)
    one = DataSet(table=measurement, systematics=Correlated(length=0.3))
    m, h = np.array([1.1, 1.8, 2.5]), 1e-5
    numeric = [(one.chi2_of(m + h * e)[1] - one.chi2_of(m - h * e)[1]) / (2 * h) for e in np.eye(3)]
    assert one.curvature(m) == pytest.approx(np.array(numeric), rel=1e-6, abs=1e-6)


def test_range_of_x_counts() -> None:
    one = DataSet(table=table([1.0, 2.0, 3.0]), x_min=1.5)
    assert one.some.tolist() == [False, True, True]
    with pytest.raises(FitError, match="none of its 3 points"):
        DataSet(table=table([1.0, 2.0, 3.0]), x_min=1e3)


def test_points_without_errors_are_refused() -> None:
    zero = np.zeros(2)
    bare = table([1.0, 2.0], stat_lo=zero, stat_hi=zero, sys_lo=zero, sys_hi=zero)
    with pytest.raises(FitError, match=r"2 of its points have no error \(x = 1, 2\)"):
        DataSet(table=bare)


def test_shared_scales() -> None:
    sets = [
        DataSet(table=table([1.0], name=name), norm_error=0.1, energy_error=0.02)
        for name in ("one", "two")
    ]
    both = Likelihood(sets)
    assert [n.name for n in both.nuisances] == ["norm.TEST", "energy_scale.TEST"]
    curves = {"one": flat(1.0), "two": flat(1.0)}
    values = {"norm.TEST": 0.1, "energy_scale.TEST": 0.0}
    assert both.chi2(curves, values) == pytest.approx(2 * 0.01 / 0.05, rel=1e-12)
    slopes = both.by_nuisances(both.matches(curves, values))
    assert slopes["norm.TEST"] == pytest.approx(2 * 2 * 0.1 / 0.05, rel=1e-10)
    other = DataSet(table=table([1.0], name="three"), norm_error=0.2)
    with pytest.raises(FitError, match=r"has two errors, 0.1 and 0.2"):
        Likelihood([*sets, other])
    with pytest.raises(FitError, match="twice"):
        Likelihood([sets[0], sets[0]])


def test_a_free_norm_is_a_correlated_error() -> None:
    """The minimum over a norm with a prior is χ² with the covariance s s^T, s = σ_norm m."""
    d = np.array([0.3, 0.1, 0.2])
    one = DataSet(table=table(2.0 - d), norm_error=0.1)
    nu = np.linspace(-0.3, 0.3, 60001)
    free = min((one.match(flat(2.0), n).chi2 + (n / 0.1) ** 2) for n in nu[::20])
    c = 0.05 * np.eye(3) + 0.2**2 * np.ones((3, 3))
    assert free == pytest.approx(d @ np.linalg.solve(c, d), rel=1e-6)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"start": 5.0, "lower": 0.0, "upper": 1.0}, "beyond the bounds 0 … 1"),
        ({"start": 1.0, "lower": 2.0, "upper": 1.0}, "not below"),
        ({"start": 1.0, "lower": -1.0, "upper": 2.0, "scale": "log"}, "above 0"),
        ({"start": 1.0, "prior": (0.0, 0.0)}, "1σ of its prior"),
    ],
)
def test_wrong_parameters(more: dict[str, Any], why: str) -> None:
    with pytest.raises(FitError, match=why):
        Parameter(name="a", **more)


def test_objective_counts_and_differentiates_in_logarithms() -> None:
    a = Parameter(name="a", start=2.0, lower=0.1, upper=9.0, scale="log", prior=(1.0, 0.5))
    b = Parameter(name="b", start=1.0)
    objective = Objective(
        (a, b),
        lambda v: v["a"] ** 2 * v["b"],
        lambda v: {"a": 2 * v["a"] * v["b"], "b": v["a"] ** 2},
    )
    u = np.array([np.log(2.0), 3.0])
    assert objective(u) == pytest.approx(12.0 + 4.0)
    h = 1e-6
    numeric = [(objective(u + h * e) - objective(u - h * e)) / (2 * h) for e in np.eye(2)]
    assert objective.gradient(u) == pytest.approx(numeric, rel=1e-7)
    assert (objective.evaluations, objective.gradients) == (5, 1)


@pytest.mark.parametrize("kind", ["quadrature", "correlated", "covariance"])
@pytest.mark.parametrize("logarithmic", [False, True])
def test_squares_of_decorrelated_residuals_sum_to_chi2(
    tmp_path: Path, kind: str, logarithmic: bool
) -> None:
    """With errors that differ up- and downwards, x in no order, and two upper limits."""
    rng = np.random.default_rng(3)
    file = tmp_path / "v.csv"
    half = rng.normal(size=(9, 9)) / 20
    np.savetxt(file, half @ half.T, delimiter=",")
    kinds = {
        "quadrature": Quadrature(),
        "correlated": Correlated(length=1.0, stat_length=0.1),
        "covariance": Given(file=str(file)),
    }
    y = rng.uniform(1, 2, 9)
    names = ("stat_lo", "stat_hi", "sys_lo", "sys_hi")
    more: dict[str, Any] = {name: rng.uniform(0.05, 0.3, 9) for name in names}
    limits = np.isin(np.arange(9), (2, 6))
    more |= {"x": rng.permutation(2.0 ** np.arange(9)), "limits": limits, "limit_level": 0.9}
    one = DataSet(table=table(y, **more), systematics=kinds[kind], logarithmic=logarithmic)
    m = y * rng.uniform(0.8, 1.2, 9)
    assert np.sum(one.decorrelated(m) ** 2) == pytest.approx(one.chi2_of(m)[0], rel=1e-10)
    if kind == "quadrature":
        assert one.decorrelated(m)[~limits] == pytest.approx(one.residuals(m)[~limits])
    else:
        assert np.nansum(one.residuals(m) ** 2) != pytest.approx(one.chi2_of(m)[0], rel=0.05)


def test_the_systematic_shift_is_the_likeliest() -> None:
    """Of fully correlated errors β s, with β of `test_full_correlation_is_a_shared_shift`."""
    d = np.array([0.3, -0.1, 0.2, 0.5])
    sys = np.array([0.2, 0.1, 0.3, 0.2])
    one = DataSet(table=table(-d, sys_lo=sys, sys_hi=sys), systematics=Correlated(length=1e6))
    beta = (sys @ d / 0.01) / (1 + sys @ sys / 0.01)
    shift, own = one.shared(np.zeros(4))
    assert shift == pytest.approx(-beta * sys, rel=1e-4)
    assert own == pytest.approx(0.1)
    none, whole = DataSet(table=one.table).shared(np.zeros(4))
    assert not none.any()
    assert whole == pytest.approx(np.hypot(0.1, sys))


def test_infinite_chi2_is_told() -> None:
    objective = Objective((Parameter(name="a", start=1.0),), lambda v: np.inf)
    with pytest.raises(FitError, match="a = 1"):
        objective(np.array([1.0]))


def test_logarithmic_differences() -> None:
    y, m = np.array([1.0, 2.0, 4.0]), np.array([1.1, 1.7, 4.5])
    zero = np.zeros(3)
    errors = {"stat_lo": 0.1 * y, "stat_hi": 0.1 * y, "sys_lo": zero, "sys_hi": zero}
    one = DataSet(table=table(y, **errors), logarithmic=True)
    chi2, slope = one.chi2_of(m)
    assert chi2 == pytest.approx(np.sum((np.log(m / y) / 0.1) ** 2), rel=1e-14)
    for i in range(3):
        step = np.where(np.arange(3) == i, 1e-6, 0)
        by_hand = (one.chi2_of(m + step)[0] - one.chi2_of(m - step)[0]) / 2e-6
        assert slope[i] == pytest.approx(by_hand, rel=1e-6)
    # a norm is fitted to the mean of the logarithms, which differences fall below
    assert one.residuals(m) == pytest.approx(np.log(m / y) / 0.1)
    with pytest.raises(FitError, match=r"a value is 0 \(x = 1\), and has no logarithm"):
        DataSet(table=table([0.0, 1.0]), logarithmic=True)


@pytest.mark.parametrize("logarithmic", [False, True])
def test_quadrature_without_matrices_is_that_with_them(logarithmic: bool) -> None:
    """A correlation over no length is none; errors differ up- and downwards."""
    rng = np.random.default_rng(1)
    y = rng.uniform(1, 2, 12)
    names = ("stat_lo", "stat_hi", "sys_lo", "sys_hi")
    errors = {name: rng.uniform(0.05, 0.3, 12) for name in names}
    m = y * rng.uniform(0.8, 1.2, 12)
    fast, dense = (
        DataSet(table=table(y, **errors), systematics=kind, logarithmic=logarithmic)
        for kind in (Quadrature(), Correlated(length=1e-9))
    )
    assert fast.chi2_of(m)[0] == pytest.approx(dense.chi2_of(m)[0], rel=1e-12)
    assert fast.chi2_of(m)[1] == pytest.approx(dense.chi2_of(m)[1], rel=1e-12)
    assert fast.residuals(m) == pytest.approx(dense.residuals(m), rel=1e-12)


def test_a_wall_where_the_model_has_no_answer() -> None:
    def chi2(v: Any) -> float:
        if v["a"] > 2:
            raise Unpredictable("no")
        return float(v["a"] ** 2)

    objective = Objective((Parameter(name="a", start=1.0),), chi2)
    assert objective(np.array([1.5])) == pytest.approx(2.25)
    assert objective(np.array([3.0])) == pytest.approx(4.5)
    assert objective.unanswered == ["at a = 3: no"]
    # MINOS may lose its way
    assert objective(np.array([np.nan])) == pytest.approx(4.5)
    assert "no number" in objective.unanswered[1]
    with pytest.raises(FitError, match="at a = 3: no"):
        Objective((Parameter(name="a", start=3.0),), chi2)(np.array([3.0]))


def test_too_many_points_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("crtransport.fits.dataset._MOST", 2)
    with pytest.raises(FitError, match="3 points; a fit takes at most 2"):
        DataSet(table=table([1.0, 2.0, 3.0]))
