"""What is said of densities that are negative or no numbers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crtransport.deck.galaxy import GalaxyDeck
from crtransport.physics.losses import LOWEST
from crtransport.problems.galaxy_answer import Answer, energies
from crtransport.problems.galaxy_estimate import Estimate
from crtransport.problems.galaxy_origin import Transported
from crtransport.problems.galaxy_transport import Resolution, Transport, transport
from crtransport.solvers.errors import ConvergenceError

Array = NDArray[np.float64]

#: relative error below which the sign of a flux is certain
_CERTAIN = 0.3
#: part of the largest flux above which negative ones are no ripple
_MUCH = 0.1
#: lowest energy of the grid by which that is confirmed, over that of the deck's, and its levels per
#: decade: a cutoff that few levels hold may be negative on two coarse grids alike
_BELOW, _FINER = 0.01, 2.0


def refuse_unsteady(estimate: Estimate) -> None:
    """Refuse an answer that is negative beyond its error, or that is no number.

    The equation of a steady state keeps densities positive if, and only if, densities without
    sources die out in time (the operator is of positive type: Krein & Rutman 1950): a negative
    solution that no grid changes says that gains exceed losses, and that there is no steady state.
    Gains include what waves bring from below T_min, where the density goes on as is expected of it.
    Where losses below T_min would end that, a lower T_min changes the solution, and the error is
    large: such a flux is not resolved (`not_positive`). One two decades lower, on twice
    as many levels per decade, has to agree.

    Raises
    ------
    ConvergenceError
    """
    answer, energy = estimate.answer, energies(estimate.answer.deck)
    deck, flux = answer.deck, _signed(estimate)
    for name, row in zip(deck.nuclides, flux, strict=True):
        if not np.all(np.isfinite(row)):
            at = energy[~np.isfinite(row)]
            raise ConvergenceError(f"{name}: the flux at T = {_span(at)} is no number")
    certain = (flux < 0) & (estimate.error < _CERTAIN)
    # at the T of a normalisation a flux has no error; its sign before that may be wrong
    certain &= all(error[-1] < _CERTAIN for error in estimate.unscaled.values())
    # without reacceleration nothing gains energy, and it is the differences that are negative
    if not certain.any() or not deck.reaccelerated():
        return
    farther = _from_far_below(deck)
    certain &= np.abs(farther / flux - 1) < _CERTAIN
    for name, negative in zip(deck.nuclides, certain, strict=True):
        if negative.any():
            raise ConvergenceError(
                f"{name}: there is no steady state: the solution is negative at T = "
                f"{_span(energy[negative])}, on this, coarser and finer grids and from whatever "
                "T_min, as gains by reacceleration exceed escape and losses; lower [reacceleration]"
            )


def _from_far_below(deck: GalaxyDeck) -> Array:
    """[nuclide, energy] fluxes on finer levels that begin two decades lower."""
    below = max(_BELOW, LOWEST / deck.momentum.ends()[0])
    answer = Answer(deck, transport(deck, Resolution(below=min(below, 1.0), per_decade=_FINER)))
    return np.stack(
        [np.sign(answer.norm) * answer.interstellar(n, energies(deck)) for n in deck.nuclides]
    )


def _signed(estimate: Estimate) -> Array:
    """[nuclide, energy] fluxes of sources above 0: a norm below 0 would hide their sign."""
    return np.asarray(estimate.flux * np.sign(estimate.answer.norm))


def not_positive(estimate: Estimate) -> str:
    """What is wrong with fluxes that are negative within their error, a line each; or "".

    Those that local sources hide are no failure (`hidden`).
    """
    deck = estimate.answer.deck
    energy, lines = energies(deck), []
    for name, row, hidden in zip(deck.nuclides, _signed(estimate), estimate.hidden, strict=True):
        negative = (row < 0) & ~hidden
        if negative.any():
            part = np.max(-row[negative]) / np.max(np.abs(row))
            # the lowest eigenvalue of such operators is below 0, by how much depends on T_min
            below = part > _MUCH and deck.momentum.ends()[0] <= LOWEST and deck.reaccelerated()
            hint = (
                "what reacceleration brings from the lowest T_min exceeds escape and losses; lower "
                "[reacceleration]"
                if below
                else "try a lower momentum.T_min, a higher momentum.per_decade, or an [output] "
                "that leaves this out"
            )
            lines.append(
                f"{name}: the flux at T = {_span(energy[negative])} is not resolved: it is negative"
                f", by up to {part:.1g} of its largest value; {hint}"
            )
    return "\n".join(lines)


def nothing_seen(estimate: Estimate) -> str:
    """Where fluxes are 0, of which no ratio and no relative error is known, a line each; or "".

    Those that local sources hide are no failure (`hidden`).
    """
    energy = energies(estimate.answer.deck)
    nothing = (estimate.flux == 0) & ~estimate.hidden
    return "\n".join(
        f"{name}: the flux at T = {_span(energy[row])} is 0, or smaller than any number; "
        "choose an [output] that leaves this out"
        for name, row in zip(estimate.answer.deck.nuclides, nothing, strict=True)
        if row.any()
    )


def norm_unresolved(estimate: Estimate) -> str:
    """Where a normalisation lies in or beyond a fall that no grid resolves, a line each; or "".

    Between the energies below and there the fluxes are as wrong as its own.
    """
    deck, lines = estimate.answer.deck, []
    for name, error in estimate.unscaled.items():
        assert deck.normalisation is not None
        at = deck.normalisation.T
        energy = np.append(energies(deck), at)
        wrong = (error > _CERTAIN) & (energy <= at)
        if not wrong.any():
            continue
        first = energy[wrong].min()
        right = energy[(error <= deck.solver.rtol) & (energy < first)]
        hint = f"choose a normalisation.T up to {right.max():.3g} GeV/n" if right.size else ""
        lines.append(
            f"normalisation.T = {at:g} GeV/n: the flux of {name}, which is scaled there, is not "
            f"resolved at T = {_span(energy[wrong])}; {hint or 'choose a lower one'}, or a higher "
            "momentum.per_decade"
        )
    return "\n".join(lines)


def hidden(estimate: Estimate) -> str:
    """Where local sources hide fluxes that are not known well or at all, a line each; or ""."""
    deck = estimate.answer.deck
    energy, tolerance = energies(deck), deck.solver.rtol
    unknown = (_signed(estimate) <= 0) | ~(estimate.error <= tolerance)
    return "\n".join(
        f"{name}: 0, negative or less exact than asked for at T = {_span(energy[row])}, where it "
        f"is below {tolerance:.0e} of the local sources' flux"
        for name, row in zip(deck.nuclides, unknown & estimate.hidden, strict=True)
        if row.any()
    )


class Negative(NamedTuple):
    """Densities below zero: how many, and the largest one over the largest at its momentum."""

    number: int
    of: int
    share: float
    where: str


def negative_densities(run: Transport, one: Transported) -> Negative:
    """Of one nuclide, at all momenta and places."""
    grid = run.space.grid
    values = grid.at_places(one.values)
    number = int(np.sum(values < 0))
    if not number:
        return Negative(0, values.size, 0.0, "")
    largest = np.max(np.abs(values), axis=1, keepdims=True)
    share = np.divide(-values, largest, out=np.zeros_like(values), where=largest > 0)
    level, place = np.unravel_index(np.argmax(share), share.shape)
    momentum, nucleus = np.exp(run.levels.inner[level]), one.nucleus
    energy = nucleus.kinetic_energy(momentum * nucleus.mass_number / nucleus.charge)
    full = getattr(grid, "grid", grid)  # of a reduced one, the places that it stands for
    index = np.unravel_index(place, full.shape)
    names = ("r", "z")[-len(full.shape) :] if full.shape else ()
    at = [f"{n} = {x[i]:.3g} kpc" for n, x, i in zip(names, full.coordinates, index, strict=True)]
    return Negative(
        number, values.size, float(share[level, place]), ", ".join([f"T = {energy:.3g} GeV/n", *at])
    )


def _span(energy: Array) -> str:
    if len(energy) == 1:
        return f"{energy[0]:.3g} GeV/n"
    return f"{energy.min():.3g} … {energy.max():.3g} GeV/n"
