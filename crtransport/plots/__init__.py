"""Figures of each model, drawn from its dataset alone."""
