"""The flux-tube model: a deck in, a dataset out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from crtransport.deck.flux_tube import FiniteDifference, FluxTubeDeck
from crtransport.problems.pitch_angle import (
    Coordinate,
    Medium,
    cell_axis,
    cell_conductance,
    cell_loss,
    converged_decay,
    coordinate,
    streaming,
)
from crtransport.problems.pulse import Spread, solve_pulse
from crtransport.problems.tube import Steady, make_view, medium_at
from crtransport.problems.tube_modes import extrapolation_length, solve_by_modes

Array = NDArray[np.float64]
Variables = dict[str, tuple[tuple[str, ...], Array, dict[str, str]]]


def solve(deck: FluxTubeDeck) -> xr.Dataset:
    """Solve a flux-tube deck.

    Returns
    -------
    xarray.Dataset
        The variables of the flux-tube model, with a leading dimension ``rigidity`` where the
        deck names rigidities and ``ct`` where it asks for a pulse.
    """
    cases = [_solve_one(deck, rigidity) for rigidity in deck.output.rigidity or (None,)]
    if not deck.output.rigidity:
        return cases[0]
    rigidity = xr.DataArray(
        np.asarray(deck.output.rigidity),
        dims="rigidity",
        attrs={"units": "GV", "long_name": "rigidity"},
    )
    merged = xr.concat(cases, dim=rigidity, combine_attrs="override")
    merged.attrs = {name: max(case.attrs[name] for case in cases) for name in cases[0].attrs}
    return merged


def solve_steady(deck: FluxTubeDeck, rigidity: float | None = None) -> Steady:
    """The steady distribution along the tube at one rigidity (GV), by the deck's method."""
    if not isinstance(deck.solver, FiniteDifference):
        return solve_by_modes(deck, rigidity)
    # numba is loaded only where its kernels are used
    from crtransport.problems.tube_cells import solve_by_cells

    return solve_by_cells(deck, deck.solver, rigidity)


def _solve_one(deck: FluxTubeDeck, rigidity: float | None) -> xr.Dataset:
    medium = medium_at(deck, 0.0, rigidity)
    modes, mode_error = _modes(deck, medium)
    if deck.pulse is not None:
        spread = solve_pulse(deck, rigidity)
        variables = _pulse_variables(spread, deck.scattering.length_unit)
        figures = {"error_estimate": spread.error, "unknowns": spread.unknowns}
    else:
        steady = solve_steady(deck, rigidity)
        variables = _steady_variables(steady)
        figures = {
            "error_estimate": steady.error,
            "residual": steady.residual,
            "unknowns": steady.unknowns,
        }
        if np.isfinite(steady.balance):
            figures["particle_balance"] = steady.balance
    others = [_with_slope(deck, slope) for slope in deck.output.slopes]
    if others:
        answers = [solve_steady(other) for other in others]
        variables |= _slope_variables(others, answers)
        mode_error = max(mode_error, *(answer.error for answer in answers))
    figures["error_estimate"] = float(max(figures["error_estimate"], mode_error))
    figures["error_tolerance"] = deck.solver.rtol
    figures["turbulence_slope"] = deck.scattering.slope
    variables |= modes
    variables["mean_free_path"] = (
        (),
        np.asarray(deck.scattering.mean_free_path_times_C() / medium.rate),
        {
            "units": deck.scattering.length_unit,
            "long_name": "parallel mean free path at the source",
        },
    )
    if deck.source.kind == "half-range":
        variables["extrapolation_length"] = (
            (),
            np.asarray(extrapolation_length(medium)),
            {
                "units": deck.scattering.length_unit,
                "long_name": "extrapolation length z₀ of the Milne problem at the source",
            },
        )
    return xr.Dataset(variables, coords=_coordinates(deck), attrs=figures)


class _Modes(NamedTuple):
    """Decay rates (pc^-1), their absolute errors, [mode, chi] shapes and their ∫h f² at unit C."""

    rates: Array
    errors: Array
    shapes: Array
    norms: Array


def _modes(deck: FluxTubeDeck, medium: Medium) -> tuple[Variables, float]:
    """Eigenvalues and eigenfunctions at the source, and the largest relative error."""
    n, m = deck.output.modes, deck.scattering.m
    # χ and the losses refer to the m of the deck, also where the slope varies along ζ
    where = coordinate(medium.scattering)._replace(m=m)
    found = _cell_modes if isinstance(deck.solver, FiniteDifference) else _spectral_modes
    rates, errors, shapes, norms = found(deck, medium, where)
    shapes = shapes * np.sqrt(m / where.power / norms)[:, None]
    shapes *= np.where(shapes[:, -1] < 0, -1.0, 1.0)[:, None]
    shapes[rates == 0] = 1.0
    zero = rates == 0
    relative = np.divide(errors, rates, out=np.zeros(n), where=~zero)
    length = np.divide(1.0, rates, out=np.full(n, np.inf), where=~zero)
    unit = {"units": deck.scattering.length_unit, "long_name": "decay length 1/λ of the modes"}
    variables: Variables = {
        "eigenvalue": (
            ("mode",),
            rates * m**2 / medium.rate,
            {"units": "1", "long_name": "decay rate Λ = m²λ/C of the modes at the source"},
        ),
        "eigenvalue_rel_error": (
            ("mode",),
            relative,
            {"units": "1", "long_name": "relative numerical error estimate of the eigenvalue"},
        ),
        "decay_length": (("mode",), length, unit),
        "eigenfunction": (
            ("mode", "chi"),
            shapes,
            {"units": "1", "long_name": "eigenfunction, ∫χ^(2m−1) f² dχ = 1 (1 where Λ = 0)"},
        ),
    }
    return variables, float(np.max(relative))


def _spectral_modes(deck: FluxTubeDeck, medium: Medium, where: Coordinate) -> _Modes:
    n = deck.output.modes
    decay, errors = converged_decay(medium, where, n, deck.solver.rtol)
    vectors = decay.modes.up
    if decay.modes.constant:
        vectors = np.column_stack([np.eye(len(vectors))[0], vectors])
    shapes = (make_view(deck, where, decay.axis).at_chi @ vectors[:, :n]).T
    return _Modes(decay.rates, errors, shapes, np.ones(n))


def _cell_modes(deck: FluxTubeDeck, medium: Medium, where: Coordinate) -> _Modes:
    from crtransport.problems.tube_cells import cell_rates
    from crtransport.solvers.sturm import mode_of_rate

    assert isinstance(deck.solver, FiniteDifference)
    n, cells = deck.output.modes, deck.solver.cells
    smooth = where.power == where.m
    axis = cell_axis(where, cells, smooth)
    rates = cell_rates(medium, where, axis, n)
    coarse = cell_rates(medium, where, cell_axis(where, 2 * (cells // 4), smooth), n)
    conductance = cell_conductance(medium, where, axis)
    loss = cell_loss(medium, where, axis)
    speed = axis.mass(streaming(medium, where, axis.points))
    vectors = np.stack([mode_of_rate(conductance, loss, speed, rate) for rate in rates])
    norms = np.where(rates > 0, np.abs(vectors**2 @ speed), 1.0)
    shapes = vectors @ make_view(deck, where, axis).at_chi.T
    return _Modes(rates, np.abs(rates - coarse) / 3, shapes, norms)


def _with_slope(deck: FluxTubeDeck, slope: float) -> FluxTubeDeck:
    """The same deck for another turbulence slope; χ and, unless given, C go with it."""
    return replace(
        deck,
        scattering=replace(deck.scattering, slope=slope),
        output=replace(deck.output, slopes=()),
    )


def _slope_variables(decks: list[FluxTubeDeck], answers: list[Steady]) -> Variables:
    anisotropy = [_anisotropy(a.distribution, a.multipole[:, 0]) for a in answers]
    return {
        "anisotropy_by_slope": (
            ("slope", "zeta", "chi"),
            np.stack(anisotropy),
            {"units": "1", "long_name": "anisotropy (f − ⟨f⟩)/⟨f⟩ for other turbulence slopes"},
        ),
        "mu_by_slope": (
            ("slope", "chi"),
            np.stack([_chi_and_mu(deck)[1] for deck in decks]),
            {"units": "1", "long_name": "cosine of the pitch angle at χ for that slope"},
        ),
    }


def _anisotropy(distribution: Array, mean: Array) -> Array:
    """(f − ⟨f⟩)/⟨f⟩; nan where nothing is left."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(distribution / mean[..., None] - 1)


def _chi_and_mu(deck: FluxTubeDeck) -> tuple[Array, Array]:
    chi = np.linspace(-1, 1, deck.output.chi_points)
    return chi, np.sign(chi) * np.abs(chi) ** deck.scattering.m


def _steady_variables(steady: Steady) -> Variables:
    return _angular_variables(("zeta",), steady.distribution, steady.multipole, steady.step)


def _pulse_variables(spread: Spread, unit: str) -> Variables:
    variables = _angular_variables(
        ("ct", "zeta"), spread.distribution, spread.multipole, spread.step
    )
    variables["mean_square_displacement"] = (
        ("ct",),
        spread.displacement,
        {
            "units": "pc2" if unit == "pc" else "1",
            "long_name": "mean square displacement along the tube",
        },
    )
    variables["number"] = (
        ("ct",),
        spread.number,
        {"units": "1", "long_name": "particles left, ∫⟨f⟩dζ"},
    )
    return variables


def _angular_variables(
    dims: tuple[str, ...], distribution: Array, multipole: Array, step: Array
) -> Variables:
    mean = multipole[..., 0]
    return {
        "distribution": (
            (*dims, "chi"),
            distribution,
            {"units": "1", "long_name": "distribution f, in units of the source"},
        ),
        "anisotropy": (
            (*dims, "chi"),
            _anisotropy(distribution, mean),
            {"units": "1", "long_name": "anisotropy (f − ⟨f⟩)/⟨f⟩"},
        ),
        "mean_intensity": (dims, mean, {"units": "1", "long_name": "⟨f⟩, mean over μ"}),
        "multipole": (
            (*dims, "ell"),
            multipole,
            {"units": "1", "long_name": "coefficient of P_ℓ(μ) in f"},
        ),
        "equator_step": (
            dims,
            step,
            {"units": "1", "long_name": "[f(μ_s) − f(−μ_s)]/⟨f⟩ across the magnetic equator"},
        ),
    }


def _coordinates(deck: FluxTubeDeck) -> dict[str, Any]:
    output, unit = deck.output, deck.scattering.length_unit
    of = "" if unit == "pc" else ", in units of m²/C"
    chi, mu = _chi_and_mu(deck)
    coordinates: dict[str, Any] = {
        "mode": ("mode", np.arange(output.modes), {"units": "1", "long_name": "mode number"}),
        "chi": ("chi", chi, {"units": "1", "long_name": "χ = sgn(μ)|μ|^(1/m)"}),
        "mu": ("chi", mu, {"units": "1", "long_name": "cosine of the pitch angle"}),
        "zeta": (
            "zeta",
            np.asarray(output.zeta),
            {"units": unit, "long_name": f"distance from the source along the tube{of}"},
        ),
        "ell": (
            "ell",
            np.arange(output.ell_max + 1),
            {"units": "1", "long_name": "multipole order"},
        ),
    }
    if output.slopes:
        coordinates["slope"] = (
            "slope",
            np.asarray(output.slopes),
            {"units": "1", "long_name": "slope q of the turbulence spectrum"},
        )
    if deck.pulse is not None:
        coordinates["ct"] = (
            "ct",
            np.asarray(deck.pulse.ct),
            {"units": unit, "long_name": f"time as light path{of}"},
        )
    return coordinates


def headline(dataset: xr.Dataset) -> list[tuple[str, str]]:
    """The numbers that a run prints."""
    first = dataset.isel(rigidity=0) if "rigidity" in dataset.dims else dataset
    rows = []
    if "rigidity" in dataset.dims:
        rows.append(("shown for rigidity", f"{float(first.rigidity):g} GV"))
    unit = " pc" if first.zeta.attrs["units"] == "pc" else ""
    rows.append(("eigenvalues Λ", ", ".join(f"{x:.6g}" for x in first.eigenvalue.values[:3])))
    if "extrapolation_length" in dataset:
        length = float(first.extrapolation_length)
        rows.append(("extrapolation length", f"{length:.5g}{unit or ' m²/C'}"))
    if "ct" in dataset.dims:
        for ct in first.ct.values:
            moved = float(first.mean_square_displacement.sel(ct=ct))
            rows.append((f"ct = {ct:g}{unit}", f"⟨ζ²⟩ {moved:.6g}{unit and ' pc2'}"))
        return rows
    for zeta in first.zeta.values:
        here = first.sel(zeta=zeta)
        mean, dipole = float(here.mean_intensity), float(here.multipole[1] / here.mean_intensity)
        text = f"⟨f⟩ {mean:.5g}, dipole {dipole:.3g}, step {float(here.equator_step):.3g}"
        rows.append((f"ζ = {zeta:g}{unit}", text))
    return rows
