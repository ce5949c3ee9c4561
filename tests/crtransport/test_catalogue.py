"""Catalogues of sources: the same as sources one by one, and every wrong cell is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import crtransport
from crtransport.deck.errors import DeckError
from crtransport.deck.load import load_deck
from crtransport.physics.catalogue import Catalogue

HEAD = "name,distance [pc],age [kyr],l,b,alpha,R_c [TV],W_H,W_He"
ROWS = (
    "A,250,340,195.1,4.3,2.1,120,1e50,1.8e50",
    '"B, the second",400,80,20,-10,2.2,900,3e49,0',
    "C,900,1500,100,1,2.3,50,2e50,1e50",
    "D,150,60,300,2,2.0,10,1e48,1e48",
)
OUTPUT = {"per_decade": 3, "T_min": 100.0, "T_max": 1e6}


def written(folder: Path, *lines: str) -> str:
    path = folder / "sources.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)


def deck(file: str, **more: Any) -> dict[str, Any]:
    tables: dict[str, Any] = {"model": "burst", "catalogue": {"file": file}, "output": OUTPUT}
    return tables | more


def one_by_one() -> list[dict[str, Any]]:
    keys = "name", "distance", "age", "l", "b", "alpha", "R_c"
    found = []
    for row in ROWS:
        *cells, h, he = row.replace('"B, the second"', "B").split(",")
        numbers = [float(cell) for cell in cells[1:]]
        source: dict[str, Any] = dict(zip(keys, [cells[0], *numbers], strict=True))
        scales = {"distance": 1e-3, "age": 1e3, "R_c": 1e3}
        source |= {key: factor * source[key] for key, factor in scales.items()}
        found.append(source | {"W": {"H": float(h), "He": float(he)}})
    return found


@pytest.mark.parametrize("medium", ["uniform", "slab", "two-halo"])
def test_a_catalogue_is_its_sources_one_by_one(tmp_path: Path, medium: str) -> None:
    given = {"medium": medium} | ({} if medium == "uniform" else {"z_h": 3.0})
    gas = {"gas": {"density": 2.0}}
    listed = crtransport.run(deck(written(tmp_path, HEAD, *ROWS), **given, **gas))
    named = crtransport.run(
        {"model": "burst", "local_source": one_by_one(), "output": OUTPUT} | given | gas
    )
    rtol = 1e-4 if medium == "two-halo" else 1e-11
    for name in ("flux_total", "dipole", "dipole_phase", "dipole_b"):
        np.testing.assert_allclose(listed[name], named[name], rtol=20 * rtol, atol=1e-9)
    np.testing.assert_allclose(listed.flux_total, named.flux_total, rtol=rtol)
    assert set(listed.source.values) == {"A", "B, the second", "C", "D", "all others"}
    assert np.all(listed.flux.sel(source="all others") == 0)
    assert listed.attrs["error_estimate"] < listed.attrs["error_tolerance"]


def test_the_brightest_are_told_and_the_others_summed(tmp_path: Path) -> None:
    file = written(tmp_path, HEAD, *ROWS)
    whole = crtransport.run(deck(file))
    some = crtransport.run(deck(file, output=OUTPUT | {"brightest": 1}))
    assert some.sizes["source"] == 2
    np.testing.assert_allclose(some.flux_total, whole.flux_total, rtol=1e-13)
    np.testing.assert_allclose(some.dipole, whole.dipole, rtol=1e-12)
    brightest = str(some.source.values[0])
    scaled = (whole.flux * whole.kinetic_energy**2.7).sum(("species", "kinetic_energy"))
    assert brightest == str(whole.source.values[int(np.argmax(scaled.values))])


def test_the_error_is_told_also_where_no_source_is(tmp_path: Path) -> None:
    file = written(tmp_path, HEAD, *ROWS)
    here = deck(file, medium="two-halo", output=OUTPUT | {"brightest": 0})
    found = crtransport.run(here)
    assert list(found.source.values) == ["all others"]
    assert 1e-9 < found.attrs["error_estimate"] < found.attrs["error_tolerance"]


def test_columns_may_stand_in_the_deck(tmp_path: Path) -> None:
    short = written(tmp_path, "age,b,l,distance", "3.4e5,4.3,195.1,0.25")
    constants = {"alpha": 2.1, "R_c": "120 TV", "W": {"H": 1e50}}
    found = crtransport.run(deck(short, catalogue={"file": short} | constants))
    assert list(found.source.values) == ["line 2", "all others"]
    source = {"name": "A", "age": 3.4e5, "b": 4.3, "l": 195.1, "distance": 0.25} | constants
    alone = crtransport.run({"model": "burst", "local_source": [source], "output": OUTPUT})
    np.testing.assert_allclose(found.flux_total, alone.flux_total, rtol=1e-12)


def test_each_key_of_the_deck_matters(tmp_path: Path) -> None:
    short = written(tmp_path, "age,b,l,distance", "3.4e5,4.3,195.1,0.25")
    keys = {"alpha": 2.1, "R_c": 1e5, "W": {"H": 1e50}, "threshold": 1.0, "energy": "total"}
    before = crtransport.run(deck(short, catalogue={"file": short} | keys)).flux_total
    for change in ({"alpha": 2.2}, {"R_c": 9e4}, {"W": {"H": 2e50}}, {"threshold": 2.0}):
        after = crtransport.run(deck(short, catalogue={"file": short} | keys | change)).flux_total
        assert np.all(after != before)


def test_long_files_are_read_in_blocks(tmp_path: Path) -> None:
    row = "x,250,340,195.1,4.3,2.1,120,1e50,1.8e50"
    catalogue = Catalogue(file=written(tmp_path, "# many", HEAD, *[row] * 3500))
    sizes = [len(block) for block in catalogue.blocks()]
    assert sum(sizes) == catalogue.extent.rows == 3500
    assert max(sizes) <= 1000


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (("name,distance,l,b,alpha,R_c,W_H", "A,1,1,1,2,1e5,1e50"), "has no column age"),
        (("distance,age,l,b,R_C,alpha,W_H", "1,1e5,1,1,1e5,2,1e50"), "nearest: R_C"),
        (("distance,age,l,b,alpha,R_c", "1,1e5,1,1,2,1e5"), "no column W_H"),
        ((HEAD, ROWS[0], "B,far,80,20,1,2.2,900,3e49,0"), "line 3, column distance: 'far' is no"),
        ((HEAD, "B,0,80,20,1,2.2,900,3e49,0"), "line 2, column distance: '0' must be greater"),
        ((HEAD, "B,1,-80,20,1,2.2,900,3e49,0"), "line 2, column age: '-80' must be greater"),
        ((HEAD, "B,1,80,20,1,2.2,900,-3e49,0"), "column W_H: '-3e49' must be at least 0"),
        ((HEAD, "B,1,80,20,1,2.2,900,nan,0"), "column W_H: 'nan' must be a finite number"),
        ((HEAD, "B,1,80,20,99,2.2,900,1e49,0"), "column b: '99' must be"),
        ((HEAD, "B,1,80,20,1,2.2,900,3e49"), "line 2: 8 columns where the names are 9"),
        ((HEAD, "B,1,80,20,1,2.2,1e-4,3e49,0"), "line 2: R_c = 0.1 GV is below the threshold"),
        ((HEAD,), "has no rows"),
        (("# nothing",), "has no rows"),
        (("distance [s],age,l,b,alpha,R_c,W_H", "1,1e5,1,1,2,1e5,1e50"), "wrong dimension"),
        (("distance,age,l,b,alpha,R_c,W_Xx", "1,1e5,1,1,2,1e5,1e50"), 'unknown element "Xx"'),
        (("distance,distance,age,l,b,alpha,R_c,W_H", "1,1,1e5,1,1,2,1e5,1e50"), "given twice"),
    ],
)
def test_a_wrong_catalogue_is_refused_in_words(
    tmp_path: Path, lines: tuple[str, ...], message: str
) -> None:
    with pytest.raises(DeckError) as caught:
        load_deck(deck(written(tmp_path, *lines)))
    assert message in str(caught.value)


def test_what_does_not_go_together_is_refused(tmp_path: Path) -> None:
    file = written(tmp_path, HEAD, "A,6000,340,195.1,80,2.1,120,1e50,1e50")
    for changes, message in (
        ({"medium": "two-halo"}, "line 2: lies at |z| = 5.91 kpc, outside the halo"),
        ({"medium": "two-zone", "bubble": {}}, "name such sources one by one"),
        (
            {"medium": "two-halo", "z_h": 9.0, "gas": {"density": 1.0, "half_thickness": 0.1}},
            "leave it out, for gas all over",
        ),
        ({"catalogue": {"file": file, "alpha": 2.0}}, "alpha is given twice"),
        ({"catalogue": {"file": str(tmp_path / "none.csv")}}, "No such file"),
    ):
        with pytest.raises(DeckError) as caught:
            load_deck(deck(file, **changes))
        assert message in str(caught.value)
