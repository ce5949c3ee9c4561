"""χ² of a galaxy's answer: of fluxes and ratios, on each axis, at the Earth and beyond."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import crtransport
from crtransport.deck.load import load_deck
from crtransport.measurements import Measurement, voyager
from crtransport.measurements.folders import POINTS
from crtransport.nuclides import nuclide
from crtransport.problems.galaxy_compare import chi2, headline, interpolated, with_chi2
from crtransport.session import Session

T = np.geomspace(0.02, 1e4, 60)
R = np.geomspace(0.5, 1e4, 50)
X = np.geomspace(0.9, 5e4, 12)
FLUX_T, FLUX_R = "m-2 s-1 sr-1 (GeV/n)-1", "m-2 s-1 sr-1 GV-1"
OVER_T, OVER_R = "kinetic_energy_per_nucleon_GeV", "rigidity_GV"


def dataset() -> xr.Dataset:
    """Power laws: B10 + B11 = T^-3 and R^-3, C = 5 T^-2.7 and 5 R^-2.7; half of it at the Earth."""
    flux = np.stack([0.3 * T**-3.0, 0.7 * T**-3.0, 5 * T**-2.7])
    element = np.stack([R**-3.0, 5 * R**-2.7])
    return xr.Dataset(
        {
            "flux_lis": (("nuclide", "kinetic_energy"), flux),
            "flux_toa": (("nuclide", "kinetic_energy"), flux / 2),
            "element_flux_lis": (("element", "rigidity"), element),
            "element_flux_toa": (("element", "rigidity"), element / 2),
        },
        {
            "nuclide": ["B10", "B11", "C12"],
            "element": ["B", "C"],
            "kinetic_energy": T,
            "rigidity": R,
        },
    )


def table(quantity: str, y: np.ndarray, x_kind: str, unit: str = "1") -> Measurement:
    return Measurement(
        name=f"Experiment_{quantity}_{x_kind}",
        experiment="Experiment",
        quantity=quantity,
        reference="",
        x_kind=x_kind,
        unit=unit,
        x=X,
        y=y,
        stat_lo=0.03 * y,
        stat_hi=0.06 * y,
        sys_lo=0.04 * y,
        sys_hi=0.08 * y,
    )


def counted(low: float, high: float) -> int:
    return int(np.sum((low <= X) & (high >= X)))


def test_upper_limits_do_not_count() -> None:
    one = table("B", 2 * X**-3.0, OVER_R, FLUX_R)
    every = chi2(dataset(), one, 0.0)
    limits = np.arange(len(X)) == 5
    some = chi2(dataset(), replace(one, limits=limits, limit_level=0.9), 0.0)
    assert some[1] == every[1] - 1
    assert some[0] == pytest.approx(every[0] * some[1] / every[1])


@pytest.mark.parametrize(
    ("quantity", "exact", "x_kind", "unit"),
    [
        ("B", 0.5 * X**-3.0, OVER_R, FLUX_R),
        ("B", 0.5 * X**-3.0, OVER_T, FLUX_T),
        ("B_C", 0.2 * X**-0.3, OVER_R, "1"),
        ("B_C", 0.2 * X**-0.3, OVER_T, "1"),
    ],
)
def test_chi2_of_a_table_that_is_off_by_a_known_part(
    quantity: str, exact: np.ndarray, x_kind: str, unit: str
) -> None:
    """The error that counts is that towards the model: 5 % downwards, 10 % upwards."""
    first = 2.0 if x_kind == OVER_R else float(nuclide("B").kinetic_energy(np.array(2.0)))
    points = counted(first, 1e4)
    assert 0 < points < len(X)
    for measured, sigma in ((exact / 0.9, 0.05), (exact / 1.1, 0.10)):
        total, number = chi2(dataset(), table(quantity, measured, x_kind, unit), 2.0)
        assert number == points
        assert total == pytest.approx(points * (0.1 / sigma) ** 2, rel=1e-9)


def test_energy_per_particle_is_that_of_the_main_isotope() -> None:
    flux = 0.5 * (X / 11) ** -3.0 / 11
    measured = table("B", flux, "kinetic_energy_GeV", "m-2 s-1 sr-1 GeV-1")
    total, number = chi2(dataset(), measured, 0.0)
    assert total == pytest.approx(0, abs=1e-15)
    assert number == counted(11 * T[0], 11 * T[-1])


def test_beyond_the_heliosphere_r_min_does_not_bound() -> None:
    measured = replace(
        table("C", 5 * (X / 50) ** -2.7, OVER_T, FLUX_T), x=X / 50, interstellar=True
    )
    x = X / 50
    inside = (x >= T[0]) & (x <= T[-1])
    total, number = chi2(dataset(), measured, 2.0)
    assert number == inside.sum()
    assert total == pytest.approx(0, abs=1e-15)
    at_earth = replace(measured, interstellar=False)
    assert chi2(dataset(), at_earth, 2.0)[1] < number


def test_points_without_an_error_do_not_count() -> None:
    measured = table("B", 0.5 * X**-3.0, OVER_R, FLUX_R)
    nothing = np.zeros(len(X))
    bare = replace(measured, stat_lo=nothing, sys_lo=nothing)
    assert chi2(dataset(), bare, 2.0) == (0.0, 0)


def test_dataset_has_chi2_of_what_it_can_predict() -> None:
    ratio = table("B_C", 0.2 * X**-0.3, OVER_R)
    other = replace(ratio, quantity="B_O", name="other")
    far = replace(ratio, quantity="C", name="far", unit=FLUX_R, x=1e6 * X)
    beyond = replace(ratio, quantity="C", name="v", unit=FLUX_T, x_kind=OVER_T, interstellar=True)
    found = with_chi2(dataset(), [ratio, other, far, beyond], 3.0)
    assert list(found.table.values) == [ratio.name, "far", "v"]
    assert list(found.table_label.values) == ["Experiment B/C", "far", "v"]
    assert found.chi2.sel(table=ratio.name) == pytest.approx(0, abs=1e-15)
    assert list(found.chi2_points.values[:2]) == [counted(3.0, 1e4), 0]
    assert list(found.chi2_R_min.values) == [3.0, 3.0, 0.0]
    for name in ("chi2", "chi2_points", "chi2_R_min"):
        assert {"units", "long_name"} <= set(found[name].attrs)
    of_ratio = found.isel(measured_point=found.measured_table.values == 0)
    inside = (R[0] <= X) & (R[-1] >= X)
    assert np.array_equal(np.isfinite(of_ratio.measured_over_model.values), inside)
    assert of_ratio.measured_over_model.values[inside] == pytest.approx(1, rel=1e-6)
    assert of_ratio.measured_over_model_lo.values[inside] == pytest.approx(0.05, rel=1e-6)
    assert of_ratio.measured_counts.sum() == found.chi2_points[0]
    lines = dict(headline(found))
    assert lines["Experiment B/C"] == f"χ² 0.0 of {counted(3.0, 1e4)} points above 3 GV"
    assert lines["far"] == "no point above 3 GV is in the range of the output"
    assert lines["v"].endswith("points")


def test_without_tables_that_it_can_predict_the_dataset_stays() -> None:
    before = dataset()
    other = table("Fe", X**-3.0, OVER_R, FLUX_R)
    assert with_chi2(before, [other], 2.0).identical(before)
    assert headline(before) == []


def test_interpolation_on_ten_points_per_decade() -> None:
    """A spectrum with a turnover, between its points; a flux that is not positive stays finite."""
    x = np.geomspace(0.1, 1e4, 51)
    between = np.sqrt(x[1:] * x[:-1])

    def flux(t: np.ndarray) -> np.ndarray:
        return np.asarray(t**-2.7 / (1 + t**-2.0) ** 1.2)

    assert interpolated(x, flux(x), between) == pytest.approx(flux(between), rel=2e-4)
    assert np.isfinite(interpolated(x, flux(x) - 1e-3, between)).all()
    assert interpolated(x[:2], x[:2], x[:2]) == pytest.approx(x[:2])


LEAKY = {
    "output.ratios": ["B/C"],
    "compare.measurements": ["one_B_C_rigidity", "voyager1_C_2016"],
}
RATIO = """# One B_C vs rigidity
# reference: somewhere
# y: ratio [1]; x: rigidity_GV
x,y,stat_lo,stat_hi,sys_lo,sys_hi
1,0.3,0.01,0.01,0.01,0.01
10,0.3,0.01,0.01,0.01,0.01
100,0.2,0.01,0.01,0.01,0.01
"""
NUCLEI = """# Voyager 1 nuclei (somewhere)
Z,e_lo,e_hi,flux,stat,sys,total,counts,telescope
6,0.2,0.3,30,3,4,5,34,1
"""


def data(tmp_path: Path) -> Path:
    for folder, name, text in (
        (POINTS, "one_B_C_rigidity", RATIO),
        (voyager.FOLDER, "voyager1_nuclei_2016", NUCLEI),
    ):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / f"{name}.csv").write_text(text)
    return tmp_path


def test_a_run_tells_chi2_or_that_the_folder_is_missing(tmp_path: Path) -> None:
    folder = data(tmp_path)
    deck = load_deck("slab_secondary", LEAKY)
    told = crtransport.run(deck, data=folder)
    assert list(told.chi2_points.values) == [2, 1]
    lower = crtransport.run(deck, {"compare.R_min": 0.9}, folder)
    assert list(lower.chi2_points.values) == [3, 1]
    for given, plots in ((folder, True), (None, True), (None, False)):
        session = Session(folder=tmp_path / "out", plots=plots, data=given)
        session.check({"x": deck})
        result = session.run("x", deck)
        lines = dict(result.headline)
        assert ("measured points" in lines) == (given is None)
        assert ("One B/C" in lines) == (given is not None)
        assert len(result.files) == (3 if plots else 1)
