"""The command line as a user meets it: exit codes, files, and messages that teach."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest
import xarray as xr

from crtransport import cli, session
from crtransport.deck.read import shipped
from crtransport.run import MODELS
from crtransport.validate import Comparison

DECK = 'model = "flux-tube"\ntitle = "{}"\n[output]\nzeta = [0.0]\n'


class Ended(NamedTuple):
    code: int
    out: str
    err: str


Command = Callable[..., Ended]


@pytest.fixture
def command(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Run the command line in this process."""

    def call(*args: object) -> Ended:
        monkeypatch.setattr(sys, "argv", ["crtransport", *map(str, args)])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        out, err = capfd.readouterr()
        if "--debug" not in args:
            assert "Traceback" not in err
        code = caught.value.code
        assert isinstance(code, int)
        return Ended(code, out, err)

    return call


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Path]:
    """Put a quick model in place of the flux tube; gives a maker of decks for it."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    monkeypatch.setitem(MODELS, "flux-tube", "fake_model")
    monkeypatch.setitem(session.PLOTS, "flux-tube", "fake_model")

    def deck(title: str = "", name: str = "deck") -> Path:
        path = tmp_path / f"{name}.toml"
        path.write_text(DECK.format(title))
        return path

    return deck


def test_run_writes_files_and_prints_the_headline(
    command: Command, fake: Callable[..., Path], tmp_path: Path
) -> None:
    out = tmp_path / "new" / "folder"
    ended = command("run", fake(), "-o", out)
    assert ended.code == 0
    assert sorted(os.listdir(out)) == ["deck.nc", "deck.png", "deck_more.png"]
    assert "answer          1 pc-1" in ended.out
    assert "error estimate  1.0e-12 (tolerance 1e-09)" in ended.out
    assert str(out / "deck_more.png") in ended.out
    with xr.open_dataset(out / "deck.nc") as dataset:
        assert json.loads(dataset.attrs["deck"])["output"]["chi_points"] == 201
        assert json.loads(dataset.attrs["versions"]).keys() >= {"numpy", "numba", "netCDF4"}
        assert dataset.attrs["Conventions"] == "CF-1.11"
        assert str(tmp_path) not in str(dataset.attrs)


def test_output_for_a_terminal_without_greek() -> None:
    with _start("schema", environment={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}) as process:
        out, err = process.communicate(timeout=30)
    assert process.returncode == 0
    assert err == b""
    assert b"$defs" in out


def test_run_again_from_the_output(
    command: Command, fake: Callable[..., Path], tmp_path: Path
) -> None:
    command("run", fake(), "-o", tmp_path / "a", "--set", "loss.rate=1 kpc-1", "--no-plots")
    ended = command("run", tmp_path / "a" / "deck.nc", "-o", tmp_path / "b", "--no-plots")
    assert ended.code == 0
    a, b = (tmp_path / folder / "deck.nc" for folder in "ab")
    assert a.read_bytes() == b.read_bytes()
    ended = command("run", a, "-o", tmp_path / "a")
    assert ended.code == 2
    assert "would be overwritten" in ended.err


def test_quiet_and_no_plots(command: Command, fake: Callable[..., Path], tmp_path: Path) -> None:
    ended = command("run", fake(), "-o", tmp_path / "out", "--quiet", "--no-plots")
    assert ended == (0, "", "")
    assert os.listdir(tmp_path / "out") == ["deck.nc"]


def test_inaccurate_result_is_written_and_fails(
    command: Command, fake: Callable[..., Path], tmp_path: Path
) -> None:
    ended = command("run", fake("inaccurate"), "-o", tmp_path)
    assert ended.code == 1
    assert "error estimate 1 exceeds the tolerance 1e-09" in ended.err
    assert (tmp_path / "deck.nc").exists()


def test_others_run_after_one_fails(
    command: Command, fake: Callable[..., Path], tmp_path: Path
) -> None:
    decks = [fake("no convergence", "a"), fake("bug", "b"), fake("", "c")]
    ended = command("run", *decks, "-o", tmp_path)
    assert ended.code == 1
    assert "no result: residual 1e-3 after 100 iterations; raise solver.rtol" in ended.err
    assert "internal error, ZeroDivisionError" in ended.err
    assert "--debug" in ended.err
    assert sorted(p.name for p in tmp_path.glob("*.nc")) == ["c.nc"]


def test_debug_shows_the_traceback_in_any_place(
    command: Command, fake: Callable[..., Path], tmp_path: Path
) -> None:
    path = fake("bug")
    for args in (("--debug", "run", path), ("run", path, "--debug")):
        ended = command(*args, "-o", tmp_path)
        assert ended.code == 1
        assert "Traceback" in ended.err


def test_interrupt(command: Command, fake: Callable[..., Path], tmp_path: Path) -> None:
    ended = command("run", fake("", "a"), fake("interrupt", "b"), "-o", tmp_path)
    assert ended.code == 130
    assert "interrupted" in ended.err
    assert (tmp_path / "a.nc").exists()


def test_no_deck_runs_if_one_is_wrong(
    command: Command, fake: Callable[..., Path], tmp_path: Path
) -> None:
    good, bad, worse = fake("", "a"), tmp_path / "b.toml", tmp_path / "c.toml"
    bad.write_text('model = "flux-tube"\n[loss]\nrat = 1\n')
    worse.write_text("=")
    ended = command("run", good, bad, worse, "-o", tmp_path / "out")
    assert ended.code == 2
    assert not (tmp_path / "out").exists()
    for words in ('did you mean "rate"', "output: is missing", "c.toml: line 1"):
        assert words in ended.err
    assert command("check", good, bad).code == 2
    assert command("check", good) == (0, f"{good}: a valid flux-tube deck\n", "")


def test_check_tells_what_a_paper_gives(command: Command, tmp_path: Path) -> None:
    deck = tmp_path / "one.toml"
    deck.write_text('model = "galaxy"\nnetwork = ["H1"]\n[diffusion]\nD0 = 3e28\nxi = 0.2\n')
    told = command("check", deck, "--set", "reacceleration.v_alfven=0").out.splitlines()[1:]
    assert told == [
        "  by default, from Yuan 2025: geometry.z_h = 4 kpc; diffusion.R0 = 4 GV, delta1 = 0.48, "
        "delta2 = 0.2, R1 = 250 GV, eta = -1, h = 0.45 kpc; source.0.injection.gamma1 = 2, "
        "gamma2 = 2.44, R_br = 11 GV, R_c = 9e6 GV; source.0.injections.He4.gamma1 = 2.15, "
        "gamma2 = 2.42, R_br = 11 GV, R_c = 9e6 GV"
    ]
    deck.write_text(deck.read_text().replace("xi = 0.2", 'kind = "uniform"'))
    assert command("check", deck).out.splitlines()[-1] == (
        "  by default, from no paper (one power law): diffusion.R0 = 4 GV, delta1 = 0.3333, eta = 1"
    )


def test_folder_problems_are_found_before_running(
    command: Command, fake: Callable[..., Path], tmp_path: Path
) -> None:
    path = fake("bug")
    ended = command("run", path, "-o", path)
    assert ended.code == 2
    assert "is a file; -o needs a folder" in ended.err
    assert command("run", path, "-o", path / "below").code == 2
    (tmp_path / "deck.nc").mkdir()
    ended = command("run", path, "-o", tmp_path)
    assert ended.code == 2
    assert "it is a folder" in ended.err


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_unwritable_folder(command: Command, fake: Callable[..., Path], tmp_path: Path) -> None:
    (tmp_path / "out").mkdir(mode=0o500)
    ended = command("run", fake("bug"), "-o", tmp_path / "out")
    assert ended.code == 2
    assert "Permission denied" in ended.err


def test_same_name_twice(command: Command, fake: Callable[..., Path], tmp_path: Path) -> None:
    path = fake()
    (tmp_path / "below").mkdir()
    other = tmp_path / "below" / path.name
    other.write_text(path.read_text())
    ended = command("run", path, other, "-o", tmp_path)
    assert ended.code == 2
    assert "would both write deck.nc" in ended.err


def test_write_failure_after_running_keeps_the_older_file(
    command: Command,
    fake: Callable[..., Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "deck.nc").write_bytes(b"old")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    ended = command("run", fake(), "-o", tmp_path)
    assert ended.code == 1
    assert f"{tmp_path / 'deck.nc'}: No space left on device" in ended.err
    assert (tmp_path / "deck.nc").read_bytes() == b"old"


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["rn"], 'Did you mean "run"'),
        (["deck.toml"], "crtransport run deck.toml"),
        (["xyzzy"], "Commands: "),
        (["run"], "Missing argument"),
        (["run", "x", "--st", "a=1"], "--set"),
        (["run", "x", "--set", "a"], "table.key=value"),
        (["run", "no_such_deck"], "no such file or shipped deck"),
        (["run", "burst_geminga", "--data", "no_such_folder"], "(--data)"),
        (["run", "burst_geminga", "--data", "."], "compare.measurements"),
        (["validate", "flux-tubes"], "nearest: flux-tube"),
        (["bench", "eigenvalue/spectral"], "nearest: eigenvalues"),
        (["check", "no_such_deck"], "no such file or shipped deck"),
        (["decks", "no_such_deck"], "no shipped deck"),
        (["decks", "-o", "x"], "need the NAME"),
        (["eigenvalues", "--slope", "2"], "--slope 2: must be at least 1 and less than 2"),
        (["eigenvalues", "--slope", "nan"], "finite"),
        (["eigenvalues", "--slope", "steep"], "needs a number"),
        (["eigenvalues", "--loss-rate", "-1"], "must be at least 0"),
        (["eigenvalues", "--loss", "constant"], "constant-in-chi"),
        (["eigenvalues", "-n", "0"], "from 1 to 30"),
        (["eigenvalues", "-n", "1e9"], "from 1 to 30"),
    ],
)
def test_wrong_input(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, args: list[str], words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    ended = command(*args)
    assert ended.code == 2
    assert ended.out == ""
    assert words in ended.err


def test_schema_is_json(command: Command) -> None:
    ended = command("schema")
    assert ended.code == 0
    assert "$defs" in json.loads(ended.out)


@pytest.mark.skipif(not shipped(), reason="no decks are shipped")
def test_decks_are_listed_and_copied(
    command: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = command("decks")
    assert listed.code == 0
    assert all(name in listed.out for name in shipped())
    name, path = next(iter(shipped().items()))
    monkeypatch.chdir(tmp_path)
    assert command("decks", name).code == 0
    assert (tmp_path / f"{name}.toml").read_bytes() == path.read_bytes()
    ended = command("decks", name)
    assert ended.code == 2
    assert "--force" in ended.err
    assert command("decks", name, "--force").code == 0
    (tmp_path / "sub").mkdir()
    assert command("decks", name, "-o", "sub").code == 0
    assert command("decks", name, "-o", "no/such/folder.toml").code == 2
    assert "did you mean" in command("decks", f"{name}x").err


def test_eigenvalues(command: Command) -> None:
    ended = command("eigenvalues", "-n", 3, "--json")
    assert ended.code == 0
    found = json.loads(ended.out)
    assert found["eigenvalues"][0] == pytest.approx(4.47214e-3, rel=1e-4)
    assert len(found["eigenvalues"]) == len(found["errors"]) == 3
    table = command("eigenvalues", "-n", 3)
    assert table.code == 0
    assert "est. error" in table.out


def test_validate(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def comparisons(names: Sequence[str]) -> list[Comparison]:
        numbers = {"computed": 1.0, "reference": 2.0, "rel_error": 0.5, "formula": "1 + 1"}
        good = Comparison(name="a", tolerance=1.0, ok=True, **numbers)
        bad = Comparison(name="b", tolerance=0.1, ok=False, **numbers)
        return [row for row in (good, bad) if not names or row.name in names]

    monkeypatch.setattr("crtransport.validate.comparisons", comparisons)
    ended = command("validate", "--json")
    assert ended.code == 1
    assert "1 of 2 comparisons failed: b" in ended.err
    assert json.loads(ended.out)[1] == {
        "name": "b",
        "computed": 1.0,
        "reference": 2.0,
        "rel_error": 0.5,
        "tolerance": 0.1,
        "ok": False,
        "formula": "1 + 1",
    }
    ended = command("validate", "a")
    assert (ended.code, ended.err) == (0, "")
    assert "FAILED" in command("validate").out


def test_bench(command: Command) -> None:
    ended = command("bench", "eigenvalues/spectral/16", "--json")
    assert ended.code == 0
    [row] = json.loads(ended.out)
    assert row.keys() >= {"method", "unknowns", "cpu_s", "wall_s", "error"}
    assert "CPU s" in command("bench", "eigenvalues/spectral/16").out


def _start(
    *args: object, stdout: int = subprocess.PIPE, environment: Mapping[str, str] | None = None
) -> subprocess.Popen[bytes]:
    line = [sys.executable, "-m", "crtransport", *map(str, args)]
    environment = os.environ | (environment or {})
    return subprocess.Popen(line, stdout=stdout, stderr=subprocess.PIPE, env=environment)


@pytest.mark.skipif(os.name != "posix", reason="pipes")
def test_reader_that_leaves() -> None:
    read, write = os.pipe()
    os.close(read)
    with _start("schema", stdout=write) as process:
        os.close(write)
        _, err = process.communicate(timeout=30)
    assert err == b""
    assert process.returncode == 1


# whoever starts the tests in the background of a shell hands down that interrupts are ignored
_SLOW = """
import signal, sys, time
from crtransport import cli, console
signal.signal(signal.SIGINT, signal.default_int_handler)
def slow():
    print("running", flush=True)
    time.sleep(60)
sys.exit(console.guarded(slow, False))
"""


@pytest.mark.skipif(os.name != "posix", reason="signals")
@pytest.mark.parametrize(("signum", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_signals(signum: int, code: int) -> None:
    line = [sys.executable, "-c", _SLOW]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.send_signal(signum)
        _, err = process.communicate(timeout=30)
    assert process.returncode == code
    assert b"Traceback" not in err
    assert b"what was finished is on disk" in err
