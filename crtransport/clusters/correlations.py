"""The analysis "correlations": lines through luminosities and limits, and their significance."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from crtransport.clusters import song2021
from crtransport.clusters.catalogue import Catalogue
from crtransport.clusters.rank import Kendall, Significance, kendall, significance
from crtransport.clusters.regression import Line, RegressionError, em_step, fit
from crtransport.clusters.sample import Sample, read_sample
from crtransport.deck.clusters import Correlations
from crtransport.measurements.table import MeasurementError

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

#: of the thresholds of clusters without a row; the effect on the line is part of the answer
FACTORS = (0.5, 1.0, 2.0)
REMARKS = (
    "Table 1 of the paper has a slope of 3.9 errors at 6.4σ and one of 6.6 errors at 3.8σ, as if "
    "errors or significances were interchanged between the rows",
)


class Points(NamedTuple):
    """The clusters for which an observable is known.

    Attributes
    ----------
    x, y, threshold : [point]
        Decimal logarithms; y and threshold in erg/s.
    limit : [point] of bool
    """

    x: Array
    y: Array
    threshold: Array
    limit: Flags


def points(catalogue: Catalogue, sample: Sample, observable: str) -> Points:
    """The points of one correlation."""
    x = _log_x(catalogue, observable)
    used = np.isfinite(x)
    y, threshold = (np.log10(v[used]) for v in (sample.luminosity, sample.threshold))
    return Points(x[used], y, threshold, sample.limit[used])


def _log_x(catalogue: Catalogue, observable: str) -> Array:
    values = catalogue.observables[observable]
    return values if observable == "metallicity" else np.log10(values)


def require_line(path: Path, catalogue: Catalogue, sample: Sample, observable: str) -> None:
    """See that a line can be fitted.

    Raises
    ------
    MeasurementError
        Naming the observable.
    """
    p = points(catalogue, sample, observable)
    try:
        fit(p.x, p.y, p.limit)
    except RegressionError as error:
        raise MeasurementError(f"{path}: {observable}: {error}") from None


def analyse(deck: Correlations, path: Path, catalogue: Catalogue, sample: Sample) -> xr.Dataset:
    """Line, τ and significance of each observable."""
    found = [points(catalogue, sample, name) for name in deck.observables]
    lines = [fit(p.x, p.y, p.limit) for p in found]
    taus = [kendall(p.x, p.y, p.limit) for p in found]
    chances = [
        significance(p.x, p.y, p.limit, p.threshold, permutations=deck.permutations, seed=deck.seed)
        for p in found
    ]
    unmatched = [*catalogue.unmatched, *sample.unmatched]
    return xr.Dataset(
        _results(found, lines, taus, chances)
        | _varied(deck, path, catalogue)
        | _sample(deck, catalogue, sample)
        | _published(deck),
        coords={
            "observable": ("observable", list(deck.observables), _label("1", "property X")),
            "cluster": ("cluster", catalogue.names, _label("1", "globular cluster")),
            "threshold_factor": (
                "threshold_factor",
                [factor * deck.threshold_factor for factor in FACTORS],
                _label("1", "factor on the flux at which clusters would be detected"),
            ),
        },
        attrs={
            "error_estimate": max(map(_unrest, found, lines)),
            "error_tolerance": 1e-6,
            "seed": deck.seed,
            "permutations": deck.permutations,
            "threshold_law": (
                f"log10 F = {sample.law[0]:.3f} {sample.law[1]:+.3f} log10(sin|b| + sin 1 deg), "
                "F in erg cm-2 s-1"
            ),
            "unmatched": "; ".join(unmatched) or "none",
            "luminosities": deck.vizier if path.is_dir() else deck.luminosities,
            "remark": "\n".join(
                [*_differences(deck, path), *REMARKS, *_substitutes(catalogue, sample)]
            ),
        },
    )


def _differences(deck: Correlations, path: Path) -> list[str]:
    """Why the results are not those of the paper."""
    not_one = "not a reproduction of Song et al. 2021"
    if path.is_dir():
        why = "distances, encounter rates, photon fields and metallicities are of other tables"
        return [f"{not_one}: luminosities and limits are those of {deck.vizier}, but {why}"]
    found = [
        f"{not_one}, whose luminosities come from its own fits to the photons of eight years; here "
        "they are those of a catalogue, from 0.1 to 100 GeV, and the clusters that it does not "
        "have got a limit from its threshold instead of from the photons at their place"
    ]
    if deck.vizier:
        how = f"crtransport data fetch {deck.vizier}"
        found.append(f"the paper's own table, {deck.vizier}, is used once it is at hand: {how}")
    return found


def _substitutes(catalogue: Catalogue, sample: Sample) -> list[str]:
    """What stands for values that the tables do not have."""
    found = []
    if not sample.listed.all():
        count = f"{np.sum(~sample.listed)} of the {len(sample.listed)} clusters"
        why = "the flux at which a source at their latitude would just be detected"
        found.append(f"{count} have no row among the luminosities: their limit is {why}")
    if catalogue.outside:
        count = f"{len(catalogue.outside)} clusters"
        why = "u_total has the microwave background alone there, and u_mw leaves them out"
        found.append(f"the Milky Way's photon field is not known at {count}: {why}")
    return found


def _unrest(p: Points, line: Line) -> float:
    """What one step of expectation-maximisation changes, in standard errors."""
    values = np.stack([line.intercept, line.slope, line.scatter], axis=-1)
    change = em_step(p.x, p.y, p.limit, line) - values
    return float(np.max(np.abs(change) / line.errors))


def _results(
    found: list[Points], lines: list[Line], taus: list[Kendall], chances: list[Significance]
) -> dict[str, Any]:
    errors = np.array([line.errors for line in lines])
    values: dict[str, tuple[Any, str]] = {
        "slope": ([line.slope for line in lines], "slope of log L over log X"),
        "intercept": ([line.intercept for line in lines], "log L where log X is zero, L in erg/s"),
        "scatter": ([line.scatter for line in lines], "standard deviation of log L about the line"),
        "slope_error": (errors[:, 1], "standard error of the slope"),
        "intercept_error": (errors[:, 0], "standard error of the intercept"),
        "scatter_error": (errors[:, 2], "standard error of the scatter"),
        "slope_intercept_covariance": (
            [line.covariance[0, 1] for line in lines],
            "covariance of slope and intercept",
        ),
        "kendall_tau": ([t.tau for t in taus], "generalised rank correlation"),
        "kendall_z": ([t.z for t in taus], "its standard score for independent variables"),
        "significance": (
            [c.sigma for c in chances],
            "one-sided significance by permutations that keep distances, in sigma",
        ),
        "chance": ([c.p for c in chances], "one-sided probability by the same permutations"),
        "extrapolated": (
            [int(c.extrapolated) for c in chances],
            "1 where a Gaussian fitted to the permutations gives it, 0 where they were counted",
        ),
        "permutations_beyond": (
            [c.beyond for c in chances],
            "permutations with as large a tau as the observed",
        ),
        "null_mean": ([c.mean for c in chances], "mean tau of the permutations"),
        "null_spread": ([c.spread for c in chances], "standard deviation of these tau"),
        "clusters_used": ([len(p.x) for p in found], "clusters with a known X"),
        "detections": ([int(np.sum(~p.limit)) for p in found], "detected ones among them"),
    }
    return {
        name: ("observable", np.array(value), _label("1", text))
        for name, (value, text) in values.items()
    }


def _varied(deck: Correlations, path: Path, catalogue: Catalogue) -> dict[str, Any]:
    """The lines with lower and higher thresholds."""
    samples = [read_sample(path, catalogue, deck.threshold_factor * factor) for factor in FACTORS]
    lines = [
        [fit(p.x, p.y, p.limit) for p in (points(catalogue, s, name) for name in deck.observables)]
        for s in samples
    ]
    dims = ("threshold_factor", "observable")
    slope, intercept, error = (
        np.array([[value(line) for line in row] for row in lines])
        for value in (lambda n: n.slope, lambda n: n.intercept, lambda n: n.errors[1])
    )
    return {
        "slope_varied": (dims, slope, _label("1", "slope with other thresholds")),
        "slope_varied_error": (dims, error, _label("1", "its standard error")),
        "intercept_varied": (dims, intercept, _label("1", "intercept with other thresholds")),
    }


def _published(deck: Correlations) -> dict[str, Any]:
    """The lines of the paper, NaN where it has none."""
    lines = [song2021.CORRELATIONS.get(name) for name in deck.observables]
    text = f"of the line in Table 1 of {song2021.NAME}"
    return {
        f"published_{name}": (
            "observable",
            np.array([np.nan if line is None else getattr(line, name) for line in lines]),
            _label("1", f"{name} {text}"),
        )
        for name in ("slope", "intercept")
    }


def _sample(deck: Correlations, catalogue: Catalogue, sample: Sample) -> dict[str, Any]:
    x = np.stack([_log_x(catalogue, name) for name in deck.observables])
    return {
        "log10_x": (("observable", "cluster"), x, _label("1", "log10 X; [Fe/H] as it is")),
        "log10_luminosity": (
            "cluster",
            np.log10(sample.luminosity),
            _label("1", "log10 of the gamma-ray luminosity, or of its limit, in erg/s"),
        ),
        "limit": ("cluster", sample.limit.astype(np.int8), _label("1", "1 for an upper limit")),
        "log10_threshold": (
            "cluster",
            np.log10(sample.threshold),
            _label("1", "log10 of the luminosity that would be detected, in erg/s"),
        ),
    }


def _label(units: str, long_name: str) -> dict[str, str]:
    return {"units": units, "long_name": long_name}
