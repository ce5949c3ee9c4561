"""Components with cutoffs: fits to made-up tables, and decks from end to end."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from crtransport.deck.components import ComponentsDeck
from crtransport.deck.errors import DeckError
from crtransport.deck.load import load_deck
from crtransport.fits import DataSet
from crtransport.measurements import Measurement, MeasurementError
from crtransport.output import check_labels, netcdf_bytes
from crtransport.plots.components import draw
from crtransport.spectra.components import headline, read, solve
from crtransport.spectra.components_fit import ComponentsFit, minima
from tests.crtransport.made_up import table, write

pytest.importorskip("iminuit", reason="needs the extra fit")

ALPHA, CUT = {"H": (2.75, 2.2), "He": (2.65, 2.3)}, (3e4, 3e6)
NORM = {"H": (1.2e4, 30.0), "He": (2e3, 30.0)}
LOW = np.geomspace(50, 5e4, 25)
HIGH = np.geomspace(5e4, 1e7, 20)


def flux(element: str, at: np.ndarray) -> np.ndarray:
    """What is put in."""
    parts = zip(NORM[element], ALPHA[element], CUT, strict=True)
    return np.asarray(sum(n * at**-a * np.exp(-at / c) for n, a, c in parts))


def component(name: str, j: int, **changes: Any) -> dict[str, Any]:
    alpha, cut = ALPHA["H"][j], CUT[j]
    difference = ALPHA["He"][j] - alpha
    return {
        "name": name,
        "alpha": {"start": alpha, "lower": 1.5, "upper": 3.5},
        "R_c": {"start": cut, "lower": cut / 5, "upper": cut * 5},
        "difference": {"He": {"start": difference, "lower": -0.3, "upper": 0.3}},
    } | changes


FULL: Any = {
    "data": [
        {"table": f"{name}_{element}_{axis}"}
        for element in ("H", "He")
        for name, axis in (("SKY", "kineticEnergy"), ("AIR", "totalEnergy"))
    ],
    "component": [component("low", 0), component("high", 1)],
    "starts": 2,
}


def deck(**changes: Any) -> ComponentsDeck:
    loaded = load_deck({"model": "components"} | FULL | changes)
    assert isinstance(loaded, ComponentsDeck)
    return loaded


def measured(seed: int | None = None, error: float = 0.02) -> list[Measurement]:
    noise = None if seed is None else np.random.default_rng(seed)
    return [
        table(e, lambda r, e=e: flux(e, r), x, experiment=n, x_kind=k, error=error, noise=noise)
        for e in ("H", "He")
        for n, k, x in (("SKY", "kinetic_energy_GeV", LOW), ("AIR", "total_energy_GeV", HIGH))
    ]


def fit(seed: int | None = None, **changes: Any) -> ComponentsFit:
    sets = [DataSet(table=one) for one in measured(seed)]
    return ComponentsFit(sets, deck(**changes).component)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("data"), *measured(11))


@pytest.fixture(scope="module")
def solved(folder: Path) -> xr.Dataset:
    return solve(deck(), folder)


def test_norms_of_given_shapes_are_linear_least_squares() -> None:
    """A closed form: the fit of norms alone is linear."""
    one = fit(1)
    shapes = {name: number.start for name, number in one.numbers.items()}
    held = one.held_at(shapes)
    for element in ("H", "He"):
        rows, values = [], []
        for t in (t for t in measured(1) if t.quantity == element):
            # both are relativistic, so that R is E/Z to 1e-3 and flux per GeV that per GV over Z
            z = 1 if element == "H" else 2
            mass = 0.938272 if element == "H" else 3.727379
            energy = t.x if t.x_kind.startswith("total") else t.x + mass
            p = np.sqrt(energy**2 - mass**2)
            columns = [
                (p / z) ** -a * np.exp(-p / z / c) * energy / p / z
                for a, c in zip(ALPHA[element], CUT, strict=True)
            ]
            rows.append(np.stack(columns, axis=1) / t.error_lo[:, None])
            values.append(t.y / t.error_lo)
        best, rest, *_ = np.linalg.lstsq(np.concatenate(rows), np.concatenate(values), rcond=None)
        i = one.elements.index(element)
        chi2, _ = one.by_element(shapes | held.best)
        assert chi2[i] == pytest.approx(rest[0], rel=1e-4)
        for j, (pivot, alpha) in enumerate(zip(one.pivots, ALPHA[element], strict=True)):
            norm = held.best[one.norm_name(i, j)] * one.units[i, j] * pivot**alpha
            assert norm == pytest.approx(best[j], rel=1e-3)


def test_gradient_is_that_of_chi2() -> None:
    one = fit(2)
    at = {p.name: p.start * 1.01 for p in one.objective.parameters}
    slopes = one.gradient(at)
    for name, value in at.items():
        step = 1e-5 * abs(value)
        up, down = (one.chi2({**at, name: value + s}) for s in (step, -step))
        assert slopes[name] == pytest.approx((up - down) / (2 * step), rel=1e-4, abs=1e-6)


def test_pulls_of_simulated_data() -> None:
    pulls, chi2 = [], []
    for seed in range(12):
        one = fit(seed)
        found = minima(one, 1, 0)[0]
        truth = [one.numbers[name].start for name in found.names if name in one.numbers]
        places = [k for k, name in enumerate(found.names) if name in one.numbers]
        pulls.append((found.values[places] - truth) / found.errors[places])
        chi2.append(found.chi2)
    spread = np.array(pulls)
    assert abs(spread.mean()) < 3 / np.sqrt(spread.size)
    assert 0.75 < spread.std() < 1.3
    assert np.mean(chi2) == pytest.approx(90 - 10, abs=3 * np.sqrt(2 * 80 / 12))


def test_dataset_has_what_the_interface_promises(solved: xr.Dataset) -> None:
    assert solved.flux.dims == ("species", "component", "rigidity")
    for end in ("", "_error_lo", "_error_hi"):
        assert solved[f"alpha{end}"].dims == solved[f"R_c{end}"].dims == ("component",)
        assert solved[f"alpha_difference{end}"].dims == ("other", "component")
    assert solved.norm.dims == ("species", "component")
    assert solved.flux_total.values == pytest.approx(solved.flux.sum("component").values)
    assert solved.error_estimate < solved.error_tolerance
    assert "alpha_published" not in solved
    check_labels(solved)
    assert netcdf_bytes(solved)


def test_what_was_put_in_is_found(solved: xr.Dataset) -> None:
    truth = {"alpha": ALPHA["H"], "R_c": CUT}
    for name, values in truth.items():
        error = np.maximum(solved[f"{name}_error_lo"], solved[f"{name}_error_hi"]).values
        assert np.all(np.abs(solved[name].values - values) < 3.5 * error)
    for element in ("H", "He"):
        found = solved.flux_total.sel(species=element).values
        at = solved.rigidity.values
        inside = (at > 50) & (at < 3e6)
        assert found[inside] == pytest.approx(flux(element, at)[inside], rel=0.05)
    assert int(solved.points) == 90
    assert int(solved.dof) == 80


def test_published_values_are_compared(folder: Path) -> None:
    def published(shift: float) -> list[dict[str, Any]]:
        found = [component("low", 0), component("high", 1)]
        for j, one in enumerate(found):
            one["alpha"] = one["alpha"] | {"published": [ALPHA["H"][j] + shift, 0.1, 0.1]}
            one["R_c"] = one["R_c"] | {"published": [CUT[j]]}
            helium = one["difference"]["He"]
            one["difference"] = {"He": helium | {"published": [helium["start"]]}}
        return found

    true = solve(deck(component=published(0.0)), folder)
    wrong = solve(deck(component=published(0.3)), folder)
    assert np.all(true.alpha_rise.values < 9)
    assert np.all(wrong.alpha_rise.values > 100)
    both = float(true.species_chi2_published.sum()), float(true.chi2)
    assert both[1] <= both[0] < both[1] + 25
    assert "published" in dict(headline(true))["alpha of low, H"]


def test_a_bound_is_respected_and_told(folder: Path) -> None:
    tight = component("low", 0)
    tight["alpha"] = {"start": 2.5, "lower": 2.4, "upper": 2.6}
    found = solve(deck(component=[tight, component("high", 1)], starts=1), folder)
    assert float(found.alpha[0]) == pytest.approx(2.6, abs=1e-6)
    assert float(found.alpha_error_hi[0]) == pytest.approx(0, abs=1e-6)
    assert "alpha.low lies at its upper bound 2.6" in dict(headline(found))["remark"]


def test_a_bad_start_is_made_good_by_others(folder: Path) -> None:
    """Cutoffs interchanged: the first start alone may end elsewhere."""
    far = [component("low", 0), component("high", 1)]
    for one in far:
        one["R_c"] = {"start": 1.4e7, "lower": 5e3, "upper": 1.5e7}
        one["alpha"] = {"start": 3.4, "lower": 1.5, "upper": 3.5}
    found = solve(deck(component=far, starts=12), folder)
    best = solve(deck(), folder)
    assert float(found.chi2) == pytest.approx(float(best.chi2), abs=0.05)
    assert found.sizes["start"] == 12
    assert list(found.minimum.values[:2]) == sorted(found.minimum.values[:2])


def test_one_element_and_one_component(folder: Path) -> None:
    one = component("only", 1, difference={})
    found = solve(deck(data=[{"table": "AIR_H_totalEnergy"}], component=[one]), folder)
    assert "alpha_difference" not in found
    assert list(found.species.values) == ["H"]
    assert headline(found)


def test_figure(solved: xr.Dataset) -> None:
    assert len(draw(solved, [])[""].axes) == 4  # each with what is measured over the sum


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"component": []}, "component is missing"),
        ({"component": [component("a", 0), component("a", 1)]}, "two components have one name"),
        (
            {"component": [component("a", 0), component("b", 1, difference={})]},
            "difference needs the same elements",
        ),
        ({"component": [{"name": "a"}]}, "component.0.alpha: is missing"),
        ({"component": [component("a", 0, Rc=1)]}, 'did you mean "R_c"'),
        ({"starts": 0}, "must be from 1 to 10000"),
        ({"data": [{"table": "A"}, {"table": "A"}]}, "names A twice"),
        ({"component": [component("a", 0, alpha={"start": 1, "lower": 2, "upper": 3})]}, "beyond"),
        (
            {
                "component": [
                    component("a", 0, R_c={"start": 1, "lower": 1, "upper": 2, "published": [1, 2]})
                ]
            },
            "published needs a value, or value, error downwards, error upwards",
        ),
    ],
)
def test_a_wrong_deck_is_told(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(DeckError) as caught:
        deck(**changes)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"data": [{"table": "AIR_H_totalEnergy"}]},
            "component low: difference must name each element after the first (H) of the data:",
        ),
        (
            {"component": [component("a", 0, difference={})]},
            "must name each element after the first (H) of the data: He; has none",
        ),
        (
            {
                "data": [{"table": "SKY_H_kineticEnergy", "R_max": 200}],
                "component": [component("a", 0, difference={}), component("b", 1, difference={})],
            },
            "5 points cannot tell 6 numbers: fewer components",
        ),
    ],
)
def test_tables_that_do_not_fit_are_told(folder: Path, changes: Any, said: str) -> None:
    with pytest.raises(MeasurementError) as caught:
        read(deck(**changes), folder)
    assert said in str(caught.value)
