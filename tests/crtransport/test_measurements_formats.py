"""Files of measurements in every format: read, told apart, written again; invented numbers."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from crtransport.measurements import MeasurementError, Reading, read_file, tidy
from crtransport.measurements.galprop import cells

USINE = """# Data export from CRDB
# Format: USINE code
#   Col.1  -  QUANTITY NAME (case insensitive)
B/C  XYZ01(2031/05-2036/05) EKN 7.0e-1 6.5e-1 7.5e-1 2.4e-1 -1.3e-2 1.4e-2 -2e-3 3e-3 \
2037Xyz.....1....1A 5.1e2 1 2031/05/19-000000:2033/01/02-000000;2034/01/01-000000:2036/05/26-0 0
B/C  XYZ01 (2031/05-2036/05) EKN 1.0e0 7.5e-1 1.25e0 2.5e-1 -1.5e-2 1.5e-2 -2e-3 2e-3 \
2037Xyz.....1....1A 5.1e2 1 2031/05/19-000000:2036/05/26-000000 0
H    Far(2040/01-2040/02) EK 1.0e-1 1.0e-1 1.0e-1 2.5e3 -15 15 0 0 \
2041Xyz.....1....2A 0 130 2040/01/01-000000:2040/02/01-000000 0
"""
AS_IMPORT = """# Format: CSV code (as import, with extra column for modulation)
XYZ,space,"<a, b>",2031,"XYZ (2031/05-2036/05)",words,0.02,info,1,2031/05/19-0:2036/05/26-0,\
2037Xyz,,10Be/9Be,R,2.5,2,3,0.11,0.01,0.02,0.0,0.0,0,500
XYZ,space,"<a, b>",2031,"XYZ (2031/05-2036/05)",words,0.02,info,1,2031/05/19-0:2036/05/26-0,\
2037Xyz,,10Be/9Be,R,3.5,3,4,0.12,0.01,0.02,0.0,0.0,1,500
"""
GALPROP = """# reference experiment units
Ref1 EXP1 GeV/n 1/m2/sr/s/GeV/n flux 10. 9. 11. 20. 1. 0. a 1.1 0.0 0.0 | 0.0 0.0 0.0 words
Ref1 EXP1 MeV/n 1/cm2/sr/s/MeV flux 900. 800. 1000. 1e-7 .1 .2 r 5.10 5.11 0.0 | 0.0 0.0 0.0
Ref1 EXP1 MeV/n none ratio 900. 800. 1000. .3 .01 .02 a 4.10 0.0 0.0 | 4.9 0.0 0.0
"""
ECSV = """# %ECSV 1.0
# ---
# datatype:
# - {name: e_ref, unit: TeV, datatype: float64}
# - {name: dnde, unit: 1 / (cm2 s TeV), datatype: float64, description: 'Flux'}
# - name: dnde_err
#   unit: 1 / (cm2 s TeV)
#   datatype: float64
# - {name: dnde_ul, unit: 1 / (cm2 s TeV), datatype: float64}
# meta: !!omap
# - {SED_TYPE: dnde}
# - {UL_CONF: 0.95}
# schema: astropy-2.0
e_ref dnde dnde_err dnde_ul
1.0 2e-12 1e-13 nan
2.0 nan nan 1e-12
3.0 nan nan nan
"""


def read(
    tmp_path: Path, text: str, level: float | None = None, name: str = "x.txt"
) -> list[Reading]:
    (tmp_path / name).write_text(text)
    return read_file(tmp_path / name, level)


def test_crdb_usine(tmp_path: Path) -> None:
    ratio, flux = (reading.measurement for reading in read(tmp_path, USINE))
    assert (ratio.name, ratio.quantity, ratio.unit) == (
        "XYZ01_B_C_kineticEnergyPerNucleon",
        "B_C",
        "1",
    )
    assert (ratio.experiment, ratio.reference) == ("XYZ01", "2037Xyz.....1....1A")
    assert ratio.epoch == (date(2031, 5, 19), date(2036, 5, 26))
    assert ratio.x == pytest.approx([0.7, 1.0])
    assert ratio.x_lo == pytest.approx([0.65, 0.75])
    assert ratio.stat_lo == pytest.approx([0.013, 0.015])
    assert ratio.sys_hi == pytest.approx([0.003, 0.002])
    assert not ratio.interstellar
    assert (flux.x_kind, flux.unit) == ("kinetic_energy_GeV", "m-2 s-1 sr-1 GeV-1")
    assert flux.interstellar
    assert flux.x_lo is None


def test_crdb_csv_is_the_same_between_commas(tmp_path: Path) -> None:
    lines = [line.replace(" (", "(") for line in USINE.splitlines() if line[0] != "#"]
    text = "\n".join(",".join(line.split()) for line in lines)
    for one, other in zip(read(tmp_path, text), read(tmp_path, USINE), strict=True):
        assert (one.kind, other.kind) == ("CRDB export (csv)", "CRDB export (usine)")
        assert repr(one.measurement) == repr(other.measurement)


def test_crdb_as_import_with_a_limit(tmp_path: Path) -> None:
    (one,) = (reading.measurement for reading in read(tmp_path, AS_IMPORT, 0.9))
    assert (one.name, one.unit, one.limit_level) == ("XYZ_Be10_Be9_rigidity", "1", 0.9)
    assert one.limits is not None
    assert one.limits.tolist() == [False, True]
    assert one.measured.tolist() == [True, False]
    without_phi = AS_IMPORT.replace(",500\n", "\n")
    assert repr(read(tmp_path, without_phi, 0.9)[0].measurement) == repr(one)


def test_galprop(tmp_path: Path) -> None:
    flux, other, ratio = (reading.measurement for reading in read(tmp_path, GALPROP))
    assert (flux.quantity, other.quantity, ratio.quantity) == ("H", "B", "Be10_Be9")
    assert (flux.y, flux.stat_lo, flux.stat_hi) == ([20], [1], [1])
    assert other.x == pytest.approx([0.9])
    assert other.y == pytest.approx([1.0])
    assert other.stat_hi == pytest.approx([0.2])
    assert (ratio.unit, ratio.reference, ratio.experiment) == ("1", "Ref1", "EXP1")
    assert len(cells(GALPROP.splitlines()[1])) == 14


def test_flux_points(tmp_path: Path) -> None:
    (one,) = (reading.measurement for reading in read(tmp_path, ECSV, name="47Tuc.ecsv"))
    assert (one.name, one.unit) == ("47Tuc_gamma_totalEnergy", "m-2 s-1 GeV-1")
    assert one.x == pytest.approx([1e3, 2e3])
    assert one.y == pytest.approx([2e-11, 1e-11])
    assert one.stat_lo == pytest.approx([1e-12, 0])
    assert (one.limit_level, one.measured.tolist()) == (0.95, [True, False])
    assert not one.is_flux


def test_flux_points_times_energy_squared(tmp_path: Path) -> None:
    """E² dN/dE of 1.602176634e-12 erg is 1 eV: 1e-9 GeV at 1e3 GeV, and 1e4 cm² in 1 m²."""
    text = ECSV.replace("dnde", "e2dnde").replace("1 / (cm2 s TeV)", "erg / (cm2 s)")
    text = text.replace("2e-12", "1.602176634e-12")
    one = read(tmp_path, text)[0].measurement
    assert one.y[0] == pytest.approx(1e-9 * 1e4 / 1e3**2)


def test_flux_points_with_the_flag_and_both_errors(tmp_path: Path) -> None:
    head, _, _ = ECSV.partition("e_ref dnde dnde_err")
    text = f"{head}e_ref,e_min,e_max,dnde,dnde_errn,dnde_errp,dnde_ul,is_ul\n"
    units = "# - {name: e_min, unit: TeV}\n# - {name: e_max, unit: TeV}\n# meta:"
    text = text.replace("# meta:", units)
    rows = "1,0.5,1.5,2e-12,1e-13,2e-13,3e-12,False\n2,1.5,2.5,2e-12,-1,2e-13,3e-12,True\n"
    one = read(tmp_path, text + rows)[0].measurement
    assert one.y == pytest.approx([2e-11, 3e-11])
    assert one.x_hi == pytest.approx([1500, 2500])
    assert (one.stat_lo[0], one.stat_hi[0]) == pytest.approx((1e-12, 2e-12))
    with pytest.raises(MeasurementError, match="line 17, column is_ul: is 'Fals', must be True"):
        read(tmp_path, text + rows.replace("False", "Fals"))


@pytest.mark.parametrize(
    ("text", "level"), [(USINE, None), (AS_IMPORT, 0.9), (GALPROP, None), (ECSV, None)]
)
def test_what_is_written_tidily_reads_the_same(
    tmp_path: Path, text: str, level: float | None
) -> None:
    for reading in read(tmp_path, text, level):
        one = reading.measurement
        path = tmp_path / f"{one.name}.csv"
        path.write_text(tidy.text(one, "a test"))
        (again,) = read_file(path)
        reference = one.reference or "none given"
        assert again.kind == "tidy table"
        assert repr(again.measurement) == repr(replace(one, reference=reference))
        for field in ("x", "y", "stat_lo", "stat_hi", "sys_lo", "sys_hi"):
            assert np.array_equal(getattr(again.measurement, field), getattr(one, field))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("# nothing\n", "no rows of numbers in its first 1 lines"),
        ("x,y,stat_lo\n1,2,3\n", "missing column stat_hi, sys_lo, sys_hi"),
        (
            "1 2 3\n",
            r"line 1: in no known format \(1 cells between commas and 3 between blanks\); known",
        ),
        (USINE.replace(" EKN 1", " ETOTN 1"), "line 5, column EAXIS TYPE: 'ETOTN' is no axis"),
        (USINE.replace(" 1.0e0 ", " one "), "line 5, column <E>: 'one' is no number"),
        (USINE.replace("2036/05/26-000000 0", "2036/05/26-000000 7"), "line 5, .*is 7, must be 0"),
        (USINE.replace("2040/01/01-", "2040/13/01-"), "line 6, column DATIMES: '2040/13/01-0000"),
        (USINE.replace(" 130 ", " "), "line 6: 15 columns where the header has 16"),
        (AS_IMPORT, "line 3, column IS UPPER LIMIT: an upper limit without its confidence level"),
        (GALPROP.replace(" a 1.1", " b 1.1"), "line 2, column err_type: is 'b', must be a"),
        (GALPROP.replace("5.10 5.11", "5.10 6.12"), "line 3, column numerator: '5.10 6.12 0.0' is"),
        (GALPROP.replace("GeV/n 1/m2", "TeV/n 1/m2"), "line 2, column X_units: is 'TeV/n', must"),
        (GALPROP.replace("1/m2/sr/s/GeV", "1/m2/sr/s"), "line 2, column Y_units: is '1/m2/sr/s/n'"),
        (ECSV.replace("dnde ", "dndx "), "line 15: flux points need the columns e_ref and dnde"),
        (ECSV.replace("e_ref, unit: TeV", "e_ref, unit: TV"), "unit of column e_ref: 'TV' is no"),
        (ECSV.replace("e_ref, unit: TeV", "e_ref, unit: Tev"), 'e_ref: unknown unit "Tev"'),
        (ECSV.replace("# - {UL_CONF: 0.95}\n", ""), "line 15, column dnde_ul: an upper limit with"),
        (GALPROP.replace(" 1.1 0.0 0.0 |", " 0.0 0.0 0.0 |"), "line 2, column numerator: names no"),
        (GALPROP.replace("1e-7", "1e307"), "line 3, column value: 1e.307 is too large"),
        (ECSV.replace("0.95", "95"), "UL_CONF: '95' is no confidence level: a number between"),
        (USINE.replace("Far(2040", "(2040"), "line 6, column SUB-EXP NAME: is empty"),
        (ECSV.replace("2e-12", "nan").replace(" 1e-12\n", " nan\n"), "line 15 on: no row has a va"),
    ],
)
def test_bad_files_are_refused_with_their_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(MeasurementError, match=message) as caught, np.errstate(over="ignore"):
        read(tmp_path, text)
    assert "\n" not in str(caught.value)


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.txt").write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path / "x.txt", tmp_path / "nowhere.csv", tmp_path):
        with pytest.raises(MeasurementError, match="cannot be read"):
            read_file(path)
