"""The shock of a flux tube, and its anisotropy as it is seen at the Sun beside measured ones."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from crtransport.cli import cli
from crtransport.console import InputError
from crtransport.deck.errors import DeckError
from crtransport.deck.flux_tube import FluxTubeDeck
from crtransport.deck.load import load_deck
from crtransport.measurements import MeasurementError
from crtransport.measurements.anisotropy import load_anisotropy
from crtransport.physics.scattering import Scattering
from crtransport.physics.tube_arrival import Arrival, TubeShock
from crtransport.plots.flux_tube import draw
from crtransport.problems.tube_shock import shock_index
from crtransport.run import run
from tests.folders import tables_of

COLUMNS = "energy,amplitude,amplitude_error,phase,phase_error"
FEW = {"output.rigidity": [1e4, 1e5], "output.zeta": [1.0], "compare.anisotropy": ["ARRAY_2020"]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    points = tmp_path / "cr-anisotropy" / "points"
    points.mkdir(parents=True)
    (points / "ARRAY_2020.csv").write_text(f"{COLUMNS}\n2e4,8e-4,1e-4,40,5\n")
    return tmp_path


def index(slope: float, up: float, down: float, rtol: float = 1e-9) -> tuple[float, float]:
    return shock_index(Scattering(slope=slope), TubeShock(beta_up=up, beta_down=down), rtol)


@pytest.mark.parametrize(
    ("up", "down", "s"), [(0.3, 0.075, 3.97882), (0.01, 0.0025, 3.99998), (0.99, 0.33, 4.231)]
)
def test_the_index_of_fast_shocks(up: float, down: float, s: float) -> None:
    """Kirk & Schneider 1987; 4.23 of ultrarelativistic ones (Kirk et al. 2000)."""
    digits = len(str(s).split(".")[1])
    assert index(1.0, up, down)[0] == pytest.approx(s, abs=10.0**-digits)


@pytest.mark.parametrize("slope", [1.0, 1.5, 5 / 3])
def test_slow_shocks_accelerate_as_diffusion_tells(slope: float) -> None:
    value, error = index(slope, 3e-5, 1e-5)
    assert value == pytest.approx(4.5, rel=1e-5)
    assert error < 1e-6


def test_the_error_of_an_index_is_told() -> None:
    value, error = index(1.5, 0.3, 0.075, rtol=1e-2)
    fine, _ = index(1.5, 0.3, 0.075)
    assert abs(value - fine) < error


def test_what_arrives_is_the_tube_among_the_background() -> None:
    arrival = Arrival(K=2.0, R0=1e4, a=0.5, ra=50.0, dec=60.0)
    share = arrival.share(np.array([1e4]))
    assert share == pytest.approx([2 / (2 + np.e)])
    changed = {"arrival.dec": 60.0, "arrival.K": 2.0, "arrival.R0": 1e4} | FEW
    found = run("malkov2023_fig2", changed).sel(rigidity=1e4).isel(zeta=0)
    dipole = float(found.relative_multipole.sel(ell=1))
    assert float(found.arrival_first_harmonic) == pytest.approx(share[0] * dipole / 2)
    assert float(found.arrival_step) == pytest.approx(share[0] * float(found.equator_step))


def test_what_is_measured_is_found_by_name_and_drawn(folder: Path) -> None:
    points = load_anisotropy(["ARRAY_2020"], folder)
    assert points[0].energy == pytest.approx([2e4])
    figure = draw(run("malkov2023_fig2", FEW), points)["arrival"]
    assert "ARRAY 2020" in [text.get_text() for text in figure.legends[0].get_texts()]
    with pytest.raises(MeasurementError, match="nearest: ARRAY_2020"):
        load_anisotropy(["ARRAY_2021"], folder)


def test_the_command_line_says_what_is_missing(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CRTRANSPORT_DATA", raising=False)

    def told(*more: str) -> Any:
        settings = [f"--set={key}={value}".replace("'", '"') for key, value in FEW.items()]
        return CliRunner().invoke(
            cli, ["run", "malkov2023_fig2", f"-o{tmp_path / 'out'}", *settings, *more]
        )

    alone = told()
    assert alone.exit_code == 0, alone.output
    assert "left out: give their folder by --data" in alone.output
    assert "first harmonic" in alone.output
    assert "flux ∝ R^−4.896" in alone.output
    wrong = told(f"--data={folder}", '--set=compare.anisotropy=["ARRAY_2021"]')
    assert isinstance(wrong.exception, InputError)  # exit code 2
    assert "no table 'ARRAY_2021'" in str(wrong.exception)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"shock.beta_down": 0.5}, "is not below beta_up"),
        ({"shock.beta_up": 1.5}, "less than 1"),
        ({"output.rigidity": []}, "arrival needs output.rigidity"),
        ({"arrival": None}, "needs the table [arrival]"),
        ({"arrival.dec": 91}, "at most 90"),
        ({"compare.anisotropy": ["A", "A"]}, "names a table twice"),
    ],
)
def test_a_wrong_deck_is_told(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(DeckError) as caught:
        load_deck("malkov2023_fig2", changes)
    assert said in str(caught.value)


def test_what_the_deck_says_of_the_measured_anisotropy() -> None:
    """Of the tube's first harmonic: a few times as much at 1 TeV, as much at 10-30, less above."""
    folder = tables_of("flux-tube")
    if not (folder / "cr-anisotropy").is_dir():
        pytest.skip("no tables in cr-anisotropy: set CRTRANSPORT_DATA to a data folder")
    deck = load_deck("malkov2023_fig2")
    assert isinstance(deck, FluxTubeDeck)
    points = load_anisotropy(deck.compare.anisotropy, folder)
    energy = np.concatenate([table.energy for table in points])
    amplitude = np.concatenate([table.amplitude for table in points])
    tube = run(deck).arrival_first_harmonic.isel(zeta=-1)
    ratio = amplitude / np.exp(np.interp(np.log(energy), np.log(tube.rigidity), np.log(tube)))

    def middle(low: float, high: float) -> float:
        return float(np.median(ratio[(energy >= low) & (energy <= high)]))

    assert middle(500, 2000) > 2.5
    assert 0.6 < middle(1e4, 3e4) < 1.4
    assert middle(1e5, 1e6) < 0.4
