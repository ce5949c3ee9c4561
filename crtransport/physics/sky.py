"""Directions on the sky: galactic to equatorial (J2000) coordinates and back."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# north galactic pole, and galactic longitude of the north celestial pole, in ICRS, deg: ESA 1997,
# The Hipparcos and Tycho Catalogues, SP-1200, Vol. 1, Sec. 1.5.3
_POLE_RA, _POLE_DEC, _LONGITUDE = np.radians([192.85948, 27.12825, 122.93192])


def unit_vector(longitude: Array, latitude: Array) -> Array:
    """(..., 3) direction of a longitude and a latitude, deg."""
    lon, lat = np.radians(longitude), np.radians(latitude)
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)


def angles(vector: Array) -> tuple[Array, Array]:
    """Longitude 0 … 360 and latitude of (..., 3) vectors of any length, deg; of zero: 0, 0."""
    x, y, z = np.moveaxis(np.asarray(vector), -1, 0)
    longitude = np.degrees(np.arctan2(y, x)) % 360
    return longitude % 360, np.degrees(np.arctan2(z, np.hypot(x, y)))


def _rotation() -> Array:
    """Equatorial from galactic: R_z(α_pole) R_y(90° − δ_pole) R_z(180° − l_pole)."""

    def about_z(angle: float) -> Array:
        c, s = np.cos(angle), np.sin(angle)
        return np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])

    c, s = np.sin(_POLE_DEC), np.cos(_POLE_DEC)
    about_y = np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]])
    return np.asarray(about_z(_POLE_RA) @ about_y @ about_z(np.pi - _LONGITUDE))


def galactic_to_equatorial(vector: Array) -> Array:
    """(..., 3) equatorial components of galactic ones."""
    return np.asarray(np.asarray(vector) @ _rotation().T)
