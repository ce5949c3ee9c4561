"""Error of the solvers against unknowns and time: the README's table.

python benchmarks/solvers.py            # print it
python benchmarks/solvers.py --write    # and put it into README.md, between its marks
"""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("NUMBA_NUM_THREADS", "1")

from crtransport.bench import Row, measure

README = Path(__file__).parent.parent / "README.md"
BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"


def table(rows: list[Row]) -> str:
    """The rows as a Markdown table, with the machine they were measured on."""
    lines = [
        "| problem | method | unknowns | CPU time (ms) | relative error |",
        "|---|---|---:|---:|---:|",
    ]
    for row in rows:
        cost = f"{row.unknowns} | {1e3 * row.cpu_s:.2f}"
        lines.append(f"| {row.problem} | {row.method} | {cost} | {row.error:.0e} |")
    machine = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    return "\n".join([*lines, "", f"One core, warm, least of five runs; {machine}."])


def write(text: str) -> None:
    """Replace what stands between the marks in the README."""
    readme = README.read_text(encoding="utf-8")
    head, _, rest = readme.partition(BEGIN)
    tail = rest.partition(END)[2]
    README.write_text(f"{head}{BEGIN}\n{text}\n{END}{tail}", encoding="utf-8")


if __name__ == "__main__":
    printed = table(measure(repeats=5))
    print(printed)
    if "--write" in sys.argv[1:]:
        write(printed)
