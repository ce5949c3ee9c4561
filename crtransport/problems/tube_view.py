"""What is read off a flux tube: f against pitch angle in scaled form, and how well it is known.

Far from a source f falls below the smallest float while its anisotropy stays what it is. So f is
kept as g exp(−S) with g of order one, and what is relative is read off g.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.polynomial.legendre import legvander
from numpy.typing import NDArray

from crtransport.deck.flux_tube import FluxTubeDeck
from crtransport.problems.pitch_angle import Coordinate
from crtransport.solvers.elements import Elements
from crtransport.solvers.errors import ConvergenceError
from crtransport.solvers.finite_volume import Cells

Array = NDArray[np.float64]


class View(NamedTuple):
    """What is read off a vector of coefficients.

    Attributes
    ----------
    at_chi : [chi, function]
        f on the grid of χ.
    contrast : [chi, function]
        f − ⟨f⟩ on that grid; without the constant, so that a small anisotropy keeps its digits.
    moments : [ell, function]
        Multipoles f_ℓ = (2ℓ+1)/2 ∫ f P_ℓ(μ) dμ.
    step : (n_functions,) array
        f(μ) − f(−μ) at the deck's step_mu.
    """

    at_chi: Array
    contrast: Array
    moments: Array
    step: Array


@dataclass(frozen=True, kw_only=True)
class Angular:
    """f against pitch angle at places: f = g exp(−exponent), the arrays are those of g.

    Attributes
    ----------
    shape, contrast : [..., chi]
        g and g − ⟨g⟩.
    moments : [..., ell]
    gap : [...]
        g(μ) − g(−μ) at step_mu.
    exponent : [...]
    """

    shape: Array
    contrast: Array
    moments: Array
    gap: Array
    exponent: Array

    def read(self) -> list[tuple[str, Array]]:
        """The arrays by name."""
        names = ("shape", "contrast", "moments", "gap", "exponent")
        return [(name, getattr(self, name)) for name in names]

    @property
    def distribution(self) -> Array:
        """F on the grid of χ; 0 where it is below the smallest float."""
        return self.shape * np.exp(-self.exponent)[..., None]

    @property
    def multipole(self) -> Array:
        """Coefficients of P_ℓ(μ) in f; the first is ⟨f⟩."""
        return self.moments * np.exp(-self.exponent)[..., None]

    @property
    def log10_mean(self) -> Array:
        """Decimal logarithm of |⟨f⟩|, finite also where ⟨f⟩ is below the smallest float."""
        with np.errstate(divide="ignore"):
            return np.asarray(np.log10(np.abs(self.moments[..., 0])) - self.exponent / np.log(10.0))

    @property
    def anisotropy(self) -> Array:
        """(f − ⟨f⟩)/⟨f⟩ on the grid of χ."""
        return _over(self.contrast, self.moments[..., :1])

    @property
    def relative_multipole(self) -> Array:
        """Coefficients of P_ℓ(μ) over ⟨f⟩."""
        return _over(self.moments, self.moments[..., :1])

    @property
    def step(self) -> Array:
        """f(μ) − f(−μ) over ⟨f⟩."""
        return _over(self.gap, self.moments[..., 0])


def _over(values: Array, mean: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):  # where ⟨f⟩ is zero
        return np.asarray(values / mean)


def read_off(view: View, coefficients: Array, exponent: Array) -> dict[str, Any]:
    """The fields of Angular from [..., function] coefficients of g."""
    return {
        "shape": coefficients @ view.at_chi.T,
        "contrast": coefficients @ view.contrast.T,
        "moments": coefficients @ view.moments.T,
        "gap": coefficients @ view.step,
        "exponent": np.broadcast_to(exponent, coefficients.shape[:-1]),
    }


def disagreement(fine: Angular, coarse: Angular, rounding: float) -> Array:
    """[...] largest relative difference of all that is read off at a place.

    Of f and of its anisotropy over μ relative to their largest; of ⟨f⟩; of the multipoles and the
    step over ⟨f⟩ relative to the largest anisotropy, as they change sign along the tube. A
    difference of anisotropies below ``rounding`` does not count.
    """
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        shift = np.exp(fine.exponent - coarse.exponent)[..., None]
        gaps = [
            _relative(fine.shape, shift * coarse.shape),
            _relative(fine.moments[..., :1], shift * coarse.moments[..., :1]),
        ]
        largest = np.max(np.abs(fine.anisotropy), axis=-1)
        for a, b in (
            (fine.anisotropy, coarse.anisotropy),
            (fine.relative_multipole[..., 1:], coarse.relative_multipole[..., 1:]),
            (fine.step[..., None], coarse.step[..., None]),
        ):
            gap = np.max(np.abs(a - b), axis=-1)
            gaps.append(np.where(gap <= rounding, 0.0, gap / largest))
    return np.max(np.stack(gaps), axis=0)


def _relative(fine: Array, coarse: Array) -> Array:
    """Largest difference over the last axis over the largest value there."""
    return np.asarray(np.max(np.abs(fine - coarse), axis=-1) / np.max(np.abs(fine), axis=-1))


def remaining(before: float, last: float) -> float:
    """The share of the last of two differences that is left, from how they fall, doubled grids.

    1/(r − 1) where they fall r-fold, and half as much again: no grid is quite asymptotic. Not below
    a third, which second order leaves, and not above 1.5, where they fall by half or less.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.divide(1.5 * last, before - last)
    return float(np.clip(share, 1 / 3, 1.5)) if before > last else 1.5


def check_signs(deck: FluxTubeDeck, where: str, places: Array, mean: Array) -> None:
    """Refuse a mean that is no number or zero, or negative though nothing negative is emitted.

    Raises
    ------
    ConvergenceError
    """
    wrong = ~np.isfinite(mean) | (mean == 0)
    if _emits_only(deck):
        wrong |= mean < 0
    if not np.any(wrong):
        return
    first = int(np.argmax(wrong))
    what = "negative" if mean[first] < 0 else "zero" if mean[first] == 0 else "no number"
    others = int(np.sum(wrong)) - 1
    more = f" and {others} other places" if others else ""
    raise ConvergenceError(f"⟨f⟩ is {what} at {where} {places[first]:g}{more}: {_advice(deck)}")


def _advice(deck: FluxTubeDeck) -> str:
    if deck.solver.kind == "finite-difference":
        return 'take more cells and steps, or solver.kind = "spectral"'
    return "the scattering, loss or focusing rates span more digits than floats have"


def _emits_only(deck: FluxTubeDeck) -> bool:
    """Whether the source adds particles at all pitch angles, so that f cannot be negative."""
    chi = np.linspace(-1, 1, 401)
    m = deck.scattering.m
    emitted = deck.source.profile(np.sign(chi) * np.abs(chi) ** m, m)
    if deck.pulse is None and deck.source.kind == "jump":
        emitted = emitted * np.sign(chi)  # μ Q₁ is what is set free
    if deck.pulse is None and deck.source.kind == "half-range":
        emitted = emitted[chi > 0]
    return bool(np.all(emitted >= 0))


def make_view(deck: FluxTubeDeck, where: Coordinate, axis: Elements | Cells) -> View:
    """Rows that turn coefficients on ``axis`` into the outputs of the deck."""
    output = deck.output
    chi = np.linspace(-1, 1, output.chi_points)
    chi_step = output.step_mu ** (1 / where.m)
    at_chi, moments = _at(axis, where.x(chi)), _moments(axis, where, output.ell_max)
    contrast = at_chi - moments[0]
    above, below = _at(axis, where.x(np.array([chi_step, -chi_step])))
    if isinstance(axis, Elements):
        contrast[:, 0] = moments[1:, 0] = 0.0  # function 0 is the constant: exactly
    return View(at_chi, contrast, moments, above - below)


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
    """[point, function] values at x."""
    if isinstance(axis, Elements):
        return axis.at(x)
    return between_cells(axis, np.eye(axis.n_functions), x).T


def between_cells(axis: Cells, values: Array, x: Array) -> Array:
    """[..., point] of [..., cell] values at x: the cubic through four middles of one side.

    None from across the equator, where f may have a kink; beyond the last middle it goes on.
    """
    points, half = axis.points, axis.n_functions // 2
    first = np.searchsorted(points, x) - 2
    first = np.where(x < 0, np.minimum(first, half - 4), np.maximum(first, half))
    first = np.clip(first, 0, len(points) - 4)
    index = first[:, None] + np.arange(4)
    near = points[index]
    found = np.zeros((*values.shape[:-1], len(x)))
    for i in range(4):
        others = [k for k in range(4) if k != i]
        weight = np.prod((x[:, None] - near[:, others]) / (near[:, [i]] - near[:, others]), axis=1)
        found += weight * values[..., index[:, i]]
    return found
