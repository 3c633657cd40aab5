"""From a path to an `Image`: what may be opened, and how every refusal is worded."""

from __future__ import annotations

import hashlib
import os
import stat
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from emseg.errors import ImageError, shown
from emseg.image.formats import pillow
from emseg.image.limits import Reading
from emseg.image.model import Image

MAX_BYTES = 4 << 30
"""Largest file read, because a file is held in memory whole: what is hashed is what is decoded."""

ENVI = b"ENVI"
DEFAULT = Reading()
_ORDERS: tuple[Literal["little", "big"], ...] = ("little", "big")
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
    (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG2000"),
    (b"\xff\x4f\xff\x51\0", "JPEG2000"),
    (b"\x93NUMPY", "NPY"),
    (b"PK\x03\x04", "NPZ"),
    *((kind, "PNM") for kind in (b"P2", b"P3", b"P5", b"P6", b"P7", b"Pf", b"PF")),
    (ENVI, "ENVI"),
    *((kind, "PPM") for kind in (b"P1", b"P4")),  # a bit a sample: Pillow's
)


@dataclass(frozen=True)
class Source:
    """An image that is still to be read: a path, or bytes that stand for it, and how."""

    path: str | os.PathLike[str]
    how: Reading = DEFAULT
    data: bytes | None = None

    def read(self) -> Image:
        """Read it; see `read_image`."""
        if self.data is None:
            return read_image(self.path, self.how)
        return decode_image(self.data, shown(self.path), self.how)


def read_image(path: str | os.PathLike[str], how: Reading = DEFAULT) -> Image:
    """Read an image, told apart by content; of several pages, frames or numpy_files, one.

    Formats are PNG, JPEG, TIFF, BMP, GIF, WebP, JPEG 2000, AVIF, PNM, NumPy's `.npy` and `.npz`, ENVI by
    its header, and NIfTI, for which alone the name counts: `.nii` or `.nii.gz`.

    Stored values are kept in their own type, 16-bit colour PNG included. EXIF orientation is applied. Alpha 0, a
    transparent palette entry or key colour, GDAL's nodata value, NaN and infinity mean "no data"; other alpha is
    ignored. Colours are taken as sRGB, whatever profile comes with them.

    Parameters
    ----------
    path : path
    how : Reading
        Which page, and how large an image may be.

    Raises
    ------
    ImageError
        One line that names the file and the remedy, for whatever cannot be read in full.
    """
    name = shown(path)
    data = _contents(path, name)
    return _read_envi(path, data, name, how) if data.startswith(ENVI) else decode_image(data, name, how)


def _read_envi(path: str | os.PathLike[str], header: bytes, name: str, how: Reading) -> Image:
    """Read a cube; its digest is that of the header and the samples."""
    from emseg.image.formats import envi

    samples = _bytes(envi.companion(os.fsdecode(path)), name)
    with _guarded("ENVI", name):
        image = envi.decode(header, samples, name, how)
    return replace(image, name=name, sha256=hashlib.sha256(header + samples).hexdigest())


def digest_of_cube(path: str) -> str:
    """SHA-256 of an ENVI header and its samples; empty if they cannot be read."""
    from emseg.image.formats import envi

    try:
        header = _contents(path, shown(path))
        return hashlib.sha256(header + _bytes(envi.companion(path), shown(path))).hexdigest()
    except ImageError:
        return ""


def count_pages(path: str | os.PathLike[str]) -> int:
    """How many pages, frames or arrays a file has.

    Raises
    ------
    ImageError
        As `read_image`, as far as the headers tell.
    """
    name = shown(path)
    data = _contents(path, name)
    kind = _kind(data, name)
    with _guarded(kind, name):
        if kind == "TIFF":
            from emseg.image.formats import tiff

            return tiff.count(data)
        if kind in ("NPY", "NPZ"):
            from emseg.image.formats import numpy_files

            return numpy_files.count(data)
        return 1 if kind in ("PNM", "NIFTI", "ENVI") else pillow.count(data, kind, name)


def read_mask(path: str | os.PathLike[str], shape: tuple[int, int], channels: int = 1) -> NDArray[np.bool_]:
    """Read a mask of the given (H, W): True where any channel is not zero; alpha is ignored, NaN is outside.

    With more than one channel asked for, a mask of as many is left as it is, (H, W, C).

    Raises
    ------
    ImageError
        As `read_image`, and when the size is another one.
    """
    mask = read_image(path)
    if mask.shape != shape:
        sizes = f"mask of {mask.shape[1]} × {mask.shape[0]} pixels for an image of {shape[1]} × {shape[0]}"
        raise ImageError(f"{mask.name}: {sizes}; give a mask of the image's size")
    inside: NDArray[np.bool_] = (mask.pixels > 0) | (mask.pixels < 0)
    return inside if inside.shape[2] == channels > 1 else np.asarray(inside.any(axis=2))


def decode_image(data: bytes, name: str, how: Reading = DEFAULT) -> Image:
    """`read_image` for a file's bytes already in memory; `name` is what messages call them."""
    kind = _kind(data, name)
    with _guarded(kind, name):
        image = _decoded(data, kind, name, how)
    return replace(image, name=name, sha256=hashlib.sha256(data).hexdigest())


@contextmanager
def _guarded(kind: str, name: str) -> Iterator[None]:
    """Turn whatever a decoder raises into one line."""
    try:
        with warnings.catch_warnings():  # a decoder's doubts are either an error here or nothing the user can act on
            warnings.simplefilter("ignore")
            yield
    except MemoryError as error:
        raise ImageError(f"{name}: does not fit into memory; crop it or scale it down first") from error
    except pillow.DECODER_ERRORS as error:
        detail = shown(" ".join(str(error).split()))[:160]
        if " " not in detail:  # a bare key or index tells nobody anything
            detail = "its parts do not fit together"
        raise ImageError(f"{name}: damaged or unusual {kind} ({detail}); export it again from its source") from error


def _decoded(data: bytes, kind: str, name: str, how: Reading) -> Image:
    match kind:  # what a format needs is loaded only for it
        case "TIFF":
            from emseg.image.formats import tiff

            return tiff.decode(data, name, how)
        case "NPY" | "NPZ":
            from emseg.image.formats import numpy_files

            return numpy_files.decode(data, name, how)
        case "PNM":
            from emseg.image.formats import pnm

            return pnm.decode(data, name, how)
        case "NIFTI":
            from emseg.image.formats import nifti

            return nifti.decode(data, name, how)
        case "ENVI":
            raise ImageError(f"{name}: an ENVI header is read from a file, with its samples beside it")
        case "JPEG2000":
            from emseg.image.formats.jpeg2000 import require_depth

            require_depth(data, name)
    return pillow.decode(data, kind, name, how)


def _kind(head: bytes, name: str) -> str:
    """Format by the leading bytes."""
    if not head:
        raise ImageError(f"{name}: the file is empty; export it again from its source")
    kind = next((kind for signature, kind in _SIGNATURES if head.startswith(signature)), None)
    if kind == "WEBP" and head[8:12] != b"WEBP":
        kind = None
    if head[4:8] == b"ftyp" and head[8:12] in (b"avif", b"avis"):
        kind = "AVIF"
    if name.lower().endswith((".nii", ".nii.gz")) and (head.startswith(b"\x1f\x8b") or _starts_nifti(head)):
        kind = "NIFTI"
    if kind is None:
        raise ImageError(f"{name}: not an image of a kind that emseg reads; convert it to PNG or TIFF")
    return kind


def _starts_nifti(head: bytes) -> bool:
    """Whether these are the first bytes of a NIfTI-1 or -2 header: its length, in either order."""
    return any(head.startswith(n.to_bytes(4, order)) for n in (348, 540) for order in _ORDERS)


def _contents(path: str | os.PathLike[str], name: str) -> bytes:
    """All bytes of a regular file that starts like an image."""
    return _bytes(path, name, judged=True)


def _bytes(path: str | os.PathLike[str], name: str, judged: bool = False) -> bytes:
    """All bytes of a regular file; nothing else is opened, so nothing can hang."""
    try:
        status = os.stat(path)
        if stat.S_ISDIR(status.st_mode):
            raise ImageError(f"{name}: is a folder; name the image files in it")
        if not stat.S_ISREG(status.st_mode):
            raise ImageError(f"{name}: is a pipe, a socket or a device; save it as an image file first")
        if status.st_size > MAX_BYTES:
            raise ImageError(f"{name}: {status.st_size / 1e9:.1f} GB is more than emseg reads; crop or shrink it")
        with open(path, "rb") as file:
            if judged:
                _kind(file.read(16), name)
                file.seek(0)
            return file.read()
    except FileNotFoundError as error:
        raise ImageError(f"{name}: no such file; check the spelling and the current folder") from error
    except OSError as error:
        raise ImageError(f"{name}: cannot be opened ({error.strerror}); check its path and permissions") from error
    except ValueError as error:  # a NUL character
        raise ImageError(f"{name}: cannot be a file name ({error}); check the spelling") from error
