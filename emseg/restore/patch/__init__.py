"""Patches: cutting them out, finding similar ones, and mixtures of them."""
