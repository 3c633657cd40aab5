"""What is left of a file that ends early: the rows that are there, where one can know which these are.

A PNG, a GIF and a TIFF are made whole again, with zeros for what is missing. A JPEG is decoded with two different ends:
where the pictures differ, nothing was stored.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from emseg.errors import ImageError
from emseg.image.damage.jpeg_scans import NOISE, markers
from emseg.image.damage.png_rows import bytes_of_row
from emseg.image.formats import pillow
from emseg.image.formats.registry import Format
from emseg.image.limits import Reading
from emseg.image.missing.nodata import without_data
from emseg.image.model import Image

if TYPE_CHECKING:
    from emseg.image.strips.layout import Layout

_START, _CHUNK = 8, 12  # of a PNG: bytes before the first chunk, and of a chunk besides its data
_ANIMATED = (b"acTL", b"fcTL", b"fdAT")
_BASELINE, _BLOCK, _END = (0xC0, 0xC1), 8, b"\xff\xd9"
_ORIENTATION = 274
_STRIPS, _TILES = (273, 279), (324, 325)  # tags of a TIFF: where they start, and their bytes
_TYPES = {3: "u2", 4: "u4", 16: "u8"}


class Part(NamedTuple):
    """An image, where it is missing as it is stored, shape (H, W), and a whole file of what is there."""

    image: Image
    missing: NDArray[np.bool_]
    mended: bytes


def rows_that_are_there(found: Format, data: bytes, name: str, how: Reading) -> Image:
    """The image of a file that ends early; the rows that are missing hold no data, and a line says how many they are.

    Raises
    ------
    ImageError
        If it cannot be told which rows are missing.
    ValueError and others
        If the file is damaged in another way.
    """
    known = {"PNG": _png, "JPEG": _jpeg, "GIF": _gif, "TIFF": _tiff}[found.name]
    if how.page > 1:
        raise ImageError(f"{name}: ends early, and only the first page is read of such a file; export it again")
    image, missing, mended = known(found, data, name, how)
    if not missing.any():
        return image
    if missing.all():
        raise ImageError(f"{name}: ends before its first row is whole; export it again from its source")
    if "volume" in image.metadata or missing.size != image.pixels.shape[0] * image.pixels.shape[1]:
        raise ImageError(f"{name}: ends early, and holds several planes; export it again from its source")
    whole = int(np.count_nonzero(missing.all(axis=1)))
    what = f"the last {whole} of its {len(missing)} rows" if whole else f"{int(missing.sum())} of its pixels"
    line = f"{what} {'is' if whole == 1 else 'are'} missing, because the file ends early, and hold no data"
    return without_data(image, pillow.upright(missing, _orientation(found, mended))[:, :, None]).with_notices(line)


def _orientation(found: Format, data: bytes) -> int:
    """The orientation of EXIF, 1…8."""
    if found.name == "TIFF":
        from emseg.image.strips.directory import directory_at, page_offsets

        turn = directory_at(data, next(page_offsets(data))).values.get(_ORIENTATION)
    else:
        turn = pillow.open_page(data, found.kind, "", Reading(max_pixels=1 << 62)).getexif().get(_ORIENTATION)
    return turn if isinstance(turn, int) and 1 <= turn <= 8 else 1


def _rows(height: int, width: int, there: int) -> NDArray[np.bool_]:
    missing = np.zeros((height, width), np.bool_)
    missing[there:] = True
    return missing


def _png(found: Format, data: bytes, name: str, how: Reading) -> Part:
    width, height, depth, kind, interlaced = struct.unpack_from(">IIBB2xB", data, 16)
    how.require(width, height, name)
    if interlaced:
        raise ImageError(f"{name}: ends early and is interlaced, so no row is whole; export it again from its source")
    length = bytes_of_row(width, depth, kind)
    head, packed = _chunks(data)
    raw, decoder = bytearray(), zlib.decompressobj()
    try:
        raw += decoder.decompress(packed, length * height)
    except zlib.error as error:
        raise ValueError("its compressed data are damaged") from error
    there = len(raw) // length
    whole = bytes(raw[: there * length]).ljust(length * height, b"\0")
    mended = head + _chunk(b"IDAT", zlib.compress(whole, 1)) + _chunk(b"IEND", b"")
    return Part(found.decode(mended, name, how), _rows(height, width, there), mended)


def _chunks(data: bytes) -> tuple[bytes, bytes]:
    """What lies before the pixels of a PNG, and the packed pixels of the first picture as far as they go."""
    head, packed, at = data[:_START], b"", _START
    while at + 8 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        if name == b"IDAT":
            packed += data[at + 8 : at + 8 + length]
        elif packed:
            break
        elif name not in _ANIMATED:
            head += data[at : at + _CHUNK + length]
        at += _CHUNK + length
    return head, packed


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _jpeg(found: Format, data: bytes, name: str, how: Reading) -> Part:
    parts = markers(data)
    if parts.frame not in _BASELINE or len(parts.scans) != 1 or len(parts.scans[0].components) != len(parts.components):
        raise ImageError(f"{name}: ends early and is progressive, so no row is whole; export it again from its source")
    end = parts.scans[0].end
    ends = [data[:end] + more + _END for more in (b"", NOISE)]
    one, other = (_decoded(part, name, how) for part in ends)
    width, height = parts.size
    differ = (one != other).reshape(height, -1).any(axis=1)
    if not differ.any():
        raise ValueError("it is damaged, not cut short")
    block = _BLOCK * max(down for _, down in parts.components.values())
    image = pillow.decode_whole(pillow.open_page(ends[0], found.kind, name, how), name)
    first = int(differ.argmax())
    # Colours of fewer pixels reach a row into the blocks above.
    there = first if (first + 1) % block == 0 else first // block * block
    return Part(image, _rows(height, width, there), ends[0])


def _decoded(data: bytes, name: str, how: Reading) -> NDArray[np.uint8]:
    return np.asarray(pillow.open_page(data, "JPEG", name, how))


def _gif(found: Format, data: bytes, name: str, how: Reading) -> Part:
    from emseg.image.damage.gif_rows import rows_of

    width, height = struct.unpack_from("<HH", data, 6)
    how.require(width, height, name)
    part = rows_of(data)
    if part.interlaced:
        raise ImageError(f"{name}: ends early and is interlaced, so no row is whole; export it again from its source")
    left, top, columns, _ = part.box
    missing = np.zeros((height, width), np.bool_)
    missing[top + part.there :, left : left + columns] = True
    return Part(found.decode(part.mended, name, how), missing, part.mended)


def _tiff(found: Format, data: bytes, name: str, how: Reading) -> Part:
    from emseg.image.strips.directory import directory_at, page_offsets
    from emseg.image.strips.layout import RAW, layout_of
    from emseg.image.strips.page import require_size

    page = directory_at(data, next(page_offsets(data)))
    require_size(page, name, how)
    tiled = _TILES[0] in page.entries
    tags = [page.entries[code] for code in (_TILES if tiled else _STRIPS) if code in page.entries]
    if len(tags) < 2 or tags[0].length != tags[1].length or not {tag.kind for tag in tags} <= _TYPES.keys():
        raise ValueError("strips or tiles are missing")
    offsets, sizes = (page.numbers(code).astype(np.int64) for code in (_TILES if tiled else _STRIPS))
    end = len(data)
    gone = (offsets < 0) | (sizes < 0) | (offsets > end) | (sizes > end) | (offsets + sizes > end)
    if not gone.any():
        raise ValueError("it is damaged, not cut short")
    whole = bytearray(data)
    arrays = [np.frombuffer(whole, f"{page.order}{_TYPES[entry.kind]}", entry.length, entry.offset) for entry in tags]
    for array in arrays:
        array[gone] = 0
    layout = layout_of(directory_at(bytes(whole), next(page_offsets(bytes(whole)))))
    there = layout.height
    if layout.compression == RAW and not tiled and not layout.planar:  # a strip is known row by row
        first = int(gone.argmax())
        there = first * layout.rows
        if 0 <= offsets[first] <= end and 0 < sizes[first] <= layout.rows * layout.row_bytes:
            there += (end - int(offsets[first])) // layout.row_bytes
            for array, number in zip(arrays, (offsets[first], sizes[first]), strict=True):
                array[first] = number
            del arrays, array
            whole += bytes(int(offsets[first] + sizes[first]) - end)
    image = found.decode(bytes(whole), name, how)
    by_row = there < layout.height
    missing = _rows(layout.height, layout.width, there) if by_row else _segments_gone(gone, layout)
    return Part(image, missing, bytes(whole))


def _segments_gone(gone: NDArray[np.bool_], layout: Layout) -> NDArray[np.bool_]:
    """Where strips or tiles are missing, in any plane."""
    lost = gone.reshape(-1, *layout.grid).any(axis=0)
    return lost.repeat(layout.rows, 0).repeat(layout.columns, 1)[: layout.height, : layout.width]
