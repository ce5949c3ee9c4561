"""Cosmic-ray transport: fast PDE solvers with error estimates, run from input decks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["__version__", "load_deck", "run"]

if TYPE_CHECKING:
    from crtransport.deck.load import load_deck
    from crtransport.run import run


def __getattr__(name: str) -> Any:
    # lazy: `import crtransport` and `crtransport --help` load neither numba nor xarray
    if name == "load_deck":
        from crtransport.deck.load import load_deck

        return load_deck
    if name == "run":
        import importlib

        return importlib.import_module("crtransport.run").run
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
