"""Sums of power laws with cutoffs, fitted to several elements together.

    φ_e = Σ_j n_ej u_j (R/P_j)^−(α_j + Δ_ej) exp(−R/R_c,j)

with Δ = 0 of the first element. The pivot P_j and the unit u_j only make what moves of order one
and little correlated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from crtransport.deck.components import Component
from crtransport.deck.fitted import FittedNumber, FittedRigidity
from crtransport.fits import Curve, DataSet, Fit, Likelihood, Objective, Parameter, minimise
from crtransport.fits.likelihood import Values
from crtransport.measurements.axes import on_axis, rigidity

Array = NDArray[np.float64]

#: of a component's cutoff, where its norm is told
_PIVOT = 0.1
#: norms lie between 0 and this, in units of what would make all of the flux at the pivot
_NORM_MAX = 1e3


@dataclass(frozen=True)
class Shape:
    """A power law with a cutoff, 1 at the pivot but for the cutoff."""

    alpha: float
    cutoff: float
    pivot: float

    def flux(self, at: Array) -> Array:
        """(R/P)^−α exp(−R/R_c) at R in GV."""
        return np.asarray((at / self.pivot) ** -self.alpha * np.exp(-at / self.cutoff))


class ComponentsFit:
    """χ² of the components.

    Parameters
    ----------
    sets : sequence of DataSet
        Fluxes; the element of the first is the first.
    components : sequence of Component
    """

    def __init__(self, sets: Sequence[DataSet], components: Sequence[Component]) -> None:
        self.likelihood = Likelihood(sets)
        self.components = tuple(components)
        self.elements = tuple(dict.fromkeys(one.table.quantity for one in sets))
        low, high = _range(sets)
        starts = [one.R_c.start for one in components]
        self.pivots = np.clip(_PIVOT * np.array(starts), low, high)
        self.units = self._units()
        self.numbers = self._numbers()
        self.held = {name: one.start for name, one in self.numbers.items() if one.fixed}
        moving = [one.parameter(name) for name, one in self.numbers.items() if not one.fixed]
        self.shapes = tuple(moving)
        start = {name: one.start for name, one in self.numbers.items()}
        norms, nuisances = self.norms(start), self.likelihood.nuisances
        self.objective = Objective((*norms, *moving, *nuisances), self.chi2, self.gradient)

    def _numbers(self) -> dict[str, FittedNumber | FittedRigidity]:
        """Of the shapes, by name: "alpha.knee", "R_c.knee", "difference.He.knee"."""
        found: dict[str, FittedNumber | FittedRigidity] = {}
        for one in self.components:
            found |= {f"alpha.{one.name}": one.alpha, f"R_c.{one.name}": one.R_c}
            found |= {f"difference.{e}.{one.name}": one.difference[e] for e in self.elements[1:]}
        return found

    def _units(self) -> Array:
        """[element, component] the flux above 0 that is measured nearest to each pivot."""
        units = np.empty((len(self.elements), len(self.components)))
        for i, element in enumerate(self.elements):
            sets = [one for one in self.likelihood.data if one.table.quantity == element]
            at = np.concatenate([rigidity(one.table, one.table.x[one.some]) for one in sets])
            per = np.concatenate([self._measured(one) for one in sets])
            at, per = at[per > 0], per[per > 0]
            units[i] = [per[np.argmin(np.abs(np.log(at / pivot)))] for pivot in self.pivots]
        return units

    @staticmethod
    def _measured(one: DataSet) -> Array:
        """Fluxes over rigidity at the points that count."""
        flat = {one.table.quantity: np.ones_like}
        return np.asarray(one.table.y[one.some] / one.predicted(on_axis(one.table, flat)))

    def shape(self, i: int, j: int, values: Values) -> Shape:
        """Of element i and component j."""
        name = self.components[j].name
        known = {**self.held, **values}
        alpha = known[f"alpha.{name}"]
        if i > 0:
            alpha += known[f"difference.{self.elements[i]}.{name}"]
        return Shape(alpha, known[f"R_c.{name}"], float(self.pivots[j]))

    def norm_name(self, i: int, j: int) -> str:
        """Of the norm of element i in component j."""
        return f"norm.{self.elements[i]}.{self.components[j].name}"

    def norms(self, values: Values) -> tuple[Parameter, ...]:
        """Those with which given shapes fit best, all errors taken as symmetric and independent."""
        found = []
        for i, element in enumerate(self.elements):
            sets = [one for one in self.likelihood.data if one.table.quantity == element]
            columns = [self._column(sets, self._unit_flux(i, j, values)) for j in self._places]
            best = nnls(np.stack(columns, axis=1), self._column(sets))[0]
            found += [
                Parameter(
                    name=self.norm_name(i, j),
                    start=min(float(best[j]), _NORM_MAX / 2),
                    lower=0.0,
                    upper=_NORM_MAX,
                )
                for j in self._places
            ]
        return tuple(found)

    @property
    def _places(self) -> range:
        return range(len(self.components))

    def _unit_flux(self, i: int, j: int, values: Values) -> Curve:
        shape, unit = self.shape(i, j, values), self.units[i, j]
        return lambda at: unit * shape.flux(at)

    @staticmethod
    def _column(sets: Sequence[DataSet], flux: Curve | None = None) -> Array:
        """Values over errors of all sets: of a flux, or as measured; limits count as nothing."""
        rows = []
        for one in sets:
            table, some = one.table, one.some
            sigma = (table.error_lo + table.error_hi)[some] / 2
            if flux is None:
                value = table.y[some]
            else:
                value = one.predicted(on_axis(table, {table.quantity: flux}))
            rows.append(np.where(table.measured[some], value, 0) / np.where(sigma > 0, sigma, 1))
        return np.concatenate(rows)

    def flux(self, i: int, values: Values) -> Curve:
        """Of element i, all components together."""
        parts = [self.part(i, j, values) for j in self._places]
        return lambda at: np.asarray(sum(part(at) for part in parts))

    def part(self, i: int, j: int, values: Values) -> Curve:
        """Of element i, component j."""
        norm, flux = values[self.norm_name(i, j)], self._unit_flux(i, j, values)
        return lambda at: norm * flux(at)

    def _curves(self, values: Values) -> dict[str, Curve]:
        fluxes = {element: self.flux(i, values) for i, element in enumerate(self.elements)}
        return {one.name: on_axis(one.table, fluxes) for one in self.likelihood.data}

    def chi2(self, values: Values) -> float:
        """Sum over the data sets."""
        return self.likelihood.chi2(self._curves(values), values)

    def by_element(self, values: Values) -> tuple[Array, Array]:
        """χ² of each element, and how many points it has."""
        chi2, points = np.zeros((2, len(self.elements)))
        curves = self._curves(values)
        for one in self.likelihood.data:
            i = self.elements.index(one.table.quantity)
            chi2[i] += Likelihood([one]).chi2({one.name: curves[one.name]}, values)
            points[i] += one.some.sum()
        return chi2, points

    def gradient(self, values: Values) -> dict[str, float]:
        """∂χ²/∂ each of what moves."""
        matches = self.likelihood.matches(self._curves(values), values)
        slopes = dict.fromkeys(values, 0.0) | self.likelihood.by_nuisances(matches)
        for one in self.likelihood.data:
            i = self.elements.index(one.table.quantity)
            match = matches[one.name]
            at = rigidity(one.table, match.at)
            for j, component in enumerate(self.components):
                part = on_axis(one.table, {self.elements[i]: self._unit_flux(i, j, values)})
                weighted = match.weights * part(match.at)
                norm = values[self.norm_name(i, j)]
                by_alpha = -norm * float(np.sum(weighted * np.log(at / self.pivots[j])))
                cutoff = self.shape(i, j, values).cutoff
                found = {
                    self.norm_name(i, j): float(np.sum(weighted)),
                    f"alpha.{component.name}": by_alpha,
                    f"R_c.{component.name}": norm * float(np.sum(weighted * at)) / cutoff**2,
                    f"difference.{self.elements[i]}.{component.name}": by_alpha,
                }
                for name in found.keys() & slopes.keys():
                    slopes[name] += found[name]
        return slopes

    def begun(self, values: Values) -> Objective:
        """The objective that begins at given shapes, with the norms that suit them."""
        shapes = [replace(one, start=values[one.name]) for one in self.shapes]
        return self.objective.with_parameters(
            (*self.norms(values), *shapes, *self.likelihood.nuisances)
        )

    def held_at(self, values: Values) -> Fit:
        """The least χ² of given shapes, norms and scales alone being free."""
        known = self.held | dict(values)

        def chi2(norms: Values) -> float:
            return self.chi2(known | dict(norms))

        return minimise(Objective((*self.norms(known), *self.likelihood.nuisances), chi2))


def _range(sets: Sequence[DataSet]) -> tuple[float, float]:
    """Of rigidities that count, GV."""
    at = np.concatenate([rigidity(one.table, one.table.x[one.some]) for one in sets])
    return float(at.min()), float(at.max())


def minima(fit: ComponentsFit, starts: int, seed: int) -> list[Fit]:
    """The minima found from several starts, the least first.

    The first start is the deck's, others are random within the bounds: indices uniform, cutoffs
    uniform in their logarithm.
    """
    random = np.random.default_rng(seed)
    begins = [{one.name: one.start for one in fit.shapes}]
    for _ in range(starts - 1):
        drawn = {one.name: one.outside(random.uniform(*one.limits)) for one in fit.shapes}
        begins.append(drawn)
    found = [minimise(fit.begun(fit.held | one)) for one in begins]
    return sorted(found, key=lambda one: (not one.converged, one.chi2))
