"""Transport of all nuclides of a deck, parents before children, on one grid."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from threading import Event

import numpy as np
from numpy.typing import NDArray

from crtransport.deck.galaxy import GalaxyDeck
from crtransport.deck.galaxy_solver import PER_DECADE
from crtransport.nuclides import Nuclide, nuclide
from crtransport.problems.galaxy_flux import Spectrum
from crtransport.problems.galaxy_levels import Momenta, make_levels
from crtransport.problems.galaxy_momentum import Rates, make_terms, pieces
from crtransport.problems.galaxy_origin import Origin, Origins, Transported
from crtransport.problems.galaxy_space import Space, make_space
from crtransport.solvers.errors import ConvergenceError, SingularOperatorError
from crtransport.solvers.levels import weight_of
from crtransport.solvers.problem import FieldProblem, FieldSolution

Array = NDArray[np.float64]
Method = Callable[[FieldProblem], FieldSolution]


@dataclass(frozen=True, kw_only=True)
class Resolution:
    """How the grids of a run differ from those of the deck.

    Attributes
    ----------
    per_decade : float
        Factor on the levels per decade of momentum.
    coarse : bool
        The coarser grid in space.
    below, above : float
        Factors on the lowest and the highest kinetic energy.
    repeats : float
        Factor on the repeats of an operator-split march.
    residual : float
        Residual that suffices, where it is above that of the deck.
    functions : float
        Factor on the functions of a reduced basis.
    """

    per_decade: float = 1.0
    coarse: bool = False
    below: float = 1.0
    above: float = 1.0
    repeats: float = 1.0
    residual: float = 0.0
    functions: float = 1.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Transport:
    """All nuclides of a deck on one grid, heaviest first."""

    levels: Momenta
    space: Space
    nuclides: tuple[Transported, ...]

    def one(self, name: str) -> Transported:
        """The nuclide of this name."""
        return next(one for one in self.nuclides if one.nucleus.name == name)

    @property
    def unknowns(self) -> int:
        """Levels times places, of one nuclide."""
        return self.levels.n * self.space.grid.n_places


def kept_nucleons(run: Transport) -> float | None:
    """Of the nucleons of nuclei that collisions destroy, the part that nuclei of the run keep.

    Σ A × (made by collisions) over Σ A × (destroyed); the rest are free nucleons, and nuclei that
    the network lacks. None where nothing is destroyed.
    """
    destroyed = made = 0.0
    for one in run.nuclides:
        freed = one.origin.produced_in_all(one.log_scale, where=run.space.gas)
        made += one.nucleus.mass_number * one.rate(freed)
        if one.nucleus.mass_number > 1:
            lost = one.budget.get("spallation", 0.0) * one.rate(one.freed)
            destroyed += one.nucleus.mass_number * lost
    return made / destroyed if destroyed > 0 else None


@dataclass(frozen=True, kw_only=True, eq=False)
class Setting:
    """What decks that differ in rates and sources only have in common."""

    levels: Momenta
    space: Space


def make_setting(deck: GalaxyDeck, resolution: Resolution | None = None) -> Setting:
    """Of a deck; a reduced basis serves others with the same matrices in space and like rates."""
    resolution = resolution or Resolution()
    space = make_space(deck, resolution.coarse)
    nuclei = ordered(deck)
    per_decade = (deck.momentum.per_decade or PER_DECADE) * resolution.per_decade
    levels = make_levels(deck, nuclei, per_decade, resolution.below, resolution.above)
    if deck.solver.kind == "reduced-basis":
        from crtransport.problems.galaxy_reduced import basis, reduced
        from crtransport.solvers.reduced_basis import diagonalised

        size = max(1, round(deck.solver.functions * resolution.functions))
        functions = basis(deck, space, nuclei, levels, size)
        space = reduced(space, diagonalised(space.gas, functions))
    return Setting(levels=levels, space=space)


def transport(
    deck: GalaxyDeck,
    resolution: Resolution | None = None,
    stop: Event | None = None,
    setting: Setting | None = None,
) -> Transport:
    """Solve the transport equation for every nuclide of the deck, or until ``stop`` is set.

    ``setting``: what was made for it, if it was.

    Raises
    ------
    ConvergenceError, SingularOperatorError
        If a nuclide's equations cannot be solved; strong reacceleration needs a low T_min.
    """
    resolution = resolution or Resolution()
    setting = setting or make_setting(deck, resolution)
    levels, space = setting.levels, setting.space
    method = method_of(deck, resolution)
    equations = Equations(deck, levels, space)
    done: list[Transported] = []
    values = np.empty((len(equations.nuclei), levels.n, space.grid.n_places))
    for index, nucleus in enumerate(equations.nuclei):
        if stop is not None and stop.is_set():
            break
        try:
            done.append(_solved(equations, index, done, values, method))
        except (ConvergenceError, SingularOperatorError) as error:
            raise type(error)(f"{nucleus.name}: {error}") from error
    return Transport(levels=levels, space=space, nuclides=tuple(done))


def ordered(deck: GalaxyDeck) -> list[Nuclide]:
    """The nuclides of a deck, parents before children.

    Collisions make lighter nuclei; decay makes stable ones as heavy, 10Be the 10B of more charge.
    """
    return sorted(
        (nuclide(name) for name in deck.nuclides),
        key=lambda n: (-n.mass_number, n.half_life is None, -n.charge),
    )


def method_of(deck: GalaxyDeck, resolution: Resolution) -> Method:
    """The deck's way of solving a FieldProblem, at a resolution."""
    # each imports kernels that the others do not need
    solver = deck.solver
    if solver.kind == "sweep-gmres":
        from crtransport.solvers.sweep_gmres import solve_sweep

        rtol = max(solver.linear_rtol, resolution.residual)
        return lambda problem: solve_sweep(problem, rtol=rtol)
    if solver.kind == "reduced-basis":
        from crtransport.solvers.reduced_basis import solve_modes

        return solve_modes
    if solver.kind == "direct":
        from crtransport.solvers.direct import solve_direct

        return solve_direct
    from crtransport.solvers.split_cn import solve_split_cn

    repeats = max(1, round(solver.repeats * resolution.repeats))
    return lambda problem: solve_split_cn(
        problem, 1e-6 * solver.start, solver.factor, 1e-6 * solver.end, repeats
    )


def momentum_order(deck: GalaxyDeck) -> int:
    """Order of the differences in momentum: the deck's, or what goes with its grid in space."""
    if deck.momentum.order is not None:
        return deck.momentum.order
    if deck.solver.kind == "split-cn":
        return 1
    return 5 if deck.solver.discretisation == "spectral" else 2


class Equations:
    """The transport equations of all nuclides of a deck, parents before children.

    For y = N_s over scales, [nuclide, extended level] ln S: by default the expected solutions.
    """

    def __init__(
        self, deck: GalaxyDeck, levels: Momenta, space: Space, log_scales: Array | None = None
    ) -> None:
        self.deck, self.levels, self.space = deck, levels, space
        self.nuclei = tuple(ordered(deck))
        self.origins = Origins(deck, self.nuclei, levels, space)
        found = pieces(Rates(deck, self.nuclei, levels), space, deck)
        if log_scales is None:
            log_scales = self.origins.log_typical(found, levels)
        for nucleus, row in zip(self.nuclei, log_scales, strict=True):
            if not np.isfinite(row).any():
                raise ConvergenceError(
                    f"{nucleus.name}: nothing makes it at the momenta of the grid; leave it out of "
                    "network, or raise momentum.T_max"
                )
        self.log_scales, self.weights = log_scales, weight_of(log_scales)
        self.terms = make_terms(found, levels, log_scales, momentum_order(deck))

    def problem(self, index: int, origin: Origin) -> FieldProblem:
        """The equation of one of the nuclides."""
        log_scale = self.log_scales[index]
        return FieldProblem(
            terms=self.terms[index],
            source=origin.emitted(log_scale) + origin.produced(log_scale),
            mass=self.space.volume.total,
            weight=self.weights[index],
            shape=self.space.grid.shape,
        )


def _solved(
    equations: Equations, index: int, done: Sequence[Transported], values: Array, method: Method
) -> Transported:
    """One nuclide, given its parents among those ``done``, into its row of ``values``."""
    nucleus, log_scale = equations.nuclei[index], equations.log_scales[index]
    origin = Origin(equations.origins, index, done, values)
    problem = equations.problem(index, origin)
    norm, share = equations.deck.normalisation, 1.0
    target = None if norm is None else norm.each(nucleus.name)
    if norm is None or target is None:
        solution = method(problem)
        values[index], iterations = solution.values, solution.iterations
        residual = solution.residual
    else:
        parts = [origin.emitted(log_scale), origin.produced(log_scale)]
        if not parts[0].any():
            raise ConvergenceError(
                f"normalisation.flux: no source sets {nucleus.name} free at the momenta of the grid"
            )
        answers = [method(replace(problem, source=part)) for part in parts if part.any()]
        at, levels, sun = np.array(norm.T), equations.levels, equations.space.sun
        flux = [
            float(Spectrum(nucleus, levels, a.values @ sun, log_scale).flux(at)) for a in answers
        ]
        if flux[0] == 0:
            raise ConvergenceError(
                f"normalisation.flux: the sources give {nucleus.name} 0 at T = {at:g} GeV/n, "
                "which no factor brings to a flux; choose a normalisation.T that they reach"
            )
        if not flux[0] > 0:
            raise ConvergenceError(
                f"normalisation.flux: what the sources emit gives {nucleus.name} {flux[0]:.3g} at "
                f"T = {at:g} GeV/n: there is no steady state, or none that the grid resolves"
            )
        share = (target - sum(flux[1:])) / flux[0]
        if share <= 0:
            raise ConvergenceError(
                f"normalisation.flux: fragmentation alone gives {nucleus.name} "
                f"{sum(flux[1:]):.3g} at T = {at:g} GeV/n, more than the {target:.3g} asked for"
            )
        problem = replace(problem, source=share * parts[0] + parts[1])
        values[index] = share * answers[0].values + sum(a.values for a in answers[1:])
        iterations = sum(a.iterations for a in answers)
        residual = problem.residual(values[index])
    return Transported(
        nucleus=nucleus,
        values=values[index],
        log_scale=log_scale,
        problem=problem,
        origin=origin,
        residual=residual,
        iterations=iterations,
        emission=share,
    )
