"""Every layout of TIFF files: type × bands × compression × planes × strips or tiles × predictor × order of bytes."""

from __future__ import annotations

import sys
import zlib

import numpy as np
import pytest

from emseg.image.read import decode_image
from tests.image.strips.tiff_files import Kind, every_kind, meant, samples_of, tiff

pytestmark = pytest.mark.long

SHARE = 16  # of the kinds, one in so many is in the quick tests: those whose hash says so


def is_quick(kind: Kind) -> bool:
    return zlib.crc32(repr(kind).encode()) % SHARE == 0


def read_right(kind: Kind) -> bool:
    samples = samples_of(kind)
    image, expected = decode_image(tiff(kind, samples), "x"), meant(kind, samples)
    is_same = image.pixels.dtype == expected.dtype and np.array_equal(image.pixels, expected)
    return is_same and image.valid is None


@pytest.mark.parametrize("dtype", sorted({kind.dtype for kind in every_kind()}))
def test_a_sample_of_the_matrix(dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "imagecodecs", None)  # the plain installation
    kinds = [kind for kind in every_kind() if kind.dtype == dtype and is_quick(kind)]
    assert len(kinds) > 4
    assert [kind for kind in kinds if not read_right(kind)] == []


@pytest.mark.slow
@pytest.mark.parametrize("with_imagecodecs", [False, True])
def test_the_whole_matrix(with_imagecodecs: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if with_imagecodecs:
        pytest.importorskip("imagecodecs")
    else:
        monkeypatch.setitem(sys.modules, "imagecodecs", None)
    assert [kind for kind in every_kind() if not read_right(kind)] == []


@pytest.mark.parametrize("dtype", ["u1", "u2", "f4", "b1", "b12"])
@pytest.mark.parametrize("compression", ["none", "lzw", "deflate", "zstd"])
def test_bits_in_the_other_order_and_large_offsets(dtype: str, compression: str) -> None:
    for kind in (Kind(dtype, 1, compression, fill_order=2), Kind(dtype, 3, compression, big=True, order=">")):
        assert read_right(kind), kind
