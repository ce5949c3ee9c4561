"""Bursts in a uniform medium: closed forms, limits, properties, messages and figures."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import crtransport
from crtransport.analytic import burst as exact
from crtransport.constants import ERG, KPC, YEAR
from crtransport.deck.burst import BurstDeck, BurstOutput
from crtransport.deck.errors import DeckError
from crtransport.deck.load import load_deck
from crtransport.measurements import Measurement
from crtransport.nuclides import nuclide
from crtransport.physics import burst, sky
from crtransport.physics.burst import LocalSource
from crtransport.physics.diffusion import TwoHalo
from crtransport.physics.spread import spread
from crtransport.plots.burst import draw
from crtransport.problems.burst import headline, solve
from crtransport.solvers.errors import ConvergenceError
from crtransport.validation.burst import rows
from crtransport.validation.burst_uniform import CASE_1
from crtransport.validation.burst_uniform import rows as uniform_rows

SOURCE: dict[str, Any] = {
    "name": "Geminga",
    "distance": 0.25,
    "age": 3.4e5,
    "l": 195.1,
    "b": 4.3,
    "alpha": 2.1,
    "R_c": "120 TV",
    "W": {"H": 1e50, "He": "1.8e50 erg"},
}


def deck(*changes: dict[str, Any], **tables: Any) -> BurstDeck:
    """A deck with one source for each change of the standard one."""
    sources = [SOURCE | change for change in changes or ({},)]
    loaded = load_deck({"model": "burst", "local_source": sources} | tables)
    assert isinstance(loaded, BurstDeck)
    return loaded


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_comparison_with_closed_form(row: tuple[str, float, float, float, str]) -> None:
    _, computed, reference, tolerance, _ = row
    assert computed == pytest.approx(reference, rel=tolerance)


def test_rows_can_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    """A change of 1e-5 in D or in q₀ is seen."""

    def failing() -> int:
        return sum(abs(c - r) > tolerance * abs(r) for _, c, r, tolerance, _ in uniform_rows())

    assert failing() == 0
    halo, normalisation = TwoHalo.halo, burst.log_normalisation
    monkeypatch.setattr(TwoHalo, "halo", lambda *a: halo(*a) * (1 + 1e-5))
    assert failing() > 0
    monkeypatch.setattr(TwoHalo, "halo", halo)
    monkeypatch.setattr(burst, "log_normalisation", lambda *a, **k: normalisation(*a, **k) + 1e-5)
    assert failing() > 0


def test_units_of_a_deck_are_those_of_the_paper() -> None:
    source = deck().local_source[0]
    assert source.R_c == 1.2e5
    assert source.W["He"] == pytest.approx(1.8e50, rel=1e-15)


def test_dataset_has_what_the_interface_promises() -> None:
    found = solve(deck({}, {"name": "Vela", "age": 1.1e4}))
    assert found.flux.dims == ("source", "species", "kinetic_energy")
    for name in ("flux_total", "dipole", "dipole_phase", "dipole_l", "dipole_b"):
        assert found[name].dims == ("species", "kinetic_energy")
    assert all({"units", "long_name"} <= set(v.attrs) for v in found.variables.values())
    assert 0 < found.error_estimate < found.error_tolerance
    assert list(found.species.values) == ["H", "He"]
    assert found.kinetic_energy.values[[0, -1]] == pytest.approx([10, 1e6], rel=1e-15)
    assert len(found.kinetic_energy) == 101
    assert len(headline(found)) == 4


def test_grid_of_a_range_within_one_step() -> None:
    found = solve(deck(output={"T_min": 10.0, "T_max": 10.1, "per_decade": 1}))
    assert found.kinetic_energy.values == pytest.approx([10, 10.1])


@settings(deadline=None, max_examples=40)
@given(
    st.floats(-3, 3), st.floats(-3, 11), st.floats(0, 10), st.floats(1.5, 15), st.floats(-20, 60)
)
def test_nothing_overflows(r: float, t: float, alpha: float, cutoff: float, w: float) -> None:
    change = {"distance": 10**r, "age": 10**t, "alpha": alpha, "R_c": 10**cutoff}
    change |= {"W": {"H": 10.0**w, "Fe": 1.0}, "energy": "per-nucleon"}
    found = solve(deck(change, output={"T_min": 1e-6, "T_max": 1e12, "per_decade": 1}))
    assert all(np.all(np.isfinite(v)) for v in found.data_vars.values())
    assert np.all(found.flux >= 0)
    np.testing.assert_array_equal(found.dipole > 0, found.flux_total > 0)
    assert found.error_estimate < found.error_tolerance


def test_no_flux_is_told_as_none() -> None:
    """Less than the smallest float: all digits of 0, and no dipole."""
    far = {"distance": 50.0, "age": 10.0, "W": {"H": 1e50}}
    found = solve(deck(far | {"name": "a"}, far | {"name": "b", "l": 285.1, "distance": 60.0}))
    for name in ("flux", "dipole", "dipole_by_source", "flux_total_rel_error"):
        assert np.all(found[name] == 0)
    assert "remark" not in found.attrs
    ((name, text),) = headline(found)
    assert (name, text[:15]) == ("H: no flux", "at all energies")


def test_weights_of_dipoles_outlive_small_fluxes() -> None:
    """The nearer of two sources far below the smallest float gives the direction."""
    vectors = np.eye(3)[:2, None]
    found = burst.dipole_sum(np.array([[-2000.0], [-2100.0]]), vectors)
    np.testing.assert_allclose(found, [[1, 0, 0]], atol=1e-40)


def test_a_flux_above_the_largest_float_is_no_result() -> None:
    with pytest.raises(ConvergenceError, match="flux_total of H is inf at 10 GeV/n"):
        solve(deck({"W": {"H": 1e305}, "distance": 1e-50, "age": 1e-80, "R_c": 1e6}))


def test_a_flux_that_fast_particles_have_is_told_with_where_it_begins() -> None:
    found = solve(deck({"distance": 3.0, "age": 1e4, "W": {"H": 1e50}}))
    rows = dict(headline(found))
    assert rows["H: no flux"].startswith("up to ")
    assert found.error_estimate < found.error_tolerance


@pytest.mark.parametrize("tau", [1e-3, 1e-2, 0.1, 1.0])
def test_an_emission_that_arrives_steeply_has_its_digits(tau: float) -> None:
    """Since its age, r²/4τ from 0.02 to 60; the quadrature tells its error."""
    source = replace(CASE_1, duration=CASE_1.age, b=0.0)
    rate = np.array([tau]) * KPC**2 / (source.age * YEAR)
    reference = exact.shining(np.array([tau]), source.distance) / tau
    found = np.exp(spread(source, rate).log_density)
    np.testing.assert_allclose(found, reference, rtol=1e-11)


@settings(deadline=None, max_examples=20)
@given(st.floats(1e-3, 1e3))
def test_flux_scales_with_energy_budget(factor: float) -> None:
    before = solve(deck(output={"per_decade": 2}))
    after = solve(deck({"W": {"H": factor * 1e50, "He": 1.8e50}}, output={"per_decade": 2}))
    ratio = after.flux / before.flux
    assert ratio.sel(species="H").values == pytest.approx(factor, rel=1e-12)
    assert ratio.sel(species="He").values == pytest.approx(1, rel=1e-12)


def test_sources_add_up() -> None:
    changes = {"name": "a"}, {"name": "b", "age": 1e5, "l": 20.0, "W": {"H": 2e48}}
    both = solve(deck(*changes))
    for change in changes:
        alone = solve(deck(change)).flux.sel(source=change["name"], species="H")
        assert both.flux.sel(source=change["name"], species="H").equals(alone)
    assert both.flux_total.values == pytest.approx(both.flux.sum("source").values, rel=1e-15)
    assert np.all(both.flux.sel(source="b", species="He") == 0)


def test_opposite_sources_of_equal_strength_cancel() -> None:
    found = solve(deck({"name": "a", "b": 4.3}, {"name": "b", "l": 15.1, "b": -4.3}))
    assert np.all(found.dipole < 1e-15)
    assert np.all(np.isfinite(found.dipole_phase))
    assert found.dipole_by_source.values == pytest.approx(
        np.broadcast_to(exact.free_dipole(0.25, 3.4e5, np.array(1.0)), (2, 2, 101)), rel=1e-2
    )


def test_dipole_is_a_vector_sum_weighted_by_flux() -> None:
    found = solve(deck({"name": "a"}, {"name": "b", "l": 270.0, "b": -40.0, "age": 2e5}))
    weight = found.flux / found.flux_total
    towards = sky.unit_vector(np.array([195.1, 270.0]), np.array([4.3, -40.0]))
    vector = np.einsum("sne,sk->nek", weight * found.dipole_by_source, towards)
    assert found.dipole.values == pytest.approx(np.linalg.norm(vector, axis=-1), rel=1e-12)
    longitude, latitude = sky.angles(vector)
    assert found.dipole_l.values == pytest.approx(longitude, rel=1e-12)
    assert found.dipole_b.values == pytest.approx(latitude, rel=1e-12)


def test_excess_comes_from_the_source() -> None:
    """Geminga's position, SIMBAD: RA 98.476°, Dec +17.770° (l and b are given to 0.1°)."""
    found = solve(deck()).isel(species=0, kinetic_energy=0)
    assert float(found.dipole_phase) == pytest.approx(98.476, abs=0.1)
    assert float(found.dipole_declination) == pytest.approx(17.770, abs=0.1)
    assert float(found.dipole_l) == pytest.approx(195.1, abs=1e-9)


@given(st.floats(0, 359.99), st.floats(-89.9, 89.9))
def test_rotation_keeps_lengths_and_angles(longitude: float, latitude: float) -> None:
    vector = sky.unit_vector(np.array(longitude), np.array(latitude))
    turned = sky.galactic_to_equatorial(vector)
    assert np.linalg.norm(turned) == pytest.approx(1, rel=1e-14)
    back = sky.angles(vector)
    assert back[0] == pytest.approx(longitude, abs=1e-10)
    assert back[1] == pytest.approx(latitude, abs=1e-10)


@settings(deadline=None, max_examples=30)
@given(st.floats(0, 5), st.floats(3, 9), st.sampled_from(["total", "per-nucleon"]))
def test_normalisation_is_converged(alpha: float, cutoff: float, energy: Any) -> None:
    values = SOURCE | {"alpha": alpha, "R_c": 10**cutoff, "W": {"Fe": 1.0}, "energy": energy}
    source, nucleus = LocalSource(**values), nuclide("Fe")
    coarse = burst.log_normalisation(source, nucleus)
    assert abs(coarse - burst.log_normalisation(source, nucleus, refine=3)) < 1e-12


def test_energy_can_be_counted_per_nucleon() -> None:
    per_nucleon = LocalSource(**SOURCE | {"R_c": 1.2e5, "W": {"H": 1.0}, "energy": "per-nucleon"})
    total = replace(per_nucleon, energy="total")
    hydrogen = nuclide("H")
    assert burst.log_normalisation(total, hydrogen) == burst.log_normalisation(
        per_nucleon, hydrogen
    )
    iron, source = nuclide("Fe"), replace(per_nucleon, W={"Fe": 1 / ERG})
    lowest = 56.0
    reference = exact.energy_integral(iron.mass, 26, 2.1, 1.2e5, lowest) / 56
    assert np.exp(-burst.log_normalisation(source, iron)) == pytest.approx(reference, rel=1e-12)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"age": 0}, "must be greater than 0"),
        ({"duration": 4e5}, "a source that still shines has duration = age"),
        ({"duration": 0.1}, "give 0, a burst"),
        ({"distance": "0 pc"}, "must be greater than 0"),
        ({"W": {"H": -1e50}}, "must be at least 0 erg"),
        ({"W": {"H": "1e50 kpc"}}, "wrong dimension"),
        ({"W": {"H": 0.0}}, "nothing is emitted"),
        ({"W": {}}, "nothing is emitted"),
        ({"W": {"Helium": 1e50}}, 'did you mean "He"'),
        ({"R_c": 1.0}, "below the threshold of W: H with T = 1 GeV"),
        ({"R_c": "12 m"}, "wrong dimension"),
        ({"alpha": "steep"}, "alpha"),
        ({"name": " "}, "name is empty"),
        ({"b": 91}, "at most 90"),
        ({"distnace": 1}, 'did you mean "distance"'),
    ],
)
def test_a_wrong_source_is_refused_in_words(change: dict[str, Any], message: str) -> None:
    with pytest.raises(DeckError) as caught:
        deck(change)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({"local_source": []}, "no sources: give a [[local_source]], a [catalogue]"),
        ({"local_source": [SOURCE, SOURCE]}, '"Geminga" is given twice'),
        ({"output": {"species": ["C"]}}, "no source emits C"),
        ({"output": {"species": ["Hee"]}}, 'did you mean "He"'),
        ({"output": {"species": ["H", "H"]}}, "twice"),
        ({"output": {"T_min": 10.0, "T_max": 10.0}}, "not above"),
        ({"medium": "unifrom"}, "uniform"),
    ],
)
def test_a_wrong_deck_is_refused_in_words(tables: dict[str, Any], message: str) -> None:
    with pytest.raises(DeckError) as caught:
        deck(**tables)
    assert message in str(caught.value)


def measured(element: str) -> Measurement:
    one = np.ones(2)
    return Measurement(
        name="t",
        experiment="Experiment",
        quantity=element,
        reference="",
        x_kind="kinetic_energy_GeV",
        unit="m-2 s-1 sr-1 GeV-1",
        x=np.array([1e2, 1e3]),
        y=np.array([0.04, 8e-5]),
        stat_lo=1e-5 * one,
        stat_hi=1e-5 * one,
        sys_lo=1e-3 * one,
        sys_hi=1e-3 * one,
    )


@pytest.mark.parametrize("changes", [({},), ({}, {"name": "Vela", "age": 1.1e4})])
@pytest.mark.parametrize("points", [[], [measured("H"), measured("C")]])
def test_figures(changes: tuple[dict[str, Any], ...], points: list[Measurement]) -> None:
    figures = draw(solve(deck(*changes)), points)
    assert list(figures) == [""]
    figures[""].draw_without_rendering()
    (legend,) = figures[""].legends
    assert "alone" in legend.get_title().get_text()
    shown = [text.get_text() for text in legend.get_texts()]
    assert ("Experiment" in shown) == bool(points)
    boxes = [axes.get_window_extent() for axes in figures[""].axes]
    assert not any(legend.get_window_extent().overlaps(box) for box in boxes)


def test_figures_of_many_elements_and_of_nothing() -> None:
    many = {"W": dict.fromkeys(("H", "He", "C", "O", "Fe"), 1e49), "R_c": 1e6}
    assert list(draw(solve(deck(many)), [])) == ["", "C_O", "Fe"]
    invisible = solve(deck({"distance": 50.0, "age": 10.0}))
    draw(invisible, [])[""].draw_without_rendering()


def test_models_can_be_built_without_a_deck_file() -> None:
    source = LocalSource(**SOURCE | {"R_c": 1.2e5, "W": {"H": 1e50}})
    built = BurstDeck(model="burst", local_source=(source,), output=BurstOutput(per_decade=1))
    flux = crtransport.run(built).flux_total.sel(species="H")
    scaled = flux * flux.kinetic_energy**2.7
    assert float(scaled.sel(kinetic_energy=1e3, method="nearest")) == pytest.approx(841, rel=5e-4)
