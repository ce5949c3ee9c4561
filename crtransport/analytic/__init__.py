"""Closed forms and tabulated references. Imports neither solvers nor problems nor physics."""
