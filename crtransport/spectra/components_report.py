"""What the user is told of components: numbers beside published ones, χ², other minima."""

from __future__ import annotations

import numpy as np
import xarray as xr

from crtransport.spectra.quality import written

#: minima within this of each other are one
_SAME = 0.1
#: χ² above the least from which on a minimum is not told
_FAR = 25.0


def headline(dataset: xr.Dataset) -> list[tuple[str, str]]:
    """Fitted numbers and χ²; those of the published shapes; minima that lie higher."""
    rows = []
    for component in map(str, dataset.component.values):
        here = dataset.sel(component=component)
        rows.append((f"alpha of {component}, {dataset.species.values[0]}", _number(here, "alpha")))
        for other in map(str, dataset.other.values):
            text = _number(here.sel(other=other), "alpha_difference")
            rows.append((f"  difference of {other}", text))
        rows.append(("  R_c", _number(here, "R_c")))
    rows.append(
        ("χ²", f"{float(dataset.chi2):.1f} of {int(dataset.points)} points, {int(dataset.dof)} dof")
    )
    rows += [(f"  {name}", _chi2(dataset.sel(species=name))) for name in dataset.species.values]
    rows.append(("minima", _minima(dataset)))
    return rows + [("remark", text) for text in dataset.attrs["remark"].splitlines()]


def _number(here: xr.Dataset, name: str) -> str:
    text = written(here, name)
    if f"{name}_published" not in here or np.isnan(here[f"{name}_published"]):
        return text
    rise = float(here[f"{name}_rise"])
    return f"{text} (published {written(here, f'{name}_published')}; with it χ² +{rise:.1f})"


def _chi2(here: xr.Dataset) -> str:
    text = f"{float(here.species_chi2):.1f} of {int(here.species_points)} points"
    if "species_chi2_published" not in here:
        return text
    published = float(here.species_chi2_published)
    return f"{text}; with the published shapes and free norms {published:.1f}"


def _minima(dataset: xr.Dataset) -> str:
    """Different values of χ² where the starts led, and how often."""
    values = dataset.minimum.values[dataset.minimum_found.values > 0]
    groups: list[list[float]] = []
    for value in np.sort(values):
        if groups and value - groups[-1][0] < _SAME:
            groups[-1].append(value)
        elif not groups or value - groups[0][0] < _FAR:
            groups.append([value])
    told = ", ".join(f"{one[0]:.1f} ({len(one)} times)" for one in groups)
    return f"of {dataset.sizes['start']} starts: χ² {told}"
