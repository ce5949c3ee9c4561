"""The references of the Galaxy against other roads to them: shooting, other series, quadrature."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.integrate import quad, solve_ivp
from scipy.optimize import brentq
from scipy.special import hyp1f1, hyperu, ive, j0, jn_zeros

from crtransport.analytic import burst, galaxy
from crtransport.analytic import galaxy_cylinder as cylinder
from crtransport.analytic import galaxy_leaky_box as leaky_box
from crtransport.analytic import galaxy_slab as slab

H, D, S, RADIUS = 4.0, 0.05, 0.003, 20.0
Law = Callable[[float], float]


def shoot(
    diffusion: Law, wind: Law = lambda z: 0.0, loss: Law = lambda z: 0.0, at: float = 0.0
) -> tuple[float, float]:
    """(N, flux) at z of the solution with unit flux at H, where N = 0; (1, escape/2) × N at z = 0.

    N′ = (VN − F)/D and F′ = −loss N, integrated downwards.
    """

    def slope(z: float, y: np.ndarray) -> list[float]:
        return [(wind(z) * y[0] - y[1]) / diffusion(z), -loss(z) * y[0]]

    found = solve_ivp(slope, (H, at), [0.0, 1.0], method="DOP853", rtol=1e-12, atol=1e-14)
    return float(found.y[0, -1]), float(found.y[1, -1])


@pytest.mark.parametrize(("wind", "decay"), [(0, 0), (0.02, 0), (0, 0.3), (0.02, 0.3), (2, 0.1)])
def test_escape_and_profile_of_a_slab(wind: float, decay: float) -> None:
    road = (lambda z: D, lambda z: wind, lambda z: decay)
    density, flow = shoot(*road)
    found = slab.escape(D, H, wind=wind, decay=decay)
    assert found == pytest.approx(2 * flow / density, rel=1e-10)
    half, _ = shoot(*road, at=1.5)
    both = slab.profile([1.5, -1.5], D, H, wind=wind, decay=decay)
    assert both == pytest.approx(half / density, rel=1e-10)


def test_escape_in_the_forms_that_are_published() -> None:
    assert slab.escape(D, H) == pytest.approx(2 * D / H, rel=1e-15)
    v = 0.03
    wind = 2 * v / (1 - np.exp(-v * H / D))
    assert slab.escape(D, H, wind=v) == pytest.approx(wind, rel=1e-14)
    # a halo much wider than the decay length: √(DG) on each side
    assert slab.escape(D, H, decay=10.0) == pytest.approx(2 * np.sqrt(10 * D), rel=1e-14)
    many = slab.escape(np.array([D, 2 * D]), H, decay=np.array([0.0, 0.1]))
    assert many == pytest.approx([2 * D / H, float(slab.escape(2 * D, H, decay=0.1))], rel=1e-15)


@pytest.mark.parametrize(("slope", "decay"), [(0.0, 0.0), (1.7, 0.0), (1.7, 0.3)])
def test_wind_that_grows_with_height(slope: float, decay: float) -> None:
    w = 0.01
    density, flow = shoot(lambda z: D, lambda z: w * z, lambda z: decay + w * slope / 3)
    found = slab.linear_wind_escape(D, H, gradient=w, slope=slope, decay=decay)
    assert found == pytest.approx(2 * flow / density, rel=1e-10)


def test_uniform_source_escapes_whole() -> None:
    q, h, step = 2.0, 0.3, 1e-3
    z = np.array([0.1, h, 2.0])
    around = slab.uniform_source(z + step * np.array([[-1], [0], [1]]), q, h, D, H)
    curvature = (around[0] - 2 * around[1] + around[2]) / step**2
    assert -D * curvature[[0, 2]] == pytest.approx([q, 0], abs=1e-6)
    slope = (around[2] - around[0]) / (2 * step)
    assert -D * slope[1:] == pytest.approx([q * h] * 2, rel=2e-3)
    assert slab.uniform_source(H, q, h, D, H) == 0
    thin = slab.uniform_source([0.0, 1.0], q / 1e-6, 1e-6, D, H)
    disk = 2 * q / slab.escape(D, H) * slab.profile([0.0, 1.0], D, H)
    assert thin == pytest.approx(disk, rel=1e-6)


def test_layers() -> None:
    zones = slab.two_zone_resistance(H, 0.1, 1.0, 0.45)
    halo = slab.two_halo_resistance(H, 0.1, 0.45)
    assert 2 / (slab.layered_escape(zones) + 0.9) == pytest.approx(1.7414818821, abs=5e-11)
    assert 2 / (slab.layered_escape(halo) + 0.9) == pytest.approx(1.6406036681, abs=5e-11)
    assert halo == pytest.approx(burst.TWO_HALO_INTEGRAL, rel=1e-14)


@pytest.mark.parametrize(("xi", "h"), [(0.1, 0.45), (0.01, 0.2), (0.9, 3.0)])
def test_resistance_of_two_halos(xi: float, h: float) -> None:
    z = np.array([0.0, 0.1, 1.0, H])
    reference = [
        quad(lambda x: 1 / (1 - (1 - xi) * np.exp(-((x / h) ** 2) / 2)), 0, end, epsrel=1e-13)[0]
        for end in z
    ]
    assert slab.two_halo_resistance(z, xi, h) == pytest.approx(reference, rel=1e-12)


def test_daughter_of_a_decay_in_the_halo() -> None:
    """Shooting with parent and daughter at once: N_d = particular + c × what is free."""
    parent, child, decay = 0.05, 0.08, 0.2

    def slope(z: float, y: np.ndarray) -> list[float]:
        return [-y[1] / parent, -decay * y[0], -y[3] / child, decay * y[0]]

    start = [0.0, 1.0, 0.0, 0.0]
    n_p, _, n_d, f_d = solve_ivp(slope, (H, 0), start, method="DOP853", rtol=1e-12).y[:, -1]
    # without source or loss of its own in the disk: f_d + c = 0, N_d = n_d + c H/D_d
    total = n_d - f_d * H / child
    source = slab.daughter_source(parent, H, decay)
    assert source / slab.escape(child, H) == pytest.approx(total / n_p, rel=1e-10)


def height_modes(r: float, wind: float, decay: float, loss: float = S, modes: int = 60) -> float:
    """N(r, 0) of a uniform disk to R by eigenfunctions sin λ(H−|z|) in z and I₀ in r.

    M = N e^(−V|z|/2D) obeys −DM″ + (G + V²/4D)M + (S + V)δ(z)M = δ(z); the term without I₀ sums
    to the slab's N₀, and the rest falls as e^(−λ(R−r)).
    """

    def match(x: float) -> float:
        return float(2 * D * x * np.cos(x * H) + (loss + wind) * np.sin(x * H))

    brackets = [((k + 0.5) * np.pi / H, (k + 1) * np.pi / H) for k in range(modes)]
    rates = np.array([brentq(match, *b, xtol=1e-15, rtol=1e-15) for b in brackets])
    norm = H - np.sin(2 * rates * H) / (2 * rates)
    squared = rates**2 + decay / D + (wind / (2 * D)) ** 2
    k = np.sqrt(squared)
    edge = ive(0, k * r) / ive(0, k * RADIUS) * np.exp(-k * (RADIUS - r))
    missing = np.sum(np.sin(rates * H) ** 2 / (norm * D * squared) * edge)
    return float(1 / (slab.escape(D, H, wind=wind, decay=decay) + loss) - missing)


def mode_losses(wind: float = 0.0, decay: float = 0.0, modes: int = cylinder.MODES) -> np.ndarray:
    radial = cylinder.radial_decay(D, RADIUS, modes)
    return S + slab.escape(D, H, wind=wind, decay=decay + radial)


@pytest.mark.parametrize(("wind", "decay"), [(0, 0), (0.02, 0), (0, 0.1), (0.02, 0.1)])
def test_bessel_series_of_a_uniform_disk(wind: float, decay: float) -> None:
    r = np.array([0.0, 1.0, 8.5, 15.0, 18.0])
    amplitudes = cylinder.disk_modes(RADIUS, RADIUS) / mode_losses(wind, decay)
    reference = [height_modes(at, wind, decay) for at in r]
    assert cylinder.series(amplitudes, r, RADIUS) == pytest.approx(reference, rel=1e-12)
    assert cylinder.series(amplitudes, RADIUS, RADIUS) == pytest.approx(0, abs=1e-12)


def test_secondary_in_a_cylinder_is_the_response_to_a_loss() -> None:
    """With all coefficients alike, a secondary of unit production is −dN/dS."""
    step = 1e-5
    amplitudes = cylinder.disk_modes(RADIUS, RADIUS) / mode_losses() ** 2
    less, more = (height_modes(8.5, 0, 0, S + sign * step) for sign in (-1, 1))
    found = cylinder.series(amplitudes, 8.5, RADIUS)
    assert found == pytest.approx((less - more) / (2 * step), rel=1e-6)


def test_modes_of_a_profile_are_a_sum_of_disks() -> None:
    """q(r) = ∫ (−dq/da) θ(a − r) da + q(R)."""

    def profile(r: np.ndarray) -> np.ndarray:
        return np.exp(-((r / 7) ** 2)) * (1 + r / 4)

    x, weight = np.polynomial.legendre.leggauss(60)
    a = RADIUS * (1 + x) / 2
    slope = np.exp(-((a / 7) ** 2)) * (1 / 4 - 2 * a / 49 * (1 + a / 4))
    disks = np.array([cylinder.disk_modes(each, RADIUS, 20) for each in a])
    total = -(weight * RADIUS / 2 * slope) @ disks
    total += profile(np.array(RADIUS)) * cylinder.disk_modes(RADIUS, RADIUS, 20)
    found = cylinder.profile_modes(profile, RADIUS, 20)
    assert found == pytest.approx(total, rel=1e-10, abs=1e-13)
    assert cylinder.profile_modes(np.ones_like, RADIUS) == pytest.approx(
        cylinder.disk_modes(RADIUS, RADIUS), rel=1e-11
    )


def test_series_returns_the_source_and_is_converged() -> None:
    """The sources' own series does not converge at z = 0 without fading; N's is at its limit."""

    def profile(r: np.ndarray) -> np.ndarray:
        return np.asarray((r / 8.5) ** 1.25 * np.exp(-3.56 * (r / 8.5 - 1)))

    r = np.array([3.0, 8.5, 15.0])
    q = cylinder.profile_modes(profile, RADIUS)
    assert cylinder.series(q, r, RADIUS) == pytest.approx(profile(r), rel=1e-8)
    few, many = (
        cylinder.series(
            cylinder.profile_modes(profile, RADIUS, n) / mode_losses(modes=n), r, RADIUS
        )
        for n in (400, 700)
    )
    assert few == pytest.approx(many, rel=1e-13)
    single = cylinder.profile_modes(lambda r: j0(jn_zeros(0, 3)[2] * r / RADIUS), RADIUS, 5)
    assert single == pytest.approx([0, 0, 1, 0, 0], abs=1e-13)


@pytest.mark.parametrize("loss", [0.0, 0.02, 0.3])
def test_line_keeps_particles_and_momentum(loss: float) -> None:
    """∫ e N du = 1, and with e^u as weight ∫ (e + b − 4K) N e^(u−u₀) du = 1."""
    rate, e, at = 0.01, 0.2, 1.0
    rise, fall = leaky_box.exponents(rate, e, loss)

    def integral(weight: float) -> float:
        def below_and_above(x: float) -> float:
            pair = np.array([at - x, at + x])
            n = leaky_box.line(pair, at=at, reacceleration=rate, escape=e, loss=loss)
            return float(n @ np.exp(weight * (pair - at)))

        return float(quad(below_and_above, 0, 200 / min(rise, -fall), epsrel=1e-12)[0])

    assert e * integral(0) == pytest.approx(1, rel=1e-10)
    assert (e + loss - 4 * rate) * integral(1) == pytest.approx(1, rel=1e-10)


def test_line_in_phase_space() -> None:
    """f = [4πp₀³K(s₊−s₋)]⁻¹ (p/p₀)^s±, s± = −3/2 ± √(9/4 + 1/Kτ)."""
    rate, tau, p0 = 0.01, 30.0, 2.0
    p = np.array([0.3, 2.0, 50.0])
    root = np.sqrt(9 / 4 + 1 / (rate * tau))
    power = np.where(p < p0, -1.5 + root, -1.5 - root)
    f = (p / p0) ** power / (4 * np.pi * p0**3 * rate * 2 * root)
    found = leaky_box.line(np.log(p), at=np.log(p0), reacceleration=rate, escape=1 / tau)
    assert found == pytest.approx(4 * np.pi * p**3 * f, rel=1e-13)


def test_line_without_reacceleration_is_swept_downwards() -> None:
    """N = θ(u₀ − u) e^(−e(u₀−u)/b)/b as K → 0."""
    b, e = 0.1, 0.05
    below = leaky_box.line([-1.0], at=0, reacceleration=1e-9, escape=e, loss=b)
    assert below == pytest.approx(np.exp(-e / b) / b, rel=1e-6)
    assert leaky_box.line([0.1], at=0, reacceleration=1e-4, escape=e, loss=b) < 1e-40


@pytest.mark.parametrize("loss", [0.0, 0.05])
def test_power_law_is_a_sum_of_lines(loss: float) -> None:
    rate, e, a = 0.01, 0.2, 1.3

    def at_zero(source: float) -> float:
        n = leaky_box.line(0.0, at=source, reacceleration=rate, escape=e, loss=loss)
        return float(n * np.exp(-a * source))

    total = quad(at_zero, -60, 0, epsrel=1e-12)[0] + quad(at_zero, 0, 60, epsrel=1e-12)[0]
    found = leaky_box.power_law_response(a, escape=e, reacceleration=rate, loss=loss)
    assert found == pytest.approx(total, rel=1e-10)
    s, tau = a + 3, 1 / e
    plain = leaky_box.power_law_response(a, escape=e, reacceleration=rate)
    assert plain == pytest.approx(tau / (1 - rate * tau * s * (s - 3)), rel=1e-14)


def test_no_steady_power_law_steeper_than_reacceleration() -> None:
    rate, e = 0.01, 0.2
    _, fall = leaky_box.exponents(rate, e)
    assert leaky_box.power_law_response(-fall - 1e-6, escape=e, reacceleration=rate) > 1e3
    with pytest.raises(ValueError, match="reacceleration alone is flatter"):
        leaky_box.power_law_response(-fall + 1e-6, escape=e, reacceleration=rate)


@pytest.mark.parametrize("kappa", [-1.5, -0.4, 0.0, 0.8])
@pytest.mark.parametrize("escape", [0.0, 1e-2, 30.0])
def test_cooled_power_law(kappa: float, escape: float) -> None:
    """Kummer's M for κ > 0, and U for κ < 0, where losses rise slower than the escape."""
    a, b = 1.4, 0.7
    if kappa > 0:
        reference = hyp1f1(1, 1 + a / kappa, -escape / (kappa * b)) / (a * b)
    elif kappa < 0:
        t = escape / (-kappa * b)
        reference = hyperu(1, 1 + a / kappa, t) / (-kappa * b) if t else 1 / (a * b)
    else:
        reference = 1 / (a * b + escape)
    found = leaky_box.cooled_response(a, b, escape, kappa)
    assert found == pytest.approx(reference, rel=1e-9)


def test_cooled_power_law_obeys_its_equation() -> None:
    """dN/du from the formula at neighbouring momenta: −d(bN)/du + eN = Q."""
    a, k, delta, step = 1.4, -1.2, 0.4, 1e-3
    u = step * np.arange(-2, 3)
    loss, escape = 0.7 * np.exp(k * u), 0.2 * np.exp(delta * u)
    pairs = zip(loss, escape, strict=True)
    response = [leaky_box.cooled_response(a, b, e, k - delta) for b, e in pairs]
    n = np.exp(-a * u) * response
    drift = np.dot([1, -8, 0, 8, -1], loss * n) / (12 * step)
    assert -drift + escape[2] * n[2] == pytest.approx(1, rel=1e-9)


def test_kinematics() -> None:
    t, m = np.array([1e-3, 1.0, 1e5]), galaxy.PROTON
    gamma, speed = galaxy.lorentz_factor(t, m), galaxy.beta(t, m)
    assert galaxy.momentum(t, m) == pytest.approx(m * np.sqrt(gamma**2 - 1), rel=1e-11)
    assert speed == pytest.approx(np.sqrt(1 - gamma**-2.0), rel=1e-11)
    masses = galaxy.PROTON, 4 * galaxy.ALPHA
    assert masses == pytest.approx((0.93827209, 3.7273794), rel=1e-8)  # CODATA


def test_coefficients_in_their_units() -> None:
    myr, kpc = 3.15576e13, 3.0856775815e21  # s, cm
    momentum, speed = (f(1e4, galaxy.PROTON) for f in (galaxy.momentum, galaxy.beta))
    disk = 0.1 * galaxy.diffusion(momentum, speed) * kpc**2 / myr
    assert disk == pytest.approx(burst.DISK_10_TEV, rel=1e-4)
    # 30 mb at 1 cm^-3 and c, in cgs
    rate = 30e-27 * 2.99792458e10 * myr
    assert galaxy.collision_rate(1.0, 30.0, 1.0) == pytest.approx(rate, rel=1e-12)
    cgs = 4 * 36e5**2 / (3 * (1 / 3) * (4 - 1 / 9) * (4 - 1 / 3) * 5.8e28) * myr
    in_kpc = 5.8e28 * myr / kpc**2
    assert galaxy.reacceleration_rate(36, 1 / 3, in_kpc) == pytest.approx(cgs, rel=1e-9)
    assert pytest.approx(2.99792458e10 * myr / kpc, rel=1e-9) == galaxy.LIGHT
    # ψ = 4πΦ/c; 1 m^-2 s^-1 sr^-1 (GeV/n)^-1 is 4.19e-14 cm^-3 (GeV/n)^-1
    assert galaxy.flux(4.1916900e-14) == pytest.approx(1, rel=1e-6)


def test_network_balances() -> None:
    """Carbon makes boron and beryllium, 10Be decays into boron; by substitution."""
    carbon = 2.0 / 0.5
    beryllium = 0.02 * carbon / 0.4
    boron = (0.1 * carbon + 0.3 * beryllium) / 0.6
    production = [[0, 0, 0], [0.02, 0, 0], [0.1, 0.3, 0]]
    found = galaxy.network([2.0, 0.0, 0.0], [0.5, 0.4, 0.6], production)
    assert found == pytest.approx([carbon, beryllium, boron], rel=1e-14)
