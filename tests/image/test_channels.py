"""Channels by number or by name."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from emseg.errors import UsageError
from emseg.image.channels import channel_indices, with_channels
from emseg.image.model import Image

PIXELS = np.random.default_rng(0).integers(0, 9, (4, 5, 3), np.uint8)
NAMES = ("DAPI", "405", "Cy5")


@pytest.mark.parametrize(
    ("channels", "indices"),
    [((1, 3), [0, 2]), (("3", "1"), [2, 0]), (("Cy5",), [2]), (("405", 1), [1, 0]), (("2", "DAPI"), [1, 0])],
)
def test_numbers_and_names(channels: tuple[int | str, ...], indices: list[int]) -> None:
    assert channel_indices(channels, 3, NAMES, "x") == indices


@pytest.mark.parametrize(
    ("channels", "message"),
    [
        ((4,), r"channels='4': x has 3 channels: DAPI, 405, Cy5"),
        (("0",), "has 3 channels"),
        (("gfp",), "has 3 channels"),
        ((1, "DAPI"), "channel 1 is named twice"),
    ],
)
def test_channels_that_are_not_there(channels: tuple[int | str, ...], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        channel_indices(channels, 3, NAMES, "x")


def test_chosen_channels_keep_what_is_known_of_them() -> None:
    pixels = PIXELS.astype(float)
    pixels[0, 0, 0] = pixels[1, 1, 2] = pixels[2, 2] = np.nan
    image = replace(Image.from_array(pixels), channel_names=NAMES)
    one = with_channels(image, (1,))
    assert (one.colour, one.channels, one.channel_names, one.known) == ("gray", (1,), ("DAPI",), None)
    np.testing.assert_array_equal(one.valid, np.isfinite(pixels[:, :, 0]))
    two = with_channels(image, ("Cy5", 2))
    np.testing.assert_array_equal(two.pixels, pixels[:, :, [2, 1]])
    np.testing.assert_array_equal(two.known, np.isfinite(pixels[:, :, [2, 1]]))
    assert two.colour == "bands"


def test_all_channels_in_their_order_are_still_colours() -> None:
    image = Image.from_array(PIXELS)
    assert with_channels(image, (1, 2, 3)).colour == "rgb"
    assert with_channels(image, (3, 2, 1)).colour == "bands"
    assert with_channels(image, ()) is image
