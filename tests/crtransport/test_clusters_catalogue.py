"""Tables of clusters: joined by name, whatever the order of rows, and refused in words."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from crtransport.clusters.bands import BandTable, read_bands
from crtransport.clusters.catalogue import Catalogue, photon_density, read_catalogue
from crtransport.clusters.names import normalised, positions
from crtransport.clusters.sample import Sample, law_flux, read_sample
from crtransport.measurements import MeasurementError, data_folder

CLUSTERS = """# made up
name,alt_name,b_deg,d_sun_kpc,fe_h,m_v,rh_arcmin,gamma_integrated
NGC104,47Tuc,-44.89,4.5,-0.72,-9.42,3.17,1000
Terzan5,Terzan11,1.69,5.9,-0.34,-7.42,0.72,6800
NGC288,,-89.38,8.9,-1.32,-6.75,2.23,0.766
Pal1,,19.03,11.1,-0.65,-2.52,0.46,
GLIMPSE02,,-0.6,5.5,-0.33,,,
NGC6266,M62,7.3,6.8,-1.18,-9.18,0.92,1670
"""
FIELDS = """name,u_cmb,u_mw
NGC104,0.26,1.3
Terzan5,0.26,5.0
NGC288,0.26,
GLIMPSE02,0.26,4.0
NGC6266,0.26,4.4
Pal 1,0.26,0.42
"""
SOURCES = """harris_name,Energy_Flux100,Unc_Energy_Flux100,Signif_Avg
NGC 104,2.6e-11,8e-13,77.6
Terzan 5,7.7e-11,1e-12,58.3
M62,1.8e-11,1e-12,33.8
"""
LUMINOSITIES = """name,luminosity,error,limit,level
47 Tuc,6.3e34,1e33,,
Ter 5,2.6e35,1e34,,
M 62,1.0e35,6e33,,
NGC 288,,,1e34,0.95
Pal 1,,,2e34,0.95
Glimpse 02,,,5e34,0.95
"""
BANDS = """harris_name,e_lo_MeV,e_hi_MeV,flux,err_lo,err_hi
NGC104,50,300,1e-8,,1e-8
NGC104,300,1000,8.6e-9,-3e-10,4e-10
NGC104,1000,10000,3.6e-9,-1e-10,1e-10
M62,300,1000,6e-9,-5e-10,5e-10
M62,1000,10000,2e-9,,1e-9
"""
OWN_BANDS = """name,e_lo_MeV,e_hi_MeV,flux,error,limit,level
NGC104,300,1000,8.6e-9,3e-10,,
NGC104,1000,10000,,,3.29e-9,0.95
"""


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / f"{name}.csv"
    path.write_text(text)
    return path


def reversed_rows(text: str) -> str:
    head = [line for line in text.splitlines() if line.startswith("#")]
    names, *rows = [line for line in text.splitlines() if not line.startswith("#")]
    return "\n".join([*head, names, *reversed(rows)]) + "\n"


def everything(
    folder: Path, change: Callable[[str], str] = str, table: str = SOURCES, factor: float = 1.0
) -> tuple[Catalogue, Sample, BandTable]:
    clusters, fields, sources, bands = (
        written(folder, name, change(text))
        for name, text in (
            ("clusters", CLUSTERS), ("fields", FIELDS), ("sources", table), ("bands", BANDS)
        )
    )  # fmt: skip
    catalogue = read_catalogue(clusters, fields)
    return catalogue, read_sample(sources, catalogue, factor), read_bands(bands)


def test_names_in_any_spelling() -> None:
    for one, other in (
        ("NGC 104", "NGC_104"),
        ("Terzan5", "Ter 5"),
        ("Palomar 1", "Pal1"),
        ("2MASS-GC01", "2MS-GC01"),
        ("GLIMPSE02", "Glimpse-2"),
        ("Omega Cen", "omegaCen"),
    ):
        assert normalised(one) == normalised(other)
    assert normalised("NGC 104") != normalised("NGC 1040")
    assert normalised("NGC 6304") != normalised("NGC 634")


def test_other_names_never_hide_a_name() -> None:
    """Terzan 11 is another name of Terzan 5, unless the table has a Terzan 11."""
    assert list(positions(["Ter 11"], ["Terzan5"], ["Terzan11"])) == [0]
    assert list(positions(["Ter 11"], ["Terzan5", "Terzan11"], ["Terzan11", ""])) == [1]
    assert list(positions(["M 1"], ["Terzan5"], [""])) == [-1]


def test_photon_density_at_the_half_light_radius() -> None:
    """47 Tuc: 5e5 suns within 4.15 pc give 1.9e39 erg/s / (4π c (1.28e19 cm)²) = 19 eV cm⁻³."""
    cm = 4.15e-3 * 3.0856775814913673e21
    expected = 5e5 * 3.828e33 / (4 * np.pi * 2.99792458e10 * cm**2) / 1.602176634e-12
    assert photon_density(5e5, 4.15e-3) == pytest.approx(expected, rel=1e-12)
    assert expected == pytest.approx(19.4, rel=0.02)


def test_tables_are_joined(tmp_path: Path) -> None:
    catalogue, sample, _ = everything(tmp_path)
    assert catalogue.names == ["GLIMPSE02", "NGC104", "NGC288", "NGC6266", "Pal1", "Terzan5"]
    assert catalogue.unmatched == sample.unmatched == []
    assert catalogue.outside == ["NGC288"]
    seen = catalogue.observables
    assert seen["encounter_rate"][1] == 1000
    assert np.isnan(seen["encounter_rate"][4])
    assert seen["u_total"][1] == pytest.approx(seen["u_gc"][1] + 1.3)
    assert seen["u_total"][2] == pytest.approx(seen["u_gc"][2] + 0.26)
    assert np.isnan(seen["u_total"][0])
    assert list(sample.limit) == [True, False, True, False, True, False]
    assert list(sample.listed) == list(~sample.limit)
    area = 4 * np.pi * (4.5 * 3.0856775814913673e21) ** 2
    assert sample.luminosity[1] == pytest.approx(2.6e-11 * area)


def test_order_of_rows_does_not_matter(tmp_path: Path) -> None:
    for table in (SOURCES, LUMINOSITIES):
        one, other = everything(tmp_path, table=table), everything(tmp_path, reversed_rows, table)
        assert one[0].names == other[0].names
        for a, b in (
            (one[0].observables["u_total"], other[0].observables["u_total"]),
            (one[1].luminosity, other[1].luminosity),
            (one[1].threshold, other[1].threshold),
            (one[2].bands.flux, other[2].bands.flux),
            (one[2].bands.used, other[2].bands.used),
        ):
            assert np.allclose(a, b, rtol=1e-12, atol=0, equal_nan=True)
        assert one[2].names == other[2].names


def test_thresholds_follow_latitude_and_factor(tmp_path: Path) -> None:
    _, sample, _ = everything(tmp_path)
    _, doubled, _ = everything(tmp_path, factor=2.0)
    assert doubled.threshold == pytest.approx(2 * sample.threshold)
    limit = sample.limit
    assert doubled.luminosity[limit] == pytest.approx(2 * sample.luminosity[limit])
    assert doubled.luminosity[~limit] == pytest.approx(sample.luminosity[~limit])
    # a line through the sources' own thresholds, F × 4.1/S
    rows = np.array([[44.89, 2.6e-11, 77.6], [1.69, 7.7e-11, 58.3], [7.3, 1.8e-11, 33.8]])
    height = np.log10(np.sin(np.radians(rows[:, 0])) + np.sin(np.radians(1)))
    slope, zero = np.polyfit(height, np.log10(rows[:, 1] * 4.1 / rows[:, 2]), 1)
    assert sample.law == pytest.approx([zero, slope])
    assert law_flux(sample.law, np.array([89.9])) < law_flux(sample.law, np.array([0.1]))
    assert np.all(sample.luminosity[limit] == sample.threshold[limit])


def test_own_limits_are_kept(tmp_path: Path) -> None:
    catalogue, sample, _ = everything(tmp_path, table=LUMINOSITIES)
    assert list(sample.limit) == [True, False, True, False, True, False]
    assert list(sample.luminosity[[0, 2, 4]]) == [5e34, 1e34, 2e34]
    assert list(sample.threshold[[0, 2, 4]]) == [5e34, 1e34, 2e34]
    assert sample.luminosity[5] == 2.6e35
    area = 4 * np.pi * (catalogue.distance * 3.0856775814913673e21) ** 2
    law = area * law_flux(sample.law, catalogue.latitude)
    assert sample.threshold[1] == pytest.approx(law[1])


def test_rows_without_a_cluster_are_told(tmp_path: Path) -> None:
    more = SOURCES + "M 99,1e-11,1e-12,9\nAbell 1,1e-11,1e-12,9\n"
    _, sample, _ = everything(tmp_path, table=more)
    assert sample.unmatched == ["sources.csv: Abell 1, M 99"]


def test_bands_of_the_catalogue(tmp_path: Path) -> None:
    *_, table = everything(tmp_path)
    assert table.names == ["M62", "NGC104"]
    assert table.bands.count == 5
    assert list(table.bands.used[0]) == [True, True, False]
    assert list(table.bands.limit[1]) == [True, False, False]
    assert table.bands.sigma[1] == pytest.approx([1e-8, 3.5e-10, 1e-10])
    assert table.bands.level[0, 1] == pytest.approx(4e-9)
    assert table.above(300).count == 4
    assert table.above(50).count == 5


def test_bands_of_ones_own(tmp_path: Path) -> None:
    """A 95 % limit lies 1.645 σ above zero."""
    bands = read_bands(written(tmp_path, "own", OWN_BANDS)).bands
    assert list(bands.limit[0]) == [False, True]
    assert bands.flux[0, 1] == 0
    assert bands.level[0, 1] == 3.29e-9
    assert bands.sigma[0] == pytest.approx([3e-10, 2e-9], rel=1e-3)


def read_all(path: dict[str, Path]) -> None:
    catalogue = read_catalogue(path["clusters"], path["fields"])
    for name in ("sources", "luminosities"):
        read_sample(path[name], catalogue)
    for name in ("bands", "own"):
        read_bands(path[name])


@pytest.mark.parametrize(
    ("which", "change", "message"),
    [
        ("sources", ("NGC 104,2.6e-11", "NGC 104,nan"), r"line 2, column Energy_Flux100: 'nan'"),
        ("sources", ("8e-13", "-8e-13"), r"line 2, column Unc_Energy_Flux100: -8e-13 is negative"),
        ("sources", ("Terzan 5", "NGC104"), r"line 3, column harris_name: 'NGC104' is the cluster"),
        ("sources", ("Terzan 5", "47 Tuc"), r"NGC 104 and 47 Tuc are both NGC104"),
        ("sources", ("77.6", "0"), r"line 2, column Signif_Avg: 0 is not above zero"),
        ("sources", ("Terzan 5", " "), r"line 3, column harris_name: no name"),
        ("sources", ("Signif_Avg", "TS"), r"sources.csv: missing column Signif_Avg"),
        ("luminosities", (",1e33", ",-1e33"), r"line 2, column error: -1e\+33; an error above"),
        ("luminosities", (",1e33", ","), r"line 2, column error: no error"),
        ("luminosities", ("1e34,0.95", "1e34,"), r"line 5, column level: a limit with no level"),
        ("luminosities", ("1e34,0.95", "1e34,95"), r"line 5, column level: .* level of 95"),
        ("luminosities", ("1e34,0.95", "1e34,0.9"), r"line 5, column level: a limit at 0.9 beside"),
        ("luminosities", (",,1e34,0.95", ",,,"), r"line 5, column luminosity: neither"),
        ("luminosities", (",1e33,,", ",1e33,1e34,0.9"), r"line 2, column luminosity: both"),
        ("luminosities", ("6.3e34", "0"), r"line 2, column luminosity: 0 is not above zero"),
        ("luminosities", ("1e34,0.95", "-1,0.95"), r"line 5, column limit: -1 is not above"),
        ("clusters", ("NGC288,", "NGC 104,"), r"line 5, column name: 'NGC 104' is the .* line 3"),
        ("clusters", (",4.5,", ",0,"), r"line 3, column d_sun_kpc: a distance must be above"),
        ("clusters", (",3.17,", ",-3.17,"), r"line 3, column rh_arcmin: must be above zero"),
        ("clusters", ("-0.72", "low"), r"line 3, column fe_h: 'low' is no number"),
        ("clusters", ("gamma_integrated", "rate"), r"missing column gamma_integrated"),
        ("fields", ("name,", "cluster,"), r"missing column name"),
        ("clusters", (",1000", ",1000,1"), r"line 3: 9 columns where the header has 8"),
        ("fields", ("NGC288", "NGC 104"), r"line 4, column name: 'NGC 104' is the cluster"),
        ("fields", ("0.26,1.3", "0.26,inf"), r"line 2, column u_mw: 'inf' is no number"),
        ("bands", (",1e-10\n", ",-1e-10\n"), r"line 4, column err_hi: -1e-10 is not above"),
        ("bands", ("-5e-10", "5e-10"), r"line 5, column err_lo: 5e-10; in this catalogue"),
        ("bands", ("3.6e-9", "nan"), r"line 4, column flux: no number"),
        ("bands", ("3.6e-9", "bright"), r"line 4, column flux: 'bright' is no number"),
        ("bands", ("harris_name", "cluster"), r"missing column harris_name"),
        ("bands", ("3.6e-9", "-3.6e-9"), r"line 4, column flux: -3.6e-09 is negative"),
        ("bands", ("300,1000,8", "1000,300,8"), r"line 3, column e_hi_MeV: 300 is not above"),
        ("bands", ("M62,1000,10000", "M62,300,1000"), r"line 6, .* energies already, in line 5"),
        ("own", ("3.29e-9,0.95", "3.29e-9,"), r"line 3, column level: a limit with no level"),
        ("own", ("3e-10", "-3e-10"), r"line 2, column error: -3e-10; an error above"),
    ],
)  # fmt: skip
def test_refused_in_words(
    tmp_path: Path, which: str, change: tuple[str, str], message: str
) -> None:
    texts = {
        "clusters": CLUSTERS, "fields": FIELDS, "sources": SOURCES, "bands": BANDS,
        "luminosities": LUMINOSITIES, "own": OWN_BANDS,
    }  # fmt: skip
    assert change[0] in texts[which]
    texts[which] = texts[which].replace(*change, 1)
    path = {name: written(tmp_path, name, text) for name, text in texts.items()}
    with pytest.raises(MeasurementError) as caught:
        read_all(path)
    assert re.search(message, str(caught.value)), str(caught.value)
    assert f"{which}.csv" in str(caught.value)


def test_no_detections(tmp_path: Path) -> None:
    none = "\n".join([LUMINOSITIES.splitlines()[0], *LUMINOSITIES.splitlines()[4:]])
    with pytest.raises(MeasurementError, match=r"sources\.csv: no detection of a cluster of"):
        everything(tmp_path, table=none)
    foreign = SOURCES.splitlines()[0] + "\nM 99,1e-11,1e-12,9\n"
    with pytest.raises(MeasurementError, match=r"sources\.csv: no detection of a cluster of"):
        everything(tmp_path, table=foreign)


def test_all_detections(tmp_path: Path) -> None:
    more = "NGC288,1e-11,1e-12,9\nPal1,1e-11,1e-12,9\nGLIMPSE02,1e-11,1e-12,9\n"
    with pytest.raises(MeasurementError, match="is a detection; without those"):
        everything(tmp_path, table=SOURCES + more)


def test_too_few_for_a_threshold(tmp_path: Path) -> None:
    with pytest.raises(MeasurementError, match=r"2 rows tell from which flux .* needs 3"):
        everything(tmp_path, table="\n".join(SOURCES.splitlines()[:3]))


def test_a_cluster_with_one_band(tmp_path: Path) -> None:
    table = read_bands(written(tmp_path, "bands", BANDS))
    with pytest.raises(MeasurementError, match=r"line 5, .*: M62 has 1 band above 1000 MeV; two"):
        table.above(1000)
    with pytest.raises(MeasurementError, match="M62 has 0 bands above 1e"):
        table.above(1e6)
    lonely = written(tmp_path, "lonely", BANDS.removesuffix("M62,1000,10000,2e-9,,1e-9\n"))
    with pytest.raises(MeasurementError, match=r"lonely\.csv, line 5, .*: M62 has 1 band"):
        read_bands(lonely).above(50)


def test_bands_without_a_detection(tmp_path: Path) -> None:
    text = OWN_BANDS.replace("8.6e-9,3e-10,,", ",,8.6e-9,0.95")
    with pytest.raises(MeasurementError, match=r"own\.csv: no detection in any band above 50 MeV"):
        read_bands(written(tmp_path, "own", text)).above(50)
    read_bands(written(tmp_path, "seen", OWN_BANDS)).above(50)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(MeasurementError, match=r"none\.csv cannot be read"):
        read_bands(tmp_path / "none.csv")


def test_real_tables() -> None:
    """What the READMEs of the data say of themselves."""
    folder = data_folder() or Path(__file__).parents[3] / "shared" / "data"
    if not (folder / "gc-4fgl").is_dir():
        pytest.skip("no tables of clusters: set CRTRANSPORT_DATA to a data folder")
    catalogue = read_catalogue(
        folder / "gc-harris-bahramian/clusters.csv", folder / "gc-photon-fields/u_mw.csv"
    )
    assert (len(catalogue.names), len(catalogue.outside), catalogue.unmatched) == (157, 47, [])
    assert np.sum(np.isfinite(catalogue.observables["encounter_rate"])) == 124
    sample = read_sample(folder / "gc-4fgl/4fgl_dr1_8yr_sources.csv", catalogue)
    assert (np.sum(~sample.limit), sample.unmatched) == (30, [])
    tuc = catalogue.names.index("NGC104")
    assert sample.luminosity[tuc] == pytest.approx(6.334e34, rel=1e-3)
    # fainter sources are seen at high latitude
    assert 4e-13 < law_flux(sample.law, np.array([90.0]))[0] < 2e-12
    assert 5e-12 < law_flux(sample.law, np.array([0.0]))[0] < 2e-11
    bands = read_bands(folder / "gc-4fgl/4fgl_dr1_8yr_bands.csv")
    assert (len(bands.names), bands.above(50).count, bands.above(300).count) == (30, 210, 150)
