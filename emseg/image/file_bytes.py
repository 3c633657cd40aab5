"""The bytes of image files: what may be opened, and how every refusal is worded. Imports no numpy."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Sequence

from emseg.errors import ImageError, shown
from emseg.image.formats.registry import HEAD, format_of

Path = str | os.PathLike[str]
GDAL_END = ".aux.xml"  # what GDAL adds to a name for what a format has no room for
#: Bytes of the largest file read. A file is held in memory whole, so that what is hashed is what is decoded.
MAX_BYTES = 4 << 30


def read_bytes(path: Path, judge: Callable[[bytes], object] | None = None) -> bytes:
    """All bytes of a regular file. Nothing else is opened, so nothing can hang.

    Parameters
    ----------
    path : path
    judge : callable, optional
        Receives the first `HEAD` bytes, and may raise before the others are read.

    Raises
    ------
    ImageError
        One line that names the file and the remedy, for whatever cannot be read in full.
    """
    name = shown(path)
    try:
        status = os.stat(path)
        if stat.S_ISDIR(status.st_mode):
            raise ImageError(f"{name}: is a folder; name the image files in it")
        if not stat.S_ISREG(status.st_mode):
            raise ImageError(f"{name}: is a pipe, a socket or a device; save it as an image file first")
        if status.st_size > MAX_BYTES:
            raise ImageError(f"{name}: {status.st_size / 1e9:.1f} GB is more than emseg reads; crop or shrink it")
        with open(path, "rb") as file:
            if judge is not None:
                judge(file.read(HEAD))
                file.seek(0)
            return file.read()
    except FileNotFoundError as error:
        if "://" in name:
            raise ImageError(f"{name}: is an address; download it, and give the file") from error
        raise ImageError(f"{name}: no such file; check the spelling and the current folder") from error
    except OSError as error:
        raise ImageError(f"{name}: cannot be opened ({error.strerror}); check its path and permissions") from error
    except ValueError as error:  # a NUL character
        raise ImageError(f"{name}: cannot be a file name ({error}); check the spelling") from error


def read_image_bytes(path: Path) -> tuple[bytes, bytes | None]:
    """All bytes of an image file, and those of its companion if its format has one.

    Raises
    ------
    ImageError
        As `read_bytes`, and if the file does not start like an image.
    """
    name = shown(path)

    def judge(head: bytes) -> None:
        try:
            format_of(head, name)
        except ImageError:
            header = _header_beside(os.fsdecode(path)) if head else ""
            if header:
                raise ImageError(f"{name}: holds samples alone; name their header, {shown(header)}") from None
            raise

    data = read_bytes(path, judge)
    companion = format_of(data[:HEAD], name).companion(os.fsdecode(path))
    return data, None if companion is None else read_bytes(companion)


def _header_beside(path: str) -> str:
    """The header of ENVI or MetaImage that a file of samples belongs to; empty if there is none beside it."""
    stem = os.path.splitext(path)[0]
    found = (name for name in (stem + ".hdr", path + ".hdr", stem + ".mhd", stem + ".nhdr") if os.path.isfile(name))
    return next(found, "")


def place_files(path: Path) -> list[str]:
    """Files beside a picture that may tell its place: of photo.tif photo.tif.aux.xml, photo.tfw, .tifw and .wld."""
    whole = os.fsdecode(path)
    stem, suffix = os.path.splitext(whole)
    short = f"{suffix[:2]}{suffix[-1:]}w"
    ends = (short, short.upper(), f"{suffix}w", ".wld", ".WLD") if len(suffix) > 2 else ()
    return [name for name in (whole + GDAL_END, *(stem + end for end in ends)) if os.path.isfile(name)]


def nodata_beside(path: Path) -> tuple[bytes | None, bytes | None]:
    """The bytes of GDAL's files beside an image that say where it holds no data.

    They are a mask, for photo.tif photo.tif.msk, and photo.tif.aux.xml if there is a value for "no data" in it.

    Raises
    ------
    ImageError
        As `read_bytes`.
    """
    name = os.fsdecode(path)
    mask, facts = (read_bytes(name + end) if os.path.isfile(name + end) else None for end in (".msk", ".aux.xml"))
    return mask, facts if facts is not None and b"<NoDataValue" in facts else None


def digest_of_bytes(data: bytes, *others: bytes | None) -> str:
    """The SHA-256 of an image file in hexadecimal: that of its bytes, followed by those of files that belong to it."""
    found = hashlib.sha256(data)
    for more in others:
        if more is not None:
            found.update(more)
    return found.hexdigest()


def digest_of_stack(digests: Sequence[str]) -> str:
    """The SHA-256 of several files as one image: that of their digests one after another; empty if one of them is."""
    return hashlib.sha256("".join(digests).encode()).hexdigest() if all(digests) else ""


def digest_of_image(path: Path) -> str:
    """The `sha256` that an image read from this path would have, without decoding; empty if it cannot be read."""
    try:
        return digest_of_bytes(*read_image_bytes(path), *nodata_beside(path))
    except ImageError:
        return ""
