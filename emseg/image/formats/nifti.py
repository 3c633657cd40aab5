"""NIfTI volumes (.nii, .nii.gz), read by nibabel once the header is known to be of an allowed size.

A volume of shape (X, Y, Z), with time or vectors as further axes, becomes an image of Z slices below one another,
(Z · Y, X, C). Whatever looks at single pixels then works as for any image. `metadata["volume"]` is (Z, Y, X). Further
axes are channels, unless the user says that one counts pages.
"""

from __future__ import annotations

import logging
import math
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np

from emseg.errors import ImageError, option, shown
from emseg.image.axes import FEW, Arrangement, arrangement, of_pages
from emseg.image.limits import Reading
from emseg.image.model import Image
from emseg.image.place.pixel_size import pixel_size

GZIP = b"\x1f\x8b"
FARTHEST = 1 << 24  # bytes before the first voxel: extensions of the header have some thousands
_HEADER = 540  # bytes of the longer of the two headers
_AT_ONCE = 1 << 16  # bytes given to zlib: more than a block of bgzip, so that little of it is given twice


def decode(data: bytes, name: str, how: Reading) -> Image:
    """Decode a volume.

    Raises
    ------
    ImageError
        If it is too large, holds no real numbers, or nibabel is not installed.
    ValueError
        If the file is damaged.
    """
    zipped = data.startswith(GZIP)
    head = _unzipped(data, _HEADER) if zipped else data[:_HEADER]
    shape, itemsize, start = _geometry(head)
    arranged = _arrangement(shape, name, how)
    arranged.require(name, how, itemsize)
    _times(shape, head, name, how)
    if start > FARTHEST:
        raise ValueError("the header says that the data lie elsewhere")
    end = start + math.prod(shape) * itemsize
    data = _unzipped(data, end) if zipped else data
    if len(data) < end:
        raise ValueError("the file is cut short")
    loaded, doubts = _loaded(data)
    return _image(*loaded, name, how).with_notices(*doubts)


def image_of_nibabel(volume: Any, name: str, how: Reading) -> Image:
    """The image of a volume that nibabel has loaded, of any of its formats.

    Raises
    ------
    ImageError
        If it holds no real numbers, or the axes of `how` do not fit.
    """
    import nibabel

    like = volume if isinstance(volume, nibabel.Nifti1Pair) else nibabel.Nifti1Image.from_image(volume)
    return _image(np.asanyarray(volume.dataobj), like.header.copy(), np.array(like.affine), name, how)


def _image(stored: Any, header: Any, affine: Any, name: str, how: Reading) -> Image:
    """The image of an array (X, Y), (X, Y, Z) or with further axes, and what the header says of it."""
    header, affine, doubts = _placed(header, affine)
    shape = (*stored.shape, 1, 1)[: max(stored.ndim, 3)]
    x, y, z = shape[:3]
    arranged, times = _arrangement(shape, name, how), _times(shape, header.binaryblock, name, how)
    how.require_page(arranged.pages, name)
    bands, colours = arranged.channels, stored.dtype.names
    if colours is not None:  # RGB24 and RGBA32
        stored, bands = np.stack([stored[colour] for colour in colours[:3]], axis=-1).reshape(x, y, z, 3), 3
        pixels = np.ascontiguousarray(stored.transpose(2, 1, 0, 3).reshape(z * y, x, 3))
    else:
        cube = arranged.ordered(stored.reshape(arranged.shape), how.number)
        pixels = np.ascontiguousarray(cube).reshape(z * y, x, bands)
    image = Image.from_array(pixels, name=name)
    if how.axes:
        image = of_pages(replace(image, taken={"axes": how.axes}), how, arranged.pages, "volume", arranged.paging)
    elif times > 1:
        apart = f"{option('axes', 'XYZT')} with {option('page')} takes one of them"
        image = image.with_notices(f"its {times} points of time are taken as features; {apart}")
    colour = "gray" if bands == 1 else "rgb" if colours is not None else "bands"
    metadata = {"volume": (z, y, x), "nifti": {"header": header, "affine": affine}}
    size = pixel_size(np.linalg.norm(affine[:3, :3], axis=0)[::-1], _unit(header))
    metadata |= {"pixel_size": size} if size else {}
    return replace(image, colour=colour, metadata=metadata).with_notices(*doubts)


def _placed(header: Any, affine: Any) -> tuple[Any, Any, tuple[str, ...]]:
    """The header and the affine; without a place, and with a line, if that is no numbers."""
    if np.isfinite(affine).all():
        return header, affine, ()
    header = header.copy()
    sizes = np.asarray(header["pixdim"][1:4], np.float64)
    header["pixdim"][1:4] = np.where(np.isfinite(sizes) & (sizes > 0), sizes, 1)
    header["qform_code"] = header["sform_code"] = 0
    for field in ("quatern_b", "quatern_c", "quatern_d", "qoffset_x", "qoffset_y", "qoffset_z"):
        header[field] = 0
    for field in ("srow_x", "srow_y", "srow_z"):
        header[field] = 0
    line = "its header gives a place that is no finite numbers; results have none, and masks are matched by shape alone"
    return header, header.get_base_affine(), (line,)


def _times(shape: tuple[int, ...], header: bytes, name: str, how: Reading) -> int:
    """How many points of time become features; raise ImageError if they are too many for that."""
    times = shape[3] if len(shape) > 3 and _has_time(header) and not how.axes else 1
    if times > FEW:
        one = f"{option('axes', 'XYZT')} with {option('page')} takes one"
        raise ImageError(f"{name}: holds {times} points of time; {one}, {option('axes', 'XYZC')} all as features")
    return times


def count(data: bytes, name: str, how: Reading) -> int:
    """Number of volumes by the axes of `how`."""
    head = _unzipped(data, _HEADER) if data.startswith(GZIP) else data[:_HEADER]
    return _arrangement(_geometry(head)[0], name, how).pages


def _arrangement(shape: tuple[int, ...], name: str, how: Reading) -> Arrangement:
    """The meaning of the axes of a volume: what follows X, Y and Z are channels, unless the user says otherwise."""
    if not how.axes:
        return Arrangement("XYZC", (*shape[:3], math.prod(shape[3:])))
    if not how.axes.startswith("XYZ"):
        raise ImageError(f"{name}: {option('axes', how.axes)}: a NIfTI file begins with X, Y and Z; give XYZC or XYZT")
    return arrangement(shape, how.axes, name)


def _has_time(header: bytes) -> bool:
    """Whether the fourth axis is time: its header names a unit of time (NIfTI-1 and NIfTI-2, `xyzt_units`)."""
    order = "<" if struct.unpack_from("<i", header)[0] in (348, 540) else ">"
    (size,) = struct.unpack_from(f"{order}i", header)
    units = header[123] if size == 348 else struct.unpack_from(f"{order}i", header, 500)[0]
    return bool(units & 56 in (8, 16, 24))


def _unit(header: Any) -> str:
    """The unit of lengths; where the header names none, it is millimetres, as other programs take it."""
    code = int(header["xyzt_units"]) % 8
    return {1: "m", 3: "µm"}.get(code, "mm")


def _geometry(header: bytes) -> tuple[tuple[int, ...], int, int]:
    """Lengths of at least three axes, bytes a voxel, and the place of the first voxel, from a NIfTI-1 or -2 header."""
    for order in "<>":
        (size,) = struct.unpack_from(f"{order}i", header)
        if size == 348:
            dim = struct.unpack_from(f"{order}8h", header, 40)
            (bits,) = struct.unpack_from(f"{order}h", header, 72)
            (offset,) = struct.unpack_from(f"{order}f", header, 108)
            whole = header[344:348] == b"n+1\0"
        elif size == 540:
            dim = struct.unpack_from(f"{order}8q", header, 16)
            (bits,) = struct.unpack_from(f"{order}h", header, 14)
            (offset,) = struct.unpack_from(f"{order}q", header, 168)
            whole = header[4:8] == b"n+2\0"
        else:
            continue
        if not whole or not 1 <= dim[0] <= 7 or min(dim[1 : dim[0] + 1]) < 1 or bits < 8:
            raise ValueError("the header does not describe a volume in one file")
        if not math.isfinite(offset) or not size <= offset < 1 << 40:
            raise ValueError("the header says that the data lie elsewhere")
        return (*dim[1 : dim[0] + 1], 1, 1)[: max(dim[0], 3)], bits // 8, int(offset)
    raise ValueError("the header is of no known length")


def _unzipped(data: bytes, size: int) -> bytes:
    """The first `size` bytes of compressed data; no more is unpacked. bgzip writes many members."""
    found, made, view, at = [], 0, memoryview(data), 0
    while at < len(data) and made < size:
        decoder = zlib.decompressobj(31)
        while at < len(data) and made < size and not decoder.eof:
            part = view[at : at + _AT_ONCE]
            found.append(decoder.decompress(part, size - made))
            made += len(found[-1])
            at += len(part) - len(decoder.unused_data) - len(decoder.unconsumed_tail)
    return b"".join(found)


class _Heard(logging.Handler):
    """What nibabel says of a header that it puts right, which it would print."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        self.lines.append(f"its header is put right: {shown(' '.join(record.getMessage().split()))[:160]}")


@contextmanager
def _listening(logger: logging.Logger) -> Iterator[list[str]]:
    others, heard, passing = logger.handlers[:], _Heard(), logger.propagate
    logger.handlers, logger.propagate = [heard], False
    try:
        yield heard.lines
    finally:
        logger.handlers, logger.propagate = others, passing


def _loaded(data: bytes) -> tuple[tuple[Any, Any, Any], list[str]]:
    """The array, the header and the affine of a volume, read by nibabel, and what it has put right."""
    import nibabel

    kind = nibabel.Nifti2Image if struct.unpack_from("<i", data)[0] in (540, 0x1C020000) else nibabel.Nifti1Image
    try:
        with _listening(logging.getLogger("nibabel.global")) as doubts:
            image = kind.from_bytes(data)
            return (np.asanyarray(image.dataobj), image.header, image.affine), doubts
    except (
        nibabel.filebasedimages.ImageFileError,
        nibabel.spatialimages.HeaderDataError,
        nibabel.wrapstruct.WrapStructError,
    ) as error:
        raise ValueError(str(error)) from error
