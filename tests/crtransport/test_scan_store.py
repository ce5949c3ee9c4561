"""The store of a scan: whole after a kill at any instant, of one deck, of one run at a time."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from crtransport.console import InputError
from crtransport.studies.scan_point import Point
from crtransport.studies.scan_store import Store, differences

ABOUT = {"crtransport": "0", "deck": {"model": "burst", "a": {"b": 1.0, "c": [1, 2]}}}


def point(number: int) -> Point:
    values = np.full(50, float(number)).tobytes()
    return Point("done", "", 0.1 * number, 1e-9, 1e-8, '{"layout": 1}', values)


_WRITES = """
import sys
from pathlib import Path
sys.path.insert(0, {here!r})
from test_scan_store import ABOUT, point
from crtransport.studies.scan_store import Store
with Store(Path({path!r}), ABOUT) as store:
    number = len(store.status())
    while True:
        store.add([(number, point(number))])
        print(number, flush=True)
        number += 1
"""


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_kill_at_any_instant(tmp_path: Path) -> None:
    path = tmp_path / "x.scan"
    script = _WRITES.format(here=str(Path(__file__).parent), path=str(path))
    before = -1
    for wait in (0.0, 0.013, 0.05):
        line = [sys.executable, "-c", script]
        with subprocess.Popen(line, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(wait)
            process.send_signal(signal.SIGKILL)
            told = [int(word) for word in process.stdout.read().split()]
        with Store(path, ABOUT) as store:
            found = dict(store.points())
        last = max(found)
        assert found == {n: point(n) for n in range(last + 1)}
        assert last >= max(told, default=before + 1) > before
        before = last


@pytest.mark.parametrize("cut", [1, 100, 5000, 20_000])
def test_a_torn_end_costs_whole_points(tmp_path: Path, cut: int) -> None:
    """What a power failure may leave: a log that ends anywhere."""
    path, copy = tmp_path / "x.scan", tmp_path / "y.scan"
    with Store(path, ABOUT) as store:
        for n in range(20):
            store.add([(n, point(n))])
        shutil.copy(path, copy)
        log = Path(f"{path}-wal").read_bytes()
        Path(f"{copy}-wal").write_bytes(log[:-cut])
    with Store(copy, ABOUT) as store:
        found = dict(store.points())
    assert len(found) < 20
    assert found == {n: point(n) for n in range(len(found))}


def test_a_point_is_there_once(tmp_path: Path) -> None:
    with Store(tmp_path / "x.scan", ABOUT) as store:
        store.add([(3, Point("failed", "why"))])
        assert store.status() == {3: "failed"}
        [(number, found)] = store.points()
        assert (number, found.reason, np.isnan(found.cpu_seconds)) == (3, "why", True)
        store.add([(3, point(3)), (1, Point("failed", "why"))])
        assert store.status() == {1: "failed", 3: "done"}
        store.drop_failed()
        assert dict(store.points()) == {3: point(3)}


def test_nothing_of_a_batch_that_cannot_be_written(tmp_path: Path) -> None:
    with Store(tmp_path / "x.scan", ABOUT) as store:
        with pytest.raises(OSError, match=r"NOT NULL .*x\.scan"):
            store.add([(0, point(0)), (1, point(1)._replace(values=None))])  # type: ignore[arg-type]
        store.add([(2, point(2))])
        assert store.status() == {2: "done"}


def test_one_run_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "x.scan"
    with Store(path, ABOUT), pytest.raises(InputError, match="another run has"):
        Store(path, ABOUT)
    with Store(path, ABOUT):
        pass


def test_another_deck_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.scan"
    with Store(path, {"deck": "with a mistake, so that it has no point"}):
        pass
    with Store(path, ABOUT) as store:
        store.add([(0, point(0))])
    other = {"crtransport": "0", "deck": {"model": "burst", "a": {"b": 2.0, "c": [1]}}}
    with pytest.raises(InputError) as caught:
        Store(path, other)
    for words in ("a.b = 2.0, was 1.0", "a.c.1 = not there, was 2", f"rm {path}"):
        assert words in str(caught.value)
    with Store(path, ABOUT) as store:
        assert store.status() == {0: "done"}


def test_many_differences_are_cut() -> None:
    before, now = ({f"k{i}": i + shift for i in range(9)} for shift in (0, 1))
    told = differences({"deck": now}, {"deck": before})
    assert told[0] == "k0 = 1, was 0"
    assert told[-1] == "and 3 more"


def test_damage_is_told(tmp_path: Path) -> None:
    path = tmp_path / "x.scan"
    path.write_bytes(b"not a database " * 100)
    with pytest.raises(InputError, match=r"is damaged, or not of a scan .*; remove it"):
        Store(path, ABOUT)
    assert path.read_bytes().startswith(b"not a")
    with pytest.raises(InputError, match="cannot write"):
        Store(tmp_path / "no" / "folder" / "x.scan", ABOUT)
