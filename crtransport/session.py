"""Running decks into a folder: what is checked before, and which files come out."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from crtransport.console import InputError
from crtransport.deck.burst import BurstDeck
from crtransport.deck.galaxy import GalaxyDeck
from crtransport.deck.read import deck_name
from crtransport.deck.schema import Deck
from crtransport.measurements import gsf
from crtransport.measurements.table import Measurement, MeasurementError
from crtransport.output import check_folder, netcdf_bytes, png_bytes, write_atomic
from crtransport.run import FROM_TABLES, MODELS, measured, measured_names, run, without_folder

PLOTS = {
    "flux-tube": "crtransport.plots.flux_tube",
    "galaxy": "crtransport.plots.galaxy",
    "burst": "crtransport.plots.burst",
    "clusters": "crtransport.plots.clusters",
}


@dataclass(frozen=True, kw_only=True)
class Result:
    """What the user is told of one run."""

    name: str
    headline: list[tuple[str, str]]
    error: float
    tolerance: float
    files: list[Path]

    @property
    def converged(self) -> bool:
        """Whether the error estimate is within the tolerance; NaN is not."""
        return self.error <= self.tolerance

    def error_text(self) -> str:
        """The error estimate beside the tolerance."""
        return f"{self.error:.1e} (tolerance {self.tolerance:.0e})"


@dataclass(frozen=True, kw_only=True)
class Session:
    """Where results go, whether figures are wanted, and where measured tables lie."""

    folder: Path
    plots: bool
    data: Path | None = None

    def check(self, decks: Mapping[str, Deck]) -> None:
        """Find before the first run what would prevent writing after it.

        Raises
        ------
        InputError
        """
        try:
            check_folder(self.folder)
        except FileExistsError:
            raise InputError(f"{self.folder} is a file; -o needs a folder") from None
        except OSError as error:
            raise InputError(f"cannot write into {self.folder}: {error.strerror}") from None
        if self.data is not None and not self.data.is_dir():
            raise InputError(f"no folder {self.data} of measured tables (--data)")
        names: dict[str, str] = {}
        for source, deck in decks.items():
            name = deck_name(source)
            if name in names:
                why = f"{names[name]} and {source} would both write {name}.nc; rename one of them"
                raise InputError(why)
            names[name] = source
            self._check_target(source, self.folder / f"{name}.nc")
            try:
                measured(deck, self.data)
            except (OSError, LookupError, ValueError) as error:
                raise InputError(f"{source}: compare.measurements: {error}") from None
            if deck.model in FROM_TABLES:
                self._check_tables(source, deck)

    def _check_tables(self, source: str, deck: Deck) -> None:
        try:
            importlib.import_module(MODELS[deck.model]).read(deck, self.data)
        except MeasurementError as error:
            raise InputError(f"{source}: {error}") from None

    def _check_target(self, source: str, target: Path) -> None:
        if target.is_dir():
            raise InputError(f"cannot write {target}: it is a folder")
        if target.exists() and Path(source).exists() and target.samefile(source):
            raise InputError(f"{source} would be overwritten; give another folder with -o DIR")

    def run(self, source: str, deck: Deck) -> Result:
        """Run one deck and write its files."""
        name = deck_name(source)
        try:
            dataset = run(deck, data=self.data)
        except MeasurementError as error:
            raise InputError(f"{source}: {error}") from None
        files = [self.folder / f"{name}.nc"]
        curves = self._reference_curves(deck) if self.plots else []
        if curves:
            dataset = dataset.assign_attrs(reference_curve=curves[0].experiment)
        write_atomic(files[0], netcdf_bytes(dataset))
        if self.plots:
            files += self._draw(name, deck, dataset, curves)
        return Result(
            name=name,
            headline=[
                *importlib.import_module(MODELS[deck.model]).headline(dataset),
                *self._left_out(deck, curves),
            ],
            error=float(dataset.attrs["error_estimate"]),
            tolerance=float(dataset.attrs["error_tolerance"]),
            files=files,
        )

    def _reference_curves(self, deck: Deck) -> list[Measurement]:
        """What is drawn of elements of which no table is at hand, if its package is there."""
        wanted = self._without_points(deck)
        return gsf.curves(wanted) if wanted and gsf.installed() else []

    def _without_points(self, deck: Deck) -> list[str]:
        """Elements whose measured fluxes the deck names and no folder was given for."""
        if self.data is not None:
            return []
        return gsf.elements(without_folder(deck), measured(deck, None))

    def _left_out(self, deck: Deck, curves: list[Measurement]) -> list[tuple[str, str]]:
        """Lines on the measured points that the deck names and no folder was given for."""
        wanted = self.plots or deck.model == "galaxy"  # whose numbers lack χ² then
        if self.data is not None or not wanted or not (missing := without_folder(deck)):
            return []
        what = "measured points"
        if isinstance(deck, GalaxyDeck) and deck.compare.fit_norms:
            what = "measured points, fit of norms"
        some = "" if missing == measured_names(deck) else f" {', '.join(missing)}"
        lines = [(what, f"left out{some}: give their folder by --data or CRTRANSPORT_DATA")]
        if curves:
            lines.append(("drawn instead", curves[0].experiment))
        elif self.plots and self._without_points(deck):
            lines.append(("", f"or, for a reference curve instead: {gsf.EXTRA}"))
        return lines

    def _draw(self, name: str, deck: Deck, dataset: Any, curves: list[Measurement]) -> list[Path]:
        import matplotlib

        matplotlib.use("agg")
        files = []
        dipoles = deck.compare.dipoles() if isinstance(deck, BurstDeck | GalaxyDeck) else []
        figures = importlib.import_module(PLOTS[deck.model]).draw(
            dataset, [*measured(deck, self.data), *curves, *dipoles]
        )
        for part, figure in figures.items():
            files.append(self.folder / (f"{name}_{part}.png" if part else f"{name}.png"))
            write_atomic(files[-1], png_bytes(figure))
        return files
