"""Limits are judged by the header, before anything is decoded."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emseg.errors import ImageError
from emseg.image import limits
from emseg.image.limits import Reading
from emseg.image.read import count_pages, decode_image, read_image

pytestmark = pytest.mark.long


def encoded(array: np.ndarray, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    PIL.Image.fromarray(array).save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("size", [(0, 5), (5, 0), (-1, 5)])
def test_an_image_has_pixels(size: tuple[int, int]) -> None:
    with pytest.raises(ImageError, match="x: has no pixels"):
        Reading().require(*size, "x")


def test_pixels_are_counted() -> None:
    Reading(max_pixels=20).require(4, 5, "x")
    with pytest.raises(ImageError, match=r"x: 4 × 5 pixels are more than 19; .*max_pixels"):
        Reading(max_pixels=19).require(4, 5, "x")


def test_memory_is_estimated_from_size_channels_and_depth(monkeypatch: pytest.MonkeyPatch) -> None:
    how, side = Reading(max_memory=10**9), 5000
    how.require(side, side, "x", 3)  # 0.7 GB
    for channels, itemsize in ((3, 2), (8, 1), (1, 4)):
        with pytest.raises(ImageError, match=r"take about \d+\.\d GB of memory, allowed are 1.0 GB; .*max_memory"):
            how.require(side, side, "x", channels, itemsize)
    monkeypatch.setattr(limits, "free_memory", lambda: 10**8)
    with pytest.raises(ImageError, match=r"allowed are 100 MB"):
        Reading().require(side, side, "x", 3)
    Reading().require(1000, 1000, "x", 3)  # small enough for any machine


def test_a_share_of_what_is_free() -> None:
    assert 1 << 20 < limits.free_memory() < sys.maxsize


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "BMP", "GIF", "WEBP", "JPEG2000", "AVIF", "PPM"])
def test_every_format_is_judged_by_its_header(kind: str) -> None:
    if kind == "AVIF" and not has_avif():
        pytest.skip("this Pillow does not write AVIF")
    data = encoded(np.random.default_rng(0).integers(0, 255, (30, 40, 3), np.uint8), kind)
    assert decode_image(data, "x").shape == (30, 40)
    with pytest.raises(ImageError, match="40 × 30 pixels are more than 1,199"):
        decode_image(data, "x", Reading(max_pixels=1199))


@pytest.mark.parametrize(("kind", "name"), [("GIF", "a.gif"), ("PNG", "a.png"), ("WEBP", "a.webp"), ("TIFF", "a.tif")])
def test_frames_and_pages(kind: str, name: str, tmp_path: Path) -> None:
    frames = [PIL.Image.new("RGB", (8, 6), (60 * i, 255 - 60 * i, 0)) for i in range(4)]
    options = {"lossless": True} if kind == "WEBP" else {}
    frames[0].save(tmp_path / name, kind, save_all=True, append_images=frames[1:], **options)
    assert count_pages(tmp_path / name) == 4
    for page in range(1, 5):
        image = read_image(tmp_path / name, Reading(page))
        assert image.pixels.shape == (6, 8, 3)
        assert np.array_equal(image.pixels, np.asarray(frames[page - 1]))
    with pytest.raises(ImageError, match=r"there is no page 5; it has 4 \(page\)"):
        read_image(tmp_path / name, Reading(5))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "PPM", "TIFF"])
def test_a_picture_has_one_page(kind: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(encoded(np.zeros((3, 4), np.uint8), kind))
    assert count_pages(tmp_path / "x") == 1
    with pytest.raises(ImageError, match="there is no page 2"):
        read_image(tmp_path / "x", Reading(2))


def test_deep_colours_of_jpeg_2000_are_not_cut_in_silence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    data = bytearray(encoded(np.zeros((8, 9, 3), np.uint8), "JPEG2000", no_jp2=True))
    at = data.index(b"\xff\x4f\xff\x51") + 42
    assert data[at : at + 9 : 3] == bytes([7, 7, 7])
    data[at + 3] = 15
    with pytest.raises(ImageError, match="samples of 16 bits need imagecodecs; pip install imagecodecs"):
        decode_image(bytes(data), "x")


def has_avif() -> bool:
    """Whether Pillow writes AVIF; `PIL.features.check` warns where it never heard of it."""
    PIL.Image.init()
    return "AVIF" in PIL.Image.SAVE


def examples() -> dict[str, bytes]:
    rgb = np.random.default_rng(0).integers(0, 255, (6, 7, 3), np.uint8)
    found = {kind: encoded(rgb, kind) for kind in ("PNG", "JPEG", "TIFF", "BMP", "GIF", "WEBP", "JPEG2000", "PPM")}
    return found | {"AVIF": encoded(rgb, "AVIF")} if has_avif() else found


EXAMPLES = examples()


@pytest.mark.parametrize("kind", list(EXAMPLES))
@given(data=st.data())
def test_damaged_headers(image_or_one_line: Any, kind: str, data: st.DataObject) -> None:
    """Any bytes among the first hundred changed, added or missing: an image or a line, by every reader."""
    good = EXAMPLES[kind]
    at = data.draw(st.integers(2, min(100, len(good))))
    bad = good[:at] + data.draw(st.binary(max_size=6)) + good[at + data.draw(st.integers(0, 6)) :]
    how = Reading(data.draw(st.integers(1, 3)), max_pixels=10**6)
    with image_or_one_line():
        decode_image(bad, "x", how)
