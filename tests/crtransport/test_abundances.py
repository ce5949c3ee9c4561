"""The abundances that fit: recovered from made-up fluxes, bounded, and with the right error."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from crtransport.measurements import Measurement, MeasurementError, Parts, abundance_factors

X = np.geomspace(2.0, 2000.0, 40)
EMITTED, PRODUCED = 3 * X**-2.7, 0.5 * X**-3.0


def table(
    y: np.ndarray, relative: float = 0.03, name: str = "one", quantity: str = "N"
) -> Measurement:
    errors = dict.fromkeys(("stat_lo", "stat_hi"), 0.6 * relative * y)
    errors |= dict.fromkeys(("sys_lo", "sys_hi"), 0.8 * relative * y)
    return Measurement(
        name=name,
        experiment="E",
        quantity=quantity,
        reference="",
        x_kind="rigidity_GV",
        unit="m-2 s-1 sr-1 GV-1",
        x=X[: len(y)],
        y=y,
        **errors,
    )


def test_the_abundance_that_made_the_flux_is_found() -> None:
    measured = table(1.7 * EMITTED + PRODUCED)
    parts = Parts(emitted=EMITTED, produced=PRODUCED)
    found = abundance_factors({"one": parts}, [measured])["N"]
    assert found.factor == pytest.approx(1.7, rel=1e-12)
    assert found.chi2 == pytest.approx(0, abs=1e-20)
    assert found.points == 40
    by_hand = np.sum((EMITTED / (0.03 * measured.y)) ** 2) ** -0.5
    assert found.error == pytest.approx(by_hand, rel=1e-12)


def test_error_is_the_scatter_of_many_fits() -> None:
    random = np.random.default_rng(1)
    true = 0.8 * EMITTED + PRODUCED
    parts = {"one": Parts(emitted=EMITTED, produced=PRODUCED)}
    sigma = table(true).error_hi
    fits = [
        abundance_factors(
            parts,
            [
                Measurement(
                    **vars(table(true)) | {"y": true + sigma * random.standard_normal(len(X))}
                )
            ],
        )["N"]
        for _ in range(400)
    ]
    factors = np.array([fit.factor for fit in fits])
    assert factors.mean() == pytest.approx(0.8, abs=4 * fits[0].error / 20)
    assert factors.std() == pytest.approx(fits[0].error, rel=0.15)
    assert np.mean([fit.chi2 for fit in fits]) == pytest.approx(len(X) - 1, rel=0.1)


def test_factor_is_the_minimum_of_chi2() -> None:
    measured = table(1.2 * EMITTED * (1 + 0.1 * np.sin(X)) + PRODUCED)
    best = abundance_factors({"one": Parts(emitted=EMITTED, produced=PRODUCED)}, [measured])["N"]

    def chi2(a: float) -> float:
        residual = measured.y - a * EMITTED - PRODUCED
        return float(np.sum((residual / measured.error_hi) ** 2))

    assert best.chi2 == pytest.approx(chi2(best.factor), rel=1e-12)
    for step in (-best.error, best.error):
        assert chi2(best.factor + step) == pytest.approx(best.chi2 + 1, rel=1e-9)


def test_factor_is_not_negative() -> None:
    parts = Parts(emitted=EMITTED, produced=PRODUCED)
    found = abundance_factors({"one": parts}, [table(0.5 * PRODUCED)])["N"]
    assert found.factor == 0
    assert found.chi2 == pytest.approx(40 * (1 / 0.03) ** 2, rel=1e-12)


def test_tables_of_one_element_are_fitted_together_and_elements_apart() -> None:
    parts = Parts(emitted=EMITTED, produced=PRODUCED)
    tables = [
        table(1.0 * EMITTED + PRODUCED, name="a"),
        table(2.0 * EMITTED + PRODUCED, name="b"),
        table(5.0 * EMITTED + PRODUCED, name="c", quantity="O"),
        table(9.0 * EMITTED + PRODUCED, name="without parts", quantity="F"),
    ]
    found = abundance_factors(dict.fromkeys("abc", parts), tables)
    assert list(found) == ["N", "O"]
    assert 1 < found["N"].factor < 2
    assert found["N"].points == 80
    assert found["O"].factor == pytest.approx(5)


def test_points_beyond_the_model_or_without_an_error_do_not_count() -> None:
    y = 1.7 * EMITTED + PRODUCED
    y[0], y[1] = 1e3, 1e3
    measured = table(y)
    for errors in (measured.stat_lo, measured.stat_hi, measured.sys_lo, measured.sys_hi):
        errors[1] = 0
    emitted = np.where(np.arange(len(X)) == 0, np.nan, EMITTED)
    parts = {"one": Parts(emitted=emitted, produced=PRODUCED)}
    found = abundance_factors(parts, [measured])["N"]
    assert found.factor == pytest.approx(1.7)
    assert found.points == 38


def test_what_cannot_be_fitted_is_refused() -> None:
    measured = table(EMITTED)
    nothing = Parts(emitted=0 * EMITTED, produced=PRODUCED)
    with pytest.raises(MeasurementError, match="no source emits N"):
        abundance_factors({"one": nothing}, [measured])
    short = Parts(emitted=EMITTED[1:], produced=PRODUCED[1:])
    with pytest.raises(MeasurementError, match="one has 40 points"):
        abundance_factors({"one": short}, [measured])
    ratio = Measurement(**vars(measured) | {"unit": "1"})
    with pytest.raises(MeasurementError, match="one is no flux"):
        abundance_factors({"one": nothing}, [ratio])


def test_upper_limits_do_not_count() -> None:
    one = table(np.ones_like(X))
    limits = np.arange(len(X)) == 2
    parts = {"one": Parts(emitted=np.ones_like(X), produced=np.zeros_like(X))}
    fitted = abundance_factors(parts, [replace(one, limits=limits, limit_level=0.9)])["N"]
    assert fitted.points == len(X) - 1
    with pytest.raises(MeasurementError, match="one: upper limits need a confidence level"):
        replace(one, limits=limits)
