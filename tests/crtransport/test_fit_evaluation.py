"""Samplers side by side: the same samples by any number of processes, and by a Dask cluster."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("iminuit", reason="needs the extra fit")
pytest.importorskip("emcee", reason="needs the extra fit")
pytest.importorskip("dynesty", reason="needs the extra fit")

from crtransport.deck.load import load_deck
from crtransport.errors import WorkerError
from crtransport.fits import FitError
from crtransport.studies import fit_evaluation
from crtransport.studies.fit import run
from crtransport.studies.fit_evaluation import evaluation
from crtransport.studies.means import Means
from tests.signals import heeded

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
EMCEE = {"kind": "emcee", "steps": 10, "walkers": 4}
DYNESTY = {"kind": "dynesty", "live": 10, "tolerance": 5.0}

#: a leaky box of two nuclides: some milliseconds
DECK = """
model = "galaxy"
network = ["C12", "B11"]
geometry = { kind = "leaky-box", escape_time = "30 Myr" }
diffusion = { kind = "uniform" }
momentum = { per_decade = 5, T_max = 1e4 }
solver = { rtol = 1.0 }
output = { T_min = 0.5, T_max = 100.0, per_decade = 3 }

[gas]
HI = { kind = "uniform", n0 = 0.3 }
H2 = { kind = "none" }
HII = { kind = "none" }

[[source]]
abundances = { C12 = 1.0 }
radial = { kind = "uniform" }
vertical = { kind = "uniform" }

[[fit.parameter]]
key = "geometry.escape_time"
start = 30
lower = 10
upper = 100
scale = "log"

[[fit.parameter]]
key = "modulation.phi"
start = 500
lower = 100
upper = 1000

[[fit.data]]
table = "ratio"
"""


def write(folder: Path) -> Path:
    """A deck without sampler beside a table of a ratio."""
    points = folder / "cr-kiss" / "points"
    points.mkdir(parents=True)
    rows = [f"{x},{0.3 * (x / 5) ** -0.4},0.1,0.1,0,0" for x in np.geomspace(2.0, 50.0, 9)]
    head = ["# TEST B_C vs rigidity", "# reference: made for a test"]
    head += ["# y: ratio [1]; x: rigidity_GV", "x,y,stat_lo,stat_hi,sys_lo,sys_hi"]
    (points / "ratio.csv").write_text("\n".join([*head, *rows, ""]))
    path = folder / "box.toml"
    path.write_text(DECK)
    return path


@pytest.fixture
def deck(tmp_path: Path) -> Path:
    return write(tmp_path)


def posterior(deck: Path, means: Means, **sampler: Any) -> Any:
    return run(load_deck(deck, {"fit.sampler": sampler}), deck.parent, means).posterior.values


@pytest.mark.parametrize("sampler", [EMCEE, DYNESTY])
def test_the_same_samples_by_any_number(deck: Path, sampler: dict[str, Any]) -> None:
    here, *others = (posterior(deck, Means(workers=n), **sampler) for n in (0, 1, 2))
    assert np.ptp(here) > 0
    for one in others:
        np.testing.assert_array_equal(one, here)
    assert not multiprocessing.active_children()


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Functions that other processes can import."""
    monkeypatch.syspath_prepend(str(HERE))
    import scan_jobs

    return scan_jobs


def places(deck: Path, jobs: Any, means: Means) -> list[int]:
    """The processes that evaluate one after the other."""
    with evaluation(load_deck(deck), deck.parent, means, lambda *_: None) as by:
        return [*by.each(jobs.process, range(3)), *by.each(jobs.process, range(3))]


def test_processes_begin_where_they_are_worth_it(
    deck: Path, jobs: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = os.getpid()
    assert places(deck, jobs, Means()) == [own] * 6
    assert own not in places(deck, jobs, Means(workers=1))
    monkeypatch.setattr(fit_evaluation, "_ALONE", 0.0)
    assert places(deck, jobs, Means()) == [own] * 6, "too short to be sent"
    monkeypatch.setattr(fit_evaluation, "_WORTH", 0.0)
    monkeypatch.setattr(fit_evaluation, "processors", lambda: 2)
    first, *others = places(deck, jobs, Means())
    assert first == own
    assert own not in others
    monkeypatch.setattr(fit_evaluation, "processors", lambda: 1)
    assert places(deck, jobs, Means()) == [own] * 6


def test_a_killed_process_costs_its_own_evaluation(deck: Path, jobs: Any, tmp_path: Path) -> None:
    def some(deadly: int) -> Any:
        return [jobs.Job(str(tmp_path / "log"), n, deadly if n == 3 else 0) for n in range(8)]

    with evaluation(load_deck(deck), None, Means(workers=2), lambda *_: None) as by:
        assert by.each(jobs.square, some(1)) == [n * n for n in range(8)]
        assert sorted(jobs.runs(tmp_path / "log")) == [0, 1, 2, 3, 3, 4, 5, 6, 7]
        with pytest.raises(WorkerError, match="nothing is written: its process ended 3 times"):
            by.each(jobs.square, some(99))
    assert not multiprocessing.active_children()


def test_an_error_elsewhere_is_told_here(deck: Path, jobs: Any) -> None:
    with evaluation(load_deck(deck), None, Means(workers=1), lambda *_: None) as by:
        with pytest.raises(FitError, match="of no use"):
            by.each(jobs.refuse, [0])
        with pytest.raises(RuntimeError, match="TypeError: bad operand"):
            by.each(abs, ["text"])
        assert by.each(abs, [-1]) == [1]


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds children in /proc")
def test_an_interrupt_leaves_nothing_behind(deck: Path, tmp_path: Path) -> None:
    deck.write_text(f'{DECK}\n[fit.sampler]\nkind = "emcee"\nsteps = 100000\n')
    line = [sys.executable, "-m", "crtransport", "run", str(deck), "-o", str(tmp_path / "out")]
    line += ["--workers", "2", "--data", str(tmp_path)]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    pipes |= {"start_new_session": True, "preexec_fn": heeded}
    with subprocess.Popen(line, cwd=ROOT, **pipes) as process:
        end = time.monotonic() + 60
        while len(found := children(process.pid)) < 2 or not all(map(busy, found)):
            assert process.poll() is None
            assert time.monotonic() < end
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "interrupted" in err
    assert "Traceback" not in out + err
    assert not any(Path(f"/proc/{child}").exists() for child in found)
    assert not list((tmp_path / "out").glob("*"))


def children(process: int) -> list[str]:
    """Spawned workers of a process; not the one that looks after their resources."""
    found = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [one for one in found if b"spawn_main" in Path(f"/proc/{one}/cmdline").read_bytes()]


def busy(process: str) -> bool:
    """Whether it has worked for more than a second: it has begun."""
    numbers = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return int(numbers[11]) > os.sysconf("SC_CLK_TCK")
