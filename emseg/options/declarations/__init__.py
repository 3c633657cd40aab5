"""The options themselves, one dataclass for each kind of work."""
