"""Local sources over the background of a galaxy: what is added, and to what."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from scipy import special
from scipy.interpolate import CubicSpline

import crtransport
from crtransport.deck.errors import DeckError
from crtransport.deck.load import load_deck
from crtransport.deck.schema import resolve
from crtransport.measurements.anisotropy import read_anisotropy
from crtransport.nuclides import nuclide
from crtransport.physics import sky
from crtransport.plots.galaxy import draw
from crtransport.problems import galaxy_dipole, galaxy_local
from crtransport.problems.burst_arrival import arrival
from crtransport.problems.galaxy_answer import Answer
from crtransport.problems.galaxy_transport import transport
from crtransport.validation.galaxy_cases import QUIET
from tests.folders import tables_of

COLUMNS = "energy,amplitude,amplitude_error,phase,phase_error"
SMALL: dict[str, Any] = {
    "momentum.per_decade": 6,
    "output.per_decade": 5,
    "solver.order_r": 3,
    "solver.order_z": 4,
    "solver.elements_r": 3,
}
#: yuan2025_fig3 with hydrogen and helium alone
LIGHT: dict[str, Any] = {
    "network": ["H1", "He4"],
    "output.elements": ["H", "He"],
    "local_source.0.W": {"H": 1e50, "He": 1.8e50},
}
#: yuan2025_fig5 with what its sources emit alone
NO_SECONDARIES: dict[str, Any] = {
    "network": ["H1", "He4"],
    "source.1.abundances": {"H1": 3.5e-16, "He4": 1.4e-16},
}


@cache
def run(name: str) -> xr.Dataset:
    return crtransport.run(name, SMALL)


def test_the_sum_is_that_of_its_parts() -> None:
    found = run("yuan2025_fig4")
    for species, names in (("H", ["H1", "H2"]), ("He", ["He3", "He4"])):
        here = found.sel(species=species)
        isotopes = found.flux_toa.sel(nuclide=names).sum("nuclide")
        parts = here.flux_local.sum("source") + isotopes
        np.testing.assert_allclose(here.flux_sum, parts, rtol=1e-12)


def test_the_errors_of_local_sources_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each by the part of all that arrives; where they are the largest, the run says so."""
    exact = run("yuan2025_fig4")
    assert float(exact.flux_local_rel_error.max()) < 1e-12  # a closed form
    here = {"local_source.0.duration": 1.0, "local_medium": "uniform"}
    found = crtransport.run("yuan2025_fig4", SMALL | here)
    own = found.flux_local_rel_error
    assert 1e-15 < float(own.max()) < 1e-4
    monkeypatch.setattr(galaxy_local, "arrival", worse)
    told = crtransport.run("yuan2025_fig4", SMALL | {"local_medium": "uniform"})
    share = (told.flux_local.sum("source") / told.flux_sum).max()
    assert told.attrs["error_estimate"] == pytest.approx(0.9 * float(share))
    assert told.attrs["error_from"].startswith("local sources")


def worse(*given: Any) -> Any:
    found = arrival(*given)
    return found._replace(error=np.full_like(found.error, 0.9))


def test_classes_add_up_to_the_background() -> None:
    found = crtransport.run("yuan2025_fig5", SMALL | NO_SECONDARIES)
    assert list(found["class"].values) == ["background I", "background II"]
    for species, name in (("H", "H1"), ("He", "He4")):
        classes = found.flux_class.sel(species=species).sum("class")
        np.testing.assert_allclose(classes, found.flux_toa.sel(nuclide=name), rtol=1e-4)


def test_classes_add_up_where_each_nuclide_has_its_own_norm() -> None:
    each = {"T": 100.0, "flux": {"H1": 0.044, "He4": 0.003}}
    found = crtransport.run("yuan2025_fig5", SMALL | NO_SECONDARIES | {"normalisation": each})
    classes = found.flux_class.sum("class")
    for species, name in (("H", "H1"), ("He", "He4")):
        background = found.flux_toa.sel(nuclide=name)
        np.testing.assert_allclose(classes.sel(species=species), background, rtol=1e-4)


def test_local_fluxes_are_those_of_the_burst_model() -> None:
    """Case 1 of the same paper, unmodulated, by its own model."""
    unmodulated = crtransport.run("yuan2025_fig3", SMALL | {"modulation.phi": 0.0})
    alone = crtransport.run("burst_geminga")
    for species in ("H", "He"):
        a = unmodulated.flux_local.sel(species=species, source="Geminga")
        b = alone.flux.sel(species=species, source="Geminga")
        at = np.geomspace(1e2, 1e5, 7)
        found, expected = (
            np.interp(np.log(at), np.log(x.kinetic_energy), np.log(x)) for x in (a, b)
        )
        assert found == pytest.approx(expected, abs=0.02)


def test_over_rigidity_the_sum_is_the_same_flux() -> None:
    found = run("yuan2025_fig3").sel(species="H")
    nucleus = nuclide("H1")
    energy = nucleus.kinetic_energy(found.rigidity.values)
    logs = np.interp(np.log(energy), np.log(found.kinetic_energy), np.log(found.flux_sum))
    expected = np.exp(logs) * nucleus.beta(found.rigidity.values)
    middle = slice(5, -5)
    np.testing.assert_allclose(found.element_flux_sum[middle], expected[middle], rtol=0.05)


def test_the_two_halo_medium_keeps_less() -> None:
    less, more = (
        crtransport.run("yuan2025_fig3", SMALL | LIGHT | {"local_medium": medium}).flux_local.sel(
            species="H", source="Geminga"
        )
        for medium in ("two-halo", "uniform")
    )
    late = {"kinetic_energy": 1e4, "method": "nearest"}
    assert 0.3 < float(less.sel(**late)) / float(more.sel(**late)) < 0.45


def test_the_dipole_is_the_vector_sum() -> None:
    """Geminga lies away from the galactic centre: towards each other they cancel."""
    unmodulated = crtransport.run("yuan2025_fig3", SMALL | {"modulation.phi": 0.0})
    found = unmodulated.sel(species="H", kinetic_energy=slice(1e2, None))
    towards = sky.unit_vector(np.array(195.1), np.array(4.3))
    share = (found.flux_local.sel(source="Geminga") / found.flux_sum).values[:, None]
    vector = share * found.dipole_by_source.values[0][:, None] * towards
    vector += (1 - share) * found.dipole_background.values[:, None] * np.array([1.0, 0.0, 0.0])
    np.testing.assert_allclose(found.dipole, np.linalg.norm(vector, axis=-1), rtol=1e-9)
    assert float(found.dipole_l[-1]) % 360 == pytest.approx(0, abs=0.5)
    assert np.all(np.diff(found.dipole_background) > 0)


def test_the_background_dipole_is_that_of_a_bessel_series() -> None:
    """3 D |∂n/∂r|/(v n) at z = 0, n = Σ qᵢ tanh(ζᵢ H/R)/ζᵢ J₀(ζᵢ r/R) of a thin disk of sources."""
    kpc, c, height, edge, sun, energy = 3.0856775814913673e21, 2.99792458e10, 4.0, 20.0, 8.5, 10.0
    deck = load_deck(
        {
            **QUIET,
            "momentum": {"T_min": 0.1, "T_max": 1e4, "per_decade": 10},
            "output": {"T_min": 1.0, "T_max": 1e2},
            "geometry": {"kind": "cylinder", "z_h": height, "r_h": edge, "r_sun": sun},
            "diffusion": {"kind": "uniform", "D0": 3e28, "delta1": 0.5, "delta2": 0.5, "eta": 0.0},
            "source": [{"abundances": {"H1": 1e-13}, "vertical": {"kind": "thin-disk"}}],
        }
    )
    answer = Answer(deck, transport(deck))
    flux, stream = galaxy_dipole.background(answer, "H", np.array([energy]))
    x, w = np.polynomial.legendre.leggauss(1500)
    r, zeros = edge * (1 + x) / 2, special.jn_zeros(0, 400)
    q = (r / sun) ** 1.25 * np.exp(-3.56 * (r - sun) / sun)  # Trotta et al. 2011
    k = zeros / edge
    modes = (special.j0(np.outer(k, r)) * (r * q * w)).sum(axis=1) / special.j1(zeros) ** 2
    modes *= np.tanh(k * height) / k
    slope = (modes * k * special.j1(k * sun)).sum() / (modes * special.j0(k * sun)).sum() / kpc
    momentum, mass = np.sqrt(energy * (energy + 2 * 0.938272)), 0.938272
    velocity = c * momentum / (energy + mass)
    exact = 3 * 3e28 * (momentum / 4.0) ** 0.5 * slope / velocity
    assert stream[0] / flux[0] == pytest.approx([exact, 0, 0], rel=1e-4)


def test_two_discretisations_have_the_same_background_dipole() -> None:
    cells = {"solver.discretisation": "finite-volume", "solver.cells_r": 40, "solver.cells_z": 30}
    # with the rings of the default gas, cells err by 1.3 % at 40, by 0.4 % at 160 in r
    smooth = {"H2": {"kind": "bronfman1988"}, "HI": {"kind": "gordon1976"}}
    rest = LIGHT | {"momentum.per_decade": 6, "output.per_decade": 5, "gas": smooth}
    tables = resolve(load_deck("yuan2025_fig3", rest))
    tables["solver"] = {"kind": "sweep-gmres", "rtol": 1.0}
    volumes = crtransport.run(tables, cells).dipole_background
    elements = crtransport.run("yuan2025_fig3", rest).dipole_background
    np.testing.assert_allclose(volumes, elements, rtol=0.01)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (("energy,amplitude,phase", "1,1,1"), "missing column amplitude_error"),
        ((COLUMNS, "1e4,far,1e-4,40,5"), "line 2, column amplitude: 'far' is no number"),
        ((COLUMNS, "1e4,1e-3,1e-4,40,5", "0,1e-3,1e-4,40,5"), "line 3, column energy: must be"),
        ((COLUMNS,), "no rows of numbers"),
    ],
)
def test_a_wrong_table_of_dipoles_is_refused(
    tmp_path: Path, lines: tuple[str, ...], message: str
) -> None:
    path = tmp_path / "dipoles.csv"
    path.write_text("\n".join(lines))
    with pytest.raises(DeckError, match=message):
        load_deck("yuan2025_fig3", {"compare.anisotropy": [str(path)]})


def test_the_figure_of_dipoles_draws_what_is_measured(tmp_path: Path) -> None:
    path = tmp_path / "array.csv"
    path.write_text(f"{COLUMNS}\n1e4,8e-4,1e-4,40,5\n4e5,9e-4,1e-4,260,5\n")
    figure = draw(run("yuan2025_fig3"), [read_anisotropy(str(path))])["dipole"]
    legend = figure.legends[0]
    names = [text.get_text() for text in legend.get_texts()]
    assert names == ["background alone", "Geminga alone", "together", "array"]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"local_source": []}, "local_medium has no effect without"),
        ({"local_source.0.name": "background"}, "has the name of a"),
        ({"compare": {"fit_norms": True}}, "fit_norms needs measured fluxes"),
        ({"normalisation": {"flux": {"H1": 1.0}}, "compare.fit_norms": True}, "leave out one"),
        ({"network": ["He4"]}, "local_source emits H, which the network lacks"),
        ({"diffusion": {"kind": "uniform"}}, 'diffusion.kind = "two-halo"'),
        (
            {"local_medium": "two-halo", "local_source.0.distance": 9.0, "local_source.0.b": 80.0},
            "outside the halo",
        ),
    ],
)
def test_wrong_local_sources_are_refused(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(DeckError, match=why):
        load_deck("yuan2025_fig3", changes)


#: deck -> χ² of its header, by table
TOLD = {
    "yuan2025_fig3": {
        "AMS-02_H_rigidity": 62,
        "LHAASO_EPOS-LHC_H_totalEnergy": 155,
        "AMS-02_He_rigidity": 102,
        "DAMPE_He_kineticEnergy": 13,
        "LHAASO_EPOS-LHC_He_totalEnergy": 20,
        "AMS-02_C_rigidity": 14,
        "DAMPE_C_kineticEnergy": 42,
        "AMS-02_O_rigidity": 9,
        "DAMPE_O_kineticEnergy": 18,
        "AMS-02_Fe_rigidity": 38,
        "DAMPE_Fe_kineticEnergy": 19,
    },
    "yuan2025_fig4": {
        "AMS-02_H_rigidity": 241,
        "DAMPE_H_kineticEnergy": 17,
        "LHAASO_EPOS-LHC_H_totalEnergy": 117,
        "AMS-02_He_rigidity": 50,
        "DAMPE_He_kineticEnergy": 15,
        "LHAASO_EPOS-LHC_He_totalEnergy": 22,
    },
    "yuan2025_fig5": {
        "AMS-02_H_rigidity": 39,
        "DAMPE_H_kineticEnergy": 20,
        "LHAASO_EPOS-LHC_H_totalEnergy": 184,
        "AMS-02_He_rigidity": 90,
        "DAMPE_He_kineticEnergy": 18,
        "LHAASO_EPOS-LHC_He_totalEnergy": 5.5,
    },
}
#: deck, the refitted injection of its header, and the χ² that it gives
REFITTED: list[tuple[str, dict[str, Any], str, float]] = [
    (
        "yuan2025_fig3",
        {
            "injections.He4": {"gamma1": 2.31, "gamma2": 2.42, "R_br": 42.0, "R_c": "9 PV"},
            "abundances.He4": 2.655e-16,
        },
        "AMS-02_He_rigidity",
        18,
    ),
    (
        "yuan2025_fig4",
        {
            "injections.H1": {"gamma1": 1.42, "gamma2": 2.437, "R_br": 4.4, "R_c": "9 PV"},
            "abundances.H1": 1.203e-15,
        },
        "AMS-02_H_rigidity",
        36,
    ),
    (
        "yuan2025_fig5",
        {
            "injections.He4": {
                "gamma1": 2.17,
                "gamma2": 2.39,
                "R_br": 26.0,
                "R_c": "0.3 PV",
                "cutoff": "squared",
            },
            "abundances.He4": 1.4846e-16,
        },
        "AMS-02_He_rigidity",
        24,
    ),
]


def chi2_of(name: str, changes: dict[str, Any]) -> dict[str, float]:
    found = crtransport.run(name, changes, data=tables_of("galaxy")).chi2
    at = map(str, found[found.dims[0]].values)
    return dict(zip(at, map(float, found.values), strict=True))


@pytest.mark.parametrize("name", TOLD)
def test_what_a_deck_says_of_its_chi_squared(name: str) -> None:
    """Yuan 2025, Figs. 3 to 5: their headers."""
    found = chi2_of(name, {})
    assert {table: found[table] for table in TOLD[name]} == pytest.approx(TOLD[name], abs=0.6)


@pytest.mark.parametrize(("name", "source", "table", "told"), REFITTED)
def test_what_a_refitted_injection_gives(
    name: str, source: dict[str, Any], table: str, told: float
) -> None:
    changes = {f"source.0.{key}": value for key, value in source.items()}
    if name == "yuan2025_fig5":
        changes["source.1.abundances.He4"] = 1.4417e-16
    assert chi2_of(name, changes)[table] == pytest.approx(told, abs=0.6)


def test_few_parents_make_most_of_the_light_isotopes() -> None:
    """The header of yuan2025_fig3: 98 to 99 % of the 2H and 3He of the full network at 8 GV."""
    network = load_deck("yuan2025_fig3").network
    rest = {
        "momentum.per_decade": 8,
        "output": {"elements": ["H", "He"], "T_min": 1.0, "T_max": 1e3},
        "compare": {},
    }
    few, full = (
        crtransport.run("yuan2025_fig2", rest | {"network": some}) for some in (network, "full")
    )
    for name, least in (("H2", 0.985), ("He3", 0.98)):
        part = few.flux_lis.sel(nuclide=name) / full.flux_lis.sel(nuclide=name)
        assert np.all((part > least) & (part < 1.0))


def test_elements_of_a_local_source_have_slopes_and_cutoffs_of_their_own() -> None:
    """As two sources have that differ in these alone; a cutoff is a rigidity for all others."""
    own = {"local_source.0.alphas": {"Fe": 2.3}, "local_source.0.cutoffs": {"Fe": "40 TV"}}
    both = {"local_source.0.alpha": 2.3, "local_source.0.R_c": "40 TV"}
    plain, one, other = (
        crtransport.run("yuan2025_fig3", SMALL | {"compare": {}} | changes).flux_local
        for changes in ({}, own, both)
    )
    iron = {"species": "Fe"}
    np.testing.assert_allclose(one.sel(**iron), other.sel(**iron), rtol=1e-13)
    rest = {"species": ["H", "He", "C", "O"]}
    np.testing.assert_array_equal(one.sel(**rest), plain.sel(**rest))


def test_one_cutoff_is_one_rigidity_for_all_charges() -> None:
    """At equal rigidity two elements of a local source have the same shape."""
    found = crtransport.run("yuan2025_fig3", SMALL | {"compare": {}, "modulation.phi": 0.0})
    rigidity = np.geomspace(1e4, 5e5, 5)
    shapes = []
    for species, name in (("C", "C12"), ("O", "O16"), ("Fe", "Fe56")):
        nucleus = nuclide(name)
        flux = found.flux_local.sel(species=species, source="Geminga")
        energy = np.log(nucleus.kinetic_energy(rigidity))
        spectrum = CubicSpline(np.log(flux.kinetic_energy), np.log(flux))(energy)
        shapes.append(spectrum - spectrum[0])
    np.testing.assert_allclose(shapes[1:], shapes[:1] * 2, atol=0.02)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"local_source.0.cutoffs": {"Si": "40 TV"}}, "cutoffs: W gives no energy to Si"),
        ({"local_source.0.alphas": {"Li": 2.0}}, "alphas: W gives no energy to Li"),
        (
            {"local_source.0.cutoffs": {"Fe": "0.1 GV"}},
            r"cutoffs\.Fe = 0\.1 GV is below the thresh",
        ),
    ],
)
def test_a_slope_or_cutoff_without_energy_is_refused(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(DeckError, match=why):
        load_deck("yuan2025_fig3", changes)


def test_dipoles_of_many_elements_have_figures_of_two() -> None:
    names = draw(run("yuan2025_fig3"), [])
    assert [name for name in names if name.startswith("dipole")] == [
        "dipole",
        "dipole_C_O",
        "dipole_Fe",
    ]
