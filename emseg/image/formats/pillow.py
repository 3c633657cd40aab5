"""Decoding through Pillow, each sample at its stored depth, into arrays filled band by band."""

from __future__ import annotations

import importlib
import io
import math
import struct
import sys
import zlib
from contextlib import suppress
from typing import Any

import numpy as np
import PIL.Image
import PIL.ImageFile
from numpy.typing import NDArray

from emseg.errors import ImageError
from emseg.image.limits import Reading
from emseg.image.model import Image
from emseg.records import replace

DECODER_ERRORS = (
    OSError,  # Pillow: truncated or broken data, codec errors; also UnidentifiedImageError
    SyntaxError,  # Pillow: what a plugin says of a header it cannot read
    ValueError,  # Pillow and tifffile: impossible sizes, modes and tags; also UnicodeError
    struct.error,  # short fields
    zlib.error,  # tifffile's deflate, Pillow's compressed chunks
    EOFError,  # missing chunks and frames
    LookupError,  # tables indexed with damaged numbers
    TypeError,  # tags of another type than their meaning asks for
    AttributeError,  # the same, when the value is used; parts that a damaged file lacks
    ArithmeticError,  # zero denominators, sizes beyond the machine's integers
    AssertionError,  # states that Pillow takes for granted
    RuntimeError,  # codecs, also NotImplementedError and endless references (RecursionError)
    PIL.Image.DecompressionBombError,  # Pillow's own limits inside a file (GIF frames, tiles)
)

ICC_HEADER, LARGEST_PROFILE = 128, 1 << 22  # bytes (ICC.1:2010, section 7.2); profiles of printers have a megabyte
DEFLATE = 1032
"""Bytes that deflate can make of one at most (RFC 1951: 258 bytes of two bits)."""

INTERLACED = 28  # byte of a PNG that says so

_ORIENTATION = 274  # tag of EXIF
_BAND = 1 << 17  # pixels moved at once: half a megabyte, which stays in the cache
_PLUGINS = {"WEBP": "WebPImagePlugin", "JPEG2000": "Jpeg2KImagePlugin"}  # other plugins are called as their format
_LAYOUT = {  # Pillow's mode: raw mode to unload it in, one word a pixel
    "L": ("L", "u1"),
    "LA": ("LA", "u2"),
    "RGB": ("RGBX", "<u4"),
    "RGBA": ("RGBA", "<u4"),
    "I;16": ("I;16", "<u2"),
    "I;16B": ("I;16B", ">u2"),
    "I": ("I", "i4"),
    "F": ("F", "f4"),
}
# Pillow keeps 8 of 16 bits per colour sample. Its decoders cut rows by the raw mode's bit width, so the same file
# decoded under the other byte order's raw mode gives the low bytes. PNG is big-endian.
DEEP = {"RGB;16B": "RGB;16L", "RGBA;16B": "RGBA;16L"}
_KEY_SCALE = {"1": 255, "L;2": 85, "L;4": 17}  # PNG's transparent grey is unscaled, Pillow's pixels fill 0…255


def decode(data: bytes, name: str, how: Reading, kind: str) -> Image:
    """Decode an image of the format that Pillow calls `kind`; see `emseg.image.formats.registry.Format.decode`."""
    try:
        return _image(data, name, how, kind)
    except DECODER_ERRORS:
        if kind != "PNG":
            raise
        from emseg.image.damage.png_chunks import without_texts_and_damage

        rest, damaged = without_texts_and_damage(data)
        if len(rest) == len(data):
            raise
        lines = [f"its chunk {chunk} is damaged, and not used" for chunk in damaged]
        return _image(rest, name, how, kind).with_notices(*lines)


def _image(data: bytes, name: str, how: Reading, kind: str) -> Image:
    im = open_page(data, kind, name, how)
    image = _decoded(im, data, name, how, kind)
    frames = 1
    with suppress(*DECODER_ERRORS):  # what follows the frame may be damaged
        frames = int(getattr(im, "n_frames", 1))
    if frames < 2:
        return image
    from emseg.image.axes import of_pages  # most images are alone in their file

    return of_pages(image, how, frames, "frame")


def _require_all(im: PIL.Image.Image, data: bytes, kind: str, how: Reading) -> None:
    """Raise ValueError if the first picture of a decoded file lacks its last part, which Pillow does not say."""
    if kind == "JPEG" and how.number == 1:
        from emseg.image.damage.jpeg_scans import require_scans

        require_scans(im, data)
    if kind != "PNG" or how.number > 1:
        return
    interlaced, (width, height) = data[INTERLACED], im.size
    if interlaced or not im.crop((0, height - 1, width, height)).tobytes().strip(b"\0"):
        from emseg.image.damage.png_rows import require_rows  # most files do without: rows that are missing are zero

        require_rows(data)


def _decoded(im: PIL.ImageFile.ImageFile, data: bytes, name: str, how: Reading, kind: str) -> Image:
    raw = raw_mode(im)
    if raw == "LA;16B" or raw in DEEP:
        if how.page > 1:  # a frame is drawn onto the one before, at 8 bits
            raise ImageError(f"{name}: frames of 16 bits are not read beyond the first; export them as single images")
        return decode_halves(data, kind, name, how)
    im.load()
    _require_all(im, data, kind, how)
    return decode_whole(im, name, raw)


def count(data: bytes, name: str, how: Reading, kind: str) -> int:
    """Number of frames."""
    return int(getattr(open_page(data, kind, name, how._replace(page=0)), "n_frames", 1))


def palette_indices(data: bytes, kind: str) -> NDArray[Any] | None:
    """The stored indices (H, W) of an image with a palette; None of an image without one."""
    stored = open_page(data, kind, "", Reading(max_pixels=sys.maxsize, max_memory=sys.maxsize))  # it was judged before
    return np.asarray(stored) if stored.mode == "P" else None


def open_page(data: bytes, kind: str, name: str, how: Reading) -> PIL.ImageFile.ImageFile:
    """Parse the header and go to the page of `how`. Its pixels are not decoded yet.

    `PIL.Image.open` would import every plugin, and judge the size by a limit that belongs to the whole process.
    """
    importlib.import_module("PIL." + _PLUGINS.get(kind, f"{kind.title()}ImagePlugin"))
    if data.startswith(b"P1") and b"#" in data:
        data = importlib.import_module("emseg.image.formats.pnm").without_comments(data)
    if kind == "WEBP":
        from emseg.image.damage.webp_size import webp_size, without_pillows_limit

        how.require(*webp_size(data), name)
        with without_pillows_limit():
            im = PIL.Image.OPEN[kind][0](io.BytesIO(data), "")
    else:
        im = PIL.Image.OPEN[kind][0](io.BytesIO(data), "")
    _require_size(im, name, how)
    _require_bytes(im, data, kind)
    if how.page > 1:
        how.require_page(int(getattr(im, "n_frames", 1)), name)
        im.seek(how.number - 1)
        _require_size(im, name, how)
    return im


def _require_bytes(im: PIL.Image.Image, data: bytes, kind: str) -> None:
    """Raise ValueError for a file that cannot hold as many pixels as it claims to have, before they are decoded."""
    if kind == "PNG" and im.width * im.height > 8 * DEFLATE * len(data):  # even at a bit a pixel
        raise ValueError("the file is cut short")
    if kind in ("JPEG", "GIF"):
        from emseg.image.damage.claims import require_possible

        require_possible(im.width, im.height, data, kind)


def _require_size(im: PIL.ImageFile.ImageFile, name: str, how: Reading) -> None:
    itemsize = 4 if im.mode in ("I", "F") else 2 if "16" in im.mode + raw_mode(im) else 1
    how.require(*im.size, name, len(im.getbands()), itemsize)


def raw_mode(im: PIL.ImageFile.ImageFile) -> str:
    """Pillow's name for how the file stores a pixel. Pillow forgets it once the pixels are decoded."""
    args = im.tile[0].args if im.tile else None
    return str(args if isinstance(args, str) or not args else args[0])


def decode_whole(im: PIL.Image.Image, name: str, raw: str = "") -> Image:
    """The image of a file whose samples Pillow holds at their full depth; `raw` is its raw mode if it is decoded."""
    raw = raw or (raw_mode(im) if isinstance(im, PIL.ImageFile.ImageFile) else "")
    im.load()
    metadata, orientation = _metadata(im), _orientation(im)
    key = None if im.mode in ("P", "PA") else im.info.get("transparency")
    if im.mode not in _LAYOUT:
        alpha = im.has_transparency_data and im.mode != "1"
        im = im.convert("L" if im.mode == "1" else "RGBA" if alpha else "RGB")
    bands = len(im.getbands())
    words = _words(im, orientation)
    del im
    if bands == 1:
        valid = None if key is None else words != int(key) * _KEY_SCALE.get(raw, 1)
        return replace(Image.from_array(words, valid, name), metadata=metadata)
    samples = words.view(np.uint8).reshape(*words.shape, -1)
    return _separate_alpha(samples, bands % 2 == 0, key, name, metadata, words if bands > 2 else None)


def decode_halves(data: bytes, kind: str, name: str, how: Reading) -> Image:
    """Decode 16-bit grey with alpha, RGB or RGBA: once for the high bytes of the samples and once for the low bytes."""
    im = open_page(data, kind, name, how)
    raw = raw_mode(im)
    if raw == "LA;16B":  # four bytes a pixel: as RGBA they come through untouched
        _retile(im, "RGBA")
        im.load()
        _require_all(im, data, kind, how)
        words = _words(im, _orientation(im))
        samples = words.view(">u2").reshape(*words.shape, 2).astype(np.uint16)
    else:
        samples = _half(im)
        _require_all(im, data, kind, how)
        samples <<= 8
        im = open_page(data, kind, name, how)
        _retile(im, DEEP[raw])
        samples |= _half(im)
    return _separate_alpha(samples, samples.shape[2] % 2 == 0, im.info.get("transparency"), name, _metadata(im))


def _half(im: PIL.ImageFile.ImageFile) -> NDArray[np.uint16]:
    im.load()
    words = _words(im, _orientation(im))
    return words.view(np.uint8).reshape(*words.shape, 4)[..., : len(im.getbands())].astype(np.uint16)


def _retile(im: PIL.ImageFile.ImageFile, raw: str) -> None:
    """Have the pixels decoded under another raw mode."""
    im.tile = [t._replace(args=raw if isinstance(t.args, str) else (raw, *(t.args or ())[1:])) for t in im.tile]


def _separate_alpha(
    samples: NDArray[Any],
    alpha: bool,
    key: Any,
    name: str,
    metadata: dict[str, Any],
    packed: NDArray[Any] | None = None,
) -> Image:
    """The image of samples (H, W, C). The last channel may be alpha; `key` is a colour that means "no data"."""
    valid = opacity = None
    if alpha:
        opacity, samples = samples[..., -1], samples[..., :-1]
        valid = opacity != 0
    elif packed is not None:
        samples = samples[..., :3]
    if key is not None and not alpha:
        valid = (samples != np.asarray(key)).any(axis=2)
    return replace(Image.from_array(samples, valid, name), packed=packed, metadata=metadata, alpha=opacity)


def _words(im: PIL.Image.Image, orientation: int) -> NDArray[Any]:
    """Pixels as one word each, upright, (H, W). They are moved by bands of rows, so that no second copy exists."""
    raw, word = _LAYOUT[im.mode]
    width, height = im.size
    words = np.empty((height, width) if orientation < 5 else (width, height), word)
    stored = upright(words, {6: 8, 8: 6}.get(orientation, orientation))  # a view: undoes the orientation
    rows = max(1, _BAND // width)
    for top in range(0, height, rows):
        band = im.crop((0, top, width, min(top + rows, height))).tobytes("raw", raw)
        stored[top : top + rows] = np.frombuffer(band, word).reshape(-1, width)
    return words


def upright(stored: NDArray[Any], orientation: int) -> NDArray[Any]:
    """View of an array (H, W, …) turned by EXIF orientation 1…8. 6 and 8 undo each other, all others themselves."""
    turned = stored.swapaxes(0, 1) if orientation > 4 else stored
    rows = slice(None, None, -1 if orientation in (3, 4, 7, 8) else 1)
    columns = slice(None, None, -1 if orientation in (2, 3, 6, 7) else 1)
    return turned[rows, columns]


def _orientation(im: PIL.Image.Image) -> int:
    """EXIF orientation 1…8; 1 where it is absent or damaged."""
    try:
        value = im.getexif().get(_ORIENTATION)
    except DECODER_ERRORS:
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _metadata(im: PIL.Image.Image) -> dict[str, Any]:
    dpi = im.info.get("dpi")
    found = resolution(dpi[::-1] if dpi and _orientation(im) > 4 else dpi)
    if im.mode == "CMYK":
        return found
    tables = getattr(im, "quantization", None)  # of JPEG
    found |= {"quantisation": {name: tuple(table) for name, table in tables.items()}} if tables else {}
    return found | profile(im.info.get("icc_profile"))


def resolution(dpi: Any) -> dict[str, Any]:
    """Metadata entry for dots per inch along x and y; nothing where they make no sense."""
    try:
        x, y = (float(value) for value in dpi)
    except (TypeError, ValueError, ZeroDivisionError):
        return {}
    return {"resolution": (x, y)} if 0 < x < math.inf and 0 < y < math.inf else {}


def profile(icc: Any) -> dict[str, Any]:
    """Metadata entry for a colour profile of grey or RGB; nothing for other bytes."""
    fine = isinstance(icc, bytes) and ICC_HEADER <= len(icc) <= LARGEST_PROFILE and icc[36:40] == b"acsp"
    return {"icc": icc} if fine and icc[16:20] in (b"RGB ", b"GRAY") else {}
