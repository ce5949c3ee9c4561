"""The commands `crtransport data …`: measurements listed, found, fetched and imported."""

# light at the top: each command imports what it needs, so that --help answers at once
from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from crtransport import console
from crtransport.console import InputError, aligned

if TYPE_CHECKING:
    from crtransport.data_store import Stored
    from crtransport.measurements import Measurement

_data = click.option(
    "--data",
    envvar="CRTRANSPORT_DATA",
    show_envvar=True,
    metavar="DIR",
    help="Folder of measured tables; looked into before the user's cache.",
)
_level = click.option(
    "--limit-level",
    metavar="P",
    help="Confidence level of upper limits for which the file states none, such as 0.95.",
)
_force = click.option("--force", is_flag=True, help="Replace tables of the same name.")


@click.group(cls=console.Commands)
def data() -> None:
    """List, find, fetch and import measurements.

    A table is named EXPERIMENT_QUANTITY_AXIS; decks name tables under compare.measurements.

    \b
    Example: crtransport data list
             crtransport data import my_export.txt
    """


@data.command("list")
@_data
def list_(data: str | None) -> int:
    """List the tables of the data folder and of the user's cache.

    \b
    Example: crtransport data list --data my_tables
    """
    from crtransport.measurements import MeasurementError, folders

    wrong = []
    for folder in _folders(data):
        with _as_input_error():
            names = folders.names(folder)
        rows = []
        for name in names:
            try:
                rows.append(_row(folders.read_table(name, folder).measurement))
            except MeasurementError as error:
                wrong.append(str(error))
        catalogues = sorted(path.name for path in (folder / folders.CATALOGUES).glob("*/"))
        click.echo(f"{folder}: {len(rows)} tables, {len(catalogues)} catalogues")
        for line in [*(aligned(rows).splitlines() if rows else ()), *catalogues]:
            click.echo(f"  {line}")
    if data is None and not (rows or catalogues):
        click.echo(
            "  name a folder by --data, or see: crtransport data import --help, fetch --help"
        )
    for text in wrong:
        console.say(text)
    return console.FAILED if wrong else console.DONE


@data.command()
@click.argument("name")
@_data
def path(name: str, data: str | None) -> int:
    """Print the file of a table, or the folder of a catalogue.

    \b
    Example: crtransport data path AMS-02_B_C_rigidity
    """
    from crtransport.measurements import folders
    from crtransport.measurements.fetch import is_catalogue

    places = _folders(data)
    with _as_input_error():
        found = [folders.file_of(name, folder) for folder in places]
        if is_catalogue(name):
            found.append(folders.catalogue(name, places[0]))
            if found[-1] is None:
                how = f"crtransport data fetch {name}"
                raise InputError(f"the catalogue {name} was not fetched: {how}")
        for file in filter(None, found):
            click.echo(str(file))
            return console.DONE
        raise InputError(folders.not_found(name, places[0]))


@data.command()
@click.argument("name")
@_level
@_force
def fetch(name: str, limit_level: str | None, force: bool) -> int:
    """Fetch a table from CRDB or a catalogue from VizieR.

    It is checked and kept in the user's cache, where decks find it by name.

    \b
    Example: crtransport data fetch AMS02_B_C_rigidity
             crtransport data fetch J/MNRAS/507/5161
    """
    from crtransport.measurements.fetch import is_catalogue

    level = _number(limit_level)
    try:
        with _as_input_error():
            return (
                _fetch_catalogue(name) if is_catalogue(name) else _fetch_table(name, level, force)
            )
    except ImportError as error:
        missing = f"the package {error.name} is not installed"
        hint = 'install it: python -m pip install "crtransport[data]"'
        raise InputError(f"{name} was not fetched: {missing}\n  {hint}\n{_by_hand(name)}") from None
    except OSError as error:
        console.say(f"{name} was not fetched: {_why(error)}\n{_by_hand(name)}")
        return console.FAILED


@data.command("import")
@click.argument("file")
@_level
@_force
def import_(file: str, limit_level: str | None, force: bool) -> int:
    """Check a file, and keep its tables for decks.

    They are converted into tidy tables in the user's cache, where decks find them by name.
    FILE is a tidy table, an export of CRDB (usine, csv, csv-asimport or galprop), or flux points of
    gamma rays (GADF, as ECSV).

    \b
    Example: crtransport data import my_export.txt --limit-level 0.95
    """
    from crtransport.data_store import store
    from crtransport.measurements import read_file

    with _as_input_error():
        _say_stored(store(read_file(file, _number(limit_level)), force))
    return console.DONE


def _folders(data: str | None) -> list[Path]:
    """The data folder, if one is named, and the cache."""
    from crtransport.measurements import folders

    named = folders.data_folder(data)
    if named is not None and not named.is_dir():
        raise InputError(f"no folder {named} of measured tables (--data)")
    cache = folders.cache_folder()
    return [cache] if named in (None, cache) else [named, cache]


def _number(level: str | None) -> float | None:
    from crtransport.measurements.reading import confidence_level

    with _as_input_error("--limit-level: "):
        return None if level is None else confidence_level(level)


@contextlib.contextmanager
def _as_input_error(where: str = "") -> Iterator[None]:
    """Tell what is wrong with a measurement as an error of the input."""
    from crtransport.measurements import MeasurementError

    try:
        yield
    except MeasurementError as error:
        raise InputError(f"{where}{error}") from None


def _fetch_table(name: str, level: float | None, force: bool) -> int:
    from crtransport.data_store import store, write
    from crtransport.measurements import cache_folder, read_file
    from crtransport.measurements.fetch import CITE_CRDB, crdb_export, query_of
    from crtransport.measurements.folders import plain

    export = cache_folder() / "downloads" / f"{plain(name)}.csv"
    write(export, crdb_export(query_of(name)))
    _say_stored(store(read_file(export, level), force, name))
    click.echo(f"please cite {CITE_CRDB}, and the papers named as references")
    return console.DONE


def _fetch_catalogue(name: str) -> int:
    from crtransport.data_store import write
    from crtransport.measurements.fetch import CITE_VIZIER, vizier_export
    from crtransport.measurements.folders import catalogue_folder, plain

    for table, text in vizier_export(name).items():
        target = catalogue_folder(name) / f"{plain(table)}.ecsv"
        write(target, text)
        click.echo(f"written {target}")
    click.echo(f"please cite {CITE_VIZIER}, and the paper of {name}")
    return console.DONE


def _say_stored(tables: list[Stored]) -> None:
    for table in tables:
        for remark in table.remarks:
            console.say(f"warning: {remark}")
        click.echo(f"{table.name}\n{aligned(table.understood, '  ')}")


def _by_hand(name: str) -> str:
    """How to do without the package or the network: what to save, and where."""
    from crtransport.measurements import cache_folder
    from crtransport.measurements.fetch import is_catalogue, query_of
    from crtransport.measurements.folders import IMPORTED, catalogue_folder, plain

    if is_catalogue(name):
        return (
            f"  by hand: https://vizier.cds.unistra.fr/viz-bin/VizieR?-source={name}\n"
            f"  has the tables; save them as FITS, VOTable or ECSV into\n"
            f"    {catalogue_folder(name)}"
        )
    tidy_table = cache_folder() / IMPORTED / f"{plain(name)}.csv"
    return (
        f"  by hand: save the answer of\n    {query_of(name).url()}\n"
        f"  as {plain(name)}.txt, then: crtransport data import {plain(name)}.txt\n"
        f"  or put a tidy table at {tidy_table}"
    )


def _why(error: OSError) -> str:
    """What hindered it; of a server that was not reached, which."""
    url = getattr(getattr(error, "request", None), "url", None)
    if url or "connect to" in str(error):
        server = urlsplit(url).hostname if url else "CRDB"
        return f"{server} could not be reached; is there a network?"
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def _row(table: Measurement) -> tuple[str, ...]:
    axis, _, unit = table.x_kind.rpartition("_")
    ends = f"{table.x.min():.3g} to {table.x.max():.3g} {unit}"
    return table.name, axis.replace("_", " "), f"{table.y.size} points", ends, table.reference
