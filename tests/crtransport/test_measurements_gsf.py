"""The Global Spline Fit where no measurements are at hand: values, units, what is said of it."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from crtransport.deck.load import load_deck
from crtransport.measurements import gsf, load, per_nucleon
from crtransport.measurements.folders import data_folder
from crtransport.nuclides import ELEMENTS
from crtransport.session import Session

splines = pytest.importorskip("globalsplinefit", reason="needs globalsplinefit: the extra data")

NAMES = ["AMS-02_H_rigidity", "voyager1_He_2016"]
DECK = ("burst_geminga", {"compare.measurements": NAMES})


def test_protons_and_oxygen_at_100_gv_are_those_of_ams() -> None:
    """AMS-02, Phys. Rep. 894 (2021) 1: 0.04009 from 100 to 108 GV, 3.556e-4 from 93 to 108 GV."""
    for element, rigidity, flux in (("H", 103.9, 0.04009), ("O", 100.2, 3.556e-4)):
        curve = gsf.curves([element])[0]
        found = np.exp(np.interp(np.log(rigidity), np.log(curve.x), np.log(curve.y)))
        assert found == pytest.approx(flux, rel=0.05)
        error = np.interp(rigidity, curve.x, curve.error_hi) / found
        assert 0.002 < error < 0.05


def test_all_elements_are_those_of_ams() -> None:
    folder = data_folder()
    if folder is None or not (folder / "cr-kiss").is_dir():
        pytest.skip("no measured tables: set CRTRANSPORT_DATA to a data folder")
    names = ("H", "He", "Li", "Be", "B", "C", "N", "O", "Fe")
    for table, curve in zip(
        load([f"AMS-02_{name}_rigidity" for name in names], folder), gsf.curves(names), strict=True
    ):
        assert (curve.quantity, curve.unit) == (table.quantity, table.unit)
        at = [10.0, 100.0, 500.0]
        one, other = (np.interp(np.log(at), np.log(t.x), np.log(t.y)) for t in (table, curve))
        assert np.exp(other - one) == pytest.approx(np.ones(3), abs=0.1)


def test_flux_per_nucleon_is_that_of_the_package_itself() -> None:
    """By its class over kinetic energy of a nucleus, of which helium has four times as many GeV."""
    of_nuclei = splines.GSFKineticEnergy()
    for element, charge, nucleons in (("He", 2, 4), ("O", 8, 16)):
        spectrum = per_nucleon(gsf.curves([element])[0])
        chosen = (spectrum.kinetic_energy > 5) & (spectrum.kinetic_energy < 1e5)
        energy = spectrum.kinetic_energy[chosen]
        expected = nucleons * of_nuclei.flux(nucleons * energy, charge)
        # it takes the mean weight of an element, we its main isotope
        assert spectrum.flux[chosen] == pytest.approx(expected, rel=4e-3)
        assert spectrum.curve


def test_elements_of_tables_that_are_not_at_hand() -> None:
    names = [
        "AMS-02_H_rigidity",
        "DAMPE_H_kineticEnergy",
        "LHAASO_EPOS-LHC_He_totalEnergy",
        "AMS-02_B_C_rigidity",
        "voyager1_H_2012",
        "AMS-02_pbar_rigidity",
        "nonsense",
    ]
    assert gsf.elements(names) == ["H", "He"]
    at_hand = gsf.curves(["H"])
    assert gsf.elements(names, at_hand) == ["He"]
    assert [curve.quantity for curve in gsf.curves(["C", ELEMENTS[-1]])] == ["C", ELEMENTS[-1]]


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Session:
    """Without a data folder, and with an empty cache."""
    monkeypatch.setattr("crtransport.measurements.folders.cache_folder", lambda: tmp_path / "none")
    (tmp_path / "out").mkdir()
    return Session(folder=tmp_path / "out", plots=True)


def test_a_run_without_data_draws_and_names_it(session: Session) -> None:
    result = session.run("mine", load_deck(*DECK))
    lines = dict(result.headline)
    assert "left out" in lines["measured points"]
    assert lines["drawn instead"].startswith("Global Spline Fit 2")
    assert lines["drawn instead"].endswith("reference curve, no measurements")
    with xr.open_dataset(session.folder / "mine.nc") as dataset:
        assert dataset.reference_curve == lines["drawn instead"]
    assert (session.folder / "mine.png").is_file()


def test_without_the_package_nothing_changes_but_a_hint(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gsf, "installed", lambda: False)
    result = session.run("mine", load_deck(*DECK))
    said = [text for _, text in result.headline]
    assert any('for a reference curve instead: python -m pip install "crtr' in one for one in said)
    assert not any("Global Spline Fit" in one for one in said)
    with xr.open_dataset(session.folder / "mine.nc") as dataset:
        assert "reference_curve" not in dataset.attrs


def test_with_data_or_without_figures_there_is_none(session: Session, tmp_path: Path) -> None:
    plain = Session(folder=session.folder, plots=False)
    assert "drawn instead" not in dict(plain.run("mine", load_deck(*DECK)).headline)
    folder = data_folder()
    if folder is not None and (folder / "cr-kiss").is_dir():
        given = Session(folder=session.folder, plots=True, data=folder)
        assert "drawn instead" not in dict(given.run("mine", load_deck(*DECK)).headline)
