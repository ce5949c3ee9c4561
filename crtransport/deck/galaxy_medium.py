"""What the tables of a galaxy's medium and sources must have to do with its geometry."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import numpy as np

from crtransport.deck.errors import check_all
from crtransport.physics.diffusion import AnyDiffusion
from crtransport.physics.gas import Gas
from crtransport.physics.geometry import Cylinder, Geometry, LeakyBox, Slab
from crtransport.physics.injection import Source
from crtransport.physics.reacceleration import Convection

#: largest over smallest D from place to place that the solvers' rounding leaves room for
_LARGEST_RANGE = 1e8


def check_medium(geometry: Geometry, diffusion: AnyDiffusion, gas: Gas) -> None:
    """Refuse a medium that does not fit into the volume.

    Raises
    ------
    ValueError
    """
    if isinstance(geometry, LeakyBox):
        _check_box(diffusion, gas)
        return
    for phase, height in gas.heights().items():
        if height >= geometry.z_h:
            raise ValueError(
                f"geometry.z_h = {geometry.z_h:g} kpc is not above gas.{phase}'s scale height, "
                f"{height:g} kpc"
            )
    _refuse_gaps(geometry, gas)
    if isinstance(geometry, Slab):
        _refuse_radial(diffusion, 'with geometry.kind = "slab"')
    radii = [geometry.r_h, 0.0] if isinstance(geometry, Cylinder) else [geometry.r_sun]
    _check_range(diffusion, radii, geometry.z_h)


def _refuse_gaps(geometry: Cylinder | Slab, gas: Gas) -> None:
    """A table of gas that stops while there is some leaves a gap that nobody meant."""
    for key, table in gas.tables():
        r, n = table.r, table.n
        if isinstance(geometry, Slab):
            if not r[0] <= geometry.r_sun <= r[-1]:
                raise ValueError(
                    f"{key}: the table goes from r = {r[0]:g} to {r[-1]:g} kpc, "
                    f"without geometry.r_sun = {geometry.r_sun:g} kpc"
                )
            continue
        if r[0] > 0 and n[0] > 0:
            raise ValueError(
                f"{key}: the table begins at r = {r[0]:g} kpc with n = {n[0]:g} 1/cm3, which "
                "leaves a gap within; begin it at r = 0, or with n = 0"
            )
        if r[-1] < geometry.r_h and n[-1] > 0:
            raise ValueError(
                f"{key}: the table ends at r = {r[-1]:g} kpc with n = {n[-1]:g} 1/cm3, which "
                f"leaves a gap up to geometry.r_h = {geometry.r_h:g} kpc; end it there, or with "
                "n = 0"
            )


def _check_box(diffusion: AnyDiffusion, gas: Gas) -> None:
    phases = (partial(_check_mixed_gas, phase, gas) for phase in ("H2", "HI", "HII"))
    check_all((*phases, partial(_check_mixed, diffusion)))


def _check_mixed_gas(phase: str, gas: Gas) -> None:
    kind = getattr(gas, phase).kind
    if kind not in ("uniform", "none"):
        raise ValueError(
            f'gas.{phase}.kind = "{kind}": a leaky box needs the mean density of its gas, '
            'kind = "uniform", or "none"'
        )


def _check_mixed(diffusion: AnyDiffusion) -> None:
    if diffusion.kind != "uniform":
        raise ValueError(
            f'diffusion.kind = "{diffusion.kind}": a leaky box is well mixed and needs "uniform"'
        )
    _refuse_radial(diffusion, "in a leaky box")


def _refuse_radial(diffusion: AnyDiffusion, where: str) -> None:
    if diffusion.anisotropy != 1:
        raise ValueError(f"diffusion.anisotropy has no effect {where}")
    if diffusion.radial is not None:
        raise ValueError(f"diffusion.radial has no effect {where}")


def _check_range(diffusion: AnyDiffusion, radii: Iterable[float], z_h: float) -> None:
    """D is monotonic between its knots, so it is largest and smallest on them or at the ends."""
    r_knots, z_knots = diffusion.kinks()
    last = max(radii)
    r = [*radii, *(knot for knot in r_knots if knot < last)]
    z = [0.0, z_h, *(knot for knot in z_knots if knot < z_h)]
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        factor = diffusion.factor(*np.meshgrid(r, z))
        span = float(np.max(factor) / np.min(factor)) if np.min(factor) > 0 else np.inf
    if not span <= _LARGEST_RANGE:
        raise ValueError(
            f"diffusion: D changes by a factor of {span:.2g} from place to place, "
            f"more than {_LARGEST_RANGE:g}"
        )


def check_wind(geometry: Geometry, convection: Convection) -> None:
    """Refuse a wind where there is no height.

    Raises
    ------
    ValueError
    """
    if isinstance(geometry, LeakyBox) and (convection.V0 or convection.dVdz):
        raise ValueError("convection has no meaning in a leaky box")


def check_place(geometry: Geometry, source: Source) -> None:
    """Refuse sources that lie outside the volume.

    Raises
    ------
    ValueError
    """
    r_knots, edges = source.kinks()
    if isinstance(geometry, LeakyBox):
        if source.vertical.kind == "thin-disk" or edges:
            raise ValueError(
                f'source "{source.name}": vertical.kind = "{source.vertical.kind}" '
                f"{'with half_thickness ' if edges else ''}has no meaning in a leaky box"
            )
    else:
        height = max([*edges, getattr(source.vertical, "scale", 0.0)])
        if height > geometry.z_h:
            raise ValueError(
                f"geometry.z_h = {geometry.z_h:g} kpc is below the height of source "
                f'"{source.name}", {height:g} kpc'
            )
    r = np.array([geometry.r_sun])
    if isinstance(geometry, Cylinder):
        # knots, and places between them: none but r = 0 and r_h are zeros of a closed form
        ends = np.unique([0.0, *(k for k in r_knots if k < geometry.r_h), geometry.r_h])
        r = np.concatenate([ends[:-1], (ends[1:] + ends[:-1]) / 2])
    if not np.any(source.radial.at(r, geometry.r_sun) > 0):
        raise ValueError(f'source "{source.name}": radial is zero everywhere inside the galaxy')
