"""Fit the package's production cross sections to published sets and measurements.

python benchmarks/fit_channels.py --data FOLDER            # print how good they are
python benchmarks/fit_channels.py --data FOLDER --write    # and write the package's table

One smooth formula (crtransport.physics.channels.Channel) for the cumulative cross section of each
channel on hydrogen. Where published sets reach (fragments up to Ne) it follows their geometric
mean, moved as a whole towards the measurements; where they end it follows a formula of Rudstam's
form (Rudstam 1966, Z. Naturforsch. 21a, 1027), fitted to all measured fragments of parents from F
to Ni, each channel moved towards its own measurements, its short-lived parents added. What is
left undecided between sets, formula and measurements is the channel's uncertainty.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from nuclear_tables import SETS, Curves, Pair, Points, measured, published
from numpy.typing import NDArray
from scipy.optimize import least_squares

from crtransport.measurements import data_folder
from crtransport.nuclide_tables import GHOSTS
from crtransport.nuclides import ELEMENTS
from crtransport.physics import channels
from crtransport.physics.inelastic import letaw_of_mass
from crtransport.physics.network import NETWORKS

Array = NDArray[np.float64]

TABLE = Path(channels.__file__).with_name("channels.csv")
#: where the formula is fitted, GeV/n
ENERGY = np.geomspace(0.03, 30, 31)
#: measurements counted, GeV/n: above, cross sections are nearly flat
MEASURED = 0.2, 100.0
#: what a measured mean cannot be better than: scale errors that points of an experiment share
SYSTEMATIC = 0.05
#: least spread of published sets, which share measurements and each other's formulae
SPREAD = 0.10
#: error of Rudstam's form, and of a channel with one set and no measurement
FORMULA, ALONE = 0.45, 0.25
#: what the formula's dependence on ln T may be off by in one channel
SLOPE = 0.4
#: mb: channels below are left out
SMALLEST = 0.02
#: charge from which parents are in the fit of the formula
HEAVY = 9
#: GeV/n, where the formula follows the energy: yields are those of limiting fragmentation above
LIMITS = 0.2, 2.0
#: GeV/n, below which the total cross section in the formula is held
LOWEST = 0.1
#: what the formula's dependence on energy may be off where measurements end
SHAPE = 0.10
_ONE = int(np.searchsorted(ENERGY, 1.0))


@dataclass
class Rudstam:
    """ln σ of a fragment, direct: isobars fall as e^(−PΔA), charges as e^(−R|Z − Z̄|^ν)."""

    x: Array

    def log_sigma(self, parents: Array, fragments: Array, energy: Array) -> Array:
        """Natural logarithm of mb; parents, fragments [2, …] of Z, A."""
        scale, p0, pa, pe, r0, ra, s, t, memory, nu, pairs, one, two, same, rise = self.x
        (zp, ap), (z, a) = parents, fragments
        lost = ap - a
        held = np.clip(energy, *LIMITS)
        p = np.exp(p0) * ap**-pa * held**-pe
        stable = s * a - t * a**2 + memory * (zp - s * ap + t * ap**2) * np.exp(-lost / 12)
        r = np.exp(r0) * a**-ra
        even = (z % 2 == 0).astype(float) + ((a - z) % 2 == 0) - 1
        near = one * (lost == 1) + two * (lost == 2) + same * ((z == zp) & (lost <= 3))
        near = near + rise * (lost == 1) * np.log(held)
        total = np.log(letaw_of_mass(ap, np.maximum(energy, LOWEST)))
        width = np.log(p / (1 - np.exp(-p * ap))) + np.log(r) / nu
        return scale + total + width - p * lost - r * abs(z - stable) ** nu + pairs * even + near


def _numbers(name: str) -> tuple[int, int]:
    """Z, A of "B11"."""
    symbol = name.rstrip("0123456789")
    return (ELEMENTS.index(symbol) + 1 if symbol in ELEMENTS else 0), int(name[len(symbol) :])


def fit_rudstam(points: Points) -> Rudstam:
    """The formula of least squares in ln σ, with a floor of 30 % on each error."""
    rows = [
        (*_numbers(parent), *_numbers(fragment), energy, sigma, error)
        for (parent, fragment), some in points.items()
        for energy, sigma, error, _ in some
        if _numbers(parent)[0] >= HEAVY and _numbers(fragment)[0] >= 3 and energy > MEASURED[0]
    ]
    zp, ap, z, a, energy, sigma, error = np.array(rows).T
    weight = 1 / np.hypot(np.minimum(error / sigma, 1), 0.3)
    start = [0, 1, 0.9, 0.5, 2, 0.4, 0.486, 3.8e-4, 0.5, 1.5, 0.1, 0, 0, 0, 0]

    def misfit(x: Array) -> Array:
        found = Rudstam(x).log_sigma((zp, ap), (z, a), energy)
        return np.asarray((found - np.log(sigma)) * weight)

    return Rudstam(least_squares(misfit, start, loss="soft_l1").x)


@dataclass
class Yields:
    """Direct and cumulative cross sections by the formula, moved towards the measurements."""

    formula: Rudstam
    points: Points
    moved: dict[Pair, tuple[Array, float, bool]] = field(default_factory=dict)

    def at(self, pair: Pair, energy: Array) -> Array:
        """ln σ of a direct channel by the formula alone."""
        parent, fragment = (np.array(_numbers(name), dtype=float) for name in pair)
        return self.formula.log_sigma(parent, fragment, energy)

    def correction(self, pair: Pair) -> tuple[Array, float, bool]:
        """ln of the factor on the formula at 1 GeV/n and its slope in ln T, the error of the
        first, and whether anything was measured."""
        if pair not in self.moved:
            some = [p for p in self.points.get(pair, ()) if MEASURED[0] < p[0] < MEASURED[1]]
            normal, load = np.diag([FORMULA**-2, SLOPE**-2]), np.zeros(2)
            for energy, sigma, error, _ in some:
                weight = 1 / ((error / sigma) ** 2 + SYSTEMATIC**2)
                row = np.array([1.0, np.log(np.clip(energy, *LIMITS))])
                off = np.log(sigma) - self.at(pair, np.array(energy))
                normal += weight * np.outer(row, row)
                load += weight * float(off) * row
            inverse = np.linalg.inv(normal)
            error = np.hypot(inverse[0, 0] ** 0.5, SYSTEMATIC) if some else FORMULA
            self.moved[pair] = inverse @ load, float(error), bool(some)
        return self.moved[pair]

    def cumulative(self, pair: Pair, energy: Array) -> tuple[Array, float, float]:
        """ln σ with short-lived parents, its relative error, and the measured share."""
        parent, child = pair
        whole, errors, known = np.zeros_like(energy), 0.0, 0.0
        for fragment, branching in {child: 1.0, **GHOSTS.get(child, {})}.items():
            if _possible(parent, fragment):
                shift, error, seen = self.correction((parent, fragment))
                moved = shift[0] + shift[1] * np.log(np.clip(energy, *LIMITS))
                part = branching * np.exp(self.at((parent, fragment), energy) + moved)
                whole += part
                errors += float(error * part[_ONE]) ** 2
                known += float(part[_ONE]) if seen else 0.0
        if not whole.any():
            return np.full_like(energy, -np.inf), 1.0, 0.0
        return np.log(whole), errors**0.5 / float(whole[_ONE]), known / float(whole[_ONE])


def _possible(parent: str, fragment: str) -> bool:
    (zp, ap), (z, a) = _numbers(parent), _numbers(fragment)
    return a < ap and z <= zp and a - z <= ap - zp and a > z > 0


def consensus(sets: dict[str, Curves], pair: Pair) -> tuple[Array, float, int]:
    """ln of the geometric mean of the published sets, their spread from 1 GeV/n, their number.

    Sets that agree to 1 % count once. Each is held at its ends; below its first energy it is none.
    """
    curves: list[Array] = []
    for curve in sets.values():
        if pair in curve:
            energy, sigma = curve[pair]
            found = np.interp(np.log(ENERGY), np.log(energy), np.log(sigma), left=np.nan)
            late = slice(_ONE, None)
            if not any(np.allclose(found[late], c[late], atol=0.01) for c in curves):
                curves.append(found)
    if not curves:
        return np.full_like(ENERGY, -np.inf), 0.0, 0
    every = np.array(curves)
    some = np.isfinite(every)
    count = some.sum(axis=0)
    mean = np.where(some, every, 0).sum(axis=0) / np.maximum(count, 1)
    spread = float(np.sqrt(np.mean((every - mean)[:, _ONE:] ** 2))) if len(curves) > 1 else 0.0
    return np.where(count > 0, mean, -np.inf), spread, len(curves)


@dataclass
class Fitted:
    """A channel, how well the formula follows what it was fitted to, and what it stands on."""

    constants: Array
    uncertainty: float
    misfit: float
    measured: float
    sets: int


def fit_channel(yields: Yields, sets: dict[str, Curves], pair: Pair) -> Fitted | None:
    """The constants of one channel; None where it is nowhere above SMALLEST.

    Sets that differ by more than a factor of e tell no more than that.
    """
    target, spread, count = consensus(sets, pair)
    log_sigma, error, known = yields.cumulative(pair, ENERGY)
    if count:
        spread = max(spread, SPREAD) if count > 1 else ALONE
        if known > 0.5:
            weights = np.array([error**-2, spread**-2])
            target = target + weights[0] / weights.sum() * (log_sigma - target)[_ONE]
            spread = float(np.hypot(weights.sum() ** -0.5, SYSTEMATIC))
    elif _numbers(pair[0])[0] >= HEAVY and _numbers(pair[1])[0] >= 3:
        target, spread = log_sigma, float(np.hypot(error, SHAPE))
    if target.max() < np.log(SMALLEST):
        return None
    constants, misfit = fit_shape(target)
    return Fitted(constants, min(spread, 1.0), misfit, known, count)


def fit_shape(target: Array) -> tuple[Array, float]:
    """Constants of the formula for ln σ on ENERGY, and the rms of ln σ from 0.1 GeV/n on."""
    some = target > target.max() - np.log(100)
    energy, log_sigma = ENERGY[some], target[some]
    weight = np.where(energy > 0.3, 1.0, 0.3)
    end = float(log_sigma[-1])
    best = None
    for t0 in (0.01, 0.1, 0.4):
        found = least_squares(
            lambda x: (np.log(_shape(x, energy)) - log_sigma) * weight,
            [end, -0.3, 0.5, 0.1, 0.1, t0],
            bounds=([end - 1, -0.95, 0.02, 0.0, 0.02, 1e-3], [end + 1, 3, 3, 5, 2, 2]),
        )
        if best is None or found.cost < best.cost:
            best = found
    assert best is not None
    late = energy > 0.1
    rms = np.sqrt(np.mean((np.log(_shape(best.x, energy)) - log_sigma)[late] ** 2))
    return np.array([np.exp(best.x[0]), *best.x[1:]]), float(rms)


def _shape(x: Array, energy: Array) -> Array:
    return channels.Channel(np.exp(x[0]), *x[1:]).at(energy)


def fit_all(yields: Yields, sets: dict[str, Curves]) -> dict[Pair, Fitted]:
    """Every channel between nuclides of the full network."""
    names = sorted(NETWORKS["full"], key=_numbers)
    found = {}
    for parent in names:
        for child in names:
            if _possible(parent, child):
                fitted = fit_channel(yields, sets, (parent, child))
                if fitted is not None:
                    found[parent, child] = fitted
    return found


def write(path: Path, found: dict[Pair, Fitted]) -> None:
    """The table that the package reads."""
    lines = [
        "# Cumulative production cross sections on hydrogen: constants of crtransport.physics.",
        "# channels.Channel, printed by benchmarks/fit_channels.py, which cites what they rest on.",
        "# error: relative, one standard deviation; measured: share of σ that was measured",
        "parent,child,high,step,T_s,bump,T_b,T_0,error,measured",
    ]
    for (parent, child), fitted in found.items():
        numbers = ",".join(f"{x:.4g}" for x in fitted.constants)
        lines.append(f"{parent},{child},{numbers},{fitted.uncertainty:.2g},{fitted.measured:.2g}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def quality(found: dict[Pair, Fitted], yields: Yields, sets: dict[str, Curves]) -> str:
    """A table by the element of the fragment."""
    lines = [
        "fragment  channels  measured  error  misfit   rms against the measurements, and the mean "
        "offset of each set at 1 to 10 GeV/n",
        " " * 43 + "points   rms   " + "  ".join(f"{label:>11}" for label in sets),
    ]
    late = (ENERGY >= 1) & (ENERGY <= 10)
    for element in ELEMENTS:
        rows = {p: f for p, f in found.items() if p[1].rstrip("0123456789") == element}
        if not rows:
            continue
        seen = np.mean([f.measured > 0.5 for f in rows.values()])
        error = np.median([f.uncertainty for f in rows.values()])
        misfit = np.sqrt(np.mean([f.misfit**2 for f in rows.values()]))
        points, rms = _against_points(rows, yields)
        offsets = []
        for curves in sets.values():
            each = [
                np.mean(_on_grid(curves[pair])[late] - np.log(_sigma(rows[pair])[late]))
                for pair in rows
                if pair in curves and rows[pair].constants[0] > 1
            ]
            offsets.append(f"{np.exp(np.median(each)) - 1:+11.0%}" if each else " " * 11)
        lines.append(
            f"{element:<8}  {len(rows):8d}  {seen:8.0%}  {error:5.0%}  {misfit:6.1%}   "
            f"{points:6d}  {rms:4.0%}   " + "  ".join(offsets)
        )
    return "\n".join(lines)


def _on_grid(curve: tuple[Array, Array]) -> Array:
    return np.asarray(np.interp(np.log(ENERGY), np.log(curve[0]), np.log(curve[1])))


def _sigma(fitted: Fitted) -> Array:
    return channels.Channel(*fitted.constants).at(ENERGY)


def _against_points(rows: dict[Pair, Fitted], yields: Yields) -> tuple[int, float]:
    """Number of measured points without short-lived parents of weight, and rms of their ln σ."""
    deviations = []
    for (parent, child), fitted in rows.items():
        others = [
            np.exp(yields.at((parent, g), np.array(1.0))) * b
            for g, b in GHOSTS.get(child, {}).items()
            if _possible(parent, g)
        ]
        alone = np.exp(yields.at((parent, child), np.array(1.0)))
        if sum(others) < 0.05 * alone:
            model = channels.Channel(*fitted.constants)
            deviations += [
                float(np.log(model.at(np.array(energy)) / sigma))
                for energy, sigma, _, _ in yields.points.get((parent, child), ())
                if MEASURED[0] < energy < MEASURED[1]
            ]
    return len(deviations), float(np.sqrt(np.mean(np.square(deviations)))) if deviations else np.nan


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="data folder; CRTRANSPORT_DATA if left out")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    folder = data_folder(given.data)
    if folder is None:
        sys.exit("fit_channels: needs the measured tables: --data FOLDER, or CRTRANSPORT_DATA")
    sets = {label: published(folder, label) for label in SETS}
    points = measured(folder)
    yields = Yields(fit_rudstam(points), points)
    print("Rudstam's form:", " ".join(f"{x:.4g}" for x in yields.formula.x))
    found = fit_all(yields, sets)
    print(quality(found, yields, sets))
    below = sum(
        _possible(parent, child) and (parent, child) not in found
        for parent in NETWORKS["full"]
        for child in NETWORKS["full"]
    )
    print(f"{len(found)} channels; {below} set to zero, below {SMALLEST} mb or without any source")
    if given.write:
        write(TABLE, found)


if __name__ == "__main__":
    main()
