"""Comparisons of the flux-tube solvers with closed forms and tabulated values.

Names begin with the solver: spectral, cells (finite-volume rates), march (finite-volume boundary
value problem), fourier and split (pulses in time).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from crtransport.analytic import flux_tube as exact
from crtransport.deck.flux_tube import FluxTubeDeck, FluxTubeOutput
from crtransport.physics.flux_tube import Emission, Loss, LossKind, Tube
from crtransport.physics.scattering import Scattering
from crtransport.physics.tube_arrival import TubeShock
from crtransport.problems.flux_tube import solve_steady
from crtransport.problems.pitch_angle import (
    Medium,
    cell_axis,
    converged_decay,
    coordinate,
    dimensionless,
    eigenvalues,
    spectral_axis,
    spectral_matrices,
    streaming,
)
from crtransport.problems.tube_cells import cell_matrix, cell_rates
from crtransport.problems.tube_modes import extrapolation_length
from crtransport.problems.tube_shock import shock_index
from crtransport.solvers.elements import Elements
from crtransport.solvers.finite_volume import Cells
from crtransport.solvers.problem import PulseProblem, TwoWayProblem
from crtransport.solvers.pulse_fourier import solve_fourier
from crtransport.solvers.pulse_split import solve_split
from crtransport.solvers.two_way_march import solve_march
from crtransport.solvers.two_way_modes import solve_modes

Array = NDArray[np.float64]
Row = tuple[str, float, float, float, str]

_SLOPES = {"1": 1.0, "3/2": 1.5, "5/3": 5 / 3}
_LOSSES: tuple[LossKind, LossKind] = ("constant-in-chi", "constant-in-mu")


def rows() -> list[Row]:
    """(name, computed, reference, relative tolerance, formula) of every comparison."""
    parts = (
        _tabulated, _small_loss, _wkb, _legendre, _paper, _figure4, _jump_mean, _milne, _shock,
        _thick_tube, _diffusion, _focusing, _focused_rates, _taylor,
    )  # fmt: skip
    return [row for part in parts for row in part()]


def _tabulated() -> Iterator[Row]:
    for (slope, v, loss), table in exact.RATES.items():
        kind: LossKind = "constant-in-mu" if loss == "constant-in-mu" else "constant-in-chi"
        found = eigenvalues(_SLOPES[slope], v, kind, len(table)).values
        case = f"q={slope},V={v:g}" + (f",{kind}" if v else "")
        refined = _refined_rates(dimensionless(_SLOPES[slope], v, kind), len(table))
        for n, reference in enumerate(table):
            if reference > 0:
                formula = "eigenvalues of form (*) at 40 digits"
                yield f"spectral/eigenvalue/{case}/{n}", found[n], reference, 1e-9, formula
                if n < 3:
                    yield f"cells/eigenvalue/{case}/{n}", refined[n], reference, 1e-8, formula


def _refined_rates(medium: Medium, n: int, cells: int = 3000) -> Array:
    """Rates of two second-order grids, extrapolated to the fourth order."""
    where = coordinate(medium.scattering)
    coarse, fine = (
        cell_rates(medium, where, cell_axis(where, count, smooth=True), n)
        for count in (cells, 2 * cells)
    )
    return fine + (fine - coarse) / 3


def _small_loss() -> Iterator[Row]:
    for q in (1.0, 1.25, 1.5, 5 / 3):
        for kind in _LOSSES:
            found = eigenvalues(q, 1e-9, kind, 1).values[0]
            reference = exact.small_loss_rate(1 / (2 - q), 1e-9, kind)
            yield (
                f"spectral/small-loss/q={q:.4g},{kind}",
                found,
                reference,
                1e-7,
                "Λ₀² = m(2m+1)V∫w",
            )


def _wkb() -> Iterator[Row]:
    for slope, q in _SLOPES.items():
        found = eigenvalues(q, 0.0, "constant-in-chi", 12).values[11]
        reference = exact.wkb_rate(1 / (2 - q), 11)
        yield f"spectral/wkb/q={slope}/11", found, reference, 2e-5, "Λₙ = [(n+½)π/I]² − c"


def _legendre() -> Iterator[Row]:
    found = eigenvalues(1.0, 0.0, "constant-in-chi", 6).values
    for n, reference in enumerate(exact.legendre_rates(6), start=1):
        yield f"spectral/legendre/{n}", found[n], reference, 1e-11, "three-term Legendre recurrence"


def _paper() -> Iterator[Row]:
    found = eigenvalues(1.5, 1e-6, "constant-in-chi", 3).values
    for n, reference in enumerate(exact.PAPER_RATES):
        yield f"spectral/paper/{n}", found[n], reference, 5e-3, "Malkov et al. 2023, λₙ as printed"


def _figure4() -> Iterator[Row]:
    output = FluxTubeOutput(zeta=tuple(exact.FIG4), chi_points=41)
    source = Emission(even=(1.0, 0.0, 0.0, 0.01))
    loss = Loss(kind="constant-in-chi", rate=1e-6)
    steady = solve_steady(FluxTubeDeck(model="flux-tube", loss=loss, source=source, output=output))
    formula = "setting of Malkov et al. 2023, Fig. 4, tabulated by another code"
    chi = np.linspace(-1, 1, 41)
    for k, (zeta, (mean, anisotropy)) in enumerate(exact.FIG4.items()):
        found = steady.multipole[k, 0]
        name = f"spectral/figure4/zeta={zeta}"
        yield f"{name}/mean", found, float(mean), exact.last_digit(mean), formula
        curve = 1e3 * (steady.distribution[k] / found - 1)
        for at, text in zip(exact.FIG4_CHI, anisotropy, strict=True):
            here = curve[np.argmin(np.abs(chi - at))]
            yield f"{name}/chi={at}", here, float(text), exact.last_digit(text), formula


def _jump_mean() -> Iterator[Row]:
    for q, even in ((1.5, (1.0, 0.0, 0.0, 0.01)), (1.5, (0.0, 1.0)), (1.0, (1.0, 0.5))):
        medium = dimensionless(q, 1e-12, "constant-in-chi")
        deck = FluxTubeDeck(
            model="flux-tube",
            scattering=medium.scattering,
            loss=medium.loss,
            source=Emission(even=even),
            output=FluxTubeOutput(zeta=(2.0,)),
        )
        rate = eigenvalues(q, 1e-12, "constant-in-chi", 1).values[0]
        found = solve_steady(deck).multipole[0, 0] * np.exp(2 * rate)
        m = medium.scattering.m
        name = f"spectral/jump-mean/q={q:.4g},{'+'.join(f'{c:g}' for c in even)}"
        yield name, found, exact.jump_mean(m, even), 1e-8, "⟨f⟩ = (2m+1)/4 ∫χ^(2m)Q₁dχ"


def _milne() -> Iterator[Row]:
    for slope, q in _SLOPES.items():
        text = exact.EXTRAPOLATION_LENGTH[slope]
        found, _ = extrapolation_length(dimensionless(q, 0.0, "constant-in-chi"))
        formula = "extrapolation length z₀ of the Milne problem"
        yield f"spectral/milne/q={slope}", found, float(text), exact.last_digit(text), formula


def _shock() -> Iterator[Row]:
    formula = "s of f ∝ p^−s at a shock, modes of both sides matched"
    for (up, down), text in exact.SHOCK_INDEX.items():
        shock = TubeShock(beta_up=up, beta_down=down)
        found = shock_index(Scattering(slope=1.0), shock, 1e-9).value
        yield f"spectral/shock/{up:g}", found, float(text), exact.last_digit(text), formula


def _thick_tube() -> Iterator[Row]:
    formula = "1/j = L + 2z₀: a longer tube adds its length"
    for slope, q in _SLOPES.items():
        resistance = []
        for length in (5.0, 8.0):
            deck = FluxTubeDeck(
                model="flux-tube",
                scattering=Scattering(slope=q),
                loss=Loss(rate=0.0),
                source=Emission(kind="half-range"),
                tube=Tube(length=length),
                output=FluxTubeOutput(zeta=(0.45 * length, 0.55 * length)),
            )
            mean = solve_steady(deck).multipole[:, 0]
            resistance.append(0.1 * length / (mean[0] - mean[1]))
        found = resistance[1] - resistance[0]
        yield f"spectral/thick-tube/q={slope}", found, 3.0, 1e-8, formula


def _diffusion() -> Iterator[Row]:
    formula = "λ₀ = √(3v/λ_∥), λ_∥ = (3/8)∫(1−μ²)/D dμ"
    for q, floor, asymmetry in ((1.5, 0.1, 0.0), (1.5, 0.0, 0.5), (5 / 3, 0.05, 0.3)):
        scattering = Scattering(slope=q, floor=floor, asymmetry=asymmetry)
        v = 1e-9 * scattering.rate()
        loss = Loss(kind="constant-in-mu", rate=v)
        medium = Medium(scattering=scattering, loss=loss, rate=scattering.rate(), loss_rate=v)
        modes = converged_decay(medium, coordinate(scattering), 1, 1e-9)[0].modes
        # up and down the tube differ by O(√v) where the scattering does; their product does not
        found = np.sqrt(-modes.up_rates[0] * modes.down_rates[0])
        path = scattering.mean_free_path_times_C() / scattering.rate()
        name = f"spectral/diffusion/q={q:.4g},floor={floor},asymmetry={asymmetry}"
        yield name, found, exact.diffusive_rate(path, v), 1e-7, formula
    for q in (1.0, 1.3, 1.5, 5 / 3):
        found = Scattering(slope=q, C=2.0).mean_free_path_times_C() / 2.0
        yield (
            f"model/free-path/q={q:.4g}",
            found,
            exact.free_path(q, 2.0),
            1e-12,
            "3/[2C(2−q)(4−q)]",
        )


def _focused_medium(q: float) -> Medium:
    medium = dimensionless(q, 0.0, "constant-in-mu")
    return Medium(
        scattering=medium.scattering,
        loss=medium.loss,
        rate=medium.rate,
        loss_rate=0.0,
        inverse_focusing_length=6.0,
    )


def _focusing() -> Iterator[Row]:
    formula = "f = exp(−ζ/L_B + G(μ)), exact with focusing"
    length = 0.2
    for slope, q in (("1", 1.0), ("3/2", 1.5)):
        medium = _focused_medium(q)
        m, rate = medium.scattering.m, medium.rate
        reference = float(
            exact.focused_solution(np.array([length]), np.array([0.5]), m, rate, 6.0)[0, 0]
        )
        where = coordinate(medium.scattering)
        axis = spectral_axis(where, 24, 9)
        problem = _between_ends(medium, axis, length)
        found = axis.at(np.array([0.5])) @ solve_modes(problem).evaluate(np.array([length]))[0]
        yield f"spectral/focusing/q={slope}", float(found[0]), reference, 1e-9, formula
        coarse, fine = (_march_focused(medium, length, cells) for cells in (80, 160))
        found_fine = fine + (fine - coarse) / 3
        yield f"march/focusing/q={slope}", found_fine, reference, 1e-6, formula


def _between_ends(medium: Medium, axis: Elements | Cells, length: float) -> TwoWayProblem:
    """The exact focused solution prescribed on what enters at both ends."""
    where = coordinate(medium.scattering)
    x = axis.points
    m, rate, inverse = medium.scattering.m, medium.rate, medium.inverse_focusing_length
    ends = exact.focused_solution(np.array([0.0, length]), x, m, rate, inverse)
    if isinstance(axis, Elements):
        speed = streaming(medium, where, x)
        matrices = spectral_matrices(medium, where, axis)
        up, down = axis.mass(np.maximum(speed, 0)), axis.mass(np.maximum(-speed, 0))
    else:
        speed = np.sign(x) * np.abs(x) ** (2 * m - 1)
        up, down = (sp.diags_array(axis.mass(np.maximum(s * speed, 0))) for s in (1, -1))
        matrices = (cell_matrix(medium, where, axis), up - down)
    return TwoWayProblem(
        edges=np.array([0.0, length]),
        operator=lambda s: matrices,
        streaming_up=up,
        streaming_down=down,
        inflow_left=axis.load(np.maximum(speed, 0) * ends[0]),
        inflow_right=axis.load(np.maximum(-speed, 0) * ends[1]),
    )


def _march_focused(medium: Medium, length: float, cells: int) -> float:
    """f at χ = ½ and the far end, by cells and steps in proportion."""
    axis = cell_axis(coordinate(medium.scattering), cells, smooth=True)
    solution = solve_march(_between_ends(medium, axis, length), cells // 2, 1.0)
    values = solution.evaluate(np.array([length]))[0]
    k = int(np.searchsorted(axis.points, 0.5))
    # χ = ½ is a face: the cubic through the four middles around it
    return float(np.array([-1, 9, 9, -1]) @ values[k - 2 : k + 2] / 16)


def _focused_rates() -> Iterator[Row]:
    for slope, q in (("1", 1.0), ("3/2", 1.5)):
        medium = _focused_medium(q)
        found = converged_decay(medium, coordinate(medium.scattering), 2, 1e-10)[0].rates
        yield f"spectral/focused-rate/q={slope}", found[1], 6.0, 1e-9, "λ = 1/L_B exactly"
        refined = _refined_rates(medium, 2)[1]
        yield f"cells/focused-rate/q={slope}", refined, 6.0, 1e-8, "λ = 1/L_B exactly"


def _taylor() -> Iterator[Row]:
    times = np.array([0.5, 1.0, 2.0])
    formula = "⟨x²⟩ = t/3 − (1−e^(−2t))/6 (Taylor 1922)"
    medium = dimensionless(1.0, 0.0, "constant-in-mu")
    where = coordinate(medium.scattering)
    axis = spectral_axis(where, 12, 0)
    a, b = spectral_matrices(medium, where, axis)
    ones = np.ones_like(axis.points)
    problem = PulseProblem(
        mass=axis.mass(ones),
        streaming=b,
        operator=a,
        initial=axis.load(ones),
        width=0.2,
        times=times,
    )
    solution = solve_fourier(problem)
    found = _displacement(solution.s, solution.values @ axis.load(ones), 0.2)
    coarse, fine = (_split_displacement(times, cells) for cells in (40, 80))
    refined = fine + (fine - coarse) / 3
    for t, reference, spectral, split in zip(
        times, exact.taylor_displacement(times), found, refined, strict=True
    ):
        yield f"fourier/taylor/t={t:g}", spectral, reference, 1e-9, formula
        yield f"split/taylor/t={t:g}", split, reference, 5e-6, formula


def _split_displacement(times: Array, cells: int) -> Array:
    axis = Cells(faces=np.linspace(-1, 1, cells + 1))
    ones = np.ones_like(axis.points)
    problem = PulseProblem(
        mass=axis.mass(ones),
        streaming=axis.mass(axis.points),
        operator=(axis.conductance(1 - axis.inner**2, np.ones_like(axis.between)), 0 * ones),
        initial=axis.load(ones),
        width=0.2,
        times=times,
    )
    solution = solve_split(problem, 8 * cells)
    return _displacement(solution.s, solution.values @ axis.weights, 0.2)


def _displacement(s: Array, density: Array, width: float) -> Array:
    return np.asarray(density @ s**2 / density.sum(axis=1) - width**2)
