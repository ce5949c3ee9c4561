"""Scans: the numbers are those of single runs, whatever runs them and whatever is killed."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import crtransport
from crtransport.cli import cli
from crtransport.console import InputError
from crtransport.deck.load import load_deck
from crtransport.output import check_labels
from crtransport.studies import scan as scans
from crtransport.studies.means import Means
from crtransport.studies.scan import scan
from tests.signals import heeded

SOURCE = """
model = "burst"
title = "one source"
[[local_source]]
name = "A"
distance = "0.25 kpc"
age = 3.4e5
l = 195.1
b = 4.3
alpha = 2.1
R_c = "120 TV"
W = { H = 1e50, He = 1.8e50 }
[output]
T_min = 10.0
T_max = 1e5
per_decade = 4
"""
GRID = """
[scan]
keep = ["flux_total", "dipole"]
[[scan.parameter]]
key = "local_source.0.age"
min = 1e5
max = "1 Myr"
number = {ages}
spacing = "log"
[[scan.parameter]]
key = "local_source.0.alpha"
values = [2.0, 2.2, 2.4]
"""
KEPT = ["flux_total", "dipole", "status", "reason", "error_estimate"]


@pytest.fixture
def deck(tmp_path: Path) -> Callable[..., Path]:
    def write(text: str = GRID, ages: int = 4) -> Path:
        path = tmp_path / "ages.toml"
        path.write_text(SOURCE + text.replace("{ages}", str(ages)))
        return path

    return write


def serial(path: Path, **overrides: Any) -> xr.Dataset:
    return scan(load_deck(path, overrides), None, None, Means(workers=0))


def test_numbers_are_those_of_single_runs(deck: Callable[..., Path]) -> None:
    found = crtransport.run(deck())
    assert found.flux_total.dims == ("age", "alpha", "species", "kinetic_energy")
    assert found.age.values.tolist() == pytest.approx(np.geomspace(1e5, 1e6, 4).tolist())
    assert found.age.units == "yr"
    for i, j in ((0, 0), (2, 1), (3, 2)):
        here = found.isel(age=i, alpha=j)
        changes = {"local_source.0.age": here.age.item(), "local_source.0.alpha": here.alpha.item()}
        base = crtransport.load_deck(deck(""), changes)
        single = crtransport.run(base)
        for name in ("flux_total", "dipole"):
            assert here[name].values.tobytes() == single[name].values.tobytes()
            assert here[name].attrs == single[name].attrs
        assert here.error_estimate == single.attrs["error_estimate"]
    check_labels(found)
    assert (found.status == "done").all()
    assert (found.cpu_seconds > 0).all()
    assert found.attrs["error_estimate"] == found.error_estimate.max()
    assert load_deck(json.loads(found.attrs["deck"])) == load_deck(deck())


def test_a_sample(deck: Callable[..., Path]) -> None:
    path = deck(
        """
[scan]
[scan.sample]
number = 6
[[scan.parameter]]
key = "local_source.0.age"
min = 1e5
max = 1e6
"""
    )
    found = serial(path)
    assert found.flux_total.dims == ("point", "species", "kinetic_energy")
    ages = found.age.values
    one = crtransport.run(load_deck(deck(""), {"local_source.0.age": ages[4]}))
    np.testing.assert_array_equal(found.flux_total[4], one.flux_total)
    assert "flux" in found
    assert "dipole_phase" in found


@pytest.mark.parametrize("workers", [1, 3])
def test_processes_change_no_bit(deck: Callable[..., Path], tmp_path: Path, workers: int) -> None:
    found = scan(load_deck(deck()), None, tmp_path / "x.scan", Means(workers=workers))
    assert found[KEPT].identical(serial(deck())[KEPT])


FAILS = """
[scan]
keep = ["flux"]
[[scan.parameter]]
key = "z_h"
values = [0.1, 4.0]
[[scan.parameter]]
key = "local_source.0.b"
values = [4.3, 80.0]
"""


def test_a_combination_that_the_deck_refuses_is_a_point(deck: Callable[..., Path]) -> None:
    found = serial(deck(FAILS), medium="slab")
    assert found.status.values.tolist() == [["done", "failed"], ["done", "done"]]
    refused = found.isel(z_h=0, b=1)
    assert np.isnan(refused.flux).all()
    assert np.isnan(refused.error_estimate)
    assert np.isfinite(found.flux.isel(z_h=1)).all()
    [told] = scans.failures(found)
    assert told.startswith("z_h = 0.1 kpc, b = 80 deg: ")
    assert "outside the halo of z_h = 0.1 kpc" in told


def test_only_what_failed_is_tried_again(deck: Callable[..., Path], tmp_path: Path) -> None:
    loaded, store = load_deck(deck(FAILS), {"medium": "slab"}), tmp_path / "x.scan"
    told: list[tuple[int, ...]] = []

    def again(means: Means) -> list[tuple[int, ...]]:
        told.clear()
        scan(loaded, None, store, means, lambda *counts: told.append(counts))
        return told

    assert again(Means(workers=0))[-1] == (4, 1, 4, 0)
    assert again(Means(workers=0)) == [(4, 1, 4, 4)]
    assert again(Means(workers=0, retry=True)) == [(3, 0, 4, 3), (4, 1, 4, 3)]


def test_all_points_fail(deck: Callable[..., Path]) -> None:
    loaded = load_deck(
        deck(FAILS.replace("4.0", "0.01").replace("4.3", "70.0")), {"medium": "slab"}
    )
    found = scan(loaded, None, None, Means(workers=0))
    assert (found.status == "failed").all()
    assert "flux" not in found
    assert loaded.scan is not None
    assert scans.headline(found, loaded.scan)[0] == ("points", "4: 4 failed")


AXES = """
[scan]
[[scan.parameter]]
key = "output.T_max"
values = [1e4, 1e5]
"""


def test_other_axes_cannot_be_put_together(deck: Callable[..., Path]) -> None:
    found = serial(deck(AXES))
    assert found.status.values.tolist() == ["done", "failed"]
    assert found.reason[1].item() == "its output differs from that of point 0: other kinetic_energy"


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ('keep = ["flux_totl"]', 'scan.keep: no variable "flux_totl"; did you mean "flux_total"?'),
        ('show = [{ variable = "fluxx" }]', 'scan.show.0.variable = "fluxx" is not kept; did you'),
        (
            'show = [{ variable = "flux", at = { ratio = 1 } }]',
            "flux has no ratio; its dimensions are: source, species, kinetic_energy",
        ),
        (
            'show = [{ variable = "flux", at = { species = "Li" } }]',
            'species has no "Li" (there are: H, He)',
        ),
        (
            'show = [{ variable = "flux", at = { kinetic_energy = "low" } }]',
            'kinetic_energy = "low": needs a number in GeV/n',
        ),
    ],
)
def test_a_mistake_that_a_point_shows_ends_the_scan(
    deck: Callable[..., Path], tmp_path: Path, lines: str, said: str
) -> None:
    store = tmp_path / "x.scan"
    path = deck(AXES.replace("[scan]\n", f"[scan]\n{lines}\n"))
    with pytest.raises(InputError) as caught:
        scan(load_deck(path), None, store, Means(workers=0))
    assert said in str(caught.value)
    assert stored(store) == {}


def test_what_would_not_fit_is_refused(
    deck: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scans, "LARGEST", 10_000)
    with pytest.raises(InputError, match=r"12 points of 0.\d+ kB each make .* GB, .* keep fewer"):
        scan(load_deck(deck()), None, tmp_path / "x.scan", Means(workers=0))


def test_names_of_dimensions(deck: Callable[..., Path]) -> None:
    text = """
[scan]
keep = ["flux"]
[[scan.parameter]]
key = "output.T_max"
values = [1e5]
[[scan.parameter]]
key = "local_source.0.W.H"
values = [1e50]
[[scan.parameter]]
key = "local_source.0.W.He"
values = [1e50]
[[scan.parameter]]
key = "medium"
values = ["uniform"]
"""
    assert list(serial(deck(text)).sizes)[:4] == ["T_max", "H", "He", "medium"]
    second = 'name = "B"\ndistance = 0.3\nage = 1e5\nl = 0\nb = 0\nalpha = 2\nR_c = 1e5'
    source = f"[[local_source]]\n{second}\nW = {{ H = 1e50 }}\n[output]"
    path = deck(text.replace("local_source.0.W.He", "local_source.1.W.H"))
    path.write_text(path.read_text().replace("[output]", source, 1))
    names = ["T_max", "local_source_0_W_H", "local_source_1_W_H", "medium"]
    assert list(serial(path).sizes)[:4] == names


# what follows meets the command line


def start(*args: object) -> subprocess.Popen[str]:
    line = [sys.executable, "-m", "crtransport", "run", *map(str, args), "--no-plots"]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    # of a process group of its own, as a shell gives it
    return subprocess.Popen(line, **pipes, start_new_session=True, preexec_fn=heeded)


def stored(path: Path) -> dict[int, float]:
    """Number and CPU time of each point in a store."""
    with closing(sqlite3.connect(path, timeout=0)) as database:
        return dict(database.execute("SELECT number, cpu_seconds FROM point"))


def wait_for(log: Path, commits: int) -> None:
    """Until a store's log was written so many times."""
    end, seen = time.monotonic() + 60, {0}
    while len(seen) <= commits:
        assert time.monotonic() < end
        time.sleep(0.002)
        seen.add(log.stat().st_mtime_ns if log.exists() else 0)


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_killed_twice_and_finished(deck: Callable[..., Path], tmp_path: Path) -> None:
    path, store = deck(ages=80), tmp_path / "ages.scan"
    kept: dict[int, float] = {}
    for _ in range(2):
        before = len(kept)
        with start(path, "-o", tmp_path, "--workers", 2) as process:
            wait_for(Path(f"{store}-wal"), 8)
            process.send_signal(signal.SIGKILL)
        again = stored(store)
        assert before < len(again) < 240
        assert kept.items() <= again.items()  # none was run again
        kept = again
    with start(path, "-o", tmp_path, "--workers", 2) as process:
        out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert "240: 240 done" in out
    assert f"{len(kept)} of 240" in err
    assert sorted(p.name for p in tmp_path.iterdir()) == ["ages.nc", "ages.toml"]
    with xr.open_dataset(tmp_path / "ages.nc") as found:
        seconds = found.cpu_seconds.values.ravel()
        assert all(seconds[number] == cpu for number, cpu in kept.items())
        expected = serial(path)
        for name in KEPT:
            np.testing.assert_array_equal(found[name], expected[name])


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_interrupt_says_how_to_go_on(deck: Callable[..., Path], tmp_path: Path) -> None:
    with start(deck(ages=300), "-o", tmp_path, "--workers", 2) as process:
        wait_for(tmp_path / "ages.scan-wal", 8)
        # a terminal sends it to all of the group
        os.killpg(process.pid, signal.SIGINT)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in err
    there = len(stored(tmp_path / "ages.scan"))
    said = f"interrupted; {there} of 900 points are in {tmp_path / 'ages.scan'}; the same command"
    assert said in err


def run(*args: object) -> int:
    code = cli.main(["run", *map(str, args), "--no-plots"], standalone_mode=False)
    assert isinstance(code, int)
    return code


def test_failures_end_with_1_and_can_be_tried_again(
    deck: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = deck(AXES)
    assert run(path, "-o", tmp_path, "--workers", 1) == 1
    ended = capsys.readouterr()
    assert "T_max = 1e+05 GeV/n: its output differs from that of point 0" in ended.err
    assert "with --retry" in ended.err
    assert (tmp_path / "ages.nc").exists()
    assert (tmp_path / "ages.scan").exists()
    assert run(path, "-o", tmp_path, "--workers", 1) == 1
    assert "2 of 2" in capsys.readouterr().err


def test_figures_and_headline(
    deck: Callable[..., Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    args: Sequence[object] = ["run", deck(), "-o", tmp_path, "--workers", 1]
    assert cli.main(list(map(str, args)), standalone_mode=False) == 0
    assert {p.name for p in tmp_path.iterdir()} == {"ages.nc", "ages.png", "ages.toml"}
    out = capsys.readouterr().out
    assert "12: 12 done" in out
    assert "flux_total (H, 1e+03 GeV/n)" in out


@pytest.mark.parametrize("option", ["--workers=2", "--scheduler=tcp://x:1", "--retry"])
def test_options_of_scans_need_one(option: str) -> None:
    with pytest.raises(InputError, match=r"has no effect: no deck has a"):
        run("first_run", option)


def test_check_counts_the_points(
    deck: Callable[..., Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["check", str(deck())], standalone_mode=False) == 0
    assert "a valid burst deck, scanned at 12 points\n" in capsys.readouterr().out
