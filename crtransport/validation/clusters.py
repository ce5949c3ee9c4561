"""Statistics of clusters beside published numbers; no clusters in them, and no tables needed."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from crtransport.analytic import clusters as published
from crtransport.clusters.rank import kendall
from crtransport.clusters.regression import Line, fit
from crtransport.clusters.shapes import electron_index
from crtransport.clusters.spectra import delta_chi2_sigma

Row = tuple[str, float, float, float, str]


def rows() -> list[Row]:
    """(name, computed, reference, relative tolerance, formula) of every comparison."""
    return [*_gal3(), *_motorettes(), *_song()]


def _gal3() -> Iterator[Row]:
    x, y, limit = published.gal3()
    tau = kendall(x, y, limit)
    found = _numbers(fit(x, y, limit)) | {"tau": tau.tau, "z": tau.z}
    yield from _printed("gal3", found, published.GAL3_PRINTED, "ASURV's example, as printed")


def _motorettes() -> Iterator[Row]:
    """Lower limits of a time are upper limits of its negative."""
    for case, coolest, log, printed in (
        ("motorettes", 150, np.log10, published.MOTORETTES_PRINTED),
        ("motorettes-hot", 170, np.log, published.MOTORETTES_HOT_PRINTED),
    ):
        x, hours, running = published.motorettes(coolest)
        found = _numbers(fit(x, -log(hours), running))
        found |= {name: -found[name] for name in ("intercept", "slope")}
        yield from _printed(case, found, printed, "life of motorettes at four temperatures")


def _song() -> Iterator[Row]:
    formula = "Song et al. 2021: Δχ² = 145 for 31 more parameters, one-sided"
    yield "spectra/sigma", delta_chi2_sigma(145, 31), 8.21, published.half_a_digit("8.21"), formula
    yield "spectra/electron-index", float(electron_index(2.79)), 4.58, 1e-12, "Γ₂ = (p + 1)/2"


def _numbers(line: Line) -> dict[str, float]:
    names = ("intercept", "slope", "scatter")
    errors = {f"{n}-error": float(e) for n, e in zip(names, line.errors, strict=True)}
    return {name: float(getattr(line, name)) for name in names} | errors


def _printed(
    case: str, found: dict[str, float], printed: dict[str, str], formula: str
) -> Iterator[Row]:
    for name, text in printed.items():
        yield f"{case}/{name}", found[name], float(text), published.half_a_digit(text), formula
