"""Tasks for developers: ``nox`` runs lint, types and tests; ``nox -s kernels`` one of them."""

import nox

nox.options.sessions = ["lint", "types", "tests"]
nox.options.reuse_existing_virtualenvs = True


@nox.session
def lint(session: nox.Session) -> None:
    """Style and import contracts; ``nox -s lint -- --fix`` mends what can be mended."""
    session.install("-e", ".[dev]")
    session.run("ruff", "check", *session.posargs, ".")
    session.run("ruff", "format", *([] if "--fix" in session.posargs else ["--check"]), ".")
    session.run("lint-imports", "--no-logo")


@nox.session
def types(session: nox.Session) -> None:
    """Type check."""
    session.install("-e", ".[dev]")
    session.run("mypy")


@nox.session
def tests(session: nox.Session) -> None:
    """All tests, or those named after ``--``."""
    session.install("-e", ".[dev]")
    session.run("pytest", *session.posargs)


@nox.session
def kernels(session: nox.Session) -> None:
    """The tests of the kernels with the compiler off, where an index out of range is an error."""
    session.install("-e", ".[dev]")
    session.run(
        "pytest", "tests/solvers/test_kernels.py", *session.posargs, env={"NUMBA_DISABLE_JIT": "1"}
    )
