"""What the user is told of an analysis: numbers, those of the paper in brackets, and remarks."""

from __future__ import annotations

import numpy as np
import xarray as xr

from crtransport.clusters import song2021
from crtransport.clusters.universal import PARAMETERS


def correlations(dataset: xr.Dataset) -> list[tuple[str, str]]:
    """Slopes and significances, the paper's beside them."""
    rows = [("luminosities", str(dataset.attrs["luminosities"]))]
    for name in map(str, dataset.observable.values):
        here = dataset.sel(observable=name)
        used, seen = int(here.clusters_used), int(here.detections)
        rows.append((name, f"{_line(here)} ({used} clusters, {seen} detected)"))
        rows.append(("  rank correlation", _chance(here)))
        varied = [
            f"{float(v.slope_varied):.2f} ± {float(v.slope_varied_error):.2f}"
            f" at {float(v.threshold_factor):g}"
            for v in (here.isel(threshold_factor=i) for i in range(here.sizes["threshold_factor"]))
        ]
        rows.append(("  slope by thresholds", ", ".join(varied)))
        if name in song2021.CORRELATIONS:
            theirs = song2021.CORRELATIONS[name]
            rows.append((f"  {song2021.NAME}", str(theirs or "not significant")))
    rows.append(("rows of no cluster", dataset.attrs["unmatched"]))
    return [*rows, *_remarks(dataset)]


def _line(here: xr.Dataset) -> str:
    return (
        f"slope {float(here.slope):.2f} ± {float(here.slope_error):.2f}, "
        f"intercept {float(here.intercept):.2f} ± {float(here.intercept_error):.2f}"
    )


def _chance(here: xr.Dataset) -> str:
    how = "extrapolated from" if int(here.extrapolated) else "counted in"
    return (
        f"tau {float(here.kendall_tau):.3f} (z {float(here.kendall_z):.2f}), "
        f"{float(here.significance):.1f}σ {how} {int(here.attrs['permutations'])} permutations"
    )


def spectra(dataset: xr.Dataset) -> list[tuple[str, str]]:
    """Shape, significance and ratios, the paper's beside them."""
    rows = []
    for name, paper in zip(PARAMETERS, song2021.SHAPE, strict=True):
        rows.append((name, f"{_pm(dataset, name)} ({song2021.NAME}: {paper})"))
    index = _pm(dataset, "electron_index")
    rows.append(("electron index p = 2 Γ₂ − 1", f"{index} ({song2021.ELECTRON_INDEX})"))
    rows.append(("χ²", f"{_over(dataset, '')} ({song2021.CHI2})"))
    without = f"{_over(dataset, '_without_ic')} ({song2021.CHI2_WITHOUT})"
    rows.append(("  without inverse Compton", without))
    for name, paper in zip(PARAMETERS, song2021.SHAPE_WITHOUT, strict=False):
        rows.append((f"  {name}", f"{_pm(dataset, f'{name}_without_ic')} ({paper})"))
    rows += [("Δχ²", _gain(dataset)), *_by_band(dataset), *_needs(dataset), *_scattered(dataset)]
    return [*rows, *_remarks(dataset)]


def _remarks(dataset: xr.Dataset) -> list[tuple[str, str]]:
    return [("remark", text) for text in dataset.attrs["remark"].splitlines()]


def _pm(dataset: xr.Dataset, name: str, digits: int = 2) -> str:
    value, error = float(dataset[name]), float(dataset[f"{name}_error"])
    if not np.isfinite(error):
        return f"{value:.{digits}f} (not fixed)"
    return f"{value:.{digits}f} ± {error:.{digits}f}"


def _over(dataset: xr.Dataset, suffix: str) -> str:
    return f"{float(dataset[f'chi2{suffix}']):.1f}/{int(dataset[f'dof{suffix}'])}"


def _gain(dataset: xr.Dataset) -> str:
    gains = dataset.simulated_delta_chi2.values
    how = "extrapolated from" if float(dataset.extrapolated) else "counted in"
    found = f"{_pm(dataset, 'simulated_significance', 1)}σ {how}"
    if not np.isfinite(dataset.simulated_significance):
        found = "nothing gained in"
    return (
        f"{float(dataset.delta_chi2):.1f} for {int(dataset.delta_chi2_dof)} parameters, "
        f"{float(dataset.significance):.1f}σ one-sided by Wilks ({song2021.GAIN}); "
        f"{found} {len(gains)} simulations without "
        f"inverse Compton, {int(dataset.simulated_beyond)} of them beyond, whose gain is "
        f"{gains.mean():.1f} on average and {gains.max():.1f} at most"
    )


def _by_band(dataset: xr.Dataset) -> list[tuple[str, str]]:
    rows = []
    for energy in dataset.E_min.values:
        here = dataset.sel(E_min=energy)
        pairs = zip(here.shape_by_E_min.values, here.shape_by_E_min_error.values, strict=True)
        shape = ", ".join(
            f"{v:.2f} ± {e:.2f}" if np.isfinite(e) else f"{v:.2f} (not fixed)" for v, e in pairs
        )
        chi2 = f"{float(here.chi2_by_E_min):.1f}/{int(here.dof_by_E_min)}"
        gain = f"{float(here.delta_chi2_by_E_min):.1f}, {float(here.significance_by_E_min):.1f}σ"
        rows.append((f"  bands from {energy:g} MeV", f"{shape}; χ² {chi2}; Δχ² {gain}"))
    return rows


def _needs(dataset: xr.Dataset) -> list[tuple[str, str]]:
    """How many clusters have which component, and the ratios where they have both."""
    has = dataset.norm.values > 0
    needs = dataset.component_delta_chi2.values > 4
    rows = []
    for text, here, paper in (
        ("norm above zero", has, f" ({song2021.COUNTS})"),
        ("Δχ² above 4", needs, ""),
    ):
        both, cut, tail = here.all(axis=1), here[:, 0] & ~here[:, 1], here[:, 1] & ~here[:, 0]
        counts = f"both {both.sum()}, curvature only {cut.sum()}, inverse Compton only {tail.sum()}"
        rows.append((f"clusters, {text}", counts + paper))
    ratio = dataset.efficiency_ratio.values[has.all(axis=1)]
    if len(ratio):
        text = f"{ratio.min():.2g} to {ratio.max():.2g}, median {np.median(ratio):.2g}"
        rows.append(("f_e/f_γ where both are", f"{text} ({song2021.EFFICIENCY_RATIO})"))
    return rows


def _scattered(dataset: xr.Dataset) -> list[tuple[str, str]]:
    """How far the spectrum on the photons of a cluster is from the power law, and its electrons."""
    if "scattering" not in dataset.coords:
        return []
    rows = []
    for name in dataset.scattering.values:
        here = dataset.sel(scattering=name)
        indices = [float(here.scattered_index.sel(energy=e, method="nearest")) for e in (100, 1e4)]
        text = (
            f"{float(here.electron_energy):.1e} erg of electrons above 1 GeV among "
            f"{float(here.photon_density):.3g} eV cm⁻³; with recoil, a photon index of "
            f"{indices[0]:.2f} at 0.1 GeV and {indices[1]:.2f} at 10 GeV, not Γ₂"
        )
        rows.append((f"computed for {name}", text))
    return rows
