"""What is wrong or odd about measurements that were read, with the line where it is.

What is certainly wrong raises; what may be right after all is a remark, never silent. The remarks
were tried on 191 published tables, of which none is remarked on.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from crtransport.measurements.reading import Reading
from crtransport.measurements.scale import off_scale
from crtransport.measurements.table import MeasurementError

ERRORS = ("stat_lo", "stat_hi", "sys_lo", "sys_hi")

_SAME = 1e-9  # relative difference of x below which two points are in one bin
_ASYMMETRY = 3.0  # of the errors, in the median; published ones reach 2.3
_LOPSIDED, _ALIKE = 0.2, 0.5  # logarithms of that ratio, and how little those of two kinds differ
_SLOPE = 0.05  # in favour of the systematic error; published ones have at most -0.1
_LEAST = 4  # points, too few to speak of most
_FEW = 8  # points, too few to judge how errors grow
_MANY = 10_000  # points, far more than any experiment has bins
_RELATIVISTIC = 1.0  # GeV/n or GV: above, fluxes fall and statistical errors grow


def check(reading: Reading) -> None:
    """Refuse what cannot be right: x, negative errors and fluxes, edges, two points in a bin.

    Raises
    ------
    MeasurementError
        Naming file, line and column.
    """
    one = reading.measurement
    for field in ("x", "y", *ERRORS):
        # finite in the file, but not in our unit
        _refuse(reading, field, ~np.isfinite(getattr(one, field)), "is too large")
    _refuse(reading, "x", one.x <= 0, "must be greater than 0")
    for field in ERRORS:
        _refuse(reading, field, getattr(one, field) < 0, "is an error, must be at least 0")
    if one.is_flux or "_" in one.quantity:
        what = "flux" if one.is_flux else "ratio"
        _refuse(reading, "y", one.y < 0, f"is a {what}, must be at least 0")
    if one.x_lo is not None and one.x_hi is not None:
        _refuse(reading, "x_lo", one.x_lo > one.x, "is above the point of its bin")
        _refuse(reading, "x_hi", one.x_hi < one.x, "is below the point of its bin")
        _refuse(reading, "x_hi", one.x_hi <= one.x_lo, "is not above the lower edge")
    _refuse_doubles(reading)


def _refuse(reading: Reading, field: str, wrong: np.ndarray, why: str) -> None:
    if wrong.any():
        i = int(np.argmax(wrong))
        value = reading.rows.numbers.get(reading.columns.get(field, field))
        found = value[i] if value is not None else getattr(reading.measurement, field)[i]
        raise MeasurementError(f"{reading.place(i, field)}: {found:g} {why}")


def _refuse_doubles(reading: Reading) -> None:
    one = reading.measurement
    bins = [(one.x,)] if one.x_lo is None or one.x_hi is None else [(one.x,), (one.x_lo, one.x_hi)]
    for ends in bins:
        order = np.lexsort(ends[::-1])
        steps = [np.abs(np.diff(end[order])) <= _SAME * end[order[1:]] for end in ends]
        same = np.flatnonzero(np.all(steps, axis=0))
        if same.size:
            i, j = sorted(map(int, order[same[0] : same[0] + 2]))
            first = reading.rows.lines[i]
            why = f"the bin at {one.x[j]:g} stands in line {first} already, and would count twice"
            raise MeasurementError(f"{reading.place(j, 'x')}: {why}")


def remarks(reading: Reading) -> list[str]:
    """What looks odd: each one sentence that names file and line.

    Very many points, errors above their values, very different errors up- and downwards, systematic
    errors that grow as only statistical ones do, and fluxes far from what is known. Errors
    downwards taken for those upwards look like any others: that cannot be told.
    """
    # numbers such as 1e-320 are odd, but no trouble
    with np.errstate(all="ignore"):
        return [
            *_many(reading),
            *_swapped_with_values(reading),
            *_swapped_sides(reading),
            *_swapped_kinds(reading),
            *off_scale(reading),
        ]


def _many(reading: Reading) -> Iterator[str]:
    count = reading.measurement.x.size
    if count > _MANY:
        yield (
            f"{reading.place(_MANY, 'x')}: the {_MANY + 1}th of {count} points; published spectra "
            "have hundreds at most: are these events, or a model?"
        )


def _swapped_with_values(reading: Reading) -> Iterator[str]:
    one = reading.measurement
    value_count = one.measured.sum()
    for field in ERRORS:
        above = one.measured & (getattr(one, field) > one.y)
        if 2 * above.sum() > value_count:
            count = f"{above.sum()} of {value_count}"
            yield (
                f"{reading.place(int(np.argmax(above)), field)}: here and in {count} points in all "
                "the error exceeds the value: are these columns interchanged?"
            )


def _swapped_sides(reading: Reading) -> Iterator[str]:
    """A column taken for its neighbour makes errors lopsided, and two kinds of them alike."""
    one = reading.measurement
    known = one.measured & np.all([getattr(one, field) > 0 for field in ERRORS], axis=0)
    if known.sum() < _LEAST:
        return
    stat, sys = (
        np.abs(np.log(getattr(one, f"{kind}_hi")[known] / getattr(one, f"{kind}_lo")[known]))
        for kind in ("stat", "sys")
    )
    size = np.median(stat)
    alike = size > _LOPSIDED and np.median(np.abs(stat - sys)) < _ALIKE * size
    if alike or max(size, np.median(sys)) > np.log(_ASYMMETRY):
        yield (
            f"{reading.place(int(np.argmax(known)), 'stat_lo')}: the errors downwards and upwards "
            f"differ by a factor of {np.exp(max(stat[0], sys[0])):.3g}, and much in most points: "
            "are columns interchanged?"
        )


def _swapped_kinds(reading: Reading) -> Iterator[str]:
    """Statistical errors grow as particles become rare, and faster than systematic ones."""
    one = reading.measurement
    stat, sys = one.stat_lo + one.stat_hi, one.sys_lo + one.sys_hi
    known = one.measured & (stat > 0) & (sys > 0) & (one.x > _RELATIVISTIC) & (one.y > 0)
    if known.sum() < _FEW:
        return
    slope = np.polyfit(np.log(one.x[known]), np.log(sys[known] / stat[known]), 1)[0]
    if slope > _SLOPE:
        yield (
            f"{reading.place(int(np.argmax(known)), 'stat_lo')}: from here on systematic errors "
            f"grow against statistical ones, as x^{slope:.2f}, where particles become rare: are "
            "the two interchanged?"
        )
