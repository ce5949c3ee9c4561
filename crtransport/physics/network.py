"""Networks of nuclides by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from crtransport.nuclide_tables import DAUGHTERS, MASS_EXCESS
from crtransport.nuclides import Nuclide, nuclide

#: charge of the heaviest element of a light network
_SILICON = 14

#: name -> all that it may have: up to nickel, or to silicon
NETWORKS = {
    "full": tuple(MASS_EXCESS),
    "light": tuple(name for name in MASS_EXCESS if nuclide(name).charge <= _SILICON),
}


def order(nucleus: Nuclide) -> tuple[int, bool, int]:
    """Sorts nuclides so that parents stand before children.

    What is heavier first; of the same mass, what decays, and then what has more charge.
    """
    return -nucleus.mass_number, nucleus.half_life is None, -nucleus.charge


def why_not_made(parent: Nuclide, child: Nuclide) -> str:
    """What prevents collisions of a parent from making this child here; "" where nothing does.

    Charge exchange leaves a nuclide as heavy as before, which is made where it comes later in
    `order`: 10Be -> 10B, but not 10B -> 10Be.
    """
    if child.mass_number > parent.mass_number:
        return "the child is heavier than the parent"
    if order(parent) >= order(child):
        return "of nuclides as heavy as each other, the child is solved before the parent"
    return ""


def followed(
    candidates: Iterable[str], emitted: Callable[[str], bool], makes: Callable[[str, str], bool]
) -> tuple[str, ...]:
    """The candidates that sources emit, or that others of them make by collisions or decay.

    Parents first, so that whatever makes a nuclide is known.
    """
    found: list[str] = []
    for name in sorted(candidates, key=lambda n: order(nuclide(n))):
        made = any(makes(parent, name) or DAUGHTERS.get(parent) == name for parent in found)
        if made or emitted(name):
            found.append(name)
    return tuple(sorted(found, key=lambda n: (nuclide(n).charge, nuclide(n).mass_number)))
