"""Accelerators: they wrap a fixed-point iteration and know only its coordinates and its objective."""
