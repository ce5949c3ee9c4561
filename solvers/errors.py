"""What a solver raises: the figure that was reached, and the option that would change it."""

from __future__ import annotations


class ConvergenceError(RuntimeError):
    """A tolerance was not met within the limit of work; the message carries the figures."""


class SingularOperatorError(ArithmeticError):
    """The operator has no inverse, so the problem has no (unique) solution."""
