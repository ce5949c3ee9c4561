"""Production cross sections: what they rest on, what they conserve, and tables of a user's own."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from crtransport.measurements import data_folder
from crtransport.nuclides import nuclide
from crtransport.physics.channel_file import ChannelWarning, read_channels
from crtransport.physics.channels import Channel, channels, on_helium, quality
from crtransport.physics.inelastic import inelastic
from crtransport.physics.nuclear import Nuclear

ENERGY = np.geomspace(1e-2, 1e8, 201)
PARENTS = sorted({parent for parent, _ in channels()})


def published(label: str) -> dict[tuple[str, str], tuple[np.ndarray, np.ndarray]]:
    """One published set of the data folder."""
    folder = data_folder() or Path(__file__).parents[3] / "shared" / "data"
    if not (folder / "nuclear-usine").is_dir():
        pytest.skip("no cross sections: set CRTRANSPORT_DATA to a data folder")
    sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
    try:
        import nuclear_tables
    finally:
        del sys.path[0]
    return nuclear_tables.published(folder, label)


@pytest.mark.parametrize(
    ("parent", "child", "measured"),
    [
        # mb near 1 GeV/n, sums of measured 11B and 11C: Webber et al. 1998, Korejwo et al. 1999
        ("C12", "B11", 57.0),
        ("C12", "B10", 18.8),
        ("O16", "B11", 26.2),
        # 55Mn and the isobars that decay to it: Villagrasa-Canton et al. 2007
        ("Fe56", "Mn55", 35.4),
    ],
)
def test_anchors(parent: str, child: str, measured: float) -> None:
    found = float(channels()[parent, child].at(np.array(1.0)))
    assert found == pytest.approx(measured, rel=0.07)


@pytest.mark.parametrize("label", ["GALPROP 12", "Webber 2003", "Evoli 2019"])
def test_boron_lies_among_the_published_sets(label: str) -> None:
    """Within three of the errors that a channel states for itself, at 0.5 to 10 GeV/n."""
    for (parent, child), (energy, sigma) in published(label).items():
        if child in ("B10", "B11") and parent in ("C12", "N14", "N15", "O16", "Ne20", "Mg24"):
            fast = (energy >= 0.5) & (energy <= 10)
            off = np.log(channels()[parent, child].at(energy) / sigma)[fast]
            assert np.max(np.abs(off)) < 3 * quality()[parent, child].error, (parent, child)


def test_channels_are_positive_and_smooth() -> None:
    for pair, channel in channels().items():
        found = channel.at(ENERGY)
        assert np.all(found > 0), pair
        assert np.all(np.isfinite(found)), pair
        # σ changes by less than T⁵ does: the threshold is its steepest part
        assert np.max(np.abs(np.gradient(np.log(found), np.log(ENERGY)))) < 5, pair
        assert 0 < quality()[pair].error <= 1
        assert 0 <= quality()[pair].measured <= 1


def test_a_channel_of_a_formula() -> None:
    """A threshold, a step and a bump, each at its place."""
    one = Channel(10.0, 0.5, 1.0, 0.2, 0.1, 1e-9)
    assert one.at(np.array(1e6)) == pytest.approx(10, rel=1e-9)
    assert one.at(np.array(1e-6)) == pytest.approx(15, rel=1e-5)
    assert one.at(np.array(0.1)) == pytest.approx(10 * (1 + 0.5 / 1.01 + 0.2), rel=1e-12)
    assert one._replace(T_0=1e6).at(np.array(1e6)) == pytest.approx(5, rel=1e-9)


@pytest.mark.parametrize("parent", PARENTS)
def test_fragments_hold_no_more_nucleons_than_are_destroyed(parent: str) -> None:
    """Free nucleons, and the helium of heavy parents, are in no channel: less than the whole."""
    fast = ENERGY[ENERGY > 0.3]
    nucleus = nuclide(parent)
    held = sum(
        nuclide(child).mass_number * channel.at(fast)
        for (one, child), channel in channels().items()
        if one == parent
    )
    assert np.all(held < 1.05 * nucleus.mass_number * inelastic(nucleus, fast))


@pytest.mark.parametrize(
    ("parent", "child", "energy", "ratio"),
    # exp(0.031 · 4.344^1.43), exp(0.082 · (3 + 0.41 · 2.4)^1.43), exp(0.047 · 2.6^1.43)
    [("C12", "B11", 1.51, 1.28820), ("O16", "B11", 0.43, 1.80747), ("Fe56", "Mn55", 0.73, 1.20237)],
)
def test_helium_after_ferrando(parent: str, child: str, energy: float, ratio: float) -> None:
    found = on_helium(nuclide(parent), nuclide(child), np.array(energy))
    assert found == pytest.approx(ratio, rel=1e-3)


def test_a_file_replaces_the_channels_that_it_has(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(
        "# columns s_X: kinetic energy per nucleon X [MeV/n]\n"
        "Z_parent,A_parent,Z_child,A_child,s_100,s_1000,s_10000\n"
        "6,12,5,11,60,50,40\n"
    )
    energy = np.array([0.01, 0.1, 10**-0.5, 1.0, 10.0, 1e4])
    carbon, boron, boron10 = map(nuclide, ("C12", "B11", "B10"))
    settings, built_in = Nuclear(channel_file=str(path)), Nuclear()
    found = settings.production(carbon, boron, energy, 0.0)
    assert found == pytest.approx([60, 60, 55, 50, 40, 40])
    same = [s.production(carbon, boron10, energy, 0.11) for s in (settings, built_in)]
    assert np.array_equal(*same)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("6,12,5,11,1,x", "line 2.*C12->B11: 'x' is no cross section"),
        ("6,12,5,11,1,-2", "'-2' is no cross section in mb, at least 0"),
        ("6,12,5,11,1,nan", "'nan' is no cross section"),
        ("6,12,5,11,1", "line 2.*has 5 columns, not 6"),
        ("5,11,6,12,1,1", r"no row can be used: B11->C12 \(line 2\): the child is heavier"),
        ("6,12,99,200,1,1", r"C12->\(Z = 99, A = 200\): \(Z = 99, A = 200\) is not followed"),
        ("8,16,6,11,1,1", "line 2: O16->C11: C11 is not followed; cross sections are cumulative"),
        ("6,12,5,1.5,1,1", "line 2: '1.5' is no whole number"),
        ("6,12,5,11,1,1\n6,12,5,11,1,1", "line 3.*C12->B11 is there a second time"),
    ],
)
def test_a_wrong_row_is_named(tmp_path: Path, row: str, why: str) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("Z_parent,A_parent,Z_child,A_child,s_0.1,s_1\n" + row + "\n")
    with pytest.raises(ValueError, match=why):
        read_channels(str(path))


def test_rows_that_cannot_be_used_are_told_and_the_others_read(tmp_path: Path) -> None:
    path = tmp_path / "published.csv"
    rows = ["4,10,5,10,87,0.7", "6,14,7,14,95,0.7", "5,10,4,10,3,1", "1,1,1,2,0.1,0.1"]
    rows += ["14,29,0,1,450,478", "30,64,28,62,9,9", "6,12,5,11,60,57"]
    path.write_text("\n".join(["Z_parent,A_parent,Z_child,A_child,s_0.01,s_10", *rows]))
    with pytest.warns(ChannelWarning) as told:
        found = read_channels(str(path))
    assert set(found.rows) == {("Be10", "B10"), ("C14", "N14"), ("C12", "B11")}
    assert str(told[0].message).endswith(
        "not used: B10->Be10 (line 4): of nuclides as heavy as each other, the child is solved "
        "before the parent; H1->H2 (line 5): the child is heavier than the parent; "
        "Si29->(Z = 0, A = 1) (line 6): free neutrons are not followed; "
        "(Z = 30, A = 64)->Ni62 (line 7): the parent is not followed"
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is empty"),
        ("Z,A,s_1\n", "the columns must be Z_parent,A_parent,Z_child,A_child and then s_X"),
        ("Z_parent,A_parent,Z_child,A_child,s_1,s_0.1\n", "energies must increase"),
    ],
)
def test_a_wrong_head_is_named(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=why):
        read_channels(str(path))


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(ValueError, match="No such file"):
        read_channels("nowhere.csv")
