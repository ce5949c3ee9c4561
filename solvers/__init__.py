"""Numerics: arrays in, arrays out. Nothing here knows what the arrays stand for."""
