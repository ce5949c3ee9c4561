"""Formulae fitted to measured spectra; no transport."""
