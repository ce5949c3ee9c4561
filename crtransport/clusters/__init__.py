"""Gamma rays from globular clusters: statistics of a catalogue with upper limits."""
