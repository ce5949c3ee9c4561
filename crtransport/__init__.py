"""Cosmic-ray transport: fast PDE solvers with error estimates, run from input decks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

# not lazy: importing the module crtransport.run would hide a lazy function of the same name
from crtransport.run import batch, run
from crtransport.version import __version__

__all__ = ["DeckError", "__version__", "batch", "gradient", "load_deck", "run"]

if TYPE_CHECKING:
    from crtransport.deck.errors import DeckError
    from crtransport.deck.load import load_deck
    from crtransport.problems.galaxy_gradient import gradient


def __getattr__(name: str) -> Any:
    # lazy: `import crtransport` and `crtransport --help` load neither pydantic nor NumPy
    if name == "load_deck":
        from crtransport.deck.load import load_deck

        return load_deck
    if name == "gradient":
        from crtransport.problems.galaxy_gradient import gradient

        return gradient
    if name == "DeckError":
        from crtransport.deck.errors import DeckError

        return DeckError
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
