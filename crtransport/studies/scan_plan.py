"""The points of a scan, numbered: which values each key takes at each."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from crtransport.deck.scan import Sample
from crtransport.deck.scanned import Axis, axes
from crtransport.deck.schema import Deck, resolve

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Plan:
    """The points of a scan.

    Attributes
    ----------
    axes : list of Axis
    sample : array or None
        [point, axis] values of a sample; None of a grid, whose last axis varies fastest.
    """

    axes: list[Axis]
    sample: Array | None

    @property
    def shape(self) -> tuple[int, ...]:
        """Points along each dimension: one per axis of a grid, one altogether of a sample."""
        if self.sample is not None:
            return (len(self.sample),)
        return tuple(len(axis.values) for axis in self.axes)

    def __len__(self) -> int:
        return math.prod(self.shape)

    def values(self, k: int) -> list[Any]:
        """Of axis k: at each point of a sample, or the grid's own."""
        if self.sample is None:
            return list(self.axes[k].values)
        return [self._sampled(number, k) for number in range(len(self))]

    def overrides(self, number: int) -> dict[str, Any]:
        """What a point sets, by dotted key."""
        if self.sample is not None:
            return {axis.key: self._sampled(number, k) for k, axis in enumerate(self.axes)}
        places = np.unravel_index(number, self.shape)
        return {a.key: a.values[i] for a, i in zip(self.axes, places, strict=True)}

    def first(self) -> Plan:
        """The plan of the first point alone."""
        sample = None if self.sample is None else self.sample[:1]
        return Plan([a._replace(values=a.values[:1]) for a in self.axes], sample)

    def _sampled(self, number: int, k: int) -> float | int:
        assert self.sample is not None
        value = float(self.sample[number, k])
        return round(value) if isinstance(self.axes[k].values[0], int) else value


def plan(deck: Deck) -> Plan:
    """The points of a deck's scan."""
    assert deck.scan is not None
    found, _ = axes(type(deck), resolve(deck))
    sample = deck.scan.sample
    return Plan(found, None if sample is None else _sampled(sample, found))


def _sampled(sample: Sample, ranges: list[Axis]) -> Array:
    """[point, axis] values, uniform or uniform in the logarithm between the ends of each axis."""
    from scipy.stats import qmc

    make = {"latin-hypercube": qmc.LatinHypercube, "sobol": qmc.Sobol}[sample.kind]
    unit = make(len(ranges), rng=np.random.default_rng(sample.seed)).random(sample.number)
    columns = []
    for u, axis in zip(unit.T, ranges, strict=True):
        low, high = axis.values
        if isinstance(low, int):  # each whole number has an equal part of the range
            low, high = low - 0.5 + 1e-9, high + 0.5 - 1e-9
        columns.append(low * (high / low) ** u if axis.log else low + (high - low) * u)
    return np.stack(columns, axis=1)
