"""Running decks into a folder: what is checked before, and which files come out."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crtransport.console import InputError
from crtransport.deck.burst import BurstDeck
from crtransport.deck.flux_tube import FluxTubeDeck
from crtransport.deck.galaxy import GalaxyDeck
from crtransport.deck.read import deck_name
from crtransport.deck.schema import Deck
from crtransport.measurements import gsf
from crtransport.measurements.anisotropy import Anisotropy, load_anisotropy
from crtransport.measurements.table import Measurement, MeasurementError
from crtransport.output import (
    check_folder,
    grouped_bytes,
    netcdf_bytes,
    png_bytes,
    write_atomic,
)
from crtransport.run import (
    FROM_TABLES,
    MODELS,
    STUDIES,
    measured,
    measured_names,
    run,
    study_of,
    without_folder,
)
from crtransport.studies import scan
from crtransport.studies.fit_samples import groups
from crtransport.studies.means import Means, Tell, untold

PLOTS = {
    "flux-tube": "crtransport.plots.flux_tube",
    "galaxy": "crtransport.plots.galaxy",
    "burst": "crtransport.plots.burst",
    "bump": "crtransport.plots.bump",
    "components": "crtransport.plots.components",
    "clusters": "crtransport.plots.clusters",
}


@dataclass(frozen=True, kw_only=True)
class Result:
    """What the user is told of one run; ``failures`` of a scan or a fit, a line each."""

    name: str
    headline: list[tuple[str, str]]
    error: float
    tolerance: float
    files: list[Path]
    failures: list[str]
    tolerance_key: str = ""

    @property
    def converged(self) -> bool:
        """Whether the error estimate is within the tolerance; NaN is not."""
        return self.error <= self.tolerance

    def error_text(self) -> str:
        """The error estimate beside the tolerance."""
        return f"{self.error:.1e} (tolerance {self.tolerance:.0e})"


@dataclass(frozen=True, kw_only=True)
class Session:
    """Where results go, whether figures are wanted, where measured tables lie; what studies use."""

    folder: Path
    plots: bool
    data: Path | None = None
    means: Means = field(default_factory=Means)

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
                tables = measured(deck, self.data)
            except (OSError, LookupError, ValueError) as error:
                raise InputError(f"{source}: compare.measurements: {error}") from None
            try:
                self._dipoles(deck)
            except MeasurementError as error:
                raise InputError(f"{source}: compare.anisotropy: {error}") from None
            self._check_norms(source, deck, tables)
            if study_of(deck) == "fit":
                self._check_tables(source, deck, importlib.import_module(STUDIES["fit"]))
            if deck.model in FROM_TABLES:
                self._check_tables(source, deck, importlib.import_module(MODELS[deck.model]))

    def _check_tables(self, source: str, deck: Deck, module: Any) -> None:
        try:
            module.read(deck, self.data)
        except MeasurementError as error:
            raise InputError(f"{source}: {error}") from None

    def _check_norms(self, source: str, deck: Deck, tables: list[Measurement]) -> None:
        if not (tables and isinstance(deck, GalaxyDeck) and deck.compare.fit_norms):
            return
        from crtransport.problems.galaxy_norms import points

        try:
            points(deck, tables)
        except MeasurementError as error:
            raise InputError(f"{source}: {error}") from None

    def _check_target(self, source: str, target: Path) -> None:
        if target.is_dir():
            raise InputError(f"cannot write {target}: it is a folder")
        if target.exists() and Path(source).exists() and target.samefile(source):
            raise InputError(f"{source} would be overwritten; give another folder with -o DIR")

    def run(self, source: str, deck: Deck, tell: Tell = untold) -> Result:
        """Run one deck and write its files."""
        name = deck_name(source)
        store = self.folder / f"{name}.scan"
        try:
            if deck.scan is not None:
                dataset = scan.scan(deck, self.data, store, self.means, tell)
            elif study_of(deck) == "fit":
                fit = importlib.import_module(STUDIES["fit"])
                dataset = fit.run(deck, self.data, self.means, tell)
            else:
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
        headline, failures = self._told(deck, dataset)
        if deck.scan is not None and not failures:  # else kept: a run with --retry goes on from it
            store.unlink()
        if "posterior" in dataset:
            files.append(self.folder / f"{name}_samples.nc")
            write_atomic(files[-1], grouped_bytes(groups(dataset)))
        return Result(
            name=name,
            headline=[*headline, *self._left_out(deck, curves)],
            error=float(dataset.attrs["error_estimate"]),
            tolerance=float(dataset.attrs["error_tolerance"]),
            files=files,
            failures=failures,
            tolerance_key="solver.rtol" if hasattr(deck, "solver") else "",
        )

    def _told(self, deck: Deck, dataset: Any) -> tuple[list[tuple[str, str]], list[str]]:
        """The headline of a run, and what went wrong."""
        if deck.scan is not None:
            found = scan.failures(dataset)
            again = "the others are written; with --retry the same command tries these again"
            said = ["not all points have a result", *found, again] if found else []
            return scan.headline(dataset, deck.scan), said
        headline = importlib.import_module(MODELS[deck.model]).headline(dataset)
        wrong = dataset.attrs.get("failures", "").splitlines()
        if study_of(deck) != "fit":
            what = "the fluxes are" if deck.model == "galaxy" else "the fit is"
            return headline, _distrusted(wrong, what)
        fit = importlib.import_module(STUDIES["fit"])
        return [*fit.headline(dataset), *headline], _distrusted([*fit.failures(dataset), *wrong])

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
        if isinstance(deck, FluxTubeDeck) and self.data is None and self.plots:
            return [("measured points", _left_out())] if deck.compare.anisotropy else []
        wanted = self.plots or deck.model == "galaxy"  # whose numbers lack χ² then
        if self.data is not None or not wanted or not (missing := without_folder(deck)):
            return []
        what = "measured points"
        if isinstance(deck, GalaxyDeck) and deck.compare.fit_norms:
            what = "measured points, fit of norms"
        some = "" if missing == measured_names(deck) else f" {', '.join(missing)}"
        lines = [(what, _left_out(some))]
        if curves:
            lines.append(("drawn instead", curves[0].experiment))
        elif self.plots and self._without_points(deck):
            lines.append(("", f"or, for a reference curve instead: {gsf.EXTRA}"))
        return lines

    def _draw(self, name: str, deck: Deck, dataset: Any, curves: list[Measurement]) -> list[Path]:
        import matplotlib

        matplotlib.use("agg")
        files = []
        for part, figure in self._figures(deck, dataset, curves).items():
            files.append(self.folder / (f"{name}_{part}.png" if part else f"{name}.png"))
            write_atomic(files[-1], png_bytes(figure))
        return files

    def _dipoles(self, deck: Deck) -> list[Anisotropy]:
        """Measured anisotropies that the deck has drawn: by file, or of the data folder by name."""
        if isinstance(deck, BurstDeck | GalaxyDeck):
            return deck.compare.dipoles()
        if isinstance(deck, FluxTubeDeck) and self.data is not None:
            return load_anisotropy(deck.compare.anisotropy, self.data)
        return []

    def _figures(self, deck: Deck, dataset: Any, curves: list[Measurement]) -> dict[str, Any]:
        if deck.scan is not None:
            from crtransport.plots.scan import draw

            return draw(dataset, scan.drawn(dataset, deck.scan))
        points = [*measured(deck, self.data), *curves, *self._dipoles(deck)]
        if isinstance(deck, GalaxyDeck):
            from crtransport.plots.closed_forms import with_closed_form

            dataset = with_closed_form(dataset, deck)
        figures: dict[str, Any] = importlib.import_module(PLOTS[deck.model]).draw(dataset, points)
        if study_of(deck) == "fit":
            from crtransport.plots import fit

            figures |= fit.draw(dataset)
        return figures


def _left_out(some: str = "") -> str:
    return f"left out{some}: give their folder by --data or CRTRANSPORT_DATA"


def _distrusted(found: list[str], what: str = "the fit is") -> list[str]:
    """What is said of what went wrong; nothing where nothing did."""
    written = "the results are written all the same"
    return [f"{what} not to be trusted", *found, written] if found else []
