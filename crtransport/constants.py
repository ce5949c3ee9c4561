"""Physical constants (CODATA 2018; IAU 2015), in the units that the package computes in."""

SPEED_OF_LIGHT = 2.99792458e10  # cm/s, exact
ELECTRON_MASS = 0.51099895e-3  # GeV
KPC = 3.0856775814913673e21  # cm
YEAR = 3.15576e7  # s, Julian
MYR = 1e6 * YEAR  # s
ERG = 1e3 / 1.602176634  # GeV per erg is 624.15...
HYDROGEN_MASS = 1.00782503 * 1.66053906660e-24  # g, of an atom
