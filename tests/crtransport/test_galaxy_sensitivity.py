"""Sensitivities in the output, against differences of whole runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import crtransport

TABLES: dict[str, Any] = {
    "model": "galaxy",
    "network": ["C12", "B11", "B10"],
    "source": [{"abundances": {"C12": 1.0}}],
    "momentum": {"per_decade": 10, "T_max": 1e4},
    "solver": {"order_r": 3, "order_z": 4, "elements_r": 4, "rtol": 0.1},
    "output": {"T_min": 0.1, "T_max": 1e3, "per_decade": 1},
    "sensitivity": {
        "of": ["B/C", "C", "10B"],
        "at": [1.0, 100.0],
        "by": ["diffusion.D0", "geometry.z_h", "source.0.abundances.C12"],
    },
}


def test_it_says_by_what_a_run_changes() -> None:
    found = crtransport.run(TABLES).sensitivity
    assert found.dims == ("observable", "at_energy", "parameter")
    for key, at in (("diffusion.D0", 4.5e28), ("geometry.z_h", 4.0)):
        up, down = (
            crtransport.run(TABLES, {key: at * x}).flux_lis.sel(
                kinetic_energy=[1.0, 100.0], method="nearest"
            )
            for x in (1.01, 0.99)
        )
        logs = {}
        for name, flux in (("up", up), ("down", down)):
            carbon, boron = flux.sel(nuclide="C12"), flux.sel(nuclide=["B10", "B11"]).sum("nuclide")
            rows = [boron / carbon, carbon, flux.sel(nuclide="B10")]
            logs[name] = np.log(np.stack(rows))
        slopes = (logs["up"] - logs["down"]) / np.log(1.01 / 0.99)
        assert found.sel(parameter=key).values == pytest.approx(slopes, abs=2e-3)
    # all is proportional to what the one source sets free
    whole = found.sel(parameter="source.0.abundances.C12").values
    assert whole == pytest.approx(np.array([[0, 0], [1, 1], [1, 1]]), abs=1e-5)


def test_of_nothing_nothing_is_done() -> None:
    assert "sensitivity" not in crtransport.run(TABLES, {"sensitivity.of": []})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"of": ["B/N"]}, 'sensitivity.of: "B/N": the network has no N'),
        ({"at": []}, "at is empty"),
        ({"by": ["diffusion.D0", "diffusion.D0"]}, "by names one twice"),
        ({"by": ["diffusion.D1"]}, "sensitivity.by: diffusion.D1: the deck has nothing there"),
        ({"by": ["solver.rtol"]}, "sensitivity.by: solver.rtol: fluxes have derivatives by"),
        ({"by": ["convection.V0"]}, "convection.V0 is 0, which has no logarithm"),
        ({"at": [1e-2]}, "sensitivity.at: 0.01 GeV/n lies beyond output.T_min"),
    ],
)
def test_what_is_wrong_is_said(changes: dict[str, Any], message: str) -> None:
    tables = TABLES | {"sensitivity": TABLES["sensitivity"] | changes}
    with pytest.raises(crtransport.DeckError) as error:
        crtransport.load_deck(tables)
    assert message in str(error.value)


def test_what_has_no_adjoint_is_refused() -> None:
    march = {"kind": "split-cn", "cells_r": 8, "cells_z": 8}
    with pytest.raises(crtransport.DeckError, match="has no adjoint"):
        crtransport.load_deck(TABLES | {"solver": march})
