"""Tables with units, catalogues as they come, and the paper's own: made here with astropy."""

import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("astropy", reason="FITS and ECSV need astropy: the extra clusters")

from astropy import units as u
from astropy.io import fits
from astropy.table import MaskedColumn, Table

from crtransport.clusters.bands import read_bands
from crtransport.clusters.catalogue import read_catalogue
from crtransport.clusters.fluxes import read_luminosities
from crtransport.clusters.names import normalised, positions
from crtransport.clusters.sample import read_sample
from crtransport.clusters.tables import locate, read_table
from crtransport.measurements import MeasurementError, data_folder

EDGES = [50.0, 100.0, 300.0, 1000.0]
NAMES = ["NGC 104", "3C 279", "M 62", "Terzan 5", ""]
CLASSES = ["glc  ", "FSRQ", "GLC", "glc", ""]
FLUX = np.array([2.6e-11, 1e-10, 1.8e-11, 7.7e-11, 1e-12])
KPC = 3.0856775814913673e21


def fermi_file(path: Path, without: str = "", edges: int = 4, flux_unit: str = "") -> Path:
    """A file in the layout of 4FGL: sources, parts of the data of each band."""
    sources = Table()
    sources["Source_Name"] = [f"4FGL J{i}" for i in range(5)]
    sources["Signif_Avg"] = np.array([77.6, 99.0, 33.8, 58.3, 5.0], dtype="f4")
    sources["Energy_Flux100"] = (FLUX * u.Unit("erg cm-2 s-1")).to(flux_unit or "erg cm-2 s-1")
    sources["Unc_Energy_Flux100"] = 0.05 * sources["Energy_Flux100"]
    flux = FLUX[:, None] * [1e3, 300.0, 100.0]
    low = np.where(np.arange(3) == 0, np.nan, -0.1 * flux)
    sources["Flux_Band"] = flux * u.Unit("ph cm-2 s-1")
    sources["Unc_Flux_Band"] = np.stack([low, 0.2 * flux], axis=-1).reshape(5, 6)
    sources["Unc_Flux_Band"].unit = "ph cm-2 s-1"
    sources["CLASS1"], sources["ASSOC1"] = CLASSES, NAMES
    if without:
        sources.remove_column(without)
    low_edges, high_edges = [50.0, 100.0, 100.0, 300.0][:edges], [100.0, 300.0, 300.0, 1000.0]
    bounds = Table({"LowerEnergy": low_edges, "UpperEnergy": high_edges[:edges]})
    for name in bounds.colnames:
        bounds[name].unit = "MeV"
    tables = [fits.table_to_hdu(table) for table in (sources, bounds)]
    tables[0].name, tables[1].name = "LAT_Point_Source_Catalog", "EnergyBounds"
    fits.HDUList([fits.PrimaryHDU(), *tables]).writeto(path)
    return path


def test_a_catalogue_of_fermi_as_it_comes(tmp_path: Path) -> None:
    """Its globular clusters, identified ones too, and nothing else; the bands of its own table."""
    path = fermi_file(tmp_path / "gll_psc_v99.fit")
    found = read_luminosities(path)
    assert found.names == ["NGC 104", "M 62", "Terzan 5"]
    assert found.flux == pytest.approx(FLUX[[0, 2, 3]])
    assert found.at_threshold == pytest.approx(FLUX[[0, 2, 3]] * 4.1 / [77.6, 33.8, 58.3])
    bands = read_bands(path)
    assert bands.names == ["M 62", "NGC 104", "Terzan 5"]
    assert bands.bands.low[1] == pytest.approx(EDGES[:-1])
    assert bands.bands.high[1] == pytest.approx(EDGES[1:])
    assert bands.bands.flux[1] == pytest.approx(2.6e-11 * np.array([1e3, 300, 100]))
    assert bands.bands.limit.all(axis=0).tolist() == [True, False, False]
    assert bands.bands.sigma[1, 1] == pytest.approx(0.15 * 2.6e-11 * 300)
    assert bands.bands.level[1, 0] == pytest.approx(1.4 * 2.6e-11 * 1e3)


def test_units_of_the_file_count(tmp_path: Path) -> None:
    path = fermi_file(tmp_path / "watts.fit", flux_unit="W m-2")
    assert read_luminosities(path).flux == pytest.approx(FLUX[[0, 2, 3]])
    wrong = Table.read(path, hdu=1)
    wrong["Energy_Flux100"].unit = "W m-3"
    wrong.write(tmp_path / "wrong.fit", format="fits")
    with pytest.raises(MeasurementError, match=r"column Energy_Flux100: its unit is W / m3, must"):
        read_luminosities(tmp_path / "wrong.fit")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"without": "CLASS1"}, "missing column CLASS1"),
        ({"without": "Flux_Band"}, "missing column Flux_Band; fluxes in bands are in one column"),
        ({"without": "Unc_Flux_Band"}, "missing column Unc_Flux_Band"),
        ({"edges": 3}, "2 bands in EnergyBounds, 3 in Flux_Band"),
    ],
)
def test_a_catalogue_that_is_no_such_is_refused(
    tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    path = fermi_file(tmp_path / "own.fit", **change)
    with pytest.raises(MeasurementError, match=rf"own\.fit: {message}"):
        read_bands(path)


def test_a_wrong_number_is_told_by_its_row_in_the_file(tmp_path: Path) -> None:
    path = fermi_file(tmp_path / "own.fit")
    with fits.open(path, mode="update") as file:
        file[1].data["Energy_Flux100"][2] = -1e-11
        file[1].data["Unc_Flux_Band"][3, 2] = 1e-9
    with pytest.raises(
        MeasurementError, match=r"own\.fit, row 3, column Energy_Flux100: -1e-11 is"
    ):
        read_luminosities(path)
    with pytest.raises(MeasurementError, match=r"own\.fit, row 4, column err_lo: 1e-09; in this"):
        read_bands(path)
    with fits.open(path, mode="update") as file:
        file[1].data["ASSOC1"][2] = "NGC 104"
    with pytest.raises(MeasurementError, match="'NGC 104' is the cluster of row 1 again"):
        read_luminosities(path)


def clusters_table() -> Table:
    table = Table()
    table["name"] = ["NGC104", "Terzan5", "NGC6266", "NGC288", "Pal1"]
    table["alt_name"] = MaskedColumn(["47Tuc", "", "M62", "", ""], mask=[0, 1, 0, 1, 1])
    table["b_deg"] = np.radians([-44.89, 1.69, 7.3, -89.38, 19.03]) * u.rad
    table["d_sun_kpc"] = [4500.0, 5900.0, 6800.0, 8900.0, 11100.0] * u.pc
    table["fe_h"] = [-0.72, -0.34, -1.18, -1.32, -0.65] * u.dex
    table["m_v"] = [-9.42, -7.42, -9.18, -6.75, -2.52] * u.mag
    table["rh_arcmin"] = MaskedColumn([190.2, 43.2, 55.2, 133.8, 0], mask=[0, 0, 0, 0, 1])
    table["rh_arcmin"].unit = "arcsec"
    table["gamma_integrated"] = [1000, 6800, 1670, 0.766, np.nan]
    return table


def fields_table() -> Table:
    table = Table({"name": ["Pal 1", "NGC 104", "NGC6266", "Ter 5"]})
    table["u_cmb"] = np.full(4, 0.26) * u.eV / u.cm**3
    joule = u.J / u.m**3
    table["u_mw"] = ([0.42, 1.3, 4.4, 5.0] * u.eV / u.cm**3).to(joule)
    return table


@pytest.mark.parametrize("form", ["ascii.ecsv", "fits", "votable"])
def test_units_are_converted(tmp_path: Path, form: str) -> None:
    paths = tmp_path / "clusters", tmp_path / "fields"
    clusters = clusters_table()
    if form != "ascii.ecsv":
        clusters["fe_h"].unit = None  # neither knows dex
    for path, table in zip(paths, (clusters, fields_table()), strict=True):
        table.write(path, format=form)
    found = read_catalogue(*paths)
    assert found.names == ["NGC104", "NGC288", "NGC6266", "Pal1", "Terzan5"]
    assert found.alternatives == ["47Tuc", "", "M62", "", ""]
    assert found.distance == pytest.approx([4.5, 8.9, 6.8, 11.1, 5.9])
    assert found.latitude == pytest.approx([-44.89, -89.38, 7.3, 19.03, 1.69])
    seen = found.observables
    assert seen["u_mw"] == pytest.approx([1.3, np.nan, 4.4, 0.42, 5.0], nan_ok=True)
    assert seen["metallicity"] == pytest.approx([-0.72, -1.32, -1.18, -0.65, -0.34])
    assert np.isnan(seen["u_gc"][3])
    # 47 Tuc within 3.17'
    assert seen["u_gc"][0] == pytest.approx(19.1, rel=0.03)


@pytest.mark.parametrize(
    ("column", "unit", "message"),
    [
        (
            "d_sun_kpc",
            "erg",
            r"clusters\.ecsv, column d_sun_kpc: its unit is erg, must be one .*kpc",
        ),
        ("gamma_integrated", "kpc", r"column gamma_integrated: its unit is kpc, must be none"),
        ("d_sun_kpc", "parsecs", r"column d_sun_kpc: its unit is parsecs, must be one like kpc"),
    ],
)
def test_units_of_another_dimension_are_refused(
    tmp_path: Path, column: str, unit: str, message: str
) -> None:
    fields_table().write(tmp_path / "fields.ecsv", format="ascii.ecsv")
    table = clusters_table()
    table[column].unit = u.Unit(unit, parse_strict="silent")
    table.write(tmp_path / "clusters.ecsv", format="ascii.ecsv")
    with pytest.raises(MeasurementError, match=message):
        read_catalogue(tmp_path / "clusters.ecsv", tmp_path / "fields.ecsv")


def test_gaps_and_words_where_numbers_must_be(tmp_path: Path) -> None:
    fields_table().write(tmp_path / "fields.ecsv", format="ascii.ecsv")
    table = clusters_table()
    table["d_sun_kpc"][2] = np.nan
    table.write(tmp_path / "gap.ecsv", format="ascii.ecsv")
    with pytest.raises(MeasurementError, match=r"gap\.ecsv, row 3, column d_sun_kpc: nan is no"):
        read_catalogue(tmp_path / "gap.ecsv", tmp_path / "fields.ecsv")
    table["d_sun_kpc"] = ["near"] * 5
    table.write(tmp_path / "words.ecsv", format="ascii.ecsv")
    with pytest.raises(MeasurementError, match=r"column d_sun_kpc: has words, must have numbers"):
        read_catalogue(tmp_path / "words.ecsv", tmp_path / "fields.ecsv")
    table.remove_column("fe_h")
    table.write(tmp_path / "less.ecsv", format="ascii.ecsv")
    with pytest.raises(MeasurementError, match=r"less\.ecsv: missing column fe_h"):
        read_catalogue(tmp_path / "less.ecsv", tmp_path / "fields.ecsv")


def test_files_that_are_broken(tmp_path: Path) -> None:
    for name, text in (("a.fits", "SIMPLE  =  no"), ("b.ecsv", "# %ECSV 1.0\n# ---\n# {\nx\n1\n")):
        (tmp_path / name).write_text(text)
        with pytest.raises(MeasurementError, match=rf"{name} cannot be read: "):
            read_bands(tmp_path / name)


def paper(folder: Path, log: bool = False, **columns: Any) -> Path:
    """The tables of detections and limits, after the rules of VizieR."""
    folder.mkdir(parents=True)
    found = Table({"Name": ["NGC 104", "Ter 5", "M 62"]})
    found["Lgamma"] = [63.0, 260.0, 100.0] * u.Unit("1e26 W")
    found["e_Lgamma"] = [1.0, 10.0, 6.0] * u.Unit("1e26 W")
    found["Lstar"] = [5e5, 8e4, 4e5] * u.L_sun
    if log:
        found["Lgamma"] = np.log10(found["Lgamma"].value) + 33
        found["Lgamma"].unit = u.dex(u.erg / u.s)
    for name, column in columns.items():
        found[name] = column
    found.write(folder / "tablea1.ecsv", format="ascii.ecsv")
    limits = Table({"Name": ["NGC 288", "Pal 1"]})
    limits["l_Lgamma"] = ["<", "<"]
    limits["Lgamma"] = [1e27, 2e27] * u.W
    limits.write(folder / "tablea2.ecsv", format="ascii.ecsv")
    Table({"Name": ["NGC 104"], "FeH": [-0.7]}).write(folder / "tableb.ecsv", format="ascii.ecsv")
    return folder


@pytest.mark.parametrize("log", [False, True])
def test_the_paper_as_vizier_has_it(tmp_path: Path, log: bool) -> None:
    folder = paper(tmp_path / "J_MNRAS_507_5161", log)
    found = read_luminosities(folder)
    assert found.names == ["NGC 104", "Ter 5", "M 62", "NGC 288", "Pal 1"]
    assert found.luminosity == pytest.approx([6.3e34, 2.6e35, 1.0e35, 1e34, 2e34])
    assert list(found.limit) == [False, False, False, True, True]
    clusters_table().write(tmp_path / "c.ecsv", format="ascii.ecsv")
    fields_table().write(tmp_path / "f.ecsv", format="ascii.ecsv")
    catalogue = read_catalogue(tmp_path / "c.ecsv", tmp_path / "f.ecsv")
    if not log:
        # two limits are too few for the law of thresholds
        with pytest.raises(MeasurementError, match=r"2 rows tell from which flux"):
            read_sample(folder, catalogue)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"LX": [1, 2, 3] * u.W}, "columns Lgamma, LX are luminosities all"),
        ({"l_Lgamma": ["", ">", ""]}, "row 2, column l_Lgamma: is '>', must be '<'"),
        ({"Lgamma": [1.0, -2.0, 3.0] * u.W}, "row 2, column Lgamma: -2e.07 erg/s is not above"),
    ],
)
def test_a_catalogue_of_vizier_that_cannot_be_read(
    tmp_path: Path, columns: dict[str, Any], message: str
) -> None:
    folder = paper(tmp_path / "song", **columns)
    with pytest.raises(MeasurementError, match=rf"tablea1\.ecsv.*{message}"):
        read_luminosities(folder)


def test_a_table_of_limits_alone_says_so_in_words(tmp_path: Path) -> None:
    table = Table({"GC": ["NGC 288"], "L": [1e27] * u.W})
    table["L"].description = "95 per cent upper limit of the luminosity"
    table.write(tmp_path / "t.ecsv", format="ascii.ecsv")
    assert list(read_luminosities(tmp_path).limit) == [True]
    (tmp_path / "t.ecsv").unlink()
    with pytest.raises(MeasurementError, match=r"no table with a column of names and .*\.ecsv"):
        read_luminosities(tmp_path)


def test_files_of_fermipy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert locate(tmp_path, "a/b.csv") == tmp_path / "a" / "b.csv"
    assert locate(tmp_path, "/x/y.fit") == Path("/x/y.fit")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MeasurementError, match=r"fermipy, which ships gll_psc_v20\.fit, is not"):
        locate(tmp_path, "fermipy:gll_psc_v20.fit")


@pytest.mark.parametrize(
    ("version", "text"),
    [("v20", "4fgl_dr1_8yr"), ("v35", "4fgl_dr4_14yr")],
)
def test_the_files_of_fermipy_are_those_of_the_data_folder(version: str, text: str) -> None:
    """To the six digits of the text."""
    folder = data_folder()
    if folder is None or not (folder / "gc-4fgl").is_dir():
        pytest.skip("no tables of clusters: set CRTRANSPORT_DATA to a data folder")
    if importlib.util.find_spec("fermipy") is None:
        pytest.skip("the package fermipy is not installed")
    file = locate(folder, f"fermipy:gll_psc_{version}.fit")
    catalogue = read_catalogue(
        folder / "gc-harris-bahramian/clusters.csv", folder / "gc-photon-fields/u_mw.csv"
    )
    one, other = (
        read_sample(path, catalogue) for path in (file, folder / f"gc-4fgl/{text}_sources.csv")
    )
    assert one.unmatched == other.unmatched == []
    assert np.array_equal(one.limit, other.limit)
    assert one.luminosity == pytest.approx(other.luminosity, rel=1e-5)
    tables = [read_bands(path) for path in (file, folder / f"gc-4fgl/{text}_bands.csv")]
    orders = [
        np.argsort(positions(t.names, catalogue.names, catalogue.alternatives)) for t in tables
    ]
    for name in ("low", "high", "flux", "sigma", "level"):
        a, b = (getattr(t.bands, name)[o] for t, o in zip(tables, orders, strict=True))
        assert a == pytest.approx(b, rel=1e-5, abs=1e-17)


def test_without_astropy_there_is_a_hint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = fermi_file(tmp_path / "own.fit")
    monkeypatch.setitem(sys.modules, "astropy.table", None)
    with pytest.raises(
        MeasurementError, match=r"astropy.*\n  install it: .*crtransport\[clusters\]"
    ):
        read_bands(path)


def test_text_needs_no_astropy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "astropy.table", None)
    (tmp_path / "t.csv").write_text("name,x\na,1\n")
    rows = read_table(tmp_path / "t.csv", numbers=["x"], units={"x": "kpc"}, texts=["name"])
    assert list(rows.column("x")) == [1.0]


def test_names_of_fermi_are_those_of_harris() -> None:
    for one, other in (
        ("GLIMPSE C01", "GLIMPSE01"),
        ("NGC0104", "NGC 104"),
        ("Omega Cen", "omegaCen"),
        ("omega Centauri", "Omega Cen"),
        ("47 Tucanae", "47 Tuc"),
        ("Djorgovski 2", "Djorg2"),
    ):
        assert normalised(one) == normalised(other)
