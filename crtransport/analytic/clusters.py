"""Samples with upper limits, and what has been published of them, to every printed digit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

# x, y, and 1 where y is an upper limit
_GAL3 = [
    [27.2, 28.5, 0], [25.4, 26.9, 0], [27.2, 29.7, 1], [25.9, 28.1, 1],
    [28.8, 30.1, 0], [25.3, 27.6, 1], [26.5, 29.0, 1], [27.1, 29.0, 0],
    [28.9, 30.2, 0], [29.9, 32.4, 1], [27.0, 28.5, 0], [29.8, 31.1, 0],
    [30.1, 31.9, 0], [29.7, 32.3, 1], [28.4, 30.4, 0], [29.3, 31.8, 0],
]  # fmt: skip
#: of the line through gal3 by maximum likelihood, with errors; and its rank correlation
GAL3_PRINTED = {
    "intercept": "0.1703",
    "slope": "1.0519",
    "scatter": "0.3687",
    "intercept-error": "2.2356",
    "slope-error": "0.0793",
    "tau": "0.7033",
    "z": "3.866",
}

# °C: hours to failure, and hours of those still running
_MOTORETTES: dict[int, tuple[list[int], list[int]]] = {
    150: ([], 10 * [8064]),
    170: ([1764, 2772, 3444, 3542, 3780, 4860, 5196], 3 * [5448]),
    190: ([408, 408, 1344, 1344, 1440], 5 * [1680]),
    220: ([408, 408, 504, 504, 504], 5 * [528]),
}
#: log₁₀ hours over 1000/T: Tanner 1996, Tools for Statistical Inference
MOTORETTES_PRINTED = {"intercept": "-6.019", "slope": "4.311", "scatter": "0.2592"}
#: ln hours over 1000/T without 150 °C: SAS/STAT, example 1 of LIFEREG, lognormal
MOTORETTES_HOT_PRINTED = {
    "intercept": "-10.4706",
    "slope": "8.3221",
    "scatter": "0.6040",
    "intercept-error": "2.7719",
    "slope-error": "1.2841",
    "scatter-error": "0.1107",
}


def gal3() -> tuple[Array, Array, Flags]:
    """x, y and which y are upper limits: ASURV's example (Isobe & Feigelson 1992)."""
    x, y, limit = np.array(_GAL3).T
    return x, y, limit > 0


def motorettes(coolest: int) -> tuple[Array, Array, Flags]:
    """1000/T, hours, and which still ran: lower limits. Nelson & Hahn 1972, Technometrics 14, 247.

    T is in K, 273.2 above °C as in the publications. The times are those of Kalbfleisch & Prentice
    1980, The Statistical Analysis of Failure Time Data, p. 5 (R's MASS::motors); the same as of
    Schmee & Hahn 1979, Technometrics 21, 417.
    """
    rows = [
        (1000 / (celsius + 273.2), hours, running)
        for celsius, both in _MOTORETTES.items()
        if celsius >= coolest
        for running, times in enumerate(both)
        for hours in times
    ]
    x, hours, running = np.array(rows).T
    return x, hours, running > 0


def half_a_digit(printed: str) -> float:
    """Largest error of a rounded number, relative to it."""
    digits = len(printed.partition(".")[2])
    return 0.5 * 10.0**-digits / abs(float(printed))
