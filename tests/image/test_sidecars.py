"""GDAL's files beside an image: masks, and values that mean "no data"."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import tifffile

from emseg.image.file_bytes import digest_of_image, nodata_beside
from emseg.image.read import read_image

RNG = np.random.default_rng(0)
RGB = RNG.integers(0, 4, (12, 17, 3), np.uint8)
INSIDE = RNG.random((12, 17)) < 0.7


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    PIL.Image.fromarray(RGB).save(path)
    return path


def beside(photo: Path, *values: str) -> None:
    bands = "".join(
        f'<PAMRasterBand band="{n}"><Description>x</Description><NoDataValue le_hex_equiv="00">{value}</NoDataValue>'
        "</PAMRasterBand>"
        for n, value in enumerate(values, 1)
        if value
    )
    photo.with_name(photo.name + ".aux.xml").write_text(f"<PAMDataset>\n  {bands}\n</PAMDataset>")


def test_a_mask_beside(photo: Path) -> None:
    before = digest_of_image(photo)
    assert read_image(photo).sha256 == before
    tifffile.imwrite(photo.with_name("photo.png.msk"), INSIDE.astype(np.uint8) * 255)
    image = read_image(photo)
    np.testing.assert_array_equal(image.valid, INSIDE)
    assert image.notices == ()
    assert image.sha256 == digest_of_image(photo) != before


def test_values_beside_count_band_by_band(photo: Path) -> None:
    beside(photo, "1.00000000000000E+00", "", "2")
    image = read_image(photo)
    np.testing.assert_array_equal(image.known, np.dstack([RGB[..., 0] != 1, RGB[..., 1] < 9, RGB[..., 2] != 2]))
    assert image.sha256 == digest_of_image(photo)


def test_files_that_do_not_fit_are_told_of(photo: Path) -> None:
    beside(photo, "300", "0")
    photo.with_name("photo.png.msk").write_bytes(b"II*\0rubbish")
    image = read_image(photo)
    np.testing.assert_array_equal(image.valid, RGB[..., 1] != 0)
    assert any("300, is no uint8" in line for line in image.notices)
    assert any(line.startswith("the mask beside it is ignored") for line in image.notices)
    tifffile.imwrite(photo.with_name("photo.png.msk"), np.ones((3, 4), np.uint8))
    assert "has another size, 4 × 3, and is ignored" in read_image(photo).notices[1]


def test_a_single_band_of_a_picture_in_colour(photo: Path) -> None:
    beside(photo, "0")
    image = read_image(photo)
    assert image.valid is None
    assert "is of a single band, and is ignored" in image.notices[0]


def test_other_facts_are_no_business_of_ours(photo: Path) -> None:
    photo.with_name("photo.png.aux.xml").write_text("<PAMDataset><Statistics/></PAMDataset>")
    assert nodata_beside(photo) == (None, None)
    assert read_image(photo).notices == ()
