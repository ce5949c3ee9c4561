"""The bump: its formula, fits to made-up tables, predictions, and decks from end to end."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner

from crtransport.cli import cli
from crtransport.deck.bump import BumpDeck, BumpNumbers
from crtransport.deck.errors import DeckError
from crtransport.deck.fitted import FittedNumber, FittedTable
from crtransport.deck.load import load_deck
from crtransport.fits import DataSet
from crtransport.measurements import Measurement, MeasurementError
from crtransport.output import check_labels, netcdf_bytes
from crtransport.physics.bump import (
    Bump,
    Candidate,
    ShockRelation,
    Smearing,
    compression,
    excess,
    index_of_excess,
    mach_number,
    rigidity_factor,
    shock_index,
)
from crtransport.plots.bump import draw
from crtransport.spectra.bump import headline, read, solve
from crtransport.spectra.bump_fit import BumpFit, Variant, mach_of
from tests.crtransport.made_up import table, write

pytest.importorskip("iminuit", reason="needs the extra fit")

TRUE = Bump(A=6e-5, gamma=2.85, K=2.4, R0=4400.0, a=0.5)
AT = np.geomspace(100, 5e4, 40)
FULL: Any = {
    "data": [
        {"table": "ONE_H_rigidity"},
        {"table": "TWO_H_kineticEnergy", "energy_error": 1.0},
    ],
    "profile": {"a": [0.3333, 0.5, 1.0]},
    "prediction": {"tables": ["ONE_He_rigidity", "ONE_B_rigidity", "ONE_B_He_rigidity"]},
    "candidate": [{"name": "star", "distance": 3.2, "size": 1e-3}],
}
HELIUM, BORON = (
    replace(TRUE, A=a, gamma=g, K=float(excess(g, index_of_excess(2.85, 2.4))))
    for a, g in ((2e-5, 2.7), (1e-7, 3.1))
)


def protons(seed: int | None = None, bump: Bump = TRUE, **more: Any) -> Measurement:
    noise = None if seed is None else np.random.default_rng(seed)
    return table("H", bump.flux, AT, experiment="ONE", noise=noise, **more)


def fitted(one: Measurement, **free: bool) -> BumpFit:
    return BumpFit([DataSet(table=one)], Variant(numbers=BumpNumbers(), losses=False, free=free))


def deck(**changes: Any) -> BumpDeck:
    loaded = load_deck({"model": "bump"} | FULL | changes)
    assert isinstance(loaded, BumpDeck)
    return loaded


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    noise = np.random.default_rng(5)
    shifted = table(
        "H",
        # an energy scale of 1.03: at what it takes for x, the flux of 1.03 x
        lambda r: 1.03 * TRUE.flux(1.03 * r),
        AT,
        x_kind="kinetic_energy_GeV",
        experiment="TWO",
        noise=noise,
    )
    others = [
        table(name, one.flux, np.geomspace(50, 5e3, 30), experiment="ONE", noise=noise)
        for name, one in (("He", HELIUM), ("B", BORON))
    ]
    at = np.geomspace(250, 5e3, 10)
    ratio = replace(
        table("H", lambda r: BORON.flux(r) / HELIUM.flux(r), at, experiment="ONE", noise=noise),
        name="ONE_B_He_rigidity",
        quantity="B_He",
        unit="1",
    )
    made = tmp_path_factory.mktemp("data")
    return write(made, protons(3), shifted, *others, ratio)


@pytest.fixture(scope="module")
def solved(folder: Path) -> xr.Dataset:
    return solve(deck(), folder)


def test_numbers_of_the_paper() -> None:
    """Excess of shocks at γ = 2.85 (Malkov et al. 2023), to the digits given."""
    mach = np.array([1.5, 1.55, 1.6])
    height = excess(2.85, shock_index(compression(mach)))
    assert height == pytest.approx([2.064, 2.423, 2.829], abs=6e-4)
    assert mach_number(shock_index(index_of_excess(2.85, height))) == pytest.approx(mach)
    assert [mach_of(2.85, k) for k in height] == pytest.approx(mach)


def test_limits_of_the_formula() -> None:
    at = np.array([1e-3, 1e12])
    assert TRUE.flux(at) / TRUE.background(at) == pytest.approx([1, 1 + TRUE.K], rel=1e-3)
    lossy = replace(TRUE, R_L=1e5)
    assert lossy.flux(at) == pytest.approx(TRUE.background(at))
    assert replace(TRUE, K=0.0).flux(AT) == pytest.approx(TRUE.background(AT))
    assert TRUE.background(np.array([1e3])) == pytest.approx([TRUE.A])
    # K exp(-1) at R0
    assert TRUE.flux(np.array([4400.0])) / TRUE.background(np.array([4400.0])) == pytest.approx(
        [1 + 2.4 / np.e]
    )


@pytest.mark.parametrize("name", ["A", "gamma", "K", "R0", "R_L", "a"])
def test_slopes_are_derivatives(name: str) -> None:
    one = replace(TRUE, R_L=3e4)
    step = 1e-5 * getattr(one, name)
    up, down = (replace(one, **{name: getattr(one, name) + s}).flux(AT) for s in (step, -step))
    assert one.derivative(name, AT) == pytest.approx((up - down) / (2 * step), rel=1e-6)


def test_the_shock_of_the_relation() -> None:
    relation = ShockRelation()
    star = Candidate(name="star", distance=3.2, size=1e-3)
    # L_s = 100 pc √l_s at 4.4 TV
    at_4400 = replace(star, size=(3.2 / 100) ** 2)
    assert relation.expected(at_4400, 0.5) == pytest.approx(4400)
    assert relation.expected(replace(at_4400, distance=6.4), 0.5) == pytest.approx(4 * 4400)
    assert relation.expected(replace(at_4400, turbulence=2.0), 1.0) == pytest.approx(2 * 4400)
    needed = relation.size_needed(star, 3000.0, 0.5)
    assert relation.expected(replace(star, size=needed), 0.5) == pytest.approx(3000.0)


def test_smearing_bound() -> None:
    """About 1 kpc at 1 GV, 6 to 33 kpc at the break near 300 GV."""
    found, reduced = Smearing().distance(np.array([1.0, 300.0]))
    assert found[:, 0] == pytest.approx([1.08, 1.08], rel=1e-2)
    assert found[:, 1] == pytest.approx([6.0, 33.1], rel=1e-2)
    assert reduced == pytest.approx(found / 10)


def test_rigidities_are_raised_by_the_shock() -> None:
    """(1 + K) R^-gamma is the background at R over the factor."""
    factor = float(rigidity_factor(2.85, 2.367908))
    assert factor == pytest.approx(1.531224, abs=1e-6)
    assert TRUE.background(AT / factor) == pytest.approx(3.367908 * TRUE.background(AT))


def test_nearer_to_the_shock_both_exponents_are_smaller() -> None:
    lossy = replace(TRUE, R_L=1e5)
    places = [lossy.at_distance(fraction) for fraction in (0, 0.3, 1)]
    excess_there = [bump.flux(AT) / bump.background(AT) - 1 for bump in places]
    assert excess_there[0] == pytest.approx(np.full(AT.shape, TRUE.K))
    whole = np.log(excess_there[2] / TRUE.K)
    assert np.log(excess_there[1] / TRUE.K) == pytest.approx(0.3 * whole)


def test_the_wake_ends_at_the_fit_and_is_drawn(folder: Path) -> None:
    alone = {"prediction": {}, "profile": {}, "wake": {"places": [0.0, 0.5, 1.0]}}
    found = solve(deck(**alone), folder)
    at_sun, fit = found.wake_flux.sel(place=1.0), found.flux.sel(species="H")
    np.testing.assert_allclose(at_sun, fit, rtol=1e-12)
    assert float(found.wake_R0.sel(place=0.5)) == pytest.approx(float(found.R0) / 4)
    assert "0 of the way from the shock" in dict(headline(found))
    panels = draw(found, [])["wake"].axes
    assert [len(one.get_lines()) >= 3 for one in panels] == [True, True]


def test_the_other_line_is_the_fit_with_losses(solved: xr.Dataset) -> None:
    row = solved.variant_flux.sel(variant="gamma fixed, loss-free")
    np.testing.assert_allclose(row, solved.flux.sel(species="H"), rtol=1e-4)
    labels = [t.get_text() for t in draw(solved, [])[""].legends[0].get_texts()]
    assert {"fit without losses", "fit with losses"} <= set(labels)


def test_norm_alone_is_the_weighted_mean() -> None:
    """With all shapes held the fit is linear: closed form for the norm and its error."""
    one = protons(1)
    numbers = {n: replace(getattr(BumpNumbers(), n), fixed=True) for n in ("K", "R0")}
    fit = BumpFit([DataSet(table=one)], Variant(numbers=BumpNumbers(**numbers), losses=False))
    found = fit.minimum()
    unit = replace(TRUE, A=1.0, K=2.4).flux(one.x)
    weight = unit / one.error_lo**2
    assert found.names == ("A",)
    assert found.values[0] == pytest.approx(np.sum(weight * one.y) / np.sum(weight * unit), 1e-5)
    assert found.errors[0] == pytest.approx(np.sum(weight * unit) ** -0.5, rel=1e-3)
    assert (found.lower[0], found.upper[0]) == pytest.approx((found.errors[0],) * 2, rel=0.02)


def test_gradient_is_that_of_chi2() -> None:
    fit = fitted(protons(2), gamma=True, a=True)
    at = {one.name: one.start for one in fit.objective.parameters}
    slopes = fit.gradient(at)
    for name, value in at.items():
        step = 1e-5 * value
        up, down = (fit.chi2({**at, name: value + s}) for s in (step, -step))
        assert slopes[name] == pytest.approx((up - down) / (2 * step), rel=1e-4, abs=1e-6)


def test_pulls_of_simulated_data() -> None:
    pulls, chi2 = [], []
    for seed in range(40):
        found = fitted(protons(seed)).minimum()
        truth = np.array([getattr(TRUE, name) for name in found.names])
        below = found.values > truth
        pulls.append((found.values - truth) / np.where(below, found.lower, found.upper))
        chi2.append(found.chi2)
    pulls = np.array(pulls)
    assert np.all(np.abs(pulls.mean(axis=0)) < 3 / np.sqrt(40))
    assert np.all((pulls.std(axis=0) > 0.7) & (pulls.std(axis=0) < 1.35))
    assert np.mean(chi2) == pytest.approx(40 - 3, abs=3 * np.sqrt(2 * 37 / 40))


def test_mach_number_has_the_errors_of_k_where_gamma_is_held() -> None:
    one = protons(4)
    found = fitted(one).minimum()
    fit = BumpFit(
        [DataSet(table=one)], Variant(numbers=BumpNumbers(), losses=False), found.best, mach=True
    )
    moved = fit.minimum()
    k, m = found.names.index("K"), moved.names.index("M")
    ends = found.values[k] + np.array([-found.lower[k], 0, found.upper[k]])
    other = moved.values[m] + np.array([-moved.lower[m], 0, moved.upper[m]])
    assert other == pytest.approx(mach_of(2.85, ends), rel=1e-4)


def test_profile_finds_the_exponent_and_a_wrong_one_is_refused(tmp_path: Path) -> None:
    entry = {"data": [{"table": "ONE_H_rigidity"}], "prediction": {}, "candidate": []}
    grid = {"profile": {"a": [0.3333, 0.5, 1.0]}}
    least = {}
    for a in (0.5, 1.0):
        write(tmp_path, protons(6, replace(TRUE, a=a), error=0.01))
        found = solve(deck(**entry, **grid), tmp_path).chi2_profile
        row = found.sel(variant="gamma fixed, loss-free").values
        least[a] = float(found.a[np.argmin(row)])
    assert least == {0.5: 0.5, 1.0: 1.0}


def test_dataset_has_what_the_interface_promises(solved: xr.Dataset) -> None:
    for name in ("flux", "background", "flux_error"):
        assert solved[name].dims == ("species", "rigidity")
    for name in ("chi2_profile", "chi2_profile_correlated"):
        assert solved[name].dims == ("variant", "a")
    for name in ("gamma", "K", "M", "r", "q_s", "R0", "a_fit"):
        for end in ("", "_error", "_error_lo", "_error_hi"):
            assert solved[name + end].dims == ()
    assert list(solved.species.values) == ["H", "He", "B"]
    assert solved.correlation.sel(number="K", number_2="K") == pytest.approx(1)
    assert solved.error_estimate < solved.error_tolerance
    check_labels(solved)
    assert netcdf_bytes(solved)


def test_variants_are_fits_of_their_own(solved: xr.Dataset, folder: Path) -> None:
    here = solved.sel(variant="gamma fixed, losses")
    alone = solve(deck(losses=True, prediction={}, profile={}), folder)
    for name in ("K", "R0"):
        assert float(here[f"variant_{name}"]) == pytest.approx(float(alone[name]), rel=1e-3)
    assert float(here.variant_chi2) == pytest.approx(float(alone.chi2), abs=1e-3)
    same = solved.sel(variant="gamma fixed, loss-free")
    assert float(same.variant_K) == pytest.approx(float(solved.K))
    at = solved.sel(variant="gamma fixed, loss-free", a=0.5)
    assert float(at.chi2_profile) == pytest.approx(float(solved.chi2), abs=1e-2)


def test_what_was_put_in_is_found(solved: xr.Dataset) -> None:
    for name in ("K", "R0"):
        difference = abs(float(solved[name]) - getattr(TRUE, name))
        assert difference < 3 * float(solved[f"{name}_error"])
    scale = solved.sel(scale_of="energy_scale.TWO")
    assert abs(float(scale.scale) - 0.03) < 3 * float(scale.scale_error)
    assert int(solved.points) == 80
    assert int(solved.dof) == 76


def test_bumps_are_predicted_for_others(solved: xr.Dataset) -> None:
    for name, one in (("He", HELIUM), ("B", BORON)):
        here = solved.sel(species=name)
        pull = (here.flux.values - one.flux(solved.rigidity.values)) / here.flux_error.values
        assert np.all(np.abs(pull) < 4)
        assert float(here.species_gamma) == pytest.approx(one.gamma, abs=0.05)
    for name in ("ONE_He_rigidity", "ONE_B_rigidity"):
        here = solved.sel(compared=name)
        # as known: χ² of so many points; with the error of the prediction left out, more
        points = int(here.table_points)
        assert abs(float(here.table_chi2_as_known) - points) < 4 * np.sqrt(2 * points)
        assert float(here.table_chi2) > float(here.table_chi2_as_known)
        assert float(here.table_chi2_background) > 5 * float(here.table_chi2)
    assert float(solved.ratio_error.max()) < 0.2 * float(solved.ratio.max())


def test_losses_are_found(tmp_path: Path) -> None:
    lossy = replace(TRUE, R_L=5e4, K=6.0)
    write(tmp_path, protons(7, lossy, error=0.005))
    entry = {"data": [{"table": "ONE_H_rigidity"}], "prediction": {}, "profile": {}}
    found = solve(deck(**entry, losses=True), tmp_path)
    for name in ("K", "R_L"):
        error = max(float(found[f"{name}_error_lo"]), float(found[f"{name}_error_hi"]))
        assert abs(float(found[name]) - getattr(lossy, name)) < 3 * error
    without = solve(deck(**entry), tmp_path)
    assert float(without.chi2) > float(found.chi2) + 25


def test_headline_and_figures(solved: xr.Dataset) -> None:
    rows = dict(headline(solved))
    assert "TV" in rows["R0"]
    assert "+" in rows["K"] or "±" in rows["K"]
    assert "least at 0.5" in rows["χ²(a) gamma fixed, loss-free"]
    assert "predicted" in rows["ONE_He_rigidity"]
    assert "energy scale of TWO fitted" in rows["assumed"]
    figures = draw(solved, [])
    assert set(figures) == {"", "profile"}
    assert len(figures[""].axes) == 2 * (1 + 2 + 1)  # each with what is measured over it


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"data": []}, "data is empty"),
        ({"data": [{"table": "A"}, {"table": "A"}]}, "names A twice"),
        ({"data": [{"table": "A", "R_min": 10, "R_max": 5}]}, "R_max = 5 GV is not above"),
        ({"data": [{"table": "A", "energy_error": 2}]}, "at least 0 and at most 1"),
        ({"data": [{"tabel": "A"}]}, 'did you mean "table"'),
        ({"parameters": {"K": {"start": 5, "lower": 6, "upper": 7}}}, "beyond the bounds 6 … 7"),
        ({"parameters": {"K": {"start": 5, "lower": 7, "upper": 6}}}, "is not below"),
        ({"parameters": {"K": {"start": 5, "lower": 1}}}, "parameters.K.upper: is missing"),
        ({"parameters": {"R0": {"start": "4 kpc", "lower": 1, "upper": 9}}}, "wrong dimension"),
        ({"parameters": {"k": {}}}, 'did you mean "K"'),
        ({"profile": {"a": [0.5, 0.5]}}, "a has a value twice"),
        ({"prediction": {"R_min": 300}}, "must be R_min < R_max < R_end"),
        ({"prediction": {"tables": ["ONE_H_rigidity"]}}, "cannot be predicted as well"),
        ({"candidate": [{"name": "x", "distance": 1, "size": 1}] * 2}, "two candidates"),
        ({"residuals": "log"}, 'must be "linear" or "logarithmic"'),
        ({"smearing": {"delta": []}}, "delta needs at least one"),
        ({"smearing": {"reduction": [1, 1]}}, "reduction needs at least one"),
        ({"wake": {"places": [1, 0.5]}}, "places must be in increasing order"),
    ],
)
def test_a_wrong_deck_is_told(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(DeckError) as caught:
        deck(**changes)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"data": [{"table": "ONE_X_rigidity"}]}, "there is no table 'ONE_X_rigidity'"),
        (
            {"data": [{"table": "ONE_H_rigidity"}, {"table": "ONE_He_rigidity"}], "prediction": {}},
            "ONE_He_rigidity is of He, ONE_H_rigidity of H; one element is fitted",
        ),
        (
            {"data": [{"table": "ONE_B_He_rigidity"}], "prediction": {}},
            "ONE_B_He_rigidity is a ratio; what is fitted are fluxes",
        ),
        (
            {"prediction": {"tables": ["ONE_He_rigidity", "ONE_B_He_rigidity"]}},
            "needs a flux of B among prediction.tables",
        ),
        (
            {"prediction": {"tables": ["ONE_He_rigidity"], "R_min": 1, "R_max": 60}},
            "ONE_He_rigidity has 2 points from 1 to 60 GV; a background needs 3",
        ),
        ({"data": [{"table": "ONE_H_rigidity", "R_min": 1e6}]}, "none of its 40 points lies in"),
    ],
)
def test_tables_that_do_not_fit_are_told(folder: Path, changes: Any, said: str) -> None:
    with pytest.raises(MeasurementError) as caught:
        read(deck(**changes), folder)
    assert said in str(caught.value)


def test_without_a_folder_nothing_is_run(tmp_path: Path) -> None:
    done = CliRunner(env={"CRTRANSPORT_DATA": ""}).invoke(
        cli, ["run", "malkov2023_fig1", "-o", str(tmp_path)], catch_exceptions=True
    )
    assert "fitted to measured tables: give their folder by --data" in str(done.exception)
    assert not list(tmp_path.iterdir())


def test_the_number_stays_at_a_bound_and_it_is_said(folder: Path) -> None:
    numbers = BumpNumbers(K=FittedNumber(start=1.0, lower=0.1, upper=1.5))
    one = replace(deck(profile={}, prediction={}), parameters=numbers)
    one = replace(one, data=(FittedTable(table="ONE_H_rigidity"),))
    found = solve(one, folder)
    assert float(found.K) == pytest.approx(1.5)
    assert "K lies at its upper bound 1.5" in dict(headline(found))["remark"]
    assert found.error_estimate < found.error_tolerance


@pytest.mark.parametrize(
    ("column", "content", "said"),
    [
        ("y", "-1", "line 12, column y: -1 is a flux, must be at least 0"),
        ("stat_lo", "-1", "line 12, column stat_lo: -1 is an error, must be at least 0"),
        ("y", "x", "line 12, column y: 'x' is no number"),
        ("x", "100.0", "line 12, column x: the bin at 100 stands in line 6 already"),
    ],
)
def test_bad_data_end_a_run_before_it_begins(
    tmp_path: Path, column: str, content: str, said: str
) -> None:
    folder = write(tmp_path, protons())
    path = folder / "points" / "ONE_H_rigidity.csv"
    lines = path.read_text().splitlines()
    columns = next(line for line in lines if line.startswith("x,")).split(",")
    cells = lines[11].split(",")
    cells[columns.index(column)] = content
    path.write_text("\n".join([*lines[:11], ",".join(cells), *lines[12:]]))
    with pytest.raises(MeasurementError) as caught:
        read(deck(data=[{"table": "ONE_H_rigidity"}], prediction={}), folder)
    assert said in str(caught.value)
