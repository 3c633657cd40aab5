"""Strips and tiles that are images of their own: PNG, WebP and JPEG 2000 by Pillow, LERC and others by imagecodecs."""

from __future__ import annotations

import io
import zlib
from importlib import import_module
from typing import Any

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from emseg.image.strips.layout import Layout
from emseg.image.strips.unpack import NATIVE
from emseg.records import NamedRecord

#: Pillow's modes by kind, bits and number of samples.
_MODES = {("u", 8, 1): "L", ("u", 8, 2): "LA", ("u", 8, 3): "RGB", ("u", 8, 4): "RGBA", ("u", 16, 1): "I;16"}
_PLUGINS = {"PNG": "PngImagePlugin", "WEBP": "WebPImagePlugin", "JPEG2000": "Jpeg2KImagePlugin"}
_DEFLATED, _ZSTD = 1, 2  # what a LERC stream may be packed in once more (tag 50674)
_SLACK = 2  # a stream of LERC is never longer than this many times its samples, and a head
_HEAD = 1 << 12  # bytes


class NeedsImagecodecs(NotImplementedError):
    """A codec that only imagecodecs has; the message names it."""


class Stream(NamedRecord):
    """Who decodes a compression whose segments are images.

    Attributes
    ----------
    pillow : str
        Pillow's name of the format; empty if Pillow does not read it.
    imagecodecs : str
        The function of imagecodecs.
    """

    pillow: str
    imagecodecs: str


_JPEG, _LERC = 7, 34887
STREAMS = {
    _JPEG: Stream("", "jpeg_decode"),
    33004: Stream("JPEG2000", "jpeg2k_decode"),
    33005: Stream("JPEG2000", "jpeg2k_decode"),
    34712: Stream("JPEG2000", "jpeg2k_decode"),
    22610: Stream("", "jpegxr_decode"),
    34934: Stream("", "jpegxr_decode"),
    _LERC: Stream("", "lerc_decode"),
    34933: Stream("PNG", "png_decode"),
    50001: Stream("WEBP", "webp_decode"),
    50002: Stream("", "jpegxl_decode"),
    52546: Stream("", "jpegxl_decode"),
}


def decoded(
    data: memoryview, layout: Layout, rows: int, name: str, packing: int = 0, tables: bytes = b""
) -> NDArray[Any]:
    """The samples of one segment.

    Parameters
    ----------
    data : memoryview
    layout : Layout
    rows : int
        Of this segment.
    name : str
        What messages call the compression.
    packing : int
        Of LERC: what the stream is packed in once more.
    tables : bytes
        Of JPEG: those that all segments share.

    Returns
    -------
    ndarray, shape (rows, columns, samples that lie together)
        Of the type `layout.dtype`.

    Raises
    ------
    NeedsImagecodecs
        If imagecodecs is not installed, and nothing else reads this.
    ValueError, OSError, RuntimeError
        If the stream is damaged, or not of the size and type that the tags say.
    """
    stream = STREAMS[layout.compression]
    mode = _MODES.get((layout.kind, layout.bits, layout.together))
    if stream.pillow and mode is not None:
        return _by_pillow(data, layout, rows, stream.pillow, mode)
    try:
        import imagecodecs  # type: ignore[import-not-found, unused-ignore]
    except ImportError as error:
        raise NeedsImagecodecs(name) from error
    if packing == _DEFLATED:
        most = _SLACK * rows * layout.row_bytes + _HEAD
        data = memoryview(zlib.decompressobj().decompress(data, most))
    elif packing == _ZSTD:
        data = memoryview(imagecodecs.zstd_decode(data))
    more = {"tables": tables or None, "bitspersample": layout.bits} if layout.compression == _JPEG else {}
    decode = getattr(imagecodecs, stream.imagecodecs)
    shape = rows, layout.columns, layout.together
    if layout.compression != _LERC:
        return _filled(decode, data, shape if layout.together > 1 else shape[:2], layout, more).reshape(shape)
    found = _lerc(decode, data, shape, layout)
    return found if layout.order == NATIVE else found.byteswap()  # libtiff hands it bytes as the file orders them


def _lerc(decode: Any, data: memoryview, shape: tuple[int, int, int], layout: Layout) -> NDArray[Any]:
    """Samples of a LERC stream: those of a pixel lie together, or in planes one after the other."""
    rows, columns, together = shape
    if together == 1:
        return _filled(decode, data, (rows, columns), layout, {}).reshape(shape)
    try:
        return _filled(decode, data, shape, layout, {})
    except ValueError:
        return np.moveaxis(_filled(decode, data, (together, rows, columns), layout, {}), 0, -1)


def _filled(decode: Any, data: memoryview, shape: tuple[int, ...], layout: Layout, more: Any) -> NDArray[Any]:
    """What imagecodecs decodes. It refuses a stream of another size or type before it unpacks it."""
    found = np.empty(shape, layout.dtype)
    decode(bytes(data), out=found, **more)
    return found


def _by_pillow(data: memoryview, layout: Layout, rows: int, kind: str, mode: str) -> NDArray[Any]:
    import_module("PIL." + _PLUGINS[kind])
    image = PIL.Image.OPEN[kind][0](io.BytesIO(data), "")
    wanted = ("RGB", "RGBA") if mode == "RGBA" else (mode,)  # WebP leaves out alpha that is full everywhere
    if image.size != (layout.columns, rows) or image.mode not in wanted:
        raise ValueError("a strip or tile is not of the size and type that the tags say")
    image.load()
    found = np.asarray(image if image.mode == mode else image.convert(mode))
    return found.astype(layout.dtype, copy=False).reshape(rows, layout.columns, layout.together)
