"""Texture beside colour, as regions are compared by it."""

from __future__ import annotations

import numpy as np
import pytest

import emseg
from emseg.features.kinds.texture import texture
from emseg.image.model import Image
from emseg.regions.texture_planes import MOST_PIXELS, SMALLEST_SIDE, WEIGHT, block_means, texture_planes

pytestmark = pytest.mark.long


def image(height: int, width: int) -> np.ndarray:
    """Noise, coarse at the left, fine at the right, of the same mean and variance."""
    rng = np.random.default_rng(0)
    coarse, fine = (
        np.kron(rng.normal(size=(height // 4 + 1, width // 4 + 1)), np.ones((4, 4))),
        rng.normal(size=(height, width)),
    )
    left = np.arange(width) < width // 2
    return np.clip(128 + 30 * np.where(left, coarse[:height, :width], fine), 0, 255).astype(np.uint8)


def test_it_is_the_texture_with_a_weight() -> None:
    picture = image(200, 240)
    found = texture_planes(Image.from_array(picture), None)
    assert found is not None
    expected = texture(picture.astype(np.float64))
    for plane, own in zip(found, expected, strict=True):
        np.testing.assert_allclose(plane, WEIGHT * (own - own.mean()) / own.std(), atol=1e-5)


def test_large_images_are_reduced() -> None:
    picture = image(1100, 1201)
    assert picture.size > MOST_PIXELS
    found = texture_planes(Image.from_array(picture), None)
    assert found is not None
    assert found.shape == (3, 1100, 1201)
    np.testing.assert_array_equal(found[:, ::2, ::2][:, :, :600], found[:, 1::2, 1::2])
    plane = np.arange(12.0).reshape(3, 4)
    assert block_means(plane, 2).tolist() == [[2.5, 4.5], [8.5, 10.5]]


def test_what_is_left_out_is_unknown() -> None:
    inside = np.ones((200, 240), np.bool_)
    inside[:60, :60] = False
    found = texture_planes(Image.from_array(image(200, 240)), inside)
    assert found is not None
    assert np.isnan(found[:, :60, :60]).all()
    assert np.isfinite(found[:, inside]).all()


@pytest.mark.parametrize(
    "photo",
    [
        Image.from_array(np.zeros((SMALLEST_SIDE - 1, 300))),
        Image.from_array(np.zeros((300, 300, 5))),
        Image(np.zeros((400, 300, 1)), "gray", metadata={"volume": (2, 200, 300)}),
    ],
)
def test_some_images_have_none(photo: Image) -> None:
    assert texture_planes(photo, None) is None


def test_regions_of_equal_brightness_are_told_apart() -> None:
    picture = image(240, 320)
    found = emseg.segment(picture, k="auto", regions="auto")
    assert found.regions is not None
    truth = 1 + (np.arange(320) >= 160)[None].repeat(240, 0)
    assert emseg.evaluate(found.regions.ids, [truth])["scores"]["covering"] > 0.7
