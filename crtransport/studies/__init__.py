"""Studies: a deck run many times. What [scan] asks for, and what [fit] does."""
