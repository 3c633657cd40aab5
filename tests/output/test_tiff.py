from __future__ import annotations

import io

import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow

from emseg.output.tiff import labels_tiff, planes_tiff


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
