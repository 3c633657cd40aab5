"""Pictures for notebooks: colours as in the file, large ones scaled down, other types stretched to 8 bits."""

from __future__ import annotations

import io

import numpy as np
import PIL.Image
import pytest

from emseg.image.model import Image
from emseg.output.pictures.small import LONGEST, decoded, preview, thumbnail

RNG = np.random.default_rng(0)


def png(pixels: np.ndarray) -> bytes:
    out = io.BytesIO()
    PIL.Image.fromarray(pixels).save(out, "PNG")
    return out.getvalue()


def shown(data: bytes) -> np.ndarray:
    with PIL.Image.open(io.BytesIO(data)) as picture:
        return np.asarray(picture)


def test_colours_come_back() -> None:
    pixels = RNG.integers(0, 255, (6, 5, 3)).astype(np.uint8)
    np.testing.assert_array_equal(decoded(png(pixels)), pixels)
    assert decoded(png(pixels[:, :, 0])).shape == (6, 5, 3)


def test_only_large_pictures_are_scaled_down() -> None:
    small = png(np.zeros((9, 7), np.uint8))
    assert thumbnail(small) is small
    assert shown(thumbnail(png(np.full((10, 3 * LONGEST), 9, np.uint8)))).shape[:2] == (3, LONGEST)


@pytest.mark.parametrize(
    ("pixels", "shape"),
    [
        (RNG.integers(0, 255, (6, 5, 3)).astype(np.uint8), (6, 5, 3)),
        (RNG.integers(0, 60000, (6, 5, 1)).astype(np.uint16), (6, 5)),
        (RNG.normal(size=(6, 5, 7)), (6, 5)),
        (np.full((6, 5, 1), np.nan), (6, 5)),
        (np.array([[[np.inf], [-np.inf], [1e308], [-1e308]]]), (1, 4)),
        (np.zeros((1, 2 * LONGEST, 1), np.float32), (1, LONGEST)),
    ],
)
def test_every_image_has_a_preview(pixels: np.ndarray, shape: tuple[int, ...]) -> None:
    found = shown(preview(Image(pixels, "bands")))
    assert found.shape == shape
    assert found.dtype == np.uint8
    if pixels.dtype == np.uint8:
        np.testing.assert_array_equal(found, pixels)


def test_of_a_volume_the_slices_lie_side_by_side() -> None:
    image = Image(RNG.integers(0, 255, (24, 5, 1)).astype(np.uint8), "gray", metadata={"volume": (4, 6, 5)})
    assert shown(preview(image)).shape == (12, 15)
