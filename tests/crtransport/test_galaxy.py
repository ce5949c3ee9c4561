"""The galaxy model from deck to dataset: what is normalised, summed, mapped and counted."""

from __future__ import annotations

import warnings
from functools import cache
from typing import Any

import numpy as np
import pytest
import xarray as xr

import crtransport
from crtransport.nuclides import nuclide
from crtransport.output import check_labels
from crtransport.problems.galaxy import headline
from crtransport.solvers.errors import ConvergenceError

SMALL: dict[str, Any] = {
    "momentum.T_max": 1e4,
    "momentum.per_decade": 6,
    "output.T_max": 1e3,
    "solver.order_r": 3,
    "solver.order_z": 3,
    "solver.elements_r": 3,
}
#: 100 GeV/n is among the energies
AT = {"output.T_min": 0.1, "output.per_decade": 10}


def run(name: str, **changes: Any) -> xr.Dataset:
    return crtransport.run(name, SMALL | AT | changes)


@cache
def boron() -> xr.Dataset:
    return run("galaxy_boron")


def flux(dataset: xr.Dataset, name: str, energy: float) -> float:
    found = dataset.flux_lis.sel(nuclide=name).sel(kinetic_energy=energy, method="nearest")
    return float(found)


def test_fluxes_are_normalised_together_or_one_by_one() -> None:
    both = run("galaxy_protons", **{"output.maps": False})
    assert flux(both, "H1", 100) == pytest.approx(0.0436, rel=1e-9)
    assert flux(both, "He4", 100) == pytest.approx(0.00304, rel=1e-9)
    one = run("galaxy_protons", normalisation={"flux": {"H1": 0.0872}}, **{"output.maps": False})
    assert flux(one, "H1", 100) == pytest.approx(0.0872, rel=1e-9)
    np.testing.assert_allclose(
        one.flux_lis.sel(nuclide="H1"), 2 * both.flux_lis.sel(nuclide="H1"), rtol=1e-8
    )
    # helium keeps the deck's abundance, 0.1 at equal rigidity, and not the flux that was asked for
    assert abs(flux(one, "He4", 100) / flux(both, "He4", 100) - 2) > 0.01


def test_secondaries_follow_what_their_parents_are_scaled_to() -> None:
    twice = run("galaxy_boron", normalisation={"flux": {"C12": 2 * 9.6e-5}})
    np.testing.assert_allclose(twice.flux_lis, 2 * boron().flux_lis, rtol=1e-8)
    np.testing.assert_allclose(twice.ratio_toa, boron().ratio_toa, rtol=1e-8)


def test_more_than_fragments_alone_cannot_be_taken_away() -> None:
    asked = {"flux": {"C12": 9.6e-5, "N14": 1e-9, "O16": 9.6e-5}}
    with pytest.raises(ConvergenceError, match="fragmentation alone gives N14"):
        run("galaxy_boron", normalisation=asked, **{"sensitivity.of": []})


def test_ratios_are_those_of_the_fluxes() -> None:
    found = boron()
    top, bottom = (sum(flux(found, n, 10) for n in part) for part in (("B10", "B11"), ("C12",)))
    ratio = found.ratio_lis.sel(ratio_name="B/C").sel(kinetic_energy=10, method="nearest")
    assert float(ratio) == pytest.approx(top / bottom, rel=1e-12)
    # at equal rigidity the sum is that of the elements
    by_element = found.element_flux_toa.sel(element="B") / found.element_flux_toa.sel(element="C")
    np.testing.assert_allclose(found.ratio_rigidity.sel(ratio_name="B/C"), by_element, rtol=1e-12)


def test_a_nuclide_by_rigidity_has_as_many_particles() -> None:
    found = run(
        "galaxy_protons",
        **{"output.maps": False, "network": ["He4"], "normalisation": {"flux": {"He4": 0.00304}}},
    )
    energy, helium = found.kinetic_energy.values, nuclide("He4")
    by_rigidity = found.element_flux_lis.sel(element="He").values
    # trapezia in the logarithm, over the same range
    counted = np.trapezoid(by_rigidity * found.rigidity.values, np.log(found.rigidity.values))
    expected = np.trapezoid(found.flux_lis.values[0] * energy, np.log(energy))
    assert helium.rigidity(energy[0]) == pytest.approx(float(found.rigidity[0]))
    assert counted == pytest.approx(expected, rel=0.02)


def test_maps_have_the_flux_at_the_sun_and_end_at_zero() -> None:
    found = run("galaxy_protons", **{"output.map_r": 41, "output.map_z": 5})
    assert found.density.dims == ("nuclide", "kinetic_energy", "r", "z")
    sun = found.density.sel(nuclide="H1", z=0.0).sel(r=8.5, kinetic_energy=10, method="nearest")
    beta = nuclide("H1").beta(nuclide("H1").rigidity(np.array(float(sun.kinetic_energy))))
    speed = 2.99792458e10 * float(beta)
    assert float(sun) * speed * 1e4 / (4 * np.pi) == pytest.approx(flux(found, "H1", 10), rel=1e-9)
    largest = float(found.density.max())
    assert float(abs(found.density.isel(r=-1)).max()) < 1e-12 * largest
    assert float(abs(found.density.isel(z=-1)).max()) < 1e-12 * largest
    check_labels(found)


def test_negative_densities_are_counted_and_told() -> None:
    smooth = {"H2": {"kind": "bronfman1988"}, "HI": {"kind": "gordon1976"}}
    found = run("galaxy_boron", gas=smooth)
    assert not found.negative_values.any()
    assert not [row for row in headline(found) if "negative" in row[0]]
    share = found.negative_share.copy(data=[0.0] * found.nuclide.size)
    share.loc[{"nuclide": "C12"}] = 2e-3
    some = found.assign(
        negative_values=found.negative_values + 3 * (found.nuclide == "C12"),
        negative_share=share.assign_attrs(where_C12="T = 1 GeV/n, z = 3 kpc"),
    )
    some.negative_values.attrs["of"] = 1000
    assert dict(headline(some))["C12: negative densities"] == (
        "3 of 1000, at most 0.002 of the largest at their energy, at T = 1 GeV/n, z = 3 kpc"
    )


def test_a_line_sets_free_as_many_particles_as_it_says() -> None:
    """∫ N du/τ = q: what is set free escapes, wherever reacceleration has taken it."""
    found = crtransport.run("leaky_box_line", {"output.T_min": 1e-4, "output.T_max": 1e5})
    proton = nuclide("H1")
    p = proton.momentum(proton.rigidity(found.kinetic_energy.values))
    number = found.flux_lis.values[0] * 4 * np.pi / 2.99792458e14  # ψ
    assert np.trapezoid(number * p, np.log(p)) / 40.0 == pytest.approx(1e-13, rel=0.02)


def test_decay_feeds_the_nuclide_of_higher_charge() -> None:
    """10Be comes before 10B, as heavy and with less charge."""
    kept = run("galaxy_boron", **{"nuclear.decay": False})
    gain = flux(boron(), "B10", 1) - flux(kept, "B10", 1)
    loss = flux(kept, "Be10", 1) - flux(boron(), "Be10", 1)
    assert gain == pytest.approx(loss, rel=0.2)
    assert loss > 0.1 * flux(kept, "Be10", 1)


def test_no_waves_need_no_slope_of_diffusion() -> None:
    changes = {"diffusion.delta1": 0.0, "diffusion.delta2": 0.0}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = crtransport.run("slab_wind", changes)
    assert np.isfinite(found.flux_lis).all()


def test_a_channel_of_nothing_is_as_good_as_none() -> None:
    channels = {"C12->B11": 60.0, "C12->B10": 20.0}
    nuclides = ["C12", "B11", "B10"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found, same = (
            crtransport.run(
                "slab_secondary", {"network": nuclides, "nuclear.channels": channels | more}
            )
            for more in ({"B11->B10": 0.0}, {"B11->B10": 1e-30})
        )
    np.testing.assert_allclose(found.flux_lis, same.flux_lis, rtol=1e-12)
