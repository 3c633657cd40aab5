"""TIFF tags that say where on the ground an image is (OGC GeoTIFF 1.1, section 7), and GDAL's tag for "no data"."""

from __future__ import annotations

PIXEL_SCALE = 33550  # size of a pixel along x, y and z
TIE_POINTS = 33922  # places in the image, each with its place on the ground
TRANSFORMATION = 34264  # an affine map as a matrix of 4 × 4
KEYS = 34735  # GeoKeys: rows of four numbers
DOUBLES = 34736  # values of GeoKeys that are no whole numbers
TEXTS = 34737  # values of GeoKeys that are texts
#: Types of the values as `struct` calls them; "s" is text.
TYPES = {PIXEL_SCALE: "d", TIE_POINTS: "d", TRANSFORMATION: "d", KEYS: "H", DOUBLES: "d", TEXTS: "s"}

MASK = 4
"""The bit of NewSubfileType that says that a page is the mask of the one before it (TIFF 6.0, page 36)."""

NODATA = 42113
"""The stored value that means "no data", as text."""
