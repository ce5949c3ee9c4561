"""The flux-tube model: a deck in, a dataset out."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from crtransport.deck.flux_tube import FiniteDifference, FluxTubeDeck
from crtransport.problems.pitch_angle import (
    Medium,
    cell_axis,
    cell_conductance,
    converged_decay,
    coordinate,
    loss_density,
    streaming,
)
from crtransport.problems.pulse import Spread, solve_pulse
from crtransport.problems.tube import Steady, cell_rates, make_view, medium_at, solve_steady
from crtransport.solvers.sturm import mode_of_rate

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
    merged = xr.concat(cases, dim=rigidity, combine_attrs="drop")
    merged.attrs = {name: max(case.attrs[name] for case in cases) for name in cases[0].attrs}
    return merged


def _solve_one(deck: FluxTubeDeck, rigidity: float | None) -> xr.Dataset:
    medium = medium_at(deck, 0.0, rigidity)
    modes, mode_error = _modes(deck, medium)
    if deck.pulse is not None:
        spread = solve_pulse(deck, rigidity)
        variables = _pulse_variables(spread)
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
    figures["error_estimate"] = float(max(figures["error_estimate"], mode_error))
    figures["error_tolerance"] = deck.solver.rtol
    variables |= modes
    variables["mean_free_path"] = (
        (),
        np.asarray(deck.scattering.mean_free_path_times_C() / medium.rate),
        {"units": "pc", "long_name": "parallel mean free path at the source"},
    )
    return xr.Dataset(variables, coords=_coordinates(deck), attrs=figures)


def _modes(deck: FluxTubeDeck, medium: Medium) -> tuple[Variables, float]:
    """Eigenvalues and eigenfunctions at the source, and the largest relative error."""
    n, m = deck.output.modes, deck.scattering.m
    where = coordinate(medium.scattering)
    if isinstance(deck.solver, FiniteDifference):
        fine = cell_axis(where, deck.solver.cells, smooth=where.power == where.m)
        coarse = cell_axis(where, 2 * (deck.solver.cells // 4), smooth=where.power == where.m)
        rates = cell_rates(medium, where, fine, n)
        errors = np.abs(rates - cell_rates(medium, where, coarse, n)) / 3
        parts = (
            cell_conductance(medium, where, fine),
            fine.mass(loss_density(medium, where, fine.points)),
            fine.mass(streaming(medium, where, fine.points)),
        )
        vectors = np.stack([mode_of_rate(*parts, rate) for rate in rates], axis=1)
        scale = np.abs(np.einsum("i,ij->j", parts[2], vectors**2))
        view = make_view(deck, where, fine)
    else:
        decay, errors = converged_decay(medium, where, n, deck.solver.rtol)
        rates, vectors = decay.rates, decay.modes.up
        if decay.modes.constant:
            vectors = np.column_stack([np.eye(len(vectors))[0], vectors])
        vectors = vectors[:, :n]
        scale = np.ones(n)
        view = make_view(deck, where, decay.axis)
    scale[rates == 0] = 1.0
    shape = (view.at_chi @ vectors).T * np.sqrt(m / where.power / scale)[:, None]
    shape[rates == 0] = 1.0
    unit = m**2 / medium.rate
    relative = np.divide(errors, rates, out=np.zeros(n), where=rates > 0)
    variables: Variables = {
        "eigenvalue": (
            ("mode",),
            rates * unit,
            {"units": "1", "long_name": "decay rate Λ = m²λ/C of the modes at the source"},
        ),
        "eigenvalue_rel_error": (
            ("mode",),
            relative,
            {"units": "1", "long_name": "relative numerical error estimate of the eigenvalue"},
        ),
        "decay_length": (
            ("mode",),
            np.divide(1.0, rates, out=np.full(n, np.inf), where=rates > 0),
            {"units": "pc", "long_name": "decay length 1/λ of the modes"},
        ),
        "eigenfunction": (
            ("mode", "chi"),
            shape,
            {"units": "1", "long_name": "eigenfunction, ∫χ^(2m−1) f² dχ = 1 (1 where Λ = 0)"},
        ),
    }
    return variables, float(np.max(relative))


def _steady_variables(steady: Steady) -> Variables:
    return _angular_variables(("zeta",), steady.distribution, steady.multipole, steady.step)


def _pulse_variables(spread: Spread) -> Variables:
    variables = _angular_variables(
        ("ct", "zeta"), spread.distribution, spread.multipole, spread.step
    )
    variables["mean_square_displacement"] = (
        ("ct",),
        spread.displacement,
        {"units": "pc2", "long_name": "mean square displacement along the tube"},
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
    with np.errstate(divide="ignore", invalid="ignore"):
        anisotropy = distribution / mean[..., None] - 1
    return {
        "distribution": (
            (*dims, "chi"),
            distribution,
            {"units": "1", "long_name": "distribution f, in units of the source"},
        ),
        "anisotropy": (
            (*dims, "chi"),
            anisotropy,
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
    output = deck.output
    chi = np.linspace(-1, 1, output.chi_points)
    mu = np.sign(chi) * np.abs(chi) ** deck.scattering.m
    coordinates: dict[str, Any] = {
        "mode": ("mode", np.arange(output.modes), {"units": "1", "long_name": "mode number"}),
        "chi": ("chi", chi, {"units": "1", "long_name": "χ = sgn(μ)|μ|^(1/m)"}),
        "mu": ("chi", mu, {"units": "1", "long_name": "cosine of the pitch angle"}),
        "zeta": (
            "zeta",
            np.asarray(output.zeta),
            {"units": "pc", "long_name": "distance from the source along the tube"},
        ),
        "ell": (
            "ell",
            np.arange(output.ell_max + 1),
            {"units": "1", "long_name": "multipole order"},
        ),
    }
    if deck.pulse is not None:
        coordinates["ct"] = (
            "ct",
            np.asarray(deck.pulse.ct),
            {"units": "pc", "long_name": "time as light path"},
        )
    return coordinates


def headline(dataset: xr.Dataset) -> list[tuple[str, str]]:
    """The numbers that a run prints."""
    first = dataset.isel(rigidity=0) if "rigidity" in dataset.dims else dataset
    rows = []
    if "rigidity" in dataset.dims:
        rows.append(("shown for rigidity", f"{float(first.rigidity):g} GV"))
    values = ", ".join(f"{value:.6g}" for value in first.eigenvalue.values[:3])
    rows.append(("eigenvalues Λ", values))
    if "ct" in dataset.dims:
        last = first.isel(ct=-1)
        rows.append((f"⟨ζ²⟩ at ct = {float(last.ct):g} pc", f"{float(last.mean_square_displacement):.6g} pc2"))
        return rows
    for at in first.zeta.values:
        here = first.sel(zeta=at)
        dipole = float(here.multipole[1] / here.mean_intensity)
        rows.append(
            (
                f"ζ = {at:g} pc",
                f"⟨f⟩ {float(here.mean_intensity):.5g}, dipole {dipole:.3g}, "
                f"step {float(here.equator_step):.3g}",
            )
        )
    return rows
