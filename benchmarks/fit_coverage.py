"""How often the intervals of a fit hold the truth: 1000 simulated data sets.

python benchmarks/fit_coverage.py [--sets 1000] [--seed 1]

    Φ(R) = N R^−γ {1 + K exp[−(ln R/R_b)²/2w²]},   w = 0.5

is measured by an experiment with 24 bins, systematic errors of 4 % that neighbours share over 0.3
decades, and an energy scale good to 3 %; and by a counter at the highest rigidities that sees
nothing below 1.645 σ of its noise, and gives an upper limit then. The table has the part of the
sets in which the true parameter lies in its intervals of 68.3 and 95.4 %, of HESSE (1 and 2 errors)
and of the profile likelihood (−2 ln L within 1 and 4 of its least), and how far it is from what it
should be in binomial standard errors. The simulation averages over bins by a rule of its own.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import erf, ndtri

from crtransport.fits import (
    Correlated,
    DataSet,
    Likelihood,
    Objective,
    Parameter,
    minimise,
    profile,
)
from crtransport.measurements import Measurement

Array = NDArray[np.float64]

TRUTH = {"N": 1.0, "gamma": 2.7, "K": 1.0, "R_b": 1000.0}
PARAMETERS = (
    Parameter(name="N", start=0.8, lower=0.1, upper=10.0, scale="log"),
    Parameter(name="gamma", start=2.6, lower=2.0, upper=3.5),
    Parameter(name="K", start=0.7, lower=-0.9, upper=9.0),
    Parameter(name="R_b", start=800.0, lower=100.0, upper=1e4, scale="log"),
)
PIVOT, WIDTH = 100.0, 0.5
STAT, SYS, LENGTH, ENERGY_ERROR = 0.01, 0.04, 0.3, 0.03
LEVEL = 0.95
EDGES = np.geomspace(50.0, 2e4, 25)
FAR_EDGES = np.geomspace(2e4, 1e5, 4)
#: noise of the counter over the true flux in its bins
FAR_NOISE = np.array([0.3, 0.6, 1.2])
#: standard errors that a coverage may be off
ALLOWED = 3.0


class Row(NamedTuple):
    """One set: was a parameter in its intervals of 1σ and 2σ, by HESSE and by the profile."""

    name: str
    hesse: tuple[bool, bool]
    profile: tuple[bool, bool]


def flux(x: Array, values: Mapping[str, float]) -> Array:
    """The model."""
    bump = values["K"] * np.exp(-(np.log(x / values["R_b"]) ** 2) / (2 * WIDTH**2))
    return np.asarray(values["N"] * (x / PIVOT) ** -values["gamma"] * (1 + bump))


def true_means(edges: Array, scale: float) -> Array:
    """Averages over the bins that an instrument off by ``scale`` fills, by the midpoint rule."""
    fine = np.linspace(0, 1, 2001)
    middles = (fine[1:] + fine[:-1]) / 2
    x = edges[:-1, None] + middles * np.diff(edges)[:, None]
    return np.asarray((1 + scale) * flux(x * (1 + scale), TRUTH).mean(axis=1))


def spectrum(
    name: str, edges: Array, y: Array, stat: Array, sys: Array, limits: NDArray[np.bool_] | None
) -> Measurement:
    """A measurement over rigidity."""
    return Measurement(
        name=name,
        experiment=name,
        quantity="H",
        reference="simulated",
        x_kind="rigidity_GV",
        unit="m-2 s-1 sr-1 GV-1",
        x=np.sqrt(edges[1:] * edges[:-1]),
        x_lo=edges[:-1],
        x_hi=edges[1:],
        y=y,
        stat_lo=stat,
        stat_hi=stat,
        sys_lo=sys,
        sys_hi=sys,
        limits=limits,
        limit_level=None if limits is None else LEVEL,
    )


def simulated(random: np.random.Generator) -> Likelihood:
    """One set of measurements."""
    scale = ENERGY_ERROR * random.normal()
    expected, mean = true_means(EDGES, 0.0), true_means(EDGES, scale)
    logs = np.log10(np.sqrt(EDGES[1:] * EDGES[:-1]))
    shared = np.exp(-np.abs(np.subtract.outer(logs, logs)) / LENGTH)
    shift = np.linalg.cholesky(shared) @ random.normal(size=mean.size)
    # rarer at high rigidities
    stat = STAT * expected * (EDGES[1:] / EDGES[1]) ** 0.5
    sys = SYS * expected
    y = mean + stat * random.normal(size=mean.size) + sys * shift
    near = spectrum("near", EDGES, y, stat, sys, None)
    noise = FAR_NOISE * true_means(FAR_EDGES, 0.0)
    seen = true_means(FAR_EDGES, 0.0) + noise * random.normal(size=noise.size)
    limit = noise * ndtri(LEVEL)
    hidden = seen < limit
    far = spectrum(
        "far", FAR_EDGES, np.where(hidden, limit, seen), noise, np.zeros_like(noise), hidden
    )
    return Likelihood(
        [
            DataSet(table=near, systematics=Correlated(length=LENGTH), energy_error=ENERGY_ERROR),
            DataSet(table=far),
        ]
    )


def fitted(random: np.random.Generator) -> list[Row]:
    """Intervals of one set; none if its fit failed."""
    likelihood = simulated(random)

    def chi2(values: Mapping[str, float]) -> float:
        def curve(x: Array) -> Array:
            return flux(x, values)

        return likelihood.chi2({"near": curve, "far": curve}, values)

    objective = Objective((*PARAMETERS, *likelihood.nuisances), chi2)
    fit = minimise(objective)
    if not fit.valid:
        return []
    rows = []
    for i, one in enumerate(PARAMETERS):
        truth = TRUTH[one.name]
        pull = abs(fit.values[i] - truth) / fit.errors[i]
        held = profile(objective, fit, one.name, np.array([truth]))
        rise = held.chi2[0] - fit.chi2
        rows.append(Row(one.name, (pull < 1, pull < 2), (rise < 1, rise < 4)))
    return rows


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    rows: list[Row] = []
    failed = 0
    for i in range(given.sets):
        found = fitted(np.random.default_rng([given.seed, i]))
        failed += not found
        rows += found
    print(f"{given.sets} sets, seed {given.seed}; {failed} fits failed")
    print("parameter   interval    wanted    HESSE   off      profile   off   [standard errors]")
    worst = 0.0
    for one in PARAMETERS:
        mine = [row for row in rows if row.name == one.name]
        for k in (0, 1):
            wanted = float(erf((k + 1) / np.sqrt(2)))
            deviation = np.sqrt(wanted * (1 - wanted) / len(mine))
            parts = [np.mean([row[way][k] for row in mine]) for way in (1, 2)]
            off = [(part - wanted) / deviation for part in parts]
            worst = max(worst, *np.abs(off))
            numbers = "   ".join(f"{p:7.4f} {o:+6.1f}" for p, o in zip(parts, off, strict=True))
            print(f"{one.name:<12}{k + 1}σ        {wanted:7.4f}  {numbers}")
    print(f"worst: {worst:.1f} standard errors, {ALLOWED:g} allowed")
    if failed or worst > ALLOWED:
        sys.exit(1)


if __name__ == "__main__":
    main()
