"""How the errors of a measurement count: which of its points hang together."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from crtransport.fits.parameters import FitError
from crtransport.measurements.table import Measurement
from crtransport.units import Quantity

Array = NDArray[np.float64]

#: relative size of a negative eigenvalue that is round-off
_ROUND_OFF = 1e-10


@dataclass(frozen=True, kw_only=True)
class Quadrature:
    """Systematic errors as if they were statistical: C = diag(σ_stat² + σ_sys²).

    Attributes
    ----------
    kind : str
        "quadrature".
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    kind: Literal["quadrature"] = "quadrature"

    def correlations(self, table: Measurement) -> tuple[Array, Array]:
        """Of statistical and of systematic errors, [point, point] each."""
        return np.eye(table.x.size), np.eye(table.x.size)


@dataclass(frozen=True, kw_only=True)
class Correlated:
    """Errors that neighbours share: C_ij = Σ_kinds σ_i σ_j exp(−|log₁₀ x_i − log₁₀ x_j|/l).

    As for AMS-02 in Derome et al. 2019, A&A 627, A158.

    Attributes
    ----------
    kind : str
        "correlated".
    length : float
        l of the systematic errors, decades of x.
    stat_length : float
        l of the statistical errors, decades, as unfolding leaves; 0: independent.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    kind: Literal["correlated"] = "correlated"
    length: Annotated[float, Quantity(gt=0, le=1e6)]
    stat_length: Annotated[float, Quantity(ge=0, le=1e6)] = 0.0

    def correlations(self, table: Measurement) -> tuple[Array, Array]:
        """Of statistical and of systematic errors, [point, point] each."""
        return _exponential(table.x, self.stat_length), _exponential(table.x, self.length)


@dataclass(frozen=True, kw_only=True)
class Given:
    """Systematic errors with a covariance of their own: C = diag(σ_stat²) + V.

    Attributes
    ----------
    kind : str
        "covariance".
    file : str
        V as numbers separated by commas, a line for each point of the table in its order, in the
        square of its unit. It stands in place of the table's systematic errors.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    kind: Literal["covariance"] = "covariance"
    file: str

    def covariance(self, table: Measurement) -> Array:
        """V, [point, point].

        Raises
        ------
        FitError
            If the file is missing, or holds no covariance of these points.
        """
        try:
            matrix = np.loadtxt(Path(self.file), delimiter=",", ndmin=2)
        except OSError as error:
            raise FitError(f"{table.name}: {self.file} cannot be read: {error}") from None
        except ValueError as error:
            raise FitError(f"{table.name}: {self.file} holds no numbers: {error}") from None
        size = table.x.size
        if matrix.shape != (size, size):
            found = "×".join(map(str, matrix.shape))
            raise FitError(f"{table.name}: {self.file} is {found}, must be {size}×{size}")
        if not np.all(np.isfinite(matrix)) or not np.allclose(matrix, matrix.T, rtol=1e-6):
            raise FitError(f"{table.name}: {self.file} is not symmetric and finite")
        eigenvalues = np.linalg.eigvalsh(matrix)
        if eigenvalues[0] < -_ROUND_OFF * eigenvalues[-1]:
            why = f"has the negative eigenvalue {eigenvalues[0]:.2g}"
            raise FitError(f"{table.name}: {self.file} is no covariance: it {why}")
        return (matrix + matrix.T) / 2


Systematics = Quadrature | Correlated | Given


def _exponential(x: Array, length: float) -> Array:
    if length == 0:
        return np.eye(x.size)
    logs = np.log10(x)
    return np.exp(-np.abs(logs[:, None] - logs[None, :]) / length)
