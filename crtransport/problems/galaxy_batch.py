"""Many galaxies that differ in some numbers, side by side, with one basis where one serves all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from crtransport.deck.galaxy import GalaxyDeck
from crtransport.problems.galaxy_answer import Answer, energies
from crtransport.problems.galaxy_estimate import estimated, in_full
from crtransport.problems.galaxy_sign import not_positive, refuse_unsteady
from crtransport.problems.galaxy_space import same_space
from crtransport.problems.galaxy_transport import Resolution, Setting, make_setting, transport
from crtransport.problems.threads import processors
from crtransport.solvers.errors import ConvergenceError, SingularOperatorError

Array = NDArray[np.float64]
#: overrides by dotted key -> the deck with them, or None if that is no right one
Load = Callable[[Mapping[str, Any]], GalaxyDeck | None]


def solve_batch(
    decks: Sequence[GalaxyDeck], sets: Sequence[Mapping[str, Any]], load: Load, estimates: int
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
    told = set(_spread(range(len(decks)), estimates))
    with ThreadPoolExecutor(max_workers=processors()) as pool:
        groups = _groups(decks, sets, load)
        shared = pool.map(lambda group: _settings(group[0], group[1], decks), groups)
        settings: dict[int, Setting] = {}
        for some in shared:
            settings |= some
        found = list(
            pool.map(lambda i: _one(decks[i], settings.get(i), i in told), range(len(decks)))
        )
    return _dataset(decks[0], sets, found, [settings.get(i) for i in range(len(decks))])


class _Found(NamedTuple):
    flux: Array  # [nuclide, energy]
    error: Array
    failure: str
    in_full: bool = False  # as its basis has no answer


def _groups(
    decks: Sequence[GalaxyDeck], sets: Sequence[Mapping[str, Any]], load: Load
) -> list[tuple[GalaxyDeck, list[int]]]:
    """Sets of one space whose basis may be another's, and the deck that they vary the rates of.

    That is the deck of the batch in that space: which sets stand beside one changes nothing.
    """
    members: dict[str, tuple[Mapping[str, Any], list[int]]] = {}
    for i, some in enumerate(sets):
        apart = {key: value for key, value in some.items() if not same_space(key)}
        if len(apart) < len(some) and decks[i].solver.kind == "reduced-basis":
            members.setdefault(repr(sorted(apart.items())), (apart, []))[1].append(i)
    bases = [(load(apart), group) for apart, group in members.values()]
    return [(base, group) for base, group in bases if base is not None]


def _settings(
    base: GalaxyDeck, group: Sequence[int], decks: Sequence[GalaxyDeck]
) -> dict[int, Setting]:
    """The setting of a deck, for those of a group that it serves."""
    from crtransport.problems.galaxy_reduced import serves

    try:
        setting = make_setting(base)
    except SingularOperatorError:  # the deck itself has no answer; its sets may
        return {}
    same = [i for i in group if decks[i].nuclides == base.nuclides]
    return {i: setting for i in same if serves(setting.space, setting.levels, base, decks[i])}


def _spread(members: Sequence[int], count: int) -> list[int]:
    """So many of them, evenly spaced."""
    places = np.linspace(0, len(members) - 1, min(count, len(members))).round().astype(int)
    return [members[i] for i in dict.fromkeys(places)]


def _one(deck: GalaxyDeck, setting: Setting | None, with_error: bool) -> _Found:
    nothing = np.full((len(deck.nuclides), len(energies(deck))), np.nan)
    try:
        try:
            return _solved(deck, setting, with_error)
        except (ConvergenceError, SingularOperatorError):
            if deck.solver.kind != "reduced-basis":
                raise
            return _solved(in_full(deck), None, with_error)._replace(in_full=True)
    except (ConvergenceError, SingularOperatorError) as stop:
        return _Found(nothing, nothing, str(stop))


def _solved(deck: GalaxyDeck, setting: Setting | None, with_error: bool) -> _Found:
    if not with_error:
        answer, energy = Answer(deck, transport(deck, setting=setting)), energies(deck)
        flux = np.stack([answer.interstellar(name, energy) for name in deck.nuclides])
        if answer.norm > 0 and np.all(flux > 0):
            return _Found(flux, np.full_like(flux, np.nan), "")
    # the error tells what a negative flux comes from
    found = estimated(deck, {} if setting is None else {Resolution(): setting})
    refuse_unsteady(found)
    if wrong := not_positive(found):
        raise ConvergenceError(wrong)
    error = found.error if with_error else np.full_like(found.flux, np.nan)
    return _Found(found.flux, error, "")


def _dataset(
    deck: GalaxyDeck,
    sets: Sequence[Mapping[str, Any]],
    found: Sequence[_Found],
    settings: Sequence[Setting | None],
) -> xr.Dataset:
    dims = "set", "nuclide", "kinetic_energy"
    unit = {"units": "m-2 s-1 sr-1 (GeV/n)-1", "long_name": "interstellar flux at the Sun"}
    used = [None if one.in_full else s for one, s in zip(found, settings, strict=True)]
    shared = [1 if one is None else used.count(one) for one in used]
    errors = np.stack([x.error for x in found])
    told = errors[np.isfinite(errors).all(axis=(1, 2))]
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
                errors,
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
        attrs={
            "error_estimate": float(np.max(told)) if told.size else np.nan,  # of none
            "error_tolerance": deck.solver.rtol,
        },
    )
