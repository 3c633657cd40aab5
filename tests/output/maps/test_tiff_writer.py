from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow

from emseg.image.read import decode_image
from emseg.output.maps.tiff_writer import labels_file, labels_tiff, planes_tiff
from emseg.output.pictures.palette import palette
from emseg.output.pictures.png_encoder import label_png

from ..segmented import Regions, plane


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32])
def test_labels_are_plain_integers(dtype: type) -> None:
    labels = (np.arange(35 * 20).reshape(35, 20) % np.iinfo(np.uint8).max).astype(dtype)
    data = labels_tiff(labels, {})
    back = tifffile.imread(io.BytesIO(data))
    assert back.dtype == dtype
    assert np.array_equal(back, labels)
    if dtype != np.uint32:
        assert np.array_equal(np.asarray(Pillow.open(io.BytesIO(data))), labels)


def test_a_page_for_each_component() -> None:
    planes = np.random.default_rng(0).dirichlet(np.ones(4), (20, 30)).transpose(2, 0, 1)
    with tifffile.TiffFile(io.BytesIO(planes_tiff(planes, {}))) as file:
        assert len(file.pages) == 4
        assert all(page.dtype == np.float32 and page.shape == (20, 30) for page in file.pages)
        assert np.array_equal(file.asarray(), planes.astype(np.float32))


@pytest.mark.parametrize("planes", [1, 3, 4])
def test_few_planes_are_not_taken_for_colours(planes: int) -> None:
    with tifffile.TiffFile(io.BytesIO(planes_tiff(np.zeros((planes, 9, 3)), {}))) as file:
        assert [page.shape for page in file.pages] == [(9, 3)] * planes


def test_one_plane() -> None:
    plane = np.random.default_rng(0).random((7, 5))
    assert np.array_equal(tifffile.imread(io.BytesIO(planes_tiff(plane, {}))), plane.astype(np.float32))


def test_resolution_and_place_are_carried() -> None:
    geo = {
        33550: (10.0, 10.0, 0.0),
        33922: (0.0, 0.0, 0.0, 5e5, 4e6, 0.0),
        34735: (1, 1, 0, 1, 1024, 0, 1, 1),
        34737: "UTM|",
    }
    data = labels_tiff(np.ones((4, 6), np.uint8), {"resolution": (300.0, 150.0), "geotiff": geo})
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        tags = file.pages[0].tags
        assert tags[33550].value == geo[33550]
        assert tags[33922].value == geo[33922]
        assert tags[34735].value == geo[34735]
        assert tags[34737].value == geo[34737]
        assert tags["XResolution"].value == (300, 1)
        assert tags["YResolution"].value == (150, 1)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])  # read through Pillow, and through tifffile
def test_the_place_goes_from_file_to_file(dtype: type) -> None:
    geo = {
        33550: ("d", (0.5, 0.5, 0.0)),
        34735: ("H", (1, 1, 0, 1, 2057, 34736, 1, 0)),
        34736: ("d", (6378137.0,)),  # a single number: readers unpack it
        34737: ("s", "WGS 84|"),
    }
    file = io.BytesIO()
    extra = [(code, kind, 0 if kind == "s" else len(value), value, True) for code, (kind, value) in geo.items()]
    pixels = np.zeros((4, 6), dtype)
    tifffile.imwrite(file, pixels, photometric="minisblack", resolution=(96.5, 72), resolutionunit=2, extratags=extra)
    image = decode_image(file.getvalue(), "geo.tif")
    for data in (
        labels_tiff(np.ones((4, 6), np.uint8), image.metadata),
        planes_tiff(np.ones((2, 4, 6)), image.metadata),
    ):
        with tifffile.TiffFile(io.BytesIO(data)) as written:
            tags = written.pages[0].tags
            assert {code: tags[code].value for code in geo} == {code: value for code, (_, value) in geo.items()}
            assert written.pages[0].get_resolution(unit=2) == pytest.approx((96.5, 72))


@pytest.mark.parametrize(
    ("code", "value"),
    [
        (33550, "text"),
        (33550, b"\0\1"),
        (33550, (1.0, None)),
        (34735, (1, 1, 0, 70000)),
        (34735, (1.5, 1, 0, 0)),
        (34735, -1),
        (34737, (1, 2)),
    ],
)
def test_tags_of_a_wrong_type_are_left_out(code: int, value: object) -> None:
    data = labels_tiff(np.ones((4, 6), np.uint8), {"geotiff": {code: value, 33922: (0.0,) * 6}})
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        assert code not in file.pages[0].tags
        assert file.pages[0].tags[33922].value == (0.0,) * 6


def test_characters_of_a_place_name_keep_their_positions() -> None:
    data = labels_tiff(np.ones((4, 6), np.uint8), {"geotiff": {34737: "Österreich|UTM|"}})
    with tifffile.TiffFile(io.BytesIO(data)) as file:
        assert file.pages[0].tags[34737].value == "?sterreich|UTM|"


@pytest.mark.parametrize("dpi", [(1e-9, 1e-9), (5e-324, 72.0), (1e9, 72.0), (1e300, 1e300)])
def test_resolutions_that_make_no_sense_do_no_harm(dpi: tuple[float, float]) -> None:
    labels = np.ones((4, 6), np.uint8)
    assert np.array_equal(tifffile.imread(io.BytesIO(labels_tiff(labels, {"resolution": dpi}))), labels)
    assert np.array_equal(np.asarray(Pillow.open(io.BytesIO(label_png(labels, palette(1), dpi)))), labels)


def test_label_0_is_no_data_where_the_input_had_such_a_value() -> None:
    source = io.BytesIO()
    tifffile.imwrite(source, np.eye(20, dtype=np.uint8), extratags=[(42113, "s", 0, "0", True)])
    image = decode_image(source.getvalue(), "x")
    assert image.valid is not None
    for data, nodata in (
        (labels_tiff(np.ones((20, 20), np.uint8), image.metadata), "0"),
        (planes_tiff(np.ones((20, 20)), image.metadata), None),
    ):
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            tag = file.pages.first.tags.get(42113)
            assert (tag and tag.value) == nodata


@pytest.mark.parametrize(("count", "dtype"), [(7, np.uint8), (300, np.uint16), (70_000, np.uint32)])
def test_labels_are_regions_where_they_were_looked_for(count: int, dtype: type) -> None:
    ids = np.resize(np.arange(count + 1, dtype=np.int32), (280, 260))
    table = {"region": np.arange(1, count + 1), "label": np.ones(count, int)}
    stored = tifffile.imread(io.BytesIO(labels_file(replace(plane(280, 260), regions=Regions(ids, table)))))
    assert stored.dtype == dtype
    np.testing.assert_array_equal(stored, ids)
