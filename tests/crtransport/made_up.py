"""Measured tables that were never measured: made of a curve, with or without noise."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from crtransport.measurements import Measurement
from crtransport.measurements.axes import on_axis
from crtransport.measurements.table import AXIS_NAMES, FLUX_UNITS
from crtransport.measurements.tidy import text

Array = NDArray[np.float64]
Curve = Callable[[Array], Array]


def table(
    element: str,
    flux: Curve,
    x: Array,
    *,
    x_kind: str = "rigidity_GV",
    experiment: str = "TEST",
    error: float = 0.02,
    noise: np.random.Generator | None = None,
) -> Measurement:
    """A flux over rigidity as an experiment would tell it, with errors of so much of it."""
    blank = np.zeros_like(x)
    axes = {"x_kind": x_kind, "unit": FLUX_UNITS[x_kind]}
    name = f"{experiment}_{element}_{AXIS_NAMES[x_kind]}"
    errors = {"stat_lo": blank, "stat_hi": blank, "sys_lo": blank, "sys_hi": blank}
    empty = Measurement(
        name=name, experiment=experiment, quantity=element, reference="", x=x, y=x, **axes, **errors
    )
    true = on_axis(empty, {element: flux})(x)
    y = true if noise is None else true * (1 + error * noise.normal(size=x.size))
    errors |= {"stat_lo": error * true, "stat_hi": error * true}
    return Measurement(
        name=name, experiment=experiment, quantity=element, reference="", x=x, y=y, **axes, **errors
    )


def write(folder: Path, *tables: Measurement) -> Path:
    """Put tables where a data folder has them."""
    (folder / "points").mkdir(exist_ok=True)
    for one in tables:
        (folder / "points" / f"{one.name}.csv").write_text(text(one, "made up"))
    return folder
