"""Portable anymaps, against Pillow where it keeps all bits, and against the arrays they were made from."""

from __future__ import annotations

import io
from time import process_time
from typing import Any

import numpy as np
import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emseg.errors import ImageError
from emseg.image.read import decode_image

RNG = np.random.default_rng(0)


def raw(pixels: np.ndarray, largest: int, comment: bytes = b"") -> bytes:
    kind = b"P5" if pixels.ndim == 2 else b"P6"
    head = kind + b"\n" + comment + b"%d %d\n%d\n" % (pixels.shape[1], pixels.shape[0], largest)
    return head + pixels.astype(">u2" if largest > 255 else "u1").tobytes()


def plain(pixels: np.ndarray, largest: int) -> bytes:
    kind = b"P2" if pixels.ndim == 2 else b"P3"
    words = " ".join(map(str, pixels.ravel())).encode()
    return kind + b" # one\n#two\n%d %d %d\n" % (pixels.shape[1], pixels.shape[0], largest) + words + b"\n"


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 3)])
@pytest.mark.parametrize("largest", [255, 65535])
@pytest.mark.parametrize("write", [raw, plain])
def test_every_bit_comes_back(shape: tuple[int, ...], largest: int, write: object) -> None:
    pixels = RNG.integers(0, largest + 1, shape)
    image = decode_image(write(pixels, largest), "x")  # type: ignore[operator]
    assert image.pixels.dtype == (np.uint8 if largest == 255 else np.uint16)
    assert image.colour == ("gray" if len(shape) == 2 else "rgb")
    np.testing.assert_array_equal(image.pixels.reshape(shape), pixels)


@pytest.mark.parametrize("largest", [1, 15, 100, 1023, 4095])
def test_white_is_white(largest: int) -> None:
    pixels = RNG.integers(0, largest + 1, (4, 5))
    pixels[0, :2] = 0, largest
    image = decode_image(raw(pixels, largest), "x")
    white = 255 if largest < 256 else 65535
    assert image.pixels[0, :2, 0].tolist() == [0, white]
    assert np.abs(image.pixels[..., 0] - pixels * (white / largest)).max() <= 0.5 + 1e-9


def test_as_pillow_reads_them() -> None:
    buffer = io.BytesIO()
    PIL.Image.fromarray(RNG.integers(0, 255, (7, 9, 3), np.uint8)).save(buffer, "PPM")
    with PIL.Image.open(buffer) as stored:
        np.testing.assert_array_equal(decode_image(buffer.getvalue(), "x").pixels, np.asarray(stored))


@pytest.mark.parametrize("mark", [b"#\n", b"# a # b\r\n", b"#\r", b"#a"])
def test_comments_of_bitmaps_are_left_out_as_pillow_does(mark: bytes) -> None:
    for data in (b"P1\n%s3 2\n1 0 1\n0 1 0\n", b"P1\n3 %s2\n1 0 1\n0 1 0\n", b"P1\n3 2\n1 0%s 1\n0 1 0\n1 1 1"):
        try:
            expected = np.asarray(PIL.Image.open(io.BytesIO(data % mark)))
        except (OSError, ValueError):
            with pytest.raises(ImageError):
                decode_image(data % mark, "x")
            continue
        np.testing.assert_array_equal(decode_image(data % mark, "x").pixels[..., 0] > 0, expected)


def test_many_comments_of_bitmaps_take_no_time() -> None:
    start = process_time()
    assert decode_image(b"P1\n2 1\n1 " + b"#\n" * 300_000 + b"0", "x").shape == (1, 2)
    assert process_time() - start < 1


@pytest.mark.parametrize("data", [b"P1\n3 2\n1 0 1\n0 1 0\n", b"P4\n3 2\n\xa0\x40"])
def test_bitmaps(data: bytes) -> None:
    pixels = decode_image(data, "x").pixels[..., 0]
    np.testing.assert_array_equal(pixels > 0, [[0, 1, 0], [1, 0, 1]])  # 1 is black


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 6])
def test_any_number_of_channels(depth: int) -> None:
    pixels = RNG.integers(0, 2, (4, 5, depth)) * 65535
    names = {2: b"GRAYSCALE_ALPHA", 4: b"RGB_ALPHA"}
    head = b"P7\nWIDTH 5\nHEIGHT 4\nDEPTH %d\nMAXVAL 65535\nTUPLTYPE %s\n# x\nENDHDR\n" % (
        depth,
        names.get(depth, b""),
    )
    image = decode_image(head + pixels.astype(">u2").tobytes(), "x")
    if depth in names:
        np.testing.assert_array_equal(image.pixels, pixels[..., :-1])
        np.testing.assert_array_equal(image.valid, pixels[..., -1] > 0)
    else:
        np.testing.assert_array_equal(image.pixels, pixels)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 3)])
def test_floats_from_the_bottom_up(order: str, shape: tuple[int, ...]) -> None:
    pixels = RNG.normal(size=shape).astype(np.float32)
    kind = b"Pf" if len(shape) == 2 else b"PF"
    head = kind + b"\n5 4\n%s1.0\n" % (b"-" if order == "<" else b"")
    image = decode_image(head + pixels[::-1].astype(order + "f4").tobytes(), "x")
    np.testing.assert_array_equal(image.pixels.reshape(shape), pixels)


@pytest.mark.parametrize(
    ("data", "match"),
    [
        (b"P5\n1000000 1000000\n255\n", "pixels are more than"),
        (b"P5\n99999999999 1\n255\n", "header"),
        (b"P5\n0 5\n255\n", "no pixels"),
        (b"P5\n5 5\n255\n1234", "cut short"),
        (b"P5\n2 2\n0\n1234", "largest value"),
        (b"P5\n2 2\n65536\n1234", "largest value"),
        (b"P5\n2 2\n7\n\x08\x08\x08\x08", "larger than the largest"),
        (b"P2\n2 2\n255\n1 2 3", "samples are missing"),
        (b"P2\n2 2\n255\n1 2 3 x", "is not a number from 0 to 65535"),
        (b"P2\n2 2\n255\n1 2 3 -4", "is not a number from 0 to 65535"),
        (b"P2\n2 2\n255\n1 2 3 " + b"1" * 20000, "is not a number from 0 to 65535"),
        (b"P2\n2 2\n255\n1 2 3 " + b"9" * 5000, "x: damaged"),
        (b"P5\n2", "header ends early"),
        (b"P7\nWIDTH 2\n", "header ends early"),
        (b"P7\nWIDTH 2\nENDHDR\n", "do not fit"),
        (b"Pf\n2 2\nnan\n", "not that of a PFM"),
        (b"Pf\n2 2\n1\n1", "cut short"),
    ],
)
def test_what_is_wrong_is_said(data: bytes, match: str) -> None:
    with pytest.raises(ImageError, match=match) as caught:
        decode_image(data, "x")
    assert "\n" not in str(caught.value)


GOOD = (raw(RNG.integers(0, 9, (3, 4)), 255), plain(RNG.integers(0, 9, (3, 4, 3)), 9), b"Pf\n1 1\n-1\n0000")


@given(st.sampled_from(GOOD), st.data())
def test_damage_is_one_line(image_or_one_line: Any, good: bytes, data: st.DataObject) -> None:
    damaged = bytearray(good)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(2, len(good) - 1))] = data.draw(st.integers(0, 255))
    with image_or_one_line():
        decode_image(bytes(damaged[: data.draw(st.integers(2, len(good)))]), "x")


def test_long_comments_and_long_zeros() -> None:
    for data in (b"P2\n#" + b"x" * 9000 + b"\n2 1\n255\n007 9", b"P5\n#" + b" " * 60000 + b"\n2 1\n255\n\x07\x09"):
        assert decode_image(data, "x").pixels.ravel().tolist() == [7, 9]
