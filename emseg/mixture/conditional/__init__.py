"""Densities of some dimensions given the others."""
