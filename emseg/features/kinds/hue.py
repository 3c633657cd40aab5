"""Hue as an angle."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.features.feature import Floats, Pointwise, as_stored, on_unit_scale


def hue(rgb: NDArray[Any]) -> Floats:
    """Hue as an angle from 0 to below 2π, red at 0; 0 too where there is none, as in grey pixels. Shape (1, N)."""
    red, green, blue = unit = on_unit_scale(rgb, as_stored)
    value = unit.max(axis=0)
    chroma = value - unit.min(axis=0)
    safe = np.where(chroma > 0, chroma, 1.0)
    sector = np.where(
        value == red, (green - blue) / safe, np.where(value == green, 2 + (blue - red) / safe, 4 + (red - green) / safe)
    )
    return np.asarray((sector * (np.pi / 3) % (2 * np.pi))[None])


def is_grey(rgb: NDArray[Any]) -> NDArray[np.bool_]:
    """Where all channels are equal, shape (N,)."""
    return np.asarray(rgb.max(0) == rgb.min(0))


class Hue(Pointwise):
    """The angle of the hue; grey pixels have none."""

    names = ("hue",)
    units = "radians"
    needs_unit_scale = True

    def transform(self, stored: NDArray[Any]) -> Floats:
        """See `Pointwise.transform`."""
        return hue(stored)

    def difference(self, low: Floats, high: Floats) -> Floats:
        """See `Pointwise.difference`: the short way around."""
        return (high - low + np.pi) % (2 * np.pi) - np.pi

    def undefined(self, stored: NDArray[Any]) -> NDArray[np.bool_] | None:
        """See `Pointwise.undefined`."""
        return is_grey(stored)


FEATURE = Hue()
