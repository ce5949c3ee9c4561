"""The command line; the only place that prints."""

# light at the top: each command imports what it needs, so that --help answers at once
from __future__ import annotations

import contextlib
import io
import json
import math
import sys
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from crtransport import console
from crtransport.console import InputError, aligned
from crtransport.data_commands import data as data_group
from crtransport.progress import Progress
from crtransport.version import __version__

if TYPE_CHECKING:
    from crtransport.deck.schema import Deck
    from crtransport.problems.pitch_angle import LossKind
    from crtransport.session import Result, Session

_HELP = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")
_settings = click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="TABLE.KEY=VALUE",
    help="Change a key of every deck given; may be repeated.",
)
_names = click.argument("names", nargs=-1, metavar="[NAME]...")


@click.group(cls=console.Commands, context_settings=_HELP)
@click.version_option(__version__, message="crtransport %(version)s")
@click.option("--debug", is_flag=True, help="Show the Python traceback of an error.")
def cli(debug: bool) -> None:
    """Cosmic-ray transport: PDE solvers with error estimates, run from input decks.

    \b
    Example: crtransport decks
             crtransport run malkov2023_fig4 -o results
    """


cli.add_command(data_group)


@cli.command()
@click.argument("decks", nargs=-1, required=True, metavar="DECK...")
@click.option("-o", "--output", "folder", default=".", metavar="DIR", help="Folder of the results.")
@_settings
@click.option(
    "--data",
    envvar="CRTRANSPORT_DATA",
    show_envvar=True,
    metavar="DIR",
    help="Folder of measured tables, drawn beside the results of decks that name some.",
)
@click.option("--no-plots", is_flag=True, help="Write no figures.")
@click.option("--quiet", is_flag=True, help="Print errors only.")
@click.option(
    "--workers",
    type=click.IntRange(1, 1024),
    help="Processes of a [scan], or of the sampler of a [fit]; by default one per core.",
)
@click.option(
    "--scheduler",
    default="",
    metavar="ADDRESS",
    help='Run a [scan] or a sampler on the workers of a Dask scheduler, "tcp://host:8786".',
)
@click.option("--retry", is_flag=True, help="Run the points of a [scan] again that failed.")
@click.pass_context
def run(ctx: click.Context, decks: tuple[str, ...], **options: Any) -> int:
    """Run decks and write DIR/<deck name>.nc and .png.

    A DECK is a TOML file, the name of a shipped deck, or an output file whose run is repeated.
    The points of a [scan] land in DIR/<deck name>.scan as they come: after an interrupt or a kill
    the same command goes on with the others.

    \b
    Example: crtransport run malkov2023_fig4 -o results --set scattering.slope=1.667
    """
    quiet = options["quiet"]
    loaded = _load_all(decks, options["settings"])
    session = _session(options, list(loaded.values()))
    session.check(loaded)
    if not quiet:
        _announce_first_run()
    codes = []
    for k, (source, deck) in enumerate(loaded.items(), start=1):
        try:
            with Progress(f"{source} ({k} of {len(loaded)})", show=not quiet) as tell:
                result = session.run(source, deck, tell)
            codes.append(_report_run(source, result, quiet))
        except Exception as error:
            codes.append(console.report(error, _debug(ctx), source))
    return max(codes)


def _session(options: Mapping[str, Any], decks: Sequence[Deck]) -> Session:
    from crtransport.session import Session
    from crtransport.studies.means import Means

    scanned = any(deck.scan is not None for deck in decks)
    sampled = any(getattr(getattr(deck, "fit", None), "sampler", None) for deck in decks)
    useful = {"workers": scanned or sampled, "scheduler": scanned or sampled, "retry": scanned}
    for name, has_effect in useful.items():
        if options[name] and not has_effect:
            some = "a [scan]" if name == "retry" else "a [scan] or a [fit] with a sampler"
            raise InputError(f"--{name} has no effect: no deck has {some}")
    if options["workers"] and options["scheduler"]:
        raise InputError("--workers and --scheduler: leave out one of them")
    return Session(
        folder=Path(options["folder"]),
        plots=not options["no_plots"],
        data=Path(options["data"]) if options["data"] else None,
        means=Means(**{name: options[name] for name in useful}),
    )


def _report_run(source: str, result: Result, quiet: bool) -> int:
    if not quiet:
        rows = [*result.headline, ("error estimate", result.error_text())]
        rows += [("written", str(path)) for path in result.files]
        click.echo(f"{result.name}\n{aligned(rows, '  ')}")
    if result.failures:
        console.say(f"{source}: " + "\n  ".join(result.failures))
        return console.FAILED
    if result.converged:
        return console.DONE
    key = f" of {result.tolerance_key}" if result.tolerance_key else ""
    console.say(
        f"{source}: the error estimate {result.error:.2g} exceeds the tolerance "
        f"{result.tolerance:.2g}{key}; the results are written all the same"
    )
    return console.FAILED


@cli.command()
@click.argument("decks", nargs=-1, required=True, metavar="DECK...")
@_settings
def check(decks: tuple[str, ...], settings: tuple[str, ...]) -> int:
    """Report every error of the decks and run nothing.

    Tells, too, which numbers a deck leaves to defaults that come from a paper.

    \b
    Example: crtransport check my_deck.toml
    """
    from crtransport.deck.inherited import inherited

    loaded, changes = _load_all(decks, settings), _overrides(settings)
    for source, deck in loaded.items():
        click.echo(f"{source}: a valid {deck.model} deck{_scanned(deck)}")
        for paper, numbers in inherited(deck, source, changes).items():
            click.echo(f"  by default, from {paper}: {numbers}")
    return console.DONE


def _scanned(deck: Deck) -> str:
    if deck.scan is None:
        return ""
    from crtransport.studies.scan_plan import plan

    return f", scanned at {len(plan(deck))} points"


@cli.command()
@click.argument("name", required=False)
@click.option("-o", "--output", metavar="FILE", help="Where the copy goes; default NAME.toml.")
@click.option("--force", is_flag=True, help="Overwrite FILE.")
def decks(name: str | None, output: str | None, force: bool) -> int:
    """List the shipped decks, or copy one out.

    \b
    Example: crtransport decks
             crtransport decks malkov2023_fig4 -o my_deck.toml
    """
    from crtransport.deck.errors import nearest
    from crtransport.deck.read import read, shipped

    known = shipped()
    if name is None:
        if output or force:
            raise InputError("-o and --force need the NAME of the deck to copy")
        rows = [(deck, str(read(path).tables.get("title", ""))) for deck, path in known.items()]
        click.echo(aligned(rows) if rows else "no decks are shipped")
        return console.DONE
    if name not in known:
        close = nearest(name.removesuffix(".toml"), known)
        hint = f'; did you mean "{close}"?' if close else "; `crtransport decks` lists them"
        raise InputError(f'no shipped deck "{name}"{hint}')
    target = Path(output or f"{name}.toml")
    if target.is_dir():
        target = target / f"{name}.toml"
    _copy(known[name], target, force)
    click.echo(f"written {target}")
    return console.DONE


def _copy(source: Path, target: Path, force: bool) -> None:
    from crtransport.output import write_atomic

    if target.exists() and not force:
        raise InputError(f"{target} exists already; --force overwrites it")
    try:
        write_atomic(target, source.read_bytes())
    except OSError as error:
        raise InputError(f"cannot write {target}: {error.strerror}") from None


@cli.command()
@_names
@_json
def validate(names: tuple[str, ...], as_json: bool) -> int:
    """Compare with closed forms and published numbers.

    NAME selects the comparisons whose name begins so.

    \b
    Example: crtransport validate flux-tube/spectral
    """
    from crtransport.validate import comparisons

    _announce_first_run()
    found = _selected(comparisons, names)
    keys = ("name", "computed", "reference", "rel_error", "tolerance", "ok", "formula")
    if as_json:
        _print_json([{key: getattr(item, key) for key in keys} for item in found])
    else:
        rows = [("name", "computed", "reference", "rel. error", "tolerance", "", "formula")]
        for item in found:
            numbers = f"{item.computed:.9g}", f"{item.reference:.9g}", f"{item.rel_error:.1e}"
            verdict = "ok" if item.ok else "FAILED"
            rows.append((item.name, *numbers, f"{item.tolerance:.0e}", verdict, item.formula))
        click.echo(aligned(rows))
    failed = [item.name for item in found if not item.ok]
    if failed:
        console.say(f"{len(failed)} of {len(found)} comparisons failed: {', '.join(failed)}")
    return console.FAILED if failed else console.DONE


@cli.command()
@_names
@_json
def bench(names: tuple[str, ...], as_json: bool) -> int:
    """Time the solvers: CPU and wall seconds, and the error they reach.

    \b
    Example: crtransport bench --json
    """
    from crtransport.bench import measure

    _announce_first_run()
    found = _selected(measure, names)
    keys = ("problem", "name", "method", "unknowns", "cpu_s", "wall_s", "error")
    if as_json:
        _print_json([{key: getattr(row, key) for key in keys} for row in found])
        return console.DONE
    rows = [("problem", "name", "method", "unknowns", "CPU s", "wall s", "error")]
    for row in found:
        numbers = f"{row.unknowns}", f"{row.cpu_s:.4f}", f"{row.wall_s:.4f}", f"{row.error:.1e}"
        rows.append((row.problem, row.name, row.method, *numbers))
    click.echo(aligned(rows))
    return console.DONE


@cli.command()
@click.option("--slope", default="1.5", show_default=True, help="Turbulence slope, 1 <= q < 2.")
@click.option("--loss-rate", default="1e-6", show_default=True, help="V of form (*), at least 0.")
@click.option(
    "--loss",
    type=click.Choice(["constant-in-chi", "constant-in-mu"]),
    default="constant-in-chi",
    show_default=True,
    help="How the loss depends on pitch angle.",
)
@click.option("-n", "count", default="5", show_default=True, help="How many, from 1 to 30.")
@_json
def eigenvalues(slope: str, loss_rate: str, loss: LossKind, count: str, as_json: bool) -> int:
    """Decay rates of the flux tube, with estimated errors.

    \b
    Example: crtransport eigenvalues --slope 1.5 --loss-rate 1e-6 -n 5
    """
    from crtransport.units import Quantity

    q = _number("--slope", slope, Quantity(ge=1, lt=2))
    rate = _number("--loss-rate", loss_rate, Quantity(ge=0))
    if not (count.isascii() and count.isdigit() and len(count) < 3 and 1 <= int(count) <= 30):
        raise InputError(f"-n {count}: must be a whole number from 1 to 30")
    from crtransport.problems import pitch_angle

    _announce_first_run()
    found = pitch_angle.eigenvalues(q, rate, loss, int(count))
    given = {"slope": q, "loss_rate": rate, "loss": loss}
    if as_json:
        _print_json(given | _spectrum(found))
    else:
        _print_spectrum(found)
    return console.DONE


@cli.command()
def schema() -> int:
    """Print the JSON schema of a deck, for editors.

    \b
    Example: crtransport schema > deck.schema.json
    """
    from crtransport.deck.schema import json_schema

    _print_json(json_schema())
    return console.DONE


def _spectrum(found: Any) -> dict[str, Any]:
    arrays = {"eigenvalues": found.values, "errors": found.errors}
    arrays |= {"reference": found.reference, "paper": found.paper}
    plain = {name: None if a is None else [float(x) for x in a] for name, a in arrays.items()}
    rest = {"unknowns": found.unknowns, "seconds": found.seconds, "remark": found.remark}
    return plain | rest


def _print_spectrum(found: Any) -> None:
    plain = _spectrum(found)
    rows = [["n", "computed", "est. error", "reference", "rel. error", "paper"]]
    for i, (value, error) in enumerate(zip(plain["eigenvalues"], plain["errors"], strict=True)):
        known = _entry(plain["reference"], i)
        relative = abs(value - known) / abs(known) if known else math.nan
        cells = [f"{value:.12g}", f"{error:.1e}", f"{known:.12g}", f"{relative:.1e}"]
        cells.append(f"{_entry(plain['paper'], i):g}")
        rows.append([str(i), *("" if cell == "nan" else cell for cell in cells)])
    filled = [c for c in range(6) if c < 3 or any(row[c] for row in rows[1:])]
    click.echo(aligned([[row[c] for c in filled] for row in rows]))
    click.echo(f"{found.unknowns} unknowns, {found.seconds:.3f} s")
    if found.remark:
        click.echo(found.remark)


def _entry(values: list[float] | None, i: int) -> float:
    return values[i] if values is not None and i < len(values) else math.nan


def _number(option: str, text: str, limits: Any) -> float:
    from crtransport.units import UnitError

    try:
        above, slash, below = text.partition("/")  # slopes are 3/2 and 5/3 in the papers
        return float(limits.read(float(above) / float(below) if slash else float(text)))
    except UnitError as error:
        raise InputError(f"{option} {text}: {error}") from None
    except (ValueError, ArithmeticError):
        raise InputError(f"{option} {text}: needs a number, {limits.limits()}") from None


def _load_all(sources: Sequence[str], settings: Sequence[str]) -> dict[str, Deck]:
    """Every deck, or one error with all that is wrong with all of them."""
    from crtransport.deck.errors import DeckError
    from crtransport.deck.load import load_deck

    overrides = _overrides(settings)
    loaded, wrong = {}, []
    for source in sources:
        try:
            loaded[source] = load_deck(source, overrides)
        except DeckError as error:
            wrong.append(str(error))
    if wrong:
        raise InputError("\n".join(wrong))
    return loaded


def _overrides(settings: Sequence[str]) -> dict[str, Any]:
    from crtransport.deck.overrides import parse_setting

    found = {}
    for setting in settings:
        try:
            key, value = parse_setting(setting)
        except ValueError as error:
            raise InputError(f"--set {error}") from None
        found[key] = value
    return found


def _selected(compute: Any, names: Sequence[str]) -> Any:
    """``compute(names)``; an unknown name is the user's error."""
    from crtransport.errors import UnknownNameError

    try:
        return compute(names)
    except UnknownNameError as error:
        raise InputError(str(error)) from None


def _print_json(value: Any) -> None:
    click.echo(json.dumps(_jsonable(value), indent=2, ensure_ascii=False))


def _jsonable(value: Any) -> Any:
    """NumPy's numbers as Python's, and NaN, which JSON lacks, as null."""
    if isinstance(value, dict):
        return {key: _jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_jsonable(item) for item in value]
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _announce_first_run() -> None:
    from crtransport.solvers.jit import cache_folder

    if not cache_folder().exists():
        click.echo("first run: compiling kernels and the font cache once, some seconds", err=True)
        with contextlib.suppress(OSError):
            cache_folder().mkdir(parents=True)


def _debug(ctx: click.Context) -> bool:
    return bool(ctx.find_root().params.get("debug"))


def main() -> None:
    """Run the command line and exit with its code."""
    console.one_blas_thread()
    warnings.showwarning = console.warn
    debug = "--debug" in sys.argv
    for stream in (sys.stdout, sys.stderr):
        # a terminal without Greek letters shows their numbers instead of failing
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    sys.exit(console.guarded(lambda: cli(prog_name="crtransport", standalone_mode=False), debug))
