"""CIE 1976 L*a*b*."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.features.feature import Floats, Pixels, Pointwise, linear_light, on_unit_scale

# sRGB primaries to XYZ, and the D65 2° white (IEC 61966-2-1; ITU-R BT.709).
_XYZ = np.array([[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]])
_WHITE = np.array([0.95047, 1.0, 1.08883])
# Where the cube root gives way to a line, and its slope (CIE 15, section 8.2.1).
_DARK, _SLOPE = 0.008856, 7.787
# Standard deviation below which a difference is not seen: 1 unit is hardly noticed (Mahy, Van Eycken & Oosterlinck 1994
# find 2.3), and two values of that deviation are √2 times it apart. Near black a step of 8 bits is 0.27 units, and pure
# black would be a class beside nearly black; with 0.3 to 1, the dark ground of astronaut.png is one.
UNSEEN = 0.5
SEEN = 4096  # pixels that show it
SMALL = 0.02  # of the standard deviation of all pixels, which it is no more than: dark pictures have small differences


def lab(rgb: NDArray[Any]) -> Floats:
    """CIE 1976 L*a*b* of sRGB values that have a unit scale, shape (3, N); L* runs from 0 to 100."""
    ratio = (_XYZ / _WHITE[:, None]) @ on_unit_scale(rgb, linear_light)
    f = np.cbrt(ratio)
    dark = ratio <= _DARK
    f[dark] = _SLOPE * ratio[dark] + 16 / 116
    return np.stack([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


class Lab(Pointwise):
    """Lightness, green to red, blue to yellow."""

    names = ("L*", "a*", "b*")
    units = "CIE 1976 units"
    needs_unit_scale = True
    rounding = 1e-3  # the matrix above has six digits: the a* and b* of greys differ from 0 by so much

    def transform(self, stored: NDArray[Any]) -> Floats:
        """See `Pointwise.transform`."""
        return lab(stored)

    def grain(self, pixels: Pixels, values: Floats) -> Floats:
        """See `Feature.grain`; and what nobody sees, for pictures of which much is seen."""
        spread = float(np.nanvar(values[:, :: -(-values.shape[1] // SEEN)], axis=1).mean())
        return super().grain(pixels, values) + min(UNSEEN**2, SMALL**2 * spread) * np.eye(3)


FEATURE = Lab()
