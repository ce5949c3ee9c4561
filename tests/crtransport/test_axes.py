"""Fluxes over rigidity on the axes of measurements, and back."""

from dataclasses import replace

import numpy as np
import pytest

from crtransport.measurements import Measurement, MeasurementError, per_nucleon
from crtransport.measurements.axes import abscissa, on_axis, over_rigidity, rigidity
from crtransport.measurements.table import FLUX_UNITS
from tests.crtransport.made_up import table

KINDS = sorted(FLUX_UNITS)


def flux(at: np.ndarray) -> np.ndarray:
    """Steep, with a feature."""
    return 1e4 * at**-2.7 * (1 + at / 300)


def measured(element: str, x_kind: str) -> Measurement:
    return table(element, flux, np.geomspace(60, 2e4, 13), x_kind=x_kind)


@pytest.mark.parametrize("x_kind", KINDS)
@pytest.mark.parametrize("element", ["H", "He", "Fe"])
def test_there_and_back(element: str, x_kind: str) -> None:
    one = measured(element, x_kind)
    flat = over_rigidity(one)
    assert flat.y == pytest.approx(flux(flat.x), rel=1e-12)
    assert flat.over_rigidity
    assert flat.is_flux
    assert abscissa(one, float(flat.x[3])) == pytest.approx(one.x[3], rel=1e-12)
    # another way to the same energy, written for galaxies
    assert per_nucleon(flat).flux == pytest.approx(per_nucleon(one).flux, rel=1e-10)
    assert per_nucleon(flat).kinetic_energy == pytest.approx(per_nucleon(one).kinetic_energy)


def test_particles_are_conserved() -> None:
    """∫Φ_x dx between two rigidities is the same on every axis."""
    counts = []
    for x_kind in KINDS:
        one = measured("He", x_kind)
        ends = [abscissa(one, r) for r in (100.0, 1000.0)]
        x = np.geomspace(*ends, 4001)
        counts.append(np.trapezoid(on_axis(one, {"He": flux})(x) * x, np.log(x)))
    assert counts == pytest.approx([counts[0]] * len(KINDS), rel=1e-6)


def test_a_ratio_is_of_fluxes_at_the_same_abscissa() -> None:
    one = measured("B", "rigidity_GV")
    fluxes = {"B": lambda r: r**-3.0, "C": lambda r: 2 * r**-2.7}
    ratio = _ratio(one, "rigidity_GV")
    assert on_axis(ratio, fluxes)(one.x) == pytest.approx(one.x**-0.3 / 2)
    per = _ratio(one, "kinetic_energy_per_nucleon_GeV")
    # at the same energy per nucleon, far above the masses: R_B/R_C = (11/5)/(12/6)
    x = np.array([1e5])
    by_hand = (2.2 * (2.2 * x) ** -3.0) / (2.0 * 2 * (2.0 * x) ** -2.7)
    assert on_axis(per, fluxes)(x) == pytest.approx(by_hand, rel=1e-2)
    assert rigidity(per, x) == pytest.approx(2.2 * x, rel=1e-2)
    with pytest.raises(MeasurementError, match="ratio over energy"):
        over_rigidity(per)


def _ratio(one: Measurement, x_kind: str) -> Measurement:
    return replace(one, quantity="B_C", unit="1", x_kind=x_kind)
