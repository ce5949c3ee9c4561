"""Are the error estimates of flux tubes true? Random decks, each against a finer answer.

python benchmarks/estimates_tubes.py [--number 100] [--seed 1]

Slopes from 1 to 2, losses and sources of each kind, floors, asymmetries, focusing, coefficients
that vary in steps or linearly, tubes with and without end, pulses; rates and distances over
decades. Each deck is solved by both methods. The true error is the difference from a spectral
answer of a higher order, which is to tell a tenth of the error, in twice as many pieces where
coefficients vary: of all that a dataset holds, in the measures that error_estimate has. Where that
answer tells no less of itself than half, this is taken off. The two methods share no
discretisation, so what both spectral answers have wrong shows as an error of the cells.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import xarray as xr
from estimates import Refusal, Row, log_uniform, report
from numpy.typing import NDArray

from crtransport.deck.load import load_deck
from crtransport.run import run
from crtransport.solvers.errors import ConvergenceError, SingularOperatorError

Array = NDArray[np.float64]
Deck = dict[str, Any]
CELLS = {"kind": "finite-difference", "cells": 120, "steps": 80}
PULSE_CELLS = {"kind": "finite-difference", "cells": 60, "steps": 800}
#: an anisotropy off by less than this is rounding
ROUNDING = 1e-12


def drawn(random: np.random.Generator) -> Deck:
    """A deck as a table of tables, lengths over decades around the scattering length 1/C."""
    slope = random.choice([1.0, 1.5, 5 / 3, random.uniform(1, 1.9)])
    rate = log_uniform(random, 1e-2, 1e4)
    scattering: Deck = {"slope": float(slope), "C": rate}
    if random.random() < 0.25:
        scattering["floor"] = log_uniform(random, 1e-4, 1.0)
    if random.random() < 0.25:
        scattering["asymmetry"] = random.uniform(-0.8, 0.8)
    loss = {
        "kind": str(random.choice(["constant-in-mu", "constant-in-chi"])),
        "rate": rate * log_uniform(random, 1e-6, 10.0),
    }
    even = [1.0, *random.uniform(0, 0.5, random.integers(0, 4))]
    source: Deck = {"kind": str(random.choice(["jump", "delta", "half-range"])), "even": even}
    if random.random() < 0.3:
        source["odd"] = list(random.uniform(-0.2, 0.2, 2))
    deck: Deck = {"model": "flux-tube", "scattering": scattering, "loss": loss, "source": source}
    if random.random() < 0.2:
        ct = np.sort([log_uniform(random, 0.1, 30) / rate for _ in range(2)])
        deck["pulse"] = {"ct": list(ct), "width": log_uniform(random, 0.1, 1) * ct[-1]}
        source["kind"] = "jump"  # without effect on a pulse
        deck["output"] = {"zeta": sorted([0.0, *(ct * random.uniform(-1, 1, 2))])}
        return deck
    zeta = np.sort([log_uniform(random, 1e-2, 1e3) / rate for _ in range(2)])
    behind = source["kind"] != "half-range" and random.random() < 0.3
    deck["output"] = {"zeta": [-zeta[0], zeta[1]] if behind else list(zeta)}
    tube: Deck = {}
    if source["kind"] == "half-range" and random.random() < 0.5:
        tube["length"] = zeta[-1] * log_uniform(random, 1.01, 10)
        if random.random() < 0.3:
            loss["rate"] = 0.0
    if random.random() < 0.25:
        tube["inverse_focusing_length"] = rate * log_uniform(random, 1e-3, 1) * _sign(random)
    # a floor that varies takes a thousand functions on each of many pieces: minutes
    if random.random() < 0.3 and "floor" not in scattering:
        tube["variation"] = _variation(random, zeta[-1], slope, rate)
    if tube:
        deck["tube"] = tube
    return deck


def _sign(random: np.random.Generator) -> int:
    return int(random.choice([-1, 1]))


def _variation(random: np.random.Generator, far: float, slope: float, rate: float) -> Deck:
    knots = int(random.integers(2, 4))
    found: Deck = {
        "zeta": list(np.sort(random.uniform(0, far, knots))),
        "interpolation": str(random.choice(["step", "linear"])),
        "scattering": [log_uniform(random, 0.2, 5) for _ in range(knots)],
    }
    if random.random() < 0.5:
        found["loss"] = [log_uniform(random, 0.2, 5) for _ in range(knots)]
    if random.random() < 0.3:
        found["slope"] = list(np.clip(slope + random.uniform(-0.1, 0.1, knots), 1, 1.9))
    elif random.random() < 0.3:
        found["inverse_focusing_length"] = list(rate * random.uniform(-0.3, 0.3, knots))
    return found


def lines(deck: Deck, table: str = "") -> str:
    """The deck as lines of TOML with dotted keys."""
    found = []
    for key, value in deck.items():
        if isinstance(value, dict):
            found.append(lines(value, f"{table}{key}."))
        elif isinstance(value, str):
            found.append(f'{table}{key} = "{value}"')
        else:
            plain = [float(x) for x in value] if isinstance(value, list) else value
            found.append(f"{table}{key} = {plain}")
    return "\n".join(found)


def finer(deck: Deck, rtol: float) -> Deck:
    """The same deck in more pieces, at a tolerance that only a higher order meets."""
    tube = deck.get("tube", {})
    if "variation" in tube:
        tube = tube | {"variation": tube["variation"] | {"segments": 4}}
    solver = {"kind": "spectral", "rtol": float(np.clip(rtol, 1e-13, 0.1))}
    return deck | {"solver": solver} | ({"tube": tube} if tube else {})


def true_error(found: xr.Dataset, exact: xr.Dataset) -> float:
    """The largest error of all that the dataset holds; infinite where one is no number."""
    errors = [
        _largest(found.eigenvalue / exact.eigenvalue.where(exact.eigenvalue > 0) - 1),
        _over_chi(found.eigenfunction, exact.eigenfunction),
        *_read_off(found, exact),
    ]
    for name in ("extrapolation_length", "mean_square_displacement", "number"):
        if name in exact:
            errors.append(_largest(found[name] / exact[name].where(exact[name] != 0) - 1))
    worst = float(np.max(errors))
    return worst if np.isfinite(worst) else np.inf


def _read_off(found: xr.Dataset, exact: xr.Dataset) -> Iterator[float]:
    weight = xr.ones_like(exact.mean_intensity)
    if "ct" in exact.dims:  # relative to the largest at that time
        weight = np.abs(exact.mean_intensity) / np.abs(exact.mean_intensity).max("zeta")
    same = np.signbit(found.mean_intensity) == np.signbit(exact.mean_intensity)
    both = found.anisotropy.notnull().all("chi") & exact.anisotropy.notnull().all("chi")
    if "ct" not in exact.dims and not bool(both.all() & same.all()):
        yield np.inf
    ratio = 10 ** (found.log10_mean_intensity - exact.log10_mean_intensity) - 1
    yield _largest((weight * np.abs(ratio)).where(both))
    largest = np.abs(exact.anisotropy).max("chi")
    for name in ("anisotropy", "relative_multipole", "equator_step"):
        gap = np.abs(found[name] - exact[name])
        yield _largest((weight * gap.where(gap > ROUNDING, 0.0) / largest).where(both))


def _over_chi(found: xr.DataArray, exact: xr.DataArray) -> float:
    return _largest(np.abs(found - exact).max("chi") / np.abs(exact).max("chi"))


def _largest(values: xr.DataArray) -> float:
    """Of what is there; 0 where nothing is to compare."""
    array = np.abs(np.asarray(values))
    return float(np.nanmax(array, initial=0.0))


def judged(number: int, deck: Deck, rtol: float) -> Iterator[Row | Refusal]:
    """Both methods on one deck."""
    cells = PULSE_CELLS if "pulse" in deck else CELLS
    exact: xr.Dataset | None = None
    for name, solver in (("spectral", {"kind": "spectral", "rtol": rtol}), ("cells", cells)):
        asked = deck | {"solver": solver}
        try:
            found = run(load_deck(asked))
            if exact is None:
                exact = run(load_deck(finer(deck, 0.1 * found.attrs["error_estimate"])))
        except (ConvergenceError, SingularOperatorError) as error:
            yield Refusal(f"{number} {name}", _plain(error), lines(asked))
            continue
        told, tolerance = found.attrs["error_estimate"], found.attrs["error_tolerance"]
        own = exact.attrs["error_estimate"]
        true = true_error(found, exact)
        if own > told / 2:  # rounding, or no order is higher: then this much is certain
            true = max(true - own, 0.0)
        remark = f"\n# reference told {own:.1e}"
        yield Row(f"{number} {name}", true, told, tolerance, lines(asked) + remark)


def _plain(error: Exception) -> str:
    """The reason without its numbers, so that alike ones count together."""
    return re.sub(r"[-+]?\d[\d.e+-]*", "#", str(error))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--number", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, help="one deck alone, by its number")
    given = parser.parse_args()
    found: list[Row | Refusal] = []
    numbers = range(given.number) if given.only is None else [given.only]
    for i in numbers:
        random = np.random.default_rng([given.seed, i])
        found += judged(i, drawn(random), log_uniform(random, 1e-9, 1e-3))
    refused = [one for one in found if isinstance(one, Refusal)]
    silent = 0
    for name in ("spectral", "cells"):
        print(f"\n{name}: ", end="")
        rows = [one for one in found if isinstance(one, Row) and one.name.endswith(name)]
        silent += report(rows, [one for one in refused if one.name.endswith(name)])
    if silent:
        sys.exit(1)


if __name__ == "__main__":
    main()
