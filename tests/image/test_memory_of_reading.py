"""Nothing of a file stays in memory once its image is dropped, even where a library's objects refer to one another."""

from __future__ import annotations

import gc
import io
import tracemalloc
from collections.abc import Callable

import numpy as np
import PIL.Image
import pytest
import tifffile

from emseg.image.read import decode_image

pytestmark = pytest.mark.long

PIXELS = np.random.default_rng(0).integers(0, 65536, (600, 620), np.uint16)
BYTES = (PIXELS >> 8).astype(np.uint8)
SIZE = PIXELS.nbytes


def by_pillow(array: np.ndarray, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    PIL.Image.fromarray(array).save(buffer, kind, **options)
    return buffer.getvalue()


def by_tifffile(array: np.ndarray, **options: object) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, array, **options)
    return buffer.getvalue()


def by_numpy(save: Callable[..., None], array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    save(buffer, array)
    return buffer.getvalue()


def nifti() -> bytes:
    nibabel = pytest.importorskip("nibabel")
    return bytes(nibabel.Nifti1Image(PIXELS[None], np.eye(4)).to_bytes())


FILES: dict[str, Callable[[], bytes]] = {
    "png": lambda: by_pillow(BYTES, "PNG", compress_level=0),
    "png16": lambda: by_pillow(PIXELS, "PNG", compress_level=0),
    "jpeg": lambda: by_pillow(BYTES, "JPEG", quality=100),
    "gif": lambda: by_pillow(BYTES, "GIF"),
    "bmp": lambda: by_pillow(BYTES, "BMP"),
    "webp": lambda: by_pillow(BYTES, "WEBP", lossless=True),
    "jp2": lambda: by_pillow(BYTES, "JPEG2000"),
    "pbm": lambda: by_pillow(BYTES > 100, "PPM"),
    "tiff": lambda: by_pillow(BYTES, "TIFF"),
    "tiff lzw": lambda: by_pillow(BYTES, "TIFF", compression="tiff_lzw"),
    "tiff16": lambda: by_tifffile(PIXELS),
    "tiff16 deflate": lambda: by_tifffile(PIXELS, compression="zlib"),
    "tiff pages": lambda: by_tifffile(np.stack([PIXELS] * 3), photometric="minisblack"),
    "tiff bands": lambda: by_tifffile(np.stack([PIXELS] * 3), photometric="minisblack", planarconfig="separate"),
    "ome": lambda: by_tifffile(np.stack([PIXELS] * 3), photometric="minisblack", ome=True, metadata={"axes": "CYX"}),
    "imagej": lambda: by_tifffile(np.stack([PIXELS] * 3), imagej=True, metadata={"axes": "CYX"}),
    "npy": lambda: by_numpy(np.save, PIXELS),
    "npz": lambda: by_numpy(np.savez, PIXELS),
    "pgm": lambda: b"P5 620 600 65535\n" + PIXELS.tobytes(),
    "nii": nifti,
}


@pytest.mark.parametrize("name", FILES)
def test_memory_is_flat_after_ten_images(name: str) -> None:
    data = FILES[name]()
    stem = f"x.{name}" if name == "nii" else "x"

    def read() -> int:
        decode_image(bytes(bytearray(data)), stem)  # bytes of its own, as of another file
        return tracemalloc.get_traced_memory()[0]

    read()
    gc.collect()
    gc.disable()  # reference cycles are collected late, or never if a run sets a high threshold
    tracemalloc.start()
    try:
        read()
        start = read()
        grown = [read() for _ in range(10)][-1] - start
    finally:
        tracemalloc.stop()
        gc.enable()
    assert grown < SIZE, f"{grown / 10:.0f} bytes a file"
