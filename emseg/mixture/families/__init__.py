"""Component families, one a file, and their registry."""
