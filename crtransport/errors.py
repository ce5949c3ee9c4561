"""What goes wrong with input that is not a deck."""


class UnknownNameError(ValueError):
    """A name that nothing has; the message gives the nearest ones."""
