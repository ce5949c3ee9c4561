"""What a tube's dataset tells of its shock, and of how its anisotropy is seen at the Sun."""

from __future__ import annotations

import numpy as np
import xarray as xr

from crtransport.deck.flux_tube import FluxTubeDeck
from crtransport.problems.tube_shock import shock_index


def with_shock(deck: FluxTubeDeck, dataset: xr.Dataset) -> xr.Dataset:
    """The dataset with ``shock_index``, its error and that of slow shocks, if there is a shock."""
    if deck.shock is None:
        return dataset
    found = shock_index(deck.scattering, deck.shock, deck.solver.rtol)
    relative = found.error / found.value
    told = {
        "shock_index": (found.value, "s of f ∝ p^−s that the shock makes, modes matched"),
        "shock_index_rel_error": (relative, "relative numerical error estimate of the index s"),
        "shock_index_diffusive": (deck.shock.diffusive, "3r/(r − 1), s of slow shocks"),
    }
    variables = {
        name: ((), np.asarray(value), {"units": "1", "long_name": text})
        for name, (value, text) in told.items()
    }
    largest = max(float(dataset.attrs["error_estimate"]), relative)
    return dataset.assign(variables).assign_attrs(error_estimate=largest)


def with_arrival(deck: FluxTubeDeck, dataset: xr.Dataset) -> xr.Dataset:
    """The dataset with ``arrival_…``: the tube's anisotropy among all particles at the Sun."""
    if deck.arrival is None:
        return dataset
    share = deck.arrival.share(dataset.rigidity.values)
    tube = dataset.relative_multipole.sel(ell=1).transpose("rigidity", "zeta").values
    step = dataset.equator_step.transpose("rigidity", "zeta").values
    dipole = share[:, None] * tube
    equatorial = np.abs(dipole) * np.cos(np.radians(deck.arrival.dec))
    phase = np.where(dipole >= 0, deck.arrival.ra, (deck.arrival.ra + 180) % 360)
    both = ("rigidity", "zeta")
    told = {
        "arrival_share": (("rigidity",), share, "1", "share of the tube among all particles"),
        "arrival_dipole": (both, dipole, "1", "dipole of all particles along the field"),
        "arrival_first_harmonic": (
            both,
            equatorial,
            "1",
            "amplitude of the first harmonic in right ascension of all particles",
        ),
        "arrival_phase": (both, phase, "deg", "right ascension of its maximum"),
        "arrival_step": (
            both,
            share[:, None] * step,
            "1",
            "[f(μ_s) − f(−μ_s)]/⟨f⟩ of all particles across the equator",
        ),
    }
    return dataset.assign(
        {
            name: (dims, values, {"units": unit, "long_name": text})
            for name, (dims, values, unit, text) in told.items()
        }
    )


def shock_rows(dataset: xr.Dataset) -> list[tuple[str, str]]:
    """The index of the shock, for the headline."""
    if "shock_index" not in dataset:
        return []
    s, slow = float(dataset.shock_index), float(dataset.shock_index_diffusive)
    return [("shock", f"f ∝ p^−{s:.6g}, flux ∝ R^−{s - 2:.5g}; by diffusion alone p^−{slow:.6g}")]


def arrival_rows(dataset: xr.Dataset) -> list[tuple[str, str]]:
    """First harmonic and step at each decade of rigidity, at the last ζ, for the headline."""
    if "arrival_dipole" not in dataset:
        return []
    rows = []
    last = dataset.isel(zeta=-1)
    for rigidity in _decades(dataset.rigidity.values):
        here = last.sel(rigidity=rigidity)
        text = f"first harmonic {float(here.arrival_first_harmonic):.3g} at RA "
        text += f"{float(here.arrival_phase):.4g}°, step {float(here.arrival_step):.3g}, "
        text += f"share of the tube {float(here.arrival_share):.2g}"
        rows.append((f"seen at {rigidity / 1e3:g} TV", text))
    return rows


def _decades(rigidities: np.ndarray) -> list[float]:
    """The rigidities next to whole powers of ten, each once."""
    low, high = np.floor(np.log10(rigidities[[0, -1]]) + 1e-9)
    powers = np.arange(low, high + 1)
    return sorted({float(rigidities[np.argmin(np.abs(np.log10(rigidities) - p))]) for p in powers})
