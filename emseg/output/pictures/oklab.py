"""Oklab, a colour space in which equal steps look equal (B. Ottosson, 2020). It is for pictures, never for a fit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emseg.features.feature import linear_light

Float = NDArray[np.float64]

# Linear sRGB to the responses of cones, and their cube roots to Oklab (Ottosson 2020).
_TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_OKLAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)
_FROM_CONES, _FROM_OKLAB = np.linalg.inv(_TO_CONES), np.linalg.inv(_TO_OKLAB)


def oklab(srgb: NDArray[np.uint8]) -> Float:
    """Oklab of 8-bit sRGB, shape (..., 3): lightness 0 to 1, then the green-red and the blue-yellow axis."""
    return np.asarray(np.cbrt(linear_light(srgb / 255.0) @ _TO_CONES.T) @ _TO_OKLAB.T)


def srgb(lab: Float) -> NDArray[np.uint8]:
    """8-bit sRGB of Oklab, shape (..., 3); colours that sRGB lacks keep lightness and hue and lose chroma."""
    low, high = np.zeros(lab.shape[:-1]), np.ones(lab.shape[:-1])
    for _ in range(12):  # bisect the largest share of the chroma that is still inside the sRGB cube
        middle = (low + high) / 2
        linear = _linear(lab, middle)
        inside = ((linear > -1e-3) & (linear < 1.001)).all(axis=-1)
        low, high = np.where(inside, middle, low), np.where(inside, high, middle)
    linear = np.clip(_linear(lab, low), 0, 1)
    value = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.asarray(np.rint(value * 255), np.uint8)


def _linear(lab: Float, chroma: Float) -> Float:
    scaled = np.stack([lab[..., 0], lab[..., 1] * chroma, lab[..., 2] * chroma], axis=-1)
    return np.asarray((scaled @ _FROM_OKLAB.T) ** 3 @ _FROM_CONES.T)
