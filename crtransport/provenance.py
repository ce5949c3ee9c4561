"""What a result says of where it comes from: enough to repeat the run."""

from __future__ import annotations

import json
import platform
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING

from crtransport.version import __version__

if TYPE_CHECKING:
    from crtransport.deck.schema import Deck

_LIBRARIES = ("numpy", "scipy", "numba", "xarray", "netCDF4")


def attributes(deck: Deck) -> dict[str, str]:
    """Attributes of the dataset of a run; ``deck`` and ``versions`` are JSON."""
    from crtransport.deck.schema import resolve

    return {
        "Conventions": "CF-1.11",
        "title": deck.title or f"crtransport: {deck.model}",
        "source": f"crtransport {__version__}",
        "deck": json.dumps(resolve(deck)),
        "versions": json.dumps(_versions()),
    }


@cache
def _versions() -> dict[str, str]:
    versions = {"crtransport": __version__, "python": platform.python_version()}
    return versions | {name: version(name) for name in _LIBRARIES}
