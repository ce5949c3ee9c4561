"""The shape of the code: layers, sizes, vocabulary, and what --help may import."""

import ast
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = [
    path
    for folder in ("crtransport", "solvers", "benchmarks", "tests")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if "crtransport/solvers" not in path.as_posix()
]
NAMES = [path.relative_to(ROOT).as_posix() for path in SOURCES]
HEAVY = ("numba", "xarray", "matplotlib", "scipy", "netCDF4", "numpy", "pydantic")
COMMANDS = ("", "run", "check", "decks", "validate", "bench", "eigenvalues", "schema")
COMMANDS += ("data", "data list", "data path", "data fetch", "data import")

_HELP = """
import sys
from crtransport import cli
try:
    cli.cli(sys.argv[1:], prog_name="crtransport")
except SystemExit as ended:
    assert ended.code == 0, ended.code
print("loaded:", *(name for name in {heavy} if name in sys.modules))
"""


@pytest.mark.parametrize("command", COMMANDS)
def test_help_is_light_and_has_an_example(command: str) -> None:
    script = _HELP.format(heavy=HEAVY)
    line = [sys.executable, "-c", script, *command.split(), "--help"]
    done = subprocess.run(line, capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.endswith("loaded:\n")
    assert "Example: crtransport " in done.stdout


def test_import_of_the_package_is_light() -> None:
    script = f"import sys, crtransport; print([n for n in {HEAVY} if n in sys.modules])"
    line = [sys.executable, "-c", script]
    done = subprocess.run(line, capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "[]\n"


def test_modes_of_a_tube_need_no_compiler() -> None:
    script = "import sys, crtransport; crtransport.run('malkov2023_fig4'); print(*sys.modules)"
    line = [sys.executable, "-c", script]
    done = subprocess.run(line, capture_output=True, text=True, check=True, cwd=ROOT)
    assert "numba" not in done.stdout.split()


@pytest.mark.parametrize("path", SOURCES, ids=NAMES)
def test_size(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= 500
    # a kernel is one loop nest, which splitting would not make clearer
    longest = 120 if "kernels" in path.parts else 80
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            assert (node.end_lineno or 0) - node.lineno < longest, node.name


def test_typical_sizes() -> None:
    lengths = sorted(len(path.read_text().splitlines()) for path in SOURCES)
    assert lengths[len(lengths) // 2] <= 150
    assert lengths[len(lengths) * 9 // 10] <= 350


def test_import_contracts() -> None:
    if importlib.util.find_spec("importlinter") is None:
        pytest.skip("needs the dev extra")
    script = "import sys; from importlinter.cli import lint_imports_command as c; sys.exit(c())"
    line = [sys.executable, "-c", script, "--no-cache"]
    done = subprocess.run(line, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stdout


def _imports(path: Path) -> set[str]:
    """Modules of the package that a file imports, also inside functions."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return {name for name in found if name.startswith("crtransport.")}


def test_no_two_rooms_import_each_other() -> None:
    pairs = set()
    for path in SOURCES:
        parts = path.relative_to(ROOT).with_suffix("").parts
        if parts[0] in ("crtransport", "solvers") and parts[-1] != "__init__":
            room = "solvers" if parts[0] == "solvers" else parts[1]
            pairs |= {(room, name.split(".")[1]) for name in _imports(path)}
    mutual = {(a, b) for a, b in pairs if a < b and (b, a) in pairs}
    assert len(pairs) > 10
    assert not mutual


# what a word of astrophysics in the numerics would look like
ASTROPHYSICS = re.compile(
    r"cosmic|nuclide|nucleus|rigidity|galax|galactic|spallation|pitch|supernova|pulsar|proton"
    r"|electron|particle.?physics|parsec|kpc|\bpc\b|malkov",
    re.IGNORECASE,
)


def test_solvers_speak_of_numerics_only() -> None:
    words = []
    for path in sorted((ROOT / "solvers").rglob("*")):
        if path.suffix in (".py", ".md"):
            found = ASTROPHYSICS.findall(path.read_text())
            words += [f"{path.relative_to(ROOT)}: {word}" for word in found]
    assert not words


def test_only_the_command_line_prints() -> None:
    for path, name in zip(SOURCES, NAMES, strict=True):
        if name.startswith(("crtransport", "solvers")) and "console" not in name:
            for node in ast.walk(ast.parse(path.read_text())):
                called = isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
                assert not (called and node.func.id == "print"), name  # type: ignore[attr-defined]


def test_links_are_relative() -> None:
    for name in ("solvers", "input_decks"):
        link = ROOT / "crtransport" / name
        if link.is_symlink():
            assert link.readlink() == Path("..") / name
