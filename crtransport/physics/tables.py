"""Functions that a deck gives by points: checked, and linear in between."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def check_table(name: str, x: Sequence[float], columns: dict[str, Sequence[float]]) -> None:
    """Refuse points that are too few, not in order, or of unequal number.

    Raises
    ------
    ValueError
        Naming the column, and where it goes wrong.
    """
    if len(x) < 2:
        raise ValueError(f"{name} has {len(x)} points; a table needs at least 2")
    for i, (before, after) in enumerate(pairwise(x)):
        if after <= before:
            raise ValueError(f"{name} must increase: {after:g} (point {i + 2}) follows {before:g}")
    for column, values in columns.items():
        if len(values) != len(x):
            raise ValueError(f"{column} has {len(values)} points where {name} has {len(x)}")


def interpolate(x: Array, knots: Sequence[float], values: Sequence[float]) -> Array:
    """Linear between the knots, constant beyond them."""
    return np.asarray(np.interp(x, knots, values))
