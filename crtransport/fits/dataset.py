"""One measurement in a fit: which points count, with which errors, against which prediction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from scipy.special import log_ndtr

from crtransport.fits.asymmetric import limit_chi2, limit_sigma, side
from crtransport.fits.bins import RATIO_INDEX, averages
from crtransport.fits.parameters import FitError
from crtransport.fits.treatments import Given, Quadrature, Systematics
from crtransport.measurements.table import Measurement

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
Curve = Callable[[Array], Array]

#: points of one set: more have no covariance that fits into memory
_MOST = 5000
#: relative step of x for the derivative of a curve by the scale of its axis
_STEP = 1e-4


class Match(NamedTuple):
    """χ² of a data set, and its derivatives by what was predicted.

    Attributes
    ----------
    chi2 : float
    prediction : array (n,)
        What should have been measured at the points that count.
    at, weights : array (n, k)
        Where the curve was taken, and ∂χ²/∂curve there.
    by_norm, by_scale : float
        ∂χ²/∂(shift of the norm), ∂χ²/∂(shift of the energy scale).
    """

    chi2: float
    prediction: Array
    at: Array
    weights: Array
    by_norm: float
    by_scale: float


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """A measurement and its treatment.

        χ² = (m − y)ᵀ C⁻¹ (m − y) − 2 Σ_limits ln Φ((L − m)/σ_L)

    with m the curve averaged over each bin, C of the errors on the side of m (`asymmetric`), no
    determinant. With a shift ν of the norm and ε of the energy scale of the experiment, which took
    x for what is x(1 + ε), m = (1 + ν)(1 + ε) ⟨Φ(x(1 + ε))⟩; of a ratio without the factor (1 + ε).

    Attributes
    ----------
    table : Measurement
    systematics : Quadrature, Correlated or Given
        Which points hang together.
    x_min, x_max : float
        Points between these count, in the unit of x.
    norm_error, energy_error : float
        Relative 1σ of the norm and of the energy scale, shared by ``group``; 0: none.
    group : str
        What shares norm and energy scale; left out, the experiment.
    bins : bool
        Whether to average over bins, where the table has edges; else the curve counts at x.
    logarithmic : bool
        Whether y ln(m/y) stands in place of m − y: errors in proportion to the value, which
        differences take for smaller where the value fluctuates down (D'Agostini 1994, NIM A 346,
        306). Upper limits are not touched.
    """

    table: Measurement
    systematics: Systematics = field(default_factory=Quadrature)
    x_min: float = 0.0
    x_max: float = np.inf
    norm_error: float = 0.0
    energy_error: float = 0.0
    group: str = ""
    bins: bool = True
    logarithmic: bool = False

    def __post_init__(self) -> None:
        table = self.table
        if not self.some.any():
            span = f"{self.x_min:g} … {self.x_max:g}"
            raise FitError(f"{table.name}: none of its {table.x.size} points lies in {span}")
        if self.some.sum() > _MOST:
            why = f"{self.some.sum()} points; a fit takes at most {_MOST} of one table"
            raise FitError(f"{table.name}: {why}: average them, or take a part")
        blank = self.measured & ((table.error_lo <= 0) | (table.error_hi <= 0))
        if blank.any():
            where = ", ".join(f"{x:g}" for x in table.x[blank][:3])
            count = f"{blank.sum()} of its points have" if blank.sum() > 1 else "a point has"
            raise FitError(f"{table.name}: {count} no error (x = {where}) and cannot be fitted")
        if self.limits.any() and not (table.limit_level or 0) > 0.5:
            why = f"upper limits at the level {table.limit_level}; a fit needs one above 0.5"
            raise FitError(f"{table.name}: {why}")
        if np.any(table.y[self.limits] <= 0):
            raise FitError(f"{table.name}: an upper limit is not above 0")
        nothing = self.measured & (table.y <= 0)
        if self.logarithmic and nothing.any():
            where = f"x = {table.x[nothing][0]:g}"
            raise FitError(f"{table.name}: a value is 0 ({where}), and has no logarithm")
        if isinstance(self.systematics, Quadrature):
            return  # its covariance is diagonal
        try:
            np.linalg.cholesky(self.covariance(table.y[self.measured]))
        except np.linalg.LinAlgError:
            why = "points hang together so closely that their covariance cannot be inverted"
            raise FitError(f"{table.name}: {why}") from None

    @property
    def name(self) -> str:
        """Of the table."""
        return self.table.name

    @property
    def scales(self) -> str:
        """What its norm and energy scale are shared with."""
        return self.group or self.table.experiment

    @cached_property
    def some(self) -> Mask:
        """Which points of the table count."""
        return np.asarray((self.table.x >= self.x_min) & (self.table.x <= self.x_max))

    @cached_property
    def measured(self) -> Mask:
        """Which points count and are values."""
        return self.some & self.table.measured

    @cached_property
    def limits(self) -> Mask:
        """Which points count and are upper limits."""
        return self.some & ~self.table.measured

    @cached_property
    def places(self) -> tuple[Array, Array]:
        """(n, k) x and weights of the average over each bin that counts."""
        one, some = self.table, self.some
        if not self.bins or one.x_lo is None or one.x_hi is None:
            return one.x[some][:, None], np.ones((int(some.sum()), 1))
        index = 0.0 if one.is_flux else RATIO_INDEX
        return averages(one.x_lo[some], one.x_hi[some], index)

    @cached_property
    def _errors(self) -> tuple[Array, ...]:
        table, some = self.table, self.measured
        names = ("error_lo", "error_hi", "stat_lo", "stat_hi", "sys_lo", "sys_hi")
        return tuple(getattr(table, name)[some] for name in names)

    @cached_property
    def _correlations(self) -> tuple[Array, Array, Array]:
        """Of statistical and systematic errors, and what is added to their covariance."""
        some = np.ix_(self.measured, self.measured)
        if isinstance(self.systematics, Given):
            given = self.systematics.covariance(self.table)[some]
            return np.eye(given.shape[0]), np.zeros_like(given), given
        stat, sys = (one[some] for one in self.systematics.correlations(self.table))
        return stat, sys, np.zeros_like(stat)

    def predicted(self, curve: Curve, norm: float = 0.0, scale: float = 0.0) -> Array:
        """m at the points that count."""
        x, weights = self.places
        values = np.asarray(curve((x * (1 + scale)).ravel())).reshape(x.shape)
        return self._factor(norm, scale) * np.sum(weights * values, axis=1)

    def _factor(self, norm: float, scale: float) -> float:
        return (1 + norm) * (1 + scale if self.table.is_flux else 1.0)

    def match(self, curve: Curve, norm: float = 0.0, scale: float = 0.0) -> Match:
        """χ² of a curve, and its derivatives by it."""
        m = self.predicted(curve, norm, scale)
        chi2, slope = self.chi2_of(m)
        x, weights = self.places
        by_scale = 0.0
        if self.energy_error:
            up, down = (self.predicted(curve, norm, scale + s) for s in (_STEP, -_STEP))
            by_scale = float(slope @ (up - down)) / (2 * _STEP)
        return Match(
            chi2=chi2,
            prediction=m,
            at=x * (1 + scale),
            weights=self._factor(norm, scale) * slope[:, None] * weights,
            by_norm=float(slope @ m) / (1 + norm),
            by_scale=by_scale,
        )

    def chi2_of(self, prediction: Array) -> tuple[float, Array]:
        """χ² of what is predicted for the points that count, and its derivative by each."""
        values = self.table.measured[self.some]
        slope = np.zeros_like(prediction)
        chi2 = 0.0
        if values.any():
            chi2, slope[values] = self._gaussian(prediction[values])
        if not values.all():
            limit = self.table.y[self.limits]
            sigma = limit_sigma(limit, self.table.limit_level or 0.0)
            more, slope[~values], _ = limit_chi2(prediction[~values], limit, sigma)
            chi2 += more
        return chi2, slope

    def curvature(self, prediction: Array) -> Array:
        """Second derivatives of χ² by what is predicted, as if C did not depend on it."""
        values = self.table.measured[self.some]
        found = np.zeros((prediction.size, prediction.size))
        if values.any():
            d, slope = self._difference(prediction[values])
            inverse = np.linalg.inv(self._sided(d)[0])
            found[np.ix_(values, values)] = 2 * inverse * np.outer(slope * np.ones_like(d), slope)
        if not values.all():
            limit = self.table.y[self.limits]
            sigma = limit_sigma(limit, self.table.limit_level or 0.0)
            places = np.flatnonzero(~values)
            found[places, places] = limit_chi2(prediction[~values], limit, sigma)[2]
        return found

    def covariance(self, prediction: Array) -> Array:
        """C of the values that count, for what is predicted of these."""
        return self._sided(self._difference(prediction)[0])[0]

    def _difference(self, prediction: Array) -> tuple[Array, Array | float]:
        """m − y, or y ln(m/y), and its derivative by m."""
        y = self.table.y[self.measured]
        if self.logarithmic:
            return y * np.log(prediction / y), y / prediction
        return prediction - y, 1.0

    def _sizes(self, difference: Array) -> list[tuple[Array, Array]]:
        """Statistical and systematic errors on the side of m, and their derivatives."""
        lower, upper, *kinds = self._errors
        place, slope = side(difference, lower, upper)
        pairs = ((kinds[0], kinds[1]), (kinds[2], kinds[3]))
        return [(low + place * (high - low), slope * (high - low)) for low, high in pairs]

    def _sided(self, difference: Array) -> tuple[Array, list[tuple[Array, Array, Array]]]:
        """C, and of each kind of error correlation, size and derivative of the size."""
        stat, sys, whole = self._correlations
        parts = []
        for corr, (size, derivative) in zip((stat, sys), self._sizes(difference), strict=True):
            whole = whole + corr * np.outer(size, size)
            parts.append((corr, size, derivative))
        return whole, parts

    def _variance(self, difference: Array) -> Array:
        """Diagonal of C."""
        if isinstance(self.systematics, Quadrature):
            return np.asarray(sum(size**2 for size, _ in self._sizes(difference)))
        return np.diag(self._sided(difference)[0])

    def _gaussian(self, prediction: Array) -> tuple[float, Array]:
        d, by_prediction = self._difference(prediction)
        if isinstance(self.systematics, Quadrature):  # C is diagonal
            w = d / self._variance(d)
            shift = sum(size * derivative for size, derivative in self._sizes(d))
            return float(d @ w), 2 * w * (1 - w * shift) * by_prediction
        covariance, parts = self._sided(d)
        w = cho_solve(cho_factor(covariance, lower=True), d)
        slope = 2 * w
        for corr, size, derivative in parts:
            slope -= 2 * w * derivative * (corr @ (size * w))
        return float(d @ w), slope * by_prediction

    def residuals(self, prediction: Array) -> Array:
        """(m − y)/σ of the points that count, σ on the side of m; of limits NaN."""
        values = self.table.measured[self.some]
        out = np.full(prediction.shape, np.nan)
        d = self._difference(prediction[values])[0]
        out[values] = d / np.sqrt(self._variance(d))
        return out

    def decorrelated(self, prediction: Array) -> Array:
        """Independent residuals of unit variance, whose squares sum to χ².

        L⁻¹(m − y) with C = LLᵀ in the order of x: how far a point is from what those at lower x
        let expect of it, over the error that remains then. Of a limit √(−2 ln Φ((L − m)/σ)).
        """
        values = self.table.measured[self.some]
        out = np.empty(prediction.shape)
        d = self._difference(prediction[values])[0]
        if isinstance(self.systematics, Quadrature):
            out[values] = d / np.sqrt(self._variance(d))
        else:
            order = np.argsort(self.table.x[self.measured], kind="stable")
            covariance = self._sided(d)[0][np.ix_(order, order)]
            lower = np.linalg.cholesky(covariance)
            out[np.flatnonzero(values)[order]] = solve_triangular(lower, d[order], lower=True)
        limit = self.table.y[self.limits]
        sigma = limit_sigma(limit, self.table.limit_level or 0.0)
        out[~values] = np.sqrt(-2 * log_ndtr((limit - prediction[~values]) / sigma))
        return out

    def shared(self, prediction: Array) -> tuple[Array, Array]:
        """The likeliest systematic shift of each point, and the error that points do not share.

        s = C_sys C⁻¹ (y − m), what its systematic errors added to y if m is right; of `Quadrature`
        no error is shared. In the unit of y; of limits NaN.
        """
        values = self.table.measured[self.some]
        shift, own = np.full((2, *prediction.shape), np.nan)
        d = self._difference(prediction[values])[0]
        if isinstance(self.systematics, Quadrature):
            shift[values], own[values] = 0.0, np.sqrt(self._variance(d))
            return shift, own
        covariance, (_, (corr, size, _)) = self._sided(d)
        systematic = corr * np.outer(size, size) + self._correlations[2]
        shift[values] = -systematic @ cho_solve(cho_factor(covariance, lower=True), d)
        own[values] = self._sizes(d)[0][0]
        return shift, own
