"""From a TOML deck to a frozen, checked dataclass, and back."""
