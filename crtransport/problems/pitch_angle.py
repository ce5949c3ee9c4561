"""The pitch-angle operator on an axis: physics coefficients to matrices, and its eigenvalues.

With μ = sgn(x)|x|^k and everything divided by k, Eq. 2 of Malkov et al. 2023 reads

    h ∂f/∂ζ − (a f')' + w f = 0
    h = μ |x|^(k−1) E,  a = (1−μ²) D |dx/dμ| E/k,  w = v w_μ |x|^(k−1) E,  E = e^(−G)

where E carries the focusing (scattering.focusing_potential). With k = m, C = m² and no focusing
this is form (*): h = χ^(2m−1), a = 1 − χ^(2m), w = V |χ|^(m−1) or V.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crtransport.physics.flux_tube import Loss, LossKind
from crtransport.physics.scattering import Scattering, power_of_slope
from crtransport.solvers.eigen import NOISE, Modes, decay_modes
from crtransport.solvers.elements import Elements, graded_elements
from crtransport.solvers.errors import ConvergenceError
from crtransport.solvers.finite_volume import Cells, graded_faces

Array = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Medium:
    """Everything local to one ζ: scattering, loss, their rates in pc^-1, and the focusing.

    Attributes
    ----------
    scattering : Scattering
    loss : Loss
    rate : float
        C, pc^-1.
    loss_rate : float
        v, pc^-1.
    inverse_focusing_length : float
        1/L_B, pc^-1.
    """

    scattering: Scattering
    loss: Loss
    rate: float
    loss_rate: float
    inverse_focusing_length: float = 0.0


class Coordinate(NamedTuple):
    """μ = sgn(x)|x|^power, and the m that χ = sgn(μ)|μ|^(1/m) and the losses refer to."""

    power: float
    m: float

    def mu(self, x: Array) -> Array:
        """Pitch-angle cosine at x."""
        return np.asarray(np.sign(x) * np.abs(x) ** self.power)

    def x(self, chi: Array) -> Array:
        """The axis coordinate of χ."""
        return np.asarray(np.sign(chi) * np.abs(chi) ** (self.m / self.power))

    def off_equator(self, x: Array) -> Array:
        """x, but no nearer to 0 than where |x|^power underflows."""
        nearest = max(1e-30, 10 ** (-280 / self.power))
        return np.copysign(np.maximum(np.abs(x), nearest), x)

    def measure(self, x: Array) -> Array:
        """dμ/dx over the power: |x|^(k−1)."""
        return np.asarray(np.abs(x) ** (self.power - 1))


def coordinate(scattering: Scattering, slopes: tuple[float, ...] = ()) -> Coordinate:
    """The coordinate in which the coefficients are smooth, or as smooth as they can be.

    χ itself for one slope. μ where a floor keeps D finite at the equator. Where the slope varies
    along ζ, the steepest one that keeps the energy of every slope finite (power below 2 m).
    """
    if scattering.floor > 0:
        return Coordinate(1.0, scattering.m)
    powers = [power_of_slope(q) for q in (slopes or (scattering.slope,))]
    return Coordinate(min(max(powers), 1.8 * min(powers)), scattering.m)


def spectral_axis(where: Coordinate, order: int, layers: int) -> Elements:
    """Elements meeting at the equator, refined towards it by ``layers``.

    Slopes near 2 have χ^(2m−1) of a high power, which is smooth in ln μ: break it there.
    """
    breaks = tuple(mu ** (1 / where.power) for mu in (0.2, 0.02)) if where.power > 4 else ()
    return graded_elements(order, layers, breaks, extra=min(int(np.ceil(where.power)), 16) + 4)


def cell_axis(where: Coordinate, cells: int, smooth: bool) -> Cells:
    """Equal cells in x; closer together at the equator where f is not ``smooth`` there."""
    return Cells(faces=graded_faces(cells, 1.0 if smooth else 2.0))


def potential_weight(medium: Medium, mu: Array) -> Array:
    """E = exp(−G), G = ∫ dμ/(2 L_B D)."""
    if medium.inverse_focusing_length == 0:
        return np.ones_like(mu)
    slope = medium.inverse_focusing_length / (2 * medium.rate)
    return np.asarray(np.exp(-slope * medium.scattering.focusing_potential(mu)))


def streaming(medium: Medium, where: Coordinate, x: Array) -> Array:
    """h at x."""
    mu = where.mu(x)
    return mu * where.measure(x) * potential_weight(medium, mu)


def diffusion_share(medium: Medium, where: Coordinate, x: Array) -> Array:
    """D dx/dμ over the power, pc^-1: the part of a that may be rough at the equator."""
    near = where.off_equator(x)
    diffusion = medium.rate * medium.scattering.diffusion(where.mu(near))
    return np.asarray(diffusion / (where.power**2 * where.measure(near)))


def smooth_share(medium: Medium, where: Coordinate, x: Array) -> Array:
    """(1−μ²) E: the part of a that is smooth, and zero at μ = ±1."""
    mu = where.mu(x)
    return np.asarray((1 - mu**2) * potential_weight(medium, mu))


def cell_conductance(medium: Medium, where: Coordinate, axis: Cells) -> Array:
    """(n−1,) conductances of a, pc^-1."""
    return axis.conductance(
        smooth_share(medium, where, axis.inner), diffusion_share(medium, where, axis.between)
    )


def loss_density(medium: Medium, where: Coordinate, x: Array) -> Array:
    """w at x, pc^-1."""
    near = where.off_equator(x)
    mu = where.mu(near)
    weight = medium.loss.weight(mu, where.m) * where.measure(near)
    return np.asarray(medium.loss_rate * weight * potential_weight(medium, mu))


def cell_loss(medium: Medium, where: Coordinate, axis: Cells) -> Array:
    """(n,) ∫w dx of each cell, pc^-1, the power of μ in it taken exactly."""
    at_faces = medium.loss.cumulative_weight(where.mu(axis.faces), where.m)
    weight = potential_weight(medium, where.mu(axis.points))
    return np.asarray(medium.loss_rate * weight * np.diff(at_faces) / where.power)


def cell_measure(medium: Medium, where: Coordinate, axis: Cells) -> Array:
    """(n,) ∫ E dμ of each cell over the power."""
    weight = potential_weight(medium, where.mu(axis.points))
    return np.asarray(weight * np.diff(where.mu(axis.faces)) / where.power)


def spectral_matrices(medium: Medium, where: Coordinate, axis: Elements) -> tuple[Array, Array]:
    """(A, B) of the axis: diffusion and loss, pc^-1; streaming."""
    x = axis.points
    a = axis.stiffness(smooth_share(medium, where, x) * diffusion_share(medium, where, x))
    if medium.loss_rate > 0:
        a = a + axis.mass(loss_density(medium, where, x))
    b = axis.mass(streaming(medium, where, x))
    if medium.inverse_focusing_length == 0:
        b[0, 0] = 0.0  # ∫ μ dμ, exactly
    return a, b


class Decay(NamedTuple):
    """Decay modes at one order of the basis."""

    axis: Elements
    modes: Modes
    rates: Array


def decay_ladder(medium: Medium, where: Coordinate, n: int) -> Iterator[tuple[Decay, Array]]:
    """The n slowest modes at one order of the basis after the other, with their rates' errors.

    An absolute error is the difference from the order before, and round-off.

    Raises
    ------
    ConvergenceError
        If no two orders resolve n modes.
    """
    before: Array | None = None
    told = False
    for order, layers in basis_ladder(where, medium):
        axis = spectral_axis(where, order, layers)
        modes = decay_modes(*spectral_matrices(medium, where, axis))
        rates = np.concatenate([np.zeros(int(modes.constant)), modes.up_rates])[:n]
        if before is not None and len(before) == n == len(rates):
            # round-off of the pencil is part of the error, also where two orders agree by chance
            told = True
            yield (
                Decay(axis, modes, rates),
                np.abs(rates - before) + 4e-16 * len(axis.points) * rates,
            )
        before = rates
    if not told:
        raise ConvergenceError(
            f"only {len(rates)} of {n} modes can be told from rounding: with a loss of "
            f"{medium.loss_rate:.2g} and a scattering rate C = {medium.rate:.2g} the others decay "
            f"{1 / NOISE:.0e} times as fast as the slowest; bring these rates nearer to each other"
        )


def converged_decay(medium: Medium, where: Coordinate, n: int, rtol: float) -> tuple[Decay, Array]:
    """The n slowest modes and the absolute error estimates of their rates.

    The order is raised until the rates of two orders agree to ``rtol`` (relative); a zero rate
    counts as exact.

    Raises
    ------
    ConvergenceError
        If the largest basis does not reach the tolerance.
    """
    for decay, errors in decay_ladder(medium, where, n):
        if np.all(errors <= rtol * decay.rates):
            return decay, errors
    raise ConvergenceError(
        f"{n} eigenvalues not converged to {rtol:g} with {decay.axis.n_functions} functions; "
        "ask for fewer, or for a larger solver.rtol"
    )


def basis_ladder(
    where: Coordinate, medium: Medium, singular: bool = False
) -> list[tuple[int, int]]:
    """(order, layers) to try in turn.

    Two elements are enough where all is smooth on either side of the equator; a ``singular``
    solution, a floor, or a power that is no whole number wants layers towards it.
    """
    scattering = medium.scattering
    plain = scattering.floor == 0 and where.power == where.m
    orders = (16, 24, 32, 40, 52, 68, 90, 120, 160)
    if plain and where.m.is_integer() and not singular:
        return [(order, 0) for order in orders]
    first = 7 if plain else 11
    if scattering.floor > 0 and scattering.slope > 1:
        # D turns from |μ|^(q−1) to the floor at this μ: layers, of 0.82 decades each, go three
        # decades below it
        turn = np.log10(scattering.floor) / (scattering.slope - 1)
        first = int(np.clip(np.ceil((3 - turn) / 0.82), first, 40))
    if not plain and medium.loss.kind == "constant-in-chi":
        # the loss weight |μ|^(1/m−1) has to be integrated: (0.15^layers)^(1/m) below 1e-10
        first = max(first, int(np.ceil(12 * where.m)))
    return [(order, first + k) for k, order in enumerate(orders[:-1])]


class Eigenvalues(NamedTuple):
    """Decay rates of form (*), and what is known of them.

    Attributes
    ----------
    values, errors : (n,) arrays
        Λ, and absolute numerical error estimates.
    unknowns : int
        Functions of the basis.
    seconds : float
        Wall time of the solve.
    reference, paper : (n,) arrays or None
        Tabulated converged values, and the numbers that Malkov et al. print; nan where none.
    remark : str
        What there is to say of the comparison with the paper.
    """

    values: Array
    errors: Array
    unknowns: int
    seconds: float
    reference: Array | None
    paper: Array | None
    remark: str


def dimensionless(slope: float, loss_rate: float, loss: LossKind) -> Medium:
    """The medium of form (*): C = m², so that v = V and λ = Λ."""
    scattering = Scattering(slope=slope)
    kind = Loss(kind=loss, rate=loss_rate)
    return Medium(scattering=scattering, loss=kind, rate=scattering.rate(), loss_rate=loss_rate)


def eigenvalues(
    slope: float = 1.5, loss_rate: float = 1e-6, loss: LossKind = "constant-in-chi", n: int = 5
) -> Eigenvalues:
    """The n slowest decay rates Λ of form (*) for any slope 1 ≤ q < 2, V = ``loss_rate`` ≥ 0."""
    from crtransport.analytic.flux_tube import PAPER_REMARK, paper_rates, tabulated_rates

    start = time.perf_counter()
    medium = dimensionless(slope, loss_rate, loss)
    decay, errors = converged_decay(medium, coordinate(medium.scattering), n, 1e-10)
    seconds = time.perf_counter() - start
    paper = paper_rates(slope, loss_rate, loss, n)
    return Eigenvalues(
        values=decay.rates,
        errors=errors,
        unknowns=decay.axis.n_functions,
        seconds=seconds,
        reference=tabulated_rates(slope, loss_rate, loss, n),
        paper=paper,
        remark=PAPER_REMARK if paper is not None else "",
    )
