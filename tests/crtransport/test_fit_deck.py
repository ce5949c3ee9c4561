"""Decks with [fit]: what is wrong with them, and small fits from the command line."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from matplotlib.container import ErrorbarContainer

pytest.importorskip("iminuit", reason="needs the extra fit")

import crtransport
from crtransport.cli import cli
from crtransport.console import InputError
from crtransport.deck.errors import DeckError
from crtransport.deck.load import load_deck
from crtransport.fits import FitError, minimise
from crtransport.measurements import MeasurementError
from crtransport.measurements.read import MeasurementWarning
from crtransport.plots.fit import draw
from crtransport.problems.galaxy_prediction import Prediction
from crtransport.session import Session
from crtransport.studies import fit_model
from crtransport.studies.fit import draw_samples

TRUE = {"D0": 4.5e28, "phi": 600.0}
SMALL: dict[str, Any] = {
    "model": "galaxy",
    "network": ["C12", "B11"],
    "source": [{"abundances": {"C12": 1.0}}],
    "gas": {"H2": {"kind": "bronfman1988"}, "HI": {"kind": "gordon1976"}},
    "normalisation": {"flux": {"C12": 9e-5}},
    "momentum": {"per_decade": 5, "T_max": 1e4},
    "solver": {"functions": 8, "order_r": 3, "order_z": 3, "elements_r": 2, "rtol": 1.0},
    "output": {"T_min": 0.5, "T_max": 100.0, "per_decade": 3},
}
FREE_D0 = {"key": "diffusion.D0", "start": 2e28, "lower": 5e27, "upper": 2e29, "scale": "log"}
FREE_PHI = {"key": "modulation.phi", "start": 400, "lower": 100, "upper": 1000}
RIGIDITY = np.geomspace(2.0, 50.0, 9)


def fit(*parameters: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The small galaxy with a fit to the ratio."""
    data = [{"table": "ratio"} | more.pop("data", {})]
    table = {"parameter": list(parameters or (FREE_D0,)), "data": data}
    return SMALL | {"fit": table | more}


def write(folder: Path, name: str, y: Any, **more: Any) -> None:
    """A table of a ratio over rigidity, errors of 2 and 1 %."""
    y = np.asarray(y, dtype=float)
    x = np.asarray(more.get("x", RIGIDITY))
    head = [
        f"# TEST {more.get('quantity', 'B_C')} vs rigidity",
        "# reference: made for a test",
        f"# y: what [{more.get('unit', '1')}]; x: rigidity_GV",
        "x,y,stat_lo,stat_hi,sys_lo,sys_hi",
    ]
    rows = [
        f"{a},{b},{0.02 * b},{0.02 * b},{0.01 * b},{0.01 * b}" for a, b in zip(x, y, strict=True)
    ]
    place(folder, name).write_text("\n".join([*head, *rows, ""]))


def place(folder: Path, name: str) -> Path:
    """Where a data folder has a table."""
    points = folder / "cr-kiss" / "points"
    points.mkdir(parents=True, exist_ok=True)
    return points / f"{name}.csv"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the small galaxy predicts with D0 and φ of TRUE, and a factor of 1.02 on the flux."""
    data = tmp_path_factory.mktemp("data")
    deck = load_deck(SMALL)
    prediction = Prediction.of(deck, False)
    write(data, "ratio", np.ones(9))
    write(data, "flux", np.ones(9), quantity="C", unit="m-2 s-1 sr-1 GV-1")
    names = {"ratio": 1.0, "flux": 1.02}
    from crtransport.measurements import load

    for table, factor in zip(load(names, data), names.values(), strict=True):
        y = factor * prediction.at(table, RIGIDITY, TRUE["phi"])
        write(data, table.name, y, quantity=table.quantity, unit=table.unit)
    return data


def wrong(tables: dict[str, Any]) -> str:
    with pytest.raises(DeckError) as caught:
        load_deck(tables)
    return str(caught.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"key": "diffusion.D00"}, 'did you mean "diffusion.D0"?'),
        ({"start": 1e27}, "start = 1e+27 lies beyond the bounds 5e+27 … 2e+29"),
        ({"start": "2 kpc"}, 'unit "kpc" has the wrong dimension'),
        ({"lower": 3e29}, "is not below"),
        ({"key": "solver.kind"}, "is no number that can be fitted"),
        ({"key": "source.1.injection.gamma1"}, "source has 1 entries"),
        ({"prior": [1e28]}, "prior needs a mean and its 1σ"),
        ({"prior": [1e28, "1 s"]}, "wrong dimension"),
        ({"prior": [1e28, 0]}, "1σ of its prior is 0"),
        ({"also": ["diffusion.delta1"]}, "diffusion.delta1 is in 1, and diffusion.D0 in cm2/s"),
        ({"epoch": "early"}, 'epoch goes with key = "modulation.phi" only'),
        ({"upper_bound": 1.0}, "unknown key"),
    ],
)
def test_wrong_parameters_are_told_in_one_block(change: dict[str, Any], said: str) -> None:
    assert said in wrong(fit(FREE_D0 | change))


def test_all_that_is_wrong_is_told_at_once() -> None:
    text = wrong(fit(FREE_D0 | {"key": "diffusion.D00"}, FREE_D0 | {"start": 1e30}, seeed=1))
    assert "3 errors" in text
    assert 'did you mean "seed"' in text


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"minos": ["delta"]}, "delta is no parameter of the fit (D0)"),
        ({"parameter": []}, "parameter is empty"),
        ({"data": [{"table": "a"}, {"table": "a"}]}, "a is there twice"),
        ({"parameter": [FREE_D0, FREE_D0 | {"name": "b"}]}, "is fitted already"),
        ({"parameter": [FREE_PHI | {"epoch": "early"}]}, 'no data are of the epoch "early"'),
    ],
)
def test_wrong_tables(more: dict[str, Any], said: str) -> None:
    tables = fit()
    tables["fit"] = tables["fit"] | more
    assert said in wrong(tables)


def test_the_truth_is_found(folder: Path) -> None:
    tables = fit(FREE_D0 | {"published": 4.5e28}, FREE_PHI)
    tables["fit"]["data"] += [{"table": "flux", "norm_error": 0.05}]
    found = crtransport.run(tables, data=folder)
    assert float(found.D0) == pytest.approx(TRUE["D0"], rel=2e-3)
    assert found.D0.attrs["units"] == "cm2/s"
    assert found.phi == pytest.approx(TRUE["phi"], abs=3)
    assert found["norm.TEST"] == pytest.approx(0.02, abs=2e-3)
    pull = found.pull.sel(parameter="norm.TEST")
    assert pull == pytest.approx(float(found["norm.TEST"]) / 0.05)
    assert np.all(np.abs(found.point_residual) < 0.05)
    assert found.fit_chi2.values == pytest.approx([0, 0], abs=0.02)
    assert found.fit_points.values.tolist() == [9, 9]
    assert found.attrs["fit_gradients"] > 0
    assert "flux_lis" in found


def test_contours_of_two_potentials(folder: Path) -> None:
    """Each epoch has data of its own: the contour is an ellipse along the axes."""
    late = FREE_PHI | {"epoch": "late"}
    tables = fit(FREE_PHI | {"name": "residual"}, late, contours=[["residual", "phi.late"]])
    tables["fit"]["data"] = [{"table": "ratio", "epoch": "late"}, {"table": "flux"}]
    found = crtransport.run(tables, data=folder)
    assert found.fit_phi.values == pytest.approx(found.best.values[::-1])
    # a name that the galaxy has taken
    assert float(found.fit_residual) == float(found.best[0])
    assert found.correlation[0, 1] == pytest.approx(0, abs=0.01)
    away = (found.contour[0].values - found.best.values) / found.best_error.values
    radius = np.sqrt(-2 * np.log(1 - 0.68))
    assert np.hypot(*away.T) == pytest.approx(np.full(16, radius), rel=0.3)
    assert set(draw(found)) == {"fit", "corner"}


def test_gradient_is_the_derivative(folder: Path) -> None:
    """By the deck's keys, a shared norm and an energy scale, and potentials of two epochs."""
    tables = fit(FREE_D0, FREE_PHI, FREE_PHI | {"epoch": "late", "start": 500})
    tables["fit"]["data"][0] |= {"epoch": "late", "energy_error": 0.02}
    tables["fit"]["data"] += [{"table": "flux", "norm_error": 0.05, "energy_error": 0.02}]
    objective = fit_model.read(load_deck(tables), folder).objective()
    names = [p.name for p in objective.parameters]
    assert names == ["D0", "phi", "phi.late", "norm.TEST", "energy_scale.TEST"]
    u = np.array([np.log(3e28), 450.0, 550.0, 0.01, -0.01])
    steps = np.array([1e-3, 1.0, 1.0, 1e-3, 1e-3])
    numeric = [
        (objective(u + h * e) - objective(u - h * e)) / (2 * h)
        for h, e in zip(steps, np.eye(5), strict=True)
    ]
    # of D0 the functions of the reduced basis change too
    assert objective.gradient(u) == pytest.approx(numeric, rel=2e-2)
    assert objective.gradient(u)[1:] == pytest.approx(numeric[1:], rel=1e-4)


def test_hessian_at_the_truth(folder: Path) -> None:
    """Where the residuals vanish, second derivatives are those of linear predictions."""
    objective = fit_model.read(load_deck(fit(FREE_D0, FREE_PHI)), folder).objective()
    u, steps = np.array([np.log(TRUE["D0"]), TRUE["phi"]]), np.array([2e-3, 2.0])
    rows = [
        (objective.gradient(u + h * e) - objective.gradient(u - h * e)) / (2 * h)
        for h, e in zip(steps, np.eye(2), strict=True)
    ]
    assert objective.hessian(u) == pytest.approx(np.array(rows), rel=0.03)


def test_points_drawn_under_a_fit_sum_to_its_chi2(folder: Path) -> None:
    """Of errors that hang together and of those that do not, a line each in its figure."""
    tables = fit(FREE_D0 | {"upper": 4e28})  # not at the truth
    tables["fit"]["data"][0]["systematics"] = {"kind": "correlated", "length": 1.0}
    tables["fit"]["data"] += [{"table": "flux"}]
    found = crtransport.run(tables, data=folder)
    (figure,) = draw(found).values()
    figure.draw_without_rendering()
    panels = [axes for axes in figure.axes if axes.get_ylabel() == "residual [σ]"]
    for axes, chi2 in zip(panels, found.fit_chi2.values, strict=True):
        (box,) = axes.containers
        assert isinstance(box, ErrorbarContainer)
        drawn = np.asarray(box.lines[0].get_ydata())
        assert np.sum(drawn**2) == pytest.approx(chi2, rel=1e-10) != pytest.approx(0, abs=0.1)
    (legend,) = figure.legends
    names = [text.get_text() for text in legend.get_texts()]
    assert names == ["measured", "fit", "fitted systematic shift", "68 % of the fit"]
    assert "sum to χ²" in figure.get_supxlabel()


def test_bands_are_of_what_is_predicted(folder: Path) -> None:
    """Of one parameter the ends are what its 1σ predicts; draws from the posterior agree."""
    sampled = fit(FREE_PHI, sampler={"kind": "emcee", "steps": 200, "walkers": 8})
    found = crtransport.run(sampled, data=folder)
    plain = crtransport.run(fit(FREE_PHI), data=folder)
    half = (plain.point_band_hi - plain.point_band_lo).values / 2
    fitted = fit_model.read(load_deck(fit(FREE_PHI)), folder)
    ends = [{"phi": float(plain.phi + s * plain.phi_error)} for s in (-1, 1)]
    ((low,), (high,)) = fitted.predictions(ends)
    assert half == pytest.approx(abs(high - low) / 2, rel=0.1)
    drawn = (found.point_band_hi - found.point_band_lo).values / 2
    assert drawn == pytest.approx(half, rel=0.4)
    assert plain.point_band_lo.attrs["how"] == "the covariance"
    assert found.point_band_lo.attrs["how"] == "draws from the posterior"


def test_no_corner_passes_the_bounds_of_a_parameter(folder: Path) -> None:
    """One that ends near its bound, and one whose published value lies beyond."""
    phi = FREE_PHI | {"lower": 590, "start": 595, "upper": 605, "published": 500}
    found = crtransport.run(fit(FREE_D0, phi), data=folder)
    figure = draw(found)["corner"]
    figure.draw_without_rendering()
    alone, beside = figure.axes[3], figure.axes[2]
    assert alone.get_xlim() == pytest.approx((500, 605), abs=1)
    curves = [np.asarray(line.get_ydata()) for line in beside.lines if len(line.get_xdata()) > 9]
    assert len(curves) == 2
    assert (np.min(curves), np.max(curves)) == (590, 605)
    (x,) = [line.get_xdata() for line in alone.lines if len(line.get_xdata()) > 9]
    assert 590 <= np.min(x) < np.max(x) <= 605


def test_many_tables_take_several_figures(folder: Path) -> None:
    found = crtransport.run(fit(FREE_D0), data=folder)
    more = xr.concat([found] * 6, "fit_table", data_vars="minimal", coords="minimal")
    more["point_table"] = found.point_table + np.arange(9) % 6
    assert set(draw(more)) == {"fit", "fit_2"}


def test_without_gradient_the_same(folder: Path) -> None:
    found = crtransport.run(fit(gradient=False), data=folder)
    assert float(found.D0) == pytest.approx(TRUE["D0"], rel=2e-3)
    assert found.attrs["fit_gradients"] == 0
    assert found.attrs["fit_derivatives"] == "fit.gradient = false"


def session(folder: Path, data: Path | None, tables: dict[str, Any]) -> Any:
    """What the command line runs."""
    deck = load_deck(tables)
    one = Session(folder=folder, plots=False, data=data)
    one.check({"deck.toml": deck})
    return one.run("deck.toml", deck, lambda *_: None)


def test_a_bound_is_a_failure(folder: Path, tmp_path: Path) -> None:
    result = session(tmp_path, folder, fit(FREE_D0 | {"upper": 3e28}))
    assert "D0 lies at its upper bound 3e+28" in result.failures
    assert (tmp_path / "deck.nc").exists()


def test_samples_are_read_by_arviz(folder: Path, tmp_path: Path) -> None:
    arviz = pytest.importorskip("arviz", reason="reads the file")
    sampler = {"kind": "emcee", "steps": 12, "walkers": 4}
    result = session(tmp_path, folder, fit(FREE_PHI, sampler=sampler))
    assert any("effective samples" in line for line in result.failures)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data = arviz.from_netcdf(str(tmp_path / "deck_samples.nc"))
    with xr.open_dataset(tmp_path / "deck.nc") as saved:
        mean = float(saved.posterior.sel(parameter="phi").mean())
    assert float(data.posterior["phi"].mean()) == pytest.approx(mean)
    assert data.sample_stats["lp"].shape == (8, 8)


def test_too_few_walkers_are_told_before_the_run(folder: Path, tmp_path: Path) -> None:
    sampler = {"kind": "emcee", "steps": 10, "walkers": 4}
    with pytest.raises(InputError, match="need at least 6"):
        session(tmp_path, folder, fit(FREE_D0, FREE_PHI, data={"norm_error": 0.1}, sampler=sampler))


def test_starts_that_do_not_go_together(folder: Path, tmp_path: Path) -> None:
    low = {"key": "output.T_max", "start": 0.01, "lower": 1e-3, "upper": 1.0}
    with pytest.raises(InputError, match=r"at their starts: output: T_max = 0.01"):
        session(tmp_path, folder, fit(low))


def test_missing_data_are_told_before_the_run(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no table 'ratios'"):
        session(tmp_path, folder, fit(data={"table": "ratios"}))
    with pytest.raises(InputError, match="give their folder by --data"):
        session(tmp_path, None, fit())
    write(folder, "nitrogen", np.ones(9), quantity="N_C")
    write(folder, "far", np.ones(9), x=RIGIDITY * 1e4)
    with pytest.raises(InputError, match=r"the deck has no N \(B, C\)"):
        session(tmp_path, folder, fit(data={"table": "nitrogen"}))
    with pytest.raises(InputError, match="are beyond momentum"):
        session(tmp_path, folder, fit(data={"table": "far"}))


BAD: list[tuple[str, Any, str]] = [
    ("negative", lambda row: row.replace(",", ",-", 1), "must be at least 0"),
    ("text", lambda row: row.replace(",", ",abc", 1), "line 7"),
    ("double", lambda row: f"{row}\n{row}", "would count twice"),
    ("no rows", lambda row: "", "no rows"),
]


@pytest.mark.parametrize(("name", "change", "said"), BAD, ids=[name for name, *_ in BAD])
def test_bad_data_end_in_an_error(
    folder: Path, tmp_path: Path, name: str, change: Any, said: str
) -> None:
    lines = place(folder, "ratio").read_text().splitlines()
    rows = [change(row) if k == 2 or not change(row) else row for k, row in enumerate(lines[4:])]
    place(tmp_path, "ratio").write_text("\n".join([*lines[:4], *filter(None, rows), ""]))
    with pytest.raises(InputError) as caught:
        session(tmp_path / "out", tmp_path, fit())
    assert said in str(caught.value)
    assert "ratio" in str(caught.value)


def test_odd_data_end_in_a_warning(folder: Path, tmp_path: Path) -> None:
    """Values and errors interchanged; a flux off by 1e4."""
    lines = place(folder, "ratio").read_text().splitlines()
    columns = lines[3].replace("y,stat_lo", "stat_lo,y")
    place(tmp_path, "ratio").write_text("\n".join([*lines[:3], columns, *lines[4:], ""]))
    with pytest.warns(MeasurementWarning) as said:
        session(tmp_path / "out", tmp_path, fit(FREE_PHI))
    assert any("ratio.csv" in str(w.message) and "interchanged" in str(w.message) for w in said)
    rows = [float(row.split(",")[1]) for row in place(folder, "flux").read_text().splitlines()[4:]]
    write(tmp_path, "flux", 1e4 * np.array(rows), quantity="C", unit="m-2 s-1 sr-1 GV-1")
    with pytest.warns(UserWarning, match=r"flux.csv.*times what is known"):
        session(tmp_path / "out", tmp_path, fit(FREE_PHI, data={"table": "flux"}))


def test_interchanged_errors_end_in_a_warning(tmp_path: Path) -> None:
    """Statistical errors in place of systematic ones grow where they must not."""
    write(tmp_path, "ratio", np.ones(9))
    lines = place(tmp_path, "ratio").read_text().splitlines()
    grow = [f"{x},0.3,0.01,0.01,{e},{e}" for x, e in zip(RIGIDITY, 0.001 * RIGIDITY, strict=True)]
    place(tmp_path, "ratio").write_text("\n".join([*lines[:4], *grow, ""]))
    with pytest.warns(UserWarning, match=r"ratio.csv, line 5.*systematic errors grow"):
        session(tmp_path / "out", tmp_path, fit(FREE_PHI))


def test_too_many_rows_are_refused(tmp_path: Path) -> None:
    n = 10**4
    write(tmp_path, "ratio", np.full(n, 0.3), x=np.geomspace(2.0, 50.0, n))
    with pytest.raises(InputError, match="10000 points; a fit takes at most 5000"):
        session(tmp_path / "out", tmp_path, fit())


def test_limits_need_a_level(folder: Path, tmp_path: Path) -> None:
    lines = place(folder, "ratio").read_text().splitlines()
    rows = [f"{row},{int(k == 8)}" for k, row in enumerate(lines[4:])]
    text = "\n".join([*lines[:3], f"{lines[3]},upper_limit", *rows, ""])
    place(tmp_path, "ratio").write_text(text)
    with pytest.raises(InputError, match="level"):
        session(tmp_path / "out", tmp_path, fit())


#: number of [fit] -> another value
NUMBERS: list[tuple[str, Any]] = [
    ("fit.data.0.x_min", 4.0),
    ("fit.data.0.x_max", 30.0),
    ("fit.data.0.systematics", {"kind": "correlated", "length": 0.2}),
    ("fit.data.0.systematics", {"kind": "correlated", "length": 0.2, "stat_length": 0.1}),
    ("fit.data.0.norm_error", 0.1),
    ("fit.data.0.energy_error", 0.1),
    ("fit.parameter.0.prior", [1e28, 1e27]),
]


def test_every_number_of_the_likelihood_matters(folder: Path) -> None:
    """Norm and energy scale by their priors."""
    seen = []
    for changes in ({}, *({key: value} for key, value in NUMBERS)):
        objective = fit_model.read(load_deck(fit(), changes), folder).objective()
        starts = [p.inside(p.start) for p in objective.parameters[:1]]
        shifts = [0.05] * (len(objective.parameters) - 1)
        seen.append(objective(np.array([*starts, *shifts])))
    assert len(set(seen)) == len(seen)


def test_every_number_of_a_sampler_matters(folder: Path) -> None:
    """Of the potential alone, which takes one run of the galaxy."""
    sampler = {"kind": "emcee", "steps": 10, "walkers": 4}
    nested = {"kind": "dynesty", "live": 10, "tolerance": 1.0}
    seen: list[xr.DataArray] = []
    for one, seed in (
        (sampler, 1),
        (sampler | {"steps": 12}, 1),
        (sampler | {"walkers": 6}, 1),
        (sampler, 2),
        (nested, 1),
        (nested | {"live": 12}, 1),
        (nested | {"tolerance": 0.1}, 1),
    ):
        fitted = fit_model.read(load_deck(fit(FREE_PHI, sampler=one, seed=seed)), folder)
        objective = fitted.objective()
        best = minimise(objective)
        draws = draw_samples(objective, fitted.fit, best).draws
        assert not any(np.array_equal(draws, other) for other in seen)
        seen.append(draws)


def test_what_excludes_a_fit() -> None:
    scan = {"parameter": [{"key": "diffusion.h", "values": [0.3, 0.5]}]}
    assert "fit: stands beside [scan]" in wrong(fit() | {"scan": scan})
    tables = {k: v for k, v in fit().items() if k != "normalisation"}
    compare = {"measurements": ["flux"], "fit_norms": True}
    assert "leave out one; [fit] can fit abundances" in wrong(tables | {"compare": compare})
    assert "scan cannot be fitted" in wrong(fit(FREE_D0 | {"key": "scan.parameter.0.number"}))


def test_starts_matter(folder: Path) -> None:
    one, more = (crtransport.run(fit(FREE_PHI, starts=n), data=folder) for n in (1, 2))
    assert more.attrs["fit_evaluations"] > one.attrs["fit_evaluations"]


def test_a_burst_is_fitted(tmp_path: Path) -> None:
    burst = load_deck("burst_geminga")
    from crtransport.problems.burst_prediction import Prediction as Burst

    one = {"quantity": "H", "unit": "m-2 s-1 sr-1 GV-1", "x": np.geomspace(1e3, 1e5, 9)}
    write(tmp_path, "flux", np.ones(9), **one)
    from crtransport.measurements import load

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        (table,) = load(["flux"], tmp_path)
        write(tmp_path, "flux", Burst.of(burst, False).at(table, table.x, 0.0), **one)
        parameter = {"key": "local_source.0.distance", "start": 0.2, "lower": 0.1, "upper": 0.5}
        fit_deck = {"parameter": [parameter], "data": [{"table": "flux"}]}
        changes = {"fit": fit_deck, "compare.measurements": []}
        found = crtransport.run(burst, changes, data=tmp_path)
    truth = burst.local_source[0].distance
    assert found.distance == pytest.approx(truth, rel=2e-2)
    assert found.attrs["fit_derivatives"] == "bursts have no adjoint"


def test_no_answer_at_the_start_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from crtransport.solvers.errors import ConvergenceError

    def fails(*_: Any) -> None:
        raise ConvergenceError("residual 1")

    monkeypatch.setattr(Prediction, "of", fails)
    with pytest.raises(FitError, match="at D0 = 2e\\+28: residual 1"):
        crtransport.run(fit(), data=folder)


def test_a_missing_package_is_told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "iminuit", None)
    with pytest.raises(MeasurementError, match=r"crtransport\[fit\]"):
        fit_model.read(load_deck(fit()), folder)


def test_command_line(folder: Path, tmp_path: Path) -> None:
    from click.testing import CliRunner

    deck = tmp_path / "small.toml"
    deck.write_text(
        'model = "galaxy"\nnetwork = ["C12", "B11"]\nsource = [{abundances = {C12 = 1.0}}]\n'
        "normalisation = {flux = {C12 = 9e-5}}\nmomentum = {per_decade = 5, T_max = 1e4}\n"
        "solver = {functions = 8, order_r = 3, order_z = 3, elements_r = 2, rtol = 1.0}\n"
        "output = {T_min = 0.5, T_max = 100.0, per_decade = 3}\n"
        '[[fit.parameter]]\nkey = "diffusion.D0"\nstart = "2e28 cm2/s"\nlower = 5e27\n'
        'upper = 2e29\nscale = "log"\n[[fit.parameter]]\nkey = "modulation.phi"\nstart = 400\n'
        'lower = 100\nupper = 1000\n[[fit.data]]\ntable = "ratio"\n'
    )
    words = ["run", str(deck), "-o", str(tmp_path), "--data", str(folder)]
    done = CliRunner().invoke(cli, words, standalone_mode=False)
    assert done.return_value == 0, done.output
    assert "D0 " in done.output
    assert "its gradient (adjoint)" in done.output
    files = {path.name for path in tmp_path.iterdir()}
    assert files >= {"small.nc", "small_fit.png", "small_corner.png"}
