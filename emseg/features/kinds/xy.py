"""Where a pixel is."""

from __future__ import annotations

import numpy as np

from emseg.features.feature import Feature, Floats, Pixels


class Position(Feature):
    """Column and row."""

    names = ("x", "y")
    units = "pixels"
    is_position = True

    def measure(self, pixels: Pixels) -> Floats:
        """See `Feature.measure`."""
        planes = np.indices(pixels.image.shape, np.float64)[::-1].reshape(2, -1)
        return np.array(planes) if pixels.valid is None else planes[:, pixels.valid]


FEATURE = Position()
