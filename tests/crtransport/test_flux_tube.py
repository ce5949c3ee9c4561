"""The flux tube through its models: two discretisations, limits, symmetries, Fig. 4."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crtransport.analytic.flux_tube import focused_solution
from crtransport.deck.errors import DeckError
from crtransport.deck.flux_tube import FiniteDifference, FluxTubeDeck, FluxTubeOutput, Spectral
from crtransport.deck.load import load_deck
from crtransport.physics.flux_tube import Emission, Loss, LossKind, Pulse, Tube, Variation
from crtransport.physics.scattering import Scattering
from crtransport.problems.flux_tube import headline, solve, solve_steady
from crtransport.problems.pitch_angle import cell_axis, coordinate, dimensionless, eigenvalues
from crtransport.problems.tube import difference
from crtransport.problems.tube_cells import cell_rates
from crtransport.solvers.errors import ConvergenceError, SingularOperatorError

CELLS = FiniteDifference(kind="finite-difference", cells=160, steps=100)
BASE = FluxTubeDeck(
    model="flux-tube",
    loss=Loss(rate=0.3),
    source=Emission(even=(1.0, 0.0, 0.0, 0.1)),
    output=FluxTubeOutput(zeta=(0.05, 0.3), chi_points=41),
)
HALF = Emission(kind="half-range")
STEPS = Variation(zeta=(0.0, 0.2, 0.6), interpolation="step", loss=(1, 4, 1), scattering=(1, 2, 1))
RAMP = Variation(zeta=(0.0, 0.5, 1.0), loss=(1, 4, 1), inverse_focusing_length=(0, 1, 0))
SLOPES = Variation(zeta=(-0.5, 0.2, 1.0), interpolation="step", slope=(1.5, 5 / 3, 1.5))

#: what changes from BASE
CASES: dict[str, dict[str, Any]] = {
    "plain": {},
    "delta": {"source": Emission(kind="delta")},
    "half-range": {"source": HALF},
    "finite": {"source": HALF, "loss": Loss(rate=0.0), "tube": Tube(length=1.0)},
    "bohm": {"scattering": Scattering(slope=1.0)},
    "kolmogorov": {"scattering": Scattering(slope=5 / 3)},
    "between": {"scattering": Scattering(slope=1.6)},
    "constant in chi": {"loss": Loss(kind="constant-in-chi", rate=0.3)},
    "floor": {"scattering": Scattering(floor=0.1)},
    "asymmetric": {"scattering": Scattering(asymmetry=0.5)},
    "focusing": {"tube": Tube(inverse_focusing_length=1.0)},
    "steps": {"source": HALF, "tube": Tube(variation=STEPS)},
    "ramp": {"source": HALF, "tube": Tube(variation=RAMP, length=1.0)},
    "slopes": {"tube": Tube(variation=SLOPES)},
}


@pytest.mark.parametrize("name", CASES)
def test_two_discretisations_agree(name: str) -> None:
    deck = replace(BASE, **CASES[name])
    spectral = solve_steady(deck)
    cells = solve_steady(replace(deck, solver=CELLS))
    mean = spectral.multipole[:, :1]
    np.testing.assert_allclose(cells.multipole / mean, spectral.multipole / mean, atol=6e-3)
    assert np.max(np.abs(cells.distribution - spectral.distribution) / mean) < 8e-3
    assert spectral.residual < 1e-10
    assert cells.residual < 1e-6


@pytest.mark.parametrize("name", ["plain", "half-range", "finite", "floor", "asymmetric", "steps"])
def test_particles_are_conserved(name: str) -> None:
    deck = replace(BASE, **CASES[name])
    assert solve_steady(deck).balance < 1e-10
    assert solve_steady(replace(deck, solver=CELLS)).balance < 1e-9


@pytest.mark.parametrize("slope", [1.0, 1.2, 1.5, 1.6, 5 / 3, 1.9, 1.99])
@pytest.mark.parametrize("loss_rate", [0.0, 1e-6, 1.0, 1e3])
def test_any_slope_and_loss_has_eigenvalues_with_errors(slope: float, loss_rate: float) -> None:
    for kind in ("constant-in-chi", "constant-in-mu"):
        found = eigenvalues(slope, loss_rate, kind, 5)
        assert np.all(np.diff(found.values) > 0)
        assert np.all(found.errors <= 1e-10 * found.values)
        assert (found.values[0] == 0) == (loss_rate == 0)


@settings(deadline=None, max_examples=25)
@given(
    st.floats(1, 1.95), st.floats(-10, 3.5), st.sampled_from(["constant-in-mu", "constant-in-chi"])
)
def test_eigenvalues_of_any_slope_and_loss_agree_with_cells(
    slope: float, log_loss: float, kind: LossKind
) -> None:
    reference = eigenvalues(slope, 10**log_loss, kind, 5).values
    medium = dimensionless(slope, 10**log_loss, kind)
    where = coordinate(medium.scattering)
    grids = [cell_axis(where, cells, smooth=True) for cells in (1000, 2000, 4000)]
    rates = [cell_rates(medium, where, grid, 5) for grid in grids]
    extrapolated = rates[2] + (rates[2] - rates[1]) / 3
    np.testing.assert_allclose(extrapolated, reference, rtol=2e-6)
    seen = np.abs(rates[1] / reference - 1) > 1e-9
    orders = np.log2(np.abs((rates[0] - rates[1]) / (rates[1] - rates[2])))
    np.testing.assert_allclose(orders[seen], 2.0, atol=0.2)


def test_physical_units_scale_with_the_mean_free_path() -> None:
    """All lengths in units of λ: twice the path and twice the distances give the same answer."""
    near, far = (
        solve(
            replace(
                BASE,
                scattering=Scattering(mean_free_path=path),
                loss=Loss(rate=0.3 / path),
                output=FluxTubeOutput(zeta=(0.05 * path, 0.3 * path), chi_points=41),
            )
        )
        for path in (1.0, 2.0)
    )
    np.testing.assert_allclose(near.distribution, far.distribution, rtol=1e-9)
    np.testing.assert_allclose(far.mean_free_path, 2.0)
    np.testing.assert_allclose(near.decay_length * 2, far.decay_length, rtol=1e-9)


def test_rigidity_enters_by_the_mean_free_path() -> None:
    scattering = Scattering(mean_free_path=3.0, reference_rigidity=1e4, rigidity_index=0.5)
    output = FluxTubeOutput(zeta=(0.3,), chi_points=41, rigidity=(1e3, 1e4, 4e4))
    dataset = solve(replace(BASE, scattering=scattering, output=output))
    np.testing.assert_allclose(dataset.mean_free_path, 3.0 * np.sqrt([0.1, 1.0, 4.0]))
    one = solve(
        replace(
            BASE, scattering=Scattering(mean_free_path=6.0), output=replace(output, rigidity=())
        )
    )
    np.testing.assert_allclose(dataset.distribution[2], one.distribution, rtol=1e-9)


def test_eigenfunctions_are_orthonormal_in_the_signed_weight() -> None:
    deck = replace(BASE, output=replace(BASE.output, chi_points=4001))
    dataset = solve(deck)
    chi, f = dataset.chi.values, dataset.eigenfunction.values
    weight = chi**3 * (chi[1] - chi[0])
    weight[[0, -1]] /= 2
    np.testing.assert_allclose((f * weight) @ f.T, np.eye(5), atol=2e-3)


def test_the_two_solvers_give_the_same_eigenfunctions() -> None:
    spectral = solve(BASE).eigenfunction[:3]
    cells = solve(replace(BASE, solver=replace(CELLS, cells=800))).eigenfunction[:3]
    np.testing.assert_allclose(cells, spectral, atol=0.01 * float(np.max(np.abs(spectral))))


def test_figure_4_has_its_step_at_the_equator() -> None:
    dataset = solve(load_deck("malkov2023_fig4"))
    far = dataset.sel(zeta=0.1)
    # (Λ₀/4)|μ|^½ sgn μ alone, where the other modes have died out
    expected = 2 * float(dataset.eigenvalue[0]) / 4 * np.sqrt(0.1)
    np.testing.assert_allclose(far.equator_step, expected, rtol=0.1)
    np.testing.assert_allclose(dataset.mean_intensity, 0.503125, rtol=1e-3)


def test_strong_focusing_makes_the_exact_beam() -> None:
    """Far from the emitter, without losses, f has the angular shape of the exact exponential."""
    deck = replace(
        BASE,
        source=HALF,
        loss=Loss(rate=0.0),
        tube=Tube(inverse_focusing_length=4.0),
        output=FluxTubeOutput(zeta=(2.0, 3.0), chi_points=41),
    )
    steady = solve_steady(deck)
    assert steady.error < 1e-9
    focused = focused_solution(np.array([2.0, 3.0]), np.linspace(-1, 1, 41), 2.0, 4.0, 4.0)
    ratio = steady.distribution / focused
    np.testing.assert_allclose(ratio, np.full_like(ratio, ratio[0, 0]), rtol=1e-8)


@pytest.mark.parametrize("scattering", [Scattering(), Scattering(slope=1.6), Scattering(floor=0.1)])
def test_pulses_by_the_two_solvers(scattering: Scattering) -> None:
    deck = FluxTubeDeck(
        model="flux-tube",
        scattering=replace(scattering, C=1.0),
        loss=Loss(rate=0.1),
        pulse=Pulse(ct=(0.5, 2.0), width=0.3),
        output=FluxTubeOutput(zeta=(-0.5, 0.0, 0.7), chi_points=21),
    )
    spectral = solve(deck)
    solver = FiniteDifference(kind="finite-difference", cells=120, steps=600)
    cells = solve(replace(deck, solver=solver))
    assert spectral.attrs["error_estimate"] < 1e-8
    for name, tolerance in (("mean_intensity", 3e-3), ("mean_square_displacement", 3e-3)):
        np.testing.assert_allclose(cells[name], spectral[name], rtol=tolerance, atol=1e-4)
    np.testing.assert_allclose(cells.number, np.exp(-0.1 * spectral.ct), rtol=1e-4)
    np.testing.assert_allclose(cells.anisotropy, spectral.anisotropy, atol=0.05)


def test_a_vanishing_floor_is_no_floor() -> None:
    """The floor is solved in μ on refined layers, its absence in χ on two elements."""
    bare, floored = (
        solve(replace(BASE, scattering=Scattering(floor=floor))) for floor in (0.0, 1e-11)
    )
    np.testing.assert_allclose(floored.eigenvalue, bare.eigenvalue, rtol=1e-8)
    np.testing.assert_allclose(floored.distribution, bare.distribution, rtol=1e-7)


def test_extrapolation_length_is_in_the_unit_of_the_mean_free_path() -> None:
    deck = replace(BASE, source=HALF, loss=Loss(rate=0.0), output=FluxTubeOutput(zeta=(0.1,)))
    one, three = (
        float(solve(replace(deck, scattering=Scattering(slope=1.0, C=rate))).extrapolation_length)
        for rate in (1.0, 3.0)
    )
    np.testing.assert_allclose(one, 0.3591, atol=5e-5)
    np.testing.assert_allclose(three, one / 3)


def test_other_slopes_beside_are_what_they_are_alone() -> None:
    beside = solve(replace(BASE, output=replace(BASE.output, slopes=(1.0, 5 / 3))))
    for slope in (1.0, 5 / 3):
        alone = solve(replace(BASE, scattering=Scattering(slope=slope)))
        other = beside.sel(slope=slope)
        np.testing.assert_allclose(other.anisotropy_by_slope, alone.anisotropy, atol=1e-12)
        np.testing.assert_allclose(other.mu_by_slope, alone.mu)


def test_other_slopes_do_not_go_with_rigidities() -> None:
    with pytest.raises(DeckError, match="slopes needs a steady tube"):
        load_deck("flux_tube_rigidity", {"output.slopes": [1.0]})


@pytest.mark.parametrize("solver", [Spectral(), CELLS])
def test_far_from_its_source_a_tube_is_its_slowest_mode(solver: Any) -> None:
    """Thousands of e-folds away, where ⟨f⟩ is below the smallest float."""
    rate = float(solve(BASE).eigenvalue[0])
    zeta = (30 / rate, 3000 / rate)
    dataset = solve(replace(BASE, solver=solver, output=replace(BASE.output, zeta=zeta)))
    assert dataset.mean_intensity[1] == 0
    assert np.diff(dataset.log10_mean_intensity)[0] == pytest.approx(-2970 / np.log(10), rel=2e-3)
    mode = solve(BASE).eigenfunction[0].values
    mean = solve(replace(BASE, output=replace(BASE.output, zeta=(30 / rate,)))).anisotropy[0]
    np.testing.assert_allclose(dataset.anisotropy[1], mean, atol=2e-3)
    np.testing.assert_allclose((mode / mode[20] - 1), (1 + mean) / (1 + mean[20]) - 1, atol=1e-6)
    assert np.isfinite(dataset.equator_step).all()
    shown = dict(headline(dataset))[f"ζ = {zeta[1]:g}"]
    assert "⟨f⟩ 10^-13" in shown
    assert "below the smallest float" in shown


def test_strong_scattering_with_coefficients_that_vary_is_no_nan() -> None:
    found = solve(load_deck("flux_tube_varying", {"scattering.C": 4e5}))
    assert all(np.isfinite(found[name]).all() for name in ("anisotropy", "equator_step"))
    # WKB along the tube: λ = √(3v/λ_∥), both linear in ζ, with λ_∥ = 3/[2C(2−q)(4−q)]
    rate = np.sqrt(3 * 0.3 / (3 / (2 * 4e5 * 0.5 * 2.5)))
    exponent = rate * np.trapezoid([1.4, 3.0], [0.2, 1.0]) / np.log(10)
    fall = found.log10_mean_intensity[0] - found.log10_mean_intensity[1]
    assert float(fall) == pytest.approx(exponent, rel=1e-2)


def test_cells_answer_beyond_where_their_tube_was_cut() -> None:
    far = replace(BASE, output=replace(BASE.output, zeta=(500.0,)))
    spectral = solve(far)
    cells = solve(replace(far, solver=CELLS))
    assert cells.attrs["error_estimate"] > 0
    ratio = 10 ** float(cells.log10_mean_intensity[0] - spectral.log10_mean_intensity[0])
    assert abs(ratio - 1) < cells.attrs["error_estimate"]


def test_rates_beyond_floats_have_a_reason() -> None:
    with pytest.raises(SingularOperatorError, match="largest float"):
        solve(load_deck("malkov2023_fig4", {"loss.rate": 1e300}))
    with pytest.raises(ConvergenceError, match="can be told from rounding"):
        solve(load_deck("malkov2023_fig4", {"loss.rate": 1e-40}))


def test_a_difference_that_is_no_number_is_no_error_estimate() -> None:
    steady = solve_steady(BASE)
    lost = replace(steady, shape=np.full_like(steady.shape, np.nan))
    assert np.isnan(difference(lost, steady))
    assert np.isnan(difference(steady, lost))


def test_where_nothing_has_arrived_a_pulse_has_no_anisotropy_and_no_sign() -> None:
    dataset = solve(load_deck("flux_tube_pulse", {"scattering.mean_free_path": 0.1}))
    early = dataset.sel(ct=1)
    assert np.all(dataset.mean_intensity >= 0)
    assert np.all(early.mean_intensity.sel(zeta=[-10, 10]) == 0)
    assert np.isnan(early.equator_step.sel(zeta=10))
    assert np.isfinite(early.equator_step.sel(zeta=[-1, 0, 1])).all()
    assert "no anisotropy" in dict(headline(dataset))


@pytest.mark.parametrize("solver", [Spectral(), replace(CELLS, steps=400)])
def test_a_pulse_keeps_its_shape_however_much_is_lost(solver: Any) -> None:
    deck = FluxTubeDeck(
        model="flux-tube",
        scattering=Scattering(slope=1.0, C=1.0),
        loss=Loss(rate=0.0),
        pulse=Pulse(ct=(2.0,), width=0.5),
        solver=solver,
        output=FluxTubeOutput(zeta=(0.0, 0.7), chi_points=21),
    )
    kept, lost = solve(deck), solve(replace(deck, loss=Loss(rate=1000.0)))
    fall = kept.log10_mean_intensity - lost.log10_mean_intensity
    np.testing.assert_allclose(fall, 2000 / np.log(10), rtol=1e-12)
    np.testing.assert_allclose(lost.anisotropy, kept.anisotropy, rtol=1e-9)
    assert "below the smallest float" in dict(headline(lost))["ct = 2 pc"]


def test_a_pulse_between_the_points_of_its_transform() -> None:
    """Hardly moved, it is its Gaussian at any ζ."""
    zeta = np.array([-0.137, 0.0, 0.071, 0.2])
    deck = FluxTubeDeck(
        model="flux-tube",
        scattering=Scattering(slope=1.0, C=1.0),
        pulse=Pulse(ct=(1e-7,), width=0.1),
        output=FluxTubeOutput(zeta=tuple(zeta), chi_points=21),
    )
    found = solve(deck).mean_intensity[0]
    gauss = np.exp(-(zeta**2) / 0.02) / np.sqrt(2 * np.pi) / 0.1
    np.testing.assert_allclose(found, gauss, rtol=1e-9)


def test_a_pulse_of_nothing_is_refused() -> None:
    with pytest.raises(DeckError, match="pulse needs particles"):
        load_deck("flux_tube_pulse", {"source.even": [0.0], "source.odd": [1.0]})


@pytest.mark.parametrize("name", ["plain", "half-range", "between", "steps", "ramp", "floor"])
def test_the_error_of_the_cells_is_told(name: str) -> None:
    deck = replace(BASE, **CASES[name])
    spectral = solve(deck)
    cells = solve(replace(deck, solver=CELLS))
    told = cells.attrs["error_estimate"]
    scale = np.abs(spectral.anisotropy).max("chi")
    assert np.max(np.abs(cells.anisotropy - spectral.anisotropy).max("chi") / scale) < told
    assert np.max(np.abs(cells.mean_intensity / spectral.mean_intensity - 1)) < told
    assert np.max(np.abs(cells.equator_step - spectral.equator_step) / scale) < told
    assert np.max(np.abs(cells.eigenvalue / spectral.eigenvalue - 1)) < told
