"""Minima, profiles and contours against linear models, where all is known."""

from typing import Any

import numpy as np
import pytest

pytest.importorskip("iminuit", reason="needs the extra fit")

from crtransport.fits import FitError, Objective, Parameter, contour, ellipse, minimise, profile

X = np.linspace(0, 1, 12)
DESIGN = np.stack([np.ones_like(X), X, X**2], axis=1)
SIGMA = 0.1 + 0.05 * X
TRUTH = np.array([1.0, -2.0, 0.5])
Y = DESIGN @ TRUTH + SIGMA * np.random.default_rng(1).normal(size=X.size)
PRIOR = 0.3
#: second derivatives of χ²/2, the prior of c included
INFORMATION = DESIGN.T @ (DESIGN / SIGMA[:, None] ** 2) + np.diag([0, 0, PRIOR**-2])
COVARIANCE = np.linalg.inv(INFORMATION)
BEST = COVARIANCE @ (DESIGN.T @ (Y / SIGMA**2))


def linear(derivatives: int, **more: Any) -> Objective:
    """Y = a + b X + c X² with a prior on c, and as many derivatives given."""
    one = {"lower": -9.0, "upper": 9.0}
    parameters = (
        Parameter(name="a", start=5.0, **one | more),
        Parameter(name="b", start=5.0, **one),
        Parameter(name="c", start=3.0, **one, prior=(0.0, PRIOR)),
    )

    def chi2(v: Any) -> float:
        d = DESIGN @ [v["a"], v["b"], v["c"]] - Y
        return float(np.sum((d / SIGMA) ** 2))

    def gradient(v: Any) -> dict[str, float]:
        d = DESIGN @ [v["a"], v["b"], v["c"]] - Y
        return dict(zip("abc", 2 * DESIGN.T @ (d / SIGMA**2), strict=True))

    def hessian(_: Any) -> Any:
        return 2 * DESIGN.T @ (DESIGN / SIGMA[:, None] ** 2)

    known = (gradient, hessian)[:derivatives]
    return Objective(parameters, chi2, *known)


@pytest.mark.parametrize("derivatives", [0, 1, 2])
def test_linear_model(derivatives: int) -> None:
    objective = linear(derivatives)
    fit = minimise(objective, minos=("a", "b", "c"))
    assert fit.valid
    assert np.abs((fit.values - BEST) / np.sqrt(np.diag(COVARIANCE))).max() < 0.02
    assert fit.covariance == pytest.approx(COVARIANCE, rel=2e-3)
    assert fit.chi2 == pytest.approx(objective(BEST), abs=1e-3)
    assert fit.lower == pytest.approx(np.sqrt(np.diag(COVARIANCE)), rel=0.02)
    assert fit.upper == pytest.approx(fit.lower, rel=0.04)
    assert (fit.gradients > 0) == (derivatives > 0)
    assert fit.evaluations > 0


@pytest.mark.parametrize("derivatives", [0, 1, 2])
def test_profile_is_a_parabola(derivatives: int) -> None:
    objective = linear(derivatives)
    fit = minimise(objective)
    sigma = np.sqrt(COVARIANCE[1, 1])
    grid = BEST[1] + sigma * np.array([-2.0, -1.0, 0.0, 1.0, 3.0])
    found = profile(objective, fit, "b", grid)
    assert not found.problems
    assert found.chi2 - fit.chi2 == pytest.approx([4, 1, 0, 1, 9], abs=2e-3)
    assert found.others[:, 1] == pytest.approx(grid)
    slope = COVARIANCE[0, 1] / COVARIANCE[1, 1]
    assert found.others[:, 0] == pytest.approx(BEST[0] + slope * (grid - BEST[1]), abs=1e-3)


@pytest.mark.parametrize("derivatives", [1, 2])
def test_contour_of_a_parabola_is_the_ellipse(derivatives: int) -> None:
    objective = linear(derivatives)
    fit = minimise(objective)
    around = contour(objective, fit, ("a", "b"), level=0.68, points=12)
    assert around.shape == (12, 2)
    inverse = np.linalg.inv(COVARIANCE[:2, :2])
    expected = -2 * np.log(1 - 0.68)
    for found in (around, ellipse(fit, ("a", "b"), 0.68)):
        distance = np.einsum("pi,ij,pj->p", found - BEST[:2], inverse, found - BEST[:2])
        assert distance == pytest.approx(np.full(len(found), expected), rel=0.02)


def test_log_scale_gives_the_errors_of_the_value() -> None:
    parameter = Parameter(name="a", start=100.0, lower=0.01, upper=1e4, scale="log")
    fit = minimise(Objective((parameter,), lambda v: ((v["a"] - 4.0) / 0.2) ** 2), minos=("a",))
    assert fit.values == pytest.approx([4.0], rel=1e-3)
    assert fit.errors == pytest.approx([0.2], rel=0.01)
    assert (fit.lower[0], fit.upper[0]) == pytest.approx((0.2, 0.2), rel=0.01)


def test_a_bound_is_told() -> None:
    fit = minimise(linear(1, lower=2.0))
    assert "a lies at its lower bound 2" in fit.problems
    assert not fit.valid


def test_a_flat_direction_is_told() -> None:
    both = (Parameter(name="a", start=1.0), Parameter(name="b", start=1.0))
    fit = minimise(Objective(both, lambda v: (v["a"] + v["b"] - 3.0) ** 2))
    assert fit.problems


def test_several_starts_find_the_lower_minimum() -> None:
    """(x² − 1)² has two minima, which x tells apart."""
    one = Parameter(name="x", start=-1.2, lower=-2.0, upper=2.0)
    objective = Objective((one,), lambda v: 50 * (v["x"] ** 2 - 1) ** 2 - 3 * v["x"])
    assert minimise(objective).values[0] < 0
    several = minimise(objective, starts=6, seed=3)
    assert several.values[0] > 0.9
    assert several.values == minimise(objective, starts=6, seed=3).values


def test_unknown_names_are_refused() -> None:
    with pytest.raises(FitError, match="d is no parameter of the fit: a, b, c"):
        minimise(linear(1), minos=("d",))
    with pytest.raises(FitError, match="fitted twice"):
        Objective((Parameter(name="a", start=1.0),) * 2, lambda v: 0.0)


def test_an_error_that_ends_at_a_bound() -> None:
    """The least is at 0.5 with σ = 1, and 0 is a bound: the error downwards is 0.5."""
    one = Parameter(name="a", start=2.0, lower=0.0, upper=10.0)
    fit = minimise(Objective((one,), lambda v: (v["a"] - 0.5) ** 2), minos=("a",))
    assert (fit.lower[0], fit.upper[0]) == pytest.approx((0.5, 1.0), abs=1e-2)
    assert "ends at its lower bound 0" in fit.at_bounds["a"]
    assert fit.converged


def test_at_a_bound_the_error_is_on_one_side() -> None:
    fit = minimise(linear(True, lower=2.0), minos=("a",))
    assert fit.lower[0] == pytest.approx(0.0, abs=1e-6)
    assert fit.upper[0] > 0
    assert fit.at_bounds["a"] == "a lies at its lower bound 2"
    assert fit.converged
    assert not fit.valid
