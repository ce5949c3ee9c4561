"""Samples of a posterior: an ensemble of walkers (emcee), or nested sampling (dynesty).

Both draw from exp(−χ²/2) × priors, with a uniform prior of each coordinate between its bounds (of
ln x for a parameter on a logarithmic scale), and both run twice from different random numbers, so
that R̂ compares what is independent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace
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
#: points of nested sampling that are replaced side by side, of all that are live: while so many
#: are sought, their bound grows old, and half of them on the average, 5 %, are sought in vain
_AT_ONCE = 0.1


def _here(function: Callable[[Any], Any], arguments: Iterable[Any]) -> list[Any]:
    return [function(one) for one in arguments]


@dataclass(frozen=True)
class Evaluation:
    """How a posterior is evaluated; the samples do not depend on what does it.

    Attributes
    ----------
    log_probability : callable
        `Objective.log_probability`, or what gives the same numbers in other processes.
    each : callable
        Values of a function for many arguments, in their order.
    tell : callable
        Told (steps that are done, of how many) of an ensemble. How many nested sampling takes is
        not known before.
    """

    log_probability: Callable[[Array], float]
    each: Callable[[Callable[[Any], Any], Iterable[Any]], list[Any]] = _here
    tell: Callable[[int, int], None] = lambda *_: None


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
    objective: Objective,
    fit: Fit,
    *,
    steps: int,
    walkers: int | None = None,
    seed: int = 0,
    by: Evaluation | None = None,
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
    by : Evaluation, optional
        One after the other if left out.
    """
    emcee = needed("emcee")
    size = len(objective.parameters)
    count = walkers or 4 * size
    if count < 2 * size:
        raise FitError(f"walkers = {count}: {size} parameters need at least {2 * size}")
    by = by or Evaluation(objective.log_probability)
    # emcee's own wrapper of the function, which is left out here, prints tracebacks
    pool = SimpleNamespace(map=lambda _, points: by.each(by.log_probability, points))
    chains, logs = [], []
    for run in range(_RUNS):
        random = np.random.default_rng([seed, run])
        sampler = emcee.EnsembleSampler(count, size, by.log_probability, pool=pool)
        # emcee takes random numbers of the old kind
        sampler.random_state = np.random.RandomState(random.integers(2**31)).get_state()
        start = _around(objective, fit, count, random)
        for done, _ in enumerate(sampler.sample(start, iterations=steps), start=1):
            by.tell(run * steps + done, _RUNS * steps)
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
    objective: Objective,
    *,
    live: int = 400,
    tolerance: float = 0.05,
    seed: int = 0,
    by: Evaluation | None = None,
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
    by : Evaluation, optional
        One after the other if left out.

    Raises
    ------
    FitError
        If a parameter has no bounds, or the model no answer at any of the first points.
    """
    dynesty = needed("dynesty")
    limits = np.array([one.limits for one in objective.parameters])
    for one, (low, high) in zip(objective.parameters, limits, strict=True):
        if not np.isfinite(high - low):
            raise FitError(f"{one.name}: nested sampling needs both bounds")
    by = by or Evaluation(objective.log_probability)
    within = partial(_within, limits)
    chains, logs, effective = [], [], []
    for run in range(_RUNS):
        random = np.random.default_rng([seed, run])
        cubes = random.random((live, len(limits)))
        points = within(cubes)
        first = np.array(by.each(by.log_probability, points))
        if np.all(first == -np.inf):
            raise FitError(f"the model has no answer at any of {live} points between the bounds")
        sampler = dynesty.NestedSampler(
            by.log_probability,
            within,
            len(limits),
            nlive=live,
            rstate=random,
            live_points=[cubes, points, first],
            pool=SimpleNamespace(map=by.each),
            use_pool={"prior_transform": False, "update_bound": False},
            # of one by one, the random numbers would be drawn elsewhere
            queue_size=max(2, round(_AT_ONCE * live)),
        )
        # in the place of dynesty's own wrapper of it, which prints tracebacks
        sampler.loglikelihood.loglikelihood = by.log_probability
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


def _within(limits: Array, cube: Array) -> Array:
    """Coordinates between the bounds, of numbers between 0 and 1."""
    return np.asarray(limits[:, 0] + cube * (limits[:, 1] - limits[:, 0]))


def _around(objective: Objective, fit: Fit, count: int, random: np.random.Generator) -> Array:
    """[walker, k] coordinates about the best fit, within the bounds."""
    both = list(zip(objective.parameters, fit.values, strict=True))
    middle = np.array([one.inside(float(value)) for one, value in both])
    slopes = np.array([one.slope(float(value)) for one, value in both])
    steps = np.array([one.step for one in objective.parameters])
    width = np.where(np.isfinite(fit.errors), fit.errors / slopes, steps)
    low, high = np.array([one.limits for one in objective.parameters]).T
    # of what the data do not bound, a good part of the room that there is
    width = np.minimum(width, (high - low) / 4)
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
