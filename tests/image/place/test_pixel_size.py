"""How large a pixel is, from files of every kind that tells it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from emseg.image.place.microscope import size_by_description
from emseg.image.place.pixel_size import PixelSize, pixel_size
from emseg.image.read import decode_image, read_image


def stored(pixels: np.ndarray, **given: Any) -> Any:
    file = io.BytesIO()
    tifffile.imwrite(file, pixels, **given)
    return decode_image(file.getvalue(), "x.tif").pixel_size


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])  # read through Pillow, and through tifffile
@pytest.mark.parametrize("unit", ["um", "micron", "\\u00B5m"])
def test_imagej(dtype: type, unit: str) -> None:
    resolution = (1 / 0.325, 1 / 0.65)
    found = stored(np.eye(9, dtype=dtype), imagej=True, resolution=resolution, metadata={"unit": unit})
    assert found.unit == "µm"
    assert found.lengths == pytest.approx((0.65, 0.325), rel=1e-6)  # along y, along x
    assert found.is_length


def test_imagej_along_z() -> None:
    description = "ImageJ=1.11a\nimages=4\nslices=4\nunit=um\nspacing=2.0\n"
    tags = {282: (2, 1), 283: (4, 1), 296: 1}
    assert size_by_description(description, tags, volume=True) == PixelSize((2.0, 0.25, 0.5), "µm")
    assert size_by_description(description, tags) == PixelSize((0.25, 0.5), "µm")
    assert size_by_description(description + "zunit=mm\n", tags, volume=True) is None


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("unit", ["µm", "nm", "mm", None])
def test_ome(dtype: type, unit: str | None) -> None:
    sizes = {"axes": "YX", "PhysicalSizeX": 0.325, "PhysicalSizeY": 0.65}
    sizes |= {"PhysicalSizeXUnit": unit, "PhysicalSizeYUnit": unit} if unit else {}
    found = stored(np.eye(9, dtype=dtype), ome=True, metadata=sizes)
    assert found == PixelSize((0.65, 0.325), unit or "µm")


def test_ome_along_z() -> None:
    element = '<OME><Image ID="a"><Pixels ID="b" PhysicalSizeX="0.5" PhysicalSizeZ="3" SizeX="4"/></Image></OME>'
    assert size_by_description(element, {}, volume=True) == PixelSize((3.0, 0.5, 0.5), "µm")


@pytest.mark.parametrize(
    "description", [None, 1, b"x", "", "ImageJ=", "ImageJ=1\nunit=pixel\n", "<Pixels PhysicalSizeX='no' >", "<Pixels >"]
)
def test_other_descriptions_tell_nothing(description: Any) -> None:
    assert size_by_description(description, {282: (1, 1), 283: (1, 1)}) is None


@pytest.mark.parametrize("ratio", [(0, 1), (1, 0), (1, 0, 0), "text", None])
def test_resolutions_without_meaning(ratio: Any) -> None:
    assert size_by_description("ImageJ=1\nunit=um\n", {282: ratio, 283: (1, 1)}) is None


@pytest.mark.parametrize(("lengths", "unit"), [((1, 0), "mm"), ((1, float("nan")), "mm"), ((1, 1), "furlong")])
def test_sizes_without_meaning(lengths: tuple[float, ...], unit: str) -> None:
    assert pixel_size(lengths, unit) is None


@pytest.mark.parametrize(
    ("keys", "size"),
    [
        ((1024, 0, 1, 1, 3072, 0, 1, 32633), PixelSize((20.0, 10.0), "m")),
        ((1024, 0, 1, 1, 3072, 0, 1, 2263, 3076, 0, 1, 9003), PixelSize((20.0, 10.0), "US survey foot")),
        ((1024, 0, 1, 2, 2048, 0, 1, 4326), PixelSize((20.0, 10.0), "degree")),
        ((1024, 0, 1, 1, 3072, 0, 1, 2263), None),
    ],
)
def test_ground(keys: tuple[int, ...], size: PixelSize | None) -> None:
    tags: list[Any] = [
        (33550, "d", 3, (10.0, 20.0, 0.0), True),
        (33922, "d", 6, (0.0, 0.0, 0.0, 5e5, 4.6e6, 0.0), True),
        (34735, "H", 4 + len(keys), (1, 1, 0, len(keys) // 4, *keys), True),
    ]
    assert stored(np.eye(9, dtype=np.uint8), extratags=tags) == size


@pytest.mark.parametrize(("unit", "name"), [("mm", "mm"), ("micron", "µm"), ("meter", "m"), ("unknown", "mm")])
def test_nifti(unit: str, name: str, tmp_path: Path) -> None:
    nibabel = pytest.importorskip("nibabel", reason="needs nibabel")
    turned = np.array([[0, -2.0, 0, 9], [1.0, 0, 0, 9], [0, 0, 3, 9], [0, 0, 0, 1]])
    image = nibabel.Nifti1Image(np.zeros((4, 5, 6), np.uint8), turned)
    image.header.set_xyzt_units(unit, "sec")
    nibabel.save(image, tmp_path / "x.nii")
    assert read_image(tmp_path / "x.nii").pixel_size == PixelSize((3.0, 2.0, 1.0), name)  # along z, y, x


def test_a_plain_picture_has_none() -> None:
    assert stored(np.eye(9, dtype=np.uint8), resolution=(300, 300), resolutionunit=2) is None
