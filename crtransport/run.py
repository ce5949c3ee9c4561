"""From a deck to a dataset: the hops in order."""

# imported by `import crtransport`, so light at the top: numba and xarray come with the first run
from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import xarray as xr

    from crtransport.deck.schema import Deck

MODELS = {
    "flux-tube": "crtransport.problems.flux_tube",
    "galaxy": "crtransport.problems.galaxy",
    "burst": "crtransport.problems.burst",
}


def run(
    deck: str | Path | Mapping[str, Any] | Deck,
    overrides: Mapping[str, Any] | None = None,
    data: str | Path | None = None,
) -> xr.Dataset:
    """Solve the problem of a deck.

    Parameters
    ----------
    deck : path, str, mapping or deck
        Whatever `crtransport.load_deck` reads.
    overrides : mapping, optional
        Values by dotted key, ``{"solver.kind": "finite-difference"}``.
    data : path, optional
        Folder of measured tables; those that the deck names must be there.

    Returns
    -------
    xarray.Dataset
        With ``units`` and ``long_name`` on each variable; its attributes hold the resolved deck,
        the versions, and the numerical ``error_estimate`` beside the ``error_tolerance``.

    Raises
    ------
    DeckError
        If the deck is wrong; nothing has been run then.
    """
    from crtransport.deck.load import load_deck
    from crtransport.provenance import attributes

    loaded = load_deck(deck, overrides)
    measured(loaded, data)
    dataset: xr.Dataset = importlib.import_module(MODELS[loaded.model]).solve(loaded)
    return dataset.assign_attrs(attributes(loaded))


def measured(deck: Deck, data: str | Path | None) -> list[Any]:
    """The measured fluxes that a deck names, from the folder ``data``; none without a folder."""
    names = measured_names(deck)
    if data is None or not names:
        return []
    from crtransport.measurements import load_fluxes

    return load_fluxes(names, Path(data))


def measured_names(deck: Deck) -> tuple[str, ...]:
    """The tables under ``compare.measurements``, for decks that have it."""
    return tuple(getattr(getattr(deck, "compare", None), "measurements", ()))
