"""True over told error of many random decks: what the scripts estimates_*.py share.

A deck is wrong in silence where its true error is above its tolerance and the told one is not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

#: errors below this are rounding: of matrices whose rates span decades, some digits
ROUNDING = 1e-11
_QUANTILES = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)


class Row(NamedTuple):
    """One deck that has an answer; the note is what repeats it."""

    name: str
    true: float
    told: float
    tolerance: float
    note: str

    @property
    def ratio(self) -> float:
        """True over told error; neither counts below rounding. Infinite where one is no number."""
        if not np.isfinite(self.true) or np.isnan(self.told):
            return np.inf
        return max(self.true, ROUNDING) / max(self.told, ROUNDING)

    @property
    def silent(self) -> bool:
        """Whether nothing told that the tolerance is missed."""
        return not self.true <= self.tolerance and self.told <= self.tolerance


class Refusal(NamedTuple):
    """One deck without an answer: the reason that the user is told, and what repeats it."""

    name: str
    reason: str
    note: str


def log_uniform(random: np.random.Generator, low: float, high: float) -> float:
    """A number between two positive ones, all decades alike."""
    return float(np.exp(random.uniform(np.log(low), np.log(high))))


def report(rows: Sequence[Row], refused: Sequence[Refusal], worst: int = 5) -> int:
    """Print the distribution of true over told, the worst decks, the refused; how many lie."""
    print(f"{len(rows)} answered, {len(refused)} refused")
    if rows:
        for label, values in (
            ("true/told", [row.ratio for row in rows]),
            ("true", [row.true for row in rows]),
            ("told", [row.told for row in rows]),
        ):
            # of the values themselves: between two, an infinite one would make NaN
            found = np.quantile(values, _QUANTILES, method="nearest")
            parts = [f"{q:4.0%} {v:8.1e}" for q, v in zip(_QUANTILES, found, strict=True)]
            print(f"  {label:<10}{'   '.join(parts)}")
    silent = [row for row in rows if row.silent]
    over = sum(row.told > row.tolerance for row in rows)
    above = sum(row.ratio > 1 for row in rows)
    print(f"  true above told: {above}; told above tolerance: {over}; in silence: {len(silent)}")
    for row in sorted(rows, key=lambda row: -row.ratio)[:worst]:
        mark = "SILENT" if row.silent else ""
        print(f"\n# {row.name}: true {row.true:.1e}, told {row.told:.1e}, {row.ratio:.2g} {mark}")
        print(row.note)
    for reason, count in Counter(one.reason for one in refused).most_common():
        print(f"\n# refused, {count}: {reason}")
        print(next(one.note for one in refused if one.reason == reason))
    return len(silent)
