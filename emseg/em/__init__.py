"""The EM family: one loop, one registry, one file an algorithm."""
