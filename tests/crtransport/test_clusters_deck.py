"""Decks of clusters from tables to datasets, headlines and figures, and what they refuse."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from click.testing import CliRunner

import crtransport
from crtransport.cli import cli
from crtransport.clusters.model import headline, solve
from crtransport.clusters.shapes import cutoff_power_law
from crtransport.console import InputError
from crtransport.deck.clusters import ClustersDeck, Correlations
from crtransport.deck.errors import DeckError
from crtransport.deck.load import load_deck
from crtransport.measurements import MeasurementError
from crtransport.output import check_labels, netcdf_bytes
from crtransport.plots.clusters import draw

CORRELATIONS = {
    "clusters": "clusters.csv",
    "photon_fields": "fields.csv",
    "luminosities": "sources.csv",
    "permutations": 500,
}
SPECTRA = {"bands": "bands.csv", "simulations": 10, "E_min": [50, 300]}
EDGES = np.array([50.0, 100, 300, 1000, 3000, 10_000, 30_000, 300_000])


def tables(folder: Path, seed: int = 1) -> Path:
    """A made-up sky of 40 clusters whose luminosity goes with the encounter rate."""
    rng = np.random.default_rng(seed)
    distance = 10 ** rng.normal(0.9, 0.2, 40)
    latitude = rng.uniform(-60, 60, 40)
    rate = 10 ** rng.normal(2, 1, 40)
    luminosity = 10 ** (33 + 0.5 * np.log10(rate) + rng.normal(0, 0.3, 40))
    flux = luminosity / (4 * np.pi * (3.0857e21 * distance) ** 2)
    threshold = 2e-12 / np.sqrt(np.sin(np.abs(np.radians(latitude))) + 0.02)
    lines = ["name,alt_name,b_deg,d_sun_kpc,fe_h,m_v,rh_arcmin,gamma_integrated"]
    lines += [
        f"NGC{i},,{latitude[i]},{distance[i]},-1.{i:02d},{-8 + 0.05 * i},1.0,{rate[i]}"
        for i in range(40)
    ]
    (folder / "clusters.csv").write_text("\n".join(lines))
    lines = ["name,u_cmb,u_mw", *(f"NGC{i},0.26,{1 + 0.1 * (i % 7)}" for i in range(39))]
    (folder / "fields.csv").write_text("\n".join(lines))
    lines = ["harris_name,Energy_Flux100,Unc_Energy_Flux100,Signif_Avg"]
    bands = ["harris_name,e_lo_MeV,e_hi_MeV,flux,err_lo,err_hi"]
    for i in np.flatnonzero(flux > threshold):
        lines.append(f"NGC {i},{flux[i]},{threshold[i] / 4},{4.1 * flux[i] / threshold[i]}")
        for low, high in pairwise(EDGES):
            middle = np.sqrt(low * high)
            model = (middle / 1e3) ** -0.9 * np.exp(-middle / 2e3) + 0.3 * (middle / 1e3) ** -2.7
            true = 100 * flux[i] * model * (high - low) / 1e3
            sigma = np.hypot(0.1 * true, 5e-11 * (middle / 1e3) ** -1.2)
            value = max(0.0, rng.normal(true, sigma))
            down = "" if value < 2 * sigma else f"{-sigma}"
            bands.append(f"NGC {i},{low},{high},{value},{down},{sigma}")
    (folder / "sources.csv").write_text("\n".join(lines))
    (folder / "bands.csv").write_text("\n".join(bands))
    return folder


def deck(**changes: Any) -> ClustersDeck:
    analysis = changes.pop("analysis", "correlations")
    table = CORRELATIONS if analysis == "correlations" else SPECTRA
    loaded = load_deck({"model": "clusters", "analysis": analysis, analysis: table | changes})
    assert isinstance(loaded, ClustersDeck)
    return loaded


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tables(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def correlations(folder: Path) -> xr.Dataset:
    return solve(deck(observables=["encounter_rate", "metallicity", "u_mw"]), folder)


@pytest.fixture(scope="module")
def spectra(folder: Path) -> xr.Dataset:
    return solve(deck(analysis="spectra"), folder)


def test_correlations_have_what_the_interface_promises(correlations: xr.Dataset) -> None:
    for name in ("slope", "intercept", "scatter"):
        assert correlations[name].dims == correlations[f"{name}_error"].dims == ("observable",)
    for name in ("kendall_tau", "significance"):
        assert correlations[name].dims == ("observable",)
    check_labels(correlations)
    assert correlations.error_estimate < correlations.error_tolerance
    assert netcdf_bytes(correlations)


def test_the_correlation_that_was_put_in_is_found(correlations: xr.Dataset) -> None:
    rate, metals = (correlations.sel(observable=n) for n in ("encounter_rate", "metallicity"))
    assert abs(rate.slope - 0.5) < 3 * rate.slope_error
    assert rate.significance > 3
    assert abs(metals.significance) < 3
    assert int(rate.clusters_used) == 40
    assert 5 < int(rate.detections) < 35


def test_thresholds_change_the_limits_only(correlations: xr.Dataset, folder: Path) -> None:
    assert list(correlations.threshold_factor) == [0.5, 1, 2]
    assert correlations.slope_varied.sel(threshold_factor=1).equals(
        correlations.slope.assign_coords(threshold_factor=1.0)
    )
    doubled = solve(deck(observables=["encounter_rate"], threshold_factor=2.0), folder)
    assert float(doubled.slope[0]) == pytest.approx(float(correlations.slope_varied[2, 0]))
    change = doubled.log10_luminosity - correlations.log10_luminosity
    assert change.values == pytest.approx(np.log10(2) * correlations.limit.values)


def test_spectra_have_what_the_interface_promises(spectra: xr.Dataset) -> None:
    for name in ("spectral_index_cr", "spectral_index_ic", "log10_cutoff"):
        assert spectra[name].dims == spectra[f"{name}_error"].dims == ()
    assert spectra.delta_chi2.dims == ()
    assert spectra.norm.dims == ("cluster", "component")
    assert spectra.efficiency_ratio.dims == ("cluster",)
    check_labels(spectra)
    assert spectra.error_estimate < spectra.error_tolerance
    assert netcdf_bytes(spectra)


def test_the_spectrum_that_was_put_in_is_found(spectra: xr.Dataset) -> None:
    """Its bands were filled by their middles, so only roughly."""
    assert float(spectra.spectral_index_ic) == pytest.approx(2.7, abs=0.25)
    assert float(spectra.spectral_index_cr) == pytest.approx(0.9, abs=0.5)
    assert float(spectra.electron_index) == 2 * float(spectra.spectral_index_ic) - 1
    assert float(spectra.delta_chi2) > spectra.simulated_delta_chi2.max()
    count = int(np.sum(np.isfinite(spectra.band_flux)))
    clusters = spectra.sizes["cluster"]
    assert int(spectra.dof) == count - (2 * clusters + 3) - 1
    assert int(spectra.dof_without_ic) - int(spectra.dof) == clusters + 1
    total = (spectra.spectrum.sum("component") > 0).all()
    assert bool(total)


def test_each_choice_of_bands_is_given(spectra: xr.Dataset, folder: Path) -> None:
    above = solve(deck(analysis="spectra", E_min=[300]), folder)
    assert float(spectra.delta_chi2_by_E_min.sel(E_min=300)) == float(above.delta_chi2)
    assert float(spectra.delta_chi2_by_E_min.sel(E_min=50)) == float(spectra.delta_chi2)
    assert above.sizes["band"] == spectra.sizes["band"]
    assert np.sum(np.isfinite(above.band_flux)) < np.sum(np.isfinite(spectra.band_flux))


def test_headlines_have_the_paper_beside_them(
    correlations: xr.Dataset, spectra: xr.Dataset
) -> None:
    one, other = (dict(headline(d)) for d in (correlations, spectra))
    assert "clusters," in one["encounter_rate"]
    assert "6.4σ" in one["  Song et al. 2021"] or "not significant" in one["  Song et al. 2021"]
    assert "2.79 ± 0.25" in other["spectral_index_ic"]
    assert "204/206" in other["χ²"]
    texts = [text for name, text in headline(correlations) if name == "remark"]
    assert any("interchanged" in text for text in texts)
    assert any("not a reproduction" in text for text in texts)
    assert any("known at 1 clusters" in text for text in texts)
    seen = int(correlations.detections[0])
    assert any(f"{40 - seen} of the 40 clusters have no row" in text for text in texts)
    texts = [text for name, text in headline(spectra) if name == "remark"]
    assert any("206" in text for text in texts)
    assert any("7 bands from 50 MeV, 5 of them from 300 MeV" in text for text in texts)


@pytest.mark.parametrize("name", ["correlations", "spectra"])
def test_figures(name: str, request: pytest.FixtureRequest) -> None:
    dataset = request.getfixturevalue(name)
    figures = draw(dataset, [])
    assert list(figures) == [""]
    figures[""].draw_without_rendering()
    panels = [axes for axes in figures[""].axes if axes.axison]
    assert len(panels) == dataset.sizes["observable" if name == "correlations" else "cluster"]
    free = [axes.get_legend() for axes in figures[""].axes if not axes.axison]
    (legend,) = [*figures[""].legends, *free]
    shown = [text.get_text() for text in legend.get_texts()]
    assert {"detection", "upper limit"} <= set(shown)


def test_many_clusters_are_drawn_on_several_pages(spectra: xr.Dataset) -> None:
    many = xr.concat([spectra] * 4, "cluster", data_vars="minimal").assign_coords(
        cluster=[f"C{i}" for i in range(4 * spectra.sizes["cluster"])]
    )
    assert list(draw(many, []))[:2] == ["", "from_30"]


def test_order_of_rows_does_not_matter(
    folder: Path, correlations: xr.Dataset, spectra: xr.Dataset, tmp_path: Path
) -> None:
    for path in folder.glob("*.csv"):
        head, *rows = path.read_text().splitlines()
        mixed = np.random.default_rng(5).permutation(rows)
        (tmp_path / path.name).write_text("\n".join([head, *mixed]))
    again = solve(deck(observables=["encounter_rate", "metallicity", "u_mw"]), tmp_path)
    xr.testing.assert_equal(again, correlations)
    assert np.array_equal(again.permutations_beyond, correlations.permutations_beyond)
    xr.testing.assert_allclose(solve(deck(analysis="spectra"), tmp_path), spectra, rtol=1e-9)


def test_runs_are_repeated_to_the_last_digit(folder: Path, correlations: xr.Dataset) -> None:
    again = solve(deck(observables=["encounter_rate", "metallicity", "u_mw"]), folder)
    xr.testing.assert_identical(again, correlations)
    other = solve(deck(observables=["encounter_rate", "metallicity", "u_mw"], seed=2), folder)
    assert not np.array_equal(other.null_mean, correlations.null_mean)


def test_limits_by_name_change_the_answer(folder: Path, spectra: xr.Dataset) -> None:
    for treatment in ("one-sided", "erf"):
        other = solve(deck(analysis="spectra", limits=treatment), folder)
        assert float(other.chi2) != float(spectra.chi2)
        assert other.attrs["limits"] == treatment


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({"analysis": "correlations"}, "a table \\[correlations\\] go together"),
        ({"analysis": "spectra", "correlations": CORRELATIONS}, "go together"),
        (
            {"analysis": "spectra", "spectra": SPECTRA, "correlations": CORRELATIONS},
            'analysis = "correlations" and a table',
        ),
        ({"analysis": "spectr"}, 'did you mean "spectra"'),
        ({"analysis": "correlations", "correlations": {}}, "clusters: is missing"),
        (
            {"analysis": "correlations", "correlations": CORRELATIONS | {"observables": []}},
            "give at least one",
        ),
        (
            {"analysis": "correlations", "correlations": CORRELATIONS | {"observables": ["u_t"]}},
            "u_total",
        ),
        (
            {
                "analysis": "correlations",
                "correlations": CORRELATIONS | {"observables": ["u_mw", "u_mw"]},
            },
            "one twice",
        ),
        (
            {"analysis": "correlations", "correlations": CORRELATIONS | {"permutations": 10}},
            "must be from 100",
        ),
        (
            {"analysis": "correlations", "correlations": CORRELATIONS | {"vizier": "Song 2021"}},
            "'Song 2021' is no catalogue of VizieR, such as J/MNRAS/507/5161",
        ),
        ({"analysis": "spectra", "spectra": SPECTRA | {"E_min": []}}, "give at least one"),
        ({"analysis": "spectra", "spectra": SPECTRA | {"E_min": [50, 50]}}, "twice"),
        ({"analysis": "spectra", "spectra": SPECTRA | {"limits": "err"}}, 'did you mean "erf"'),
    ],
)
def test_a_wrong_deck_is_refused_in_words(tables: dict[str, Any], message: str) -> None:
    with pytest.raises(DeckError, match=message):
        load_deck({"model": "clusters"} | tables)


def test_without_a_data_folder_there_is_a_reason() -> None:
    with pytest.raises(MeasurementError, match="give their folder by --data"):
        crtransport.run("song2021_spectra")


def with_own_luminosities(folder: Path, target: Path) -> xr.Dataset:
    """A table of all luminosities and limits, in text and as a catalogue of VizieR; its results."""
    table = pytest.importorskip("astropy.table", reason="needs the extra clusters")
    for path in folder.glob("*.csv"):
        (target / path.name).write_text(path.read_text())
    names = [f"NGC{i}" for i in range(40)]
    rng = np.random.default_rng(3)
    value = 10 ** rng.normal(34, 0.5, 40)
    limit = rng.random(40) < 0.4
    lines = ["name,luminosity,error,limit,level"]
    for name, one, is_limit in zip(names, value, limit, strict=True):
        lines.append(
            f"{name},,,{one:.17g},0.95" if is_limit else f"{name},{one:.17g},{0.1 * one},,"
        )
    (target / "own.csv").write_text("\n".join(lines))
    paper = table.Table({"Name": names, "Lg": value / 1e34, "l_Lg": np.where(limit, "<", "")})
    paper["Lg"].unit = "1e27 W"
    place = target / "catalogues" / "J_XYZ_1_2"
    place.mkdir(parents=True)
    paper.write(place / "table1.ecsv", format="ascii.ecsv")
    return solve(deck(luminosities="own.csv"), target)


def test_the_papers_own_table_is_used_where_it_is_at_hand(folder: Path, tmp_path: Path) -> None:
    wanted = {"vizier": "J/XYZ/1/2"}
    expected = with_own_luminosities(folder, tmp_path)
    assert not np.array_equal(expected.slope, solve(deck(), tmp_path).slope)
    found = solve(deck(**wanted), tmp_path)
    np.testing.assert_allclose(found.slope, expected.slope, rtol=1e-9)
    np.testing.assert_allclose(found.kendall_tau, expected.kendall_tau, rtol=1e-12)
    assert found.luminosities == "J/XYZ/1/2"
    assert "luminosities and limits are those of J/XYZ/1/2" in found.remark
    assert "is used once it is at hand" not in found.remark
    without = solve(deck(**wanted), folder)
    assert without.luminosities == "sources.csv"
    assert "J/XYZ/1/2, is used once it is at hand: crtransport data fetch" in without.remark
    assert dict(headline(without))["luminosities"] == "sources.csv"


def test_an_observable_that_no_detection_has(folder: Path, tmp_path: Path) -> None:
    for path in folder.glob("*.csv"):
        (tmp_path / path.name).write_text(path.read_text())
    fields = "name,u_cmb,u_mw\nNGC0,0.26,1\nNGC1,0.26,2"
    (tmp_path / "fields.csv").write_text(fields)
    with pytest.raises(MeasurementError, match=r"sources.csv: u_mw: [0-2] detections; a line"):
        solve(deck(observables=["u_mw"]), tmp_path)


def test_bands_without_a_tail_leave_its_index_open(folder: Path, tmp_path: Path) -> None:
    """No cluster has inverse Compton: Γ₂ has no error, and the user is told."""
    head, *rows = (folder / "bands.csv").read_text().splitlines()
    lines = [head]
    for row in rows:
        name, low, high, *_ = row.split(",")
        flux = 1e-12 * float(cutoff_power_law(0.9, 3.3, float(low), float(high)))
        sigma = 0.05 * flux + 1e-13
        lines.append(f"{name},{low},{high},{flux},{-sigma},{sigma}")
    (tmp_path / "bands.csv").write_text("\n".join(lines))
    found = solve(deck(analysis="spectra", E_min=[300]), tmp_path)
    tail, cut = (found.norm.sel(component=n) for n in ("inverse-Compton", "curvature"))
    assert np.all(tail < 1e-6 * cut)
    assert np.isnan(found.spectral_index_ic_error)
    assert np.isfinite(found.spectral_index_cr_error)
    assert "do not fix spectral_index_ic" in found.remark
    assert dict(headline(found))["spectral_index_ic"].count("not fixed") == 1
    draw(found, [])[""].draw_without_rendering()


def command(folder: Path, output: Path, *more: str) -> Any:
    path = output / "mine.toml"
    path.write_text(
        'model = "clusters"\nanalysis = "spectra"\n[spectra]\nbands = "bands.csv"\n'
        "simulations = 10\n"
    )
    line = ["run", str(path), "-o", str(output), "--data", str(folder), *more]
    return CliRunner().invoke(cli, line)


def test_command_line_writes_a_file_and_a_figure(folder: Path, tmp_path: Path) -> None:
    done = command(folder, tmp_path)
    assert done.exit_code == 0, done.output
    assert "electron index p" in done.output
    assert (tmp_path / "mine.nc").is_file()
    assert (tmp_path / "mine.png").is_file()


def test_command_line_refuses_wrong_tables_before_it_runs(folder: Path, tmp_path: Path) -> None:
    text = (folder / "bands.csv").read_text().replace("50.0,100.0,", "50.0,nan,", 1)
    (tmp_path / "bands.csv").write_text(text)
    done = command(tmp_path, tmp_path)
    assert isinstance(done.exception, InputError)
    assert "bands.csv, line 2, column e_hi_MeV: 'nan' is no number" in str(done.exception)
    assert not (tmp_path / "mine.nc").exists()


def test_a_deck_can_be_built_without_a_file(folder: Path) -> None:
    table = Correlations(
        clusters="clusters.csv", photon_fields="fields.csv", luminosities="sources.csv"
    )
    built = ClustersDeck(model="clusters", analysis="correlations", correlations=table)
    found = crtransport.run(built, {"correlations.permutations": 200}, data=folder)
    assert list(found.observable) == ["encounter_rate", "u_total", "u_mw", "metallicity"]
