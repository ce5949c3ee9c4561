"""Many galaxies that differ in some numbers, side by side, with one basis where one serves all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from crtransport.deck.galaxy import GalaxyDeck
from crtransport.problems.galaxy import GROWTH, Settings, coarser, estimated
from crtransport.problems.galaxy_answer import Answer, energies
from crtransport.problems.galaxy_space import same_space
from crtransport.problems.galaxy_transport import Resolution, make_setting, transport
from crtransport.problems.threads import processors
from crtransport.solvers.errors import ConvergenceError, SingularOperatorError

Array = NDArray[np.float64]

#: sets of one space, evenly spaced, whose rates its basis is made for
_SERVED = 3


def solve_batch(
    decks: Sequence[GalaxyDeck], sets: Sequence[Mapping[str, Any]], estimates: int
) -> xr.Dataset:
    """The dataset of `crtransport.batch`; ``sets`` are what the decks differ in.

    Raises
    ------
    ValueError
        If there is no set, or the nuclides or energies are not the same in all.
    """
    if not decks:
        raise ValueError("batch needs at least one set of parameters")
    if any(d.nuclides != decks[0].nuclides or d.output != decks[0].output for d in decks):
        raise ValueError("nuclides and [output] must be the same in all sets")
    groups, first = _groups(sets), decks[0]
    chosen = _spread(range(len(decks)), estimates)
    for growth in GROWTH:
        settings = _settings(decks, groups, chosen, growth)
        found = {i: _one(decks[i], growth, settings[i], True) for i in chosen}
        worst = max((np.max(x.error, initial=0.0) for x in found.values()), default=0.0)
        if first.solver.kind != "reduced-basis" or worst <= first.solver.rtol:
            break
    others = [i for i in range(len(decks)) if i not in found]
    with ThreadPoolExecutor(max_workers=processors()) as pool:
        answers = pool.map(lambda i: _one(decks[i], growth, settings[i], False), others)
        found |= dict(zip(others, answers, strict=True))
    return _dataset(first, sets, [found[i] for i in range(len(decks))], groups, worst)


class _Found(NamedTuple):
    flux: Array  # [nuclide, energy]
    error: Array
    failure: str


def _groups(sets: Sequence[Mapping[str, Any]]) -> list[list[int]]:
    """Sets that agree in all that matrices in space depend on."""
    found: dict[str, list[int]] = {}
    for i, some in enumerate(sets):
        apart = sorted((key, value) for key, value in some.items() if not same_space(key))
        found.setdefault(repr(apart), []).append(i)
    return list(found.values())


def _spread(members: Sequence[int], count: int) -> list[int]:
    """So many of them, evenly spaced."""
    places = np.linspace(0, len(members) - 1, min(count, len(members))).round().astype(int)
    return [members[i] for i in dict.fromkeys(places)]


def _settings(
    decks: Sequence[GalaxyDeck],
    groups: Sequence[Sequence[int]],
    chosen: Sequence[int],
    growth: float,
) -> list[Settings]:
    """What each set shares with others, at the resolutions that it is needed at."""
    out: list[Settings] = [{}] * len(decks)
    with ThreadPoolExecutor(max_workers=processors()) as pool:
        for group in groups:
            if len(group) == 1:
                continue
            served = [decks[i] for i in _spread(group, _SERVED)]
            needed = [Resolution(functions=growth)]
            if set(group) & set(chosen):
                needed += [resolution for resolution, _ in coarser(served[0], growth)]
            made = pool.map(lambda r, served=served: make_setting(served, r), needed)
            shared = dict(zip(needed, made, strict=True))
            for i in group:
                out[i] = shared
    return out


def _one(deck: GalaxyDeck, growth: float, settings: Settings, with_error: bool) -> _Found:
    energy = energies(deck)
    nothing = np.full((len(deck.nuclides), len(energy)), np.nan)
    try:
        if with_error:
            _, flux, error = estimated(deck, growth, settings)
            return _Found(flux, error, "")
        same = Resolution(functions=growth)
        answer = Answer(deck, transport(deck, same, setting=settings.get(same)))
    except (ConvergenceError, SingularOperatorError) as stop:
        return _Found(nothing, nothing, str(stop))
    flux = np.stack([answer.interstellar(name, energy) for name in deck.nuclides])
    return _Found(flux, nothing, "")


def _dataset(
    deck: GalaxyDeck,
    sets: Sequence[Mapping[str, Any]],
    found: Sequence[_Found],
    groups: Sequence[Sequence[int]],
    worst: float,
) -> xr.Dataset:
    dims = "set", "nuclide", "kinetic_energy"
    unit = {"units": "m-2 s-1 sr-1 (GeV/n)-1", "long_name": "interstellar flux at the Sun"}
    shared = np.empty(len(sets), dtype=int)
    for group in groups:
        shared[group] = len(group)
    keys = dict.fromkeys(key for some in sets for key in some)
    scanned = {
        key: ("set", [some.get(key, np.nan) for some in sets])
        for key in keys
        if all(isinstance(some.get(key, np.nan), int | float) for some in sets)
    }
    return xr.Dataset(
        {
            "flux_lis": (dims, np.stack([x.flux for x in found]), unit),
            "flux_lis_rel_error": (
                dims,
                np.stack([x.error for x in found]),
                {"units": "1", "long_name": "estimated relative numerical error"},
            ),
            "shared_basis": ("set", shared, {"units": "1", "long_name": "sets on the same basis"}),
            "failure": ("set", [x.failure for x in found], {"long_name": "why there is no answer"}),
        },
        coords={
            "nuclide": list(deck.nuclides),
            "kinetic_energy": (
                "kinetic_energy",
                energies(deck),
                {"units": "GeV/n", "long_name": "kinetic energy per nucleon"},
            ),
        }
        | scanned,
        attrs={"error_estimate": worst, "error_tolerance": deck.solver.rtol},
    )
