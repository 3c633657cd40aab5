"""Pointwise colour features: stored values (C, N) in, features (d, N) out, float64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# sRGB primaries to XYZ, and the D65 2° white (IEC 61966-2-1; ITU-R BT.709).
_XYZ = np.array([[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]])
_WHITE = np.array([0.95047, 1.0, 1.08883])
_DARK = 0.01  # ε of log-chromaticity
_LUMA = np.array([0.2125, 0.7154, 0.0721])


def lab(rgb: NDArray[Any]) -> Floats:
    """CIE 1976 L*a*b* of sRGB values that have a unit scale, shape (3, N); L* runs from 0 to 100."""
    ratio = (_XYZ / _WHITE[:, None]) @ _on_unit_scale(rgb, _linear_light)
    f = np.cbrt(ratio)
    dark = ratio <= 0.008856
    f[dark] = 7.787 * ratio[dark] + 16 / 116
    return np.stack([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def hsv(rgb: NDArray[Any]) -> Floats:
    """Saturation·cos(hue), saturation·sin(hue) and value, each within [-1, 1], shape (3, N).

    Hue is an angle: 359° and 1° are neighbours, which a mean of the bare number would deny, and a grey pixel has none.
    As a point at that angle, saturation away from the axis, hue gets the distances it should have. Saturation ignores
    how brightly a surface is lit, and is pure noise where the image is almost black.
    """
    unit = _on_unit_scale(rgb, lambda value: value)
    (angle,), value = hue(rgb), unit.max(axis=0)
    saturation = (value - unit.min(axis=0)) / np.where(value > 0, value, 1.0)
    return np.stack([saturation * np.cos(angle), saturation * np.sin(angle), value])


def hue(rgb: NDArray[Any]) -> Floats:
    """Hue as an angle from 0 to below 2π, red at 0; 0 too where there is none, as in grey pixels. Shape (1, N)."""
    red, green, blue = unit = _on_unit_scale(rgb, lambda value: value)
    value = unit.max(axis=0)
    chroma = value - unit.min(axis=0)
    safe = np.where(chroma > 0, chroma, 1.0)
    sector = np.where(
        value == red, (green - blue) / safe, np.where(value == green, 2 + (blue - red) / safe, 4 + (red - green) / safe)
    )
    return np.asarray((sector * (np.pi / 3) % (2 * np.pi))[None])


def chroma(rgb: NDArray[Any]) -> Floats:
    """Log-chromaticity of linear light, shape (2, N): what of a colour does not depend on how much light falls on it.

    With l = ln(R + ε), ln(G + ε), ln(B + ε): (l_R - l_B) / √2 and (2 l_G - l_R - l_B) / √6, orthonormal coordinates of
    the plane on which equal factors on all three move nothing. ε, a hundredth of white, keeps noise in the dark small.
    """
    red, green, blue = np.log(_on_unit_scale(rgb, _linear_light) + _DARK)
    return np.stack([(red - blue) / np.sqrt(2), (2 * green - red - blue) / np.sqrt(6)])


def gray(values: NDArray[Any]) -> Floats:
    """Grey value as stored, or the ITU-R BT.709 luma of three channels on the stored scale, shape (1, …)."""
    stored = as_stored(values)
    return stored if len(stored) == 1 else np.tensordot(_LUMA[None], stored, 1)


def as_stored(values: NDArray[Any]) -> Floats:
    """The channels themselves, shape (C, N)."""
    return values.astype(np.float64)


def _linear_light(value: Floats) -> Floats:
    """Undo the sRGB transfer function (IEC 61966-2-1)."""
    return np.where(value > 0.04045, ((value + 0.055) / 1.055) ** 2.4, value / 12.92)


def has_unit_scale(values: NDArray[Any]) -> bool:
    """Whether it is known what 1 is: 8- and 16-bit integers by their type, floats if they lie between 0 and 1."""
    if values.dtype.kind == "f":
        return bool(values.min() >= 0 and values.max() <= 1)
    return values.dtype in (np.uint8, np.uint16)


def _on_unit_scale(rgb: NDArray[Any], curve: Callable[[Floats], Floats]) -> Floats:
    """`curve` of the values brought to 0…1; for integers a table look-up, since a curve costs far more than that."""
    if rgb.dtype.kind == "f":
        return curve(rgb.astype(np.float64))
    top = np.iinfo(rgb.dtype).max
    return np.take(curve(np.arange(top + 1) / top), rgb)


#: name → (function of the stored values, names of the features; bands are numbered instead).
POINTWISE: dict[str, tuple[Callable[[NDArray[Any]], Floats], tuple[str, ...]]] = {
    "lab": (lab, ("L*", "a*", "b*")),
    "rgb": (as_stored, ("R", "G", "B")),
    "gray": (gray, ("gray",)),
    "hue": (hue, ("hue",)),
    "chroma": (chroma, ("log R/B", "log G²/RB")),
    "hsv": (hsv, ("S cos H", "S sin H", "V")),
    "bands": (as_stored, ()),
}
