"""Hue and saturation as a point in the plane, and value."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.features.feature import Floats, Pointwise, as_stored, on_unit_scale
from emseg.features.kinds.hue import hue


def hsv(rgb: NDArray[Any]) -> Floats:
    """Saturation·cos(hue), saturation·sin(hue) and value, each within [-1, 1], shape (3, N).

    Hue is an angle: 359° and 1° are neighbours, which a mean of the numbers would deny, and a grey pixel has none.
    As a point at that angle, saturation away from the axis, hue gets the distances it should have. Saturation ignores
    how brightly a surface is lit, and is pure noise where the image is almost black.
    """
    unit = on_unit_scale(rgb, as_stored)
    (angle,), value = hue(rgb), unit.max(axis=0)
    saturation = (value - unit.min(axis=0)) / np.where(value > 0, value, 1.0)
    return np.stack([saturation * np.cos(angle), saturation * np.sin(angle), value])


class HueSaturationValue(Pointwise):
    """Hue and saturation as a point, and value."""

    names = ("S cos H", "S sin H", "V")
    units = "1"
    needs_unit_scale = True

    def transform(self, stored: NDArray[Any]) -> Floats:
        """See `Pointwise.transform`."""
        return hsv(stored)


FEATURE = HueSaturationValue()
