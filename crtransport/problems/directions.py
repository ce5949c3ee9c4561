"""Dipole vectors as the variables of a dataset: amplitude and direction on the sky."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crtransport.physics import sky

Array = NDArray[np.float64]
Variables = dict[str, tuple[tuple[str, ...], Array, dict[str, str]]]

_DIMS = ("species", "kinetic_energy")


def directions(vector: Array, what: str) -> Variables:
    """Of [species, energy, 3] vectors in galactic axes."""
    right_ascension, declination = sky.angles(sky.galactic_to_equatorial(vector))
    longitude, latitude = sky.angles(vector)
    of = "of the direction from which the excess comes"
    parts = {
        "dipole": (np.linalg.norm(vector, axis=-1), "1", f"dipole amplitude of {what}"),
        "dipole_phase": (right_ascension, "degree", f"right ascension (J2000) {of}"),
        "dipole_declination": (declination, "degree", f"declination (J2000) {of}"),
        "dipole_l": (longitude, "degree", f"galactic longitude {of}"),
        "dipole_b": (latitude, "degree", f"galactic latitude {of}"),
    }
    return {
        name: (_DIMS, values, {"units": units, "long_name": text})
        for name, (values, units, text) in parts.items()
    }
