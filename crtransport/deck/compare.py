"""What a deck draws beside its result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, kw_only=True)
class Compare:
    """What is drawn beside the result.

    Attributes
    ----------
    measurements : tuple of str
        Names of measured tables, "AMS-02_H_rigidity"; drawn where a data folder is given.
    """

    __pydantic_config__: ClassVar[Any] = {"extra": "forbid"}

    measurements: tuple[str, ...] = ()
