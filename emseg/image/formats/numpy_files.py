"""NumPy's own files: `.npy`, and the arrays of an `.npz`. Nothing is unpickled: arrays of objects are refused."""

from __future__ import annotations

import io
import math
import tokenize
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from emseg.errors import ImageError
from emseg.image.arrays.array_like import as_given
from emseg.image.arrays.from_memory import arranged_image
from emseg.image.axes import arrangement, of_pages
from emseg.image.limits import Reading
from emseg.image.model import Image

NPY = b"\x93NUMPY"
LARGEST_HEADER = 10_000  # characters, as numpy itself allows
Shape = tuple[int, ...]


def decode(data: bytes, name: str, how: Reading) -> Image:
    """Decode an array (H, W) or (H, W, C) of real numbers, or one of any shape whose axes are told.

    Of an archive, pages are arrays; if a single array has axes of pages, they are its own.

    Raises
    ------
    ImageError
        If it is too large, or of another shape or type.
    ValueError, OSError
        If the file is damaged.
    """
    if data.startswith(NPY):
        return _array(io.BytesIO(data), len(data), name, how)
    with _opened(data) as archive:
        members = _members(archive)
        if not members:
            raise ImageError(f"{name}: holds no arrays; save them with numpy.savez")
        several = len(members) > 1
        if several:
            how.require_page(len(members), name)
        member = members[how.number - 1 if several else 0]
        with archive.open(member) as file:
            image = _array(file, member.file_size, name, how._replace(page=0) if several else how)
        return of_pages(image, how, len(members), "array") if several else image


def count(data: bytes, name: str, how: Reading) -> int:
    """Number of arrays in an archive of several; else of images along the axes of pages of the only one."""
    if data.startswith(NPY):
        return _pages(io.BytesIO(data), name, how)
    with _opened(data) as archive:
        members = _members(archive)
        if len(members) != 1:
            return len(members)
        with archive.open(members[0]) as file:
            return _pages(file, name, how)


def _pages(file: IO[bytes], name: str, how: Reading) -> int:
    return arrangement(_header(file)[0], how.axes, name).pages


@contextmanager
def _opened(data: bytes) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            yield archive
    except zipfile.BadZipFile as error:
        raise ValueError(str(error)) from error


def _members(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    return [member for member in archive.infolist() if member.filename.endswith(".npy")]


def _array(file: IO[bytes], size: int, name: str, how: Reading) -> Image:
    """Read the header, judge it, and only then the numbers."""
    shape, fortran, dtype = _header(file)
    if dtype.hasobject or dtype.kind not in "buif":
        raise ImageError(f"{name}: an array of {dtype}; save real numbers, as array.astype(float)")
    if 0 in shape:
        raise ImageError(f"{name}: an array of shape {shape} has no pixels; save one of shape (H, W) or (H, W, C)")
    axes = "YXC"[: len(shape)] if how.goes_with and 2 <= len(shape) <= 3 else how.axes
    arrangement(shape, axes, name).require(name, how, dtype.itemsize)
    wanted = math.prod(shape) * dtype.itemsize
    if wanted > size:
        raise ValueError("the file is cut short")
    data = file.read(wanted)
    if len(data) < wanted:
        raise ValueError("the file is cut short")
    array: NDArray[Any] = np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C")
    if how.goes_with:
        return Image.from_array(np.ascontiguousarray(array), name=name)
    return replace(arranged_image(as_given(array, name), name, how), form=None)


def _header(file: IO[bytes]) -> tuple[Shape, bool, np.dtype[Any]]:
    """Shape, order and type of an array. NumPy reads the header as a literal; its length is limited."""
    version = np.lib.format.read_magic(file)
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    if version not in readers:
        raise ValueError(f"version {version} of the format is not read")
    try:
        shape, fortran, dtype = readers[version](file, max_header_size=LARGEST_HEADER)
    except tokenize.TokenError as error:  # numpy looks for the integers of Python 2
        raise ValueError("the header cannot be read") from error
    if not all(isinstance(length, int) and length >= 0 for length in shape):
        raise ValueError(f"the shape is {shape}")
    return shape, fortran, dtype
