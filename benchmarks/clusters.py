"""Tables of the statistics of clusters: recovery of known lines, chance, time, and limits by name.

python benchmarks/clusters.py [--populations 2000]

Each population has 157 clusters with limits at thresholds of their own. Bias is the mean of
(found − truth)/error, to be below 0.1 + 3 standard errors; coverage is how often the truth lies
within one and two errors, to be within three binomial standard errors of 68.3 and 95.4 %. These
are levels of many detections: with 31 (80 % limits) two errors of a Gaussian's maximum likelihood
have 94.5 %. So coverage is told a second time, for intervals of Student's t with as many degrees
of freedom as there are detections, less two.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm
from scipy.stats import t as student

from crtransport.clusters.norms import Bands
from crtransport.clusters.rank import kendall, significance
from crtransport.clusters.regression import fit
from crtransport.clusters.spectra import (
    columns,
    covariance,
    delta_chi2_sigma,
    fitted_sigma,
    simulated_gains,
)
from crtransport.clusters.spectra import fit as fit_spectra

Array = NDArray[np.float64]
CLUSTERS = 157
SCATTER = 0.6
THRESHOLDS = 0.4  # standard deviation of their logarithms
WITHIN = {1: 0.6826895, 2: 0.9544997}
SHAPE = np.array([0.9, 3.3, 2.8])


def populations(
    count: int, slope: float, cut: float, rng: np.random.Generator
) -> tuple[Array, Array, Array, NDArray[np.bool_]]:
    """x, y or its limit, threshold, limit; the threshold goes with distance, x does not."""
    shape = (count, CLUSTERS)
    x = rng.normal(1.0, 1.0, shape)
    y = 33 + slope * x + rng.normal(0, SCATTER, shape)
    threshold = rng.normal(cut, THRESHOLDS, shape)
    return x, np.maximum(y, threshold), threshold, y < threshold


def recovery(count: int) -> None:
    """Bias and coverage of slope and intercept."""
    print("slope  limits         of    bias  allowed  68.3 %  95.4 %  with t:  68.3 %  95.4 %")
    for k, slope in enumerate((0.0, 0.5, 1.0)):
        for share in (0.5, 0.65, 0.8):
            rng = np.random.default_rng([2021, k, round(100 * share)])
            spread = np.sqrt(SCATTER**2 + slope**2 + THRESHOLDS**2)
            cut = 33 + slope + spread * norm.ppf(share)
            x, y, _, limit = populations(count, slope, cut, rng)
            line = fit(x, y, limit)
            for name, truth, error in (("slope", slope, 1), ("intercept", 33.0, 0)):
                pulls = (getattr(line, name) - truth) / line.errors[:, error]
                head = f"{slope:5.1f} {limit.mean():7.1%} {name:>10}"
                print(f"{head} {_row(pulls, np.sum(~limit, axis=-1) - 2)}")


def _row(pulls: Array, freedom: NDArray[np.int64]) -> str:
    """Bias and coverage; a star where it is not what it should be."""
    count = len(pulls)
    allowed = 0.1 + 3 * pulls.std() / np.sqrt(count)
    star = "*" if abs(pulls.mean()) > allowed else " "
    cells = [f"{pulls.mean():7.3f}{star}{allowed:7.3f}"]
    for student_t in (False, True):
        for width, expected in WITHIN.items():
            edge = student.isf((1 - expected) / 2, freedom) if student_t else width
            inside = np.mean(np.abs(pulls) < edge)
            far = abs(inside - expected) > 3 * np.sqrt(expected * (1 - expected) / count)
            cells.append(f"{inside:7.1%}{'*' if far else ' '}")
        cells.append(" " * 7)
    return "".join(cells).rstrip()


def false_alarms(count: int) -> None:
    """How often samples without a correlation pass 5 %, and the spread of their significance."""
    print(
        f"{'x goes with distance':>20} {'beyond 5 %':>10} {'mean σ':>7} {'spread':>7} {'of z':>7}"
    )
    for tied in (0.0, 0.5, 1.0):
        rng = np.random.default_rng(1)
        sigmas, z = [], []
        for seed in range(count):
            x, y, threshold, limit = (v[0] for v in populations(1, 0.0, 33.5, rng))
            x = x + tied * (threshold - 33.5) / 0.4
            sigmas.append(significance(x, y, limit, threshold, permutations=1000, seed=seed).sigma)
            z.append(kendall(x, y, limit).z)
        s = np.array(sigmas)
        spread = f"{s.mean():7.2f} {s.std():7.2f} {np.std(z):7.2f}"
        print(f"{tied:20.1f} {np.mean(s > 1.645):10.1%} {spread}")


def seconds() -> None:
    """A million permutations of 157 clusters."""
    rng = np.random.default_rng(1)
    x, y, threshold, limit = (v[0] for v in populations(1, 0.5, 34.0, rng))
    significance(x, y, limit, threshold, permutations=1000, seed=1)  # compiles
    for threads in (1, 2):
        start = time.perf_counter()
        significance(x, y, limit, threshold, permutations=1_000_000, seed=1, threads=threads)
        print(f"{threads} threads: {time.perf_counter() - start:.1f} s, {limit.mean():.0%} limits")


def treatments(count: int) -> None:
    """Pulls of Γ₁, log E_cut and Γ₂ with each way to count limits; fluxes below zero or not."""
    print(f"{'limits':>10} {'lowest flux':>11} {'mean pulls':>23} {'spread':>23}")
    for lowest in (-np.inf, 0.0):
        for name in ("symmetric", "one-sided", "erf"):
            pulls = []
            for seed in range(count):
                bands = measured(seed, lowest)
                _, full = fit_spectra(bands, name)
                errors = np.sqrt(np.diag(covariance(bands, full)))
                pulls.append((full.shape - SHAPE) / np.where(full.held, np.nan, errors))
            mean, spread = np.nanmean(pulls, axis=0), np.nanstd(pulls, axis=0)
            cells = [" ".join(f"{v:7.2f}" for v in row) for row in (mean, spread)]
            print(f"{name:>10} {lowest:11g} {cells[0]} {cells[1]}")


def calibration(count: int) -> None:
    """Gains in χ² by inverse Compton where there is none: in σ, and as two laws have it."""
    print("    limits  of χ²   mean   true σ   gain  Wilks  fitted")
    for name in ("symmetric", "one-sided", "erf"):
        bands = measured(1, 0.0)
        null, full = fit_spectra(bands, name)
        more = full.parameters - null.parameters
        gains = simulated_gains(bands, name, null, samples=count, seed=1)
        for sigma in (0.0, 1.0, 2.0, 2.5):
            head = f"{name:>10} {more:6d} {gains.mean():6.1f}" if sigma == 0 else " " * 24
            gain = float(np.quantile(gains, norm.cdf(sigma)))
            laws = f"{delta_chi2_sigma(gain, more):6.2f} {fitted_sigma(gain, gains):7.2f}"
            print(f"{head} {sigma:8.1f} {gain:6.1f} {laws}")


def measured(seed: int, lowest: float) -> Bands:
    """30 clusters in nine bands from 0.3 to 500 GeV."""
    rng = np.random.default_rng(seed)
    edges = np.geomspace(300.0, 5e5, 10)
    low, high = (np.broadcast_to(e, (30, 9)) for e in (edges[:-1], edges[1:]))
    ones = np.ones((30, 9))
    empty = Bands(
        low=low, high=high, flux=ones, sigma=ones, limit=ones < 0, level=ones, used=ones > 0
    )
    first = 10 ** rng.uniform(-12.3, -11.3, 30)
    norms = np.stack([first, first * 10 ** rng.normal(-0.8, 0.2, 30)], axis=-1)
    flux = np.einsum("cbk,ck->cb", columns(empty, SHAPE), norms)
    sigma = np.hypot(0.1 * flux, 1e-11 / np.sqrt(low / 300))
    drawn = rng.normal(flux, sigma)
    limit = drawn < 1.5 * sigma
    drawn = np.where(limit, np.maximum(drawn, lowest), drawn)
    return replace(empty, flux=drawn, sigma=sigma, limit=limit, level=drawn + 2 * sigma)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--populations", type=int, default=2000)
    count = parser.parse_args().populations
    recovery(count)
    print()
    false_alarms(count)
    print()
    seconds()
    print()
    treatments(max(10, count // 20))
    print()
    calibration(max(10, count // 4))


if __name__ == "__main__":
    main()
