"""Rows of analytic comparisons, one file per model."""
