"""Measured tables: read, converted, and refused in words."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from crtransport.deck.load import load_deck
from crtransport.measurements import (
    Measurement,
    MeasurementError,
    data_folder,
    load,
    load_fluxes,
    load_fluxes_and_ratios,
    per_nucleon,
    ratio_parts,
    voyager,
)
from crtransport.measurements.folders import POINTS
from crtransport.nuclides import nuclide

GOOD = """# Some One (A) He vs rigidity
# reference: somewhere
# y: flux [m-2 s-1 sr-1 GV-1]; x: rigidity_GV
x,x_lo,x_hi,y,stat_lo,stat_hi,sys_lo,sys_hi
10,,,2,0.3,0.6,0.4,0.8
20,,,1,0,0,0,0
"""


def folder_with(tmp_path: Path, text: str, name: str = "one_He_rigidity") -> Path:
    (tmp_path / POINTS).mkdir(parents=True)
    (tmp_path / POINTS / f"{name}.csv").write_text(text)
    return tmp_path


def real_data() -> Path:
    """CRTRANSPORT_DATA, or a data folder shared beside the checkout."""
    beside = Path(__file__).parents[3] / "shared" / "data"
    folder = data_folder() or beside
    if not (folder / POINTS).is_dir():
        pytest.skip("no measured tables: set CRTRANSPORT_DATA to a data folder")
    return folder


def test_a_table_is_read_with_its_header(tmp_path: Path) -> None:
    (table,) = load(["one_He_rigidity"], folder_with(tmp_path, GOOD))
    assert (table.experiment, table.quantity) == ("Some One (A)", "He")
    assert (table.x_kind, table.unit) == ("rigidity_GV", "m-2 s-1 sr-1 GV-1")
    assert table.reference == "somewhere"
    assert table.error_lo == pytest.approx([0.5, 0])
    assert table.error_hi == pytest.approx([1.0, 0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("10,,,2", "10,,,two"), r"line 5, column y: 'two' is no number"),
        (("20,,,1", "nan,,,1"), r"line 6, column x: 'nan' is no number"),
        (("stat_lo,", ""), "missing column stat_lo"),
        (("0,0,0,0", "0,0"), "line 6: 6 columns where the header has 8"),
        (("# reference", "# referee"), "no comment line of the form"),
        (("; x: rigidity_GV", ""), "no comment line of the form"),
    ],
)
def test_bad_tables_are_refused(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    text = GOOD.replace(*change)
    assert text != GOOD
    with pytest.raises(MeasurementError, match=message):
        load(["one_He_rigidity"], folder_with(tmp_path, text))


@pytest.mark.parametrize("text", ["", "# nothing\n", GOOD.partition("10,")[0]])
def test_empty_tables_are_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(MeasurementError):
        load(["one_He_rigidity"], folder_with(tmp_path, text))


def test_missing_folder_and_missing_table(tmp_path: Path) -> None:
    with pytest.raises(MeasurementError, match="no such folder"):
        load(["x"], tmp_path / "nowhere")
    with pytest.raises(MeasurementError, match="there is no folder"):
        load(["x"], tmp_path)
    folder = folder_with(tmp_path, GOOD)
    with pytest.raises(MeasurementError, match="nearest: one_He_rigidity"):
        load(["One_H_rigidity"], folder)
    (tmp_path / "secret.csv").write_text(GOOD)
    with pytest.raises(MeasurementError, match="there is no table"):
        load(["../../secret"], folder)


def test_data_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("CRTRANSPORT_DATA", raising=False)
    assert data_folder(None) is None
    monkeypatch.setenv("CRTRANSPORT_DATA", str(tmp_path))
    assert data_folder(None) == tmp_path
    assert data_folder("other") == Path("other")


def table(x_kind: str, unit: str, x: list[float], y: list[float]) -> Measurement:
    zero = np.zeros(len(x))
    errors = dict.fromkeys(("stat_lo", "stat_hi", "sys_lo", "sys_hi"), zero)
    return Measurement(
        name="t",
        experiment="T",
        quantity="He",
        reference="",
        x_kind=x_kind,
        unit=unit,
        x=np.array(x),
        y=np.array(y),
        **errors,
    )


@pytest.mark.parametrize(
    ("x_kind", "unit"),
    [
        ("rigidity_GV", "m-2 s-1 sr-1 GV-1"),
        ("kinetic_energy_GeV", "m-2 s-1 sr-1 GeV-1"),
        ("total_energy_GeV", "m-2 s-1 sr-1 GeV-1"),
        ("kinetic_energy_per_nucleon_GeV", "m-2 s-1 sr-1 (GeV/n)-1"),
    ],
)
def test_a_bin_holds_the_same_particles_on_every_axis(x_kind: str, unit: str) -> None:
    """Φ dx over a narrow bin is what stays."""
    helium = nuclide("He")
    ends = np.array([2.0, 2.0 * (1 + 1e-6)])
    on_axis = {
        "rigidity_GV": helium.rigidity(ends),
        "kinetic_energy_GeV": 4 * ends,
        "total_energy_GeV": 4 * ends + helium.mass,
        "kinetic_energy_per_nucleon_GeV": ends,
    }[x_kind]
    middle = float(on_axis.mean())
    spectrum = per_nucleon(table(x_kind, unit, [middle], [3.0]))
    assert spectrum.kinetic_energy == pytest.approx(ends.mean(), rel=1e-11)
    assert spectrum.flux * np.diff(ends) == pytest.approx(3.0 * np.diff(on_axis), rel=1e-8)


def test_what_has_no_energy_per_nucleon_is_refused() -> None:
    good = table("total_energy_GeV", "m-2 s-1 sr-1 GeV-1", [10.0], [1.0])
    for change, message in (
        ({"quantity": "allParticle"}, "no element"),
        ({"unit": "1"}, "no flux"),
        ({"x": np.array([1.0])}, "below the rest energy"),
    ):
        with pytest.raises(MeasurementError, match=message):
            per_nucleon(replace(good, **change))


def test_real_tables_agree_with_each_other() -> None:
    """E^2.7 Φ of protons at 1 TeV from three experiments on two axes."""
    names = ["AMS-02_H_rigidity", "DAMPE_H_kineticEnergy", "CALET_H_kineticEnergy"]
    found = []
    for measured in load(names, real_data()):
        s = per_nucleon(measured)
        scaled = s.kinetic_energy**2.7 * s.flux
        found.append(np.interp(np.log(1e3), np.log(s.kinetic_energy), scaled))
    assert found == pytest.approx([1.03e4, 1.04e4, 0.96e4], rel=0.02)


def test_every_table_of_the_data_folder_can_be_read() -> None:
    folder = real_data()
    names = [path.stem for path in (folder / POINTS).glob("*.csv")]
    names += voyager.names(folder)
    assert len(load(names, folder)) == len(names)


def test_voyager_in_the_data_folder() -> None:
    """B/C near 70 MeV/n is 0.14; every element of the nuclei has a table."""
    folder = real_data()
    if not (folder / voyager.FOLDER).is_dir():
        pytest.skip("no tables of Voyager in the data folder")
    boron, carbon = load(["voyager1_B_2016", "voyager1_C_2016"], folder)
    at = [np.interp(0.07, *np.sort([t.x, t.y])) for t in (boron, carbon)]
    assert at[0] / at[1] == pytest.approx(0.14, rel=0.1)
    assert {"voyager1_H_2012", "voyager1_He_2016", "voyager1_Fe_2016"} <= set(voyager.names(folder))


@pytest.mark.parametrize("name", ["galaxy_boron", "galaxy_protons"])
def test_the_tables_of_the_galaxy_decks_exist(name: str) -> None:
    names = load_deck(name).compare.measurements
    assert len(load_fluxes_and_ratios(names, real_data())) == len(names)


def test_the_tables_of_the_shipped_deck_exist() -> None:
    deck = load_deck("burst_geminga")
    assert {per_nucleon(t).element for t in load(deck.compare.measurements, real_data())} == {
        "H",
        "He",
    }


def test_only_fluxes_can_be_asked_for(tmp_path: Path) -> None:
    ratio = GOOD.replace(" He vs", " B_C vs").replace("[m-2 s-1 sr-1 GV-1]", "[1]")
    folder = folder_with(tmp_path, ratio)
    assert load(["one_He_rigidity"], folder)[0].quantity == "B_C"
    with pytest.raises(MeasurementError, match="one_He_rigidity is no flux"):
        load_fluxes(["one_He_rigidity"], folder)


def test_ratios_can_be_asked_for(tmp_path: Path) -> None:
    ratio = GOOD.replace(" He vs", " B_C vs").replace("[m-2 s-1 sr-1 GV-1]", "[1]")
    (table,) = load_fluxes_and_ratios(["one_He_rigidity"], folder_with(tmp_path, ratio))
    assert ratio_parts(table) == ("B", "C")
    assert (table.is_flux, table.over_rigidity, table.interstellar) == (False, True, False)
    assert table.label == "Some One (A) B/C"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"quantity": "lnA"}, "no flux of an element and no ratio"),
        ({"quantity": "B_X"}, "no flux of an element and no ratio"),
        ({"unit": "GeV"}, "no flux of an element and no ratio"),
        ({"x_kind": "total_energy_GeV"}, "must be over rigidity_GV or kinetic"),
    ],
)
def test_what_is_no_ratio_is_refused(change: dict[str, str], message: str) -> None:
    good = replace(table("rigidity_GV", "1", [10.0], [0.3]), quantity="B_C")
    with pytest.raises(MeasurementError, match=message):
        ratio_parts(replace(good, **change))


NUCLEI = """# Voyager 1 nuclei (Someone 2016, Journal 1)
Z,e_lo,e_hi,flux,stat,sys,total,counts,telescope
5,0.01,0.04,2,0.3,0.4,0.5,34,1
6,0.01,0.04,20,3,4,5,34,1
6,0.04,0.09,30,3,4,5,34,1
"""
HYDROGEN = """# Voyager 1 H (Someone 2012, Journal 2)
e,flux,err_lo,err_hi
0.01,2000,30,40
"""


def voyager_folder(tmp_path: Path) -> Path:
    (tmp_path / voyager.FOLDER).mkdir()
    (tmp_path / voyager.FOLDER / "voyager1_nuclei_2016.csv").write_text(NUCLEI)
    (tmp_path / voyager.FOLDER / "voyager1_H_2012.csv").write_text(HYDROGEN)
    return tmp_path


def test_voyager_is_interstellar(tmp_path: Path) -> None:
    folder = voyager_folder(tmp_path)
    names = ["voyager1_H_2012", "voyager1_B_2016", "voyager1_C_2016"]
    assert voyager.names(folder) == names
    hydrogen, boron, carbon = load_fluxes(names, folder)
    assert all(t.interstellar and per_nucleon(t).interstellar for t in (hydrogen, boron, carbon))
    assert (hydrogen.label, hydrogen.reference) == ("Voyager 1 H", "Someone 2012, Journal 2")
    assert (hydrogen.error_lo, hydrogen.error_hi) == ([30], [40])
    assert carbon.x == pytest.approx([0.02, 0.06])
    assert carbon.y == pytest.approx([20, 30])
    assert boron.error_hi == pytest.approx([0.5])


@pytest.mark.parametrize("name", ["voyager1_N_2016", "voyager1_B_2017", "voyager1_nuclei_2016"])
def test_what_voyager_has_not_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(MeasurementError, match="nearest: voyager1_"):
        load([name], voyager_folder(tmp_path))
    with pytest.raises(MeasurementError, match="there is no folder"):
        load([name], tmp_path / voyager.FOLDER)
