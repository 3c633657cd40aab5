"""Every bad input ends as one `ImageError` of one line that names the file."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import stat
import sys
import zlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emseg.errors import ImageError, shown
from emseg.image import file_bytes, limits
from emseg.image.formats import pillow
from emseg.image.label_maps import read_labels
from emseg.image.model import Image
from emseg.image.read import decode_image, read_image, read_mask

pytestmark = pytest.mark.long

RGB = np.random.default_rng(0).integers(0, 256, (12, 17, 3), dtype=np.uint8)


def encoded(array: np.ndarray, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    PIL.Image.fromarray(array).save(buffer, kind, **options)
    return buffer.getvalue()


def refusal(path: os.PathLike[str] | str | bytes) -> str:
    with pytest.raises(ImageError) as caught:
        read_image(path)  # type: ignore[arg-type]
    message = str(caught.value)
    assert message.isprintable()
    assert message.startswith(shown(path) + ": ")
    assert "; " in message, "a remedy follows"
    return message


def refused(data: bytes, tmp_path: Path, name: str = "photo.png") -> str:
    (tmp_path / name).write_bytes(data)
    return refusal(tmp_path / name)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "GIF", "WEBP", "JPEG"])
def test_format_is_told_by_content_not_by_name(kind: str, tmp_path: Path) -> None:
    lossless = {"lossless": True} if kind == "WEBP" else {}
    data = encoded(RGB, kind, **lossless)
    (tmp_path / "photo.txt").write_bytes(data)
    image = read_image(tmp_path / "photo.txt")
    assert (image.shape, image.colour, image.pixels.dtype, image.valid) == ((12, 17), "rgb", np.uint8, None)
    assert image.sha256 == hashlib.sha256(data).hexdigest()
    assert image.name == str(tmp_path / "photo.txt")
    with PIL.Image.open(io.BytesIO(data)) as stored:
        np.testing.assert_array_equal(image.pixels, stored.convert("RGB"))


def test_string_paths_and_bytes_in_memory(tmp_path: Path) -> None:
    data = encoded(RGB)
    (tmp_path / "a.png").write_bytes(data)
    np.testing.assert_array_equal(read_image(str(tmp_path / "a.png")).pixels, RGB)
    assert decode_image(data, "standard input").name == "standard input"


@pytest.mark.parametrize("name", ["new\nline.png", "tab\t.png", "-k", "%d_{0}.png", "ünïcödé 日本.png", "\x1b[31m.png"])
def test_any_name_fits_on_one_line(name: str, tmp_path: Path) -> None:
    assert "no such file" in refusal(tmp_path / name)
    (tmp_path / name).write_bytes(encoded(RGB))
    assert read_image(tmp_path / name).name.isprintable()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems forbid such names")
def test_undecodable_name(tmp_path: Path) -> None:
    path = os.path.join(os.fsencode(tmp_path), b"latin1_\xe9.png")
    assert "xe9" in refusal(path) or "udce9" in refusal(path)


@given(st.text())
def test_shown_is_printable_and_leaves_printable_names_alone(text: str) -> None:
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        return
    assert shown(text).isprintable()
    assert shown(text) == text or not text.isprintable()


def test_missing_empty_text_and_folder(tmp_path: Path) -> None:
    assert "no such file" in refusal(tmp_path / "photo.png")
    assert "folder" in refusal(tmp_path)
    with pytest.raises(ImageError, match=r"^a\\x00b: cannot be a file name"):
        read_image("a\0b")
    assert "empty" in refused(b"", tmp_path)
    for data in (
        b"\x89",
        b"this is not an image\n",
        bytes(4096),
        b"RIFF\0\0\0\0WAVEfmt ",
        b"<svg/>",
        b"%!PS-Adobe-3.0",
    ):
        assert "not an image" in refused(data, tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_pipes_devices_and_link_loops_do_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "zero.png").symlink_to("/dev/zero")
    (tmp_path / "loop.png").symlink_to("loop.png")
    (tmp_path / "dangling.png").symlink_to("nowhere")
    assert "pipe" in refusal(tmp_path / "pipe.png")
    assert "device" in refusal(tmp_path / "zero.png")
    assert "cannot be opened" in refusal(tmp_path / "loop.png")
    assert "no such file" in refusal(tmp_path / "dangling.png")


def test_unreadable_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "secret.png"
    path.write_bytes(encoded(RGB))
    path.chmod(0)
    if os.access(path, os.R_OK):  # root, or a system without such permissions

        def closed(*args: object) -> None:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr("builtins.open", closed)
    assert "Permission denied" in refusal(path)
    path.chmod(stat.S_IRUSR | stat.S_IWUSR)


def test_too_large_a_file_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_bytes, "MAX_BYTES", 100)
    assert "more than emseg reads" in refused(encoded(RGB), tmp_path)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "WEBP", "TIFF", "GIF"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_truncated_files_never_come_back_half_grey(
    kind: str, share: float, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    data = encoded(RGB, kind)
    refused(data[: int(len(data) * share)], tmp_path)
    assert capfd.readouterr() == ("", "")


def test_truncated_compressed_tiff_prints_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for compression in ("tiff_lzw", "jpeg", "tiff_adobe_deflate"):
        data = bytearray(encoded(RGB, "TIFF", compression=compression))
        data[8:40] = bytes(b ^ 0x5A for b in data[8:40])  # Pillow's writer puts the strip first
        refused(bytes(data), tmp_path)
    assert capfd.readouterr() == ("", "")


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")


def test_bombs_are_refused_from_the_header(tmp_path: Path) -> None:
    sizes = ((2**31 - 1, 2**31 - 1), (60_000, 60_000), (500_000_001, 1))
    for width, height in sizes:
        header = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 6, 0, 0, 0])
        idat = png_chunk(b"IDAT", zlib.compress(bytes(100)))
        data = b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", header) + idat + png_chunk(b"IEND", b"")
        assert f"{width} × {height} pixels are more than 500,000,000" in refused(data, tmp_path)
    swollen = encoded(RGB)
    text = png_chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(20_000_000)))
    (tmp_path / "text.png").write_bytes(swollen[:33] + text + swollen[33:])
    np.testing.assert_array_equal(read_image(tmp_path / "text.png").pixels, RGB)  # texts are not unpacked


def test_images_above_pillows_own_limit_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", 50)
    monkeypatch.setattr(pillow, "_BAND", 17)
    for kind in ("PNG", "JPEG", "BMP", "TIFF", "WEBP"):
        assert decode_image(encoded(RGB, kind), "x").shape == (12, 17)
    assert decode_image(encoded(RGB, "TIFF", compression="tiff_adobe_deflate"), "x").shape == (12, 17)


def test_limit_holds_for_every_format(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(limits, "MAX_PIXELS", 12 * 17 - 1)
    for kind in ("PNG", "JPEG", "BMP", "TIFF", "GIF", "WEBP"):
        assert "17 × 12 pixels are more" in refused(encoded(RGB, kind), tmp_path)


def test_out_of_memory_is_a_line_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def exhausted(*args: object) -> None:
        raise MemoryError

    monkeypatch.setattr(pillow, "decode", exhausted)
    assert "memory" in refused(encoded(RGB), tmp_path)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "BMP", "WEBP", "TIFF", "GIF"])
def test_damaged_bytes_raise_nothing_else(kind: str) -> None:
    rng, good = np.random.default_rng(1), encoded(RGB, kind)
    for _ in range(150):
        data = np.frombuffer(good, np.uint8).copy()
        at = rng.integers(8, min(len(data), rng.choice([60, 200, 10_000])), 4)
        data[at] = rng.choice([0, 1, 127, 128, 255, 7], 4)
        with contextlib.suppress(ImageError):
            assert isinstance(decode_image(data.tobytes(), "x"), Image)


def test_no_altered_png_passes_for_the_original() -> None:
    good = encoded(RGB, compress_level=0)
    start = good.index(b"IDAT") + 4
    for at in range(start, len(good) - 16, 23):
        data = bytearray(good)
        data[at] ^= 0x10
        with contextlib.suppress(ImageError):
            np.testing.assert_array_equal(decode_image(bytes(data), "x").pixels, RGB)


def test_mask_is_true_where_any_channel_is_not_zero(tmp_path: Path) -> None:
    path, expected = tmp_path / "mask.png", np.zeros((4, 6), bool)
    expected[1:3, 2:5] = True
    rgba = np.zeros((4, 6, 4), np.uint8)
    rgba[expected, 2] = 1  # one unit of blue, fully transparent
    for array in (expected, expected.astype(np.uint8), expected.astype(np.uint16), rgba):
        path.write_bytes(encoded(array))
        mask, notices = read_mask(path, Image.from_array(np.zeros((4, 6))))
        assert notices == ()
        assert mask.dtype == bool
        np.testing.assert_array_equal(mask, expected)


def test_mask_of_another_size_names_both(tmp_path: Path) -> None:
    path = tmp_path / "mask.png"
    path.write_bytes(encoded(RGB))
    with pytest.raises(ImageError, match=r"mask.png: mask of 17 × 12 pixels for an image of 12 × 17; "):
        read_mask(path, Image.from_array(np.zeros((17, 12))))


def test_arrays_are_checked_like_files() -> None:
    with pytest.raises(ImageError, match="photo: expected real numbers"):
        Image.from_array(np.zeros((2, 2), complex), name="photo")
    for bad in (np.zeros((0, 3)), np.zeros(5), np.zeros((2, 2, 2, 2)), np.array([["a"]])):
        with pytest.raises(ImageError):
            Image.from_array(bad)
    swapped = Image.from_array(np.arange(6, dtype=">u2").reshape(2, 3))
    assert swapped.pixels.dtype.isnative
    np.testing.assert_array_equal(swapped.pixels[..., 0], np.arange(6).reshape(2, 3))
    assert Image.from_array(np.ones((2, 2)), valid=np.ones((2, 2), bool)).valid is None
    holes = Image.from_array(np.array([[1.0, np.nan, np.inf]]))
    assert holes.valid is not None
    np.testing.assert_array_equal(holes.valid, [[True, False, False]])


def test_whole_suite_of_hostile_files(shared_data: Path) -> None:
    for path in sorted((shared_data / "badimages" / "pngsuite").rglob("*.png")):
        if path.name.startswith("x") and path.name != "xcsn0g01.png":  # there only a checksum is wrong
            refusal(path)
        elif path.name != "xcsn0g01.png":
            assert read_image(path).pixels.size


def test_further_pages_of_masks_and_labels_are_said(tmp_path: Path) -> None:
    import tifffile

    pages = np.ones((3, 6, 5), np.uint8)
    tifffile.imwrite(tmp_path / "m.tif", pages, photometric="minisblack")
    photo = Image.from_array(np.zeros((6, 5)))
    volume = replace(Image.from_array(np.zeros((18, 5))), metadata={"volume": (3, 6, 5)})
    for read in (read_mask, read_labels):
        values, notices = read(tmp_path / "m.tif", photo)
        assert values.shape == (6, 5)
        assert [line[-57:] for line in notices] == ["page 1 of 3 is used; save the one that is meant by itself"]
        values, notices = read(tmp_path / "m.tif", volume)
        assert (values.shape, notices) == ((18, 5), ())
