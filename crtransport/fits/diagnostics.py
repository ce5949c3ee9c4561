"""Whether chains of samples have converged: R̂, effective sample size, autocorrelation.

Gelman et al. 2013, Bayesian Data Analysis, Sec. 11.4 (split R̂); Vehtari et al. 2021, Bayesian
Analysis 16, 667, whose bounds R̂ < 1.01 and 400 effective samples are ours.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from crtransport.fits.parameters import needed

Array = NDArray[np.float64]

R_HAT = 1.01
EFFECTIVE = 400.0
#: autocorrelation lengths that a chain needs before these can be estimated (emcee's own bound)
_LENGTHS = 50


def r_hat(draws: Array) -> float:
    """Split R̂ of [chain, draw]: how much wider all halves of chains together are than each."""
    half = draws.shape[1] // 2
    halves = np.concatenate([draws[:, :half], draws[:, -half:]])
    within = halves.var(axis=1, ddof=1).mean()
    between = half * halves.mean(axis=1).var(ddof=1)
    return float(np.sqrt((half - 1) / half + between / (half * within)))


def autocorrelation(draws: Array) -> float:
    """Integrated autocorrelation length of [draw, walker], in draws (Sokal 1996, as in emcee)."""
    found = needed("emcee").autocorr.integrated_time(draws[:, :, None], tol=0)
    return float(found[0])


def shortcomings(names: Sequence[str], r_hats: Array, effective: Array) -> list[str]:
    """In words, which parameters miss the bounds; none is good."""
    found = []
    for name, r, n in zip(names, r_hats, effective, strict=True):
        # NaN misses them too
        if not r < R_HAT:
            found.append(f"{name}: R̂ = {r:.4g}, must be below {R_HAT:g}")
        if not n > EFFECTIVE:
            found.append(f"{name}: {n:.0f} effective samples, must be above {EFFECTIVE:.0f}")
    return found


def short_chains(steps: int, lengths: Array) -> list[str]:
    """That chains are too short for what is said of their autocorrelation; none is good."""
    longest = float(np.max(lengths))
    if steps >= _LENGTHS * longest:
        return []
    wanted = round(_LENGTHS * longest)
    return [f"{steps} steps for an autocorrelation of {longest:.0f}: at least {wanted} are needed"]
