"""The figures of a galaxy's dataset: which there are, what they show, and what they leave out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.markers import CARETUP

from crtransport.measurements.table import Measurement
from crtransport.plots.galaxy import draw
from crtransport.plots.galaxy_maps import energy_name
from crtransport.problems.galaxy_compare import with_chi2

ENERGY = np.geomspace(0.1, 1e6, 30)
LIGHT = ("H1", "He3", "He4", "Be9", "Be10", "B10", "B11", "C12", "N14", "O16")


def dataset(*nuclides: str, ratios: tuple[str, ...] = (), modulated: bool = True) -> xr.Dataset:
    weight = np.arange(1, 1 + len(nuclides))[:, None]
    flux = ENERGY**-2.7 * weight / (1 + 1 / ENERGY)
    over = ("nuclide", "kinetic_energy")
    found = xr.Dataset(
        {
            "flux_lis": (over, flux),
            "flux_toa": (over, flux / (1 + 0.5 / ENERGY) if modulated else flux),
            "flux_lis_rel_error": (over, 1e-6 * weight * np.ones_like(ENERGY)),
        },
        {"nuclide": list(nuclides), "kinetic_energy": ENERGY},
        {"error_estimate": 3.2e-5, "error_tolerance": 1e-4},
    )
    if ratios:
        curve = 0.3 * ENERGY ** -np.linspace(0.3, 0, len(ratios))[:, None]
        for name, axis in (
            ("ratio_lis", "kinetic_energy"),
            ("ratio_toa", "kinetic_energy"),
            ("ratio_rigidity", "rigidity"),
        ):
            shift = 0.9 if modulated and name == "ratio_toa" else 1.0
            found[name] = (("ratio_name", axis), shift * curve)
        found = found.assign_coords(ratio_name=list(ratios), rigidity=2 * ENERGY)
    return found


def with_maps(data: xr.Dataset) -> xr.Dataset:
    r, z = np.linspace(0, 20, 21), np.linspace(0, 4, 9)
    shape = 3 * np.cos(np.pi * r / 40)[:, None] * (1 - z / 4)
    density = xr.DataArray(shape, {"r": r, "z": z}, ("r", "z")) * data.flux_lis
    density.attrs["r_sun"] = 8.5
    return data.assign(density=density)


def measured(quantity: str, x_kind: str = "kinetic_energy_per_nucleon_GeV") -> Measurement:
    one, flux = np.ones(2), "_" not in quantity
    return Measurement(
        name="t",
        experiment="Experiment",
        quantity=quantity,
        reference="",
        x_kind=x_kind,
        unit="m-2 s-1 sr-1 (GeV/n)-1" if flux else "1",
        x=np.array([10.0, 100.0]),
        y=np.array([2e-3, 4e-6]) if flux else np.array([0.2, 0.1]),
        stat_lo=1e-7 * one,
        stat_hi=1e-7 * one,
        sys_lo=1e-7 * one,
        sys_hi=1e-7 * one,
    )


def shown(figure: Figure) -> list[str]:
    (legend,) = figure.legends
    return [text.get_text() for text in legend.get_texts()]


def points_in(axes: Axes) -> list[Any]:
    return [box for box in axes.containers if isinstance(box, ErrorbarContainer)]


@pytest.mark.parametrize("nuclides", [("H1",), ("C12", "B10", "B11"), LIGHT])
def test_spectra_stand_beside_what_is_measured(nuclides: tuple[str, ...]) -> None:
    figures = draw(dataset(*nuclides), [measured("H"), measured("B"), measured("Fe")])
    assert list(figures) == [""]
    figure = figures[""]
    figure.draw_without_rendering()
    elements = list(dict.fromkeys(name.rstrip("0123456789") for name in nuclides))
    assert len(figure.axes) == len(elements)
    spectra = {axes.texts[0].get_text(): axes for axes in figure.axes}
    drawn = [name for name, axes in spectra.items() if points_in(axes)]
    assert drawn == [name for name in elements if name in ("H", "B")]
    assert shown(figure) == ["interstellar", "at the Earth", "Experiment"]
    box = figure.legends[0].get_window_extent()
    assert not any(box.overlaps(axes.get_window_extent()) for axes in figure.axes)


@pytest.mark.parametrize(("quantity", "panel"), [("B", ""), ("B_C", "ratios")])
def test_upper_limits_hang_on_arrows(quantity: str, panel: str) -> None:
    one = measured(quantity)
    limit = replace(one, limits=np.array([False, True]), limit_level=0.95)
    data = dataset(*LIGHT, ratios=("B/C",))
    for points, arrows in ((one, 0), (limit, 1)):
        (axes,) = (a for a in draw(data, [points])[panel].axes if points_in(a))
        _, caps, _ = points_in(axes)[0]
        assert sum(len(np.atleast_1d(cap.get_xdata())) for cap in caps) == arrows


def test_element_is_the_sum_of_its_isotopes() -> None:
    """The lines of a panel: interstellar, at the Earth, and each isotope at the Earth."""
    data = dataset("B10", "B11")
    lines = draw(data, [])[""].axes[0].lines
    scaled = [np.asarray(line.get_ydata()) / ENERGY**2.7 for line in lines]
    assert scaled[0] == pytest.approx(data.flux_lis.sum("nuclide").values, rel=1e-12)
    assert scaled[1] == pytest.approx(data.flux_toa.sum("nuclide").values, rel=1e-12)
    assert scaled[2:] == pytest.approx(data.flux_toa.values, rel=1e-12)


def test_the_numerical_error_is_a_line_of_text() -> None:
    figure = draw(dataset("H1"), [])[""]
    text = figure.get_supxlabel()
    assert text == "relative numerical error ≤ 3.2 × $10^{-5}$ (tolerance $10^{-4}$)"


@pytest.mark.parametrize(("quantity", "part"), [("B", ""), ("B_C", "ratios")])
def test_measured_over_model_stands_under_what_is_compared(quantity: str, part: str) -> None:
    """The points drawn give the χ² that is told; what is not compared has no such panel."""
    one, other = measured(quantity), replace(measured("C"), name="other")
    bars = np.array([0.1, 0.2]) * one.y
    one = replace(one, stat_lo=bars, stat_hi=bars)
    data = dataset("B11", "C12", ratios=("B/C",)).assign_coords(element=["B", "C"])
    data["ratio_toa"] = data.flux_toa.sel(nuclide="B11") / data.flux_toa.sel(nuclide="C12")
    data["ratio_toa"] = data.ratio_toa.expand_dims("ratio_name")
    told = with_chi2(data, [one], 0.0)
    figure = draw(told, [one, other])[part]
    figure.draw_without_rendering()
    (below,) = (axes for axes in figure.axes if axes.get_ylabel() == "Δ [%]")
    (box,) = points_in(below)
    sizes = np.array([np.ptp(bar[:, 1]) / 2 for bar in box.lines[2][0].get_segments()])
    chi2 = np.sum((np.asarray(box.lines[0].get_ydata()) / sizes) ** 2)
    assert chi2 == pytest.approx(float(told.chi2[0]), rel=1e-6)
    assert [len(points_in(axes)) for axes in figure.axes] == ([1, 1, 1] if not part else [1, 1])


def test_a_point_far_above_the_model_is_an_arrow_at_the_edge() -> None:
    one = replace(measured("H"), y=np.array([2e-3, 4e-5]))
    data = dataset("H1").assign_coords(element=["H"])
    figure = draw(with_chi2(data, [one], 0.0), [one])[""]
    below = figure.axes[1]
    assert below.get_ylim()[1] <= 150
    arrows = [line for line in below.lines if line.get_marker() == CARETUP]
    assert [list(np.asarray(line.get_xdata())) for line in arrows] == [[100.0]]


def test_without_modulation_there_is_one_curve() -> None:
    for figure in draw(dataset("H1", modulated=False, ratios=("H/He",)), []).values():
        assert shown(figure) == ["interstellar"]
        assert len(figure.axes[0].lines) == 1


def test_many_elements_and_maps_take_several_figures() -> None:
    names = [f"{element}{12 + i}" for i, element in enumerate("HBCNOFPSKV")]
    figures = draw(with_maps(dataset(*names)), [])
    assert list(figures) == [
        "", "V", "maps", "maps_N15_O16_F17", "maps_P18_S19_K20", "maps_V21",
    ]  # fmt: skip


def test_ratios_are_against_what_is_measured() -> None:
    points = [measured("B_C", "rigidity_GV"), measured("B_C"), measured("Be_B"), measured("H_He")]
    data = dataset("B11", "C12", "Be9", ratios=("B/C", "Be/B", "10Be/9Be"))
    figure = draw(data, points)["ratios"]
    figure.draw_without_rendering()
    assert [axes.get_xlabel().split()[0] for axes in figure.axes] == [
        "rigidity", "kinetic", "kinetic", "kinetic",
    ]  # fmt: skip
    assert [axes.texts[0].get_text() for axes in figure.axes[:3]] == ["B/C", "B/C", "Be/B"]
    assert [len(points_in(axes)) for axes in figure.axes] == [1, 1, 1, 0]
    assert [len(axes.lines) - len(points_in(axes)) for axes in figure.axes] == [1, 2, 2, 2]
    assert [axes.get_yscale() for axes in figure.axes] == ["log", "log", "log", "linear"]
    assert shown(figure) == ["interstellar", "at the Earth", "Experiment"]


def test_many_ratios_take_several_figures() -> None:
    names = tuple(f"{element}/C" for element in ("H", "He", "Li", "Be", "B", "N", "O", "F", "Ne"))
    both = [measured("B_C", "rigidity_GV"), measured("B_C")]
    figures = draw(dataset("C12", ratios=names), both)
    assert list(figures) == ["", "ratios", "ratios_Ne-C"]


def test_what_voyager_measured_has_a_marker_of_its_own_and_is_seen() -> None:
    voyager = replace(
        measured("H"),
        experiment="Voyager 1",
        interstellar=True,
        x=np.array([0.11, 0.2]),
        y=np.array([1e-6, 1e-5]),
        **dict.fromkeys(("stat_lo", "stat_hi", "sys_lo", "sys_hi"), np.full(2, 1e-8)),
    )
    figure = draw(dataset("H1"), [measured("H"), voyager])[""]
    assert shown(figure) == ["interstellar", "at the Earth", "Experiment", "Voyager 1"]
    spectrum = figure.axes[0]
    assert spectrum.get_ylim()[0] < 0.11**2.7 * 1e-6
    at_earth, beyond = (box.lines[0] for box in points_in(spectrum))
    assert at_earth.get_marker() != beyond.get_marker()
    assert at_earth.get_color() != beyond.get_color() == "k"


def test_a_flux_that_vanishes_and_an_error_of_zero_are_drawn() -> None:
    nothing = dataset("H1") * 0
    draw(nothing, [])[""].draw_without_rendering()


def test_maps_are_relative_to_the_sun() -> None:
    figure = draw(with_maps(dataset("H1", "He4")), [])["maps"]
    figure.draw_without_rendering()
    *panels, bar = figure.axes
    assert len(panels) == 6
    for axes in panels:
        mesh = axes.collections[0]
        values = np.asarray(mesh.get_array()).reshape(9, 21)
        assert np.interp(8.5, np.linspace(0, 20, 21), values[0]) == pytest.approx(1, rel=1e-12)
        assert mesh.norm.vmax == pytest.approx(values.max(), rel=1e-12)
    assert "odot" in bar.get_ylabel()


@pytest.mark.parametrize(
    ("energy", "name"),
    [(3.1e-5, "0.031 MeV/n"), (0.394, "390 MeV/n"), (0.998, "1 GeV/n"), (5.9e4, "59 TeV/n")],
)
def test_energies_have_a_prefix(energy: float, name: str) -> None:
    assert energy_name(energy) == name


@pytest.mark.parametrize("isotopes", [("Fe56", "Fe57"), tuple(f"Ca{a}" for a in range(40, 48))])
def test_the_names_of_isotopes_cover_no_curve(isotopes: tuple[str, ...]) -> None:
    figure = draw(dataset(*isotopes), [])[""]
    figure.draw_without_rendering()
    axes = figure.axes[0]
    legend = axes.get_legend()
    assert legend is not None
    box = legend.get_window_extent()
    points = [curve.get_transform().transform(curve.get_xydata()) for curve in axes.lines]
    assert not np.any([box.contains(*point) for point in np.concatenate(points)])
    (name,) = axes.texts
    assert not box.overlaps(name.get_window_extent())
