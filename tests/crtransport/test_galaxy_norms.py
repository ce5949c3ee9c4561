"""Abundances fitted within a run: whatever their scale, or a reason why not."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import crtransport
from crtransport.console import InputError
from crtransport.deck.galaxy import GalaxyDeck
from crtransport.deck.load import load_deck
from crtransport.fits import FitError
from crtransport.measurements import Measurement, MeasurementError
from crtransport.problems.galaxy_compare import headline
from crtransport.problems.galaxy_norms import fitted
from crtransport.session import Session
from tests.crtransport.made_up import write

SMALL: dict[str, Any] = {
    "momentum.per_decade": 6,
    "output.per_decade": 5,
    "solver.order_r": 3,
    "solver.order_z": 4,
    "solver.elements_r": 3,
}
TRUE = {"He": 0.2, "C": 0.008, "N": 0.0004, "O": 0.01, "Fe": 0.002}
NUCLEI = ["He3", "He4", "B10", "B11", "C12", "C13", "N14", "N15", "O16", "Fe56"]


def galaxy(abundances: dict[str, float], **changes: Any) -> GalaxyDeck:
    source = [{"abundances": abundances, "injection": {"gamma2": 2.4}}]
    deck = load_deck({"model": "galaxy", "network": NUCLEI, "source": source}, SMALL | changes)
    assert isinstance(deck, GalaxyDeck)
    return deck


@cache
def true() -> xr.Dataset:
    return crtransport.run(galaxy(TRUE))


def table(element: str, x: np.ndarray, y: np.ndarray, **changes: Any) -> Measurement:
    """A flux over rigidity as if it had been measured, to 2 %."""
    made: dict[str, Any] = {
        "name": f"invented_{element}_rigidity",
        "experiment": "none",
        "quantity": element,
        "reference": "",
        "x_kind": "rigidity_GV",
        "unit": "m-2 s-1 sr-1 GV-1",
        "x": x,
        "y": y,
        "stat_lo": 0.02 * y,
        "stat_hi": 0.02 * y,
        "sys_lo": np.zeros_like(y),
        "sys_hi": np.zeros_like(y),
    }
    return Measurement(**made | changes)


def measured(element: str, scale: float = 1.0, **changes: Any) -> Measurement:
    flux = scale * true().element_flux_toa.sel(element=element, rigidity=slice(3.0, 1e3))
    return table(element, flux.rigidity.values, flux.values, **changes)


@pytest.mark.parametrize("scale", [1e-20, 1.0, 1e20])
def test_relative_abundances_of_any_scale_reach_what_is_measured(scale: float) -> None:
    """Those that made the data, each off by its own factor: C, N and O at once, B as it follows."""
    off = {"He": 1.0, "C": 0.5, "N": 3.0, "O": 2.0, "Fe": 1.0}
    deck = galaxy({name: scale * off[name] * value for name, value in TRUE.items()})
    fit, factors = fitted(deck, [measured(name) for name in ("He", "C", "N", "O", "Fe", "B")])
    for name, value in TRUE.items():
        assert fit.source[0].abundances[name] == pytest.approx(value, rel=1e-3)
        here = float(factors.sel(element=name)[0])
        assert here == pytest.approx(1 / (scale * off[name]), rel=1e-3)
    assert factors.attrs["not_fitted"] == "no source emits B: invented_B_rigidity"
    assert factors.attrs["others"] == ""


def test_elements_that_are_not_measured_take_the_median_factor() -> None:
    deck = galaxy({name: 1e20 * value for name, value in TRUE.items()})
    fit, factors = fitted(deck, [measured("C"), measured("O")])
    assert fit.source[0].abundances == pytest.approx(TRUE, rel=1e-3)
    assert factors.attrs["common"] == pytest.approx(1e-20, rel=1e-3)
    assert factors.attrs["others"] == "He, N, Fe"
    assert np.isfinite(factors).sum() == 2
    rows = dict(headline(xr.Dataset({"norm_factor": factors})))
    assert rows == {"fit_norms: not measured": "He, N, Fe: all ×1e-20"}


def test_one_element_that_is_far_off_does_not_take_the_others_along() -> None:
    deck = galaxy(TRUE | {"N": 1e4 * TRUE["N"]})
    fit, factors = fitted(deck, [measured("C"), measured("N"), measured("O")])
    assert fit.source[0].abundances == pytest.approx(TRUE, rel=2e-3)
    assert factors.attrs["common"] == pytest.approx(1.0, rel=1e-3)


def test_limits_do_not_count() -> None:
    once, limit = measured("C"), measured("O", 100.0)
    limits = np.ones_like(limit.y, dtype=bool)
    limit = replace(limit, limits=limits, limit_level=0.95, stat_lo=0 * limit.y)
    _, factors = fitted(galaxy(TRUE), [once, limit])
    assert factors.attrs["common"] == pytest.approx(1.0, rel=1e-3)
    assert factors.attrs["not_fitted"].startswith("no points from compare.R_min on")


def test_what_tells_nothing_is_named() -> None:
    ratio = measured("C", name="C_O", quantity="C_O", unit="1")
    low = table("N", np.array([0.5, 1.0]), np.array([1.0, 1.0]))
    beyond = replace(measured("O"), name="beyond", interstellar=True)
    other = table("Si", np.array([10.0]), np.array([1.0]))
    with pytest.raises(MeasurementError) as refused:
        fitted(galaxy(TRUE), [ratio, low, beyond, other, measured("B")])
    assert str(refused.value) == (
        "compare.fit_norms: no table tells of any abundance: ratios: C_O; no points from "
        "compare.R_min on in the range of the output: invented_N_rigidity; measured beyond the "
        "heliosphere: beyond; no Si in the network: invented_Si_rigidity; no source emits B: "
        "invented_B_rigidity"
    )


def test_an_abundance_that_is_best_at_nothing_is_refused() -> None:
    """Oxygen alone makes more nitrogen than that."""
    with pytest.raises(FitError, match=r"is 0 or below: N of source \"background\": all else make"):
        fitted(galaxy(TRUE), [measured("O"), measured("C"), measured("Fe"), measured("N", 0.1)])


def test_classes_with_the_same_spectrum_are_refused() -> None:
    deck = galaxy(TRUE)
    twice = replace(deck, source=(*deck.source, replace(deck.source[0], name="again")))
    with pytest.raises(FitError, match="O does not tell apart what the sources background, again"):
        fitted(twice, [measured("O")])


def of_energy(flux: xr.DataArray, scale: float) -> Measurement:
    some = scale * flux.sel(kinetic_energy=slice(20.0, 1e5))
    x_kind, unit = "kinetic_energy_per_nucleon_GeV", "m-2 s-1 sr-1 (GeV/n)-1"
    return table("H", some.kinetic_energy.values, some.values, x_kind=x_kind, unit=unit)


def test_two_classes_beside_a_local_source() -> None:
    emitted = {
        "network": ["H1", "He4"],
        "source.1.abundances": {"H1": 3.5e-16, "He4": 1.4e-16},
        "output.elements": [],
    }
    deck = load_deck("yuan2025_fig5", SMALL | emitted)
    assert isinstance(deck, GalaxyDeck)
    found = crtransport.run(deck).sel(species="H")
    whole = found.flux_sum + found.flux_class.sel({"class": "background II"})
    relative = replace(deck, source=tuple(one.scaled({}, others=1e20) for one in deck.source))
    for given, scale in ((deck, 1.0), (relative, 1e-20)):
        fit, factors = fitted(given, [of_energy(whole, 1.0)])
        here = factors.sel(element="H").values
        np.testing.assert_allclose(here, np.array([1.0, 2.0]) * scale, rtol=1e-3)
        assert np.all(np.isnan(factors.sel(element="He")))
        before, after = ([s.abundance("H1") for s in one.source] for one in (given, fit))
        np.testing.assert_allclose(np.divide(after, before), here, rtol=1e-12)
    local = replace(
        deck, network=("H1",), local_source=(replace(deck.local_source[0], W={"H": 2.5e50}),)
    )
    with pytest.raises(FitError, match="leaves nothing for the sources of the deck"):
        fitted(local, [of_energy(found.flux_local.sum("source"), 0.5)])
    one = found.flux_sum - found.flux_class.sel({"class": "background II"})
    with pytest.raises(FitError, match=r"is 0 or below: H of source \"background II\""):
        fitted(deck, [of_energy(one, 0.95)])


def test_a_session_refuses_before_it_runs(tmp_path: Path) -> None:
    folder = write(tmp_path, measured("B", 1.6e-15))
    compare = {"measurements": ["invented_B_rigidity"], "fit_norms": True}
    session = Session(folder=tmp_path, plots=False, data=folder)
    with pytest.raises(InputError, match=r"my deck: compare.fit_norms: no table tells of any"):
        session.check({"my deck": galaxy(TRUE, compare=compare)})
