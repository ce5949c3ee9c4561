"""Samples of a posterior: an ensemble of walkers (emcee), or nested sampling (dynesty).

Both draw from exp(−χ²/2) × priors, with a uniform prior of each coordinate between its bounds (of
ln x for a parameter on a logarithmic scale), and both run twice from different random numbers, so
that R̂ compares what is independent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crtransport.fits.diagnostics import autocorrelation, r_hat, short_chains, shortcomings
from crtransport.fits.likelihood import Objective
from crtransport.fits.minimise import Fit
from crtransport.fits.parameters import FitError, Parameter, needed

Array = NDArray[np.float64]

_RUNS = 2
#: spread of the first walkers, in errors of the fit
_SPREAD = 0.5


@dataclass(frozen=True, kw_only=True)
class Samples:
    """Draws from a posterior of k parameters.

    Attributes
    ----------
    parameters : tuple of Parameter
    draws : array (chain, draw, k)
        Values, after what was burnt in.
    log_probability : array (chain, draw)
        −χ²/2 with the priors.
    method : str
        "emcee" or "dynesty".
    seed : int
    r_hat, effective : array (k,)
        Between the two runs and their halves, and how many independent draws there are.
    autocorrelation : array (k,)
        Length in draws; of nested sampling 1, as its draws are independent.
    problems : tuple of str
        What has not converged; empty if all has.
    """

    parameters: tuple[Parameter, ...]
    draws: Array
    log_probability: Array
    method: str
    seed: int
    r_hat: Array
    effective: Array
    autocorrelation: Array
    problems: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Of the parameters."""
        return tuple(one.name for one in self.parameters)


def sample_ensemble(
    objective: Objective, fit: Fit, *, steps: int, walkers: int | None = None, seed: int = 0
) -> Samples:
    """Two ensembles of walkers (Goodman & Weare 2010; Foreman-Mackey et al. 2013, PASP 125, 306).

    Parameters
    ----------
    objective : Objective
    fit : Fit
        Around which they start.
    steps : int
        Of each walker; the first third is burnt in.
    walkers : int, optional
        In each ensemble; four for each parameter if left out.
    seed : int
    """
    emcee = needed("emcee")
    size = len(objective.parameters)
    count = walkers or 4 * size
    if count < 2 * size:
        raise FitError(f"walkers = {count}: {size} parameters need at least {2 * size}")
    log_probability = _log_probability(objective)
    chains, logs = [], []
    for run in range(_RUNS):
        random = np.random.default_rng([seed, run])
        sampler = emcee.EnsembleSampler(count, size, log_probability)
        # emcee takes random numbers of the old kind
        sampler.random_state = np.random.RandomState(random.integers(2**31)).get_state()
        sampler.run_mcmc(_around(objective, fit, count, random), steps)
        burnt = steps // 3
        chains.append(sampler.get_chain(discard=burnt))
        logs.append(sampler.get_log_prob(discard=burnt))
    each = np.stack(chains)  # [run, step, walker, k]
    lengths = np.array(
        [np.mean([autocorrelation(run[:, :, i]) for run in each]) for i in range(size)]
    )
    # walkers of one ensemble know of each other: all of them together are one chain
    pooled = each.reshape(_RUNS, -1, size)
    r_hats = np.array([r_hat(pooled[:, :, i]) for i in range(size)])
    by_walker = each.transpose(0, 2, 1, 3).reshape(_RUNS * count, -1, size)
    return _samples(
        objective,
        (by_walker, np.stack(logs).transpose(0, 2, 1).reshape(_RUNS * count, -1)),
        ("emcee", seed),
        r_hats,
        by_walker.shape[0] * by_walker.shape[1] / lengths,
        lengths,
        short_chains(steps, lengths),
    )


def sample_nested(
    objective: Objective, *, live: int = 400, tolerance: float = 0.05, seed: int = 0
) -> Samples:
    """Two runs of nested sampling (Skilling 2006; Speagle 2020, MNRAS 493, 3132).

    Parameters
    ----------
    objective : Objective
        Each parameter with finite bounds.
    live : int
        Points that shrink upon the maximum.
    tolerance : float
        A run ends where what is left adds less to ln of the evidence.
    seed : int

    Raises
    ------
    FitError
        If a parameter has no bounds.
    """
    dynesty = needed("dynesty")
    limits = np.array([one.limits for one in objective.parameters])
    for one, (low, high) in zip(objective.parameters, limits, strict=True):
        if not np.isfinite(high - low):
            raise FitError(f"{one.name}: nested sampling needs both bounds")
    log_probability = _log_probability(objective)
    chains, logs, effective = [], [], []
    for run in range(_RUNS):
        random = np.random.default_rng([seed, run])
        sampler = dynesty.NestedSampler(
            log_probability,
            lambda cube: limits[:, 0] + cube * (limits[:, 1] - limits[:, 0]),
            len(limits),
            nlive=live,
            rstate=random,
        )
        sampler.run_nested(dlogz=tolerance, print_progress=False)
        weights = sampler.results.importance_weights()
        effective.append(1 / np.sum(weights**2))
        chosen = random.choice(weights.size, size=weights.size, p=weights)
        chains.append(sampler.results.samples[chosen])
        logs.append(sampler.results.logl[chosen])
    shortest = min(map(len, chains))
    draws = np.stack([chain[:shortest] for chain in chains])
    size = draws.shape[2]
    return _samples(
        objective,
        (draws, np.stack([log[:shortest] for log in logs])),
        ("dynesty", seed),
        np.array([r_hat(draws[:, :, i]) for i in range(size)]),
        np.full(size, sum(effective)),
        np.ones(size),
        [],
    )


def _log_probability(objective: Objective) -> Any:
    low, high = np.array([one.limits for one in objective.parameters]).T

    def log_probability(coordinates: Array) -> float:
        if np.any((coordinates < low) | (coordinates > high)):
            return -np.inf
        before = len(objective.unanswered)
        chi2 = objective(coordinates)
        return -chi2 / 2 if len(objective.unanswered) == before else -np.inf

    return log_probability


def _around(objective: Objective, fit: Fit, count: int, random: np.random.Generator) -> Array:
    """[walker, k] coordinates about the best fit, within the bounds."""
    both = list(zip(objective.parameters, fit.values, strict=True))
    middle = np.array([one.inside(float(value)) for one, value in both])
    slopes = np.array([one.slope(float(value)) for one, value in both])
    steps = np.array([one.step for one in objective.parameters])
    width = np.where(np.isfinite(fit.errors), fit.errors / slopes, steps)
    low, high = np.array([one.limits for one in objective.parameters]).T
    found = middle + _SPREAD * width * random.normal(size=(count, len(middle)))
    # what fell outside is folded back, so that no two walkers coincide
    found = np.where(found < low, 2 * low - found, found)
    return np.clip(np.where(found > high, 2 * high - found, found), low, high)


def _samples(
    objective: Objective,
    coordinates: tuple[Array, Array],
    origin: tuple[str, int],
    r_hats: Array,
    effective: Array,
    lengths: Array,
    short: list[str],
) -> Samples:
    inner, logs = coordinates
    log_scaled = np.array([one.scale == "log" for one in objective.parameters])
    draws = inner.copy()
    draws[..., log_scaled] = np.exp(inner[..., log_scaled])
    names = [one.name for one in objective.parameters]
    return Samples(
        parameters=objective.parameters,
        draws=draws,
        log_probability=logs,
        method=origin[0],
        seed=origin[1],
        r_hat=r_hats,
        effective=effective,
        autocorrelation=lengths,
        problems=(*shortcomings(names, r_hats, effective), *short),
    )
