"""A restored image as a file in its own depth: PNG for integers of up to 16 bits, else TIFF."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.image.model import Image
from emseg.output.pictures.png_encoder import encode, is_plausible

DEFAULT_STRATEGY = 0  # of zlib
_MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
_COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}


def fits_png(image: Image) -> bool:
    """Whether a PNG holds such pixels as they are, and all that is known of them."""
    plain = not image.metadata.keys() & {"geotiff", "nodata", "nifti", "software", "volume"}
    return plain and image.pixels.dtype in (np.uint8, np.uint16) and image.pixels.shape[2] in (1, 3)


def restored_file(image: Image) -> bytes:
    """A restored image in the format that holds its pixels and what the input said: NIfTI for NIfTI, PNG, or TIFF."""
    if "nifti" in image.metadata:
        from emseg.output.maps.nifti_writer import restored_nifti

        return restored_nifti(image)
    return picture_png(image) if fits_png(image) else picture_tiff(image)


def picture_png(image: Image) -> bytes:
    """Encode pixels (H, W, 1 or 3) of 8 or 16 bits, with alpha where some have no data."""
    pixels = _with_alpha(image)
    if pixels.dtype == np.uint8:
        mode = _MODES[pixels.shape[2]]
        flat = pixels[:, :, 0] if mode == "L" else pixels
        return encode(mode, flat, DEFAULT_STRATEGY, dpi=image.metadata.get("resolution"), icc=_profile(image))
    return _deep(pixels, image.metadata, _profile(image))


def picture_tiff(image: Image) -> bytes:
    """Encode pixels (H, W, C) of any type, with what the input said of resolution and place."""
    from emseg.output.maps.tiff_writer import image_tiff

    return image_tiff(image.pixels, image.colour, image.alpha, image.metadata, _profile(image), _inside(image))


def _inside(image: Image) -> NDArray[np.bool_] | None:
    """Where a pixel holds some data, (H, W); None if all do, or the values or tags of a TIFF tell where none do."""
    told = image.alpha is not None or image.metadata.keys() & {"nodata", "volume", "software"}
    there = image.valid if image.known is None else np.asarray(image.known.any(axis=2))
    if told or there is None or there.all():
        return None
    numbers = np.isfinite(image.pixels).any(axis=2) if image.pixels.dtype.kind == "f" else True
    return there if np.any(~there & numbers) else None


def _profile(image: Image) -> bytes | None:
    """The colour profile, if it is one of as many channels."""
    icc: bytes | None = image.metadata.get("icc")
    return icc if icc and {b"RGB ": "rgb", b"GRAY": "gray"}.get(icc[16:20]) == image.colour else None


def _with_alpha(image: Image) -> NDArray[Any]:
    alpha = image.alpha
    if alpha is None and image.valid is not None:  # a key colour
        alpha = image.valid * image.pixels.dtype.type(np.iinfo(image.pixels.dtype).max)
    return image.pixels if alpha is None else np.dstack([image.pixels, alpha])


def _deep(pixels: NDArray[Any], metadata: Mapping[str, Any], icc: bytes | None) -> bytes:
    """A PNG of 16 bits a sample, which Pillow cannot write for colours: rows as differences to the row above."""
    height, width, channels = pixels.shape
    rows = np.ascontiguousarray(pixels, ">u2").view(np.uint8).reshape(height, -1)
    filtered = np.empty((height, rows.shape[1] + 1), np.uint8)
    filtered[:, 0] = 2  # "up"
    filtered[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])
    file = io.BytesIO(b"\x89PNG\r\n\x1a\n")
    file.seek(0, io.SEEK_END)

    def chunk(kind: bytes, data: bytes) -> None:
        file.write(struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)))

    chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, _COLOUR_TYPES[channels], 0, 0, 0))
    if icc:
        chunk(b"iCCP", b"ICC Profile\0\0" + zlib.compress(icc))
    dpi = metadata.get("resolution")
    if is_plausible(dpi):
        chunk(b"pHYs", struct.pack(">IIB", *(round(value / 0.0254) for value in dpi), 1))
    chunk(b"IDAT", zlib.compress(filtered.tobytes(), 1))
    chunk(b"IEND", b"")
    return file.getvalue()
