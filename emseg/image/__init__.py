"""Images: reading of all formats, limits, windows, and one clear line for every bad input."""
