"""Rank correlation with upper limits, and how often chance alone gives as much."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from crtransport.clusters.pairs import Ranks, permuted

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

_BLOCK = 1000  # permutations of one generator
#: fewer permutations beyond the observed τ do not give a p-value to 30 per cent
FEWEST = 10


@dataclass(frozen=True, kw_only=True)
class Kendall:
    """Rank correlation of a sample.

    Attributes
    ----------
    tau : float
        From −1 to 1.
    z : float
        Sum of concordances over its standard deviation where x and y are independent.
    p : float
        Two-sided probability of |z|, normal.
    """

    tau: float
    z: float
    p: float


@dataclass(frozen=True, kw_only=True)
class Significance:
    """What permutations say of an observed τ.

    Attributes
    ----------
    null : [permutation]
        τ of each.
    mean, spread : float
        Of the Gaussian fitted to them.
    beyond : int
        How many have a τ at least as large as the observed one; as small, where that is negative.
    p : float
        One-sided; from counting, or from the Gaussian where ``extrapolated``.
    sigma : float
        p as standard deviations of a Gaussian, one-sided; below 0 for an anticorrelation.
    extrapolated : bool
        Whether ``beyond`` is too small to count.
    seed : int
    """

    null: Array
    mean: float
    spread: float
    beyond: int
    p: float
    sigma: float
    extrapolated: bool
    seed: int


def kendall(x: Array, y: Array, limit: Flags) -> Kendall:
    """Generalised τ of Brown, Hollander & Korwar, with upper limits of y.

        τ = Σ a b / √(Σa² Σb²),   a = sgn(xᵢ − xⱼ),   b = ±1 where it is certain, else 0
        var Σab = 4 (ΣΣ aᵢⱼaᵢₖ − Σa²)(ΣΣ bᵢⱼbᵢₖ − Σb²)/[n(n−1)(n−2)] + 2 Σa² Σb²/[n(n−1)]

    with sums over ordered pairs. It is certain that yᵢ > yⱼ where i is detected above the value
    or limit of j; ties count for nothing, also those of a detection with a limit. ASURV moves
    limits below detections that they tie with, and divides by n(n − 1)/2: for its gal3 it has one
    pair more.

    Parameters
    ----------
    x, y : [point]
    limit : [point] of bool
        Which y are upper limits.

    References
    ----------
    Brown, Hollander & Korwar 1974, in Reliability and Biometry (SIAM), 327, Eqs. 1 to 8; Isobe,
    Feigelson & Nelson 1986, ApJ 306, 490, Sec. II; Akritas & Siebert 1996, MNRAS 278, 919.
    """
    a = np.sign(x[:, None] - x[None, :])
    above = ~limit[:, None] & (y[:, None] > y[None, :])
    b = above.astype(float) - above.T
    n = len(x)
    score, aa, bb = np.sum(a * b), np.sum(a * a), np.sum(b * b)
    if n < 3 or aa == 0 or bb == 0:
        raise ValueError("no two points can be compared: all x are equal, or y are limits")
    a_twice, b_twice = (np.sum(c.sum(axis=1) ** 2) - np.sum(c * c) for c in (a, b))
    ordered = n * (n - 1)
    variance = 4 * a_twice * b_twice / (ordered * (n - 2)) + 2 * aa * bb / ordered
    z = float(score / np.sqrt(variance))
    return Kendall(tau=float(score / np.sqrt(aa * bb)), z=z, p=float(2 * norm.sf(abs(z))))


def significance(
    x: Array,
    luminosity: Array,
    limit: Flags,
    threshold: Array,
    *,
    permutations: int,
    seed: int,
    threads: int | None = None,
) -> Significance:
    """How often luminosities that have nothing to do with x give as large a τ as the observed.

    The luminosities, values and limits alike, are dealt out anew to the objects, each of which
    keeps its x, its distance and so the luminosity 4π d² F below which it is not seen. A value
    below this becomes a limit there; a limit stays one, at the higher of the two levels. This
    keeps what distance alone does to the sample, which the variance of `kendall` does not.

    Parameters
    ----------
    x : [object]
    luminosity : [object]
        Detected values, and limits; in any unit, or logarithms.
    limit : [object] of bool
    threshold : [object]
        Luminosity from which on each object would be detected, in the same unit.
    permutations : int
    seed : int
        The result depends on it, and neither on ``threads`` nor on the order of the rows.
    threads : int, optional
        By default one for each core.

    Returns
    -------
    Significance
        Where fewer than `FEWEST` permutations reach the observed τ, p is that of a Gaussian
        fitted to all of them, and ``extrapolated`` is set.

    References
    ----------
    Song et al. 2021, MNRAS 507, 5161, Sec. 3; Ackermann et al. 2012, ApJ 755, 164, Sec. 4.
    """
    rows = np.lexsort((threshold, limit, luminosity, x))
    x, luminosity, threshold = (v[rows] for v in (x, luminosity, threshold))
    limit = limit[rows]
    observed = kendall(x, luminosity, limit).tau
    pairs = int(np.sum(x[:, None] < x[None, :]))
    null = np.empty(permutations)
    blocks = [null[k : k + _BLOCK] for k in range(0, permutations, _BLOCK)]
    seeds = np.random.SeedSequence(seed).spawn(len(blocks))
    x_rank = _ranks(x)
    value, level = np.split(_ranks(np.concatenate([luminosity, threshold])), 2)

    def work(block: Array, own: np.random.SeedSequence) -> None:
        generator = np.random.default_rng(own)
        permuted(generator, x_rank, value, limit, level, pairs, block)

    with ThreadPoolExecutor(threads or os.cpu_count()) as pool:
        list(pool.map(work, blocks, seeds))
    return _judge(observed, null, seed)


def _ranks(values: Array) -> Ranks:
    """All that an order of values says, in small integers; equal values have equal ranks."""
    return np.unique(values, return_inverse=True)[1].astype(np.int32)


def _judge(observed: float, null: Array, seed: int) -> Significance:
    mean, spread = float(np.mean(null)), float(np.std(null, ddof=1))
    sign = 1.0 if observed >= mean else -1.0
    # τ is a ratio of integers: equal ones may differ by rounding
    beyond = int(np.sum(sign * (null - observed) >= -1e-12))
    extrapolated = beyond < FEWEST
    sigma = (observed - mean) / spread
    p = (beyond + 1) / (len(null) + 1)
    if extrapolated:
        p = float(norm.sf(sign * sigma))
    else:
        sigma = sign * float(norm.isf(p))
    return Significance(
        null=null,
        mean=mean,
        spread=spread,
        beyond=beyond,
        p=p,
        sigma=float(sigma),
        extrapolated=extrapolated,
        seed=seed,
    )
