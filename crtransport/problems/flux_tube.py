"""The flux-tube model: a deck in, a dataset out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

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
    coordinate,
    decay_ladder,
    streaming,
)
from crtransport.problems.pulse import Spread, solve_pulse
from crtransport.problems.tube import Steady, medium_at
from crtransport.problems.tube_arrival import arrival_rows, shock_rows, with_arrival, with_shock
from crtransport.problems.tube_modes import extrapolation_length, solve_by_modes
from crtransport.problems.tube_view import Angular, between_cells, check_signs, make_view, remaining

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
        return with_shock(deck, cases[0])
    rigidity = xr.DataArray(
        np.asarray(deck.output.rigidity),
        dims="rigidity",
        attrs={"units": "GV", "long_name": "rigidity"},
    )
    merged = xr.concat(cases, dim=rigidity, combine_attrs="override")
    merged.attrs = {
        name: float(np.max([case.attrs[name] for case in cases])) for name in cases[0].attrs
    }
    return with_shock(deck, with_arrival(deck, merged))


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
    errors = [mode_error]
    if deck.pulse is not None:
        spread = solve_pulse(deck, rigidity)
        variables = _pulse_variables(deck, spread)
        errors.append(spread.error)
        figures: dict[str, Any] = {"unknowns": spread.unknowns}
    else:
        steady = solve_steady(deck, rigidity)
        variables = _steady_variables(deck, steady)
        errors.append(steady.error)
        figures = {"residual": steady.residual, "unknowns": steady.unknowns}
        if np.isfinite(steady.balance):
            figures["particle_balance"] = steady.balance
    others = [_with_slope(deck, slope) for slope in deck.output.slopes]
    if others:
        answers = [solve_steady(other) for other in others]
        variables |= _slope_variables(others, answers)
        errors += [answer.error for answer in answers]
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
        length, error = extrapolation_length(medium, deck.solver.rtol)
        errors.append(error)
        variables["extrapolation_length"] = (
            (),
            np.asarray(length),
            {
                "units": deck.scattering.length_unit,
                "long_name": "extrapolation length z₀ of the Milne problem at the source",
            },
        )
    # the largest of all that the dataset holds; one that is no number stays one
    figures["error_estimate"] = float(np.max(errors))
    figures["error_tolerance"] = deck.solver.rtol
    figures["turbulence_slope"] = deck.scattering.slope
    return xr.Dataset(variables, coords=_coordinates(deck), attrs=figures)


#: cells of modes over those of the distribution along the tube
_MORE_CELLS = 4


def _modes(deck: FluxTubeDeck, medium: Medium) -> tuple[Variables, float]:
    """Eigenvalues and eigenfunctions at the source, and their largest relative error."""
    n, m = deck.output.modes, deck.scattering.m
    # χ and the losses refer to the m of the deck, also where the slope varies along ζ
    where = coordinate(medium.scattering)._replace(m=m)
    found = _cell_modes if isinstance(deck.solver, FiniteDifference) else _spectral_modes
    rates, errors, shapes, shape_error = found(deck, medium, where)
    zero = rates == 0
    relative = np.divide(errors, rates, out=np.zeros(n), where=~zero)
    length = np.divide(1.0, rates, out=np.full(n, np.inf), where=~zero)
    unit = {
        "units": deck.scattering.length_unit,
        "long_name": "decay length 1/λ of the modes, infinite where λ = 0",
    }
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
    return variables, float(np.max([np.max(relative), shape_error]))


def _normed(where: Coordinate, rates: Array, shapes: Array) -> Array:
    """Shapes of ∫h f² = 1 in the norm of χ, positive at μ = 1; 1 where the rate is zero."""
    shapes = shapes * np.sqrt(where.m / where.power)
    shapes *= np.where(shapes[:, -1] < 0, -1.0, 1.0)[:, None]
    shapes[rates == 0] = 1.0
    return shapes


def _apart(fine: Array, coarse: Array) -> float:
    """Largest difference of shapes, relative to the largest value of each."""
    return float(np.max(np.max(np.abs(fine - coarse), axis=1) / np.max(np.abs(fine), axis=1)))


def _spectral_modes(
    deck: FluxTubeDeck, medium: Medium, where: Coordinate
) -> tuple[Array, Array, Array, float]:
    n, rtol = deck.output.modes, deck.solver.rtol
    before: Array | None = None
    for decay, errors in decay_ladder(medium, where, n):
        vectors = decay.modes.up
        if decay.modes.constant:
            vectors = np.column_stack([np.eye(len(vectors))[0], vectors])
        shapes = (make_view(deck, where, decay.axis).at_chi @ vectors[:, :n]).T
        shapes = _normed(where, decay.rates, shapes)
        if before is not None:
            apart = _apart(shapes, before)
            if apart <= rtol and np.all(errors <= rtol * decay.rates):
                break
        before = shapes
    return decay.rates, errors, shapes, apart


def _cell_modes(
    deck: FluxTubeDeck, medium: Medium, where: Coordinate
) -> tuple[Array, Array, Array, float]:
    assert isinstance(deck.solver, FiniteDifference)
    # one distribution along ζ costs as much as a thousand modes
    cells = _MORE_CELLS * deck.solver.cells
    fine, coarse, coarsest = (_modes_on(deck, medium, where, cells // k) for k in (1, 2, 4))
    (rates, shapes), last = fine, _apart(fine[1], coarse[1])
    gap = np.abs(rates - coarse[0])
    shares = [remaining(*pair) for pair in zip(np.abs(coarse[0] - coarsest[0]), gap, strict=True)]
    return rates, gap * shares, shapes, last * remaining(_apart(coarse[1], coarsest[1]), last)


def _modes_on(
    deck: FluxTubeDeck, medium: Medium, where: Coordinate, cells: int
) -> tuple[Array, Array]:
    from crtransport.problems.tube_cells import cell_rates
    from crtransport.solvers.sturm import mode_of_rate

    axis = cell_axis(where, cells, smooth=where.power == where.m)
    rates = cell_rates(medium, where, axis, deck.output.modes)
    conductance = cell_conductance(medium, where, axis)
    loss = cell_loss(medium, where, axis)
    speed = axis.mass(streaming(medium, where, axis.points))
    vectors = np.stack([mode_of_rate(conductance, loss, speed, rate) for rate in rates])
    norms = np.where(rates > 0, np.abs(vectors**2 @ speed), 1.0)
    chi = np.linspace(-1, 1, deck.output.chi_points)
    shapes = between_cells(axis, vectors / np.sqrt(norms)[:, None], where.x(chi))
    return rates, _normed(where, rates, shapes)


def _with_slope(deck: FluxTubeDeck, slope: float) -> FluxTubeDeck:
    """The same deck for another turbulence slope; χ and, unless given, C go with it."""
    return replace(
        deck,
        scattering=replace(deck.scattering, slope=slope),
        output=replace(deck.output, slopes=()),
    )


def _slope_variables(decks: list[FluxTubeDeck], answers: list[Steady]) -> Variables:
    anisotropy = [answer.anisotropy for answer in answers]
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


def _chi_and_mu(deck: FluxTubeDeck) -> tuple[Array, Array]:
    chi = np.linspace(-1, 1, deck.output.chi_points)
    return chi, np.sign(chi) * np.abs(chi) ** deck.scattering.m


def _steady_variables(deck: FluxTubeDeck, steady: Steady) -> Variables:
    check_signs(deck, "ζ =", np.asarray(deck.output.zeta), steady.moments[:, 0])
    return _angular_variables(("zeta",), steady, "")


def _pulse_variables(deck: FluxTubeDeck, spread: Spread) -> Variables:
    known = ~spread.unknown
    places = np.broadcast_to(np.asarray(deck.output.zeta), known.shape)
    check_signs(deck, "ζ =", places[known], spread.moments[known, 0])
    variables = _angular_variables(
        ("ct", "zeta"),
        spread,
        "; its error is error_estimate times max⟨f⟩/⟨f⟩, and it is nan where ⟨f⟩ is not known",
    )
    for name, (dims, values, attrs) in variables.items():
        # relative numbers have no value where ⟨f⟩ is zero as far as is known
        nothing = np.nan if name in _RELATIVE else 0.0
        mask = spread.unknown if values.ndim == 2 else spread.unknown[..., None]
        variables[name] = (dims, np.where(mask, nothing, values), attrs)
    variables["mean_square_displacement"] = (
        ("ct",),
        spread.displacement,
        {
            "units": "pc2" if deck.scattering.length_unit == "pc" else "1",
            "long_name": "mean square displacement along the tube",
        },
    )
    variables["number"] = (
        ("ct",),
        spread.number * np.exp(-spread.exponent[:, 0]),
        {"units": "1", "long_name": "particles left, ∫⟨f⟩dζ"},
    )
    return variables


#: what is relative to ⟨f⟩, or its logarithm
_RELATIVE = ("anisotropy", "relative_multipole", "equator_step", "log10_mean_intensity")


def _angular_variables(dims: tuple[str, ...], read: Angular, remark: str) -> Variables:
    return {
        "distribution": (
            (*dims, "chi"),
            read.distribution,
            {"units": "1", "long_name": "distribution f, in units of the source"},
        ),
        "anisotropy": (
            (*dims, "chi"),
            read.anisotropy,
            {"units": "1", "long_name": f"anisotropy (f − ⟨f⟩)/⟨f⟩{remark}"},
        ),
        "mean_intensity": (
            dims,
            read.multipole[..., 0],
            {"units": "1", "long_name": "⟨f⟩, mean over μ"},
        ),
        "log10_mean_intensity": (
            dims,
            read.log10_mean,
            {"units": "1", "long_name": "log₁₀|⟨f⟩|, also below the smallest float"},
        ),
        "multipole": (
            (*dims, "ell"),
            read.multipole,
            {"units": "1", "long_name": "coefficient of P_ℓ(μ) in f"},
        ),
        "relative_multipole": (
            (*dims, "ell"),
            read.relative_multipole,
            {"units": "1", "long_name": f"coefficient of P_ℓ(μ) over ⟨f⟩{remark}"},
        ),
        "equator_step": (
            dims,
            read.step,
            {"units": "1", "long_name": f"[f(μ_s) − f(−μ_s)]/⟨f⟩ across the equator{remark}"},
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
    rows += [*shock_rows(dataset), *arrival_rows(dataset)]
    if "ct" in dataset.dims:
        return rows + _pulse_rows(first, unit)
    for zeta in first.zeta.values:
        here = first.sel(zeta=zeta)
        dipole, step = float(here.relative_multipole[1]), float(here.equator_step)
        text = f"⟨f⟩ {_mean_text(here)}, dipole {dipole:.3g}, step {step:.3g}"
        rows.append((f"ζ = {zeta:g}{unit}", text))
    return rows


def _mean_text(here: xr.Dataset) -> str:
    """⟨f⟩, as a power of ten where it is below the smallest float of full precision."""
    mean = float(here.mean_intensity)
    if abs(mean) >= np.finfo(float).tiny:
        return f"{mean:.5g}"
    sign = "−" if np.signbit(mean) else ""
    return f"{sign}10^{float(here.log10_mean_intensity):.6g} (below the smallest float)"


def _pulse_rows(first: xr.Dataset, unit: str) -> list[tuple[str, str]]:
    rows = []
    for ct in first.ct.values:
        here = first.sel(ct=ct)
        text = f"⟨ζ²⟩ {float(here.mean_square_displacement):.6g}{unit and ' pc2'}"
        if float(here.number) < np.finfo(float).tiny:
            text += ", number left below the smallest float"
        rows.append((f"ct = {ct:g}{unit}", text))
    unknown = int(np.sum(np.isnan(first.equator_step)))
    if unknown:
        why = "⟨f⟩ is below its numerical error, nothing has arrived"
        rows.append(("no anisotropy", f"at {unknown} of {first.equator_step.size} places: {why}"))
    return rows
