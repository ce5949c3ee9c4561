"""Error of the solvers against unknowns and time: the README's table and figure.

python benchmarks/solvers.py            # print the table
python benchmarks/solvers.py --write    # and put it into README.md, between its marks, with
                                        # docs/work_precision.png
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("NUMBA_NUM_THREADS", "1")

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from crtransport.bench import Row, measure
from crtransport.plots.style import MARKERS, line, new_figure, style

ROOT = Path(__file__).parent.parent
README, FIGURE = ROOT / "README.md", ROOT / "docs" / "work_precision.png"
BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"
#: panels of the figure: title, and how the names of their problems begin
PANELS: tuple[tuple[str, str | tuple[str, ...]], ...] = (
    ("flux tube: eigenvalues", "eigenvalues"),
    ("flux tube: anisotropy, pulse", ("anisotropy", "pulse")),
    ("burst in the two-halo medium", "burst"),
    ("protons in the Galaxy", ("galaxy-protons", "galaxy-cells-")),
)
#: what a user waits for; the second of two runs, so that kernels are compiled
COMMANDS = (
    ("--help",),
    ("run", "first_run", "--no-plots"),
    ("run", "malkov2023_fig4"),
    ("run", "yuan2025_fig2"),
)


def table(rows: list[Row]) -> str:
    """The rows as a Markdown table, with the machine they were measured on."""
    lines = [
        "| problem | method | unknowns | CPU time (ms) | relative error |",
        "|---|---|---:|---:|---:|",
    ]
    for row in rows:
        cost = f"{row.unknowns} | {1e3 * row.cpu_s:.2f}"
        lines.append(f"| {row.problem} | {row.method} | {cost} | {row.error:.0e} |")
    return "\n".join(lines)


def commands() -> str:
    """Wall time, CPU time and largest memory of whole commands, as a Markdown table."""
    lines = ["| command | wall (s) | CPU (s) | memory (MiB) |", "|---|---:|---:|---:|"]
    for command in COMMANDS:
        for _ in range(2):
            wall, spent, memory = whole(command)
        name = f"`crtransport {' '.join(command)}`"
        lines.append(f"| {name} | {wall:.2f} | {spent:.2f} | {memory:.0f} |")
    return "\n".join(lines)


def whole(command: tuple[str, ...]) -> tuple[float, float, float]:
    """Of one command, started by a process that is small itself, as its memory counts too."""
    with tempfile.TemporaryDirectory() as folder:
        where = ["-o", folder] if command[0] == "run" else []
        program = [sys.executable, "-m", "crtransport", *command, *where]
        found = subprocess.run(
            [sys.executable, "-c", _LAUNCH, *program], capture_output=True, text=True, check=True
        )
    wall, spent, memory = (float(x) for x in found.stdout.split())
    return wall, spent, memory


_LAUNCH = """
import resource, subprocess, sys, time
started = time.perf_counter()
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
wall = time.perf_counter() - started
print(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)
"""


def figure(rows: list[Row]) -> Figure:
    """Relative error against CPU time, a curve for each problem and method."""
    with style():
        found = new_figure(columns=2, height=6.0)
        for axes, (title, names) in zip(found.subplots(2, 2).flat, PANELS, strict=True):
            panel(axes, title, [row for row in rows if row.problem.startswith(names)])
    return found


def panel(axes: Axes, title: str, rows: list[Row]) -> None:
    """One group of problems."""
    curves = dict.fromkeys((row.problem, row.method) for row in rows)
    several = len({problem for problem, _ in curves}) > 1
    for i, (problem, method) in enumerate(curves):
        some = [row for row in rows if (row.problem, row.method) == (problem, method)]
        label = f"{problem}, {method}" if several else method
        cpu, error = [1e3 * row.cpu_s for row in some], [row.error for row in some]
        axes.plot(cpu, error, marker=MARKERS[i], label=label, **line(i))
    axes.set(xscale="log", yscale="log", xlabel="CPU time (ms)", ylabel="relative error")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2)
    axes.set_title(title)


def write(text: str) -> None:
    """Replace what stands between the marks in the README."""
    readme = README.read_text(encoding="utf-8")
    head, _, rest = readme.partition(BEGIN)
    tail = rest.partition(END)[2]
    README.write_text(f"{head}{BEGIN}\n{text}\n{END}{tail}", encoding="utf-8")


if __name__ == "__main__":
    measured = measure(repeats=5)
    machine = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    printed = "\n\n".join(
        [
            commands(),
            "<details><summary>All rows of the figure</summary>",
            table(measured),
            f"One core, warm, least of five runs; {machine}.",
            "</details>",
        ]
    )
    print(printed)
    if "--write" in sys.argv[1:]:
        write(printed)
        figure(measured).savefig(FIGURE)
