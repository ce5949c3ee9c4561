"""How well a galaxy is solved, and what is made finer where that does not suffice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Event
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crtransport.deck.galaxy import GalaxyDeck
from crtransport.deck.galaxy_solver import MOST_FUNCTIONS, PER_DECADE, ReducedBasis, Sweep
from crtransport.nuclides import nuclide
from crtransport.physics.losses import LOWEST
from crtransport.problems.galaxy_answer import Answer, energies
from crtransport.problems.galaxy_local import beside
from crtransport.problems.galaxy_transport import Resolution, Setting, momentum_order, transport
from crtransport.problems.threads import processors
from crtransport.solvers.errors import ConvergenceError, SingularOperatorError

Array = NDArray[np.float64]
Settings = Mapping[Resolution, Setting]

#: levels per decade of the coarser momentum grid, over those of the deck
_COARSER = 2 / 3
#: functions of the smaller basis, over those of the deck; it has other poles too
_FEWER = 0.75
#: lowest energy of the grid that tells what the end of the deck's does
_BELOW = 0.3
#: the same of the highest (with waves of 40 km/s three times it show but two thirds of the change),
#: and the part of it up to which the output may reach without that: measured, what reacceleration
#: brings from there is below 1e-5 of a flux at a tenth of it
_ABOVE, _FAR = 10.0, 0.1
#: a change above which no order is seen in it
_LARGE = 0.1
#: how far, in ln T, a step of a table is seen: two levels of the default grid
_BESIDE = 0.35
#: residual of what only tells an error
_ROUGH = 1e-8
#: levels per decade, orders of the elements and functions are raised by this, so many times
_FINER, _HIGHER, _LARGER = 1.5, 2, 1.5
_TIMES = {"momentum": 3, "space": 3, "basis": 4}
#: parts below this part of the largest wait
_MATTERS = 0.1
#: and the lowest energy is lowered by this
_LOWER = 0.1

_HINTS = {
    "T_max": "; raise momentum.T_max, or lower output.T_max",
    "T_min": "; lower momentum.T_min",
    "momentum": "; raise momentum.per_decade",
}


class Estimate(NamedTuple):
    """An answer, and what tells its numerical error.

    Attributes
    ----------
    answer : Answer
    flux : [nuclide, energy] array
        Interstellar, at the energies of the output.
    parts : mapping
        "momentum", "space", "T_min" or "basis and T_min", "T_max", "steps", "residual" ->
        [nuclide, energy] relative errors.
    beside : [nuclide, energy] array
        What local sources add to the flux of the element.
    unscaled : mapping
        Of each nuclide of the normalisation, [energy, and its T] errors before it.
    """

    answer: Answer
    flux: Array
    parts: Mapping[str, Array]
    beside: Array
    unscaled: Mapping[str, Array]

    @property
    def error(self) -> Array:
        """[nuclide, energy] the sum of the parts."""
        return np.asarray(sum(self.parts.values()))

    @property
    def seen(self) -> Mapping[str, Array]:
        """The parts, relative to each flux and the local sources beside it."""
        size = np.abs(self.flux)
        share = np.divide(size, size + self.beside, out=np.ones_like(size), where=self.beside > 0)
        # an infinite error of nothing is nothing
        return {
            name: np.multiply(part, share, out=np.zeros_like(size), where=share != 0)
            for name, part in self.parts.items()
        }

    @property
    def hidden(self) -> NDArray[np.bool_]:
        """[nuclide, energy] whether a flux is lost in local sources, wrong or not."""
        tolerance = self.answer.deck.solver.rtol
        return (self.beside > 0) & (np.abs(self.flux) <= tolerance * self.beside)

    @property
    def largest(self) -> float:
        """The largest error of what is seen."""
        return float(np.max(sum(self.seen.values()), initial=0.0))


def largest_part(estimate: Estimate) -> str:
    """Where the largest error of a run comes from, in words."""
    parts = estimate.seen
    largest = {name: float(np.max(values)) for name, values in parts.items()}
    name = max(largest, key=largest.__getitem__)
    i, j = np.unravel_index(np.argmax(parts[name]), estimate.flux.shape)
    deck = estimate.answer.deck
    at = f"{largest[name]:.1e} of {deck.nuclides[i]} at {energies(deck)[j]:.3g} GeV/n"
    return f"{name}: {at}{_hint(name, deck)}"


def _hint(name: str, deck: GalaxyDeck) -> str:
    """What helps against an error that a run does not make smaller by itself."""
    if "T_min" in name and deck.momentum.ends()[0] <= LOWEST and deck.reaccelerated():
        return (
            "; T_min cannot be lower, and what reacceleration brings from there matters; lower "
            "[reacceleration], or raise diffusion.D0"
        )
    return _HINTS.get(name, "")


class Refined(NamedTuple):
    """An estimate, the deck that it is of, and what of that was changed, in words."""

    estimate: Estimate
    deck: GalaxyDeck
    changes: tuple[str, ...]


def refined(deck: GalaxyDeck) -> Refined:
    """Solve a deck; as finely as its tolerance asks, in what it leaves open.

    Open are levels per decade, the lowest energy and orders of elements that no key sets, and
    functions beyond those of the deck. Where no basis of a reasonable size suffices, or none has an
    answer, all of the space is solved in.

    Raises
    ------
    ConvergenceError, SingularOperatorError
        If the equations of a nuclide cannot be solved. Where that is so of a finer grid only, the
        last answer stays, and its error tells that it is not what was asked for.
    """
    here, tried, why = deck, dict[str, int](), ""
    last: Refined | None = None
    local = beside(deck, energies(deck))
    while True:
        try:
            found = estimated(here, local=local)
        except (ConvergenceError, SingularOperatorError) as error:
            if isinstance(here.solver, ReducedBasis):
                here, why = in_full(here), f"the reduced basis has no answer: {error}"
                continue
            if last is None:
                raise
            return last
        last = Refined(found, here, _changes(deck, here, why))
        finer = _finer(deck, here, found, tried)
        if finer is None:
            return last
        if not isinstance(finer.solver, ReducedBasis) and isinstance(here.solver, ReducedBasis):
            why = f"a basis of {here.solver.functions} functions does not reach the tolerance"
        here = finer


def estimated(
    deck: GalaxyDeck, settings: Settings | None = None, local: Array | None = None
) -> Estimate:
    """The answer of a deck and its error: what coarser grids change, each scaled by its order.

    ``settings``: what was made for the deck at some resolutions, if it was; ``local``: what is
    seen `beside` it, if that counts.
    """
    energy, others = energies(deck), coarser(deck)
    wanted = [Resolution(), *(resolution for resolution, _ in others.values())]
    answer, *changed = solve_all(deck, wanted, settings or {})
    flux, *other_flux = (
        np.stack([each.interstellar(name, energy) for name in deck.nuclides])
        for each in (answer, *changed)
    )
    parts = {
        name: _told(_relative(other, flux), factor)
        for (name, (_, factor)), other in zip(others.items(), other_flux, strict=True)
    }
    if deck.nuclear.channel_file is not None:
        parts["momentum"] = _around(np.log(energy), parts["momentum"])
    if "steps" not in parts:  # which tell what a march leaves
        # far below all others, except where terms that cancel leave no digits
        residuals = [[answer.run.one(name).residual] for name in deck.nuclides]
        parts["residual"] = np.broadcast_to(residuals, flux.shape)
    unscaled = _unscaled(deck, [factor for _, factor in others.values()], answer, changed)
    here = np.zeros_like(flux) if local is None else local
    return Estimate(answer, flux, parts, here, unscaled)


def _unscaled(
    deck: GalaxyDeck, factors: Sequence[float], answer: Answer, others: Sequence[Answer]
) -> dict[str, Array]:
    """Errors of what is scaled to a given flux, at the energies of the output and there."""
    norm = deck.normalisation
    if norm is None:
        return {}
    at, found = np.append(energies(deck), norm.T), {}
    for name in norm.flux:
        own, *changed = (
            each.spectra[name].flux(at) / each.run.one(name).emission for each in (answer, *others)
        )
        told = [_told(_relative(x, own), f) for x, f in zip(changed, factors, strict=True)]
        found[name] = np.asarray(sum(told))
    return found


def _relative(other: Array, flux: Array) -> Array:
    """|other − flux| over |flux|; none where neither has anything."""
    change = np.abs(other - flux)
    some = np.divide(change, np.abs(flux), out=np.full_like(flux, np.inf), where=flux != 0)
    return np.where(change == 0, 0.0, some)


def _told(change: Array, factor: float) -> Array:
    """The error that a change tells of; all of it where it is so large that no order is seen."""
    return np.where(change > _LARGE, np.maximum(factor, 1.0), factor) * change


def _around(log_energy: Array, error: Array) -> Array:
    """[nuclide, energy] the largest near each energy: grids meet a step at different places."""
    near = np.abs(log_energy[:, None] - log_energy) <= _BESIDE
    return np.asarray(np.max(np.where(near, error[:, None, :], 0.0), axis=2))


def solve_all(
    deck: GalaxyDeck, resolutions: Sequence[Resolution], settings: Settings
) -> list[Answer]:
    """Answers at several resolutions, side by side."""
    stop = Event()
    with ThreadPoolExecutor(max_workers=processors()) as pool:
        runs = [pool.submit(transport, deck, r, stop, settings.get(r)) for r in resolutions]
        try:
            return [Answer(deck, run.result()) for run in runs]
        except BaseException:  # an error of one, or an interrupt: the others end soon
            stop.set()
            raise


def coarser(deck: GalaxyDeck) -> dict[str, tuple[Resolution, float]]:
    """Other grids, and the part of the change to them that is an error of the deck's grid.

    With an error h^p a grid of step h/c differs by c^−p − 1 errors; above the first order one
    less is taken for p, as measured rates fall short of it. Half the cells, or one order less in r
    and two in z, make an error at least four times as large; half the repeats of a march, twice. A
    lower end of the momenta changes as much as the end of the deck's costs, and a higher one, where
    the output comes near it. A smaller basis has other poles too, and changes more than what the
    deck's errs by.
    """
    order = max(momentum_order(deck) - 1, 1)
    if deck.nuclear.channel_file is not None:
        order = 1  # that is left beside steps of a table
    elif _sharp(deck):
        # beside kinks of a spectrum, which reacceleration rounds
        order = min(order, 2 if deck.reaccelerated() else 1)
    same = Resolution(residual=_ROUGH)
    found = {"momentum": (replace(same, per_decade=_COARSER), 1 / (_COARSER**-order - 1))}
    if deck.geometry.kind != "leaky-box":
        found["space"] = replace(same, coarse=True), 1 / 3
    if deck.solver.kind == "reduced-basis":
        found["basis and T_min"] = replace(same, functions=_FEWER, below=_BELOW), 1.0
    else:
        found["T_min"] = replace(same, below=_BELOW), 1.0
    if deck.output.T_max > _FAR * deck.momentum.T_max:
        found["T_max"] = replace(same, above=_ABOVE), 1.0
    if deck.solver.kind == "split-cn":
        found["steps"] = Resolution(repeats=0.5), 1.0
    return found


def _sharp(deck: GalaxyDeck) -> bool:
    """Whether some spectrum, or D, bends within less than what levels resolve."""
    emitted = [nuclide(name) for name in deck.emitted()]
    broken = (source.sharp(nucleus) for source in deck.source for nucleus in emitted)
    return bool(deck.diffusion.sharp()) or any(broken)


def in_full(deck: GalaxyDeck) -> GalaxyDeck:
    """The deck, solved in all of its space and not on a reduced basis."""
    solver = deck.solver
    return replace(
        deck,
        solver=Sweep(
            kind="sweep-gmres",
            discretisation=solver.discretisation,
            rtol=solver.rtol,
            order_r=solver.order_r,
            order_z=solver.order_z,
            elements_r=solver.elements_r,
            cells_r=solver.cells_r,
            cells_z=solver.cells_z,
        ),
    )


def _finer(
    deck: GalaxyDeck, here: GalaxyDeck, found: Estimate, tried: dict[str, int]
) -> GalaxyDeck | None:
    """``here`` with what its error comes from made finer, where ``deck`` leaves it open."""
    tolerance = here.solver.rtol
    if not found.largest > tolerance:
        return None
    parts = {name: float(np.max(values)) for name, values in found.seen.items()}
    if (both := parts.pop("basis and T_min", 0.0)) > tolerance / len(found.parts):
        alone = _by_basis(here, found)
        # what the lower end changes is seen once the basis changes less; much less, where the end
        # is given and nothing else is left to do
        share = 0.5 if deck.momentum.T_min is None else _MATTERS
        parts["basis"], parts["T_min"] = (alone, both) if alone < share * both else (both, 0.0)
    solver, momentum = here.solver, here.momentum
    # what matters most comes first, on grids that are not finer yet
    enough = max(tolerance / len(found.parts), _MATTERS * max(parts.values()))
    for part, error in parts.items():
        times = tried.get(part, 0)
        if error <= enough:
            continue
        if part == "momentum" and deck.momentum.per_decade is None and times < _TIMES[part]:
            levels = _FINER * (momentum.per_decade or PER_DECADE)
            momentum = replace(momentum, per_decade=levels)
        elif part == "T_min" and deck.momentum.T_min is None and momentum.ends()[0] > LOWEST:
            momentum = replace(momentum, T_min=max(_LOWER * momentum.ends()[0], LOWEST))
        elif part == "space" and _leaves_orders_open(deck) and times < _TIMES[part]:
            r, z, _ = (n + _HIGHER for n in solver.orders())
            has_r = deck.geometry.kind == "cylinder"
            solver = replace(solver, order_r=r if has_r else None, order_z=z)
        elif (
            part == "basis"
            and isinstance(solver, ReducedBasis)
            and times < _TIMES[part]
            and solver.functions < MOST_FUNCTIONS
        ):
            functions = min(round(_LARGER * solver.functions), MOST_FUNCTIONS)
            solver = replace(solver, functions=functions)
        elif part in ("basis", "residual") and isinstance(solver, ReducedBasis):
            solver = in_full(replace(here, solver=solver)).solver
        elif error > tolerance:
            return None  # what is left is not open, and too much by itself
        else:
            continue
        tried[part] = times + 1
    if momentum == here.momentum and solver == here.solver:
        return None
    return replace(here, momentum=momentum, solver=solver)


def _leaves_orders_open(deck: GalaxyDeck) -> bool:
    solver = deck.solver
    written = (solver.order_r, solver.order_z, solver.elements_r)
    return solver.discretisation == "spectral" and all(key is None for key in written)


def _by_basis(here: GalaxyDeck, found: Estimate) -> float:
    """What the smaller basis alone changes, between the same ends."""
    answer, energy = solve_all(here, [Resolution(functions=_FEWER)], {})[0], energies(here)
    flux = np.stack([answer.interstellar(name, energy) for name in here.nuclides])
    return found._replace(parts={"basis": _relative(flux, found.flux)}).largest


def _changes(deck: GalaxyDeck, here: GalaxyDeck, why: str) -> tuple[str, ...]:
    found = []
    if here.momentum.per_decade != deck.momentum.per_decade:
        found.append(f"{here.momentum.per_decade:g} levels per decade")
    if here.momentum.T_min != deck.momentum.T_min:
        found.append(f"from T = {here.momentum.ends()[0]:g} GeV/n")
    if here.solver.orders() != deck.solver.orders():
        r, z, _ = here.solver.orders()
        in_r = f"{r} in r and " if deck.geometry.kind == "cylinder" else ""
        found.append(f"order {in_r}{z} in z")
    if isinstance(here.solver, ReducedBasis) and here.solver != deck.solver:
        assert isinstance(deck.solver, ReducedBasis)
        if here.solver.functions != deck.solver.functions:
            found.append(f"{here.solver.functions} functions")
    if why:
        found.append(f"solved in all of space, as {why}")
    return tuple(found)
