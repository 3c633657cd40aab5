"""JPEG files that end early but look whole, and files that claim more pixels than they can hold."""

from __future__ import annotations

import io
import struct

import numpy as np
import PIL.Image
import pytest

from emseg.errors import ImageError
from emseg.image.damage.jpeg_scans import markers
from emseg.image.read import decode_image

RNG = np.random.default_rng(0)
END = b"\xff\xd9"


def jpeg(array: np.ndarray, **options: object) -> bytes:
    buffer = io.BytesIO()
    PIL.Image.fromarray(array).save(buffer, "JPEG", **options)
    return buffer.getvalue()


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("shape", [(80, 64), (165, 157, 3), (200, 141, 3), (9, 300), (333, 7)])
@pytest.mark.parametrize("options", [{}, {"restart_marker_blocks": 3}, {"optimize": True}, {"subsampling": 0}])
def test_a_cut_is_told(progressive: bool, shape: tuple[int, ...], options: dict[str, object]) -> None:
    data = jpeg(RNG.integers(0, 256, shape, np.uint8), quality=85, progressive=progressive, **options)
    assert decode_image(data, "x").shape == shape[:2]
    first = data.index(b"\xff\xda") + 14
    last = data.rindex(b"\xff\xda") if progressive else int(first + 0.9 * (len(data) - first))
    for share in (0.0, 0.3, 0.6, 1.0):
        at = int(first + share * (last - first))
        for end in (END, b""):
            with pytest.raises(ImageError, match=r"^x: damaged or unusual JPEG"):
                decode_image(data[:at] + end, "x")


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("colour", [0, 128, 255])
def test_flat_images_are_whole(progressive: bool, colour: int) -> None:
    for size in ((16, 16), (1, 1), (17, 9), (640, 480)):
        for channels in (1, 3):
            array = np.full((*size[::-1], channels), colour, np.uint8).squeeze(axis=2 if channels == 1 else ())
            data = jpeg(array, progressive=progressive)
            assert decode_image(data, "x").shape == size[::-1]
            assert decode_image(data + b"what a camera writes behind", "x").shape == size[::-1]


@pytest.mark.parametrize("progressive", [False, True])
def test_more_pixels_than_bytes_can_hold(progressive: bool) -> None:
    data = bytearray(jpeg(np.full((16, 16), 128, np.uint8), progressive=progressive))
    at = data.index(b"\xff\xc2" if progressive else b"\xff\xc0")
    struct.pack_into(">HH", data, at + 5, 20000, 20000)
    with pytest.raises(ImageError, match="the file is cut short"):
        decode_image(bytes(data), "x")


def test_the_largest_share_of_pixels_is_read() -> None:
    data = jpeg(np.full((2000, 2000), 128, np.uint8), quality=50, optimize=True)
    assert 2000 * 2000 / len(data) > 200
    assert decode_image(data, "x").shape == (2000, 2000)


def test_markers() -> None:
    data = jpeg(RNG.integers(0, 256, (40, 40, 3), np.uint8), progressive=True)
    found = markers(data)
    assert (found.frame, found.size, found.components) == (0xC2, (40, 40), {1: (2, 2), 2: (1, 1), 3: (1, 1)})
    assert data[found.scans[-1].end :] == END
    assert len(found.scans) == data.count(b"\xff\xda")
    units = {scan.components: found.units(scan) for scan in found.scans}
    assert units == {(1, 2, 3): 9, (1,): 25, (2,): 9, (3,): 9}
    assert markers(data + data) == found
    assert markers(b"\xff\xd8").frame == 0


def test_a_gif_that_claims_too_much() -> None:
    buffer = io.BytesIO()
    PIL.Image.new("P", (16, 16), 1).save(buffer, "GIF")
    data = bytearray(buffer.getvalue())
    struct.pack_into("<HH", data, 6, 20000, 20000)
    with pytest.raises(ImageError, match="the file is cut short"):
        decode_image(bytes(data), "x")
    struct.pack_into("<HH", data, 6, 100, 100)
    assert decode_image(bytes(data), "x").shape == (100, 100)


@pytest.mark.parametrize("options", [{"lossless": True}, {"quality": 80}, {"lossless": True, "exact": True}])
def test_the_size_of_a_webp(options: dict[str, object]) -> None:
    from emseg.image.damage.webp_size import webp_size

    for shape in ((7, 300, 3), (255, 2, 3), (9, 9, 4)):
        buffer = io.BytesIO()
        PIL.Image.fromarray(RNG.integers(0, 256, shape, np.uint8)).save(buffer, "WEBP", **options)
        assert webp_size(buffer.getvalue()) == shape[1::-1]
        assert decode_image(buffer.getvalue(), "x").shape == shape[:2]


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_too_many_scans_are_refused(mode: str) -> None:
    """A scan of 12 bytes goes through all pixels; a few more than usual do no harm."""
    buffer = io.BytesIO()
    PIL.Image.new(mode, (2000, 2000), "gray").save(buffer, "JPEG", progressive=True)
    data = buffer.getvalue()
    last = data.rindex(b"\xff\xda")
    assert decode_image(data[:-2] + data[last:-2] * 60 + b"\xff\xd9", "x").pixels.shape[:2] == (2000, 2000)
    with pytest.raises(ImageError, match=r"its 50\d\d scans would take minutes"):
        decode_image(data[:-2] + data[last:-2] * 5000 + b"\xff\xd9", "x")
