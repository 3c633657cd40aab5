"""The golden set: what 0.1.0 made of the sample images under forty option sets."""
