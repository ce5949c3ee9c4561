"""Compiled loops: module-level kernels, all inputs as arguments, ``out`` last."""
