"""Bad data: each is refused, or remarked on, with the line where it stands; invented numbers."""

import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from crtransport.measurements import (
    MeasurementError,
    MeasurementWarning,
    Reading,
    load,
    read_file,
    remarks,
    voyager,
)
from crtransport.measurements.folders import POINTS, data_folder, names, read_table

HEAD = """# Some Detector He vs rigidity
# reference: somewhere
# y: flux [m-2 s-1 sr-1 GV-1]; x: rigidity_GV
"""
COLUMNS = ["x", "x_lo", "x_hi", "y", "stat_lo", "stat_hi", "sys_lo", "sys_hi"]
FIRST = 5  # line of the first row
X = np.geomspace(3, 300, 21)

Rows = list[dict[str, object]]


def good() -> Rows:
    """Helium as it is, with statistical errors of 1 to 10 % and systematic ones of 3 %."""
    ends = np.append(X * (X[0] / X[1]) ** 0.5, X[-1] * (X[1] / X[0]) ** 0.5)
    rows: Rows = []
    for i, x in enumerate(X):
        y = 2.6e3 * x**-2.7
        stat, sys = 0.01 * (x / 3) ** 0.5 * y, 0.03 * y
        values = (x, ends[i], ends[i + 1], y, 0.9 * stat, 1.1 * stat, sys, sys)
        rows.append(dict(zip(COLUMNS, map(float, values), strict=True)))
    return rows


def read(tmp_path: Path, rows: Rows, head: str = HEAD) -> Reading:
    columns = list(rows[0])
    lines = [",".join(columns), *(",".join(str(row[c]) for c in columns) for row in rows)]
    (tmp_path / "one.csv").write_text(head + "\n".join(lines) + "\n")
    (reading,) = read_file(tmp_path / "one.csv")
    return reading


def swapped(one: str, other: str) -> Callable[[Rows], None]:
    """Interchange what stands in two columns."""

    def change(rows: Rows) -> None:
        for row in rows:
            row[one], row[other] = row[other], row[one]

    return change


def scaled(factor: float) -> Callable[[Rows], None]:
    """Fluxes and errors in another unit."""

    def change(rows: Rows) -> None:
        for row in rows:
            row.update({c: factor * float(str(row[c])) for c in COLUMNS[3:]})

    return change


def put(i: int, column: str, value: object) -> Callable[[Rows], None]:
    return lambda rows: rows[i].update({column: value})


def test_good_data_are_neither_refused_nor_remarked_on(tmp_path: Path) -> None:
    assert remarks(read(tmp_path, good())) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (put(3, "y", -1e-3), "line 8, column y: -0.001 is a flux, must be at least 0"),
        (put(0, "x", 0.0), "line 5, column x: 0 must be greater than 0"),
        (put(4, "stat_hi", -0.1), "line 9, column stat_hi: -0.1 is an error, must be at least 0"),
        (put(2, "y", "1,5"), "line 7: 9 columns where the header has 8"),
        (put(2, "y", "n/a"), "line 7, column y: 'n/a' is no number"),
        (put(2, "y", "1_000"), "line 7, column y: '1_000' is no number"),
        (put(2, "y", ""), "line 7, column y: '' is no number"),
        (put(2, "sys_lo", "inf"), "line 7, column sys_lo: 'inf' is no number"),
        (put(2, "x_lo", ""), "line 7, column x_lo: is empty, while other bins have edges"),
        (put(2, "x_lo", 100.0), "line 7, column x_lo: 100 is above the point of its bin"),
        (put(2, "x_hi", 0.1), "line 7, column x_hi: 0.1 is below the point of its bin"),
        (lambda rows: rows.append(rows[6]), r"line 26, column x: .* line 11 already, and would"),
        (lambda rows: rows.insert(0, rows[6]), r"line 12, column x: .* line 5 already, and would"),
        (lambda rows: rows[0].update(x_hi=X[0], x=X[0], x_lo=X[0]), "is not above the lower edge"),
    ],
)
def test_what_cannot_be_right_is_refused(
    tmp_path: Path, change: Callable[[Rows], None], message: str
) -> None:
    rows = good()
    change(rows)
    with pytest.raises(MeasurementError, match=message) as caught:
        read(tmp_path, rows)
    assert "one.csv, line " in str(caught.value)


def test_no_rows(tmp_path: Path) -> None:
    (tmp_path / "one.csv").write_text(HEAD + ",".join(COLUMNS) + "\n")
    with pytest.raises(MeasurementError, match=r"one.csv: no rows of numbers in its 4 lines"):
        read_file(tmp_path / "one.csv")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (swapped("y", "stat_lo"), "line 5, column stat_lo: here and in 21 of 21 points in all"),
        (swapped("y", "sys_hi"), "line 5, column sys_hi: here and in 21 of 21 points in all"),
        (swapped("stat_hi", "sys_lo"), "line 5, column stat_lo: the errors downwards and upwards"),
        (swapped("stat_hi", "sys_hi"), "line 5, column stat_lo: the errors downwards and upwards"),
        (swapped("stat_lo", "sys_lo"), "line 5, column stat_lo: the errors downwards and upwards"),
        (
            lambda rows: [swapped("stat_lo", "sys_lo")(rows), swapped("stat_hi", "sys_hi")(rows)],
            "line 5, column stat_lo: from here on systematic errors grow against statistical ones",
        ),
        (
            scaled(1e-4),
            "line 5, column y: from 3 GV on, fluxes of He are 0.0001 times what is known",
        ),
        (scaled(1e4), "are per m2 and per cm2 mixed up"),
        (scaled(1e-3), "are GeV and MeV mixed up"),
    ],
)
def test_what_looks_odd_is_remarked_on(
    tmp_path: Path, change: Callable[[Rows], None], message: str
) -> None:
    rows = good()
    change(rows)
    found = remarks(read(tmp_path, rows))
    assert any(message in remark for remark in found), found
    assert all("one.csv, line " in remark and "\n" not in remark for remark in found)


def test_a_ratio_in_another_unit(tmp_path: Path) -> None:
    """Per cent of a ratio, and a ratio that is as it should be."""
    text = "# One B_C vs rigidity\n# reference: x\n# y: ratio [1]; x: rigidity_GV\n"
    text += "x,y,stat_lo,stat_hi,sys_lo,sys_hi\n"
    for scale, count in ((100.0, 1), (1.0, 0)):
        rows = [f"{x},{0.3 * scale * x**-0.3},0.01,0.01,0.02,0.02\n" for x in (2, 5, 20, 100)]
        (tmp_path / "ratio.csv").write_text(text + "".join(rows))
        found = remarks(read_file(tmp_path / "ratio.csv")[0])
        assert len(found) == count
        assert all("line 6, column y: from 5 GV on, ratios B/C are 9e+01 times" in r for r in found)


def test_an_odd_table_of_a_deck_is_a_warning(tmp_path: Path) -> None:
    rows = good()
    scaled(1e-4)(rows)
    folder = tmp_path / "points"
    folder.mkdir()
    read(folder, rows)
    with pytest.warns(MeasurementWarning, match="per m2 and per cm2"):
        (one,) = load(["one"], tmp_path)
    assert one.y[0] == pytest.approx(2.6e-1 * 3**-2.7)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("", r"line 25, column upper_limit: an upper limit without its confidence level"),
        ("# upper_limit_level: 95\n", r"'# upper_limit_level: 95': '95' is no confidence level"),
        ("# upper_limit_level: high\n", "'high' is no confidence level: a number between 0 and 1"),
        ("# epoch: 2031-01-02/2031-01-01\n", "the first day is after the last"),
        ("# epoch: 2031\n", "one.csv, '# epoch: 2031': Invalid isoformat"),
        ("# interstellar: perhaps\n", "must be yes or no"),
    ],
)
def test_bad_comment_lines_are_refused(tmp_path: Path, line: str, message: str) -> None:
    rows = [row | {"upper_limit": 0} for row in good()]
    rows[-1]["upper_limit"] = 1
    with pytest.raises(MeasurementError, match=message):
        read(tmp_path, rows, HEAD + line)
    one = read(tmp_path, rows, HEAD + "# upper_limit_level: 0.95\n").measurement
    assert (one.limit_level, one.measured.sum()) == (0.95, 20)


def test_an_unknown_axis_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MeasurementError, match="x is 'rigidity_MV', must be one of rigidity_GV, "):
        read(tmp_path, good(), HEAD.replace("rigidity_GV", "rigidity_MV"))


def long_table(path: Path, count: int) -> Path:
    row = ",".join(str(good()[0][column]) for column in COLUMNS[3:])
    with path.open("w") as file:
        file.write(HEAD + ",".join(COLUMNS) + "\n")
        file.writelines(f"{10 + 1e-4 * i},,,{row}\n" for i in range(count))
    return path


def test_a_million_rows_are_read_in_seconds(tmp_path: Path) -> None:
    path = long_table(tmp_path / "one.csv", 1_000_000)
    started = time.process_time()
    (reading,) = read_file(path)
    assert reading.measurement.y.size == 1_000_000
    (remark,) = (one for one in remarks(reading) if "events" in one)
    assert "one.csv, line 10005, column x: the 10001th of 1000000 points" in remark
    assert time.process_time() - started < 60  # 4 on a desk


def test_memory_is_for_the_numbers_and_not_for_their_text(tmp_path: Path) -> None:
    path, count = long_table(tmp_path / "one.csv", 50_000), 50_000
    tracemalloc.start()
    try:
        read_file(path)
        assert tracemalloc.get_traced_memory()[1] < 300 * count
    finally:
        tracemalloc.stop()


def test_published_tables_are_neither_refused_nor_remarked_on() -> None:
    folder = data_folder() or Path(__file__).parents[3] / "shared" / "data"
    if not (folder / POINTS).is_dir():
        pytest.skip("no measured tables: set CRTRANSPORT_DATA to a data folder")
    readings = [read_table(name, folder) for name in names(folder)]
    assert [remark for reading in readings for remark in remarks(reading)] == []
    assert voyager.is_voyager(readings[-1].measurement.name)
