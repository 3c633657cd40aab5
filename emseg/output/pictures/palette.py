"""Colours of classes and regions: the same label has the same colour in every picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from emseg.output.pictures.oklab import srgb

# The seven hues of Okabe and Ito (2008), told apart under the common colour-vision deficiencies too, in an order that
# puts strong contrasts first; then three more.
_FIRST = ("0072b2", "e69f00", "009e73", "cc79a7", "f0e442", "56b4e9", "d55e00", "4a32c8", "774422", "c8dc96")
_GOLDEN_ANGLE = np.pi * (3 - 5**0.5)


def palette(n: int) -> NDArray[np.uint8]:
    """Colours of labels 0 to `n`, shape (n + 1, 3): black for "no data", then visible colours.

    A shorter palette is the beginning of a longer one. Up to n = 255 all entries differ. Beyond the named colours hues
    step by the golden angle, so that neighbours are far apart, while lightness and chroma take turns.
    """
    rank = np.arange(max(n - len(_FIRST), 0))
    lightness = np.array([0.72, 0.52, 0.84, 0.62])[rank % 4] - 0.0003 * (rank % 256)
    chroma = np.array([0.13, 0.16, 0.10])[rank % 3]
    hue = rank * _GOLDEN_ANGLE
    generated = srgb(np.stack([lightness, chroma * np.cos(hue), chroma * np.sin(hue)], axis=1))
    named = np.frombuffer(bytes.fromhex("000000" + "".join(_FIRST)), np.uint8).reshape(-1, 3)
    return np.concatenate([named, generated])[: n + 1]
