"""Figures of scans: what is drawn where, with which scales; and how far a scan is, in words."""

import json
import sys
from typing import Any

import numpy as np
import pytest
import xarray as xr

from crtransport.plots.scan import draw
from crtransport.progress import Progress, duration, rates

Z_H = ("z_h", "kpc", [2.0, 4.0, 6.0, 8.0])
D0 = ("D0", "cm2/s", [1e28, 2e28, 4e28, 8e28, 1.6e29])
KIND = ("kind", "", ["a", "b", "c"])


def scanned(*axes: tuple[str, str, list[Any]], sample: bool = False) -> xr.Dataset:
    """A scan whose number is the product of all numbers of a point, over an axis of energies."""
    names = [name for name, _, _ in axes]
    dims = ["point"] if sample else names
    shape = [len(axes[0][2])] if sample else [len(values) for _, _, values in axes]
    found = xr.Dataset(attrs={"scanned": json.dumps(dict.fromkeys(names, ""))})
    for name, unit, values in axes:
        labels = {"units": unit or "1", "long_name": name}
        found[name] = "point" if sample else name, values, labels
    energy = {"units": "GeV/n", "long_name": "kinetic energy per nucleon"}
    found["energy"] = "energy", np.geomspace(1, 100, 5), energy
    found = found.set_coords([*names, "energy"])
    labels = {"units": "m-2 s-1", "long_name": "flux"}
    spectrum = np.geomspace(1, 1e-4, 5) * (1 + np.arange(np.prod(shape)).reshape(*shape, 1))
    found["flux"] = (*dims, "energy"), spectrum, labels
    found["status"] = dims, np.full(shape, "done")
    return found


def numbers(found: xr.Dataset) -> dict[str, xr.DataArray]:
    return {"flux at 10 GeV/n": found.flux.isel(energy=2)}


def with_chi2(found: xr.Dataset) -> dict[str, xr.DataArray]:
    near = (found.z_h - 4) ** 2 + np.log(found.D0 / 4e28) ** 2 + 0 * found.flux.isel(energy=2)
    return {"χ²": near.rename("chi2")} | numbers(found)


def test_one_parameter_has_curves() -> None:
    found = scanned(D0)
    figures = draw(found, numbers(found))
    assert list(figures) == ["", "flux"]
    [axes] = figures[""].axes
    assert axes.get_xlabel() == "D0 [cm$^{2}$/s]"
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "linear")
    [curve] = axes.lines
    np.testing.assert_allclose(curve.get_ydata(), found.flux.isel(energy=2))
    axes = figures["flux"].axes[0]
    assert len(axes.lines) == 5
    assert axes.get_xlabel() == "kinetic energy per nucleon [GeV/n]"
    assert axes.get_ylabel() == "flux [m$^{-2}$ s$^{-1}$]"


def test_many_values_of_a_parameter_are_some_curves() -> None:
    found = scanned(("age", "yr", list(np.geomspace(1, 10, 300))))
    found.flux[100:200] = np.nan
    figure = draw(found, numbers(found))["flux"]
    assert len(figure.axes[0].lines) == 24
    assert figure.axes[1].get_ylabel() == "age [yr]"


def test_two_parameters_are_a_map_with_its_least_chi2() -> None:
    found = scanned(Z_H, D0)
    [figure] = draw(found, with_chi2(found)).values()
    chi2, flux = (axes for axes in figure.axes if axes.get_xlabel() == "z_h [kpc]")
    [mesh] = [c for c in chi2.collections if hasattr(c, "get_coordinates")]
    np.testing.assert_allclose(mesh.get_array(), with_chi2(found)["χ²"].values.T)
    assert (chi2.get_xscale(), chi2.get_yscale()) == ("linear", "log")
    [star] = chi2.lines
    assert (star.get_xdata()[0], star.get_ydata()[0]) == (4.0, 4e28)
    assert not flux.lines


def test_points_that_failed_leave_a_gap() -> None:
    found = scanned(Z_H, KIND)
    found.flux[0] = np.nan
    [figure] = draw(found, numbers(found)).values()
    axes = figure.axes[0]
    assert [text.get_text() for text in axes.get_yticklabels()] == ["a", "b", "c"]
    [mesh] = [c for c in axes.collections if hasattr(c, "get_coordinates")]
    assert np.ma.getmaskarray(mesh.get_array()).sum() == 3


@pytest.mark.parametrize("sample", [True, False])
def test_more_parameters_and_samples_are_panels(sample: bool) -> None:
    found = scanned(Z_H, ("D0", "cm2/s", D0[2][:4]), ("h", "kpc", [1.0, 2, 3, 4]), sample=sample)
    [figure] = draw(found, with_chi2(found)).values()
    assert len(figure.axes) == 6
    below = figure.axes[4]
    assert below.get_xlabel() == "D0 [cm$^{2}$/s]"
    height = {(x, y) for x, y in zip(*below.lines[0].get_data(), strict=True)}
    flux = found.flux.isel(energy=2)
    expected = xr.broadcast(found.D0, flux)
    pairs = zip(*(each.transpose(*flux.dims).values.ravel() for each in expected), strict=True)
    assert height == set(pairs)


def test_nothing_to_draw() -> None:
    assert draw(scanned(Z_H), {}) == {}


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (3.4, "3 s"),
        (59.4, "59 s"),
        (125, "2 min 05 s"),
        (3599.9, "1 h 00 min"),
        (7800, "2 h 10 min"),
    ],
)
def test_durations(seconds: float, said: str) -> None:
    assert duration(seconds) == said


@pytest.mark.parametrize("terminal", [True, False])
def test_progress(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, terminal: bool
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal)
    clock = iter([0.0, 1.0, 21.0, 21.02, 41.0])
    monkeypatch.setattr("crtransport.progress.time.monotonic", lambda: next(clock))
    with Progress("x.toml", show=True) as tell:
        for finished in (10, 11, 12, 31):
            tell(finished, 1, 100, 10)
    said = capsys.readouterr().err
    assert "x.toml" in said
    assert "10 of 100, 1 failed" in said
    assert "31 of 100, 1 per second, 1 min 09 s left, 1 failed" in said
    assert "12 of 100" not in said  # too soon after the one before
    assert ("[#######" in said) == terminal
    assert said.endswith("\r\033[K" if terminal else "failed\n")


def test_nothing_is_said_quietly(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress("x.toml", show=False) as tell:
        tell(1, 0, 10, 1)
    assert capsys.readouterr() == ("", "")


def test_rates_count_this_run_alone() -> None:
    said = "412 of 1000, 35 per second, 17 s left, 2 failed"
    assert rates(412, 2, 1000, 62, 10.0) == said
    assert rates(62, 0, 1000, 62, 0.1) == "62 of 1000"
    assert rates(64, 0, 164, 62, 10.0) == "64 of 164, 5 s each, 8 min 20 s left"
