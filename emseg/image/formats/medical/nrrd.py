"""NRRD: a header of text, and the samples behind it, raw or packed by gzip (teem.sourceforge.net/nrrd/format.html).

Samples in other files are not looked for, so no path in a header is followed.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from emseg.errors import ImageError, shown
from emseg.image.axes import Arrangement, arrangement
from emseg.image.formats.medical.voxels import FLIP, image_of_voxels, samples_at
from emseg.image.limits import Reading
from emseg.image.model import Image

LARGEST_HEADER = 1 << 20  # bytes
#: Names of types as numpy calls them.
TYPES = {
    **dict.fromkeys(("signed char", "int8", "int8_t"), "i1"),
    **dict.fromkeys(("uchar", "unsigned char", "uint8", "uint8_t"), "u1"),
    **dict.fromkeys(("short", "short int", "signed short", "signed short int", "int16", "int16_t"), "i2"),
    **dict.fromkeys(("ushort", "unsigned short", "unsigned short int", "uint16", "uint16_t"), "u2"),
    **dict.fromkeys(("int", "signed int", "int32", "int32_t"), "i4"),
    **dict.fromkeys(("uint", "unsigned int", "uint32", "uint32_t"), "u4"),
    **dict.fromkeys(("longlong", "long long", "long long int", "signed long long", "int64", "int64_t"), "i8"),
    **dict.fromkeys(("ulonglong", "unsigned long long", "unsigned long long int", "uint64", "uint64_t"), "u8"),
    "float": "f4",
    "double": "f8",
}
_PACKED = ("gzip", "gz")
_KINDS = {"time": "T", "list": "T"}  # of axes that are no place; all others are channels
_PLACES = ("domain", "space", "???", "none", "")
_COLOURS = ("rgb-color", "rgba-color", "3-color", "4-color")
_VECTOR = re.compile(r"none|\(([^()]*)\)")


def decode(data: bytes, name: str, how: Reading) -> Image:
    """Decode an image or a volume.

    Raises
    ------
    ImageError, ValueError
        If it is too large, of a kind that is not read, or not what its header says.
    """
    fields, start = _header(data)
    if "data file" in fields or "datafile" in fields:
        raise ImageError(f"{name}: its samples are in another file; save it as one .nrrd")
    kind, encoding = fields.get("type", "").lower(), fields.get("encoding", "").lower()
    if kind not in TYPES or encoding not in ("raw", *_PACKED):
        what = f"type {kind}" if kind not in TYPES else f"encoding {encoding}"
        raise ImageError(f"{name}: NRRD of {shown(what)[:40]} is not read; save it as numbers, raw or in gzip")
    dtype = np.dtype(TYPES[kind]).newbyteorder(">" if fields.get("endian", "little").lower() == "big" else "<")
    sizes = [int(size) for size in fields["sizes"].split()]
    if not 2 <= len(sizes) <= 6 or str(len(sizes)) != fields.get("dimension", "") or min(sizes) < 1:
        raise ValueError("the header says nothing usable of sizes")
    if any(fields.get(key, "0").split()[0] != "0" for key in ("line skip", "lineskip", "byte skip", "byteskip")):
        raise ImageError(f"{name}: skips bytes before its samples; save it as one plain .nrrd")
    letters, places = _letters(fields, len(sizes))
    shape = tuple(sizes[::-1])
    arranged = arrangement(shape, how.axes, name) if how.axes else Arrangement(letters, shape)
    arranged.require(name, how, dtype.itemsize)
    array = samples_at(data[start:], dtype, shape, encoding in _PACKED)
    affine, sides = _place(fields, places)
    kinds = fields.get("kinds", "").lower().split()
    return image_of_voxels(array, arranged, name, how, affine, sides, any(kind in _COLOURS for kind in kinds))


def count(data: bytes, name: str, how: Reading) -> int:
    """Number of images."""
    fields, _ = _header(data)
    shape = tuple(int(size) for size in fields["sizes"].split()[::-1])
    axes = how.axes or _letters(fields, len(shape))[0]
    return arrangement(shape, axes, name).pages


def _header(data: bytes) -> tuple[dict[str, str], int]:
    """The fields, in lower case, and where the samples start."""
    end = re.search(rb"\r?\n\r?\n", data[:LARGEST_HEADER])
    if end is None:
        raise ValueError("the header does not end")
    fields = {}
    for line in data[: end.start()].decode("utf-8", "replace").splitlines()[1:]:
        key, colon, value = line.partition(":")
        if colon and not value.startswith("=") and not line.startswith("#"):
            fields[key.strip().lower()] = value.strip()
    return fields, end.end()


def _letters(fields: dict[str, str], dimension: int) -> tuple[str, list[int]]:
    """The axes as letters, slowest first, and which of the stored axes are places, fastest first."""
    kinds = fields.get("kinds", "").lower().split()
    kinds += [""] * (dimension - len(kinds))
    vectors = [found[0] for found in _VECTOR.finditer(fields.get("space directions", ""))]
    vectors += ["(" if not vectors else "none"] * (dimension - len(vectors))
    places = [at for at in range(dimension) if vectors[at] != "none" and kinds[at] in _PLACES]
    if len(places) < 2:
        places = list(range(dimension))
    names = dict(zip(places, "XYZ", strict=False))
    letters = [names.get(at, _KINDS.get(kinds[at], "C")) for at in range(dimension)]
    for at in range(dimension):  # more places than three: other images
        if at in places and at not in names:
            letters[at] = "T"
    if letters.count("T") > 1 or letters.count("C") > 1:
        raise ValueError("the header does not say what its axes are")
    return "".join(letters[::-1]), places[:3]


def _place(fields: dict[str, str], places: list[int]) -> tuple[NDArray[np.float64] | None, list[float]]:
    """The map from indices to millimetres, if all of it is told; and the sides of a voxel along z, y and x."""
    if "space directions" not in fields:
        spacings = fields.get("spacings", "").split()
        found = [_number(spacings[at]) for at in places if at < len(spacings)]
        return None, found[::-1] if len(found) == len(places) else []
    vectors = [found[1] for found in _VECTOR.finditer(fields["space directions"])]
    try:
        directions = np.array([[float(v) for v in (vectors[at] or "").split(",")] for at in places], np.float64)
        sides = np.linalg.norm(directions, axis=1)[::-1].tolist()
        origin = np.array([float(v) for v in fields.get("space origin", "").strip("() ").split(",")])
        affine = np.eye(4)
        affine[:3, :3], affine[:3, 3] = directions.T, origin
    except (ValueError, IndexError):
        return None, sides if "sides" in locals() else []
    space = fields.get("space", "").lower()
    turn: Any = {"left-posterior-superior": FLIP, "lps": FLIP, "right-anterior-superior": np.eye(4), "ras": np.eye(4)}
    turn |= {"left-anterior-superior": np.diag([-1.0, 1, 1, 1]), "las": np.diag([-1.0, 1, 1, 1])}
    return (turn[space] @ affine if space in turn else None), sides


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")
