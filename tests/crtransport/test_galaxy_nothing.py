"""A galaxy in part of whose output there is nothing: said, and never an internal error."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import crtransport
from crtransport.problems.galaxy import headline
from crtransport.solvers.errors import ConvergenceError

CUT: dict[str, Any] = {
    "model": "galaxy",
    "network": ["C12", "B11"],
    "geometry": {"kind": "slab"},
    "source": [{"abundances": {"C12": 1.0}, "injection": {"R_c": 100.0}}],
    "output": {"T_min": 3e3, "T_max": 1e5, "per_decade": 4, "ratios": ["B/C"]},
}


def test_fluxes_that_are_zero_are_told() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = crtransport.run(CUT)
    assert not found.flux_lis.any()
    assert np.isnan(found.ratio_lis).all()
    first, second = found.attrs["failures"].splitlines()
    assert first.startswith("C12: the flux at T = 3e+03 … 1e+05 GeV/n is 0")
    assert second.startswith("B11: ")


@pytest.mark.parametrize("flux", [{"C12": 1.0}, {"C12": 1.0, "O16": 1.0}])
def test_nothing_cannot_be_brought_to_a_flux(flux: dict[str, float]) -> None:
    source = [{"abundances": dict.fromkeys(flux, 1.0), "injection": {"R_c": 100.0}}]
    deck = CUT | {
        "network": [*CUT["network"], *({*flux} - {"C12"})],
        "source": source,
        "normalisation": {"T": 1e4, "flux": flux},
    }
    with pytest.raises(ConvergenceError, match=r"the sources give \w+ 0 at T = 10000 GeV/n"):
        crtransport.run(deck)
    sets = [{"source.0.injection.R_c": cutoff} for cutoff in (100.0, 9e6)]
    found = crtransport.batch(deck | {"output": {"T_min": 1.0}}, sets)
    assert "0 at T" in str(found.failure.values[0])
    assert not found.failure.values[1]


def test_a_batch_without_estimates_tells_none() -> None:
    found = crtransport.batch(CUT | {"output": {"T_max": 10.0}}, [{}], estimates=0)
    assert np.isnan(found.attrs["error_estimate"])


def test_nothing_has_no_sensitivity() -> None:
    table = {"of": ["B/C"], "at": [10.0, 1e4], "by": ["diffusion.D0"]}
    deck = CUT | {"momentum": {"per_decade": 8.0}, "output": {"T_min": 1.0}, "sensitivity": table}
    found = crtransport.run(deck).sensitivity.squeeze()
    assert -1 < found[0] < -0.3
    assert np.isnan(found[1])


def test_nothing_has_no_gradient() -> None:
    deck = CUT | {"normalisation": {"T": 1e4, "flux": {"C12": 1.0}}}
    with pytest.raises(ConvergenceError, match="the sources give C12 0 at T = 10000"):
        crtransport.gradient(deck, [1.0], lambda flux: float(flux["C12"][0]), ["diffusion.D0"])


@pytest.mark.parametrize("at", [447.0, 1e3])
def test_a_normalisation_within_a_cutoff_that_is_not_resolved_is_named(at: float) -> None:
    """At 1 TeV/n the flux is known, but those from 158 to 501 GeV/n are not.

    At 447 GeV/n it has the wrong sign, which is not for want of a steady state.
    """
    norm: dict[str, Any] = {"T": at, "flux": {"C12": 1.0}}
    box = {"output": {"T_min": 1.0, "T_max": 1e3}, "normalisation": norm}
    first = crtransport.run(CUT | box).attrs["failures"].splitlines()[0]
    assert first.startswith(f"normalisation.T = {at:g} GeV/n: the flux of C12, which is scaled")
    told = float(first.partition("choose a normalisation.T up to ")[2].split()[0])
    assert 50 < told < 400
    norm["T"] = box["output"]["T_max"] = told
    found = crtransport.run(CUT | box)
    assert found.attrs["failures"] == ""
    error = found.flux_lis_rel_error.sel(nuclide="C12")
    assert float(error.max()) < found.attrs["error_tolerance"]


def test_it_says_that_nothing_is_normalised() -> None:
    box = {"output": {"T_min": 1.0, "T_max": 50.0}, "momentum": {"per_decade": 8.0}}
    norm = {"normalisation": {"T": 10.0, "flux": {"C12": 1.0}}}
    told = [dict(headline(crtransport.run(CUT | box | some))) for some in ({}, norm)]
    assert told[0]["not normalised"].startswith("source.abundances are taken as they stand")
    assert "not normalised" not in told[1]


def test_it_says_what_helps_where_the_output_nears_the_end_of_the_momenta() -> None:
    near = {"momentum": {"T_max": 20.0}, "output": {"T_min": 1.0, "T_max": 19.0}}
    found = crtransport.run(CUT | near | {"source": [{"abundances": {"C12": 1.0}}]})
    assert found.attrs["error_from"].startswith("T_max: ")
    assert found.attrs["error_from"].endswith("raise momentum.T_max, or lower output.T_max")


def test_a_nuclide_that_nothing_makes_on_the_grid_is_named(tmp_path: Path) -> None:
    table = tmp_path / "threshold.csv"
    rows = "Z_parent,A_parent,Z_child,A_child,s_0.01,s_1e6,s_2e6\n2,4,1,2,0,0,30\n"
    table.write_text(f"# [GeV/n]\n{rows}")
    deck = {
        "model": "galaxy",
        "network": ["H1", "H2", "He4"],
        "geometry": {"kind": "slab"},
        "nuclear": {"channel_file": str(table)},
        "momentum": {"T_max": 1e4},
        "output": {"T_max": 1e3},
    }
    with pytest.raises(ConvergenceError, match=r"H2: nothing makes it .* momentum\.T_max"):
        crtransport.run(deck)
