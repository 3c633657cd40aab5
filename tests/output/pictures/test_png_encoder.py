from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image as Pillow

from emseg.output.pictures.palette import palette
from emseg.output.pictures.png_encoder import label_png, mean_png

from .png_chunks import chunks, header, indices, table

pytestmark = pytest.mark.long

MANY = np.zeros((65536, 3), np.uint8)
SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, max_side=40)


@given(labels=SHAPES.flatmap(lambda shape: hnp.arrays(np.uint8, shape)), k=st.sampled_from([1, 2, 4, 15, 16, 255]))
def test_the_stored_index_is_the_label(labels: np.ndarray, k: int) -> None:
    labels = np.minimum(labels, k).astype(np.uint8)
    data = label_png(labels, palette(k))
    assert header(data) == (labels.shape[1], labels.shape[0], 8, 3)
    assert np.array_equal(indices(data), labels)
    assert np.array_equal(table(data)[: k + 1], palette(k))


@given(labels=SHAPES.flatmap(lambda shape: hnp.arrays(np.uint16, shape)))
def test_many_labels_are_16_bit_grey(labels: np.ndarray) -> None:
    data = label_png(labels, MANY)
    assert header(data) == (labels.shape[1], labels.shape[0], 16, 0)
    assert np.array_equal(np.asarray(Pillow.open(io.BytesIO(data))), labels)


def test_any_memory_layout_and_unsigned_type() -> None:
    labels = (np.arange(60).reshape(6, 10) % 5).astype(np.uint32)
    for view in (labels.T, labels[::-1, ::2], np.asfortranarray(labels)):
        assert np.array_equal(indices(label_png(view, palette(4))), view)


def test_resolution_is_carried() -> None:
    data = label_png(np.ones((2, 2), np.uint8), palette(1), dpi=(300, 300))
    assert struct.unpack(">IIB", chunks(data)[b"pHYs"]) == (11811, 11811, 1)
    assert b"pHYs" not in chunks(label_png(np.ones((2, 2), np.uint8), palette(1)))


@pytest.mark.parametrize("k", [3, 300])
def test_means_in_place_of_labels(k: int) -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, k + 1, (30, 20)).astype(np.uint16)
    means = rng.integers(0, 256, (k, 3)).astype(np.uint8)
    seen = np.asarray(Pillow.open(io.BytesIO(mean_png(labels, means))).convert("RGB"))
    assert np.array_equal(seen[labels > 0], means[labels[labels > 0] - 1])
    assert not seen[labels == 0].any()


def test_the_same_labels_make_the_same_bytes() -> None:
    labels = np.random.default_rng(0).integers(0, 5, (50, 50)).astype(np.uint8)
    assert label_png(labels, palette(4)) == label_png(labels.copy(), palette(4))
