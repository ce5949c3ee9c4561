"""Sources between the levels: their moments, and the order where they are smooth."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from crtransport.solvers.between import Between, shares

Array = NDArray[np.float64]
N = 40


def test_shares_keep_six_moments() -> None:
    places = np.array([-1.5, 0.3, 7.0, 20.7, 38.9, 41.2])
    weights = shares(places, N).toarray()
    for m in range(6):
        assert (np.arange(N) - 20.0) ** m @ weights == pytest.approx((places - 20) ** m, rel=1e-9)
    assert np.array_equal(weights[:, 2], np.eye(N)[7])


@pytest.mark.parametrize(("low", "high"), [(17.3, 18.1), (17.5, 17.51), (9.7, 24.2)])
def test_a_box_keeps_its_moments(low: float, high: float) -> None:
    between = Between(N, np.array([low, high]))
    inside = (between.places > low) & (between.places < high)
    found = between.on_levels(inside.astype(float))
    for m in range(6):
        exact = ((high - 20) ** (m + 1) - (low - 20) ** (m + 1)) / (m + 1)
        assert found @ (np.arange(N) - 20.0) ** m == pytest.approx(exact, rel=1e-9)
    # on the levels alone the first two boxes hold one level, or none
    assert found.max() < 1.2


def test_a_smooth_source_is_itself() -> None:
    between, errors = Between(N, np.array([11.3])), []
    for width in (4.0, 8.0):
        places, levels = (
            np.exp(-(((x - 17.2) / width) ** 2)) for x in (between.places, np.arange(N))
        )
        errors.append(np.abs(between.on_levels(places) - levels)[8:-8].max())
    assert errors[0] < 2e-3
    # sixth order in the width
    assert errors[0] / errors[1] > 2**5
