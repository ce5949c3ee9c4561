"""Networks of nuclides by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from crtransport.nuclide_tables import DAUGHTERS, MASS_EXCESS
from crtransport.nuclides import nuclide

#: charge of the heaviest element of a light network
_SILICON = 14

#: name -> all that it may have: up to nickel, or to silicon
NETWORKS = {
    "full": tuple(MASS_EXCESS),
    "light": tuple(name for name in MASS_EXCESS if nuclide(name).charge <= _SILICON),
}


def followed(
    candidates: Iterable[str], emitted: Callable[[str], bool], makes: Callable[[str, str], bool]
) -> tuple[str, ...]:
    """The candidates that sources emit, or that others of them make by collisions or decay.

    Heaviest first, as everything is made of what is heavier, or of a parent that decays.
    """
    found: list[str] = []
    order = sorted(candidates, key=lambda n: (-nuclide(n).mass_number, n not in DAUGHTERS))
    for name in order:
        made = any(makes(parent, name) or DAUGHTERS.get(parent) == name for parent in found)
        if made or emitted(name):
            found.append(name)
    return tuple(sorted(found, key=lambda n: (nuclide(n).charge, nuclide(n).mass_number)))
