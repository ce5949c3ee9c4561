"""Errors that differ up- and downwards, and upper limits.

Between y − σ₋ and y + σ₊ the error that a prediction m meets passes linearly from σ₋ to σ₊, and
beyond it stays what it is (Particle Data Group, Review of Particle Physics, Introduction, Sec. 5.2;
Barlow 2004, physics/0406120, without the bounds). It is continuous, and far from the data it is the
error on the side of the prediction.

An upper limit L at the confidence level c is that of a counter whose noise σ = L/Φ⁻¹(c) hid the
signal: what was measured lies anywhere below it, with the probability Φ((L − m)/σ).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, ndtri

Array = NDArray[np.float64]


def side(difference: Array, lower: Array, upper: Array) -> tuple[Array, Array]:
    """Where m − y lies between −σ₋ (0) and σ₊ (1), and the derivative of that."""
    width = lower + upper
    place = (difference + lower) / width
    slope = np.where((place > 0) & (place < 1), 1 / width, 0.0)
    return np.clip(place, 0.0, 1.0), slope


def limit_sigma(limit: Array, level: float) -> Array:
    """σ of the noise behind upper limits at a confidence level between ½ and 1."""
    return limit / ndtri(level)


def limit_chi2(prediction: Array, limit: Array, sigma: Array) -> tuple[float, Array, Array]:
    """−2 Σ ln Φ((L − m)/σ), and its first and second derivative by each m."""
    t = (limit - prediction) / sigma
    log_below = log_ndtr(t)
    # the normal density over Φ, of which both underflow
    hazard = np.exp(-(t**2) / 2 - np.log(2 * np.pi) / 2 - log_below)
    first = 2 * hazard / sigma
    return float(-2 * log_below.sum()), first, first * (t + hazard) / sigma
