"""Decay modes of B ∂f/∂s + A f = 0 where B is indefinite: the two-way eigenproblem.

    A v = Λ B v,   f(s) = v exp(−Λ s),   A = Aᵀ positive (semi)definite, B = Bᵀ indefinite

Solved upside down, B v = (1/Λ) A v, with the definite matrix in the role of the mass: the
slowest modes are then the largest eigenvalues, and 1/Λ from 1e3 to 1e−3 come out of one
well-conditioned call. Where A annihilates the constant (function 0 of the basis), zero is an
eigenvalue of its own: double and defective if the constant carries no flux, 1ᵀB1 = 0, with the
generalised vector A g = B 1 and the solution f = s − g that grows linearly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg
from numpy.typing import NDArray

from crtransport.solvers.errors import SingularOperatorError

Array = NDArray[np.float64]

#: |1/Λ| below this fraction of the largest is rounding noise of the pencil: such a mode dies out
#: within a distance far below any that is resolved.
NOISE = 1e-14


@dataclass(frozen=True, kw_only=True, eq=False)
class Modes:
    """Decay modes, slowest first, normalised to vᵀ B v = sgn Λ.

    Attributes
    ----------
    up_rates, down_rates : (n_up,), (n_down,) arrays
        Λ > 0 (decaying with s) and Λ < 0 (decaying against s), by |Λ|.
    up, down : [function, mode] arrays
        The modes v.
    neutral : (n_functions,) array or None
        g of A g = B 1 where zero is a double eigenvalue, else None.
    constant : bool
        Whether A 1 = 0, so that the constant is a mode with Λ = 0.
    """

    up_rates: Array
    up: Array
    down_rates: Array
    down: Array
    neutral: Array | None
    constant: bool


def decay_modes(a: Array, b: Array) -> Modes:
    """All resolved modes of the pencil (A, B) in a basis whose function 0 is the constant.

    Parameters
    ----------
    a, b : [function, function] arrays
        Symmetric; ``a`` positive definite, or singular with the constant as its only null vector
        and then with an exactly zero row 0.

    Raises
    ------
    SingularOperatorError
        If ``a`` is not positive (semi)definite.
    """
    if not (np.all(np.isfinite(a)) and np.all(np.isfinite(b))):
        raise SingularOperatorError(
            "the diffusion-and-loss matrix has entries beyond the largest float: "
            "a rate is too large, or the field diverges too fast for the scattering"
        )
    if a[0, 0] != 0.0:
        inverse, vectors = _definite_pencil(a, b)
        return _sorted_modes(a, b, inverse, vectors, neutral=None, constant=False)
    flux = b[0, 1:]
    net = b[0, 0]
    scale = np.sqrt(np.sum(flux**2))
    if abs(net) > 1e-10 * scale:  # a simple zero: eliminate the constant, c = −flux·φ/net
        inverse, rest = _definite_pencil(a[1:, 1:], b[1:, 1:] - np.outer(flux, flux) / net)
        vectors = np.vstack([-(flux @ rest) / net, rest])
        return _sorted_modes(a, b, inverse, vectors, neutral=None, constant=True)
    # a double zero: modes with Λ ≠ 0 have flux·φ = 0, and the constant is the multiplier
    complement = scipy.linalg.qr(flux[:, None])[0][:, 1:]
    stiffness, weight = a[1:, 1:], b[1:, 1:]
    inverse, inner = _definite_pencil(
        complement.T @ stiffness @ complement, complement.T @ weight @ complement
    )
    rest = complement @ inner
    with np.errstate(divide="ignore", invalid="ignore"):
        constant = (flux @ stiffness @ rest * inverse - flux @ weight @ rest) / scale**2
    neutral = np.concatenate([[0.0], scipy.linalg.solve(stiffness, flux, assume_a="pos")])
    return _sorted_modes(a, b, inverse, np.vstack([constant, rest]), neutral=neutral, constant=True)


def _definite_pencil(a: Array, b: Array) -> tuple[Array, Array]:
    """1/Λ and vectors of B v = (1/Λ) A v, with vᵀ A v = 1."""
    try:
        vectors = scipy.linalg.eigh(b, a, check_finite=False)[1]
    except scipy.linalg.LinAlgError as error:
        raise SingularOperatorError(
            "the diffusion-and-loss matrix is not positive definite: a coefficient is negative, "
            "or its values range over more digits than there are"
        ) from error
    # the Rayleigh quotient is second order in the error of the vector: small |1/Λ| beside a large
    # one come out to relative precision
    energy = np.einsum("ik,ik->k", vectors, a @ vectors)
    vectors = vectors / np.sqrt(energy)
    return np.einsum("ik,ik->k", vectors, b @ vectors), vectors


def _sorted_modes(
    a: Array, b: Array, inverse: Array, vectors: Array, *, neutral: Array | None, constant: bool
) -> Modes:
    threshold = NOISE * np.max(np.abs(inverse))
    up = np.flatnonzero(inverse > threshold)
    down = np.flatnonzero(inverse < -threshold)
    up, down = up[np.argsort(-inverse[up])], down[np.argsort(inverse[down])]
    scaled = {
        name: vectors[:, k] / np.sqrt(np.abs(inverse[k]))
        for name, k in (("up", up), ("down", down))
    }
    with np.errstate(over="ignore"):
        up_rates, down_rates = 1 / inverse[up], 1 / inverse[down]
    if not np.all(np.isfinite([*up_rates, *down_rates])):
        raise SingularOperatorError(
            "rates of decay are beyond the largest float: a rate of loss or scattering is too large"
        )
    return Modes(
        up_rates=up_rates,
        up=scaled["up"],
        down_rates=down_rates,
        down=scaled["down"],
        neutral=neutral,
        constant=constant,
    )
