"""Noise: its level, counted photons, and values cut off at the ends of their range."""
