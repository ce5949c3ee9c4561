"""A background that local sources outshine: what nobody sees of it refuses no run."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

import crtransport
from crtransport.deck.galaxy import GalaxyDeck
from crtransport.deck.load import load_deck
from crtransport.measurements.table import FLUX_UNITS, Measurement
from crtransport.problems import galaxy
from crtransport.problems.burst import _realised
from crtransport.problems.galaxy_prediction import Prediction
from crtransport.solvers.errors import ConvergenceError

#: the background ends at 1 TV, the local source at 100 TV
CUT: dict[str, Any] = {
    "model": "galaxy",
    "network": ["H1"],
    "source": [
        {"abundances": {"H1": 1.0}, "injection": {"kind": "broken-power-law", "R_c": 1e3}},
    ],
    "normalisation": {"T": 100.0, "flux": {"H1": 0.04}},
    "local_source": [
        {
            "name": "near",
            "distance": 0.3,
            "age": 1e5,
            "l": 10,
            "b": 0,
            "alpha": 2.2,
            "R_c": 1e5,
            "W": {"H": 1e50},
        }
    ],
    "output": {"T_min": 10.0, "T_max": 1e5, "per_decade": 4},
}
MEDIA = [{"reacceleration": {"v_alfven": 0.0}}, {"local_medium": "two-halo"}]


@pytest.mark.parametrize("medium", MEDIA)
def test_a_background_that_ends_within_the_output_refuses_no_run(medium: dict[str, Any]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = crtransport.run(CUT | medium)
    assert found.attrs["failures"] == ""
    assert found.attrs["error_estimate"] <= found.attrs["error_tolerance"]
    here = found.sel(species="H")
    last = here.isel(kinetic_energy=-1)
    assert float(last.dipole) == pytest.approx(float(last.dipole_by_source[0]), rel=1e-6)
    assert float(last.flux_sum) == pytest.approx(float(last.flux_local[0]), rel=1e-6)
    alone = here.dipole_background.values
    known = np.isfinite(alone)
    assert not known[-1]
    # it grows as D does, also where the square of the flux is below the smallest number
    assert np.all(np.diff(alone[known]) > 0)
    assert np.nanmax(alone) < 1e-3
    said = dict(galaxy.headline(found))["H1: background"]
    assert said.startswith("0, negative or less exact than asked for at T = ")


def test_what_no_local_source_hides_is_refused_still() -> None:
    ends_too = {"local_source.0.R_c": 100.0, "reacceleration": {"v_alfven": 0.0}}
    found = crtransport.run(CUT, ends_too)
    assert "H1: the flux at T = " in found.attrs["failures"]


def test_a_fit_needs_no_background_that_is_hidden() -> None:
    loaded = load_deck(CUT | MEDIA[1])
    assert isinstance(loaded, GalaxyDeck)
    one = Prediction.of(loaded, gradient=False)
    answer = one.answer
    energy = np.array([6310.0])
    x = answer.spectra["H1"].nucleus.rigidity(energy)
    errors = dict.fromkeys(("stat_lo", "stat_hi", "sys_lo", "sys_hi"), np.zeros(1))
    kind = "rigidity_GV"
    words = dict.fromkeys(("name", "experiment", "reference"), "")
    table = Measurement(
        **words, quantity="H", unit=FLUX_UNITS[kind], x_kind=kind, x=x, y=x, **errors
    )
    negative = -1e-30 * np.ones(1)
    answer.spectra["H1"].flux = lambda energy: negative  # type: ignore[method-assign]
    answer.__dict__["norm"] = 1.0
    assert one.at(table, x, 0.0) > 0
    negative *= 1e30
    with pytest.raises(ConvergenceError, match="negative or no number"):
        one.at(table, x, 0.0)


def test_the_dipole_of_a_small_flux_is_not_0() -> None:
    flux, stream = np.full((1, 1, 1), 1e-200), np.full((1, 1, 1, 3), 1e-203)
    found = _realised(flux, stream)["dipole_realisation"][1]
    assert found == pytest.approx(1e-3 * np.sqrt(3))
