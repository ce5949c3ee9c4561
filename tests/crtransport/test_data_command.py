"""`crtransport data`: lists, finds, imports, fetches; stand-ins for what asks the network."""

import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from crtransport import cli, console
from crtransport.measurements import MeasurementError, MeasurementWarning, folders, load
from crtransport.measurements.fetch import is_catalogue, query_of
from crtransport.run import measured, without_folder

TIDY = """# Some Detector He vs rigidity
# reference: somewhere
# y: flux [m-2 s-1 sr-1 GV-1]; x: rigidity_GV
x,y,stat_lo,stat_hi,sys_lo,sys_hi
10,5.2,0.1,0.1,0.2,0.2
20,0.8,0.1,0.1,0.2,0.2
"""
_ROW = "B/C XYZ({0}) R {1} 0 0 0.24 -0.01 0.01 0 0 2039X 5 1 {2} 0\n"
USINE = _ROW.format("2031/05-2036/05", "{}", "2031/05/19-0:2036/05/26-0")
USINE += _ROW.format("2037/05-2038/05", "{}", "2037/05/19-0:2038/05/26-0")


class Ended(NamedTuple):
    code: int
    out: str
    err: str


Command = Callable[..., Ended]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own, no data folder, and the files of the test at hand."""
    monkeypatch.delenv("CRTRANSPORT_DATA", raising=False)
    monkeypatch.setattr(folders.sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.csv").write_text(TIDY)
    (tmp_path / "two.txt").write_text(USINE.format(1, 2))
    return tmp_path / "cache" / "crtransport" / "data"


@pytest.fixture
def command(
    cache: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Command:
    def call(*args: object) -> Ended:
        monkeypatch.setattr(sys, "argv", ["crtransport", "data", *map(str, args)])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        out, err = capfd.readouterr()
        assert "Traceback" not in err
        code = caught.value.code
        assert isinstance(code, int)
        return Ended(code, out, err)

    return call


def test_what_is_imported_is_said_and_found_by_name(command: Command, cache: Path) -> None:
    ended = command("import", "mine.csv")
    assert (ended.code, ended.err) == (0, "")
    for words in ("tidy table", "He", "rigidity [GV]", "10 to 20 GV", "somewhere", "points      2"):
        assert words in ended.out
    path = cache / "points" / "mine.csv"
    assert command("path", "mine").out == f"{path}\n"
    assert load(["mine"], cache)[0].y == pytest.approx([5.2, 0.8])
    assert [file.name for file in path.parent.iterdir()] == ["mine.csv"]


def test_importing_again_needs_force_where_it_differs(command: Command, cache: Path) -> None:
    assert command("import", "mine.csv").code == 0
    assert command("import", "mine.csv").code == 0
    Path("mine.csv").write_text(TIDY.replace("5.2", "5.3"))
    ended = command("import", "mine.csv")
    assert ended.code == 2
    assert "mine.csv exists already and differs; --force replaces it" in ended.err
    assert load(["mine"], cache)[0].y[0] == 5.2
    assert command("import", "mine.csv", "--force").code == 0
    assert load(["mine"], cache)[0].y[0] == 5.3


def test_tables_of_one_name_are_told_apart(command: Command, cache: Path) -> None:
    assert command("import", "two.txt").code == 0
    periods = ("2031-05_2036-05", "2037-05_2038-05")
    names = [f"XYZ_B_C_rigidity_{period}" for period in periods]
    assert folders.names(cache) == names
    listed = command("list")
    assert (listed.code, listed.err) == (0, "")
    assert listed.out.startswith(f"{cache}: 2 tables, 0 catalogues\n")
    assert all(name in listed.out for name in names)


def test_all_or_none_of_a_file_is_imported(command: Command, cache: Path) -> None:
    Path("two.txt").write_text(USINE.format(1, "-2"))
    ended = command("import", "two.txt")
    assert ended.code == 2
    assert "two.txt, line 2, column <E>: -2 must be greater than 0" in ended.err
    assert not cache.exists()


def test_the_data_folder_comes_before_the_cache(command: Command, tmp_path: Path) -> None:
    assert command("import", "mine.csv").code == 0
    points = tmp_path / "own" / folders.POINTS
    points.mkdir(parents=True)
    (points / "mine.csv").write_text(TIDY.replace("5.2", "5.3"))
    assert command("path", "mine", "--data", tmp_path / "own").out == f"{points / 'mine.csv'}\n"
    assert load(["mine"], tmp_path / "own")[0].y[0] == 5.3
    (points / "mine.csv").rename(points / "other.csv")
    assert load(["mine"], tmp_path / "own")[0].y[0] == 5.2
    listed = command("list", "--data", tmp_path / "own")
    assert [line.split()[0] for line in listed.out.splitlines()[1::2]] == ["other", "mine"]


def test_a_table_that_cannot_be_read_is_told_of_in_the_list(command: Command, cache: Path) -> None:
    assert command("import", "mine.csv").code == 0
    (cache / "points" / "bad.csv").write_text(TIDY.replace("5.2", "five"))
    ended = command("list")
    assert ended.code == 1
    assert "mine" in ended.out
    assert "bad.csv, line 5, column y: 'five' is no number" in ended.err


def test_a_folder_that_cannot_be_listed(command: Command, tmp_path: Path) -> None:
    (tmp_path / "cr-voyager").mkdir()
    (tmp_path / "cr-voyager" / "voyager1_nuclei_2016.csv").write_text("Z,e\nx,1\n")
    for args in (["list"], ["path", "voyager1_B_2016"]):
        ended = command(*args, "--data", tmp_path)
        assert ended.code == 2
        assert "nuclei_2016.csv, line 2, column Z: 'x' is no number" in ended.err


class Deck:
    """As much of a deck as tables are looked for by."""

    model = "galaxy"
    compare = types.SimpleNamespace(measurements=("mine", "absent"), R_min=1.0)


def test_decks_find_what_was_imported(command: Command, cache: Path) -> None:
    deck: object = Deck()
    assert without_folder(deck) == ("mine", "absent")  # type: ignore[arg-type]
    assert measured(deck, None) == []  # type: ignore[arg-type]
    assert command("import", "mine.csv").code == 0
    assert [table.name for table in measured(deck, None)] == ["mine"]  # type: ignore[arg-type]
    with pytest.raises(MeasurementError, match="there is no table 'absent'"):
        measured(deck, cache)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["import", "no_such_file"], "no_such_file cannot be read"),
        (
            ["import", "mine.csv", "--limit-level", "95"],
            "--limit-level: '95' is no confidence level: a number b",
        ),
        (["import"], "Missing argument"),
        (["path", "mine"], "no data folder is named (--data, or CRTRANSPORT_DATA)"),
        (["path", "mine", "--data", "."], "there is no folder cr-kiss/points in it"),
        (["list", "--data", "nowhere"], "no folder nowhere of measured tables (--data)"),
        (["fetch", "mine"], "'mine' is neither EXPERIMENT_QUANTITY_AXIS, such as AMS02_B_C_rigid"),
        (["fetch", "B_C_rapidity"], "an axis of rigidity, kineticEnergyPerNucleon, kineticEnergy"),
        (["imprt", "x"], 'Did you mean "import"'),
    ],
)
def test_wrong_input(command: Command, args: list[str], words: str) -> None:
    ended = command(*args)
    assert ended.code == 2
    assert ended.out == ""
    assert words in ended.err


def test_the_nearest_names_are_told(command: Command) -> None:
    assert command("import", "two.txt").code == 0
    ended = command("path", "xyz_B_C_rigidity_2031-05")
    assert ended.code == 2
    assert "nearest: XYZ_B_C_rigidity_2031-05_2036-05" in ended.err


@pytest.mark.parametrize(
    ("name", "query"),
    [
        ("AMS-02_B_C_rigidity", ("AMS02", "B/C", "R")),
        ("DAMPE_H_kineticEnergy", ("DAMPE", "H", "EK")),
        ("Ice_Top_allParticle_totalEnergy", ("Ice_Top", "allParticle", "ETOT")),
        ("ACE_Be10_Be9_kineticEnergyPerNucleon", ("ACE", "10Be/9Be", "EKN")),
    ],
)
def test_names_become_queries(name: str, query: tuple[str, str, str]) -> None:
    found = query_of(name)
    assert (found.experiment, found.quantity, found.energy_type) == query
    assert f"energy_type={query[2]}" in found.url()


def test_names_of_catalogues() -> None:
    assert all(map(is_catalogue, ("J/MNRAS/507/5161", "VII/202")))
    assert not any(map(is_catalogue, ("AMS02_B_C_rigidity", "/etc/passwd", "J/../x y")))


@pytest.mark.parametrize(
    ("package", "name", "target"),
    [
        ("crdb", "XYZ_B_C_rigidity", "points/XYZ_B_C_rigidity.csv"),
        ("astroquery", "J/A/1/2", "catalogues/J_A_1_2"),
    ],
)
def test_without_the_package_it_is_said_what_to_put_where(
    command: Command, monkeypatch: pytest.MonkeyPatch, package: str, name: str, target: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.setitem(sys.modules, f"{package}.vizier", None)
    ended = command("fetch", name)
    assert ended.code == 2
    assert f"{name} was not fetched: the package {package}" in ended.err
    assert 'pip install "crtransport[data]"' in ended.err
    assert "by hand: " in ended.err
    assert target in ended.err


def crdb_answers(monkeypatch: pytest.MonkeyPatch, answer: Callable[..., object]) -> None:
    stand_in = types.ModuleType("crdb")
    stand_in.query = answer  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "crdb", stand_in)


def records(limit: bool = False) -> np.ndarray:
    """Two points with the fields that crdb.query gives."""
    fields = [("quantity", "U9"), ("sub_exp", "U40"), ("e_type", "U4"), ("e", "f8")]
    fields += [("ads", "U20"), ("phi", "f8"), ("distance", "f8"), ("datetime", "U80")]
    kinds = [*fields, *((name, "f8", (2,)) for name in ("e_bin", "err_sta", "err_sys"))]
    table = np.zeros(2, dtype=[*kinds, ("value", "f8"), ("is_upper_limit", "?")])
    table["quantity"], table["e_type"], table["ads"] = "B/C", "R", "2037Xyz"
    table["sub_exp"], table["datetime"] = "XYZ (2031/05-2036/05)", "2031/05/19-0:2036/05/26-0"
    table["e"], table["e_bin"] = [2.5, 3.5], [[2, 3], [3, 4]]
    table["value"], table["err_sta"], table["is_upper_limit"] = 0.25, 0.01, [False, limit]
    return table


def test_fetch_asks_crdb_and_says_whom_to_cite(
    command: Command, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = {}

    def answer(quantity: str, **rest: object) -> np.ndarray:
        print("2.00 Mb downloaded")
        asked.update(rest, quantity=quantity)
        return records()

    crdb_answers(monkeypatch, answer)
    ended = command("fetch", "XYZ_B_C_rigidity")
    assert (ended.code, ended.err) == (0, "")
    assert asked["quantity"] == "B/C"
    assert (asked["exp_dates"], asked["combo_level"]) == ("XYZ", 0)
    assert "downloaded" not in ended.out
    assert "please cite Maurin et al. 2023" in ended.out
    (table,) = load(["XYZ_B_C_rigidity"], cache)
    assert (table.experiment, table.reference) == ("XYZ", "2037Xyz")
    assert table.x_hi == pytest.approx([3, 4])
    assert (cache / "downloads" / "XYZ_B_C_rigidity.csv").is_file()


def test_fetch_refuses_what_is_wrong(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    crdb_answers(monkeypatch, lambda *_, **__: records(limit=True))
    ended = command("fetch", "XYZ_B_C_rigidity")
    assert ended.code == 2
    assert "line 4, column IS UPPER LIMIT: an upper limit without its confidence" in ended.err
    assert command("fetch", "XYZ_B_C_rigidity", "--limit-level", "0.9").code == 0
    crdb_answers(monkeypatch, lambda *_, **__: records()[:0])
    assert "CRDB has no data for Query" in command("fetch", "XYZ_B_C_rigidity").err


def test_without_a_network_it_is_said_what_to_put_where(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(*_: object, **__: object) -> None:
        print("Traceback of a library", file=sys.stderr)
        raise ConnectionError("no route to the host\nand more")

    crdb_answers(monkeypatch, answer)
    ended = command("fetch", "XYZ_B_C_rigidity")
    assert ended.code == 1
    assert "XYZ_B_C_rigidity was not fetched: no route to the host\n  by hand: " in ended.err
    assert "crtransport data import XYZ_B_C_rigidity.txt" in ended.err


def test_fetch_keeps_catalogues_as_they_come(
    command: Command, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Table(list[int]):
        def write(self, file: object, format: str) -> None:
            file.write(f"# %ECSV 1.0 {format}\n")  # type: ignore[attr-defined]

    answers = {"J/A/1/2/table1": Table([1, 2])}
    stand_in = types.ModuleType("astroquery.vizier")
    found = types.SimpleNamespace(get_catalogs=lambda name: answers)
    stand_in.Vizier = lambda **_: found  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "astroquery", types.ModuleType("astroquery"))
    monkeypatch.setitem(sys.modules, "astroquery.vizier", stand_in)
    ended = command("fetch", "J/A/1/2")
    folder = cache / "catalogues" / "J_A_1_2"
    assert ended.code == 0
    assert "please cite Ochsenbein et al. 2000" in ended.out
    assert (folder / "table1.ecsv").read_text() == "# %ECSV 1.0 ascii.ecsv\n"
    assert command("path", "J/A/1/2").out == f"{folder}\n"
    assert "  J_A_1_2\n" in command("list").out
    answers["J/A/1/2/table2"] = Table()
    assert "no rows of table J/A/1/2/table2" in command("fetch", "J/A/1/2").err
    answers.clear()
    ended = command("fetch", "J/A/1/2")
    assert (ended.code, "VizieR has no catalogue J/A/1/2" in ended.err) == (2, True)


@pytest.mark.filterwarnings("default::crtransport.measurements.MeasurementWarning")
def test_remarks_are_said(command: Command, cache: Path) -> None:
    rows = "".join(f"{x},{2.6e-1 * x**-2.7},1e-9,1e-9,1e-9,1e-9\n" for x in (10, 20, 30))
    Path("odd.csv").write_text(TIDY.partition("10,")[0] + rows)
    ended = command("import", "odd.csv")
    assert ended.code == 0
    assert "crtransport: warning: " in ended.err
    assert "odd.csv, line 5, column y: from 10 GV on, fluxes of He are 0.0001 times" in ended.err


def test_warnings_are_blocks(capsys: pytest.CaptureFixture[str]) -> None:
    console.warn(MeasurementWarning("x.csv, line 5: odd"), MeasurementWarning, "read.py", 32)
    console.warn("old", DeprecationWarning, "other.py", 7)
    first, second = capsys.readouterr().err.splitlines()
    assert first == "crtransport: warning: x.csv, line 5: odd"
    assert second == "crtransport: warning: old (other.py, line 7)"
