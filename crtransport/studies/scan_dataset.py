"""The points of a scan as one dataset."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from crtransport.console import InputError
from crtransport.deck.errors import nearest
from crtransport.deck.scan import Scan, Shown
from crtransport.studies.scan_plan import Plan
from crtransport.studies.scan_point import Point

Array = NDArray[np.float64]
Layout = dict[str, Any]

_PER_POINT = {
    "cpu_seconds": ("s", "time of the processor"),
    "error_estimate": ("1", "numerical error estimate"),
    "error_tolerance": ("1", "numerical error that the deck allows"),
}


def dataset(plan: Plan, points: Mapping[int, Point]) -> xr.Dataset:
    """All points over the parameters of the scan; NaN where one failed.

    Parameters
    ----------
    plan : Plan
    points : mapping of int to Point
        By number; what is missing counts as failed.
    """
    good = [number for number, point in points.items() if point.layout]
    names = _names(plan, json.loads(points[good[0]].layout) if good else {})
    dims = tuple(names) if plan.sample is None else ("point",)
    found = xr.Dataset(coords=_coordinates(plan, names))
    reasons = {n: p.reason for n, p in points.items()}
    status = {n: p.status for n, p in points.items()}
    if good:
        layout = json.loads(points[good[0]].layout)
        arrays = {name: _empty(plan, layout, name) for name in layout["variables"]}
        for number in good:
            if other := _difference(layout, points[number].layout, points[good[0]].layout):
                status[number] = "failed"
                reasons[number] = f"its output differs from that of point {good[0]}: {other}"
                continue
            for name, values in split(layout, points[number].values).items():
                arrays[name][number] = values
        found = found.assign_coords(_axes(layout))
        for name, about in layout["variables"].items():
            shape = (*plan.shape, *arrays[name].shape[1:])
            found[name] = (*dims, *about["dims"]), arrays[name].reshape(shape), about["attrs"]
    for name, (unit, what) in _PER_POINT.items():
        column = [getattr(points[n], name) if n in points else math.nan for n in range(len(plan))]
        labels = {"units": unit, "long_name": f"{what}, of each point"}
        found[name] = dims, np.reshape(column, plan.shape), labels
    for name, texts in (("status", status), ("reason", reasons)):
        words = np.array([texts.get(n, "failed") for n in range(len(plan))], dtype=object)
        labels = {"units": "1", "long_name": f"{name} of each point"}
        found[name] = dims, words.reshape(plan.shape), labels
    return found.assign_attrs(_worst(points, status), scanned=json.dumps(names))


def _worst(points: Mapping[int, Point], status: Mapping[int, str]) -> dict[str, float]:
    """Error estimate and tolerance of the point that is nearest to its tolerance, or beyond."""
    known = [p for n, p in points.items() if status[n] != "failed"]
    worst = max(known, key=lambda p: p.error_estimate / p.error_tolerance, default=Point("failed"))
    return {"error_estimate": worst.error_estimate, "error_tolerance": worst.error_tolerance}


def _names(plan: Plan, layout: Layout) -> dict[str, str]:
    """Name of each dimension -> its key: the last word of that, or all of it where one is taken."""
    last = [[w for w in axis.key.split(".") if not w.isdigit()][-1] for axis in plan.axes]
    taken = {*layout.get("variables", ()), *layout.get("sizes", ()), *_PER_POINT}
    taken |= {"status", "reason", "point"} | {w for w, n in Counter(last).items() if n > 1}
    return {
        (axis.key.replace(".", "_") if word in taken else word): axis.key
        for word, axis in zip(last, plan.axes, strict=True)
    }


def _coordinates(plan: Plan, names: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for k, (name, axis) in enumerate(zip(names, plan.axes, strict=True)):
        values = plan.values(k)
        column = values if axis.unit else [_text(value) for value in values]
        labels = {"units": axis.unit or "1", "long_name": axis.key}
        found[name] = name if plan.sample is None else "point", column, labels
    if plan.sample is not None:
        number = {"units": "1", "long_name": "number of the point"}
        found["point"] = "point", np.arange(len(plan)), number
    return found


def _text(value: Any) -> str:
    return json.dumps(value) if isinstance(value, bool) else str(value)


def _axes(layout: Layout) -> dict[str, Any]:
    return {dim: (dim, a["values"], a["attrs"]) for dim, a in layout["axes"].items()}


def _shape(layout: Layout, name: str) -> tuple[int, ...]:
    return tuple(layout["sizes"][dim] for dim in layout["variables"][name]["dims"])


def _empty(plan: Plan, layout: Layout, name: str) -> Array:
    return np.full((len(plan), *_shape(layout, name)), np.nan)


def split(layout: Layout, values: bytes) -> dict[str, Array]:
    """The numbers of one point by variable."""
    numbers = np.frombuffer(values, dtype="<f8")
    found, start = {}, 0
    for name in layout["variables"]:
        shape = _shape(layout, name)
        found[name] = numbers[start : start + math.prod(shape)].reshape(shape)
        start += math.prod(shape)
    return found


def _difference(layout: Layout, text: str, same: str) -> str:
    """In which axes or variables an output differs from the layout, whose text is ``same``."""
    if text == same:
        return ""
    other = json.loads(text)
    if layout["variables"].keys() != other["variables"].keys():
        return "other variables"
    mine, its = ({d: a["values"] for d, a in each["axes"].items()} for each in (layout, other))
    dims = [d for d, n in layout["sizes"].items() if (n, mine.get(d)) != _axis(other, its, d)]
    return f"other {', '.join(dims)}" if dims else ""


def _axis(layout: Layout, values: Mapping[str, Any], dim: str) -> tuple[int | None, Any]:
    return layout["sizes"].get(dim), values.get(dim)


def shown(scan: Scan, found: xr.Dataset) -> list[tuple[str, xr.DataArray]]:
    """What the deck has told and drawn of each point: in words, and over the points.

    Raises
    ------
    InputError
        If one is not among what was kept.
    """
    kept = [str(n) for n in found.data_vars if n not in (*_PER_POINT, "status", "reason")]
    compared = [n for n in kept if n.startswith("chi2")]
    wanted = scan.show or [Shown(variable=n) for n in kept if n not in compared][:1]
    return [_one(i, each, kept, found) for i, each in enumerate(wanted)]


def _one(i: int, each: Shown, kept: Sequence[str], found: xr.Dataset) -> tuple[str, xr.DataArray]:
    where = f"scan.show.{i}"
    if each.variable not in kept:
        close = nearest(each.variable, kept)
        hint = f'; did you mean "{close}"?' if close else f" (kept are: {', '.join(kept)})"
        raise InputError(f'{where}.variable = "{each.variable}" is not kept{hint}')
    array = found[each.variable]
    points = set(found.status.dims)
    own = [str(dim) for dim in array.dims if dim not in points]
    if unknown := [dim for dim in each.at if dim not in own]:
        has = f"its dimensions are: {', '.join(own)}" if own else "it has no dimension"
        raise InputError(f"{where}.at: {each.variable} has no {unknown[0]}; {has}")
    words = []
    for dim in own:
        array, word = _picked(array, dim, each.at.get(dim), where)
        words.append(word)
    return each.label or each.variable + (f" ({', '.join(words)})" if words else ""), array


def _picked(array: xr.DataArray, dim: str, at: Any, where: str) -> tuple[xr.DataArray, str]:
    """The array at one place along a dimension, and that in words."""
    if dim not in array.coords:
        place = 0 if at is None else at
        if not isinstance(place, int) or not 0 <= place < array.sizes[dim]:
            raise InputError(f"{where}.at: {dim} has {array.sizes[dim]} places, counted from 0")
        return array.isel({dim: place}), f"{dim} {place}"
    axis = array[dim]
    if axis.dtype.kind in "OU":
        names = list(map(str, axis.values))
        name = names[0] if at is None else str(at)
        if name not in names:
            raise InputError(f'{where}.at: {dim} has no "{name}" (there are: {", ".join(names)})')
        return array.sel({dim: name}), name
    if isinstance(at, str):
        raise InputError(f'{where}.at: {dim} = "{at}": needs a number in {axis.units}')
    place = axis.size // 2 if at is None else int(np.argmin(np.abs(axis.values - at)))
    value = f"{float(axis[place]):.3g}"
    word = f"{dim} = {value}" if axis.units == "1" else f"{value} {axis.units}"
    return array.isel({dim: place}), word


def chi2(found: xr.Dataset) -> xr.DataArray | None:
    """χ² of each point, of all measured tables together; None where there is none."""
    if "chi2" not in found:
        return None
    return found.chi2.sum([d for d in found.chi2.dims if d not in found.status.dims], skipna=False)
