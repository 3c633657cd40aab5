"""AVIF: what is dropped of deep samples is said."""

from __future__ import annotations

import numpy as np
import pytest

from emseg.image.formats import avif
from emseg.image.limits import Reading
from emseg.image.model import Image

RGB = Image.from_array(np.zeros((4, 5, 3), np.uint8))


@pytest.mark.parametrize(("flags", "bits"), [(0, 0), (0x40, 10), (0x60, 12), (0x20, 0)])
def test_the_depth_is_told(flags: int, bits: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(avif.pillow, "decode", lambda *arguments: RGB)
    data = bytes(99) + b"av1C\x81\x00" + bytes([flags, 0]) + bytes(9)
    notices = avif.decode(data, "x", Reading(), "AVIF").notices
    assert notices == ((f"{bits} bits a sample are read as 8; a PNG or TIFF of 16 bits keeps them",) if bits else ())
    assert avif.decode(bytes(99), "x", Reading(), "AVIF").notices == ()
    assert avif.decode(b"av1C", "x", Reading(), "AVIF").notices == ()
