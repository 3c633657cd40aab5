"""The size of a pixel, written by emseg and read by tifffile and by emseg itself."""

from __future__ import annotations

import io
import itertools
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
import tifffile

from emseg.image.place.microscope import size_by_description
from emseg.image.place.pixel_size import PixelSize
from emseg.image.read import decode_image
from emseg.output.maps.tiff_writer import image_tiff, labels_tiff, planes_tiff

RNG = np.random.default_rng(0)
SIZE = {2: PixelSize((0.65, 0.325), "µm"), 3: PixelSize((2.0, 0.65, 0.325), "µm")}


def opened(data: bytes) -> tifffile.TiffFile:
    return tifffile.TiffFile(io.BytesIO(data))


def same(found: PixelSize | None, expected: PixelSize) -> bool:
    return found is not None and found.unit == expected.unit and found.lengths == pytest.approx(expected.lengths)


def metadata(software: str, volume: tuple[int, int, int] | None) -> dict[str, Any]:
    return {"software": software, "pixel_size": SIZE[3 if volume else 2], **({"volume": volume} if volume else {})}


FILES = {
    "labels": lambda given, h, w: labels_tiff(np.ones((h, w), np.uint16), given),
    "posterior": lambda given, h, w: planes_tiff(np.ones((5, h, w)), given),
    "bias": lambda given, h, w: planes_tiff(np.ones((h, w)), given),
    "grey": lambda given, h, w: image_tiff(np.ones((h, w, 1), np.uint16), "gray", None, given),
    "bands": lambda given, h, w: image_tiff(np.ones((h, w, 4), np.uint8), "bands", None, given),
    "colours": lambda given, h, w: image_tiff(np.ones((h, w, 3), np.uint8), "rgb", None, given),
}
AXES = {
    **{("imagej", name, False): "YX" for name in ("labels", "bias", "grey")},
    **{("imagej", name, True): "ZYX" for name in ("labels", "bias", "grey")},
    ("imagej", "posterior", False): "CYX",
    ("imagej", "posterior", True): "TZYX",
    ("imagej", "bands", False): "CYX",
    ("imagej", "bands", True): "ZCYX",
    ("imagej", "colours", False): "YXS",
    ("imagej", "colours", True): "ZYXS",
    **{("ome", name, False): "YX" for name in ("labels", "bias", "grey")},
    **{("ome", name, True): "ZYX" for name in ("labels", "bias", "grey")},
    ("ome", "posterior", False): "CYX",
    ("ome", "posterior", True): "CZYX",
    **{("ome", name, False): "YXS" for name in ("bands", "colours")},
    **{("ome", name, True): "ZYXS" for name in ("bands", "colours")},
}


@pytest.mark.parametrize(("software", "name", "deep"), list(itertools.product(("imagej", "ome"), FILES, (False, True))))
def test_tifffile_reads_axes_and_sizes(software: str, name: str, deep: bool) -> None:
    volume = (3, 6, 7) if deep else None
    data = FILES[name](metadata(software, volume), 18 if deep else 6, 7)
    with opened(data) as file:
        assert file.series[0].axes == AXES[software, name, deep]
        page = file.pages.first
        text, tags = page.description, {tag.code: tag.value for tag in page.tags}
        if software == "imagej":
            facts = file.imagej_metadata
            assert facts is not None
            assert facts["unit"] == "um"
            assert facts.get("spacing") == (2.0 if deep else None)
            assert [b / a for a, b in (tags[282], tags[283])] == pytest.approx([0.325, 0.65])
        else:
            assert file.is_ome
            pixels = ElementTree.fromstring(text).find(".//{*}Pixels")
            assert pixels is not None
            assert (pixels.get("PhysicalSizeX"), pixels.get("PhysicalSizeY")) == ("0.325", "0.65")
            assert (pixels.get("PhysicalSizeXUnit"), pixels.get("PhysicalSizeZ")) == ("µm", "2.0" if deep else None)
            assert page.get_resolution(unit=3) == pytest.approx((1e4 / 0.325, 1e4 / 0.65))
        assert same(size_by_description(text, tags, deep), SIZE[3 if deep else 2])
    assert data == FILES[name](metadata(software, volume), 18 if deep else 6, 7)


@pytest.mark.parametrize("unit", ["nm", "mm", "cm", "inch", "Å"])
@pytest.mark.parametrize("software", ["imagej", "ome"])
def test_every_unit_comes_back(unit: str, software: str) -> None:
    size = PixelSize((3.0, 2.0), unit)
    data = labels_tiff(np.ones((4, 5), np.uint8), {"software": software, "pixel_size": size})
    assert same(decode_image(data, "x.tif").pixel_size, size)


@pytest.mark.parametrize("kind", ["imagej", "ome"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_what_is_read_is_carried(kind: str, dtype: type) -> None:
    file = io.BytesIO()
    facts = {"unit": "um"} if kind == "imagej" else {"PhysicalSizeX": 0.325, "PhysicalSizeY": 0.65}
    resolution = (1 / 0.325, 1 / 0.65) if kind == "imagej" else (1, 1)
    tifffile.imwrite(
        file, np.eye(9, dtype=dtype), metadata={"axes": "YX", **facts}, resolution=resolution, **{kind: True}
    )
    image = decode_image(file.getvalue(), "x.tif")
    for data in (
        labels_tiff(np.ones((9, 9), np.uint8), image.metadata),
        planes_tiff(image.pixels[..., 0], image.metadata),
    ):
        with opened(data) as written:
            assert (written.is_imagej, written.is_ome) == (kind == "imagej", kind == "ome")
        assert same(decode_image(data, "y.tif").pixel_size, SIZE[2])


def test_other_files_get_no_description() -> None:
    for given in ({}, {"pixel_size": SIZE[2]}, {"pixel_size": PixelSize((1.0, 1.0), "degree"), "software": "ome"}):
        with opened(labels_tiff(np.ones((4, 5), np.uint8), given)) as file:
            assert file.pages.first.description == ""


def test_slices_of_other_volumes_are_told() -> None:
    volume = (3, 6, 7)
    size = PixelSize((3.0, 2.0, 1.0), "mm")
    for given in ({"volume": volume}, {"volume": volume, "pixel_size": size}):
        with opened(labels_tiff(np.ones((18, 7), np.uint8), given)) as file:
            assert file.series[0].axes == "ZYX"
            assert (file.imagej_metadata or {}).get("unit") == ("mm" if "pixel_size" in given else None)
        with opened(planes_tiff(np.ones((5, 18, 7)), given)) as file:
            assert (file.series[0].axes, file.series[0].shape) == ("TZYX", (5, 3, 6, 7))
        with opened(image_tiff(np.ones((18, 7, 2), np.uint16), "bands", None, given)) as file:
            assert (file.series[0].axes, file.series[0].shape) == ("ZCYX", (3, 2, 6, 7))
