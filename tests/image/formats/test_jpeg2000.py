from __future__ import annotations

import io
import sys

import numpy as np
import PIL.Image
import pytest

from emseg.errors import ImageError
from emseg.image.formats import jpeg2000
from emseg.image.limits import Reading

RGB = np.random.default_rng(0).integers(0, 256, (12, 17, 3), dtype=np.uint8)


def encoded(array: np.ndarray, **options: object) -> bytes:
    buffer = io.BytesIO()
    PIL.Image.fromarray(array).save(buffer, "JPEG2000", **options)
    return buffer.getvalue()


@pytest.mark.parametrize("stream_only", [False, True])
def test_lossless_files_are_read_as_they_are(stream_only: bool) -> None:
    data = encoded(RGB, no_jp2=stream_only)
    np.testing.assert_array_equal(jpeg2000.decode(data, "x", Reading(), "JPEG2000").pixels, RGB)
    assert jpeg2000.count(data, "x", Reading(), "JPEG2000") == 1


def test_grey_of_16_bits_is_whole() -> None:
    grey = np.random.default_rng(0).integers(0, 65536, (12, 17), dtype=np.uint16)
    found = jpeg2000.decode(encoded(grey), "x", Reading(), "JPEG2000").pixels
    assert found.dtype.itemsize >= 2
    np.testing.assert_array_equal(found[:, :, 0], grey)


@pytest.mark.parametrize("component", [0, 1, 2])
def test_deep_colours_need_imagecodecs(component: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    data = bytearray(encoded(RGB, no_jp2=True))
    at = data.index(b"\xff\x4f\xff\x51") + 42 + 3 * component  # Ssiz of the component: its depth less 1
    assert data[at] == 7
    data[at] = 11
    with pytest.raises(ImageError, match="samples of 12 bits need imagecodecs; pip install"):
        jpeg2000.decode(bytes(data), "x", Reading(), "JPEG2000")


@pytest.mark.parametrize("bits", [8, 9, 12, 16])
@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("bands", [1, 3])
def test_samples_of_any_depth(bits: int, signed: bool, bands: int) -> None:
    imagecodecs = pytest.importorskip("imagecodecs")
    low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
    array = np.random.default_rng(0).integers(low, high, (12, 17, bands), endpoint=True)
    array = array.astype(f"{'i' if signed else 'u'}{1 if bits == 8 else 2}").squeeze()
    data = imagecodecs.jpeg2k_encode(array, bitspersample=bits, reversible=True, level=0, codecformat="jp2")
    found = jpeg2000.decode(data, "x", Reading(), "JPEG2000").pixels
    assert found.dtype == array.dtype
    np.testing.assert_array_equal(found.squeeze(), array)


def test_grey_of_12_bits_is_not_raised() -> None:
    """Pillow raises it to 16 bits."""
    grey = np.random.default_rng(0).integers(0, 4096, (12, 17), dtype=np.uint16)
    data = bytearray(encoded(grey, no_jp2=True))
    raised = jpeg2000.decode(bytes(data), "x", Reading(), "JPEG2000").pixels[..., 0]
    np.testing.assert_array_equal(raised, grey)
    assert jpeg2000._as_stored(grey << 4, 12, False).tolist() == grey.tolist()
    assert jpeg2000._as_stored(grey << 4, 12, True).tolist() == (grey.astype(int) - 2048).tolist()


def test_a_file_without_a_stream_is_damaged() -> None:
    with pytest.raises(ValueError, match="no code stream"):
        jpeg2000.decode(b"\0\0\0\x0cjP  \r\n\x87\n", "x", Reading(), "JPEG2000")
