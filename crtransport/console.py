"""How the command line ends: exit codes, error blocks, signals. Used by `crtransport.cli` only."""

from __future__ import annotations

import contextlib
import difflib
import os
import signal
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NoReturn, TextIO

import click

DONE, FAILED, WRONG_INPUT, INTERRUPTED, TERMINATED = 0, 1, 2, 130, 143


class InputError(Exception):
    """The input was wrong and nothing was run; the message is the block that the user reads."""


class Terminated(BaseException):
    """SIGTERM arrived; not an Exception, so that only clean-up code sees it."""


class Commands(click.Group):
    """A group of commands that names the nearest one, and takes ``--debug`` in any place."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Move ``--debug`` to the front, where the group reads it."""
        if "--debug" in args:
            args = ["--debug", *(arg for arg in args if arg != "--debug")]
        return super().parse_args(ctx, args)

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """Find a command, or say which one was probably meant."""
        name = args[0]
        if self.get_command(ctx, name) is None and not name.startswith("-"):
            close = difflib.get_close_matches(name, self.commands, n=1, cutoff=0.5)
            hint = f' Did you mean "{close[0]}"?' if close else ""
            hint = hint or f" Commands: {', '.join(self.commands)}."
            if name.endswith((".toml", ".nc")):
                hint = f' To run a deck: "crtransport run {name}".'
            ctx.fail(f'no command "{name}".{hint}')
        return super().resolve_command(ctx, args)


def aligned(rows: Sequence[Sequence[str]], indent: str = "") -> str:
    """Rows as columns, two spaces apart; what is empty at the end of a line is cut."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        indent + "  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )


def say(text: str) -> None:
    """An error block on standard error."""
    click.echo(f"crtransport: {text}", err=True)


def warn(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Tell the user of a warning that is meant for users; others keep the place in the code."""
    text = f"warning: {message}"
    say(text if issubclass(category, UserWarning) else f"{text} ({filename}, line {lineno})")


def report(error: Exception, debug: bool, where: str = "") -> int:
    """Tell the user of an error in one block; the exit code that goes with it."""
    from crtransport.deck.errors import DeckError
    from crtransport.errors import WorkerError

    head = f"{where}: " if where else ""
    if isinstance(error, InputError):
        say(str(error))
        return WRONG_INPUT
    if isinstance(error, DeckError):
        say(str(error))
        return WRONG_INPUT
    if debug:
        traceback.print_exception(error, file=sys.stderr)
    if isinstance(error, OSError):
        place = f" {error.filename}" if error.filename else ""
        say(f"{head}cannot write or read{place}: {error.strerror or error}")
    elif isinstance(error, MemoryError):
        say(f"{head}not enough memory; ask for fewer points, or a coarser grid")
    elif isinstance(error, WorkerError):
        say(f"{head}{error}")
    elif _is_numerical(error):
        say(f"{head}no result: {error}")
    else:
        say(
            f"{head}internal error, {type(error).__name__}: {error}\n"
            "  This is a bug in crtransport, not in your input. The same command with --debug\n"
            "  shows where it happened; please report it with that and the deck."
        )
    return FAILED


def _is_numerical(error: Exception) -> bool:
    """Whether a solver or a fit gave up for a reason that its message explains."""
    # looked up rather than imported: where no solver was loaded, none can have failed
    errors = sys.modules.get("crtransport.solvers.errors")
    fits = sys.modules.get("crtransport.fits.parameters")
    return (fits is not None and isinstance(error, fits.FitError)) or (
        errors is not None
        and isinstance(error, errors.ConvergenceError | errors.SingularOperatorError)
    )


def one_blas_thread() -> None:
    """Keep BLAS to one thread where the user has not set a number; before NumPy is imported.

    Our matrices have some hundred rows. On a busy machine the threads of a BLAS mostly wait for
    each other: a run took 20 times as long with two of them.
    """
    for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
        os.environ.setdefault(name, "1")


@contextlib.contextmanager
def _terminable() -> Iterator[None]:
    """Turn SIGTERM into an exception, so that temporary files are removed."""

    def stop(signum: int, frame: object) -> NoReturn:
        raise Terminated

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def guarded(command: Callable[[], Any], debug: bool) -> int:
    """Run a click command to its exit code; every error becomes one block, never a traceback."""
    try:
        with _terminable():
            code = command()
            if sys.stdout is not None:
                sys.stdout.flush()
            return int(code or DONE)
    except (KeyboardInterrupt, click.Abort) as error:
        # click puts its own exception in the place of an interrupt
        say(f"interrupted; {str(error.__cause__ or error) or 'what was finished is on disk'}")
        return INTERRUPTED
    except Terminated as error:
        say(f"terminated; {str(error) or 'what was finished is on disk'}")
        return TERMINATED
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except BrokenPipeError:
        # the reader has left: let Python's own flush at exit go nowhere instead of complaining
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as error:
        return report(error, debug)
