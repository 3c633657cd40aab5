"""Files that end early: the rows that are there are those of the whole file, the others hold no data."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import pytest
import tifffile

import emseg
from emseg.cli.error_lines import attempt
from emseg.cli.main import cli
from emseg.errors import ImageError, for_python
from emseg.image.limits import Reading
from emseg.image.read import decode_image

pytestmark = pytest.mark.long

RNG = np.random.default_rng(0)
OK = Reading(truncated_ok=True)
RGB = RNG.integers(0, 256, (64, 50, 3), np.uint8)
SMOOTH = (np.add.outer(np.arange(96) * 2, np.arange(80))[..., None] * [0.8, 0.6, 0.4] % 256).astype(np.uint8)


def png(array: np.ndarray, mode: str | None = None, **how: Any) -> bytes:
    buffer = io.BytesIO()
    image = PIL.Image.fromarray(array)
    (image.convert(mode) if mode else image).save(buffer, "PNG", **how)
    return buffer.getvalue()


def jpeg(array: np.ndarray, **how: Any) -> bytes:
    buffer = io.BytesIO()
    PIL.Image.fromarray(array).save(buffer, "JPEG", **how)
    return buffer.getvalue()


def tiff(array: np.ndarray, **how: Any) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, array, metadata=None, **how)
    return buffer.getvalue()


def require_part(data: bytes, share: float, least: int, slack: float = 0) -> None:
    """Hold a file cut to a share of its bytes against the whole one."""
    whole = decode_image(data, "x")
    cut = data[: int(len(data) * share)]
    with pytest.raises(ImageError) as caught:
        decode_image(cut, "x")
    assert for_python(caught.value.message).endswith("or add truncated_ok=True for the rows that are there")
    found = decode_image(cut, "x", OK)
    assert found.pixels.shape == whole.pixels.shape
    assert found.pixels.dtype == whole.pixels.dtype
    assert found.valid is not None
    rows = found.valid.all(axis=1)
    assert least <= rows.sum() < len(rows)
    np.testing.assert_array_equal(rows, np.arange(len(rows)) < rows.sum())  # the first ones
    assert not found.valid[~rows].any()
    np.testing.assert_array_equal(found.pixels[rows], whole.pixels[rows])
    (line,) = found.notices
    count = int((~rows).sum())
    have = "is" if count == 1 else "are"
    assert line == (
        f"the last {count} of its {len(rows)} rows {have} missing, because the file ends early, and hold no data"
    )


@pytest.mark.parametrize("mode", [None, "L", "LA", "RGBA", "P", "1", "I;16"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_png(mode: str | None, share: float) -> None:
    array = RNG.integers(0, 1 << 16, (64, 50), np.uint16) if mode == "I;16" else RGB
    data = png(array, None if mode == "I;16" else mode)
    require_part(data, share, least=1 if mode in ("P", "1") else 10)


@pytest.mark.parametrize("how", [{}, {"quality": 95, "subsampling": 0}, {"subsampling": 2}, {"restart_marker_rows": 1}])
@pytest.mark.parametrize("share", [0.7, 0.8, 0.95])
def test_jpeg(how: dict[str, Any], share: float) -> None:
    noisy = (SMOOTH + RNG.integers(0, 30, SMOOTH.shape)).clip(0, 255).astype(np.uint8)
    require_part(jpeg(noisy, **how), share, least=16)


def test_grey_jpeg() -> None:
    require_part(jpeg(RGB[..., 0]), 0.6, least=16)


@pytest.mark.parametrize("how", [{}, {"rowsperstrip": 7}, {"compression": "zlib", "rowsperstrip": 8}])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_tiff(how: dict[str, Any], dtype: type) -> None:
    require_part(tiff(RGB[..., 0].astype(dtype), photometric="minisblack", **how), 0.6, least=24)


@pytest.mark.parametrize("compression", ["packbits", "lzw"])
def test_tiff_of_pillow_ends_with_its_directory(compression: str) -> None:
    """Without it nothing is known."""
    buffer = io.BytesIO()
    PIL.Image.fromarray(RGB).save(buffer, "TIFF", compression={"lzw": "tiff_lzw"}.get(compression, compression))
    with pytest.raises(ImageError):
        decode_image(buffer.getvalue()[:-4000], "x", OK)


@pytest.mark.parametrize("colours", [2, 5, 256])
@pytest.mark.parametrize("share", [0.5, 0.8, 0.95])
def test_gif(colours: int, share: float) -> None:
    buffer = io.BytesIO()
    picture = PIL.Image.fromarray(RGB).quantize(colours)
    picture.save(buffer, "GIF", interlace=0)
    require_part(buffer.getvalue(), share, least=1)


def test_interlaced_gif_and_several_frames() -> None:
    buffer, first = io.BytesIO(), PIL.Image.fromarray(RGB).quantize(64)
    first.save(buffer, "GIF", interlace=1)
    with pytest.raises(ImageError, match="interlaced, so no row is whole"):
        decode_image(buffer.getvalue()[:1500], "x", OK)
    buffer = io.BytesIO()
    first.save(buffer, "GIF", save_all=True, append_images=[first.rotate(90)], interlace=0)
    found = decode_image(buffer.getvalue()[: len(buffer.getvalue()) * 3 // 4], "x", OK)  # in the second one
    assert found.valid is None


def test_tiles_and_planes() -> None:
    data = tiff(RGB, photometric="rgb", tile=(16, 16), compression="zlib")
    found = decode_image(data[: int(len(data) * 0.7)], "x", OK)
    assert found.valid is not None
    np.testing.assert_array_equal(found.pixels[found.valid], RGB[found.valid])
    assert 0.4 < found.valid.mean() < 0.8
    planar = tiff(np.moveaxis(RGB, -1, 0).copy(), photometric="rgb", planarconfig="separate", rowsperstrip=8)
    found = decode_image(planar[: int(len(planar) * 0.9)], "x", OK)
    assert found.valid is not None
    np.testing.assert_array_equal(found.pixels[found.valid], RGB[found.valid])
    assert found.valid[:40].all()
    assert not found.valid[-8:].any()


def test_orientation_of_exif() -> None:
    exif = PIL.Image.Exif()
    exif[274] = 6
    data = jpeg((SMOOTH + RNG.integers(0, 30, SMOOTH.shape)).clip(0, 255).astype(np.uint8), exif=exif)
    whole, found = decode_image(data, "x"), decode_image(data[: int(len(data) * 0.6)], "x", OK)
    assert found.valid is not None
    np.testing.assert_array_equal(found.pixels[found.valid], whole.pixels[found.valid])
    columns = found.valid.all(axis=0)  # a picture that was turned by a quarter lacks columns
    np.testing.assert_array_equal(found.valid, np.broadcast_to(columns, found.valid.shape))
    assert 0 < columns.sum() < columns.size


def interlaced() -> bytes:
    """An interlaced PNG, which Pillow does not write: the bit alone decides."""
    data = bytearray(png(RGB))
    data[28] = 1
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (jpeg(RGB, progressive=True), "progressive, so no row is whole"),
        (interlaced(), "interlaced, so no row is whole"),
        (png(RGB)[:60] * 2, "ends before its first row is whole"),
    ],
)
def test_what_is_refused_all_the_same(data: bytes, says: str) -> None:
    with pytest.raises(ImageError, match=says):
        decode_image(data[: len(data) // 2], "x", OK)


def test_other_formats_say_so() -> None:
    buffer = io.BytesIO()
    PIL.Image.fromarray(RGB[..., 0]).save(buffer, "BMP")
    with pytest.raises(ImageError) as caught:
        decode_image(buffer.getvalue()[:1500], "x", OK)
    assert for_python(caught.value.message).endswith("; truncated_ok=True is for PNG, JPEG, GIF, TIFF")


def test_the_option(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    array = np.where(np.arange(50) < 25, 60, 180) + RNG.normal(0, 5, (64, 50))
    data = png(array.clip(0, 255).astype(np.uint8))
    (tmp_path / "x.png").write_bytes(data[: int(len(data) * 0.5)])
    arguments = ["segment", str(tmp_path / "x.png"), "-k", "2", "-o", str(tmp_path / "out")]
    assert attempt(lambda: cli.main(arguments, "emseg", standalone_mode=False)) == 1
    assert "or add --truncated-ok for the rows that are there" in capsys.readouterr().err
    assert attempt(lambda: cli.main([*arguments, "--truncated-ok"], "emseg", standalone_mode=False)) == 0
    assert "rows are missing, because the file ends early, and hold no data" in capsys.readouterr().err
    found = emseg.segment(tmp_path / "x.png", 2, truncated_ok=True)
    assert (found.labels[-20:] == 0).all()
    assert (found.labels[:15] > 0).all()
    assert len(found.warnings) == 1
    filled = emseg.inpaint(tmp_path / "x.png", truncated_ok=True, mask="nodata")
    assert filled.missing.any()
