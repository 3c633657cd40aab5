from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis.extra import numpy as hnp

from emseg.image.missing.partly_known import completed, partly_known
from emseg.image.model import Image

PIXELS = np.random.default_rng(0).integers(0, 256, (3, 4, 2)).astype(np.uint8)


@given(hnp.arrays(bool, (3, 4, 2)), hnp.arrays(bool, (3, 4)))
def test_a_pixel_counts_if_a_channel_is_known(channels: np.ndarray, valid: np.ndarray) -> None:
    image = partly_known(Image.from_array(PIXELS, valid), channels)
    known = channels & valid[:, :, None]
    np.testing.assert_array_equal(np.ones((3, 4), bool) if image.valid is None else image.valid, known.any(2))
    if image.known is None:
        assert (known.any(2) == known.all(2)).all()
    else:
        np.testing.assert_array_equal(image.known, known)


def test_without_unknown_channels_it_is_the_same() -> None:
    image = Image.from_array(PIXELS)
    assert partly_known(image) is image
    assert completed(image, np.ones((3, 4), np.uint8)) is image


@given(hnp.arrays(bool, (3, 4, 2)), hnp.arrays(np.uint8, (3, 4), elements={"min_value": 0, "max_value": 3}))
def test_what_is_unknown_becomes_the_mean_of_its_region(known: np.ndarray, labels: np.ndarray) -> None:
    image = Image(PIXELS, "bands", known=known)
    found = completed(image, labels)
    assert found.known is None
    for y, x, c in np.ndindex(PIXELS.shape):
        same = known[:, :, c] & (labels == labels[y, x])
        anywhere = PIXELS[:, :, c][known[:, :, c]]
        others = PIXELS[:, :, c][same] if same.any() else anywhere
        expected = PIXELS[y, x, c] if known[y, x, c] else round(float(others.mean())) if others.size else 0
        assert abs(int(found.pixels[y, x, c]) - expected) <= (0 if known[y, x, c] else 1)  # halves round either way
