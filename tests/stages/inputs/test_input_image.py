"""Images and masks from paths, arrays and images: what each is taken for, and what is refused."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from emseg.errors import DataError, ImageError
from emseg.image.model import Image
from emseg.image.read import Source
from emseg.stages.inputs.input_image import as_image, as_mask, image_and_mask, mask_of_same_size

PIXELS = np.random.default_rng(0).integers(0, 255, (6, 5, 3)).astype(np.uint8)


def test_every_kind_of_image_has_the_same_pixels(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    PIL.Image.fromarray(PIXELS).save(path)
    photo = Image.from_array(PIXELS)
    assert as_image(photo) is photo
    for given in (PIXELS, path, str(path), Source(path)):
        np.testing.assert_array_equal(as_image(given).pixels, PIXELS)


def test_a_mask_is_true_where_it_is_not_zero(tmp_path: Path) -> None:
    photo, mask = Image.from_array(PIXELS), np.zeros((6, 5))
    mask[2:4, 1:] = -3
    PIL.Image.fromarray((mask != 0).astype(np.uint8) * 9).save(tmp_path / "m.png")
    for given in (mask, mask != 0, str(tmp_path / "m.png")):
        np.testing.assert_array_equal(as_mask(given, photo)[0], mask != 0)
        np.testing.assert_array_equal(mask_of_same_size(given, photo)[0], mask != 0)


def test_masks_of_channels_become_a_part_of_the_image() -> None:
    known = np.random.default_rng(1).random(PIXELS.shape) < 0.7
    photo, inside = image_and_mask(PIXELS, known, "em")
    assert inside is None
    assert photo.known is not None
    np.testing.assert_array_equal(photo.known, known)
    with pytest.raises(DataError, match="the mask has shape"):
        image_and_mask(PIXELS, known, "drop")
    whole, kept = image_and_mask(PIXELS, np.ones((6, 5)), "em")
    assert whole.known is None
    assert kept is not None
    assert kept.all()


def test_pixels_that_are_known_in_part_are_counted() -> None:
    pixels = PIXELS.astype(float)
    pixels[0], pixels[1, :3, 0] = np.nan, np.nan
    photo, _ = image_and_mask(pixels, None, "drop")
    assert [line[:45] for line in photo.notices] == ["3 pixels lack data in some of their channels,"]
    assert image_and_mask(pixels, None, "em")[0].notices == ()
    pixels[1] = np.nan
    assert image_and_mask(pixels, None, "drop")[0].notices == ()


def test_masks_of_another_size(tmp_path: Path) -> None:
    photo = Image.from_array(PIXELS)
    with pytest.raises(DataError, match=r"mask of shape \(5, 6\) for an image of shape \(6, 5\)"):
        mask_of_same_size(np.ones((5, 6)), photo)
    PIL.Image.fromarray(np.ones((5, 6), np.uint8)).save(tmp_path / "m.png")
    with pytest.raises(ImageError, match="give a mask of the image's size"):
        mask_of_same_size(tmp_path / "m.png", photo)


def test_open_files_and_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    PIL.Image.fromarray(PIXELS).save(path)
    data = path.read_bytes()
    with path.open("rb") as file:
        for given in (file, io.BytesIO(data), data, bytearray(data)):
            np.testing.assert_array_equal(as_image(given).pixels, PIXELS)  # type: ignore[arg-type]
        assert as_image(data).sha256 == as_image(path).sha256
        with pytest.raises(ImageError, match=r"file: is at its end; go back to the beginning, as file\.seek\(0\)"):
            as_image(file)
    with pytest.raises(ImageError, match=r"file: cannot be read \(read of closed file\); open it again"):
        as_image(file)
    with pytest.raises(ImageError, match="file: holds text; open it in binary mode"):
        as_image(io.StringIO("text"))  # type: ignore[arg-type]
    with pytest.raises(ImageError, match=r"https://here/a\.png: is an address; download it, and give the file"):
        as_image("https://here/a.png")


def test_results_are_images() -> None:
    class Result:
        image = Image.from_array(PIXELS)

    assert as_image(Result()) is Result.image
