"""Where a pixel is."""

from __future__ import annotations

import numpy as np

from emseg.features.feature import Feature, Floats, Pixels
from emseg.features.grain import STEP


class Position(Feature):
    """Column and row."""

    names = ("x", "y")
    units = "pixels"
    is_position = True

    def measure(self, pixels: Pixels) -> Floats:
        """See `Feature.measure`."""
        planes = np.indices(pixels.image.shape, np.float64)[::-1].reshape(2, -1)
        return np.array(planes) if pixels.valid is None else planes[:, pixels.valid]

    def grain(self, pixels: Pixels, values: Floats) -> Floats:
        """See `Feature.grain`: a pixel is a unit wide."""
        return STEP * np.eye(2)


FEATURE = Position()
