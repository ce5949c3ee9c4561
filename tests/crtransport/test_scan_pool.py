"""Processes that work side by side: each job once, whatever happens to the processes."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

from crtransport.errors import WorkerError
from crtransport.studies.scan_pool import TRIES, Lost, results


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parent))


def squares(log: Path, count: int, deadly: dict[int, int], processes: int) -> dict[int, object]:
    import scan_jobs

    jobs = ((n, scan_jobs.Job(str(log), n, deadly.get(n, 0))) for n in range(count))
    found = list(chain.from_iterable(results(scan_jobs.square, jobs, processes)))
    assert len(dict(found)) == len(found) == count
    return dict(found)


def runs(log: Path) -> list[int]:
    return [int(line) for line in log.read_text().split()]


@pytest.mark.parametrize("processes", [1, 3])
def test_each_job_once(tmp_path: Path, processes: int) -> None:
    found = squares(tmp_path / "log", 100, {}, processes)
    assert found == {n: n * n for n in range(100)}
    assert sorted(runs(tmp_path / "log")) == list(range(100))


def test_a_killed_process_costs_its_own_job(tmp_path: Path) -> None:
    found = squares(tmp_path / "log", 60, {7: 1, 31: 2}, 2)
    assert found == {n: n * n for n in range(60)}
    repeated = sorted([*range(60), 7, 31, 31])
    assert sorted(runs(tmp_path / "log")) == repeated


def test_a_job_that_kills_each_process_is_given_up(tmp_path: Path) -> None:
    found = squares(tmp_path / "log", 20, {4: 99}, 2)
    lost = found.pop(4)
    assert isinstance(lost, Lost)
    assert "its process ended 3 times (killed by SIGKILL)" in lost.reason
    assert found == {n: n * n for n in range(20) if n != 4}
    assert runs(tmp_path / "log").count(4) == TRIES


def test_processes_that_cannot_start() -> None:
    import scan_jobs

    with pytest.raises(WorkerError, match="processes end as they begin"):
        list(results(scan_jobs.Unreadable(), iter([(0, 0)]), 1))


def test_processes_compute_on_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    import scan_jobs

    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "7")
    names = ["OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS", "CRTRANSPORT_THREADS"]
    found = list(chain.from_iterable(results(scan_jobs.threads, enumerate(names), 1)))
    assert dict(found) == {0: "1", 1: "1", 2: "1"}
    assert os.environ["OPENBLAS_NUM_THREADS"] == "7"
    assert "CRTRANSPORT_THREADS" not in os.environ


def test_processes_end_with_whoever_listens(tmp_path: Path) -> None:
    import multiprocessing

    import scan_jobs

    jobs = ((n, scan_jobs.Job(str(tmp_path / "log"), n)) for n in range(10_000))
    some: Iterator[object] = results(scan_jobs.square, jobs, 2)
    for _ in range(3):
        next(some)
    assert len(multiprocessing.active_children()) == 2
    some.close()  # type: ignore[attr-defined]
    assert not multiprocessing.active_children()
