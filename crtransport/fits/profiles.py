"""Profiles over one parameter and contours over two, all others at their best."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from crtransport.fits.likelihood import Objective
from crtransport.fits.minimise import Fit, prepared
from crtransport.fits.parameters import FitError

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Profile:
    """−2 ln(L × priors) with one parameter held.

    Attributes
    ----------
    name : str
    grid : array (n,)
        Values at which it was held.
    chi2 : array (n,)
    others : array (n, k)
        Best values of all parameters there, the held one included.
    problems : tuple of str
        Where no minimum was found.
    """

    name: str
    grid: Array
    chi2: Array
    others: Array
    problems: tuple[str, ...]


def profile(objective: Objective, fit: Fit, name: str, grid: Array) -> Profile:
    """Profile likelihood: minima over the other parameters, from the best fit outwards.

    Parameters
    ----------
    objective : Objective
    fit : Fit
        Of the same objective.
    name : str
        Of the parameter that is held.
    grid : array
        Its values, within its bounds.
    """
    place = _place(fit, name)
    one = objective.parameters[place]
    grid = np.asarray(grid, dtype=float)
    if np.any((grid < one.lower) | (grid > one.upper)):
        bounds = f"{one.lower:g} … {one.upper:g}"
        raise FitError(f"{name}: its profile reaches beyond its bounds {bounds}")
    chi2, others = np.empty(grid.size), np.empty((grid.size, fit.values.size))
    order = np.argsort(grid)
    middle = int(np.searchsorted(grid[order], fit.values[place]))
    problems = []
    for side in (order[middle:], order[:middle][::-1]):
        start = _coordinates(objective, fit)
        for i in side:
            start[place] = one.inside(float(grid[i]))
            minuit = prepared(objective, start)
            minuit.fixed[name] = True
            minuit.migrad()
            if not minuit.valid:
                problems.append(f"no minimum at {name} = {grid[i]:g}")
            start = np.array(minuit.values)
            chi2[i] = minuit.fval
            others[i] = list(objective.values(start).values())
    return Profile(name=name, grid=grid, chi2=chi2, others=others, problems=tuple(problems))


def contour(
    objective: Objective,
    fit: Fit,
    pair: tuple[str, str],
    level: float = 0.68,
    points: int = 24,
) -> Array:
    """Places, [point, 2], around which two parameters lie with a probability.

    −2 ln L, the others at their best, is there above its minimum by the quantile of χ² with two
    degrees of freedom (James & Roos 1975).

    Raises
    ------
    FitError
        If the contour is not found.
    """
    one, other = (objective.parameters[_place(fit, name)] for name in pair)
    minuit = prepared(objective, _coordinates(objective, fit))
    minuit.migrad()
    if not minuit.valid:
        raise FitError(f"{pair[0]} and {pair[1]}: no contour where no minimum is")
    found = minuit.mncontour(*pair, cl=level, size=points)
    if len(found) < points:
        raise FitError(f"{pair[0]} and {pair[1]}: {len(found)} of {points} points of the contour")
    # iminuit ends with the first point once more
    return np.array([[one.outside(x), other.outside(y)] for x, y in found[:points]])


def ellipse(fit: Fit, pair: tuple[str, str], level: float = 0.68, points: int = 200) -> Array:
    """The same, [point, 2], if −2 ln L were quadratic in the coordinates."""
    places = [_place(fit, name) for name in pair]
    both = [fit.parameters[place] for place in places]
    values = fit.values[places]
    slopes = np.array([one.slope(float(v)) for one, v in zip(both, values, strict=True)])
    inner = fit.covariance[np.ix_(places, places)] / np.outer(slopes, slopes)
    angle = np.linspace(0, 2 * np.pi, points)
    # quantile of χ² with two degrees of freedom
    radius = np.sqrt(-2 * np.log(1 - level))
    circle = radius * np.stack([np.cos(angle), np.sin(angle)])
    around = np.linalg.cholesky(inner) @ circle
    middle = [one.inside(float(v)) for one, v in zip(both, values, strict=True)]
    return np.array(
        [[one.outside(u) for u in middle[i] + around[i]] for i, one in enumerate(both)]
    ).T


def _place(fit: Fit, name: str) -> int:
    if name not in fit.names:
        raise FitError(f"{name} is no parameter of the fit: {', '.join(fit.names)}")
    return fit.names.index(name)


def _coordinates(objective: Objective, fit: Fit) -> Array:
    both = zip(objective.parameters, fit.values, strict=True)
    return np.array([one.inside(float(value)) for one, value in both])
