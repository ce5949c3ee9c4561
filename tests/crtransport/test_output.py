"""Files are whole or not there, whatever happens in mid-write."""

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure

from crtransport.output import check_folder, check_labels, netcdf_bytes, png_bytes, write_atomic


def dataset() -> xr.Dataset:
    labels = {"units": "1", "long_name": "a number"}
    return xr.Dataset(
        {"f": (("x", "name"), np.arange(6.0).reshape(3, 2), labels)},
        coords={"x": ("x", [0.0, 1.0, 2.0], labels), "name": ("name", ["H", "He"], labels)},
        attrs={"deck": "{}", "error_estimate": 1e-9},
    )


def test_netcdf_bytes_are_the_dataset(tmp_path: Path) -> None:
    path = tmp_path / "a.nc"
    write_atomic(path, netcdf_bytes(dataset()))
    with xr.open_dataset(path) as back:
        assert back.identical(dataset())
    assert os.listdir(tmp_path) == ["a.nc"]


def test_same_dataset_gives_same_bytes() -> None:
    assert netcdf_bytes(dataset()) == netcdf_bytes(dataset())


def test_unlabelled_variable_is_refused() -> None:
    bad = dataset()
    del bad["f"].attrs["units"]
    del bad["x"].attrs["long_name"]
    with pytest.raises(ValueError, match=r"f has no units; x has no long_name|x .*; f .*"):
        check_labels(bad)
    with pytest.raises(ValueError, match="unlabelled"):
        netcdf_bytes(bad)


def test_png_bytes_carry_no_versions() -> None:
    content = png_bytes(Figure())
    assert content.startswith(b"\x89PNG")
    assert b"atplotlib" not in content


def test_mode_is_that_of_any_file(tmp_path: Path) -> None:
    write_atomic(tmp_path / "a", b"new")
    (tmp_path / "b").write_bytes(b"new")
    assert (tmp_path / "a").stat().st_mode == (tmp_path / "b").stat().st_mode


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "full"), KeyboardInterrupt()])
def test_older_file_stays_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    path = tmp_path / "a.nc"
    path.write_bytes(b"old")

    def fail(handle: int) -> None:
        raise error

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(type(error)):
        write_atomic(path, b"new" * 1000)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.nc"]


_WRITER = """
import os, sys, time
from pathlib import Path
from crtransport.output import write_atomic
before = os.fsync
def slow(handle):
    before(handle)
    print("writing", flush=True)
    time.sleep(60)
os.fsync = slow
write_atomic(Path(sys.argv[1]), b"new" * 1000)
"""


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_kill_in_mid_write_leaves_the_older_file(tmp_path: Path) -> None:
    path = tmp_path / "a.nc"
    path.write_bytes(b"old")
    command = [sys.executable, "-c", _WRITER, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"writing\n"
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=20)
    assert path.read_bytes() == b"old"


def test_readers_never_see_half_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    write_atomic(path, b"0" * 100_000)
    end = time.monotonic() + 0.3
    for digit in range(10**6):
        write_atomic(path, b"%d" % (digit % 10) * 100_000)
        assert len(path.read_bytes()) == 100_000
        if time.monotonic() > end:
            break


def test_full_disk(tmp_path: Path) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16k", "tmpfs", str(folder)]
    try:
        done = subprocess.run(mount, capture_output=True, check=False)
    except FileNotFoundError:
        pytest.skip("no mount")
    if done.returncode:
        pytest.skip("mounting needs root")
    try:
        write_atomic(folder / "a", b"old")
        with pytest.raises(OSError, match="No space left"):
            write_atomic(folder / "a", b"new" * 100_000)
        assert (folder / "a").read_bytes() == b"old"
        assert os.listdir(folder) == ["a"]
    finally:
        subprocess.run(["umount", str(folder)], check=True)


def test_folder_is_made_or_refused(tmp_path: Path) -> None:
    check_folder(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
    (tmp_path / "file").write_text("")
    with pytest.raises(FileExistsError):
        check_folder(tmp_path / "file")
    with pytest.raises(OSError, match="directory"):
        check_folder(tmp_path / "file" / "below")
