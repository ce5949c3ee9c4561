"""Scans on a Dask cluster: a scheduler and two workers, each a process that can be killed."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from crtransport.console import InputError
from crtransport.deck.load import load_deck
from crtransport.errors import WorkerError
from crtransport.studies import scan_cluster
from crtransport.studies.means import Means
from crtransport.studies.scan import scan
from crtransport.studies.scan_cluster import results
from crtransport.studies.scan_pool import Lost

pytest.importorskip("distributed", reason="needs the extra cluster")
pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals")

HERE = Path(__file__).parent
ROOT = HERE.parent.parent


class Cluster:
    """A scheduler and workers of one thread."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._file = folder / "scheduler.json"
        self._stack = stack
        self.scheduler = self._run("scheduler", "--port=0", "--no-dashboard")
        end = time.monotonic() + 60
        # it is not written in one go
        while not self._file.exists() or not self._file.read_text().rstrip().endswith("}"):
            assert time.monotonic() < end
            time.sleep(0.05)
        self.address: str = json.loads(self._file.read_text())["address"]
        self.workers = [self.worker(), self.worker()]

    def worker(self) -> subprocess.Popen[bytes]:
        return self._run("worker", "--nthreads=1", "--no-nanny", "--no-dashboard")

    def _run(self, what: str, *options: str) -> subprocess.Popen[bytes]:
        line = [sys.executable, "-m", f"distributed.cli.dask_{what}"]
        line += [f"--scheduler-file={self._file}", *options]
        environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(HERE)])}
        folder = self._file.parent
        process = subprocess.Popen(
            line, env=environment, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._stack.callback(process.wait)
        self._stack.callback(process.kill)
        return process


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    monkeypatch.syspath_prepend(str(HERE))
    with ExitStack() as stack:
        yield Cluster(tmp_path, stack)


def test_a_scan_of_which_a_worker_is_killed(cluster: Cluster, tmp_path: Path) -> None:
    from test_scan import GRID, SOURCE

    path = tmp_path / "ages.toml"
    path.write_text(SOURCE + GRID.replace("{ages}", "100"))
    line = [sys.executable, "-m", "crtransport", "run", str(path), "-o", str(tmp_path)]
    line += ["--no-plots", "--scheduler", cluster.address]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(line, **pipes) as process:
        log, end = tmp_path / "ages.scan-wal", time.monotonic() + 60
        while not log.exists() or log.stat().st_size < 30_000:
            assert time.monotonic() < end
            time.sleep(0.01)
        cluster.workers[0].send_signal(signal.SIGKILL)
        out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert "Traceback" not in err
    assert "300: 300 done" in out
    with xr.open_dataset(tmp_path / "ages.nc") as found:
        expected = scan(load_deck(path), None, None, Means(workers=0))
        for name in ("flux_total", "dipole", "status"):
            np.testing.assert_array_equal(found[name], expected[name])


def test_a_sampler(cluster: Cluster, tmp_path: Path) -> None:
    from test_fit_evaluation import DYNESTY, EMCEE, posterior, write

    write(tmp_path)
    for sampler in (EMCEE, DYNESTY):
        here, there = (
            posterior(tmp_path / "box.toml", means, **sampler)
            for means in (Means(workers=0), Means(scheduler=cluster.address))
        )
        np.testing.assert_array_equal(there, here)


def test_each_job_once_but_for_what_was_killed(cluster: Cluster, tmp_path: Path) -> None:
    import scan_jobs

    jobs = [(n, scan_jobs.Job(str(tmp_path / "log"), n)) for n in range(400)]
    some = results(scan_jobs.square, iter(jobs), cluster.address)
    found = list(next(some))
    cluster.workers[0].send_signal(signal.SIGKILL)
    found += chain.from_iterable(some)
    assert len(found) == 400
    assert dict(found) == {n: n * n for n in range(400)}
    # again were run what the killed worker was at, and what it had told no one yet
    assert 400 <= len(scan_jobs.runs(tmp_path / "log")) < 450


def test_a_job_that_kills_its_workers_is_given_up(cluster: Cluster, tmp_path: Path) -> None:
    import scan_jobs

    for _ in range(10):
        cluster.worker()
    deadly = {2: 99}
    jobs = [(n, scan_jobs.Job(str(tmp_path / "log"), n, deadly.get(n, 0))) for n in range(6)]
    found = dict(chain.from_iterable(results(scan_jobs.square, iter(jobs), cluster.address)))
    lost = found.pop(2)
    assert isinstance(lost, Lost)
    assert "its worker was lost each time" in lost.reason
    assert found == {n: n * n for n in range(6) if n != 2}


def test_a_scheduler_that_goes_away(cluster: Cluster, tmp_path: Path) -> None:
    import scan_jobs

    jobs = [(n, scan_jobs.Job(str(tmp_path / "log"), n)) for n in range(100_000)]
    some = results(scan_jobs.square, iter(jobs), cluster.address)
    next(some)
    cluster.scheduler.send_signal(signal.SIGKILL)
    with pytest.raises(WorkerError, match="scheduler went away"):
        list(some)


def test_a_full_disk_is_no_matter_of_the_scheduler(cluster: Cluster) -> None:
    def stored(_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    def run() -> None:
        with scan_cluster.pool(abs, cluster.address) as done:
            stored(next(done(enumerate([1, 2]))))

    with pytest.raises(OSError, match="No space"):
        run()


def test_no_scheduler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan_cluster, "_PATIENCE", 1.0)
    with pytest.raises(InputError, match=r"--scheduler tcp://127.0.0.1:1: "):
        next(results(abs, iter([(0, 1)]), "tcp://127.0.0.1:1"))
    with pytest.raises(InputError, match="--scheduler x y"):
        next(results(abs, iter([(0, 1)]), "x y"))


def test_the_package_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match=r"pip install 'crtransport\[dask\]'"):
        next(results(abs, iter([(0, 1)]), "tcp://127.0.0.1:1"))
