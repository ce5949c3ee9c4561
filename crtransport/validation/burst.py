"""Comparisons of local sources: with the closed form, and in the media that are solved."""

from __future__ import annotations

from crtransport.validation import burst_media, burst_uniform
from crtransport.validation.burst_uniform import Row


def rows() -> list[Row]:
    """(name, computed, reference, relative tolerance, formula) of every comparison."""
    return burst_uniform.rows() + burst_media.rows()
