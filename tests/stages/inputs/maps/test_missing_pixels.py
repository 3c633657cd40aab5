"""Which pixels are to be filled, by files, words and rules."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from emseg.errors import DataError, UsageError
from emseg.image.mask_rule import NOT_ZERO, MaskRule
from emseg.image.missing.masks import grown
from emseg.image.model import Image
from emseg.stages.inputs.maps.missing_pixels import missing_pixels

BOX = np.zeros((12, 14), bool)
BOX[4:7, 5:9] = True
PHOTO = Image.from_array(np.arange(168.0).reshape(12, 14))
HOLED = replace(PHOTO, valid=~BOX)
CLEAR = replace(PHOTO, alpha=np.where(BOX, 0, 255).astype(np.uint8), valid=~BOX)


def missing(photo: Image, mask: object, value: float | None = None, rule: MaskRule = NOT_ZERO) -> np.ndarray:
    return missing_pixels(photo, photo, mask, value=value, rule=rule).pixels  # type: ignore[arg-type]


def test_growing_a_mask_a_value_alpha_and_what_holds_no_data() -> None:
    for by in (0, 1, 2):
        wanted, rule = grown(BOX, by), MaskRule(grow=by)
        for photo, mask, value in (
            (PHOTO, BOX, None),
            (PHOTO, BOX * 7 + 1, 8),
            (HOLED, None, None),
            (HOLED, "nodata", None),
            (CLEAR, "alpha", None),
        ):
            np.testing.assert_array_equal(missing(photo, mask, value, rule), wanted)
    for photo, mask, value in ((PHOTO, BOX, None), (PHOTO, BOX * 7 + 1, 8), (CLEAR, "alpha", None)):
        np.testing.assert_array_equal(missing(photo, mask, value, MaskRule(grow=-1)), grown(BOX, -1))


def test_holes_do_not_shrink() -> None:
    found = missing_pixels(HOLED, HOLED, None, value=None, rule=MaskRule(grow=-1))
    np.testing.assert_array_equal(found.pixels, BOX)
    assert "all that holds no data is filled" in found.notices[0]


def test_pixels_around_a_hole_are_missing_in_all_channels() -> None:
    pixels = np.ones((12, 14, 2))
    pixels[BOX, 0] = np.nan
    photo = Image.from_array(pixels)
    found = missing_pixels(photo, photo, None, value=None, rule=MaskRule(grow=1))
    np.testing.assert_array_equal(found.wholly, grown(BOX, 1) & ~BOX)
    np.testing.assert_array_equal(found.pixels, grown(BOX, 1))


def test_limits_of_a_mask() -> None:
    shades = BOX * 200 + 7
    np.testing.assert_array_equal(missing(PHOTO, shades, rule=MaskRule(127)), BOX)
    for mask in (None, "nodata"):
        with pytest.raises(UsageError, match="mask_above: is a value of a mask; give one"):
            missing(HOLED, mask, rule=MaskRule(127))
    with pytest.raises(UsageError, match=r"mask_value=207.0 and mask_above=127.0 both say"):
        missing(PHOTO, shades, 207.0, MaskRule(127.0))
    with pytest.raises(DataError, match="no pixel lacks data, by the file or by nodata; check them"):
        missing(PHOTO, "nodata")
    with pytest.raises(DataError, match="all pixels are missing"):
        missing(PHOTO, BOX, rule=MaskRule(grow=40))
