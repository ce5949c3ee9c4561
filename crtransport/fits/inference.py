"""Samples as the groups of an InferenceData file, which ArviZ reads."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from crtransport.fits.sample import Samples


def groups(samples: Samples, units: dict[str, str]) -> dict[str, xr.Dataset]:
    """``posterior`` and ``sample_stats``, [chain, draw] each.

    Parameters
    ----------
    samples : Samples
    units : mapping
        Of the parameters; "1" where none is given.
    """
    dims = ("chain", "draw")
    coords: dict[str, Any] = {
        name: (name, np.arange(size), {"units": "1", "long_name": f"number of the {name}"})
        for name, size in zip(dims, samples.log_probability.shape, strict=True)
    }
    said = {
        "inference_library": samples.method,
        "seed": samples.seed,
        "problems": "; ".join(samples.problems),
    }
    posterior = {}
    for i, name in enumerate(samples.names):
        attributes = {
            "units": units.get(name, "1"),
            "long_name": name,
            "r_hat": samples.r_hat[i],
            "effective_samples": samples.effective[i],
            "autocorrelation_length": samples.autocorrelation[i],
        }
        posterior[name] = (dims, samples.draws[:, :, i], attributes)
    log_probability = {"units": "1", "long_name": "logarithm of likelihood and priors"}
    stats = {"lp": (dims, samples.log_probability, log_probability)}
    return {
        "posterior": xr.Dataset(posterior, coords=coords, attrs=said),
        "sample_stats": xr.Dataset(stats, coords=coords, attrs=said),
    }
