"""Abundances of the classes of sources by least squares: the fluxes are linear in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.optimize import nnls

from crtransport.deck.galaxy import GalaxyDeck
from crtransport.fits.parameters import FitError
from crtransport.measurements.table import Measurement, MeasurementError, per_nucleon_at
from crtransport.nuclides import nuclide
from crtransport.problems.galaxy_answer import Answer, Flux, elements
from crtransport.problems.galaxy_channels import from_sources
from crtransport.problems.galaxy_local import local_flux, species
from crtransport.problems.galaxy_transport import transport

Array = NDArray[np.float64]

#: added to the errors of each point, as a part of its flux: no model is better
_FLOOR = 0.01
#: change of a factor below which it has settled; with errors of a per cent, far below its own
_SETTLED = 1e-4
#: each round makes the changes smaller by the part of a flux that others make: of N, a half
_ROUNDS = 20
#: what is left in one round of an abundance that fits best with nothing: a later one may need it
_LEAST = 1e-3
#: least over largest singular value of what classes emit: what is solved to 1e-8 tells no less
_APART = 1e-6


class Points(NamedTuple):
    """The points of a table that factors are fitted to, in its units; σ with the floor."""

    x_kind: str
    x: Array
    flux: Array
    sigma: Array


class _Parts(NamedTuple):
    """Of an element, each over σ: [point, class] emitted, made on the way, local, measured."""

    emitted: Array
    made: Array
    local: Array
    measured: Array


def fitted(deck: GalaxyDeck, tables: Sequence[Measurement]) -> tuple[GalaxyDeck, xr.DataArray]:
    """The deck with abundances that fit measured fluxes best, and the factors on its own.

        Φ(x) = Σ_c a_c Φ_c(x) + what is made on the way + local sources,   a_c > 0

    of each element that has fluxes measured at the Earth, from ``compare.R_min`` on, with 1 %
    added to the errors. First all abundances are scaled together by least squares, so that
    relative ones will do. Then the factors of what is measured follow, in rounds, as each changes
    what is made of it on the way; all other abundances take the median of these.

    Returns
    -------
    GalaxyDeck
    DataArray
        [class, element] factors; NaN of what is not measured. Its attributes say the ``common``
        factor, the ``others`` that it is on, and the tables that are ``not_fitted``.

    Raises
    ------
    MeasurementError
        If no table tells of any factor.
    FitError
        If a factor has no minimum above 0, or the factors do not settle.
    """
    wanted, unused = points(deck, tables)
    order = list(elements(deck))
    common = _common(_all_parts(deck, wanted))
    factors = np.full((len(deck.source), len(order)), np.nan)
    for element in wanted:
        factors[_emitting(deck, element), order.index(element)] = common
    for _ in range(_ROUNDS):
        here = _scaled(deck, factors, common)
        parts = _all_parts(here, wanted)
        steps = {element: _factors(here, element, some) for element, some in parts.items()}
        changed = [step[step > 0] for step in steps.values()]
        if np.all(np.abs(np.concatenate(changed) - 1) < _SETTLED):
            break
        for element, step in steps.items():
            factors[_emitting(deck, element), order.index(element)] *= np.maximum(step, _LEAST)
        # one element that is far off does not take along those that are not measured
        common = float(np.exp(np.nanmedian(np.log(factors))))
    else:
        raise FitError(f"compare.fit_norms: the factors do not settle in {_ROUNDS} rounds")
    _refuse_nothing(here, parts, steps)
    return here, _labelled(deck, factors, common, unused)


def points(
    deck: GalaxyDeck, tables: Sequence[Measurement]
) -> tuple[dict[str, list[Points]], dict[str, str]]:
    """The points of each element that factors are fitted to; other tables, and why not to them.

    Raises
    ------
    MeasurementError
        If no table tells of any factor.
    """
    found: dict[str, list[Points]] = {}
    unused: dict[str, str] = {}
    for table in tables:
        why = _why_not(deck, table)
        some = None if why else _inside(deck, table)
        if some is None:
            unused[table.name] = why or "no points from compare.R_min on in the range of the output"
        else:
            found.setdefault(table.quantity, []).append(some)
    if not found:
        why = f"no table tells of any abundance: {_listed(unused)}"
        raise MeasurementError(f"compare.fit_norms: {why}")
    return found, unused


def _why_not(deck: GalaxyDeck, table: Measurement) -> str:
    """What prevents factors from being fitted to a table, whatever its points; or ""."""
    if not table.is_flux:
        return "ratios"
    if table.quantity not in elements(deck):
        return f"no {table.quantity} in the network"
    if not _emitting(deck, table.quantity):
        return f"no source emits {table.quantity}"
    return "measured beyond the heliosphere" if table.interstellar else ""


def _inside(deck: GalaxyDeck, table: Measurement) -> Points | None:
    """The points at which every isotope is in the range of the output; None without any."""
    main, output = nuclide(table.quantity), deck.output
    energy, _ = per_nucleon_at(main, table.x_kind, table.x)
    inside = table.measured & (energy > 0)
    rigidity = main.rigidity(np.where(inside, energy, 1.0))
    # an end may miss a point by rounding
    inside &= rigidity >= deck.compare.R_min * (1 - 1e-9)
    for name in elements(deck)[table.quantity]:
        energy, _ = per_nucleon_at(nuclide(name), table.x_kind, table.x)
        inside &= (energy >= output.T_min) & (energy <= output.T_max)
    sigma = np.hypot((table.error_lo + table.error_hi) / 2, _FLOOR * table.y)
    inside &= sigma > 0
    if not inside.any():
        return None
    return Points(table.x_kind, table.x[inside], table.y[inside], sigma[inside])


def _emitting(deck: GalaxyDeck, element: str) -> list[int]:
    """Numbers of the classes that set an element of the network free."""
    names = elements(deck)[element]
    return [
        i
        for i, source in enumerate(deck.source)
        if any(source.abundance(name) > 0 for name in names)
    ]


def _all_parts(deck: GalaxyDeck, wanted: dict[str, list[Points]]) -> dict[str, _Parts]:
    answer = Answer(deck, transport(deck))
    return {element: _parts(answer, element, some) for element, some in wanted.items()}


def _parts(answer: Answer, element: str, tables: list[Points]) -> _Parts:
    deck, names = answer.deck, elements(answer.deck)[element]
    classes = [_class_flux(answer, deck.source[i].name) for i in _emitting(deck, element)]
    rows = []
    for x_kind, x, flux, sigma in tables:
        emitted = np.stack([_at(one, names, x_kind, x) for one in classes], axis=1)
        made = _at(answer.at_earth, names, x_kind, x) - emitted.sum(axis=1)
        local = np.zeros_like(x)
        if deck.local_source and element in species(deck):
            for i in range(len(deck.local_source)):
                local += _at(local_flux(deck, i), [element], x_kind, x)
        rows.append((emitted / sigma[:, None], made / sigma, local / sigma, flux / sigma))
    return _Parts(*(np.concatenate(part) for part in zip(*rows, strict=True)))


def _class_flux(answer: Answer, by: str) -> Flux:
    """Flux at the Earth of a nuclide that one class of sources emits itself."""
    deck = answer.deck
    source = next(source for source in deck.source if source.name == by)

    def flux(name: str, energy: Array) -> Array:
        if not source.abundance(name) > 0:
            return np.zeros_like(energy)
        alone = from_sources(deck, answer.run, name, by=by)
        return deck.modulation.modulated(alone.flux, energy, alone.nucleus)

    return flux


def _at(flux: Flux, names: Sequence[str], x_kind: str, x: Array) -> Array:
    """What a table measures at its x: all isotopes at the same rigidity or energy, Φ_T dT/dx."""
    total = np.zeros_like(x)
    for name in names:
        energy, slope = per_nucleon_at(nuclide(name), x_kind, x)
        total += slope * flux(name, energy)
    return total


def _common(parts: dict[str, _Parts]) -> float:
    """The factor of least squares on everything but local sources."""
    model = np.concatenate([one.emitted.sum(axis=1) + one.made for one in parts.values()])
    wanted = np.concatenate([one.measured - one.local for one in parts.values()])
    if not (np.all(model >= 0) and np.max(model) > 0):
        raise FitError(
            f"compare.fit_norms: the deck has no positive flux of {', '.join(parts)} where it is "
            "measured; a run without fit_norms tells why"
        )
    unit = np.max(model)  # relative abundances may be of any size
    model = model / unit
    factor = float(model @ wanted / (model @ model) / unit)
    if not 0 < factor < np.inf:
        raise FitError(
            f"compare.fit_norms: what is measured of {', '.join(parts)} leaves nothing for the "
            "sources of the deck; the local ones alone exceed it"
        )
    return factor


def _factors(deck: GalaxyDeck, element: str, parts: _Parts) -> Array:
    """Of each class that emits an element, at least 0."""
    names = [deck.source[i].name for i in _emitting(deck, element)]
    size = np.linalg.norm(parts.emitted, axis=0)
    for name, one in zip(names, size, strict=True):
        if not one > 0:
            raise FitError(
                f'compare.fit_norms: nothing of the {element} that source "{name}" emits is seen '
                "where its flux is measured"
            )
    columns = parts.emitted / size
    singular = np.linalg.svd(columns, compute_uv=False)
    if len(singular) < len(names) or singular[-1] < _APART * singular[0]:
        raise FitError(
            f"compare.fit_norms: what is measured of {element} does not tell apart what the "
            f"sources {', '.join(names)} emit: their spectra are the same there, or points too few"
        )
    return np.asarray(nnls(columns, parts.measured - parts.local - parts.made)[0] / size)


def _refuse_nothing(deck: GalaxyDeck, parts: dict[str, _Parts], steps: dict[str, Array]) -> None:
    """Refuse factors that are best at 0."""
    found = []
    for element, step in steps.items():
        emitted, made, local, measured = parts[element]
        share = (emitted @ step + made + local) @ measured / (measured @ measured)
        for i, factor in zip(_emitting(deck, element), step, strict=True):
            if not factor > 0:
                where = f'{element} of source "{deck.source[i].name}"'
                found.append(f"{where}: all else makes {share:.3g} times what is measured")
    if found:
        raise FitError("compare.fit_norms: the best abundance is 0 or below: " + "; ".join(found))


def _scaled(deck: GalaxyDeck, factors: Array, common: float) -> GalaxyDeck:
    """The deck with abundances times [class, element] factors, ``common`` where there is none."""
    order = list(elements(deck))
    sources = []
    for source, row in zip(deck.source, factors, strict=True):
        some = {e: float(a) for e, a in zip(order, row, strict=True) if np.isfinite(a)}
        sources.append(source.scaled(some, others=common))
    return replace(deck, source=tuple(sources))


def _labelled(
    deck: GalaxyDeck, factors: Array, common: float, unused: dict[str, str]
) -> xr.DataArray:
    order = list(elements(deck))
    names = [source.name for source in deck.source]
    emitted = [element for element in order if _emitting(deck, element)]
    fitted_too = [e for e, one in zip(order, factors.T, strict=True) if np.isfinite(one).any()]
    coords = {
        "class": ("class", names, {"units": "1", "long_name": "class of sources"}),
        "element": ("element", order, {"units": "1", "long_name": "element"}),
    }
    attrs = {
        "units": "1",
        "long_name": "fitted abundance over that of the deck",
        "common": common,
        "others": ", ".join(element for element in emitted if element not in fitted_too),
        "not_fitted": _listed(unused),
    }
    return xr.DataArray(factors, coords=coords, dims=("class", "element"), attrs=attrs)


def _listed(unused: dict[str, str]) -> str:
    """ "ratios: AMS-02_B_C_rigidity, AMS-02_B_O_rigidity; no source emits B: …"."""
    by_reason: dict[str, list[str]] = {}
    for name, why in unused.items():
        by_reason.setdefault(why, []).append(name)
    return "; ".join(f"{why}: {', '.join(names)}" for why, names in by_reason.items())
