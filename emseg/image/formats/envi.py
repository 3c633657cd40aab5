"""ENVI cubes: a header of text, `cube.hdr`, and the samples in a file of the same name beside it.

The header never says where the samples are, so no path in it is followed. The fields are those of ENVI's manual, "ENVI
Header Files".
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from emseg.errors import ImageError, shown
from emseg.image.arrays.array_like import Given
from emseg.image.arrays.from_memory import arranged_image
from emseg.image.axes import arrangement, require_channels_last
from emseg.image.limits import Reading
from emseg.image.missing.nodata import without_declared
from emseg.image.model import Image
from emseg.image.place.envi_map import tags_of_header
from emseg.image.place.ground import on_ground
from emseg.image.series.channel_names import envi_names

#: Codes of data types, as numpy calls the types.
TYPES = {1: "u1", 2: "i2", 3: "i4", 4: "f4", 5: "f8", 12: "u2", 13: "u4", 14: "i8", 15: "u8"}
#: How samples are stored, and the order of axes that makes them rows, columns and bands.
INTERLEAVES = {"bsq": ((2, 0, 1), (1, 2, 0)), "bil": ((0, 2, 1), (0, 2, 1)), "bip": ((0, 1, 2), (0, 1, 2))}
#: Endings of the file of samples.
ENDS = ("", ".dat", ".img", ".raw", ".bsq", ".bil", ".bip", ".bin")
LARGEST_HEADER = 1 << 24  # bytes


def companion(path: str) -> str:
    """The path of the samples that a header is for.

    Raises
    ------
    ImageError
        If there is no such file.
    """
    stem = path[:-4] if path.lower().endswith(".hdr") else path
    for end in ENDS:
        for name in (stem + end, stem + end.upper()):
            if name != path and os.path.isfile(name):
                return name
    raise ImageError(f"{shown(path)}: there are no samples beside this ENVI header; put the .dat or .img file there")


def decode(header: bytes, name: str, how: Reading, samples: bytes | None = None) -> Image:
    """Decode a cube of a header and the samples beside it.

    Raises
    ------
    ImageError, ValueError
        If it is too large, of a type that is not read, or not what its header says.
    """
    if samples is None:
        raise ImageError(f"{name}: an ENVI header is read from a file, with its samples beside it")
    if len(header) > LARGEST_HEADER:
        raise ImageError(f"{name}: an ENVI header of {len(header) / 1e6:.0f} MB; name the header, not the samples")
    fields = header_fields(header.decode("utf-8-sig", "replace"))
    width, height, bands, start = (
        _number(fields, key, least) for key, least in (("samples", 0), ("lines", 0), ("bands", 1), ("header offset", 0))
    )
    code, order = _number(fields, "data type", 1), _number(fields, "byte order", 0)
    interleave = fields.get("interleave", "bsq").lower()
    if code not in TYPES or order not in (0, 1) or interleave not in INTERLEAVES:
        raise ImageError(f"{name}: ENVI data type {code}, {shown(interleave)[:9]}, is not read; convert it to GeoTIFF")
    dtype = np.dtype(TYPES[code]).newbyteorder(">" if order else "<")
    shape = (height, width, bands)
    if how.axes:
        arrangement(shape, how.axes, name).require(name, how, dtype.itemsize)
    else:
        how.require_page(1, name)
        how.require(width, height, name, bands, dtype.itemsize)
        require_channels_last(shape, name, declared=True)
    stored, back = INTERLEAVES[interleave]
    if len(samples) < start + math.prod(shape) * dtype.itemsize:
        raise ValueError("the file of samples is cut short")
    cube = np.frombuffer(samples, dtype, math.prod(shape), start).reshape([shape[axis] for axis in stored])
    pixels = np.ascontiguousarray(cube.transpose(back))
    ignored = fields.get("data ignore value")
    if how.axes not in ("", "YXC"):
        image = replace(arranged_image(Given(pixels), name, how), form=None)
        image = without_declared(image, [ignored or None])
        return image if image.pixels.shape[2] == 1 else replace(image, colour="bands")
    image = without_declared(Image.from_array(pixels, name=name), [ignored or None])
    image = replace(image, metadata={**image.metadata, **on_ground(tags_of_header(fields))})
    image = replace(image, channel_names=envi_names(fields.get("band names", ""), bands))
    if bands == 1:
        return image
    image = replace(image, colour="bands")  # three bands are seldom red, green and blue
    from emseg.image.missing.fourth_channel import with_fourth

    return with_fourth(image, how, may_be_opacity=False)


def count(header: bytes, name: str, how: Reading) -> int:
    """Number of images by the axes of `how`, which are those of lines, samples and bands."""
    fields = header_fields(header[:LARGEST_HEADER].decode("utf-8-sig", "replace"))
    shape = tuple(_number(fields, key, 0) for key in ("lines", "samples", "bands"))
    return arrangement(shape, how.axes, name).pages if how.axes else 1


def header_fields(text: str) -> dict[str, str]:
    """The fields of a header, keys in lower case. A value in braces may have several lines.

    A line is looked at once, or twice if it has a brace: no text takes longer than its length says.
    """
    fields: dict[str, str] = {}
    lines = text.splitlines()
    closing = max((at for at, line in enumerate(lines) if "}" in line), default=-1)
    at = 0
    while at < len(lines):
        key, equals, value = (part.strip() for part in lines[at].partition("="))
        at += 1
        if not equals or not key or "{" in key or "}" in key:
            continue
        if value.startswith("{") and closing >= at - 1:  # a brace that nothing closes is a character
            parts = [value]
            while "}" not in parts[-1]:
                parts.append(lines[at])
                at += 1
            value = "\n".join(parts)
            value = value[: value.index("}") + 1]
        fields[key.lower()] = value
    return fields


def _number(fields: Mapping[str, str], key: str, least: int) -> int:
    text = fields.get(key, "0" if key in ("header offset", "byte order") else "")
    if not re.fullmatch(r"\d{1,12}", text, re.ASCII) or int(text) < least:
        raise ValueError(f"the header says nothing usable of {key}")
    return int(text)
