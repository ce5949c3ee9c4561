"""The steady flux tube: what both methods share of geometry, source, and what is read off."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.polynomial.legendre import legvander
from numpy.typing import NDArray

from crtransport.deck.flux_tube import FluxTubeDeck
from crtransport.problems.pitch_angle import Coordinate, Medium
from crtransport.solvers.elements import Elements
from crtransport.solvers.finite_volume import Cells
from crtransport.solvers.problem import TwoWaySolution

Array = NDArray[np.float64]


class View(NamedTuple):
    """What is read off a vector of coefficients.

    Attributes
    ----------
    at_chi : [chi, function]
        f on the grid of χ.
    moments : [ell, function]
        Multipoles f_ℓ = (2ℓ+1)/2 ∫ f P_ℓ(μ) dμ.
    step : (n_functions,) array
        f(μ) − f(−μ) at the deck's step_mu.
    """

    at_chi: Array
    moments: Array
    step: Array


@dataclass(frozen=True, kw_only=True)
class Steady:
    """The steady answer: [zeta, …] arrays, and how good they are.

    Attributes
    ----------
    distribution : [zeta, chi]
    multipole : [zeta, ell]
    step : (n_zeta,) array
        Over the mean intensity.
    error, residual, balance : float
        Relative difference from the next coarser resolution (L2 in μ), residual of the linear
        system, mismatch of the particle balance.
    unknowns : int
    """

    distribution: Array
    multipole: Array
    step: Array
    error: float
    residual: float
    balance: float
    unknowns: int


def medium_at(deck: FluxTubeDeck, zeta: float, rigidity: float | None) -> Medium:
    """The medium at one ζ, for one rigidity (GV)."""
    variation = deck.tube.variation
    medium = Medium(
        scattering=deck.scattering,
        loss=deck.loss,
        rate=deck.scattering.rate(rigidity),
        loss_rate=deck.loss.rate,
        inverse_focusing_length=deck.tube.inverse_focusing_length,
    )
    if variation is None:
        return medium
    slope = variation.value("slope", zeta, deck.scattering.slope)
    return replace(
        medium,
        scattering=replace(deck.scattering, slope=slope),
        rate=medium.rate * variation.value("scattering", zeta, 1.0),
        loss_rate=medium.loss_rate * variation.value("loss", zeta, 1.0),
        inverse_focusing_length=variation.value(
            "inverse_focusing_length", zeta, medium.inverse_focusing_length
        ),
    )


def tube_edges(deck: FluxTubeDeck, pieces: int) -> Array:
    """Edges between parts: the source, and where coefficients vary the knots and the outputs.

    Between two of those ``pieces`` equal parts, so that the error falls with their length squared
    at each output.
    """
    half_range = deck.source.kind == "half-range"
    end = np.inf if deck.tube.length is None else deck.tube.length
    edges = [0.0, end] if half_range else [-np.inf, 0.0, end]
    variation = deck.tube.variation
    if variation is not None:
        knots = np.asarray(variation.zeta)
        if variation.interpolation == "linear":
            marks = [z for z in (0.0, *deck.output.zeta) if knots[0] < z < knots[-1]]
            knots = np.unique([*knots, *marks])
            knots = np.concatenate([np.linspace(a, b, pieces + 1) for a, b in pairwise(knots)])
        edges.extend(knots)
    inside = np.unique(edges)
    return inside[(inside >= min(edges[0], 0.0)) & (inside <= end)]


def make_view(deck: FluxTubeDeck, where: Coordinate, axis: Elements | Cells) -> View:
    """Rows that turn coefficients on ``axis`` into the outputs of the deck."""
    output = deck.output
    chi = np.linspace(-1, 1, output.chi_points)
    chi_step = output.step_mu ** (1 / where.m)
    step = _at(axis, where.x(np.array([chi_step, -chi_step])))
    return View(_at(axis, where.x(chi)), _moments(axis, where, output.ell_max), step[0] - step[1])


def _moments(axis: Elements | Cells, where: Coordinate, ell_max: int) -> Array:
    """[ell, function] (2ℓ+1)/2 ∫ φ P_ℓ(μ) dμ."""
    if isinstance(axis, Cells):
        # exactly, by ∫P_ℓ dμ = (P_{ℓ+1} − P_{ℓ−1})/(2ℓ+1): a constant has no multipoles
        at_faces = legvander(where.mu(axis.faces), ell_max + 1).T
        lower = np.vstack([np.zeros_like(at_faces[:1]), at_faces[:-2]])
        return np.asarray(np.diff(at_faces[1:] - lower, axis=1) / 2)
    ell = np.arange(ell_max + 1)
    density = legvander(where.mu(axis.points), ell_max) * where.measure(axis.points)[:, None]
    scale = where.power * (2 * ell + 1) / 2
    return scale[:, None] * np.stack([axis.load(column) for column in density.T])


def _at(axis: Elements | Cells, x: Array) -> Array:
    """[point, function] values at x; between cell middles, and beyond the last, linear."""
    if isinstance(axis, Elements):
        return axis.at(x)
    points = axis.points
    k = np.clip(np.searchsorted(points, x) - 1, 0, len(points) - 2)
    t = (x - points[k]) / (points[k + 1] - points[k])
    out = np.zeros((len(x), len(points)))
    rows = np.arange(len(x))
    out[rows, k], out[rows, k + 1] = 1 - t, t
    return out


def difference(deck: FluxTubeDeck, fine: Steady, coarse: Steady) -> float:
    """Largest relative difference over ζ, L2 in μ."""
    chi = np.linspace(-1, 1, deck.output.chi_points)
    weight = np.abs(chi) ** (deck.scattering.m - 1)
    scale = np.max(np.abs(fine.distribution)) or 1.0
    size = np.sqrt((fine.distribution / scale) ** 2 @ weight)
    gap = np.sqrt(((fine.distribution - coarse.distribution) / scale) ** 2 @ weight)
    return float(np.max(gap / np.maximum(size, 1e-12 * np.max(size))))


def source_loads(
    deck: FluxTubeDeck,
    edges: Array,
    axis: Elements | Cells,
    speed: Array,
    profile: Array,
    emitted: Array,
) -> dict[str, Any]:
    """The source in the terms of a two-way problem: inflow at the left end, or a jump at 0."""
    if deck.source.kind == "half-range":
        return {"inflow_left": axis.load(np.maximum(speed, 0) * profile)}
    density = speed * profile if deck.source.kind == "jump" else emitted
    return {"jumps": {int(np.flatnonzero(edges == 0.0)[0]): axis.load(density)}}


def sample(deck: FluxTubeDeck, view: View, solution: TwoWaySolution) -> Steady:
    """The outputs of the deck from a solution; ``error`` is for the caller to estimate."""
    coefficients = solution.evaluate(np.asarray(deck.output.zeta))
    multipole = coefficients @ view.moments.T
    with np.errstate(divide="ignore", invalid="ignore"):  # where nothing is left
        step = (coefficients @ view.step) / multipole[:, 0]
    return Steady(
        distribution=coefficients @ view.at_chi.T,
        multipole=multipole,
        step=step,
        error=np.inf,
        residual=solution.residual,
        balance=solution.balance,
        unknowns=solution.unknowns,
    )
