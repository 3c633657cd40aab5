"""Log-chromaticity: what of a colour does not depend on how much light falls on it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.features.feature import Floats, Pointwise, linear_light, on_unit_scale

# ε, a fraction of white. One step of 8 bits in the dark, 1 / (255 · 12.92) of white, then moves a logarithm by 0.03.
_DARK = 0.01


def chroma(rgb: NDArray[Any]) -> Floats:
    """Log-chromaticity of linear light, shape (2, N).

    With l = ln(R + ε), ln(G + ε), ln(B + ε): (l_R - l_B) / √2 and (2 l_G - l_R - l_B) / √6. These are orthonormal
    coordinates of the plane on which equal factors on all three channels move nothing.
    """
    red, green, blue = np.log(on_unit_scale(rgb, linear_light) + _DARK)
    return np.stack([(red - blue) / np.sqrt(2), (2 * green - red - blue) / np.sqrt(6)])


class Chroma(Pointwise):
    """Two coordinates of log-chromaticity."""

    names = ("log R/B", "log G²/RB")
    units = "nats"
    needs_unit_scale = True

    def transform(self, stored: NDArray[Any]) -> Floats:
        """See `Pointwise.transform`."""
        return chroma(stored)


FEATURE = Chroma()
