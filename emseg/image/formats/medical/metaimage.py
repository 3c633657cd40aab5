"""MetaImage, `.mha`: a header of text, and the samples behind it, raw or packed by zlib (itk.org/Wiki/MetaIO).

The samples of a header alone, `.mhd`, are in the file of the same name beside it; no path in a header is followed.
"""

from __future__ import annotations

import os
import re

import numpy as np
from numpy.typing import NDArray

from emseg.errors import ImageError, shown
from emseg.image.axes import Arrangement, arrangement
from emseg.image.formats.medical.voxels import FLIP, image_of_voxels, samples_at
from emseg.image.limits import Reading
from emseg.image.model import Image

LARGEST_HEADER = 1 << 16  # bytes
TYPES = {
    "MET_CHAR": "i1",
    "MET_UCHAR": "u1",
    "MET_SHORT": "i2",
    "MET_USHORT": "u2",
    "MET_INT": "i4",
    "MET_UINT": "u4",
    "MET_LONG": "i4",
    "MET_ULONG": "u4",
    "MET_LONG_LONG": "i8",
    "MET_ULONG_LONG": "u8",
    "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}
ENDS = (".raw", ".zraw", ".RAW")
_LAST = re.compile(rb"^ElementDataFile *= *([^\r\n]*)\r?\n", re.MULTILINE)  # the samples are behind this line
_LOCAL = "LOCAL"
_TRUE = ("true", "1")


def companion(path: str) -> str | None:
    """The path of the samples that a header is for; None if they are behind it.

    Raises
    ------
    ImageError
        If there is no such file.
    """
    with open(path, "rb") as file:
        found = _LAST.search(file.read(LARGEST_HEADER) + b"\n")
    if found is None or found[1].strip().upper() == b"LOCAL":
        return None
    stem = os.path.splitext(path)[0]
    beside = next((stem + end for end in ENDS if os.path.isfile(stem + end)), None)
    if beside is None:
        raise ImageError(f"{shown(path)}: there are no samples beside this header; put {shown(stem)}.raw there")
    return beside


def decode(data: bytes, name: str, how: Reading, samples: bytes | None = None) -> Image:
    """Decode an image or a volume.

    Raises
    ------
    ImageError, ValueError
        If it is too large, of a kind that is not read, or not what its header says.
    """
    fields, start = _header(data)
    local = fields.get("elementdatafile", "").upper() == _LOCAL
    if not local and samples is None:
        raise ImageError(f"{name}: the samples of this header are in another file; save it as one .mha")
    kind = fields.get("elementtype", "").upper()
    if kind not in TYPES or fields.get("binarydata", "true").lower() not in _TRUE:
        raise ImageError(f"{name}: MetaImage of {shown(kind)[:40] or 'no type'} is not read; save it as binary numbers")
    big = fields.get("binarydatabyteordermsb", fields.get("elementbyteordermsb", "false")).lower() in _TRUE
    dtype = np.dtype(TYPES[kind]).newbyteorder(">" if big else "<")
    shape, letters = _shape(fields)
    arranged = arrangement(shape, how.axes, name) if how.axes else Arrangement(letters, shape)
    arranged.require(name, how, dtype.itemsize)
    packed = fields.get("compresseddata", "false").lower() in _TRUE
    array = samples_at(data[start:] if local or samples is None else samples, dtype, shape, packed)
    affine, sides = _place(fields)
    return image_of_voxels(array, arranged, name, how, affine, sides, colours=True)


def count(data: bytes, name: str, how: Reading) -> int:
    """Number of images."""
    shape, letters = _shape(_header(data)[0])
    return arrangement(shape, how.axes or letters, name).pages


def _header(data: bytes) -> tuple[dict[str, str], int]:
    """The fields, keys in lower case, and where the samples start."""
    last = _LAST.search(data[:LARGEST_HEADER])
    if last is None:
        last = _LAST.search(data[:LARGEST_HEADER] + b"\n")  # of a header alone
    if last is None:
        raise ValueError("the header does not say where the samples are")
    lines = data[: last.end()].decode("utf-8", "replace").splitlines()
    pairs = (line.partition("=") for line in lines)
    return {key.strip().lower(): value.strip() for key, equals, value in pairs if equals}, last.end()


def _shape(fields: dict[str, str]) -> tuple[tuple[int, ...], str]:
    """The shape of the stored array, slowest axis first, and its axes as letters."""
    sizes = [int(size) for size in fields.get("dimsize", "").split()]
    channels = int(fields.get("elementnumberofchannels", "1"))
    if not 2 <= len(sizes) <= 4 or fields.get("ndims") != str(len(sizes)) or min(*sizes, channels) < 1:
        raise ValueError("the header says nothing usable of sizes")
    letters = "XYZT"[: len(sizes)][::-1]
    return (*sizes[::-1], *[channels] * (channels > 1)), letters + "C" * (channels > 1)


def _place(fields: dict[str, str]) -> tuple[NDArray[np.float64] | None, list[float]]:
    """The map from indices to millimetres, and the sides of a voxel along z, y and x; None and none if not told."""
    try:
        sides = [float(side) for side in fields.get("elementspacing", fields.get("elementsize", "")).split()]
        if len(sides) < 3 or ("offset" not in fields and "position" not in fields):
            return None, sides[::-1]
        rows = fields.get("transformmatrix", fields.get("rotation", "1 0 0 0 1 0 0 0 1")).split()
        side = round(len(rows) ** 0.5)
        matrix = np.array([float(v) for v in rows], np.float64).reshape(side, side)[:3, :3]
        origin = [float(v) for v in fields.get("offset", fields.get("position", "")).split()][:3]
        affine = np.eye(4)
        affine[:3, :3], affine[:3, 3] = matrix.T * sides[:3], origin  # a row of the header is an axis
    except ValueError:
        return None, []
    return FLIP @ affine, sides[:3][::-1]
