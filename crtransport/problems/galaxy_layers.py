"""How thin the layers of a galaxy are, and how short the elements beside them have to be."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crtransport.constants import KPC, MYR
from crtransport.deck.galaxy import GalaxyDeck
from crtransport.nuclides import Nuclide, nuclide
from crtransport.physics.nuclear import RATE

Array = NDArray[np.float64]

#: an element beside a layer, over the length on which something changes there by e: an
#: exponential or 1/(1 + x²) on so much of its scale is a polynomial of degree 5 to 1e-3, and what
#: a flux errs by is the square of that
_PER_SCALE = 2.0
#: the same of the length on which losses change the density: measured, 1e-5 in the flux of iron
#: out of a thin disk
_PER_LOSS = 2.5
#: energies at which that is asked, GeV/n: what is there below was lost by more energetic ones
_COOLED, _ENERGIES = 0.05, 12
#: −d ln N/d ln p, about: a loss −(dp/dt)/p takes so much of N, and D_pp/p² about its square
_SLOPE = 2.5
#: an element in r, over the length on which sources, gas or D change by e
_PER_RADIAL = 3.0
#: an element in r beside a kink, over z_h: what comes of a kink falls by e over 2 z_h/π
_PER_HEIGHT = 1.5
#: what is narrower in r than sources and gas are high is smeared out, kpc
_NARROW = 0.15

#: places, and the longest elements beside them, kpc
Layers = Sequence[tuple[float, float]]


def layers(deck: GalaxyDeck) -> Layers:
    """Heights at which something changes fast, and the highest elements beside them."""
    scales = [z for _, z in (deck.gas.scales(), *_source_scales(deck))]
    found = {0.0: min(scales)}
    for z, scale in deck.diffusion.layers():
        found[z] = min(found.get(z, math.inf), scale)
    thin = [
        (z, min(_PER_SCALE * scale, _PER_LOSS * _loss_length(deck, z)))
        for z, scale in found.items()
    ]
    return [*thin, (deck.geometry.z_h, _PER_SCALE * _outflow(deck))]  # type: ignore[union-attr]


def longest(deck: GalaxyDeck) -> float:
    """The longest elements in r that sources, gas and D ask for, kpc."""
    radial = deck.diffusion.radial
    scales = [r for r, _ in (deck.gas.scales(), *_source_scales(deck))]
    return _PER_RADIAL * min(scales if radial is None else [radial.scale(), *scales])


def kinks(deck: GalaxyDeck, places: Sequence[float]) -> Layers:
    """Radii at which D, gas or sources have kinks, in order, and the longest elements there."""
    apart = [math.inf, *np.diff(places), math.inf]
    largest = _PER_HEIGHT * deck.geometry.z_h  # type: ignore[union-attr]
    return [(r, min(largest, max(_NARROW, min(apart[i : i + 2])))) for i, r in enumerate(places)]


def _source_scales(deck: GalaxyDeck) -> list[tuple[float, float]]:
    r_sun = deck.geometry.r_sun
    return [source.scales(r_sun) for source in deck.source]


class _At(NamedTuple):
    """An extreme nuclide at the energies that a grid is made for, and D in the halo, kpc2/Myr."""

    nucleus: Nuclide
    rigidity: Array
    momentum: Array
    beta: Array
    diffusion: Array


def _nuclei(deck: GalaxyDeck) -> Iterator[_At]:
    first = max(_COOLED, deck.output.T_min)
    energy = np.geomspace(first, max(deck.output.T_max, first), _ENERGIES)
    for nucleus in _extreme([nuclide(name) for name in deck.nuclides]):
        rigidity = nucleus.rigidity(energy)
        beta = nucleus.beta(rigidity)
        diffusion = deck.diffusion.halo(rigidity, beta) * MYR / KPC**2
        yield _At(nucleus, rigidity, nucleus.momentum(rigidity), beta, diffusion)


def _extreme(nuclei: Sequence[Nuclide]) -> Iterable[Nuclide]:
    """Those that lose most energy, break up most, and diffuse least at an energy per nucleon."""
    most = (
        max(nuclei, key=lambda n: n.charge**2 / n.mass_number),
        max(nuclei, key=lambda n: n.mass_number),
        min(nuclei, key=lambda n: n.mass_number / n.charge),
    )
    return dict.fromkeys(most)


def _loss_length(deck: GalaxyDeck, z: float) -> float:
    """Shortest √(D/rate) of collisions, losses and reacceleration, by nuclides and energies."""
    here = np.array(deck.geometry.r_sun), np.array(z)
    neutral, ionised = float(deck.gas.neutral(*here)), float(deck.gas.ionised(*here))
    factor = float(deck.diffusion.factor(*here))
    losses, nuclear, waves = deck.losses, deck.nuclear, deck.reacceleration
    helium, fastest = deck.gas.helium, 0.0
    for nucleus, rigidity, momentum, beta, diffusion in _nuclei(deck):
        spread = waves.strength(rigidity, beta, deck.diffusion)
        rate = _SLOPE**2 * spread / (1.0 if waves.uniform else factor)
        for loss, gas in (
            (losses.ionisation_rate(nucleus, momentum, helium), neutral),
            (losses.coulomb_rate(nucleus, momentum), ionised),
            (losses.continuous_rate(momentum), 1.0),
        ):
            if loss is not None:
                rate += _SLOPE * gas * loss
        if nuclear.spallation:
            sigma = nuclear.total(nucleus, nucleus.kinetic_energy(rigidity), helium)
            rate += RATE * beta * sigma * (neutral + ionised)
        fastest = max(fastest, float(np.max(rate / diffusion)) / factor)
    return 1 / math.sqrt(fastest) if fastest > 0 else math.inf


def _outflow(deck: GalaxyDeck) -> float:
    """Shortest D/V at the top: what a wind carries there falls to 0 within so much."""
    top, wind = deck.geometry.z_h, deck.convection  # type: ignore[union-attr]
    speed = (wind.V0 + wind.dVdz * top) * 1e5 * MYR / KPC
    if speed == 0:
        return math.inf
    slow = float(deck.diffusion.factor(np.array(deck.geometry.r_sun), np.array(top)))
    return slow * min(float(np.min(at.diffusion)) for at in _nuclei(deck)) / speed
