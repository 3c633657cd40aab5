"""Measures of regions: outlines, moments, hulls and intensities, for all regions of an image at once."""
