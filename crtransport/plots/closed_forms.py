"""Closed forms of the galaxy's fluxes where a deck has one: slabs, cylinders and leaky boxes.

The transport is that of `crtransport.analytic`, which shares no code with the solvers; what the
sources set free is the deck's own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from crtransport.analytic import galaxy as exact
from crtransport.analytic import galaxy_cylinder as cylinder
from crtransport.analytic import galaxy_leaky_box as box
from crtransport.analytic import galaxy_slab as slab
from crtransport.deck.galaxy import GalaxyDeck
from crtransport.nuclides import Nuclide, nuclide
from crtransport.physics.diffusion import TwoHalo

Array = NDArray[np.float64]
#: density per momentum of a nuclide at T in GeV/n, cm^-3 (GeV/n)^-1
Density = Callable[[Nuclide, Array], Array]

_R0 = 4.0  # GV, in the law of D of `crtransport.analytic`


def with_closed_form(dataset: xr.Dataset, deck: GalaxyDeck) -> xr.Dataset:
    """The dataset with ``flux_closed_form`` and ``ratio_closed_form`` where the deck has one.

    Parameters
    ----------
    dataset : xarray.Dataset
        Of `crtransport.problems.galaxy.solve`.
    deck : GalaxyDeck
    """
    found = closed_form(deck)
    if found is None:
        return dataset
    formula, density = found
    energy = dataset.kinetic_energy.values
    rows = {
        name: exact.flux(density(nuclide(name), energy))
        for name in map(str, dataset.nuclide.values)
    }
    said = {"units": dataset.flux_lis.attrs.get("units", ""), "formula": formula}
    dims = ("nuclide", "kinetic_energy")
    variables: dict[str, Any] = {"flux_closed_form": (dims, np.stack(list(rows.values())), said)}
    if deck.output.ratios:
        pairs = [deck.parts(ratio) for ratio in deck.output.ratios]
        ratios = [sum(rows[n] for n in top) / sum(rows[n] for n in low) for top, low in pairs]
        over = ("ratio_name", "kinetic_energy")
        variables["ratio_closed_form"] = (over, np.stack(ratios), {"units": "1"})
    return dataset.assign(variables)


def closed_form(deck: GalaxyDeck) -> tuple[str, Density] | None:
    """The formula of a deck in words of the field, and its densities; None where it has none."""
    if not _is_plain(deck):
        return None
    by_kind = {"slab": _slab, "cylinder": _cylinder, "leaky-box": _leaky_box}
    return by_kind[deck.geometry.kind](deck)


def _is_plain(deck: GalaxyDeck) -> bool:
    """Whether nothing acts that no closed form here has."""
    gas = [deck.gas.H2, deck.gas.HI, deck.gas.HII]
    empty = all(one.kind == "none" for one in gas)
    thin = all(one.kind in ("none", "thin-disk") for one in gas) and deck.gas.HII.kind == "none"
    losses = deck.losses.ionisation or deck.losses.coulomb
    wind = deck.convection
    return (
        len(deck.source) == 1
        and not deck.local_source
        and deck.normalisation is None
        and deck.diffusion.radial is None
        and deck.diffusion.anisotropy == 1
        and deck.diffusion.R0 == _R0
        and deck.diffusion.smoothness == 0.5
        and not deck.diffusion.breaks
        and (empty or (thin and not losses and deck.nuclear.inelastic == "constant"))
        and wind.dVdz == 0
        and not (wind.V0 and wind.adiabatic)
    )


def _speed(nucleus: Nuclide, energy: Array) -> Array:
    return exact.beta(energy, nucleus.nucleon_mass)


def _rigidity(nucleus: Nuclide, energy: Array) -> Array:
    momentum = exact.momentum(energy, nucleus.nucleon_mass)
    return momentum * nucleus.mass_number / nucleus.charge


def _diffusion(deck: GalaxyDeck, nucleus: Nuclide, energy: Array) -> Array:
    law = {name: getattr(deck.diffusion, name) for name in ("D0", "delta1", "delta2", "R1", "eta")}
    if law["R1"] is None:  # one power law, whatever R1 is
        law |= {"delta2": law["delta1"], "R1": _R0}
    return exact.diffusion(_rigidity(nucleus, energy), _speed(nucleus, energy), **law)


def _emitted(deck: GalaxyDeck, nucleus: Nuclide, energy: Array) -> Array:
    source = deck.source[0]
    if not source.emits(nucleus):
        return np.zeros_like(energy)
    return np.exp(source.log_spectrum(nucleus, _rigidity(nucleus, energy)))


def _collisions(deck: GalaxyDeck, nucleus: Nuclide, energy: Array, sigma: float) -> Array:
    """β c σ of a thin disk's gas, kpc/Myr."""
    sheet = float(deck.gas.neutral_sheet(np.array([deck.geometry.r_sun]))[0])
    return exact.collision_rate(sheet, sigma, _speed(nucleus, energy))


def _destruction(deck: GalaxyDeck, nucleus: Nuclide, energy: Array) -> Array:
    sigma = deck.nuclear.cross_section if deck.nuclear.spallation else 0.0
    return _collisions(deck, nucleus, energy, sigma or 0.0)


def _decay(deck: GalaxyDeck, nucleus: Nuclide, energy: Array) -> Array:
    half_life = deck.nuclear.half_life(nucleus) if deck.nuclear.decay else None
    rate = 0.0 if half_life is None else np.log(2) / half_life
    return rate / exact.lorentz_factor(energy, nucleus.nucleon_mass)


def _is_still(deck: GalaxyDeck) -> bool:
    """Whether particles keep their momentum."""
    return not deck.losses.rate and getattr(deck.reacceleration, "v_alfven", None) == 0


def _slab(deck: GalaxyDeck) -> tuple[str, Density] | None:
    vertical, kind = deck.source[0].vertical, deck.diffusion.kind
    height = getattr(deck.geometry, "z_h", 0.0)
    wind = deck.convection.V0 * exact.KM_PER_S
    unstable = any(deck.nuclear.half_life(nuclide(n)) for n in deck.network) * deck.nuclear.decay
    layers = kind == "two-halo" and not (wind or unstable)
    if not _is_still(deck) or not (kind == "uniform" or layers):
        return None
    half = getattr(vertical, "half_thickness", None)
    if vertical.kind == "uniform" and half and kind == "uniform" and not (wind or unstable):
        if deck.gas.HI.kind != "none" or deck.gas.H2.kind != "none":
            return None

        def thick(nucleus: Nuclide, energy: Array) -> Array:
            spread = _diffusion(deck, nucleus, energy)
            # per source and diffusion of 1, as both depend on energy
            shape = float(slab.uniform_source(0.0, 1.0, half, 1.0, height))
            return _emitted(deck, nucleus, energy) * shape / spread

        return "N₀ = q h (H − h/2)/D", thick
    if vertical.kind != "thin-disk":
        return None

    def escape(nucleus: Nuclide, energy: Array) -> Array:
        spread = _diffusion(deck, nucleus, energy)
        if layers:
            assert isinstance(deck.diffusion, TwoHalo)
            resistance = slab.two_halo_resistance(height, deck.diffusion.xi, deck.diffusion.h)
            return slab.layered_escape(resistance / spread)
        return slab.escape(spread, height, wind=wind, decay=_decay(deck, nucleus, energy))

    pairs = [(a, b) for a in deck.network for b in deck.network if a != b]
    follows = deck.nuclear.secondaries
    made = {f"{a}->{b}": (a, b) for a, b in pairs if follows and deck.nuclear.makes(a, b)}
    parents, children = ({pair[i] for pair in made.values()} for i in (0, 1))
    if not set(made) <= set(deck.nuclear.channels) or parents & children or (made and unstable):
        return None  # of measured cross sections, or in more than one step
    if unstable and len({nuclide(name).mass_number for name in deck.network}) < len(deck.network):
        return None  # what decays may feed an isobar

    def density(nucleus: Nuclide, energy: Array) -> Array:
        fed = _emitted(deck, nucleus, energy)
        momentum = exact.momentum(energy, nucleus.nucleon_mass)
        for channel, (name, child) in made.items():
            if child == nucleus.name:
                parent = nuclide(name)
                mass = parent.nucleon_mass
                before = momentum**2 / (np.hypot(momentum, mass) + mass)
                sigma = deck.nuclear.channels[channel]
                fed = fed + _collisions(deck, parent, before, sigma) * density(parent, before)
        return fed / (escape(nucleus, energy) + _destruction(deck, nucleus, energy))

    if made:
        return "N = S_(p→s) N_p/(2D/H + S)", density
    if layers:
        return "N₀ = Q/(2/I + S), I = ∫₀ᴴ dz/D", density
    if unstable:
        return "N₀ = Q/(V + 2Dk coth kH + S), k² = V²/4D² + G/D", density
    if wind:
        return "N₀ = Q/[2V/(1 − e^(−VH/D)) + S]", density
    return "N₀ = Q/(2D/H + S)", density


def _cylinder(deck: GalaxyDeck) -> tuple[str, Density] | None:
    size, source = deck.geometry, deck.source[0]
    radius, height = getattr(size, "r_h", 0.0), getattr(size, "z_h", 0.0)
    flat = deck.diffusion.kind == "uniform" and source.vertical.kind == "thin-disk"
    alone = len(deck.network) == 1
    if not _is_still(deck) or not (flat and alone):
        return None
    if source.radial.kind == "uniform":
        modes = cylinder.disk_modes(radius, radius)
    elif source.radial.kind == "power-exponential":
        modes = cylinder.profile_modes(lambda r: source.radial.at(r, size.r_sun), radius)
    else:
        return None
    wind = deck.convection.V0 * exact.KM_PER_S

    def density(nucleus: Nuclide, energy: Array) -> Array:
        rows = []
        for t in energy[:, None]:
            spread = float(_diffusion(deck, nucleus, t)[0])
            leak = cylinder.radial_decay(spread, radius, len(modes)) + _decay(deck, nucleus, t)
            escape = slab.escape(spread, height, wind=wind, decay=leak)
            weights = modes / (escape + _destruction(deck, nucleus, t))
            rows.append(float(cylinder.series(weights, size.r_sun, radius)))
        return _emitted(deck, nucleus, energy) * np.array(rows)

    return "N₀ = Σ (qᵢ/Aᵢ) J₀(ζᵢ r/R)", density


def _leaky_box(deck: GalaxyDeck) -> tuple[str, Density] | None:
    law, losses, source = deck.diffusion, deck.losses, deck.source[0]
    rising = law.delta1
    constant = rising == 0 and losses.slope == 0
    strength = getattr(deck.reacceleration, "K", 0.0 if _alfven_is_off(deck) else None)
    empty = deck.gas.HI.kind == deck.gas.H2.kind == "none"
    if not empty or len(deck.network) > 1 or strength is None:
        return None
    if law.delta2 not in (None, rising) or law.eta != 0 or deck.convection.V0:
        return None
    time, rate = getattr(deck.geometry, "escape_time", 0.0), losses.rate

    def momenta(nucleus: Nuclide, energy: Array) -> Array:
        return exact.momentum(energy, nucleus.nucleon_mass)

    def line(nucleus: Nuclide, energy: Array) -> Array:
        at = np.log(momenta(nucleus, np.array(source.line(nucleus))))
        u = np.log(momenta(nucleus, energy))
        rates: dict[str, float] = {"reacceleration": strength, "escape": 1 / time, "loss": rate}
        return source.abundance(nucleus.name) * box.line(u, at=float(at), **rates) / np.exp(u)

    if source.injection.kind == "line":
        return (
            ("N = e^(n±(u−u₀))/[K(n₊ − n₋)], K n² + (b − 3K) n = 1/τ", line)
            if (constant and strength)
            else None
        )
    if source.injection.kind != "power-law":
        return None
    slope = source.injection.gamma - 1

    def power(nucleus: Nuclide, energy: Array) -> Array:
        response = box.power_law_response(
            slope, escape=1 / time, reacceleration=strength, loss=rate
        )
        return _emitted(deck, nucleus, energy) * response

    def cooled(nucleus: Nuclide, energy: Array) -> Array:
        loss = rate * momenta(nucleus, energy) ** losses.slope
        escape = (_rigidity(nucleus, energy) / _R0) ** rising / time
        response = [
            box.cooled_response(slope, float(b), float(e), losses.slope - rising)
            for b, e in zip(loss, escape, strict=True)
        ]
        return _emitted(deck, nucleus, energy) * np.array(response)

    if constant:
        return "N/Q = 1/[1/τ + a b − K a (a + 3)]", power
    if rate and not strength:
        return "N = (1/b) ∫ Q(u') exp[−∫ e/b du″] du'", cooled
    return None


def _alfven_is_off(deck: GalaxyDeck) -> bool:
    return getattr(deck.reacceleration, "v_alfven", None) == 0
