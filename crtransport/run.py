"""From a deck to a dataset: the hops in order."""

# imported by `import crtransport`, so light at the top: numba and xarray come with the first run
from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import xarray as xr

    from crtransport.deck.schema import Deck

MODELS = {
    "flux-tube": "crtransport.problems.flux_tube",
    "galaxy": "crtransport.problems.galaxy",
    "burst": "crtransport.problems.burst",
    "bump": "crtransport.spectra.bump",
    "components": "crtransport.spectra.components",
    "clusters": "crtransport.clusters.model",
}
#: tables of a deck of any model that have it run many times: their ``solve(deck, data)``
STUDIES = {"scan": "crtransport.studies.scan", "fit": "crtransport.studies.fit"}
#: models whose input is measured: their ``read(deck, data)`` has it from the data folder
FROM_TABLES = ("bump", "components", "clusters")


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
        Folder of measured tables; those that the deck names must be there, or among the imported
        ones. Left out: those that were imported. A galaxy's dataset has χ² of each; clusters are
        nothing without a folder.

    Returns
    -------
    xarray.Dataset
        With ``units`` and ``long_name`` on each variable; its attributes hold the resolved deck,
        the versions, and the numerical ``error_estimate`` beside the ``error_tolerance``. Of a deck
        with [scan], all its points, run one after the other in this process;
        `crtransport.studies.scan.scan` runs them side by side. Of a deck with [fit], the run at its
        best values, and what is known of these.

    Raises
    ------
    DeckError
        If the deck is wrong; nothing has been run then.
    MeasurementError
        If a measured table is missing or wrong.
    ConvergenceError, SingularOperatorError, FitError
        If there is no answer; the message says why.
    """
    from crtransport.deck.load import load_deck
    from crtransport.provenance import attributes

    loaded = load_deck(deck, overrides)
    dataset: xr.Dataset
    if (study := study_of(loaded)) is not None:
        dataset = importlib.import_module(STUDIES[study]).solve(loaded, data)
    else:
        dataset = solved(loaded, measured(loaded, data), data)
    return dataset.assign_attrs(attributes(loaded))


def study_of(deck: Deck) -> str | None:
    """Which table of a deck has it run many times, if one does."""
    return next((name for name in STUDIES if getattr(deck, name, None) is not None), None)


def solved(loaded: Deck, tables: list[Any], data: str | Path | None) -> xr.Dataset:
    """Solve the problem of a deck once, whatever studies it asks for.

    Parameters
    ----------
    loaded : Deck
    tables : list of Measurement
        Of `measured`.
    data : path, optional
        As `run` takes it.
    """
    factors = None
    if tables and loaded.model == "galaxy" and loaded.compare.fit_norms:
        from crtransport.problems.galaxy_norms import fitted

        loaded, factors = fitted(loaded, tables)
    solve = importlib.import_module(MODELS[loaded.model]).solve
    given = (data,) if loaded.model in FROM_TABLES else ()
    dataset: xr.Dataset = solve(loaded, *given)
    if tables and loaded.model == "galaxy":
        from crtransport.problems.galaxy_compare import with_chi2

        dataset = with_chi2(dataset, tables, loaded.compare.R_min)
    return dataset if factors is None else dataset.assign(norm_factor=factors)


def batch(
    deck: str | Path | Mapping[str, Any] | Deck,
    sets: Sequence[Mapping[str, Any]],
    estimates: int = 2,
) -> xr.Dataset:
    """Interstellar fluxes of a galaxy under many sets of parameters.

    Sets that differ from the deck only in rates, injections or cross sections share its matrices in
    space, and its reduced basis where their rates are like its own. What comes out of a set depends
    to the last bit on the deck and on the set alone: not on the other sets, nor on how many threads
    there are, nor on what was run before.

    Parameters
    ----------
    deck : path, str, mapping or deck
        Whatever `crtransport.load_deck` reads: a galaxy.
    sets : sequence of mappings
        Values by dotted key, as the ``overrides`` of `crtransport.run`.
    estimates : int
        How many sets, evenly spaced, have their numerical error estimated, each in three to four
        times the work. All are solved on the deck's grids and basis: `run` makes these finer where
        the tolerance asks for it.

    Returns
    -------
    xarray.Dataset
        ``flux_lis`` (set, nuclide, kinetic_energy); ``flux_lis_rel_error`` of the estimated sets,
        NaN elsewhere; ``shared_basis``, how many sets had the same basis; ``failure``, why a set
        has no answer, else empty; and over ``set`` the values of each key that has numbers.

    Raises
    ------
    DeckError
        If a set makes no right deck; nothing has been run then.
    ValueError
        If there is no set, or the model, nuclides or energies are not the same in all.
    """
    from crtransport.deck.errors import DeckError
    from crtransport.deck.load import load_deck, load_decks
    from crtransport.provenance import attributes

    decks: list[Any] = load_decks(deck, sets)
    for each in decks:
        if each.model != "galaxy":
            raise ValueError(f'batch needs model = "galaxy", not "{each.model}"')

    def load(some: Mapping[str, Any]) -> Any:
        try:
            return load_deck(deck, some)
        except DeckError:  # it is right only with what its sets say of rates: nothing is shared
            return None

    dataset = importlib.import_module("crtransport.problems.galaxy_batch").solve_batch(
        decks, sets, load, estimates
    )
    return dataset.assign_attrs(attributes(decks[0]))


def measured(deck: Deck, data: str | Path | None) -> list[Any]:
    """The measured tables that a deck names, of the folder ``data`` and of what was imported.

    Fluxes of elements; for a galaxy also ratios. Without a folder, those that were imported.
    """
    if not measured_names(deck):
        return []
    from crtransport.measurements import folders, load_fluxes, load_fluxes_and_ratios

    missing = without_folder(deck) if data is None else ()
    names = [name for name in measured_names(deck) if name not in missing]
    read = load_fluxes_and_ratios if deck.model == "galaxy" else load_fluxes
    return read(names, folders.cache_folder() if data is None else Path(data))


def without_folder(deck: Deck) -> tuple[str, ...]:
    """The tables that a deck names and that are not among the imported ones."""
    from crtransport.measurements import folders

    cache = folders.cache_folder()
    return tuple(n for n in measured_names(deck) if folders.file_of(n, cache) is None)


def measured_names(deck: Deck) -> tuple[str, ...]:
    """The tables under ``compare.measurements``, for decks that have it."""
    return tuple(getattr(getattr(deck, "compare", None), "measurements", ()))
