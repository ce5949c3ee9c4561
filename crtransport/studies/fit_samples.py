"""Samples of a posterior in a dataset, and as the groups of a file that ArviZ reads."""

from __future__ import annotations

import json

import numpy as np
import xarray as xr

from crtransport.fits import Samples

_SAID = ("r_hat", "effective_samples", "autocorrelation_length")


def with_samples(dataset: xr.Dataset, samples: Samples) -> xr.Dataset:
    """The dataset with draws from the posterior, and whether these have converged."""
    one = ("parameter",)
    chains = ("chain", "draw")
    rhat, size, length = samples.r_hat, samples.effective, samples.autocorrelation
    variables = {
        "posterior": ((*chains, "parameter"), samples.draws, _label("see parameter_unit", "draws")),
        "log_probability": (
            chains,
            samples.log_probability,
            _label("1", "logarithm of likelihood and priors"),
        ),
        "r_hat": (one, rhat, _label("1", "spread of all chains over that of each")),
        "effective_samples": (one, size, _label("1", "how many independent draws there are")),
        "autocorrelation_length": (one, length, _label("1", "in draws")),
    }
    problems = json.loads(dataset.attrs["fit_problems"]) + list(samples.problems)
    attrs = {"fit_sampler": samples.method, "fit_problems": json.dumps(problems)}
    return dataset.assign(variables).assign_attrs(attrs)


def groups(dataset: xr.Dataset) -> dict[str, xr.Dataset]:
    """InferenceData: ``posterior``, a variable for each parameter, and ``sample_stats``.

    Parameters
    ----------
    dataset : xarray.Dataset
        Of `with_samples`.

    Returns
    -------
    dict
        Name of a group -> dataset over (chain, draw).
    """
    coords = {
        name: (name, np.arange(dataset.sizes[name]), _label("1", f"number of the {name}"))
        for name in ("chain", "draw")
    }
    attrs = {"inference_library": dataset.attrs["fit_sampler"]}
    posterior = {}
    for name in map(str, dataset.parameter.values):
        one = dataset.sel(parameter=name)
        said = _label(str(one.parameter_unit.values), name) | {k: float(one[k]) for k in _SAID}
        posterior[name] = (("chain", "draw"), one.posterior.values, said)
    log = _label("1", "logarithm of likelihood and priors")
    stats = {"lp": (("chain", "draw"), dataset.log_probability.values, log)}
    return {
        "posterior": xr.Dataset(posterior, coords=coords, attrs=attrs),
        "sample_stats": xr.Dataset(stats, coords=coords, attrs=attrs),
    }


def _label(units: str, long_name: str) -> dict[str, str | float]:
    return {"units": units, "long_name": long_name}
