from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow

from emseg.output.pictures.label_pictures import MOST_IDS, labels_file, means_file, region_ids, regions_file
from emseg.output.pictures.palette import palette

from ..segmented import Regions, plane, volume


def rgb(data: bytes) -> np.ndarray:
    with Pillow.open(io.BytesIO(data)) as picture:
        return np.asarray(picture.convert("RGB"))


def test_labels_have_the_colours_of_the_palette() -> None:
    result = plane(k=3)
    np.testing.assert_array_equal(rgb(labels_file(result)), palette(3)[result.labels])


def test_resolution_is_carried() -> None:
    result = plane()
    image = replace(result.image, metadata={"resolution": (300.0, 150.0)})
    for writer in (labels_file, regions_file):
        with Pillow.open(io.BytesIO(writer(replace(result, image=image)))) as picture:
            assert picture.info["dpi"] == pytest.approx((300, 150), abs=0.02)


def test_classes_without_mean_colours_keep_those_of_the_palette() -> None:
    result = replace(plane(), colours=None)
    np.testing.assert_array_equal(rgb(means_file(result)), palette(3)[result.labels])


def test_more_than_255_classes_and_regions_are_16_bit_grey() -> None:
    labels = np.arange(300, dtype=np.uint16).reshape(15, 20)
    result = replace(plane(15, 20, 3), labels=labels, k=299, colours=None)
    with Pillow.open(io.BytesIO(labels_file(result))) as picture:
        np.testing.assert_array_equal(np.asarray(picture), labels)
    table = {"region": np.arange(1, 300), "label": np.ones(299, int)}
    many = replace(result, regions=Regions(labels.astype(np.int32), table))
    with Pillow.open(io.BytesIO(regions_file(many))) as picture:
        np.testing.assert_array_equal(np.asarray(picture), labels)


def test_more_regions_than_16_bits_are_a_tiff_of_32() -> None:
    """Pictures show some in one colour; the file numbers all."""
    ids = np.array([[0, 1, 2], [MOST_IDS - 1, MOST_IDS, MOST_IDS + 1]], np.int32)
    full = replace(plane(2, 3), regions=Regions(np.minimum(ids, MOST_IDS), {"region": np.arange(MOST_IDS)}))
    assert region_ids(full).dtype == np.uint16
    np.testing.assert_array_equal(region_ids(full), np.minimum(ids, MOST_IDS))
    more = replace(plane(2, 3), regions=Regions(ids, {"region": np.arange(MOST_IDS + 1)}))
    np.testing.assert_array_equal(region_ids(more), [[0, 1, 2], [MOST_IDS - 1, MOST_IDS, 1]])
    stored = tifffile.imread(io.BytesIO(regions_file(more)))
    assert stored.dtype == np.uint32
    np.testing.assert_array_equal(stored, ids)


def test_regions_of_a_volume_are_a_montage() -> None:
    result = volume((5, 4, 6))
    ids = np.arange(1, result.labels.size + 1, dtype=np.int32).reshape(result.labels.shape)
    found = region_ids(replace(result, regions=Regions(ids, {"region": np.arange(ids.size)})))
    assert found.size > ids.size
    np.testing.assert_array_equal(np.sort(found[found > 0]), np.sort(ids.ravel()))
