"""Spectra computed by naima: against the closed form without recoil, and in a deck."""

from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from numpy.typing import NDArray
from scipy.special import gamma, zeta

from crtransport.clusters import inverse_compton
from crtransport.clusters.inverse_compton import (
    ELECTRONS,
    T_CMB,
    Field,
    luminosity,
    photon_index,
    read_seeds,
    variables,
)
from crtransport.clusters.model import headline, solve
from crtransport.deck.clusters import ClustersDeck, InverseCompton, Spectra
from crtransport.measurements import MeasurementError
from crtransport.plots.clusters import draw

pytest.importorskip("naima", reason="needs naima: the extra clusters")

Array = NDArray[np.float64]

ENERGY = np.geomspace(50.0, 5e5, 61)  # MeV
CMB = Field("cmb", T_CMB, 0.2606)
STARS = Field("stars", 4500.0, 20.0)


def without_recoil(p: float, field: Field) -> Array:
    """E² dN/dE, erg/s, of (E_e/10 GeV)^−p eV⁻¹: Blumenthal & Gould 1970, RMP 42, 237, Eq. 2.65."""
    hbar_c, r0, k = 1.973269804e-5, 2.8179403262e-13, 8.617333262e-5  # eV cm, cm, eV/K
    mc2, c = 510998.95, 2.99792458e10
    kt = k * field.temperature
    dilution = field.density / (np.pi**2 / 15 * kt**4 / hbar_c**3)
    per_lorentz_factor = mc2 * (10e9 / mc2) ** p
    f = 2 ** (p + 3) * (p * p + 4 * p + 11) * gamma((p + 5) / 2) * zeta((p + 5) / 2)
    f /= (p + 3) ** 2 * (p + 1) * (p + 5)
    e = ENERGY * 1e6
    rate = r0**2 * c / (np.pi * hbar_c**3) * kt ** ((p + 5) / 2) * f * e ** (-(p + 1) / 2)
    return np.asarray(dilution * per_lorentz_factor * rate * e**2 * 1.602176634e-12)


@pytest.mark.parametrize("p", [2.5, 3.2, 4.58])
def test_without_recoil_it_is_the_closed_form(p: float) -> None:
    """The microwave background, below 200 MeV, where recoil takes half a percent; and its slope."""
    found, _ = luminosity(p, [CMB], ENERGY)
    low = ENERGY < 200
    assert found[low] == pytest.approx(without_recoil(p, CMB)[low], rel=0.015)
    assert photon_index(ENERGY, found)[low] == pytest.approx((p + 1) / 2, abs=0.01)


def test_the_closed_form_can_be_missed() -> None:
    """Starlight recoils: nowhere above 50 MeV is it within five percent."""
    found, _ = luminosity(4.15, [STARS], ENERGY)
    ratio = found / without_recoil(4.15, STARS)
    assert np.all(ratio < 0.95)
    assert np.all(np.diff(ratio) < 0)
    slopes = photon_index(ENERGY, found)
    assert np.all(slopes > 2.575)
    assert slopes[30] > 2.8


def test_fields_add_up() -> None:
    both, energy = luminosity(3.0, [CMB, STARS], ENERGY)
    parts = [luminosity(3.0, [field], ENERGY) for field in (CMB, STARS)]
    assert both == pytest.approx(parts[0][0] + parts[1][0])
    assert energy == parts[0][1] == parts[1][1]
    doubled, _ = luminosity(3.0, [STARS._replace(density=40.0)], ENERGY)
    assert doubled == pytest.approx(2 * parts[1][0])


def test_energy_of_the_electrons() -> None:
    """∫ E (E/10 GeV)^−p dE above 1 GeV, in erg; the upper end does not matter for this p."""
    expected = 1e20 * 0.1 ** (2 - 4.0) / (4.0 - 2) * 1.602176634e-12
    assert luminosity(4.0, [CMB], ENERGY)[1] == pytest.approx(expected, rel=1e-4)


def test_ends_of_the_electrons_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    before = luminosity(2.2, [CMB, STARS], ENERGY)[0]
    for ends in ((0.2, 1e6), (0.1, 5e5)):
        assert ends != ELECTRONS
        monkeypatch.setattr(inverse_compton, "ELECTRONS", ends)
        assert luminosity(2.2, [CMB, STARS], ENERGY)[0] == pytest.approx(before, rel=2e-3)


CLUSTERS = """name,alt_name,b_deg,d_sun_kpc,fe_h,m_v,rh_arcmin,gamma_integrated
NGC0,47Tuc,30,4.5,-1,-9,3,1000
NGC1,,40,5,-1,,,100
NGC2,,50,6,-1,-8,1,10
"""
FIELDS = "name,u_opt,u_ir,u_cmb,u_mw\nNGC 0,0.8,0.2,0.26,1.26\nNGC 1,,,0.26,\n"
DECK = InverseCompton(names=("47 Tuc", "NGC1"), clusters="c.csv", photon_fields="f.csv")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "c.csv").write_text(CLUSTERS)
    (tmp_path / "f.csv").write_text(FIELDS)
    lines = ["name,e_lo_MeV,e_hi_MeV,flux,error,limit,level"]
    for name in ("NGC1", "NGC0"):
        for low in (50, 150, 450, 1350, 4050, 12150):
            flux = 3e-9 * (low / 450) ** -1.6
            lines.append(f"{name},{low},{3 * low},{flux},{0.1 * flux},,")
    (tmp_path / "bands.csv").write_text("\n".join(lines))
    return tmp_path


def test_photons_of_a_cluster(folder: Path) -> None:
    one, other = read_seeds(DECK, folder, ["NGC1", "NGC0"])
    assert (one.cluster, one.distance) == ("NGC0", 4.5)
    assert [f.name for f in one.fields] == ["u_cmb", "u_ir", "u_opt", "u_gc"]
    assert [f.temperature for f in one.fields] == [T_CMB, 30, 3000, 4500]
    assert [f.density for f in one.fields][:3] == [0.26, 0.2, 0.8]
    # neither the Milky Way's fields nor its own light are known: the background alone
    assert other == ("NGC1", 5.0, (Field("u_cmb", T_CMB, 0.26),))


@pytest.mark.parametrize(
    ("name", "message"),
    [("NGC 2", "'NGC 2' has no spectrum"), ("NGC 9", r"'NGC 9' is not in .*c\.csv")],
)
def test_clusters_that_are_not_there(folder: Path, name: str, message: str) -> None:
    deck = InverseCompton(names=(name,), clusters="c.csv", photon_fields="f.csv")
    with pytest.raises(MeasurementError, match=message):
        read_seeds(deck, folder, ["NGC1", "NGC0"])


def result(folder: Path) -> xr.Dataset:
    table = Spectra(bands="bands.csv", E_min=(50.0,), simulations=10, inverse_compton=DECK)
    return solve(ClustersDeck(model="clusters", analysis="spectra", spectra=table), folder)


def test_a_deck_with_computed_spectra(folder: Path) -> None:
    found = result(folder)
    assert list(found.scattering.values) == ["NGC0", "NGC1"]
    log_energy = np.log(found.energy.values)
    for name in ("NGC0", "NGC1"):
        curve = found.scattered_spectrum.sel(scattering=name)
        fitted = found.spectrum.sel(cluster=name, component="inverse-Compton")
        integrals = [np.trapezoid(c, log_energy) for c in (curve, fitted)]
        assert integrals[0] == pytest.approx(integrals[1], rel=1e-9)
    # the microwave background alone needs more electrons than starlight beside it
    energies = found.electron_energy / [4.5**2, 5.0**2]
    assert float(energies[1]) > 5 * float(energies[0])
    told = dict(headline(found))
    assert "erg of electrons above 1 GeV" in told["computed for NGC0"]
    figure = draw(found, [])[""]
    figure.draw_without_rendering()
    assert "the same from photon fields" in [t.get_text() for t in figure.legends[0].get_texts()]


def test_without_naima_it_is_left_out(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inverse_compton, "installed", lambda: False)
    found = result(folder)
    assert "scattering" not in found.coords
    assert 'naima is not installed: python -m pip install "crtransport[clusters]"' in found.remark
    assert not variables(read_seeds(DECK, folder, ["NGC0", "NGC1"]), 3.0, ENERGY, {})


def test_a_cluster_without_the_component(folder: Path) -> None:
    seeds = read_seeds(DECK, folder, ["NGC0", "NGC1"])
    found = variables(seeds, 3.0, ENERGY, dict.fromkeys(("NGC0", "NGC1"), 0 * ENERGY))
    assert np.all(found["scattered_spectrum"][1] == 0)
    assert np.all(found["electron_energy"][1] == 0)
    assert np.all(np.isfinite(found["scattered_index"][1]))


def test_refused_in_words() -> None:
    with pytest.raises(ValueError, match="give at least one cluster"):
        InverseCompton(names=(), clusters="c", photon_fields="f")
    with pytest.raises(ValueError, match="a cluster twice"):
        InverseCompton(names=("a", "a"), clusters="c", photon_fields="f")
