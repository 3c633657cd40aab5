"""From a path to an `Image`: what may be opened, and how every refusal is worded."""

from __future__ import annotations

import hashlib
import os
import stat
import warnings
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from emseg.errors import ImageError, shown
from emseg.image import raster
from emseg.image.model import Image

MAX_BYTES = 4 << 30
"""Largest file read, because a file is held in memory whole: what is hashed is what is decoded."""

_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"II+\0", "TIFF"),
    (b"MM\0+", "TIFF"),
    (b"GIF8", "GIF"),
    (b"BM", "BMP"),
    (b"RIFF", "WEBP"),
)


def read_image(path: str | os.PathLike[str]) -> Image:
    """Read PNG, JPEG, TIFF, BMP, GIF or WebP, told apart by content; of several frames or pages, the first.

    Stored values are kept in their own type, 16-bit colour PNG included. EXIF orientation is applied. Alpha 0, a
    transparent palette entry or key colour, NaN and infinity mean "no data"; other alpha is ignored.

    Raises
    ------
    ImageError
        One line that names the file and the remedy, for whatever cannot be read in full.
    """
    name = shown(path)
    return decode_image(_contents(path, name), name)


def read_mask(path: str | os.PathLike[str], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Read a mask of the given (H, W): True where any channel is not zero; alpha is ignored, NaN is outside.

    Raises
    ------
    ImageError
        As `read_image`, and when the size is another one.
    """
    mask = read_image(path)
    if mask.shape != shape:
        sizes = f"mask of {mask.shape[1]} × {mask.shape[0]} pixels for an image of {shape[1]} × {shape[0]}"
        raise ImageError(f"{mask.name}: {sizes}; give a mask of the image's size")
    inside: NDArray[np.bool_] = np.any((mask.pixels > 0) | (mask.pixels < 0), axis=2)
    return inside


def decode_image(data: bytes, name: str) -> Image:
    """`read_image` for a file's bytes already in memory; `name` is what messages call them."""
    kind = _kind(data, name)
    try:
        with warnings.catch_warnings():  # a decoder's doubts are either an error here or nothing the user can act on
            warnings.simplefilter("ignore")
            image = _decoded(data, kind, name)
    except MemoryError as error:
        raise ImageError(f"{name}: does not fit into memory; crop it or scale it down first") from error
    except raster.DECODER_ERRORS as error:
        detail = shown(" ".join(str(error).split()))[:160]
        if " " not in detail:  # a bare key or index tells nobody anything
            detail = "its parts do not fit together"
        raise ImageError(f"{name}: damaged or unusual {kind} ({detail}); export it again from its source") from error
    return replace(image, name=name, sha256=hashlib.sha256(data).hexdigest())


def _decoded(data: bytes, kind: str, name: str) -> Image:
    if kind == "TIFF":
        from emseg.image import tiff

        return tiff.decode(data, name)
    return raster.decode(data, kind, name)


def _kind(head: bytes, name: str) -> str:
    """Format by the leading bytes."""
    if not head:
        raise ImageError(f"{name}: the file is empty; export it again from its source")
    kind = next((kind for signature, kind in _SIGNATURES if head.startswith(signature)), None)
    if kind is None or (kind == "WEBP" and head[8:12] != b"WEBP"):
        raise ImageError(f"{name}: not an image that emseg reads; convert it to PNG, JPEG, TIFF, BMP, GIF or WebP")
    return kind


def _contents(path: str | os.PathLike[str], name: str) -> bytes:
    """All bytes of a regular file that starts like an image; nothing else is opened, so nothing can hang."""
    try:
        status = os.stat(path)
        if stat.S_ISDIR(status.st_mode):
            raise ImageError(f"{name}: is a folder; name the image files in it")
        if not stat.S_ISREG(status.st_mode):
            raise ImageError(f"{name}: is a pipe, a socket or a device; save it as an image file first")
        if status.st_size > MAX_BYTES:
            raise ImageError(f"{name}: {status.st_size / 1e9:.1f} GB is more than emseg reads; crop or shrink it")
        with open(path, "rb") as file:
            _kind(file.read(16), name)
            file.seek(0)
            return file.read()
    except FileNotFoundError as error:
        raise ImageError(f"{name}: no such file; check the spelling and the current folder") from error
    except OSError as error:
        raise ImageError(f"{name}: cannot be opened ({error.strerror}); check its path and permissions") from error
    except ValueError as error:  # a NUL character
        raise ImageError(f"{name}: cannot be a file name ({error}); check the spelling") from error
